"""How long a resident waits: from the touch to the next screen, and to the first sound."""

import os
import tempfile
from pathlib import Path

from playwright.async_api import Page, ViewportSize, async_playwright

from bianmin.browser import KIOSK_FLAGS, find_chromium
from tests.bench.printing import row, spread
from tests.village import running_village

ROUNDS = 15
SCREEN: ViewportSize = {"width": 1024, "height": 600}
DEAF_MS = 350  # a new screen hears nothing for its first 300 ms (kiosk/web/static/kiosk.js)


async def measure() -> None:
    """Go into a category and back, again and again, and read what the page itself measured."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as place:
        async with running_village(Path(place)) as village, async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=find_chromium(), args=[*KIOSK_FLAGS, *sandbox]
            )
            page = await browser.new_page(viewport=SCREEN, has_touch=True)
            await page.goto(village.kiosk_url)
            await page.wait_for_function("() => window.bianmin && window.bianmin.screens > 0")
            figures = [figure for _ in range(ROUNDS) for figure in await _there_and_back(page)]
            await browser.close()
    screens = [screen for screen, _ in figures]
    sounds = [screen + sound for screen, sound in figures if sound is not None]
    row("touch to painted next screen", spread(screens, "ms"))
    row("touch to first sound of the next screen", spread(sounds, "ms"))
    row("screens without any sound", f"{len(figures) - len(sounds)} of {len(figures)}")


async def _there_and_back(page: Page) -> list[tuple[float, float | None]]:
    return [await _touch(page, ".tiles .tile"), await _touch(page, "#back, #home")]


async def _touch(page: Page, what: str) -> tuple[float, float | None]:
    await page.wait_for_timeout(DEAF_MS)
    before = await page.evaluate("() => window.bianmin.screens")
    await page.locator(what).first.tap()
    await page.wait_for_function("(before) => window.bianmin.screens > before", arg=before)
    # The sound begins within a moment or not at all (no clip).
    await page.wait_for_timeout(DEAF_MS)
    screen_ms, sound_ms = await page.evaluate(
        "() => [window.bianmin.screenMs, window.bianmin.firstSoundMs]"
    )
    return float(screen_ms), None if sound_ms is None else float(sound_ms)
