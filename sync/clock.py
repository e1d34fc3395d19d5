"""Time and chance as arguments, so that every run can be replayed."""

import asyncio
import random
import secrets
import time
from typing import Protocol


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
