"""Whole numbers and byte strings as octets: the alphabet of every frame.

Each value has exactly one encoding, so that a signature covers meaning and not spelling:
fixed numbers are big-endian, `uvarint` is LEB128 without superfluous zero groups.
"""

from collections.abc import Callable
from typing import TypeVar

from sync.errors import BianminError
from sync.limits import UVARINT_BYTES_MAX

T = TypeVar("T")
U48_MAX = (1 << 48) - 1
UVARINT_MAX = (1 << 7 * UVARINT_BYTES_MAX) - 1


class WireError(BianminError):
    """Bytes that are not what the protocol says; they were not written by this protocol."""

    code = "400.1"


def uvarint(number: int) -> bytes:
    """Write a number in groups of seven bits, low group first (unsigned LEB128).

    Args:
        number: 0 to 2**49 - 1.

    Raises:
        ValueError: The number is out of range.

    >>> uvarint(300).hex()
    'ac02'
    """
    if not 0 <= number <= UVARINT_MAX:
        raise ValueError(f"uvarint takes 0 to 2**{7 * UVARINT_BYTES_MAX} - 1")
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)


def counted(raw: bytes) -> bytes:
    """Write a byte string after its length as a uvarint."""
    return uvarint(len(raw)) + raw


def fixed(raw: bytes, size: int) -> bytes:
    """Write a byte string whose length everybody knows.

    Raises:
        ValueError: It has another length.
    """
    if len(raw) != size:
        raise ValueError(f"this field has {size} bytes")
    return raw


def u48(number: int) -> bytes:
    """Write a number in six bytes; what a mad clock says beyond them is cut to the bound."""
    return min(max(number, 0), U48_MAX).to_bytes(6, "big")


class Reader:
    """Read octets in order; whatever does not fit raises `WireError`, never anything else."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    @property
    def left(self) -> int:
        """Octets not read yet."""
        return len(self._raw) - self._at

    def take(self, size: int) -> bytes:
        """Read that many octets."""
        if size > self.left:
            raise WireError("the bytes end too early")
        self._at += size
        return self._raw[self._at - size : self._at]

    def rest(self) -> bytes:
        """Read all that is left."""
        return self.take(self.left)

    def number(self, size: int) -> int:
        """Read an unsigned big-endian number of `size` octets."""
        return int.from_bytes(self.take(size), "big")

    def uvarint(self, maximum: int = UVARINT_MAX) -> int:
        """Read a uvarint up to `maximum`; a longer spelling than needed is refused."""
        number = 0
        for shift in range(0, 7 * UVARINT_BYTES_MAX, 7):
            octet = self.take(1)[0]
            number |= (octet & 0x7F) << shift
            if octet < 0x80:
                if octet == 0 and shift:
                    raise WireError("a number is not in its shortest form")
                if number > maximum:
                    raise WireError("a number is above its bound")
                return number
        raise WireError("a number is too long")

    def counted(self, maximum: int) -> bytes:
        """Read a byte string of at most `maximum` octets after its length."""
        return self.take(self.uvarint(maximum))

    def text(self, maximum: int) -> str:
        """Read UTF-8 text of at most `maximum` octets after its length."""
        try:
            return self.counted(maximum).decode()
        except UnicodeDecodeError as error:
            raise WireError("a text is not UTF-8") from error

    def several(self, maximum: int, read: Callable[[], T]) -> tuple[T, ...]:
        """Read a count of at most `maximum`, then as many items."""
        return tuple(read() for _ in range(self.uvarint(maximum)))

    def expect(self, raw: bytes, what: str) -> None:
        """Read octets that must be exactly these."""
        if self.left < len(raw) or self.take(len(raw)) != raw:
            raise WireError(f"not {what}")

    def end(self) -> None:
        """Refuse octets after the end."""
        if self.left:
            raise WireError("bytes follow the end")
