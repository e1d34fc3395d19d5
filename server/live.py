"""Tell open pages that something changed, without saying what."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Literal

from sync import limits

Topic = Literal["fleet", "cases", "letters", "ledger", "catalogue"]


class Broadcast:
    """Topics to subscribers in this process; a slow subscriber loses repeats, never the last one.

    A page that hears a topic draws itself again, so that equal words in a row say nothing new.
    """

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[Topic]] = set()

    def publish(self, topic: Topic) -> None:
        """Tell every subscriber; never waits."""
        for queue in self._queues:
            with suppress(asyncio.QueueFull):
                queue.put_nowait(topic)

    async def subscribe(self) -> AsyncIterator[Topic]:
        """Walk the topics published from now on, until the caller stops."""
        queue: asyncio.Queue[Topic] = asyncio.Queue(limits.LIVE_TOPICS_MAX)
        self._queues.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._queues.discard(queue)

    @property
    def count(self) -> int:
        """Answer how many listen."""
        return len(self._queues)
