"""What a bad link does, in numbers: shared by the line of packets and the shaper of bytes."""

from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True)
class Weather:
    """How a link behaves; both directions alike, each on its own."""

    #: Bits a second, each way.
    rate_bits_s: float = 32_000
    #: Twice the way of one byte on an empty link.
    round_trip_s: float = 0.6
    #: What the narrowest place holds before it drops (packets) or stops reading (bytes).
    queue_s: float = 2.0
    #: Share of packets lost, 0 to 1; the shaper of bytes stalls for as long as TCP would.
    loss: float = 0.0
    #: (begin, length) in seconds since the link was opened: nothing moves, nobody is told.
    cuts: tuple[tuple[float, float], ...] = ()

    @property
    def bytes_s(self) -> float:
        """Bytes a second, each way."""
        return self.rate_bits_s / 8

    @property
    def queue_bytes(self) -> int:
        """The same as `queue_s` in bytes, room for two packets at least."""
        return max(3000, int(self.bytes_s * self.queue_s))

    def is_cut(self, at_s: float) -> bool:
        """Whether nothing moves at that moment."""
        return any(begin <= at_s < begin + length for begin, length in self.cuts)

    def back_s(self, at_s: float) -> float:
        """When something moves again; the moment itself when nothing is cut."""
        for begin, length in self.cuts:
            if begin <= at_s < begin + length:
                return begin + length
        return at_s

    def cut(self, begin_s: float, length_s: float) -> Self:
        """The same weather with one more cut."""
        return replace(self, cuts=(*self.cuts, (begin_s, length_s)))


VALLEY = Weather()
"""The link of issue 3: 32 kbit/s, 600 ms round trip, a queue of 2 s."""
