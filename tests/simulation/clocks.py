"""Clocks of the run: true time is the loop's; what a machine shows may be anything."""

import asyncio
import datetime as dt
from collections.abc import Callable

#: 24 November 2026, 08:00 in China: when every run begins.
START_MS = int(dt.datetime(2026, 11, 24, tzinfo=dt.UTC).timestamp() * 1000)
YEAR_MS = 365 * 86_400_000


class SimClock:
    """One machine's clock.

    Args:
        true_s: Answers the seconds since the run began.
    """

    def __init__(self, true_s: Callable[[], float]) -> None:
        self._true_s = true_s
        self._boot_s = true_s()
        #: Shown minus true time, ms.
        self.skew_ms = 0
        self._still_ms: int | None = None

    def true_ms(self) -> int:
        """Answer the true time, Unix ms."""
        return START_MS + round(self._true_s() * 1000)

    def now_ms(self) -> int:
        """Answer what the machine believes."""
        if self._still_ms is not None:
            return self._still_ms
        return max(0, self.true_ms() + self.skew_ms)

    def monotonic_ms(self) -> int:
        """Answer the time since this start of the machine."""
        return round((self._true_s() - self._boot_s) * 1000)

    async def sleep(self, seconds: float) -> None:
        """Wait in virtual time."""
        await asyncio.sleep(seconds)

    def stand_still(self) -> None:
        """Show the same wall time from now on."""
        self._still_ms = self.now_ms()

    def show(self, wall_ms: int) -> None:
        """Be set to a wall time, and go on from there."""
        self._still_ms = None
        self.skew_ms = wall_ms - self.true_ms()

    def boot(self, *, wall_ms: int | None = None) -> None:
        """Start anew: the monotonic clock begins at zero, the wall clock may too."""
        self._boot_s = self._true_s()
        if wall_ms is not None:
            self.show(wall_ms)
