"""Silence is answered, told, and ends: with a count-down that is seen and heard."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page

from bianmin.browser import KIOSK_FLAGS
from kiosk.playlist import Clip, Playlist
from tests.browser.samples import screens
from tests.browser.stage import (
    CLIP_S,
    Stage,
    open_stage,
    running_browser,
    until,
)

LEFT = tuple((seconds, (Clip(f"/voice/{seconds}", 0, "left"),)) for seconds in (30, 15, 5))


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser(*KIOSK_FLAGS) as browser:
        yield browser


@pytest.fixture
async def page(browser: Browser, stage: Stage) -> AsyncIterator[Page]:
    """A page whose clock a test turns; its sound runs by the real one."""
    page = await open_stage(browser, stage)
    await page.clock.install()
    yield page
    await page.context.close()


async def asked(page: Page, stage: Stage, playlist: Playlist) -> None:
    stage.put(screens("zh-CN")["idle"], playlist)
    await page.goto(stage.url)
    await page.clock.run_for(500)


async def left(page: Page) -> int:
    text = await page.inner_text("#left")
    return int("".join(character for character in text if character.isdigit()))


async def heard(page: Page, stage: Stage, voices: list[str]) -> None:
    """Wait until these were fetched, and let what speaks come to its end."""
    async with asyncio.timeout(5):
        while stage.voices != voices:
            await asyncio.sleep(0.02)
    await asyncio.sleep(CLIP_S + 0.3)
    # The page notices the end of a clip by a timer of its own.
    await page.clock.run_for(250)


async def test_time_left_is_seen_and_heard_at_30_15_and_5_seconds_and_then_it_is_over(
    page: Page, stage: Stage
) -> None:
    await asked(page, stage, Playlist(countdown=LEFT))
    first = await left(page)

    await page.clock.run_for(15_000)
    await heard(page, stage, ["30"])
    at_30 = await left(page)
    await page.clock.run_for(15_000)
    await heard(page, stage, ["30", "15"])
    await page.clock.run_for(10_000)
    await heard(page, stage, ["30", "15", "5"])
    assert stage.posts == []
    await page.clock.run_for(6_000)

    assert (await stage.posted())[0] == "timeout"
    assert first in (44, 45)
    assert at_30 in (29, 30)


@pytest.mark.deep
async def test_no_time_passes_while_the_voice_speaks(page: Page, stage: Stage) -> None:
    long = tuple(Clip(f"/voice/part-{number}") for number in range(12))
    await asked(page, stage, Playlist(say=long))
    await until(page, "bianmin.playing.length > 0")

    await page.clock.run_for(40_000)

    assert await left(page) >= 44
    assert stage.posts == []


@pytest.mark.deep
async def test_a_touch_gives_all_the_time_back(page: Page, stage: Stage) -> None:
    await asked(page, stage, Playlist())
    await page.clock.run_for(20_000)
    before = await left(page)

    await page.touchscreen.tap(500, 590)
    await page.clock.run_for(500)

    assert before <= 26
    assert await left(page) >= 44


@pytest.mark.deep
async def test_a_key_is_a_sign_of_life_too(page: Page, stage: Stage) -> None:
    await asked(page, stage, Playlist())
    await page.clock.run_for(20_000)

    await page.keyboard.press("ArrowRight")
    await page.clock.run_for(500)

    assert await left(page) >= 43
