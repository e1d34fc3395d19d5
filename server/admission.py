"""Who may come in now: bounds on what waits and what it weighs, so that a herd is served in turn.

After a regional outage thousands of kiosks return within seconds. Taking all of them at once
would fill the memory with bodies and let every answer come too late, so that each kiosk gives up
and sends all of it again: that is how a centre collapses that is merely busy. So the door looks
at what a newcomer would wait, from how fast exchanges were answered lately. Above a bound it is
told to come later, before its body is read; that costs a fraction of a millisecond.
"""

import contextlib
from collections.abc import Iterator

from server.errors import StoreBusy
from sync import limits
from sync.clock import Clock


class Admission:
    """The door of one process; used from its event loop only."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bytes = 0
        self._inside = 0
        self._refused = 0
        self._pace_ms = limits.EXCHANGE_PACE_MS
        #: Exchanges that ended since then, while somebody was always inside.
        self._ended = 0
        self._since_ms: int | None = None

    @property
    def wait_s(self) -> float:
        """Answer how long a newcomer would wait for its answer, in seconds."""
        return self._inside * self._pace_ms / 1000

    @property
    def load(self) -> float:
        """Answer how busy the centre is: at 1 nobody more is let in."""
        return self.wait_s / limits.EXCHANGE_WAIT_MAX_S

    @property
    def is_crowded(self) -> bool:
        """Answer whether so many wait for an answer that other work should wait."""
        return self._inside >= limits.EXCHANGE_PACE_FROM

    @contextlib.contextmanager
    def carrying(self, size_bytes: int) -> Iterator[None]:
        """Hold room for a body while it is read and worked on.

        Args:
            size_bytes: Its length as the sender declares it.

        Raises:
            StoreBusy: Too much is on its way already, or it would wait too long.
        """
        # Light ones are always let in: whoever holds the room with bodies that never end keeps
        # nobody out, since a kiosk that is sent away comes again with a lighter one.
        weight = size_bytes if size_bytes > limits.BODY_LIGHT_BYTES else 0
        is_heavy = weight > 0 and self._bytes + weight > limits.BODIES_BYTES_MAX
        # A few are always let in: what is slow for a moment must be able to show that it is over.
        is_late = self._inside >= limits.EXCHANGES_ALWAYS and self.load >= 1
        if is_heavy or is_late:
            self._refused += 1
            raise StoreBusy(
                "more kiosks call than can be answered in time; come later",
                retry_after_s=self.away_s,
            )
        self._bytes += weight
        try:
            yield
        finally:
            self._bytes -= weight

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Count an exchange from its whole body to its answer, and learn how fast they end."""
        if not self._inside:
            self._since_ms = None
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
            self._learn()
            if not self._inside:
                self._refused = 0

    def _learn(self) -> None:
        """Take the pace of a while in which somebody was always inside.

        It begins with the first that ends: before it, a herd is only being read.
        """
        now_ms = self._clock.monotonic_ms()
        if self._since_ms is None:
            self._ended, self._since_ms = 0, now_ms
            return
        self._ended += 1
        took_ms = now_ms - self._since_ms
        if self._inside and took_ms < limits.EXCHANGE_PACE_MS_OVER:
            return
        # Few at a time share no commits: their pace says nothing of a herd's.
        if self._ended >= limits.EXCHANGE_PACE_FROM:
            self._pace_ms += (took_ms / self._ended - self._pace_ms) / 4
        self._ended, self._since_ms = 0, now_ms

    @property
    def away_s(self) -> int:
        """Answer how long to keep away, in seconds.

        Until those who are here and those who were sent away could all have been answered, twice
        over: they bring more than one frame each. Kiosks spread it over half as much again.
        """
        needed_s = 2 * (self._inside + self._refused) * self._pace_ms / 1000
        return int(min(max(needed_s, limits.AWAY_S_MIN), limits.AWAY_S_MAX))
