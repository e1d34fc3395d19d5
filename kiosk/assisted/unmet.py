"""How many people did not find what they need: a count for each day, and nothing else."""

import contextlib
import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import msgspec

from sync.errors import MALFORMED
from sync.files import write_whole
from sync.limits import UNMET_DAYS_KEPT

FILE_NAME = "unmet.json"


class Unmet:
    """The file.

    Args:
        directory: The kiosk's data folder.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE_NAME
        self._days = self._read()

    @property
    def days(self) -> Mapping[str, int]:
        """Answer the count by local day, ISO; the newest days alone."""
        return dict(self._days)

    def count(self, day: dt.date) -> None:
        """Count one more; a full disk costs the count, and the resident notices nothing."""
        days = {**self._days, day.isoformat(): self._days.get(day.isoformat(), 0) + 1}
        self._days = dict(sorted(days.items())[-UNMET_DAYS_KEPT:])
        with contextlib.suppress(OSError):
            write_whole(self._path, msgspec.json.encode(self._days))

    def _read(self) -> dict[str, int]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, int])
        except (OSError, *MALFORMED):
            return {}
