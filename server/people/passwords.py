"""Password hashes: the only file that touches argon2."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from sync.limits import HASHES_AT_ONCE, HASHES_WAITING_MAX, PASSWORD_CHARS_MAX

P = ParamSpec("P")
T = TypeVar("T")


class Passwords:
    """Hash and check passwords in their own threads, a few at once.

    argon2id with 64 MiB, t = 3, p = 4 (RFC 9106 section 4, second recommended option). Two
    threads bound the memory: a crowd of sign-ins waits instead of filling the machine.

    Args:
        cost: What one hash takes; less than the default is for tests alone.
    """

    def __init__(self, cost: Parameters = RFC_9106_LOW_MEMORY) -> None:
        self._hasher = PasswordHasher.from_parameters(cost)
        self._threads = ThreadPoolExecutor(HASHES_AT_ONCE, thread_name_prefix="password")
        # Checked when the account does not exist, so that both answers take as long.
        self._nobody = self._hasher.hash("nobody has this password")
        self._waiting = 0

    @property
    def is_busy(self) -> bool:
        """Answer whether so many wait already that one more should be sent away."""
        return self._waiting >= HASHES_WAITING_MAX

    async def hashed(self, password: str) -> str:
        """Answer the encoded hash to be stored."""
        return await self._run(self._hasher.hash, password)

    async def is_right(self, stored: str | None, password: str) -> bool:
        """Answer whether the password fits; `stored` None (no such account) takes as long."""
        return await self._run(self._fits, stored, password)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, partial(work, *args, **kwargs))
        finally:
            self._waiting -= 1

    def _fits(self, stored: str | None, password: str) -> bool:
        try:
            self._hasher.verify(stored or self._nobody, password[:PASSWORD_CHARS_MAX])
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None
