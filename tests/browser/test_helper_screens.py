"""All screens of helpers, families, lessons and found matters: sizes, nothing cut, axe."""

import itertools
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from bianmin.browser import KIOSK_FLAGS
from tests.browser.geometry import GEOMETRY
from tests.browser.sample_assisted import assisted_screens
from tests.browser.samples import LANGUAGES
from tests.browser.stage import Stage, appear, open_stage, running_browser
from tests.browser.test_screens import ACCESSIBILITY, AXE, PICTURES, PROFILES

pytestmark = [pytest.mark.deep, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """As the shared one, and with a made-up camera and microphone."""
    async with running_browser(*KIOSK_FLAGS) as browser:
        yield browser


@pytest.mark.parametrize(
    ("size", "language"), list(itertools.product(list(PROFILES)[:2], LANGUAGES))
)
async def test_screens_beside_somebody_fit_and_have_no_violation(
    browser: Browser, stage: Stage, size: str, language: str
) -> None:
    profile = PROFILES[size]
    page = await open_stage(browser, stage, profile)
    PICTURES.mkdir(parents=True, exist_ok=True)
    faults: dict[str, list[str]] = {}
    passes = 0
    source = AXE.read_text("utf-8")
    found = assisted_screens(language)

    for name, screen in found.items():
        stage.put(screen)
        await appear(page, stage)
        await page.screenshot(path=PICTURES / f"{size}-{language}-{name}.png")
        geometry = await page.evaluate(GEOMETRY, profile.px_per_mm)
        await page.evaluate(source)
        judged = await page.evaluate(ACCESSIBILITY)
        passes += judged["passes"]
        if told := [*geometry, *judged["faults"]]:
            faults[name] = told

    await page.context.close()
    assert faults == {}
    assert passes > 20 * len(found)


async def test_pin_is_shown_as_dots_and_is_posted_whole(browser: Browser, stage: Stage) -> None:
    page = await open_stage(browser, stage)
    stage.put(assisted_screens("zh-CN")["sign_in_pin"])
    await appear(page, stage)
    await page.wait_for_timeout(350)

    await page.keyboard.type("730416", delay=200)

    assert (await page.inner_text("#typed")).strip() == "●●●●●●"
    assert "730416" not in await page.content()
    assert await page.locator("[data-do=read]").count() == 0
    await page.keyboard.press("Enter")
    assert (await stage.posted())[:2] == ("helper_pin", "730416")
    await page.context.close()
