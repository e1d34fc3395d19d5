"""The installer's code and who is inside: one at a time, for two minutes without a touch."""

import hashlib
import hmac
import threading
from pathlib import Path
from typing import Literal

import msgspec

from kiosk.assisted.tries import Tries
from sync.clock import Clock, Entropy
from sync.errors import MALFORMED
from sync.files import write_whole
from sync.limits import ADMIN_CODE_DIGITS, ADMIN_CODE_DIGITS_MAX, ADMIN_IDLE_S, SCRYPT_N

FILE_NAME = "installer-code.json"
TRIES_NAME = "installer-tries.json"
_SALT_BYTES = 16
_HASH_BYTES = 32
_TOKEN_BYTES = 16
_MEMORY_BYTES_MAX = 64 * 1024 * 1024


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    salt: bytes
    digest: bytes


class Knock(msgspec.Struct, frozen=True):
    """What came of a code."""

    kind: Literal["open", "wrong", "wait", "no_code"]
    #: Of who is inside now.
    token: str = ""
    #: Seconds until the next try is heard.
    wait_s: int = 0


def is_code(text: str) -> bool:
    """Answer whether a text can be a code: 8 to 12 digits."""
    is_long = ADMIN_CODE_DIGITS <= len(text) <= ADMIN_CODE_DIGITS_MAX
    return is_long and text.isascii() and text.isdigit()


def drawn_code(entropy: Entropy) -> str:
    """Draw a code."""
    # 64 bits over 10^8: the first codes are likelier than the last by 10^-11.
    drawn = int.from_bytes(entropy.token_bytes(8), "big") % 10**ADMIN_CODE_DIGITS
    return f"{drawn:0{ADMIN_CODE_DIGITS}d}"


def set_code(directory: Path, code: str, entropy: Entropy) -> None:
    """Set the code, hashed; a running kiosk knows it at once.

    Args:
        directory: The kiosk's data folder.
        code: See `is_code`.
        entropy: Source of the salt.

    Raises:
        ValueError: It is no code.
        OSError: The disk does not take it; the former one stays.
    """
    if not is_code(code):
        raise ValueError("a code is 8 to 12 digits")
    salt = entropy.token_bytes(_SALT_BYTES)
    stored = _Stored(salt, _digest(code, salt))
    write_whole(directory / FILE_NAME, msgspec.json.encode(stored))


class Door:
    """Lets whoever knows the code in.

    Args:
        directory: The kiosk's data folder.
        clock: Counts waits and idleness.
        entropy: Source of tokens.
    """

    def __init__(self, directory: Path, clock: Clock, entropy: Entropy) -> None:
        self._directory = directory
        self._clock = clock
        self._entropy = entropy
        self._tries = Tries(directory, TRIES_NAME)
        self._token = ""
        self._until_ms = 0
        #: One code at a time: of several at once each would be heard before the first counts.
        self._turn = threading.Lock()

    def knock(self, code: str) -> Knock:
        """Judge a code; slow on purpose, hence for a thread."""
        with self._turn:
            return self._judged(code)

    def _judged(self, code: str) -> Knock:
        stored = self._stored()
        if stored is None:
            return Knock("no_code")
        now_ms = self._clock.now_ms()
        wait_s = self._tries.wait_s(now_ms)
        if wait_s:
            return Knock("wait", wait_s=wait_s)
        is_right = is_code(code) and hmac.compare_digest(_digest(code, stored.salt), stored.digest)
        if not is_right:
            self._tries.failed(now_ms)
            return Knock("wrong", wait_s=self._tries.wait_s(now_ms))
        self._tries.passed()
        self._token = self._entropy.token_bytes(_TOKEN_BYTES).hex()
        self._touch()
        return Knock("open", self._token)

    @property
    def has_code(self) -> bool:
        """Whether a code was set."""
        return self._stored() is not None

    def wait_s(self) -> int:
        """Answer how many seconds are left until a code is heard."""
        return self._tries.wait_s(self._clock.now_ms())

    def is_inside(self, token: str) -> bool:
        """Answer whether a token's holder is inside, and note that they are still there."""
        is_late = self._clock.monotonic_ms() >= self._until_ms
        if not self._token or is_late or not _is_same(token, self._token):
            return False
        self._touch()
        return True

    def close(self) -> None:
        """Let nobody be inside."""
        self._token = ""

    def _touch(self) -> None:
        self._until_ms = self._clock.monotonic_ms() + ADMIN_IDLE_S * 1000

    def _stored(self) -> _Stored | None:
        try:
            raw = (self._directory / FILE_NAME).read_bytes()
            return msgspec.json.decode(raw, type=_Stored)
        except (OSError, *MALFORMED):
            return None


def _is_same(one: str, other: str) -> bool:
    # As bytes: of other than ASCII letters it makes no comparison.
    return hmac.compare_digest(one.encode(), other.encode())


def _digest(code: str, salt: bytes) -> bytes:
    # Source: RFC 7914.
    return hashlib.scrypt(
        code.encode(), salt=salt, n=SCRYPT_N, r=8, p=1, maxmem=_MEMORY_BYTES_MAX, dklen=_HASH_BYTES
    )
