"""Wrong PINs: each makes the next try wait longer; a restart does not shorten it."""

import contextlib
from pathlib import Path

import msgspec

from sync.errors import MALFORMED
from sync.files import write_whole
from sync.limits import HELPER_TRIES_FREE, HELPER_WAIT_S, HELPER_WAIT_S_MAX

FILE_NAME = "helper-tries.json"


class _Memory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    #: Wrong PINs in a row, whoever's; when the last one was, kiosk's clock, Unix ms.
    count: int = 0
    last_ms: int = 0


def wait_after_s(count: int) -> int:
    """Answer how long after so many wrong PINs in a row the next one is not heard.

    >>> [wait_after_s(count) for count in (0, 4, 5, 6, 9, 40)]
    [0, 0, 60, 120, 900, 900]
    """
    if count < HELPER_TRIES_FREE:
        return 0
    doubled = HELPER_WAIT_S * 2 ** min(count - HELPER_TRIES_FREE, 10)
    return min(HELPER_WAIT_S_MAX, int(doubled))


class Tries:
    """The file that remembers them; one for all numbers, since there is one screen.

    Args:
        directory: The kiosk's data folder.
        name: The file's; another door has another.
    """

    def __init__(self, directory: Path, name: str = FILE_NAME) -> None:
        self._path = directory / name
        self._memory = self._read()

    def wait_s(self, now_ms: int) -> int:
        """Answer how many seconds are left until a PIN is heard again.

        A clock that was set back begins the wait anew, once: it does not stand still until the
        old time has come again.
        """
        if now_ms < self._memory.last_ms:
            self._write(_Memory(self._memory.count, now_ms))
        wait_ms = wait_after_s(self._memory.count) * 1000
        return max(0, -(-(self._memory.last_ms + wait_ms - now_ms) // 1000))

    def failed(self, now_ms: int) -> None:
        """Count a wrong PIN."""
        self._write(_Memory(min(self._memory.count + 1, 99), now_ms))

    def passed(self) -> None:
        """Forget the wrong ones: the right one came."""
        if self._memory.count:
            self._write(_Memory())

    def _read(self) -> _Memory:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Memory)
        except (OSError, *MALFORMED):
            return _Memory()

    def _write(self, memory: _Memory) -> None:
        self._memory = memory
        # On a full disk it is remembered until the next start, and no PIN is heard any earlier.
        with contextlib.suppress(OSError):
            write_whole(self._path, msgspec.json.encode(memory))
