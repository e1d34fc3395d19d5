"""A stick at the kiosk: what it does to the screen, and what is said of every kind of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Literal

import pytest
from msgspec.structs import replace

from kiosk import views
from kiosk.events import StickMoved
from kiosk.places import AtFault, AtHome, InCategory
from kiosk.screens import Screen
from kiosk.stick import StickWatch, is_stick
from kiosk.world import StickView
from sync import signing
from sync.bundles import encode_marker
from sync.limits import STICK_PULLED_S
from sync.sticks import FOLDER_NAME, StickFailed, StickFolder
from tests.unit.kiosk.parts import Visitor, wordings
from tests.unit.kiosk.stations import Station, station
from tests.unit.kiosk.test_views import assert_complete
from tests.unit.sync.sticksworld import Stick, deliver, inline
from tests.unit.sync.worlds import START_MS, SmallCentre, submitted
from voice_prompts.wording import LANGUAGES

WORKING = StickView()
FAILURES = ("full", "locked", "gone", "worn", "strange", "foreign", "fault")


def shown(visitor: Visitor, stick: StickView | None) -> Screen:
    return views.screen(visitor.visit, replace(visitor.world, stick=stick), wordings())


# --- the screen ---


def test_stick_covers_a_home_that_nobody_uses_and_uncovers_it_when_pulled() -> None:
    visitor = Visitor().give(StickMoved(is_there=True))
    covered = visitor.visit.overlay
    visitor.give(StickMoved(is_there=False))

    assert (covered, visitor.visit.overlay) == ("stick", "")


def test_stick_shows_on_a_screen_that_rests_for_another_reason() -> None:
    visitor = Visitor()
    visitor.visit = replace(visitor.visit, place=AtFault("410"))

    assert visitor.give(StickMoved(is_there=True)).visit.overlay == "stick"


@pytest.mark.parametrize("service", ["senior_allowance", "suggestion"])
def test_stick_never_interrupts_a_visit(service: str) -> None:
    visitor = Visitor().do("service", service)
    before = visitor.visit

    assert visitor.give(StickMoved(is_there=True)).visit == before


def test_stick_leaves_whoever_looks_around_alone() -> None:
    looking = Visitor().do("open", "money")
    asking = Visitor().do("help")

    assert isinstance(looking.give(StickMoved(is_there=True)).visit.place, InCategory)
    assert looking.visit.overlay == ""
    assert asking.give(StickMoved(is_there=True)).visit.overlay == "help"


@pytest.mark.parametrize("action", ["stick_close", "home", "back", "timeout"])
def test_whoever_wants_the_kiosk_gets_it(action: str) -> None:
    visitor = Visitor().give(StickMoved(is_there=True)).do(action)

    assert (visitor.visit.overlay, visitor.visit.place) == ("", AtHome())


def test_news_of_a_stick_are_a_new_screen() -> None:
    visitor = Visitor().give(StickMoved(is_there=True))
    before = visitor.visit.rev

    assert visitor.give(StickMoved(is_there=True)).visit.rev == before + 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "stick",
    [
        WORKING,
        *(StickView("failed", why) for why in (*FAILURES, "not known")),
        StickView("done"),
        StickView("done", "", 1, 0, True),
        StickView("done", "", 12, 5, True),
        StickView("done", "", 0, 1, False),
    ],
)
def test_every_word_of_a_stick_is_shown_and_said(stick: StickView, language: str) -> None:
    visitor = Visitor(language, stick=stick).give(StickMoved(is_there=True))

    assert_complete(visitor.visit, visitor.world)
    assert shown(visitor, stick).kind == "stick"


def test_pulling_is_asked_for_only_once_it_is_safe() -> None:
    visitor = Visitor().give(StickMoved(is_there=True))
    phases: tuple[Literal["working", "done", "failed"], ...] = ("working", "done", "failed")
    titles = {phase: shown(visitor, StickView(phase)).title for phase in phases}

    assert titles == {
        "working": "请先不要拔U盘",
        "done": "可以拔U盘了",
        "failed": "没有存成，可以拔U盘",
    }
    assert shown(visitor, WORKING).timeout_s == 0
    assert shown(visitor, StickView("done")).timeout_s > 0


def test_every_failure_has_words_of_its_own() -> None:
    visitor = Visitor().give(StickMoved(is_there=True))

    first = [shown(visitor, StickView("failed", why)).lines[0] for why in FAILURES]

    assert len(set(first)) == len(FAILURES)


def test_status_line_tells_a_running_visit_that_a_stick_is_written() -> None:
    visitor = Visitor().do("service", "senior_allowance")

    assert "U盘" in shown(visitor, WORKING).status.text
    assert "U盘" not in shown(visitor, StickView("done")).status.text


# --- the kiosk ---


class Plugged:
    """A kiosk that looks for sticks."""

    def __init__(self, kiosk: Station, root: Path) -> None:
        self.kiosk = kiosk
        self.stick = Stick(root)
        self.percents: list[int] = []
        self.seen: list[StickView | None] = []
        for carrier in kiosk.parts.carriers:
            carrier._aside = inline
        self.watch = StickWatch(
            root, kiosk.parts.carriers, self.show, self.percents.append, kiosk.clock, aside=inline
        )

    async def show(self, seen: StickView | None) -> None:
        self.seen.append(seen)
        await self.kiosk.stage.note_stick(seen)

    def mark(self, centre: SmallCentre) -> None:
        signer = partial(signing.sign, centre.signing_private, "stick")
        raw = encode_marker(centre.certificate, START_MS, signer)
        with StickFolder.opened(self.stick.root, is_made=True) as folder:
            folder.mark(raw)

    def pull(self) -> None:
        self.stick.folder.rename(self.stick.root / "away")

    def put_in(self) -> None:
        (self.stick.root / "away").rename(self.stick.folder)

    async def kind(self) -> str:
        return (await self.kiosk.stage.screen())[0].kind


@asynccontextmanager
async def plugged(tmp_path: Path) -> AsyncIterator[Plugged]:
    async with station(tmp_path / "k") as kiosk:
        for number in (1, 2, 3):
            submitted(kiosk.parts.database, kiosk.keys, kiosk.centre.sealing, number)
        yield Plugged(kiosk, tmp_path / "stick")


async def test_marked_stick_is_served_by_itself_there_and_back(tmp_path: Path) -> None:
    async with plugged(tmp_path) as it:
        it.mark(it.kiosk.centre)
        await it.watch.look()
        on_screen = await it.kind()
        it.pull()
        await it.watch.look()
        at_home = await it.kind()
        it.put_in()
        deliver(it.kiosk.centre, it.stick)
        await it.watch.look()

        assert (on_screen, at_home) == ("stick", "home")
        assert it.seen == [
            WORKING,
            StickView("done", "", 3, 0, False),
            None,
            WORKING,
            StickView("done", "", 0, 0, True),
        ]
        assert it.kiosk.centre.transaction_count() == 3
        assert (min(it.percents), it.percents[-1]) == (0, 100)
        assert [name.rpartition(".")[2] for name in it.stick.names()] == ["BMS", "bmb"]


async def test_stick_that_stays_in_is_served_once(tmp_path: Path) -> None:
    async with plugged(tmp_path) as it:
        it.mark(it.kiosk.centre)
        for _ in range(3):
            await it.watch.look()

        assert [seen.phase for seen in it.seen if seen] == ["working", "done"]


@pytest.mark.parametrize("whose", ["nobody", "another centre"])
async def test_stick_without_our_mark_gets_nothing(tmp_path: Path, whose: str) -> None:
    async with plugged(tmp_path) as it:
        if whose != "nobody":
            it.mark(SmallCentre(seed=5))
        before = it.stick.names()
        await it.watch.look()

        assert it.seen == [StickView("failed", "foreign")]
        assert it.stick.names() == before


async def test_visit_goes_on_while_a_stick_is_served_and_is_told_after_it(tmp_path: Path) -> None:
    async with plugged(tmp_path) as it:
        it.mark(it.kiosk.centre)
        await it.kiosk.touch("service", "suggestion")
        await it.watch.look()
        during = await it.kind()
        await it.kiosk.touch("home")
        after = await it.kind()
        await it.kiosk.touch("stick_close")

        assert (during, after, await it.kind()) == ("question", "stick", "home")


async def test_stick_pulled_too_early_loses_nothing_and_is_said_so_for_a_while(
    tmp_path: Path,
) -> None:
    async with plugged(tmp_path) as it:
        it.mark(it.kiosk.centre)

        async def pulled(*_: object) -> None:
            it.pull()
            raise StickFailed("gone")

        it.kiosk.parts.carriers[0].lay = pulled  # type: ignore[method-assign,assignment]
        await it.watch.look()
        await it.watch.look()
        told = await it.kind(), it.kiosk.stage._stick
        it.kiosk.clock.pass_ms(int(STICK_PULLED_S * 1000) + 1)
        await it.watch.look()

        assert told == ("stick", StickView("failed", "gone"))
        assert await it.kind() == "home"
        waiting = it.kiosk.parts.database.conn.execute("SELECT count(*) FROM outbox").fetchone()
        assert waiting[0] == 3


async def test_fault_of_ours_ends_one_stick_and_not_the_watch(tmp_path: Path) -> None:
    async with plugged(tmp_path) as it:
        it.mark(it.kiosk.centre)

        async def broken(*_: object) -> None:
            raise ZeroDivisionError

        it.kiosk.parts.carriers[0].bring = broken  # type: ignore[method-assign,assignment]
        await it.watch.look()
        del it.kiosk.parts.carriers[0].bring
        it.pull()
        await it.watch.look()
        it.put_in()
        await it.watch.look()

        assert [seen.phase if seen else "" for seen in it.seen] == [
            "working", "failed", "", "working", "done",
        ]  # fmt: skip


async def test_watch_looks_until_it_is_cancelled(tmp_path: Path) -> None:
    async with plugged(tmp_path) as it:
        it.mark(it.kiosk.centre)
        task = asyncio.ensure_future(it.watch.run())
        while len(it.seen) < 2:
            await asyncio.sleep(0)
        task.cancel()

        assert (await asyncio.gather(task, return_exceptions=True))[0].__class__ is (
            asyncio.CancelledError
        )


def test_empty_folder_and_no_folder_are_no_stick(tmp_path: Path) -> None:
    assert not is_stick(tmp_path)
    assert not is_stick(tmp_path / "nothing")
    (tmp_path / FOLDER_NAME).mkdir()
    assert is_stick(tmp_path)


async def test_page_asks_whether_its_screen_is_still_the_present_one(tmp_path: Path) -> None:
    from aiohttp.test_utils import TestClient, TestServer

    from kiosk.main import build_app

    async with plugged(tmp_path) as it:
        app = build_app(it.kiosk.stage, it.kiosk.parts)
        async with TestClient(TestServer(app)) as client:
            visit = it.kiosk.stage.visit
            query = {"visit": visit.id, "rev": str(visit.rev)}
            before = await (await client.get("/pulse", params=query)).json()
            it.kiosk.stage.stick_percent = 40
            await it.kiosk.stage.note_stick(WORKING)
            after = await (await client.get("/pulse", params=query)).json()

    assert before == {"is_current": True, "percent": 0, "is_dark": False}
    assert after == {"is_current": False, "percent": 40, "is_dark": False}
