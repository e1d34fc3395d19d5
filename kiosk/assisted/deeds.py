"""What helpers and found matters ask of the shell: check a PIN, list a day, count."""

import asyncio
import datetime as dt
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

from sqlite_utils import Database as Tables

from kiosk.assisted.marks import day_mark
from kiosk.assisted.roster import HelperRefused as RosterDamaged
from kiosk.assisted.roster import Roster
from kiosk.assisted.tries import Tries
from kiosk.assisted.unmet import Unmet
from kiosk.events import (
    CheckHelper,
    CountUnmet,
    DayListed,
    Event,
    Failed,
    HelperKnown,
    HelperRefused,
    ListDay,
    Tallied,
    Tally,
)
from kiosk.matters import Matters
from kiosk.phrases import day_of
from sync import outbox
from sync.clock import Clock
from sync.database import Database, StorageFailed
from sync.limits import HELPER_DAY_MAX

_log = logging.getLogger(__name__)
_NO_STORE = "500"
TALLY_MS = 60_000

Deed = CheckHelper | ListDay | Tally | CountUnmet
Maker = Callable[[Database, Clock, bytes, Matters], "Deeds"]
"""Makes them of what the effects have."""


class Deeds:
    """Runs them.

    Args:
        directory: The kiosk's data folder.
        utc_offset_min: Of the place, for its days.
        database: The open store.
        clock: Kiosk's time.
        salt: `lookup.kiosk_salt`.
        matters: Finds cases by their numbers.
    """

    def __init__(
        self,
        directory: Path,
        utc_offset_min: int,
        database: Database,
        clock: Clock,
        salt: bytes,
        matters: Matters,
    ) -> None:
        self._roster, self._tries = Roster(directory), Tries(directory)
        self.unmet = Unmet(directory)
        self._database = database
        self._clock = clock
        self._utc_offset_min = utc_offset_min
        self._salt = salt
        self._matters = matters
        #: When it was counted last, monotonic ms, and what came out.
        self._tallied: tuple[int, Tallied] | None = None

    @property
    def today(self) -> dt.date:
        """Answer the place's day."""
        return day_of(self._clock.now_ms(), self._utc_offset_min)

    async def run(self, deed: Deed) -> tuple[Event, ...]:
        """Do one and answer what it brings."""
        try:
            match deed:
                case CheckHelper(number=number, pin=pin):
                    return (await self._checked(number, pin),)
                case ListDay(number=number):
                    return (await self._listed(number),)
                case Tally():
                    return (await self._counted(),)
                case CountUnmet():
                    await asyncio.to_thread(self.unmet.count, self.today)
                    return ()
        except (RosterDamaged, StorageFailed, sqlite3.Error, OSError) as error:
            _log.error("a helper's screen failed", extra={"reason": type(error).__name__})
            return (Failed(_NO_STORE),)

    async def _checked(self, number: str, pin: str) -> HelperKnown | HelperRefused:
        if wait_s := self._tries.wait_s(self._clock.now_ms()):
            return HelperRefused(wait_s)
        helper = await asyncio.to_thread(self._roster.check, number, pin)
        if helper is None:
            now_ms = self._clock.now_ms()
            await asyncio.to_thread(self._tries.failed, now_ms)
            return HelperRefused(self._tries.wait_s(now_ms))
        await asyncio.to_thread(self._tries.passed)
        return HelperKnown(helper)

    async def _counted(self) -> Tallied:
        """Count what the board shows; once a minute, for it reads every notice."""
        now_ms = self._clock.monotonic_ms()
        if self._tallied is None or now_ms - self._tallied[0] > TALLY_MS:
            self._tallied = (now_ms, Tallied(*await self._database.run(_tally)))
        return self._tallied[1]

    async def _listed(self, number: str) -> DayListed:
        mark = day_mark(number, self.today, self._salt)
        case_nos = await self._database.run(outbox.cases_of_person, mark)
        return DayListed(await self._matters.of_cases(case_nos, HELPER_DAY_MAX))


def _tally(db: Tables) -> tuple[int, int]:
    """Answer how many matters this kiosk has taken, and how many of them are decided."""
    (handed_in,) = db.conn.execute("SELECT count(*) FROM receipt").fetchone()
    decided = sum(
        any(notice.kind in ("completed", "refused") for notice in outbox.notices_of(db, case_no))
        for (case_no,) in db.conn.execute(
            "SELECT DISTINCT case_no FROM notice JOIN receipt USING (case_no)"
        )
    )
    return handed_in, decided
