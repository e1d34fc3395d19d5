"""One screen, one visit: runs its steps one after the other, ends it, leaves nothing behind."""

import asyncio
import sqlite3
from collections.abc import Callable

from msgspec.structs import replace

from kiosk import dialects, views
from kiosk.card import is_awaited
from kiosk.carry import Film
from kiosk.devices.card_reader import CardSeen
from kiosk.errors import AttachmentRefused, OtherScreen
from kiosk.events import Attached, CardCame, Event, Presented, PrinterMoved, StickMoved, Touch, Wipe
from kiosk.facts import fresh_token, world_now
from kiosk.flows import begin, step
from kiosk.foresight import likely_visits
from kiosk.forgetting import Forgetting
from kiosk.media import checked_media
from kiosk.parts import Parts
from kiosk.places import Asking, AtCarry, AtFault, AtHome, AtReceipt, Place, Waiting
from kiosk.playlist import Playlist
from kiosk.resume import OWED_MS_MAX
from kiosk.scanned import case_of, touch_of
from kiosk.screens import Screen
from kiosk.speech import InDialect, playlist, preload
from kiosk.views.echoing import Echo, Wish, echo
from kiosk.visit import Visit
from kiosk.world import StickView, World, service_of
from sync import outbox
from sync.catalogues import Loaded, load_current
from sync.database import StorageFailed
from sync.duty import duty_of
from sync.limits import IDLE_FACTOR
from sync.records import Receipt

WATCH_S = 1.0
#: Shown until the centre's services have reached this kiosk.
NOT_SET_UP = "503"
#: Shown while the centre lets this kiosk take nothing: what was handed in is still delivered.
OUT_OF_SERVICE = "410"


class Stage:
    """The present visit and everything that may happen to it.

    All steps go through one lock: a double tap is two steps, of which the second meets a
    newer screen and changes nothing.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lock = asyncio.Lock()
        self._fresh: Loaded | None = None
        self._loaded: Loaded | None = None
        self._deadline_ms: int | None = None
        self._is_out = False
        self._forgetting = Forgetting()
        self._stick: StickView | None = None
        #: How far the work on a stick is, 0 to 100; the page asks for it.
        self.stick_percent = 0
        #: Serves the stick that is in once more; None = this kiosk looks for none.
        self.serve_stick: Callable[[], None] | None = None
        self.visit = begin(fresh_token(self._parts))

    async def start(self) -> None:
        """Load the catalogue, and show a receipt that a power cut kept from somebody."""
        await self.heed()
        await self.renew()
        owed = self._parts.trail.owed()
        if owed is None or self._loaded is None:
            return
        receipt = await self._parts.database.run(outbox.receipt_of, owed.id)
        if receipt is not None and self._is_owed(receipt):
            self.visit = replace(
                self.visit, language=owed.language, place=AtReceipt(), receipt=receipt
            )
        else:
            self._parts.trail.clear()

    def _is_owed(self, receipt: Receipt) -> bool:
        assert self._loaded is not None  # noqa: S101 -- asked by `start` only
        age_ms = self._parts.clock.now_ms() - receipt.confirmed_ms
        service = self._loaded.catalogue.find(receipt.service)
        return age_ms < OWED_MS_MAX and service is not None and service.case_kind != "rating"

    async def renew(self) -> None:
        """Take the newest catalogue for the next visit; a running one keeps its own."""
        self._fresh = await self._parts.database.run(load_current)
        async with self._lock:
            if self.visit.draft is None and self.visit.receipt is None:
                self._adopt()

    def _adopt(self) -> None:
        """Begin with the newest catalogue; the visit has nothing of the old one."""
        self._loaded = self._fresh
        place: Place = AtHome()
        if self._is_out:
            place = AtFault(OUT_OF_SERVICE)
        elif self._loaded is None:
            place = AtFault(NOT_SET_UP)
        resting = (AtFault(NOT_SET_UP), AtFault(OUT_OF_SERVICE))
        if place != self.visit.place and (place in resting or self.visit.place in resting):
            self.visit = replace(self.visit, place=place, overlay="", rev=self.visit.rev + 1)

    async def heed(self) -> None:
        """Rest when the centre asks for it (`sync.duty`), never while somebody stands here."""
        try:
            duty = await self._parts.database.run(duty_of)
        except (StorageFailed, sqlite3.Error, OSError):
            # What cannot be read now is asked again within a second.
            return
        self._is_out = duty.is_out or self._parts.is_elsewhere
        async with self._lock:
            if self.is_free:
                self._adopt()

    @property
    def is_free(self) -> bool:
        """Whether nobody stands here, as far as the screen can tell."""
        visit = self.visit
        is_begun = visit.draft is not None or visit.receipt is not None or bool(visit.overlay)
        is_begun = is_begun or visit.helper is not None or bool(visit.known)
        return not is_begun and isinstance(visit.place, AtHome | AtFault)

    @property
    def loaded(self) -> Loaded | None:
        """The catalogue of the present visit."""
        return self._loaded

    async def touch(self, visit_id: str, rev: int, touch: Touch) -> None:
        """Follow a touch of the present screen; one of another screen changes nothing."""
        async with self._lock:
            if visit_id == self.visit.id and rev == self.visit.rev:
                await self._follow(touch)

    async def alive(self, visit_id: str) -> None:
        """Note that somebody is typing: touches that post nothing keep the visit too."""
        async with self._lock:
            if visit_id == self.visit.id and self._deadline_ms is not None:
                idle_ms = self._parts.settings.idle_s * 1000 * IDLE_FACTOR
                self._deadline_ms = self._parts.clock.monotonic_ms() + idle_ms

    async def attach(
        self, visit_id: str, question_id: str, index: int, content_type: str, content: bytes
    ) -> None:
        """Hold a photo, signature or recording for the question on the screen.

        Raises:
            OtherScreen: The screen shows something else by now.
            AttachmentRefused: The question does not take it.
            AttachmentTooLarge: It exceeds its bound.
        """
        async with self._lock:
            place, draft = self.visit.place, self.visit.draft
            is_here = isinstance(place, Asking) and place.question == question_id
            if visit_id != self.visit.id or draft is None or not is_here:
                raise OtherScreen("the screen shows something else by now")
            question = service_of(draft, await self._world()).question(question_id)
            media_type = checked_media(question.type, content_type, content)
            if question.type != "photo" and index != 0:
                raise AttachmentRefused("this question takes one attachment")
            count = self._parts.drafts.put(question_id, index, media_type, content)
            await self._follow(Attached(question_id, count))

    async def echo(
        self, visit_id: str, question_id: str, value: str, wish: Wish
    ) -> tuple[Echo, Playlist]:
        """Answer what an answer says that is still on the page, and how it sounds.

        Raises:
            OtherScreen: The screen shows something else by now.
        """
        async with self._lock:
            visit, draft = self.visit, self.visit.draft
            is_here = isinstance(visit.place, Asking) and visit.place.question == question_id
            if visit_id != visit.id or draft is None or not is_here:
                raise OtherScreen("the screen shows something else by now")
            world, parts = await self._world(), self._parts
            frame = views.Frame(visit, world, parts.wordings[visit.language])
            asked = service_of(draft, world).question(question_id)
            told = echo(frame, draft, asked, value, wish)
            heard = Screen(kind="question", language=visit.language, title="", say=told.say)
            library = InDialect(parts.library, visit.comfort.dialect)
            return told, playlist(heard, library, parts.live)[0]

    async def film(self, visit_id: str, first: int, count: int) -> Film:
        """Answer codes of what a phone may take along, while the screen shows them.

        Raises:
            OtherScreen: The screen shows something else by now.
        """
        if visit_id != self.visit.id or self.visit.place != AtCarry(is_showing=True):
            raise OtherScreen("the screen shows something else by now")
        return await self._parts.carry.film(visit_id, first, count)

    async def note_stick(self, seen: StickView | None) -> None:
        """Show what happens to a stick: at once where nobody stands, else after the visit."""
        async with self._lock:
            self._stick = seen
            await self._follow(StickMoved(is_there=seen is not None))

    def awaits_card(self) -> bool:
        """Answer whether the present screen asks for what an ID card tells."""
        return self._loaded is not None and is_awaited(self.visit, self._loaded.catalogue)

    async def note_card(self, seen: CardSeen) -> None:
        """Take a card as the answer of the question that waits for one."""
        read = CardCame() if seen.card is None else CardCame(seen.card.id_number, seen.card.name)
        async with self._lock:
            await self._follow(read)

    async def note_scan(self, text: str) -> None:
        """Follow a code that somebody held before the scanner; a strange one changes nothing."""
        identity = self._parts.identity
        async with self._lock:
            world = await self._world()
            case_no = case_of(text, self._parts.kiosk_id, identity.kiosk_no)
            touch = touch_of(self.visit, text, case_no, world)
            if touch is not None:
                await self._follow(touch)
            elif case_no:
                await self._follow(Presented(case_no))

    async def note_printer(self) -> None:
        """Show what is new of the printer to whoever waits for a slip."""
        async with self._lock:
            await self._follow(PrinterMoved())

    async def screen(self) -> tuple[Screen, Playlist, Visit]:
        """Answer what the resident sees and hears now, and whose screen it is."""
        async with self._lock:
            shown, spoken, said_ms = await self._shown()
            self._note_deadline(shown, said_ms)
            return shown, spoken, self.visit

    async def _shown(self) -> tuple[Screen, Playlist, int]:
        world, parts = await self._world(), self._parts
        shown = views.screen(self.visit, world, parts.wordings)
        names = dialects.names_of(world, parts.wordings)
        library = InDialect(parts.library, self.visit.comfort.dialect, names)
        spoken, said_ms = playlist(shown, library, parts.live)
        # Without an address there is no code to be drawn in vain.
        plain = replace(world, courier_url="")
        ahead = (
            views.screen(visit, plain, parts.wordings)
            for visit in likely_visits(self.visit, shown, plain)
        )
        return shown, replace(spoken, preload=preload(ahead, library)), said_ms

    def _note_deadline(self, shown: Screen, said_ms: int) -> None:
        if not shown.timeout_s:
            self._deadline_ms = None
            return
        idle_ms = shown.timeout_s * 1000 * IDLE_FACTOR
        self._deadline_ms = self._parts.clock.monotonic_ms() + idle_ms + said_ms

    async def fault(self, code: str) -> None:
        """Go to the fault screen: something of ours broke; nothing was promised."""
        async with self._lock:
            self.visit = replace(
                self.visit, place=AtFault(code), overlay="", rev=self.visit.rev + 1
            )

    async def watch(self) -> None:
        """End visits whose page no longer keeps the time, until cancelled."""
        while True:
            await self._parts.clock.sleep(WATCH_S)
            await self.heed()
            await self.expire()
            self._forgetting.seen(self.visit.id)

    async def expire(self) -> None:
        """Follow a time-out when the present screen's time is long over."""
        async with self._lock:
            deadline_ms = self._deadline_ms
            if deadline_ms is None or self._parts.clock.monotonic_ms() < deadline_ms:
                return
            await self._follow(Touch("timeout"))
            shown = views.screen(self.visit, await self._world(), self._parts.wordings)
            self._note_deadline(shown, 0)

    async def _follow(self, event: Event) -> None:
        """Step, run what is asked, and follow what that brings."""
        waiting: list[Event] = [event]
        while waiting:
            before = self.visit
            world = await self._world()
            self.visit, effects = step(before, waiting.pop(0), world)
            if before.id != self.visit.id:
                self._adopt()
                if self._stick is not None:
                    waiting.append(StickMoved(is_there=True))
            was_owed = isinstance(before.place, AtReceipt | Waiting)
            if was_owed and not isinstance(self.visit.place, AtReceipt | Waiting):
                self._parts.trail.clear()
            if any(isinstance(effect, Wipe) for effect in effects):
                await self._parts.hand.rest()
            if effects and self._loaded is not None:
                waiting.extend(await self._parts.effects.run(effects, self._loaded))

    async def _world(self) -> World:
        return await world_now(self._parts, self._loaded, self.visit, self._stick)
