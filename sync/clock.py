"""Time and chance as arguments, so that every run can be replayed."""

import asyncio
import random
import secrets
import time
from collections.abc import Callable
from typing import Protocol

from sync.limits import CLOCK_AHEAD_MS_MAX


class Clock(Protocol):
    """Tell the time and wait; the simulation gives a virtual one."""

    def now_ms(self) -> int:
        """Answer the wall clock: Unix milliseconds, UTC; may be wrong or jump."""
        ...

    def monotonic_ms(self) -> int:
        """Answer milliseconds since an arbitrary start; never goes back within one boot."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long on the monotonic clock."""
        ...


class Entropy(Protocol):
    """Give randomness; the simulation gives a seeded one."""

    def token_bytes(self, size: int) -> bytes:
        """Answer that many unpredictable bytes."""
        ...

    def uniform(self) -> float:
        """Answer a number in [0, 1)."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now_ms(self) -> int:
        """Answer `time.time` in milliseconds."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        """Answer `time.monotonic` in milliseconds."""
        return time.monotonic_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Wait in the running event loop."""
        await asyncio.sleep(seconds)


class BelievedClock:
    """The time that a kiosk goes by: its own clock, corrected and kept within what is known.

    A board without a battery starts in 1970 or years off. It knows better: the difference that
    the centre last told, and the newest time that it ever wrote down, since when some has passed.

    Args:
        clock: The machine's.
        skew_ms: Answers the centre's time minus the machine's, as last heard.
        floor_ms: Newest time on record when this run began, Unix ms; 0 when there is none.
    """

    def __init__(self, clock: Clock, skew_ms: Callable[[], int], floor_ms: int) -> None:
        self._clock = clock
        self._skew_ms = skew_ms
        self._floor_ms = floor_ms
        self._began_ms = clock.monotonic_ms()

    def now_ms(self) -> int:
        """Answer the wall clock if it can be true, else the newest time on record and since."""
        corrected = max(0, self._clock.now_ms() + self._skew_ms())
        if not self._floor_ms:
            return corrected
        least = self._floor_ms + self._clock.monotonic_ms() - self._began_ms
        return corrected if least <= corrected <= least + CLOCK_AHEAD_MS_MAX else least

    def monotonic_ms(self) -> int:
        """Answer the machine's."""
        return self._clock.monotonic_ms()

    async def sleep(self, seconds: float) -> None:
        """Wait on the machine's."""
        await self._clock.sleep(seconds)


class SystemEntropy:
    """The operating system's randomness."""

    def token_bytes(self, size: int) -> bytes:
        """Answer bytes from `secrets`."""
        return secrets.token_bytes(size)

    def uniform(self) -> float:
        """Answer a float from the system's generator."""
        return secrets.SystemRandom().random()


class SeededEntropy:
    """Replayable randomness for tests and simulation; never for keys of real use."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- replayable on purpose

    def token_bytes(self, size: int) -> bytes:
        """Answer bytes that the seed decides."""
        return self._random.randbytes(size)

    def uniform(self) -> float:
        """Answer a float that the seed decides."""
        return self._random.random()
