"""Every screen, drawn in the real browser: sizes of the hand, nothing cut, nothing to scroll."""

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.async_api import Browser

from bianmin.browser import KIOSK_FLAGS
from tests.browser.geometry import GEOMETRY
from tests.browser.samples import LANGUAGES, screens
from tests.browser.stage import (
    LANDSCAPE,
    LARGE,
    PORTRAIT,
    Stage,
    appear,
    open_stage,
    running_browser,
)

PICTURES = Path(__file__).parents[2] / ".build" / "screens"
AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
PROFILES = {"1024x600": LANDSCAPE, "800x1280": PORTRAIT, "1920x1080": LARGE}
#: Judges by WCAG 2.2 AA, with the contrast of AAA (7:1), which old eyes need.
ACCESSIBILITY = """
async () => {
  const {violations, passes} = await axe.run(document, {
    runOnly: {type: "tag", values:
      ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    rules: {"color-contrast-enhanced": {enabled: true}},
  });
  const told = (node) => `${node.target} ${node.failureSummary}`;
  const faults = violations.map((fault) =>
    `${fault.id}: ${fault.nodes.slice(0, 3).map(told).join(" | ")}`);
  return {faults, passes: passes.length};
}
"""


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """As the shared one, and with a made-up camera and microphone."""
    async with running_browser(*KIOSK_FLAGS) as browser:
        yield browser


@pytest.mark.parametrize(
    ("size", "language"),
    [
        # One pair in the fast suite, the others in the deep one.
        pytest.param(size, language, marks=() if place == 0 else pytest.mark.deep)
        for place, (size, language) in enumerate(itertools.product(list(PROFILES)[:2], LANGUAGES))
    ],
)
async def test_screens_fit_the_hand_and_the_display(
    browser: Browser, stage: Stage, size: str, language: str
) -> None:
    profile = PROFILES[size]
    page = await open_stage(browser, stage, profile)
    PICTURES.mkdir(parents=True, exist_ok=True)
    faults: dict[str, list[str]] = {}
    page.on("pageerror", lambda error: faults.setdefault("script", []).append(str(error)))

    for name, screen in screens(language).items():
        stage.put(screen)
        await appear(page, stage)
        await page.screenshot(path=PICTURES / f"{size}-{language}-{name}.png")
        if found := await page.evaluate(GEOMETRY, profile.px_per_mm):
            faults[name] = found

    await page.context.close()
    assert faults == {}


async def test_screens_of_a_large_display_grow_with_it(browser: Browser, stage: Stage) -> None:
    page = await open_stage(browser, stage, LARGE)
    faults: dict[str, list[str]] = {}
    some = ("home", "choice_7", "id_number_wrong", "name", "check", "receipt", "date_day", "matter")

    for name in some:
        stage.put(screens("zh-CN")[name])
        await appear(page, stage)
        await page.screenshot(path=PICTURES / f"1920x1080-zh-CN-{name}.png")
        if found := await page.evaluate(GEOMETRY, LARGE.px_per_mm * 1.4):
            faults[name] = found

    await page.context.close()
    assert faults == {}


@pytest.mark.deep
@pytest.mark.parametrize("language", LANGUAGES)
async def test_screens_have_no_violation_known_to_axe(
    browser: Browser, stage: Stage, language: str
) -> None:
    page = await open_stage(browser, stage)
    faults: dict[str, list[str]] = {}
    passes = 0
    # The kiosk's own policy forbids foreign scripts, rightly; axe is put in from outside the page.
    source = AXE.read_text("utf-8")

    for name, screen in screens(language).items():
        stage.put(screen)
        await appear(page, stage)
        await page.evaluate(source)
        judged = await page.evaluate(ACCESSIBILITY)
        passes += judged["passes"]
        if judged["faults"]:
            faults[name] = judged["faults"]

    await page.context.close()
    assert faults == {}
    assert passes > 20 * len(screens(language))


@pytest.mark.parametrize(
    "language", [LANGUAGES[0], pytest.param(LANGUAGES[1], marks=pytest.mark.deep)]
)
async def test_typed_screens_still_fit(browser: Browser, stage: Stage, language: str) -> None:
    faults: dict[str, list[str]] = {}
    for size, profile in list(PROFILES.items())[:2]:
        page = await open_stage(browser, stage, profile)
        for name, keys in {"name": "wang", "text_note": "shi", "date": "2024"}.items():
            stage.put(screens(language)[name])
            await appear(page, stage)
            await page.wait_for_timeout(350)
            await page.keyboard.type(keys)
            await page.screenshot(path=PICTURES / f"{size}-{language}-{name}-typed.png")
            if found := await page.evaluate(GEOMETRY, profile.px_per_mm):
                faults[f"{size} {name}"] = found
        await page.context.close()

    assert faults == {}
