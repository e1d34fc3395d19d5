"""Looking for a card while a question waits for one, and never else.

A card that lies on the reader by chance is nobody's business: outside of such a question the
reader is only asked whether it is there.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, TypeVar

from kiosk.devices.card_reader import CardReader, CardSeen
from sync.clock import Clock
from sync.limits import CARD_LOOK_S, CARD_RETRY_S

_T = TypeVar("_T")


class Reading:
    """The card reader of one kiosk.

    Args:
        reader: None = this kiosk has none.
        clock: Waiting.

    Attributes:
        view: "" = none, "ready", or "gone".
        is_wanted: Answers whether the present screen waits for a card.
        came: Told what a look brought, when that is a card or a failure.
    """

    def __init__(self, reader: CardReader | None, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "card")
        self._has_failed = False
        self.view: Literal["", "ready", "gone"] = "" if reader is None else "gone"
        self.is_wanted: Callable[[], bool] = lambda: False
        self.came: Callable[[CardSeen], Awaitable[None]] | None = None

    async def run(self) -> None:
        """Look after the reader until cancelled."""
        if self._reader is None:
            return
        while True:
            await self.look()
            is_near = self.view == "ready" and self.is_wanted()
            await self._clock.sleep(CARD_LOOK_S if is_near else CARD_RETRY_S / 2)

    async def look(self) -> None:
        """Look once: for a card when one is wanted, else only for the reader."""
        if self._reader is None:
            return
        if self.view != "ready" or not self.is_wanted():
            is_there = await self._aside(self._reader.is_there)
            self.view = "ready" if is_there else "gone"
            return
        seen = await self._aside(self._reader.look)
        # A card that keeps failing is told once: each telling draws the screen anew.
        had_failed, self._has_failed = self._has_failed, seen.kind == "failed"
        is_news = seen.kind == "read" or (seen.kind == "failed" and not had_failed)
        if seen.kind == "gone":
            self.view = "gone"
        elif is_news and self.came is not None:
            await self.came(seen)

    def close(self) -> None:
        """End; what is in the thread ends by its own bounds."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _aside(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
