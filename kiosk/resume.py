"""Across a power cut between commit and receipt: which transaction's receipt is still owed.

The usual kill of a kiosk that is switched off at the wrong moment lands between the commit and
the screen. The id of the transaction under way is on the disk before the commit and goes when
the resident has left the receipt; a start that finds it shows the receipt, once.
"""

import contextlib
from pathlib import Path

import msgspec

from sync.errors import MALFORMED
from sync.files import write_whole
from voice_prompts.wording import LANGUAGES

FILE_NAME = "receipt-owed.json"
#: A receipt found later than this belongs to somebody who is no longer there.
OWED_MS_MAX = 10 * 60 * 1000
_ID_BYTES = 16


class Owed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A transaction that was about to be committed; nothing personal."""

    #: Transaction id, 16 bytes.
    id: bytes
    language: str


class Trail:
    """The file that holds it.

    Args:
        directory: The kiosk's data folder.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE_NAME

    def note(self, transaction_id: bytes, language: str) -> None:
        """Write down, durably, that this transaction's receipt will be owed.

        Raises:
            OSError: The disk does not take it.
        """
        owed = Owed(id=transaction_id, language=language)
        write_whole(self._path, msgspec.json.encode(owed))

    def owed(self) -> Owed | None:
        """Answer whose receipt is owed; None when nobody's, or the file does not tell."""
        try:
            owed = msgspec.json.decode(self._path.read_bytes(), type=Owed)
        except (OSError, *MALFORMED):
            return None
        return owed if len(owed.id) == _ID_BYTES and owed.language in LANGUAGES else None

    def clear(self) -> None:
        """Forget it: the receipt was seen, or there is none."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
