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
    if number < 0x80:
        return bytes((number,))
    if number < 0x4000:
        return bytes((number & 0x7F | 0x80, number >> 7))
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
        begin, end = self._at, self._at + size
        if end > len(self._raw):
            raise WireError("the bytes end too early")
        self._at = end
        return self._raw[begin:end]

    def rest(self) -> bytes:
        """Read all that is left."""
        return self.take(self.left)

    def number(self, size: int) -> int:
        """Read an unsigned big-endian number of `size` octets."""
        return int.from_bytes(self.take(size), "big")

    def uvarint(self, maximum: int = UVARINT_MAX) -> int:
        """Read a uvarint up to `maximum`; a longer spelling than needed is refused."""
        number = shift = 0
        for octet in self._raw[self._at : self._at + UVARINT_BYTES_MAX]:
            number |= (octet & 0x7F) << shift
            if octet < 0x80:
                if octet == 0 and shift:
                    raise WireError("a number is not in its shortest form")
                if number > maximum:
                    raise WireError("a number is above its bound")
                self._at += shift // 7 + 1
                return number
            shift += 7
        if self.left < UVARINT_BYTES_MAX:
            raise WireError("the bytes end too early")
        raise WireError("a number is too long")

    def counted(self, maximum: int) -> bytes:
        """Read a byte string of at most `maximum` octets after its length."""
        return self.take(self.uvarint(maximum))

    def counted_each(self, count: int, maximum: int) -> list[bytes]:
        """Read that many byte strings after one another, each as `counted` does.

        A full frame has hundreds: one call for all of them takes a third of the time.
        """
        raw, at, found = self._raw, self._at, list[bytes]()
        for _ in range(count):
            if at + 2 <= len(raw) and raw[at] >= 0x80 and 0 < raw[at + 1] < 0x80:
                size, at = raw[at] & 0x7F | raw[at + 1] << 7, at + 2
                if size > maximum:
                    raise WireError("a number is above its bound")
            else:
                self._at = at
                size = self.uvarint(maximum)
                at = self._at
            if at + size > len(raw):
                raise WireError("the bytes end too early")
            found.append(raw[at : at + size])
            at += size
        self._at = at
        return found

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
