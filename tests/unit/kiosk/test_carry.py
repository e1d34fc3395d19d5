"""Carrying for the village: who is offered it, what the codes hold, what is remembered."""

import base64
import json
import re
from pathlib import Path

import pytest
import zxingcpp
from aiohttp import ClientResponse
from PIL import Image

from kiosk import views
from kiosk.carry import FILE_NAME, Picture
from kiosk.events import Carried
from kiosk.places import AtCarry, AtHome, AtThanks
from kiosk.screens import Screen
from sync import outbox
from sync.database import Database
from sync.fountain import Collector, read_frame, unpack
from sync.limits import CARRY_FRAMES_PER_FETCH
from sync.wire import decode_courier
from tests.unit.kiosk.parts import Visitor, wordings
from tests.unit.kiosk.stations import station
from tests.unit.kiosk.test_handlers import Page, fill, hand_in, page
from voice_prompts.wording import LANGUAGES

ADDRESS = "https://centre.example/carry"


def cut_off(**changes: object) -> Visitor:
    """Somebody before a kiosk with five envelopes and no way to the centre."""
    facts = {"pending": 5, "is_reachable": False, "carry_url": ADDRESS, **changes}
    return Visitor(**facts)  # type: ignore[arg-type]


def shown(visitor: Visitor) -> Screen:
    return views.screen(visitor.visit, visitor.world, wordings())


def offers(visitor: Visitor) -> bool:
    return "carry" in [tile.action for tile in shown(visitor.do("help")).tiles]


# --- who is offered it ---


def test_help_offers_carrying_where_something_waits_and_the_link_is_down() -> None:
    assert offers(cut_off())


@pytest.mark.parametrize(
    "changes", [{"pending": 0}, {"is_reachable": True}, {"carry_url": ""}], ids=str
)
def test_help_offers_nothing_to_carry_otherwise(changes: dict[str, object]) -> None:
    visitor = cut_off(**changes)

    assert not offers(visitor)
    assert visitor.do("carry").visit.place == AtHome()


def test_help_in_the_middle_of_a_form_does_not_lead_away_from_it() -> None:
    visitor = cut_off().do("service", "suggestion")
    before = visitor.visit.place

    assert not offers(visitor)
    assert visitor.do("carry").visit.place == before


# --- the way through ---


def test_helper_walks_from_help_over_the_page_and_the_codes_to_the_end() -> None:
    visitor = cut_off()

    for action in ("help", "carry", "continue", "continue"):
        visitor.do(action)

    places = [visit.place for visit in visitor.seen[-3:]]
    assert places == [AtCarry(), AtCarry(is_showing=True), AtThanks("carried")]
    assert visitor.effects == (Carried(visitor.visit.id),)


def test_back_leads_from_the_codes_to_the_page_and_home() -> None:
    visitor = cut_off().do("help").do("carry").do("continue")

    assert visitor.do("back").visit.place == AtCarry()
    assert visitor.do("back").visit.place == AtHome()


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_shows_its_address_how_many_wait_and_how_many_are_under_way(language: str) -> None:
    visitor = cut_off(carried=2).do("language", language).do("help").do("carry")

    screen = shown(visitor)

    assert screen.carry is not None
    assert screen.carry.address == ADDRESS
    assert screen.carry.qr_svg.startswith("<svg")
    assert "5" in screen.lines[0]
    assert "2" in screen.lines[1]
    assert len(screen.lines) == 3


def test_without_anything_under_way_nothing_is_said_of_it() -> None:
    assert len(shown(cut_off().do("help").do("carry")).lines) == 2


# --- the codes ---


def digits_of(picture: Picture) -> str:
    """What a reader of another make reads in the picture."""
    raw, side = base64.b64decode(picture.bits), picture.side
    drawn = Image.new("L", (side + 8, side + 8), 255)
    for place in range(side * side):
        if raw[place >> 3] >> (7 - (place & 7)) & 1:
            drawn.putpixel((4 + place % side, 4 + place // side), 0)
    large = drawn.resize((4 * (side + 8),) * 2, Image.Resampling.NEAREST)
    # Among four hundred such codes one holds what looks like a bar code as well.
    (code,) = zxingcpp.read_barcodes(large)
    return str(code.text)


async def confirmed(browser: Page, count: int) -> None:
    """Hand in some suggestions."""
    for _ in range(count):
        await browser.act("home")
        await fill(browser, "suggestion")
        await hand_in(browser)
    await browser.act("home")


async def film(browser: Page, first: int = 0, count: int = 4) -> ClientResponse:
    visit = browser.kiosk.stage.visit.id
    return await browser.client.get(f"/carry/film?visit={visit}&from={first}&count={count}")


async def at_codes(browser: Page) -> None:
    for action in ("home", "help", "carry", "continue"):
        await browser.act(action)
    assert browser.kiosk.stage.visit.place == AtCarry(is_showing=True)


async def pending(database: Database) -> int:
    return (await database.run(outbox.waiting)).count


async def test_codes_hold_what_waits_and_nothing_is_settled_by_showing_them(
    tmp_path: Path,
) -> None:
    async with page(tmp_path) as browser:
        await confirmed(browser, 3)
        await at_codes(browser)

        told = await (await film(browser, count=CARRY_FRAMES_PER_FETCH)).json()
        frames = [read_frame(digits_of(Picture(**one))) for one in told["pictures"][:3]]
        collector = Collector(frames[0])
        (raw,) = [found for frame in frames if (found := collector.add(frame)) is not None][:1]

        assert (told["parts"], told["envelopes"]) == (1, 3)
        assert len(told["pictures"]) == CARRY_FRAMES_PER_FETCH
        assert [decode_courier(one)[0].header.seq for one in unpack(raw)] == [1, 2, 3]
        assert await pending(browser.kiosk.parts.database) == 3


async def test_run_stays_the_same_while_new_envelopes_come_and_old_ones_go(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        await confirmed(browser, 2)
        await at_codes(browser)
        before = await (await film(browser)).json()
        await browser.kiosk.exchange()

        assert await (await film(browser)).json() == before
        assert await pending(browser.kiosk.parts.database) == 0


async def test_codes_are_drawn_only_for_the_screen_that_shows_them(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        await confirmed(browser, 1)
        assert (await film(browser)).status == 409

        await at_codes(browser)
        visit = browser.kiosk.stage.visit.id
        assert (await film(browser)).status == 200
        for query in ("visit=other&from=0&count=4", f"visit={visit}&from=x&count=1", "", "from=0"):
            answer = await browser.client.get(f"/carry/film?{query}")
            assert answer.status in (400, 409), query
        far = await film(browser, first=999_999, count=999_999)
        assert len((await far.json())["pictures"]) == CARRY_FRAMES_PER_FETCH


async def test_nothing_left_to_carry_is_told(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        await confirmed(browser, 1)
        for action in ("home", "help", "carry"):
            await browser.act(action)
        await browser.kiosk.exchange()
        await browser.act("continue")

        assert await (await film(browser)).json() == {"parts": 0, "envelopes": 0, "pictures": []}


async def test_kiosk_s_page_holds_no_envelope_in_the_clear_address(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        await confirmed(browser, 1)
        await at_codes(browser)
        html = await (await browser.client.get("/")).text()

        assert 'data-entry="carry"' in html
        assert not re.search(r"[0-9]{60}", html)


# --- what is remembered ---


async def test_what_a_phone_took_is_shown_last_and_counted_until_the_centre_answers(
    tmp_path: Path,
) -> None:
    async with page(tmp_path) as browser:
        await confirmed(browser, 2)
        await at_codes(browser)
        await film(browser)
        await browser.act("continue")
        assert browser.kiosk.stage.visit.place == AtThanks("carried")
    assert json.loads((tmp_path / FILE_NAME).read_bytes()) == {"seen": 2}

    # After a power cut it is still known. The chance of a station repeats: of the three, two are
    # the same transactions again.
    async with page(tmp_path) as browser:
        await confirmed(browser, 3)
        for action in ("home", "help", "carry"):
            await browser.act(action)
        html = await (await browser.client.get("/")).text()
        assert "其中2件手机捎走了" in html
        await browser.act("continue")
        told = await (await film(browser, count=CARRY_FRAMES_PER_FETCH)).json()
        frames = [read_frame(digits_of(Picture(**one))) for one in told["pictures"][:3]]
        collector = Collector(frames[0])
        (raw,) = [found for frame in frames if (found := collector.add(frame)) is not None][:1]
        assert [decode_courier(one)[0].header.seq for one in unpack(raw)] == [3, 1, 2]

        await browser.kiosk.exchange()
        assert await browser.kiosk.parts.database.run(browser.kiosk.parts.carry.count) == 0


async def test_leaving_without_the_green_button_remembers_nothing(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        await confirmed(browser, 1)
        await at_codes(browser)
        await film(browser)
        await browser.act("home")

        assert not (tmp_path / FILE_NAME).exists()


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"seen": "x"}', b"\xff\xff"])
async def test_damaged_memory_only_costs_a_longer_film(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(raw)

    async with station(tmp_path) as kiosk:
        assert await kiosk.parts.database.run(kiosk.parts.carry.count) == 0
