"""The keys of a cheap keypad do all that a finger does; what they come to is ringed and said."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace
from playwright.async_api import Browser, Page

from bianmin.browser import KIOSK_FLAGS
from kiosk.playlist import Clip, Playlist
from kiosk.screens import Screen
from tests.browser.samples import LANGUAGES, screens
from tests.browser.stage import (
    LANDSCAPE,
    Stage,
    appear,
    open_stage,
    running_browser,
    until,
)

DEAF_S = 0.32
STOPS_MAX = 90
#: What has the focus: its id, its key, its words.
FOCUS = """
(() => {
  const e = document.activeElement;
  return e.id || e.dataset.key || e.dataset.do || e.dataset.question || e.textContent.trim();
})()
"""
#: Thickness of the ring in mm, and its contrast with the paper around it.
RING = """
(mm) => {
  const light = (text) => {
    const [r, g, b] = text.match(/\\d+/g).map((v) => v / 255)
      .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const style = getComputedStyle(document.activeElement);
  const [a, b] = [style.outlineColor, getComputedStyle(document.body).backgroundColor].map(light);
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  return [parseFloat(style.outlineWidth) / mm, contrast];
}
"""


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser(*KIOSK_FLAGS) as browser:
        yield browser


@pytest.fixture
async def page(browser: Browser, stage: Stage) -> AsyncIterator[Page]:
    page = await open_stage(browser, stage)
    yield page
    await page.context.close()


async def show(page: Page, stage: Stage, name: str, language: str = "zh-CN") -> Screen:
    screen = screens(language)[name]
    stage.put(screen, spoken(screen))
    await appear(page, stage)
    await asyncio.sleep(DEAF_S)
    return screen


def spoken(screen: Screen) -> Playlist:
    """A clip for whatever the screen says of its title and its tiles."""
    return Playlist(
        say=(
            Clip("/voice/title", 0, "title"),
            *(Clip(f"/voice/{tile.dom_id}", 0, tile.dom_id) for tile in screen.tiles),
        )
    )


async def press(page: Page, *keys: str) -> str:
    """Press keys one after the other; answer what has the focus then."""
    for key in keys:
        await page.keyboard.press(key)
    return str(await page.evaluate(FOCUS))


async def reach(page: Page, selector: str, key: str = "ArrowRight") -> None:
    """Press one key until the focus stands on an element."""
    for _ in range(STOPS_MAX):
        if await page.evaluate("(s) => document.activeElement.matches(s)", selector):
            return
        await page.keyboard.press(key)
    raise AssertionError(f"the keypad does not come to {selector}")


async def test_arrows_go_through_a_screen_in_the_order_in_which_it_is_said(
    page: Page, stage: Stage
) -> None:
    screen = await show(page, stage, "category")

    stops = [await press(page, "ArrowRight") for _ in range(9)]

    tiles = [tile.dom_id for tile in screen.tiles]
    assert stops[: len(tiles)] == tiles
    assert stops[len(tiles) :][:5] == ["back", "home", "again", "comfort", "language-en"]
    assert await press(page, *["ArrowLeft"] * 9) == "title"


@pytest.mark.deep
async def test_what_the_focus_comes_to_is_said_and_nothing_else(page: Page, stage: Stage) -> None:
    await show(page, stage, "category")

    await press(page, "ArrowRight", "ArrowRight")
    await until(page, "bianmin.played.some((p) => p.highlight === 'tile-2' && p.whole)")
    await reach(page, "#back")
    async with asyncio.timeout(5):
        while "返回" not in stage.texts:
            await asyncio.sleep(0.02)

    played = await page.evaluate("bianmin.played")
    assert [p["url"] for p in played if p["highlight"] == "tile-2"] == ["/voice/tile-2"]


@pytest.mark.deep
async def test_a_key_stops_the_voice_like_a_touch(page: Page, stage: Stage) -> None:
    screen = screens("zh-CN")["home"]
    stage.put(screen, Playlist(say=tuple(Clip(f"/voice/{n}", 0, "title") for n in range(9))))
    await appear(page, stage)
    await until(page, "bianmin.playing[0] === '/voice/1'")

    await page.keyboard.press("ArrowDown")
    await until(page, "bianmin.played.at(-1)?.url === '/voice/1' && !bianmin.played.at(-1).whole")


async def test_ok_on_a_tile_chooses_it(page: Page, stage: Stage) -> None:
    await show(page, stage, "category")

    await press(page, "ArrowDown", "ArrowDown", "Enter")

    assert await stage.posted() == ("service", "v2", "")


@pytest.mark.deep
@pytest.mark.parametrize(
    ("key", "action"),
    [("Escape", "back"), ("Backspace", "back"), ("F1", "help"), ("?", "help"), ("F3", "comfort")],
)
async def test_keys_of_the_frame(page: Page, stage: Stage, key: str, action: str) -> None:
    await show(page, stage, "category")

    await press(page, key)

    assert (await stage.posted())[0] == action


async def test_digits_of_a_number_pad_go_into_the_screens_pad_and_ok_sends_them(
    page: Page, stage: Stage
) -> None:
    await show(page, stage, "phone")

    await press(page, *["Backspace"] * 13, *"13800138001", "Enter")

    assert (await stage.posted())[:2] == ("answer", "13800138001")
    assert await page.locator("input,textarea,[contenteditable]").count() == 0


@pytest.mark.deep
async def test_number_is_put_in_by_arrows_and_read_back(page: Page, stage: Stage) -> None:
    await show(page, stage, "digits4")
    assert await press(page, "ArrowRight") == "typed"

    await reach(page, ".key[data-key='1']")
    # In a field of keys up and down change the row.
    assert await press(page, "ArrowDown") == "4"
    await press(page, "Enter", "ArrowDown", "ArrowRight", "Enter")
    await reach(page, "#typed", "ArrowLeft")
    async with asyncio.timeout(5):
        while not any(text.endswith("48") for text in stage.texts):
            await asyncio.sleep(0.02)


@pytest.mark.deep
async def test_day_is_chosen_by_arrows(page: Page, stage: Stage) -> None:
    await show(page, stage, "date")
    await reach(page, "[data-cell='2024']")

    await press(page, "Enter")
    await until(page, "document.activeElement.dataset.cell === '1'")
    await press(page, "ArrowRight", "ArrowRight")
    await asyncio.sleep(DEAF_S)
    await press(page, "Enter")
    await until(page, "document.querySelector('.cells.day') && document.activeElement.dataset.cell")
    await asyncio.sleep(DEAF_S)
    await press(page, "ArrowDown", "Enter")
    await reach(page, "#next")
    await asyncio.sleep(DEAF_S)
    await press(page, "Enter")

    assert (await stage.posted())[:2] == ("answer", "2024-03-08")
    assert any("几月" in text for text in stage.texts)


@pytest.mark.deep
async def test_ticking_says_whether_it_is_ticked(page: Page, stage: Stage) -> None:
    await show(page, stage, "multi_choice")
    await reach(page, "[role=checkbox][aria-checked=false]")

    await press(page, "Enter")
    async with asyncio.timeout(5):
        while "选上了。" not in stage.texts[-1:]:
            await asyncio.sleep(0.02)

    assert await page.evaluate("document.activeElement.getAttribute('aria-checked')") == "true"


@pytest.mark.deep
async def test_fingerprint_is_pressed_with_ok(page: Page, stage: Stage) -> None:
    await show(page, stage, "signature")

    await reach(page, "[data-do=finger]")
    await press(page, "Enter")
    await reach(page, "#next")
    await press(page, "Enter")

    assert (await stage.posted())[:2] == ("answer", "1")
    assert stage.attachments[0][2] == "image/svg+xml"


@pytest.mark.deep
async def test_photo_is_taken_with_ok_and_its_judgement_is_said(page: Page, stage: Stage) -> None:
    await show(page, stage, "photo")

    await reach(page, "[data-do=shoot]")
    await press(page, "Enter")
    await until(page, "!document.querySelector('.finder img').hidden")
    await asyncio.sleep(DEAF_S)
    await reach(page, "#next")
    await press(page, "Enter")

    assert (await stage.posted())[:2] == ("answer", "1")
    judged = await page.evaluate("JSON.parse(document.querySelector('.capture').dataset.words)")
    assert set(stage.texts) & {judged["good"], judged["dark"], judged["blurred"]}


@pytest.mark.deep
async def test_row_of_the_check_page_is_said_with_its_button(page: Page, stage: Stage) -> None:
    screen = screens("zh-CN")["check"]
    rows = tuple(Clip(f"/voice/{row.dom_id}", 0, row.dom_id) for row in screen.rows)
    stage.put(screen, Playlist(say=(Clip("/voice/title", 0, "title"), *rows)))
    await appear(page, stage)
    await asyncio.sleep(DEAF_S)

    await press(page, "ArrowRight", "ArrowRight")
    await until(page, "bianmin.played.some((p) => p.url === '/voice/row-2' && p.whole)")
    await press(page, "Enter")

    assert (await stage.posted())[0] == "change"


@pytest.mark.deep
@pytest.mark.parametrize("theme", ["light", "dark", "contrast"])
async def test_ring_of_the_focus_is_thick_and_strong(page: Page, stage: Stage, theme: str) -> None:
    screen = screens("zh-CN")["id_number"]
    stage.put(replace(screen, comfort=replace(screen.comfort, theme=theme)))
    await appear(page, stage)
    await press(page, "ArrowRight")

    for selector in (".key", "#next", "#helper"):
        await reach(page, selector)
        thick_mm, contrast = await page.evaluate(RING, LANDSCAPE.px_per_mm)
        assert thick_mm >= 2, selector
        assert contrast >= 7, selector


@pytest.mark.deep
async def test_installer_may_give_keys_another_meaning(page: Page, stage: Stage) -> None:
    await show(page, stage, "category")
    await page.evaluate("document.body.dataset.keys = JSON.stringify({ KeyN: 'next', KeyJ: 'ok' })")

    await press(page, "n", "n", "j")

    assert await stage.posted() == ("service", "v2", "")


@pytest.mark.deep
async def test_what_was_typed_is_there_again_after_a_look_at_comfort(
    page: Page, stage: Stage
) -> None:
    phone = await show(page, stage, "phone")
    await press(page, *["Backspace"] * 13, *"138001")
    stage.screen = screens("zh-CN")["seeing"]
    await press(page, "F3")
    await until(page, "document.body.dataset.kind === 'comfort'")
    stage.screen = phone
    await asyncio.sleep(DEAF_S)
    await press(page, "Escape")
    await until(page, "document.body.dataset.kind === 'question'")

    assert "138 001" in (await page.inner_text("#typed")).replace("\n", " ")


@pytest.mark.deep
async def test_views_of_large_letters_are_turned_and_said_one_by_one(
    page: Page, stage: Stage
) -> None:
    screen = screens("zh-CN")["matter_long"]
    lines = tuple(Clip(f"/voice/line-{n}", 0, f"line-{n}") for n in range(len(screen.lines)))
    stage.put(
        replace(screen, comfort=replace(screen.comfort, text=3)),
        Playlist(say=(Clip("/voice/title", 0, "title"), *lines), more=(Clip("/voice/more"),)),
    )
    await appear(page, stage)
    await until(page, "bianmin.played.some((p) => p.url === '/voice/more' && p.whole)")
    first = [p["url"] for p in await page.evaluate("bianmin.played")]

    await press(page, "Enter")
    await until(page, "bianmin.played.some((p) => p.url === '/voice/line-0')")
    await asyncio.sleep(DEAF_S)
    await press(page, "Escape")
    await until(page, "document.querySelector('.road').checkVisibility()")

    assert first == ["/voice/title", "/voice/more"]
    # Turning is the page's own: nothing was answered and nothing left.
    assert stage.posts == []


@pytest.mark.deep
@pytest.mark.parametrize("language", LANGUAGES)
async def test_no_screen_has_a_trap_and_every_button_is_come_to_and_said(
    page: Page, stage: Stage, language: str
) -> None:
    faults: dict[str, object] = {}
    for name, screen in screens(language).items():
        stage.put(screen)
        await appear(page, stage)
        every = await page.evaluate(
            "[...document.querySelectorAll('button')].filter((b) => !b.disabled"
            " && b.checkVisibility() && !b.matches('.dark')).length"
        )
        await page.evaluate("window.met = new Set(), window.came = 0")
        is_round = False
        for _ in range(STOPS_MAX):
            await page.keyboard.press("ArrowRight")
            is_round = await page.evaluate(
                "(() => { const e = document.activeElement;"
                " if (e.tagName === 'BUTTON') met.add(e); return e.id === 'title'; })()"
            )
            if is_round:
                break
        met = await page.evaluate("met.size")
        if not is_round or met != every:
            faults[name] = (is_round, met, every)

    assert faults == {}
