"""The helpers of this kiosk, in a file of its folder: number, name, and a slow hash of the PIN.

The command writes it while the kiosk runs; each sign-in reads it anew. Works without a link. Who
steals the card tries a million PINs in half a day (50 ms each) and can then sign in as a helper on
that card alone: what residents said is sealed to the centre, and a PIN opens nothing.
"""

import hashlib
import hmac
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from kiosk.assisted.company import Helper
from kiosk.assisted.signing_in import number_of
from sync.clock import Entropy
from sync.errors import MALFORMED, BianminError
from sync.files import write_whole
from sync.limits import (
    HELPER_NAME_CHARS_MAX,
    HELPER_NUMBER_DIGITS_MAX,
    HELPER_PIN_DIGITS,
    HELPERS_MAX,
    SCRYPT_N,
)

FILE_NAME = "helpers.json"
_SALT_BYTES = 16
_HASH_BYTES = 32
_NOBODY = bytes(_SALT_BYTES)


class HelperRefused(BianminError):
    """The helper cannot be added or is not there; nothing was changed."""

    code = "409.41"


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One helper; a revoked one keeps the number, which stands in records for ever."""

    number: str
    name: str
    #: Both empty when revoked.
    salt: bytes
    digest: bytes
    #: Kiosk's clock, Unix ms.
    added_ms: int

    @property
    def is_revoked(self) -> bool:
        """Answer whether the helper may not sign in any more."""
        return not self.digest


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    helpers: tuple[Account, ...] = ()


class Roster:
    """The file.

    Args:
        directory: The kiosk's data folder.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE_NAME

    def accounts(self) -> tuple[Account, ...]:
        """Answer all helpers by number; () when there is none yet.

        Raises:
            HelperRefused: The file is damaged.
        """
        try:
            raw = self._path.read_bytes()
        except FileNotFoundError:
            return ()
        try:
            return msgspec.json.decode(raw, type=_File).helpers
        except MALFORMED as error:
            raise HelperRefused(
                f"{FILE_NAME} is damaged; set it aside and add the helpers anew"
            ) from error

    def add(self, name: str, number: str, now_ms: int, entropy: Entropy) -> tuple[Account, str]:
        """Add a helper and answer them with their PIN, which is told once and kept nowhere.

        Args:
            name: As residents read it on the screen, at most `HELPER_NAME_CHARS_MAX`; may be "".
            number: 1 to 4 digits, never given before; "" = the next free one.
            now_ms: Kiosk's clock.
            entropy: Draws the PIN and the salt.

        Raises:
            HelperRefused: The number was given before or is none, the name is too long, there are
                too many.
        """
        present = self.accounts()
        taken = {one.number for one in present}
        told = number_of(number) if number else _next_free(taken)
        if not told or told in taken:
            raise HelperRefused("a helper's number has 1 to 4 digits and is never given twice")
        if len(name) > HELPER_NAME_CHARS_MAX:
            raise HelperRefused(f"a name may have {HELPER_NAME_CHARS_MAX} characters")
        if sum(not one.is_revoked for one in present) >= HELPERS_MAX:
            raise HelperRefused(f"a kiosk has at most {HELPERS_MAX} helpers; revoke one first")
        pin, salt = _drawn_pin(entropy), entropy.token_bytes(_SALT_BYTES)
        account = Account(told, name, salt, _digest(pin, salt), now_ms)
        self._write((*present, account))
        return account, pin

    def renew(self, number: str, entropy: Entropy) -> str:
        """Give a helper another PIN, also one who was revoked.

        Raises:
            HelperRefused: There is no such helper.
        """
        pin, salt = _drawn_pin(entropy), entropy.token_bytes(_SALT_BYTES)
        self._change(number, salt=salt, digest=_digest(pin, salt))
        return pin

    def revoke(self, number: str) -> None:
        """Take a helper off; the number is not given again.

        Raises:
            HelperRefused: There is no such helper.
        """
        self._change(number, salt=b"", digest=b"")

    def check(self, number: str, pin: str) -> Helper | None:
        """Answer who signs in; None when number and PIN do not fit (50 ms either way).

        Raises:
            HelperRefused: The file is damaged.
        """
        found = next((one for one in self.accounts() if one.number == number), None)
        digest = _digest(pin, found.salt if found and found.salt else _NOBODY)
        if found is None or not hmac.compare_digest(digest, found.digest):
            return None
        return Helper(found.number, found.name)

    def _change(self, number: str, *, salt: bytes, digest: bytes) -> None:
        told, present = number_of(number), self.accounts()
        if told not in {one.number for one in present}:
            raise HelperRefused("no helper of this kiosk has that number")
        self._write(
            [
                replace(one, salt=salt, digest=digest) if one.number == told else one
                for one in present
            ]
        )

    def _write(self, accounts: Sequence[Account]) -> None:
        ordered = sorted(accounts, key=lambda one: int(one.number))
        write_whole(self._path, msgspec.json.encode(_File(tuple(ordered))))


def _next_free(taken: set[str]) -> str:
    numbers = range(1, 10**HELPER_NUMBER_DIGITS_MAX)
    return next((str(number) for number in numbers if str(number) not in taken), "")


def _drawn_pin(entropy: Entropy) -> str:
    # 64 bits over a million: the first PINs are likelier than the last by 10^-13.
    drawn = int.from_bytes(entropy.token_bytes(8), "big") % 10**HELPER_PIN_DIGITS
    return f"{drawn:0{HELPER_PIN_DIGITS}d}"


def _digest(pin: str, salt: bytes) -> bytes:
    # Source: RFC 7914.
    return hashlib.scrypt(
        pin.encode(), salt=salt, n=SCRYPT_N, r=8, p=1, maxmem=64 * 1024 * 1024, dklen=_HASH_BYTES
    )
