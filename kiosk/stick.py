"""Sticks at a kiosk: seen by itself once one of the centre's is in, worked on, told on the screen.

Whatever lies on a stick may come from anybody, and it may be pulled out at any moment: neither
may stop the kiosk, and neither loses anything.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

from kiosk.formers import Carried
from kiosk.world import StickView
from sync.bundles import MarkerRefused, verify_marker
from sync.carrying import Carrier, Progress
from sync.clock import Clock, Entropy
from sync.database import Database, StorageFailed
from sync.device import KioskIdentity
from sync.limits import STICK_LOOK_S, STICK_PULLED_S
from sync.packing import Packing
from sync.records import Health
from sync.shipment import Aside
from sync.signing import DeviceKeys
from sync.sticks import FOLDER_NAME, StickFailed, StickFolder

_log = logging.getLogger(__name__)
#: Where each part of the work begins and ends on the bar, in percent.
_SPANS = {"reading": (0, 20), "writing": (20, 90), "checking": (90, 100)}


def carriers_of(
    present: tuple[Database, DeviceKeys, KioskIdentity],
    formers: Sequence[Carried],
    clock: Clock,
    entropy: Entropy,
    report: Callable[[], Health],
    on_catalogue: Callable[[int], None],
) -> tuple[Carrier, ...]:
    """Answer who works on sticks: the present identity, and each that still has to deliver."""
    boot_id = entropy.token_bytes(4)

    def carrier(
        database: Database, keys: DeviceKeys, identity: KioskIdentity, *, is_present: bool
    ) -> Carrier:
        packing = Packing(keys, identity, clock, boot_id, report)
        # A former identity shows no services any more.
        return Carrier(
            database,
            keys,
            identity,
            packing,
            on_catalogue=on_catalogue if is_present else None,
            takes_catalogues=is_present,
        )

    own = carrier(*present, is_present=True)
    others = (
        carrier(one.database, one.former.keys, one.former.identity, is_present=False)
        for one in formers
    )
    return (own, *others)


class StickWatch:
    """Looks whether a stick is in, and does what is to be done with it, once for each time.

    Args:
        root: Where sticks are mounted.
        carriers: Work on it, one identity after the other.
        show: Tells the screen; None = no stick is in.
        progress: Told how far the work is, 0 to 100.
        clock: Waiting.
        aside: Runs what waits for the stick; a thread by default.
    """

    def __init__(
        self,
        root: Path,
        carriers: Sequence[Carrier],
        show: Callable[[StickView | None], Awaitable[None]],
        progress: Callable[[int], None],
        clock: Clock,
        *,
        aside: Aside = asyncio.to_thread,
    ) -> None:
        self._root = root
        self._carriers = carriers
        self._show = show
        self._progress = progress
        self._clock = clock
        self._aside = aside
        self._is_seen = False
        #: Until when "pulled out too early" stays although nothing is in any more; 0 = no such.
        self._shown_until_ms = 0

    async def run(self) -> None:
        """Look for sticks until cancelled."""
        while True:
            await self.look()
            await self._clock.sleep(STICK_LOOK_S)

    def again(self) -> None:
        """Work on the stick that is in once more, with the next look."""
        self._is_seen = False

    async def look(self) -> None:
        """Look once; work on a stick that was not there before."""
        is_there = await self._aside(is_stick, self._root)
        if is_there and not self._is_seen:
            self._is_seen, self._shown_until_ms = True, 0
            await self._work()
        elif not is_there and self._is_seen:
            self._is_seen = False
            if not self._shown_until_ms:
                await self._show(None)
        elif 0 < self._shown_until_ms < self._clock.monotonic_ms():
            self._shown_until_ms = 0
            await self._show(None)

    async def _work(self) -> None:
        try:
            told = await self._worked()
        except MarkerRefused:
            told = StickView(phase="failed", why="foreign")
        except StickFailed as error:
            told = StickView("failed", "foreign" if error.why == "bare" else error.why)
            if error.why == "gone":
                now_ms = self._clock.monotonic_ms()
                self._shown_until_ms = now_ms + int(STICK_PULLED_S * 1000)
        except StorageFailed as error:
            _log.error("a stick was not served", extra={"reason": error.code})
            told = StickView(phase="failed", why="fault")
        except Exception as error:
            # A stranger's stick must not end the loop: the next stick is to be served too.
            _log.error("a stick was not served", extra={"reason": type(error).__name__})
            told = StickView(phase="failed", why="fault")
        self._progress(100)
        await self._show(told)

    async def _worked(self) -> StickView:
        folder: StickFolder = await self._aside(StickFolder.at, self._root)
        try:
            verify_marker(await self._aside(folder.marker), self._carriers[0].roots)
            self._progress(0)
            await self._show(StickView())
            envelopes = attachments = 0
            has_brought = False
            for carrier in self._carriers:
                brought = await carrier.bring(folder, self._tell)
                laid = await carrier.lay(folder, self._tell)
                envelopes += laid.envelopes
                attachments += laid.attachments
                has_brought = has_brought or bool(brought.replies or brought.catalogue)
        finally:
            with suppress(OSError):
                await self._aside(folder.close)
        return StickView("done", "", envelopes, attachments, has_brought)

    def _tell(self, progress: Progress) -> None:
        begin, end = _SPANS[progress.part]
        self._progress(begin + (end - begin) * progress.percent // 100)


def is_stick(root: Path) -> bool:
    """Answer whether a stick is mounted there; a plain folder counts once it has our folder."""
    try:
        return root.is_mount() or (root / FOLDER_NAME).is_dir()
    except OSError:
        return False
