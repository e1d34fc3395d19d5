"""How long a resident waits: from the touch to the next screen, and to its first sound.

Once as this machine is, and once with Chromium's processor slowed four times, as on a cheap board.
"""

import os
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
from playwright.async_api import Page, ViewportSize, async_playwright

from bianmin.browser import KIOSK_FLAGS, find_chromium
from tests.bench.printing import figure
from tests.village import running_village

ROUNDS = 8
SLOWED = (1, 4)
SCREEN: ViewportSize = {"width": 1024, "height": 600}
DEAF_MS = 350  # a new screen hears nothing for its first 300 ms (kiosk/web/static/kiosk.js)
#: Home, category, service, first question, second question, stop?, home: what is touched on each.
WAY = (
    ".tiles .tile",
    ".tiles .tile",
    "#next",
    ".tiles .tile",
    "#home",
    "[data-action=leave_yes]",
)


class Waited(msgspec.Struct, frozen=True):
    """One touch: milliseconds to the painted screen, and from the touch to its first sound."""

    screen_ms: float
    sound_ms: float | None


async def measure() -> None:
    """Go into a service and out of it, and read what the page itself measured."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as place:
        async with running_village(Path(place)) as village, async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=find_chromium(), args=[*KIOSK_FLAGS, *sandbox]
            )
            page = await browser.new_page(viewport=SCREEN, has_touch=True)
            tools = await page.context.new_cdp_session(page)
            await page.goto(village.kiosk_url)
            await page.wait_for_function("() => window.bianmin && window.bianmin.screens > 0")
            for slowed in SLOWED:
                await tools.send("Emulation.setCPUThrottlingRate", {"rate": slowed})
                _tell(slowed, [await _touch(page, what) for _ in range(ROUNDS) for what in WAY])
            await browser.close()


def _tell(slowed: int, waited: Sequence[Waited]) -> None:
    sounds = [each.sound_ms for each in waited if each.sound_ms is not None]
    how = "" if slowed == 1 else f", Chromium slowed {slowed} times"
    for name, what, times, target in (
        ("screen", "touch to painted next screen", [each.screen_ms for each in waited], 100),
        ("sound", "touch to first sound of the next screen", sounds, 150),
    ):
        figure(
            f"touch_to_{name}_p95_slowed_{slowed}_ms",
            _p95(times),
            "ms",
            target=f"<= {target}",
            rounds=times,
            what=f"{what}{how}",
            decimals=0,
            stands_for="95th percentile",
        )
    figure(f"silent_screens_slowed_{slowed}", len(waited) - len(sounds), "screens", decimals=0)


def _p95(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=20, method="inclusive")[-1]


async def _touch(page: Page, what: str) -> Waited:
    await page.wait_for_timeout(DEAF_MS)
    before = await page.evaluate("() => window.bianmin.screens")
    await page.locator(what).first.tap()
    await page.wait_for_function("(before) => window.bianmin.screens > before", arg=before)
    # The sound begins within a moment or not at all (no clip).
    await page.wait_for_timeout(DEAF_MS)
    screen_ms, sound_ms = await page.evaluate(
        "() => [window.bianmin.screenMs, window.bianmin.firstSoundMs]"
    )
    heard = None if sound_ms is None else float(screen_ms) + float(sound_ms)
    return Waited(float(screen_ms), heard)
