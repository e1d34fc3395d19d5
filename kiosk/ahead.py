"""Slow work that is begun before it is needed."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Made = TypeVar("Made")


class Ahead(Generic[Key, Made]):
    """One kind of work, in a thread; the newest alone counts, and they run one by one."""

    def __init__(self) -> None:
        self._newest: tuple[Key, asyncio.Future[Made]] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing of any visit is held."""
        return self._newest is None

    def begin(self, key: Key, work: Callable[[], Made]) -> asyncio.Future[Made]:
        """Answer what the work of a key will make; begun once, and again after it failed."""
        if self._newest is None or self._newest[0] != key or _has_failed(self._newest[1]):
            before = self._newest[1] if self._newest else None
            self._newest = (key, asyncio.ensure_future(_made(work, before)))
        # Whoever gives up waiting does not stop the work.
        return asyncio.shield(self._newest[1])

    def forget(self) -> None:
        """Hold nothing more; work under way ends by itself."""
        self._newest = None


async def _made(work: Callable[[], Made], before: asyncio.Future[Made] | None) -> Made:
    if before is not None:
        await asyncio.wait({before})
    return await asyncio.to_thread(work)


def _has_failed(future: asyncio.Future[Made]) -> bool:
    return future.done() and (future.cancelled() or future.exception() is not None)
