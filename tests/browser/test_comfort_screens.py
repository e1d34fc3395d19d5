"""How a resident likes to see and hear, in the real browser: sizes, colours, speed, loudness."""

import io
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace
from PIL import Image, ImageChops
from playwright.async_api import Browser, Page

from bianmin.browser import KIOSK_FLAGS
from kiosk.comfort import GLYPHS_MM, Comfort, Theme
from kiosk.playlist import Clip, Playlist
from kiosk.screens import Screen
from kiosk.web.presentation import ScreenProfile
from tests.browser.geometry import GEOMETRY
from tests.browser.samples import LANGUAGES, screens
from tests.browser.stage import (
    CLIP_S,
    LANDSCAPE,
    LARGE,
    PORTRAIT,
    Stage,
    appear,
    open_stage,
    running_browser,
    until,
)
from tests.browser.test_screens import ACCESSIBILITY, AXE

SEVEN = ScreenProfile(1024, 600, 7.0)
PROFILES = {"7in": SEVEN, "10in": LANDSCAPE, "10in upright": PORTRAIT, "21in": LARGE}
SOME = (
    *("home", "category", "materials", "choice_7", "multi_choice", "id_number", "phone", "date"),
    *("name", "photo", "signature", "check", "receipt", "rating", "matter_long", "idle", "seeing"),
)
#: Height of a Han glyph's ink in mm: of the heading where it is read, and of the choices.
GLYPHS = """
(mm) => {
  const context = document.createElement("canvas").getContext("2d");
  const ink = (element) => {
    const style = getComputedStyle(element);
    context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const { actualBoundingBoxAscent: a, actualBoundingBoxDescent: d } = context.measureText("国");
    return (a + d) / mm;
  };
  return [...document.querySelectorAll("h1,.tile b")].filter((e) => e.checkVisibility()).map(ink);
}
"""


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser(*KIOSK_FLAGS) as browser:
        yield browser


async def turned(page: Page) -> bool:
    """Turn to the next view of a screen in large letters; answer whether there was one."""
    if not await page.evaluate("document.getElementById('turn').checkVisibility()"):
        return False
    # The page hears no second touch of the same button for half a second.
    await page.wait_for_timeout(520)
    await page.evaluate("document.getElementById('turn').click()")
    return True


async def faults_of(page: Page, stage: Stage, screen: Screen, profile: ScreenProfile) -> list[str]:
    """What is cut, small or near on every view of a screen."""
    stage.put(screen)
    await appear(page, stage)
    found: list[str] = []
    for view in range(12):
        mm = min(profile.px_per_mm, profile.unit_px)
        found += [f"view {view}: {fault}" for fault in await page.evaluate(GEOMETRY, mm)]
        if not await turned(page):
            return found
    return [*found, "its views have no end"]


@pytest.mark.deep
@pytest.mark.parametrize(
    ("size", "language"),
    [("7in", "zh-CN"), ("10in", "en"), ("10in upright", "zh-CN"), ("21in", "en")],
)
async def test_every_size_of_text_has_room_on_every_display(
    browser: Browser, stage: Stage, size: str, language: str
) -> None:
    profile = PROFILES[size]
    page = await open_stage(browser, stage, profile)
    faults: dict[str, list[str]] = {}
    # The usual size on the usual displays is tests/browser/test_screens.py's.
    for comfort in (Comfort(text=0), Comfort(is_low=True), Comfort(text=2), Comfort(text=3)):
        for name in SOME:
            screen = replace(screens(language)[name], comfort=comfort)
            if found := await faults_of(page, stage, screen, profile):
                faults[f"{name} in size {comfort.text}{' low' if comfort.is_low else ''}"] = found
    await page.context.close()
    assert faults == {}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(0, marks=pytest.mark.deep),
        1,
        *(pytest.param(n, marks=pytest.mark.deep) for n in (2, 3)),
    ],
)
async def test_headings_and_choices_have_the_glyphs_that_were_chosen(
    browser: Browser, stage: Stage, text: int
) -> None:
    for profile in (LANDSCAPE, PORTRAIT):
        page = await open_stage(browser, stage, profile)
        for name in ("home", "seeing"):
            stage.put(replace(screens("zh-CN")[name], comfort=Comfort(text=text)))
            await appear(page, stage)
            heights = await page.evaluate(GLYPHS, profile.px_per_mm)
            # A long label may give up a tenth before it goes to another view.
            assert min(heights) >= GLYPHS_MM[text] * 0.88, (profile, name)
            assert max(heights) <= GLYPHS_MM[text] * 1.16
        await page.context.close()


@pytest.mark.deep
@pytest.mark.parametrize("theme", ["light", "dark", "contrast"])
async def test_screens_in_every_theme_have_no_violation_known_to_axe(
    browser: Browser, stage: Stage, theme: Theme
) -> None:
    page = await open_stage(browser, stage)
    faults: dict[str, list[str]] = {}
    source = AXE.read_text("utf-8")
    for place, name in enumerate((*SOME, "hearing", "warning", "fault", "help", "thanks")):
        screen = screens(LANGUAGES[place % 2])[name]
        stage.put(replace(screen, comfort=Comfort(text=3, theme=theme)))
        await appear(page, stage)
        await page.evaluate(source)
        if found := (await page.evaluate(ACCESSIBILITY))["faults"]:
            faults[name] = found
    await page.context.close()
    assert faults == {}


@pytest.mark.deep
@pytest.mark.parametrize("deficiency", ["achromatopsia", "deuteranopia", "protanopia"])
async def test_what_is_chosen_and_what_is_said_show_without_colour(
    browser: Browser, stage: Stage, deficiency: str
) -> None:
    """Chosen has a tick of its own, said a ring: both differ in light, not in colour alone."""
    page = await open_stage(browser, stage)
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("Emulation.setEmulatedVisionDeficiency", {"type": deficiency})
    stage.put(screens("zh-CN")["multi_choice"])
    await appear(page, stage)
    chosen = ".tile.chosen"
    ticks = await page.locator(f"{chosen} .mark svg").count()
    plain = page.locator(".tile:not(.chosen)").first
    before = Image.open(io.BytesIO(await plain.screenshot())).convert("L")
    still = Image.open(io.BytesIO(await plain.screenshot())).convert("L")
    await plain.evaluate("(tile) => tile.classList.add('said')")
    await page.wait_for_timeout(300)
    after = Image.open(io.BytesIO(await plain.screenshot())).convert("L")
    moved = [
        max(ImageChops.difference(before, other).tobytes(), default=0) for other in (still, after)
    ]
    ring = await plain.evaluate("(tile) => getComputedStyle(tile).boxShadow")

    await page.context.close()
    assert ticks == ticked(screens("zh-CN")["multi_choice"])
    # In grey the surface is another one, and the ring is a shape.
    assert moved[0] == 0
    assert moved[1] >= 10
    assert ring != "none"


def ticked(screen: Screen) -> int:
    """How many choices of a screen are ticked."""
    assert screen.entry is not None
    return sum(tile.is_selected for tile in screen.entry.choices)


async def heard(browser: Browser, stage: Stage, comfort: Comfort) -> tuple[float, float]:
    """Answer how long one clip sounded, in s, and how loud the page's voice is."""
    page = await open_stage(browser, stage)
    screen = replace(screens("zh-CN")["category"], comfort=comfort)
    stage.put(screen, Playlist(say=(Clip("/voice/one"), Clip("/voice/two", 0, "tile-1"))))
    await appear(page, stage)
    await until(page, "bianmin.played.length === 2")
    one, two = await page.evaluate("bianmin.played")
    gain = float(await page.evaluate("Number(document.body.dataset.volumeDb)"))
    await page.context.close()
    return (two["startMs"] - one["startMs"]) / 1000, gain


@pytest.mark.deep
async def test_voice_is_slower_and_faster_in_the_chosen_steps(
    browser: Browser, stage: Stage
) -> None:
    usual, _ = await heard(browser, stage, Comfort())
    slow, _ = await heard(browser, stage, Comfort(rate=0))
    fast, loud_db = await heard(browser, stage, Comfort(rate=6, volume=5))

    assert usual == pytest.approx(CLIP_S, abs=0.04)
    assert slow == pytest.approx(CLIP_S * 2, abs=0.08)
    assert fast == pytest.approx(CLIP_S / 2, abs=0.04)
    assert loud_db == 12


async def test_speed_keeps_the_pitch(browser: Browser, stage: Stage) -> None:
    page = await open_stage(browser, stage)
    stage.put(screens("zh-CN")["category"])
    await appear(page, stage)

    told = await page.evaluate(
        """async () => {
          const { stretched } = await import("/static/stretch.js");
          const rate = 24000;
          const tone = Float32Array.from({ length: rate }, (_, at) =>
            0.5 * Math.sin((2 * Math.PI * 180 * at) / rate));
          const crossings = (all) => all.reduce((sum, value, at) =>
            sum + (at > 0 && all[at - 1] < 0 && value >= 0 ? 1 : 0), 0);
          return [0.5, 0.8, 1.25, 2].map((speed) => {
            const out = stretched(tone, rate, speed);
            const middle = out.subarray(rate / 10, out.length - rate / 10);
            return [speed, out.length / rate, (crossings([...middle]) * rate) / middle.length,
              Math.max(...middle)];
          });
        }"""
    )

    await page.context.close()
    for speed, seconds, hertz, loudest in told:
        assert seconds == pytest.approx(1 / speed, abs=0.01)
        assert hertz == pytest.approx(180, abs=6), speed
        assert 0.4 < loudest < 0.6


@pytest.mark.deep
async def test_screen_that_is_off_shows_nothing_and_a_touch_turns_it_on(
    browser: Browser, stage: Stage
) -> None:
    page = await open_stage(browser, stage)
    stage.put(replace(screens("zh-CN")["check"], comfort=Comfort(is_screen_off=True)))
    await appear(page, stage)
    over = await page.evaluate(
        "[[99, 99], [500, 300], [900, 560]].map(([x, y]) => document.elementFromPoint(x, y).id)"
    )
    seen = await page.evaluate("getComputedStyle(document.getElementById('light')).backgroundColor")
    await page.keyboard.press("ArrowRight")
    under = await page.evaluate("document.activeElement.tagName")
    await page.wait_for_timeout(350)

    await page.touchscreen.tap(300, 300)

    assert await stage.posted() == ("comfort", "screen", "")
    assert (over, seen) == (["light"] * 3, "rgb(0, 0, 0)")
    assert under == "BUTTON"  # the keypad works in the dark
    await page.context.close()
