"""Numbers of any width, one after the other, as a string of bits; the first bit is the highest."""

from sync.errors import BianminError

_GROUP_BITS = 4
_GROUPS_MAX = 12


class AnswersError(BianminError):
    """Answers do not fit the form, or bytes are not answers."""

    code = "422.12"


class BitWriter:
    """Collects bits."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._rest = 0
        self._rest_bits = 0

    def put(self, value: int, width: int) -> None:
        """Add a number of `width` bits, highest bit first.

        Raises:
            AnswersError: The number does not fit; it is a fault of the caller, not of a resident.
        """
        if not 0 <= value < 1 << width:
            raise AnswersError(f"a number does not fit {width} bits")
        self._rest = self._rest << width | value
        self._rest_bits += width
        whole, self._rest_bits = divmod(self._rest_bits, 8)
        self._bytes += (self._rest >> self._rest_bits).to_bytes(whole, "big")
        self._rest &= (1 << self._rest_bits) - 1

    def put_varying(self, value: int) -> None:
        """Add a number of up to 48 bits as groups of 4, each after a bit "one more follows"."""
        groups = [value & 15]
        while value := value >> _GROUP_BITS:
            groups.append(value & 15)
        if len(groups) > _GROUPS_MAX:
            raise AnswersError("a number is too large")
        for index in reversed(range(len(groups))):
            self.put(int(index > 0), 1)
            self.put(groups[index], _GROUP_BITS)

    def to_bytes(self, multiple: int, before: int = 0) -> bytes:
        """Answer the bytes, filled with zero bits so that `before` + size is such a multiple."""
        raw = bytes(self._bytes)
        if self._rest_bits:
            raw += bytes([self._rest << (8 - self._rest_bits)])
        return raw + bytes(-(before + len(raw)) % multiple)

    @property
    def bit_count(self) -> int:
        """Answer how many bits were added."""
        return len(self._bytes) * 8 + self._rest_bits


class BitReader:
    """Reads what a `BitWriter` wrote; every fault of the bytes is an `AnswersError`."""

    def __init__(self, raw: bytes) -> None:
        self._value = int.from_bytes(raw, "big")
        self._left = len(raw) * 8

    @property
    def bits_left(self) -> int:
        """Answer how many bits are still unread."""
        return self._left

    def take(self, width: int) -> int:
        """Read a number of `width` bits.

        Raises:
            AnswersError: Fewer bits are left.
        """
        if width > self._left:
            raise AnswersError("the answers end too early")
        self._left -= width
        return self._value >> self._left & (1 << width) - 1

    def take_varying(self) -> int:
        """Read a number of up to 48 bits.

        Raises:
            AnswersError: It is longer, or written in more groups than it needs.
        """
        value = 0
        for count in range(_GROUPS_MAX):
            more, group = self.take(1), self.take(_GROUP_BITS)
            if count == 0 and more and group == 0:
                raise AnswersError("a number is written with a leading zero")
            value = value << _GROUP_BITS | group
            if not more:
                return value
        raise AnswersError("a number is too large")

    def expect_end(self, multiple: int) -> None:
        """Check that only zero bits follow, and fewer than `multiple` bytes of them.

        Raises:
            AnswersError: Something else follows.
        """
        if self._left >= multiple * 8 or self._value & (1 << self._left) - 1:
            raise AnswersError("something follows the answers")
