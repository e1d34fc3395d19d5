"""Names by finger and by rare characters, and what the page says of an answer: in Chromium."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page

from bianmin.browser import KIOSK_FLAGS
from kiosk.entry import zinnia
from kiosk.entry.ink import FIELD
from kiosk.main import build_app
from kiosk.media import checked_media
from kiosk.places import Asking
from sync.handwriting import HAND_MARK
from tests.browser.geometry import GEOMETRY
from tests.browser.sample_entry import LINE, entries
from tests.browser.sample_parts import LANGUAGES, question
from tests.browser.stage import (
    LANDSCAPE,
    PORTRAIT,
    Stage,
    appear,
    open_stage,
    running_browser,
    until,
)
from tests.browser.test_screens import ACCESSIBILITY, AXE
from tests.unit.kiosk.parts import FITTING, answer_to, catalogue
from tests.unit.kiosk.stations import station

DEAF_S = 0.32  # the page hears nothing for 0.3 s after a screen
#: 王: three bars and a stem, in parts of the square.
BARS = (
    ((0.2, 0.25), (0.8, 0.25)),
    ((0.25, 0.5), (0.75, 0.5)),
    ((0.5, 0.25), (0.5, 0.85)),
    ((0.15, 0.85), (0.85, 0.85)),
)


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser(*KIOSK_FLAGS) as browser:
        yield browser


@pytest.fixture
async def page(browser: Browser, stage: Stage) -> AsyncIterator[Page]:
    page = await open_stage(browser, stage)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    stage.is_broken = False
    yield page
    await page.context.close()
    stage.is_broken = False
    stage.told = {"lines": [], "is_wrong": False, "say": []}
    assert faults == []


async def ask(page: Page, stage: Stage, kind: str, **more: object) -> None:
    stage.put(question("zh-CN", kind, "问题", "Question", LINE, **more))  # type: ignore[arg-type]
    await appear(page, stage)
    await asyncio.sleep(DEAF_S)


async def ask_by_finger(page: Page, stage: Stage, **more: object) -> None:
    await ask(page, stage, "name", chars_max=50, has_handwriting=True, **more)
    await touch(page, "#way-hand")


async def touch(page: Page, selector: str) -> None:
    await page.tap(selector)
    await asyncio.sleep(DEAF_S)


async def draw(page: Page, *strokes: tuple[tuple[float, float], tuple[float, float]]) -> None:
    box = await page.locator("#square").bounding_box()
    assert box is not None
    for (x, y), (u, v) in strokes:
        await page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        await page.mouse.down()
        for part in range(1, 9):
            at_x, at_y = x + (u - x) * part / 8, y + (v - y) * part / 8
            await page.mouse.move(box["x"] + at_x * box["width"], box["y"] + at_y * box["height"])
        await page.mouse.up()


async def written(page: Page) -> str:
    return (await page.inner_text("#written")).strip()


CANDIDATES = "document.querySelectorAll('#found .key').length === 12"


async def test_character_by_finger_is_picked_among_twelve(page: Page, stage: Stage) -> None:
    await ask_by_finger(page, stage, value="李")

    await draw(page, *BARS)
    await until(page, CANDIDATES)
    await touch(page, '#found [data-key="玉"]')
    assert await page.locator("#found .key").count() == 0
    await page.tap("#next")

    assert await stage.posted() == ("answer", "李玉", "q_name")
    strokes = stage.inks[-1].strokes
    assert len(strokes) == 4
    assert all(0 <= number <= FIELD for stroke in strokes for point in stroke for number in point)


@pytest.mark.deep
async def test_stroke_is_taken_back_and_the_rest_read_again(page: Page, stage: Stage) -> None:
    await ask_by_finger(page, stage)
    assert await page.is_disabled('[data-do="missing"]')

    await draw(page, *BARS)
    await until(page, CANDIDATES)
    asked = len(stage.inks)
    await touch(page, '[data-do="undo"]')
    await asyncio.wait_for(_asked_again(stage, asked), 5)
    assert len(stage.inks[-1].strokes) == 3

    await touch(page, '[data-do="wipe"]')
    assert await page.is_disabled('[data-do="undo"]')
    assert await page.locator("#found .key").count() == 0


async def _asked_again(stage: Stage, before: int) -> None:
    while len(stage.inks) == before:
        await asyncio.sleep(0.02)


async def test_what_nothing_reads_is_kept_as_it_was_drawn(page: Page, stage: Stage) -> None:
    await ask_by_finger(page, stage, value="王")

    await draw(page, *BARS)
    await touch(page, '[data-do="missing"]')
    assert await page.locator("#written canvas").count() == 1
    await touch(page, "#way-keys")
    await page.keyboard.type("lan1", delay=5)
    await page.tap("#next")

    action, value, asked = await stage.posted()
    assert (action, asked) == ("answer", "q_name")
    assert value.startswith(f"王{HAND_MARK}")
    assert len(value) == len(f"王{HAND_MARK}兰")
    [(name, index, kind, drawing)] = stage.attachments
    assert (name, index, kind) == ("q_name", 0, "image/svg+xml")
    assert drawing.count(b"M") == 4
    assert len(drawing) < 2000
    # The kiosk itself would take it.
    assert checked_media("name", kind, drawing) == "image/svg+xml"


@pytest.mark.deep
async def test_deleting_a_drawn_character_deletes_its_drawing(page: Page, stage: Stage) -> None:
    await ask_by_finger(page, stage)

    await draw(page, *BARS)
    await touch(page, '[data-do="missing"]')
    await draw(page, BARS[0])
    await touch(page, '[data-do="missing"]')
    await touch(page, ".aside")
    assert await page.locator("#written canvas").count() == 1
    await touch(page, ".aside")
    assert await written(page) == ""
    await touch(page, "#next")

    assert await stage.posted() == ("answer", "", "q_name")
    assert stage.attachments == []


@pytest.mark.deep
async def test_name_that_is_kept_already_is_not_drawn_anew(page: Page, stage: Stage) -> None:
    await ask(
        page,
        stage,
        "name",
        chars_max=50,
        has_handwriting=True,
        value=f"王{HAND_MARK}",
        attachments=1,
    )

    await page.tap("#next")

    assert await stage.posted() == ("answer", f"王{HAND_MARK}", "q_name")
    assert stage.attachments == []


@pytest.mark.deep
async def test_lost_reader_still_leaves_the_drawing(page: Page, stage: Stage) -> None:
    await ask_by_finger(page, stage)
    stage.is_broken = True

    await draw(page, *BARS)
    await until(page, "document.querySelector('#hand-told').textContent.includes('认不出')")
    stage.is_broken = False
    await touch(page, '[data-do="missing"]')
    await page.tap("#next")

    assert await stage.posted() == ("answer", HAND_MARK, "q_name")
    assert len(stage.attachments) == 1


@pytest.mark.parametrize("character", list("堃喆燚镕玥曌䶮"))
@pytest.mark.deep
async def test_rare_character_is_two_touches_away(page: Page, stage: Stage, character: str) -> None:
    await ask(page, stage, "name", chars_max=50, value="王")

    await touch(page, "#way-rare")
    await touch(page, f'.rare [data-key="{character}"]')
    await page.tap("#next")

    assert await stage.posted() == ("answer", f"王{character}", "q_name")


@pytest.mark.deep
async def test_long_name_with_its_dot_among_the_rare_ones(page: Page, stage: Stage) -> None:
    await ask(page, stage, "name", chars_max=50, value="阿卜杜拉")

    await touch(page, "#way-rare")
    await touch(page, '.rare [data-key="·"]')
    await touch(page, "#way-keys")
    await page.keyboard.type("mai1", delay=5)

    assert (await written(page)).startswith("阿卜杜拉·")


@pytest.mark.deep
async def test_person_of_this_visit_is_one_touch(page: Page, stage: Stage) -> None:
    stage.put(entries("zh-CN")["name_suggested"])
    await appear(page, stage)
    await asyncio.sleep(DEAF_S)

    await page.tap("#suggested-2")

    assert await stage.posted() == ("answer", "李建国", "q_name")


@pytest.mark.deep
async def test_suggestions_give_way_to_what_is_typed(page: Page, stage: Stage) -> None:
    stage.put(entries("zh-CN")["name_suggested"])
    await appear(page, stage)
    await asyncio.sleep(DEAF_S)

    await page.keyboard.type("wang", delay=5)

    assert await page.is_hidden(".suggested")
    assert await page.locator("#candidates .key").count() > 3


@pytest.mark.deep
async def test_kiosk_without_a_reader_has_no_such_way(page: Page, stage: Stage) -> None:
    await ask(page, stage, "name", chars_max=50)

    assert await page.locator("#way-hand, .hand").count() == 0
    assert await page.is_visible("#way-rare")


# --- what the page says of an answer ---


async def test_whole_id_number_is_confirmed_aloud(page: Page, stage: Stage) -> None:
    clip = {"url": "/voice/born", "pause_ms": 0, "highlight": "echo"}
    stage.told = {"lines": ["1946年11月24日生", "男", "80岁"], "is_wrong": False, "say": [clip]}
    await ask(page, stage, "id_number", chars_max=18, groups=(6, 8, 4))

    await page.keyboard.type("53012119461124001X", delay=5)
    await until(page, "window.bianmin.played.concat(window.bianmin.playing).length > 0")

    assert await page.inner_text("#echo") == "1946年11月24日生，男，80岁"
    assert stage.echoes == [("q_id_number", "53012119461124001X", False)]
    assert "born" in stage.voices

    await page.keyboard.press("Backspace")
    assert await page.inner_text("#echo") == "1946年11月24日生，80岁"


@pytest.mark.deep
async def test_wrong_digit_is_told_before_the_green_button(page: Page, stage: Stage) -> None:
    stage.told = {"lines": ["有一个数字不对。"], "is_wrong": True, "say": []}
    await ask(page, stage, "id_number", chars_max=18, groups=(6, 8, 4))

    await page.keyboard.type("530121194611240019", delay=5)
    await until(page, "document.querySelector('#echo').classList.contains('wrong')")

    assert await page.inner_text("#echo") == "有一个数字不对。"


@pytest.mark.deep
async def test_number_is_read_back_on_request(page: Page, stage: Stage) -> None:
    clip = {"url": "/voice/number", "pause_ms": 0, "highlight": "typed"}
    stage.told = {"lines": [], "is_wrong": False, "say": [clip]}
    await ask(page, stage, "phone", chars_max=13, groups=(3, 4, 4))
    assert await page.is_disabled('[data-do="read"]')

    await page.keyboard.type("13800001234", delay=5)
    await touch(page, '[data-do="read"]')
    await until(page, "window.bianmin.played.concat(window.bianmin.playing).length > 0")

    assert stage.echoes == [("q_phone", "13800001234", True)]


@pytest.mark.deep
async def test_sum_stands_in_capitals_and_follows_the_keys(page: Page, stage: Stage) -> None:
    stage.told = {"lines": ["大写：壹仟贰佰元整"], "is_wrong": False, "say": []}
    await ask(page, stage, "amount", chars_max=10, unit="元")

    await page.keyboard.type("1200", delay=5)
    await until(page, "document.querySelector('#capital').textContent !== ''")
    assert await page.inner_text("#capital") == "大写：壹仟贰佰元整"
    assert stage.echoes[-1] == ("q_amount", "1200", False)

    await page.keyboard.press("Backspace")
    assert await page.inner_text("#capital") == ""


@pytest.mark.deep
async def test_lunar_day_is_told_on_request_and_for_that_day_alone(
    page: Page, stage: Stage
) -> None:
    stage.told = {"lines": ["农历丙戌年（狗年）冬月初二"], "is_wrong": False, "say": []}
    await ask(page, stage, "date", value="1946-11-24")

    await touch(page, '[data-do="lunar"]')
    await until(page, "document.querySelector('#asked').textContent.startsWith('农历')")
    assert await page.inner_text("#asked") == "农历丙戌年（狗年）冬月初二"
    assert stage.echoes == [("q_date", "1946-11-24", True)]

    await touch(page, '[data-cell="25"]')
    assert await page.inner_text("#asked") == "是几号？"

    await touch(page, '[data-part="year"]')
    await touch(page, '[data-cell="1946"]')
    # Without a whole day there is nothing to tell.
    assert await page.is_hidden('[data-do="lunar"]')


@pytest.mark.deep
async def test_silent_kiosk_leaves_the_pad_as_it_is(page: Page, stage: Stage) -> None:
    await ask(page, stage, "id_number", chars_max=18, groups=(6, 8, 4))
    await page.route("**/echo?*", lambda route: route.abort())

    await page.keyboard.type("53012119461124001X", delay=5)
    await page.tap("#next")

    assert await stage.posted() == ("answer", "53012119461124001X", "q_id_number")


# --- room for a thumb ---


@pytest.mark.parametrize("profile", [LANDSCAPE, PORTRAIT], ids=["1024x600", "800x1280"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.deep
async def test_opened_ways_fit_the_hand_and_axe(
    browser: Browser, stage: Stage, language: str, profile: object
) -> None:
    page = await open_stage(browser, stage, profile)  # type: ignore[arg-type]
    source = AXE.read_text("utf-8")
    faults: dict[str, list[str]] = {}

    async def judge(name: str) -> None:
        await page.evaluate(source)
        judged = await page.evaluate(ACCESSIBILITY)
        found = await page.evaluate(GEOMETRY, profile.px_per_mm)  # type: ignore[attr-defined]
        if found or judged["faults"]:
            faults[name] = [*found, *judged["faults"]]

    stage.put(entries(language)["name_ways"])
    await appear(page, stage)
    await asyncio.sleep(DEAF_S)
    await touch(page, "#way-hand")
    await judge("empty square")
    await draw(page, *BARS)
    await until(page, CANDIDATES)
    await judge("candidates")
    await touch(page, '[data-do="missing"]')
    await judge("kept")
    await touch(page, "#way-rare")
    await judge("rare")
    await page.context.close()

    assert faults == {}


# --- the whole way: page, kiosk, reader ---


@pytest.mark.skipif(not zinnia.is_installed(), reason="the handwriting packages are not here")
@pytest.mark.deep
async def test_real_kiosk_reads_what_is_drawn_and_seals_what_it_cannot(
    browser: Browser, tmp_path: Path
) -> None:
    async with (
        station(tmp_path) as kiosk,
        TestServer(build_app(kiosk.stage, kiosk.parts), host="127.0.0.1") as server,
    ):
        await kiosk.touch("service", "helper_request")
        while kiosk.stage.visit.place != Asking("name"):
            place = kiosk.stage.visit.place
            assert isinstance(place, Asking)
            asked = catalogue().service("helper_request").question(place.question)
            await kiosk.touch("answer", answer_to(asked, FITTING), asked.id)
        context = await browser.new_context(
            viewport={"width": LANDSCAPE.width_px, "height": LANDSCAPE.height_px}, has_touch=True
        )
        page = await context.new_page()
        await page.goto(str(server.make_url("/")))
        await until(page, "window.bianmin?.screens > 0")
        await asyncio.sleep(DEAF_S)

        await touch(page, "#way-hand")
        await draw(page, *BARS)
        await until(page, "document.querySelector('#found [data-key=王]')", timeout_s=15)
        pid = kiosk.parts.hand.pid
        await touch(page, '#found [data-key="王"]')
        await draw(page, *BARS[:3])
        await touch(page, '[data-do="missing"]')
        await page.tap("#next")
        await until(page, "window.bianmin.screens > 1")

        draft = kiosk.stage.visit.draft
        assert draft is not None
        assert draft.answers["name"] == f"王{HAND_MARK}"
        assert draft.held["name"] == 1
        kept = kiosk.parts.drafts.held("name", 0)
        assert kept is not None
        assert (kept[0], kept[1].count(b"M")) == ("image/svg+xml", 3)

        await kiosk.touch("home")
        await kiosk.touch("leave_yes")
        assert pid is not None
        assert not Path(f"/proc/{pid}").exists()
        assert kiosk.parts.drafts.is_empty
        await context.close()
