"""How long the kiosk itself takes: from a touch to the next page, and to its first clip."""

import asyncio
import datetime as dt
import html
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from sync.forms import Service
from tests.bench.printing import row, spread
from tests.generator import shipped_catalogue, shipped_villages, transactions
from tests.village import running_village
from tests.visitor import Screen, Visitor

DEAF_S = 0.3
_ROUNDS = 2


class Timed(Visitor):
    """A visitor with a stop-watch."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        super().__init__(session, url)
        self.screens_ms: dict[str, list[float]] = defaultdict(list)
        self.clips_ms: list[float] = []
        self.live_ms: list[float] = []
        self.preloaded: set[str] = set()
        self.is_first_preloaded: list[bool] = []

    async def touch(self, action: str, value: str = "", question: str = "") -> Screen:
        """Touch, and take the times of the page and of the first thing that it says."""
        # A new screen hears nothing before (kiosk/web/static/kiosk.js): so long everybody waits.
        await asyncio.sleep(DEAF_S if action == "submit" else 0)
        begun = time.perf_counter()
        screen = await super().touch(action, value, question)
        self.screens_ms[screen.kind].append((time.perf_counter() - begun) * 1000)
        await self._listen(screen)
        return screen

    async def _listen(self, screen: Screen) -> None:
        playlist: dict[str, Any] = msgspec.json.decode(html.unescape(screen.body["playlist"]))
        if playlist["say"]:
            url = playlist["say"][0]["url"]
            self.is_first_preloaded.append(url in self.preloaded)
            begun = time.perf_counter()
            async with self._session.get(self._url + url) as answer:
                await answer.read()
            times = self.live_ms if "/live/" in url else self.clips_ms
            times.append((time.perf_counter() - begun) * 1000)
        # The page fetches these while the resident looks at the screen.
        self.preloaded |= {clip["url"] for clip in playlist["say"]} | set(playlist["preload"])


async def measure() -> None:
    """Do every service, and read back what each kind of screen took."""
    services = [s for s in shipped_catalogue().services if s.case_kind == "application"]
    with tempfile.TemporaryDirectory() as place:
        async with running_village(Path(place)) as village, aiohttp.ClientSession() as session:
            visitor = await Timed.arrive(session, village.kiosk_url)
            for _ in range(_ROUNDS):
                for service in services:
                    await _once(visitor, service)
    everything = [ms for times in visitor.screens_ms.values() for ms in times]
    row("touch to page, all screens", spread(everything, "ms"))
    for kind, times in sorted(visitor.screens_ms.items()):
        row(f"  {kind} ({len(times)})", spread(times, "ms"))
    row("first clip of a screen", spread(visitor.clips_ms, "ms"))
    if visitor.live_ms:
        row("first piece spoken live", spread(visitor.live_ms, "ms"))
    known = visitor.is_first_preloaded
    row("first clip was fetched before the touch", f"{sum(known)} of {len(known)}")


async def _once(visitor: Timed, service: Service) -> None:
    today = dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).date()
    made = transactions(
        shipped_catalogue(), 7, today=today, villages=shipped_villages(), service=service.id
    )
    transaction, attachments = next(made)
    case_no = await visitor.apply(service, transaction.answers, attachments)
    await visitor.touch("continue")
    await visitor.touch("rate", "satisfied")
    await visitor.touch("home")
    await visitor.look_up(case_no)
    await visitor.touch("help")
    await visitor.touch("help_close")
    await visitor.touch("home")
    if visitor.screen.kind == "leave":
        await visitor.touch("leave_yes")
