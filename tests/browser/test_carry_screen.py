"""The kiosk's film of codes on its own screen: drawn true, at its pace, paused, slower, left."""

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import Browser, Page

from kiosk.web.presentation import ScreenProfile
from tests.browser.sample_carry import carry_screens
from tests.browser.stage import (
    LANDSCAPE,
    PORTRAIT,
    Stage,
    appear,
    open_stage,
    running_browser,
)

pytestmark = pytest.mark.deep


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as browser:
        yield browser


async def at_codes(browser: Browser, stage: Stage, profile: ScreenProfile = LANDSCAPE) -> Page:
    page = await open_stage(browser, stage, profile)
    stage.put(carry_screens("zh-CN")["carry_codes"])
    await appear(page, stage)
    await page.wait_for_timeout(350)
    return page


async def shown(page: Page, seconds: float) -> int:
    """How many codes came within that time."""
    before = await page.evaluate("bianmin.carry.shown")
    await asyncio.sleep(seconds)
    return int(await page.evaluate("bianmin.carry.shown")) - int(before)


@pytest.mark.parametrize("profile", [LANDSCAPE, PORTRAIT], ids=["landscape", "portrait"])
async def test_a_reader_of_another_make_reads_the_screen(
    browser: Browser, stage: Stage, profile: ScreenProfile
) -> None:
    page = await at_codes(browser, stage, profile)

    picture = Image.open(io.BytesIO(await page.screenshot()))
    (code,) = zxingcpp.read_barcodes(picture)

    expected = "".join(str((index * 7919 + 13) % 9 + 1) for index in range(690))
    assert code.text == expected
    assert "第2批，共3批" in await page.inner_text(".carry .part")
    assert "一共128件" in await page.inner_text(".carry .count")
    await page.context.close()


async def test_codes_come_six_a_second_and_half_as_many_when_slower(
    browser: Browser, stage: Stage
) -> None:
    page = await at_codes(browser, stage)

    quick = await shown(page, 2)
    await page.locator("[data-key=pace]").click()
    slow = await shown(page, 2)

    assert 8 <= quick <= 13
    assert 4 <= slow <= 7
    assert await page.inner_text("[data-key=pace]") == "放快些"
    await page.context.close()


async def test_pause_holds_the_code_and_the_same_button_goes_on(
    browser: Browser, stage: Stage
) -> None:
    page = await at_codes(browser, stage)

    await page.locator("[data-key=pause]").click()
    still = await shown(page, 1)
    await page.wait_for_timeout(200)
    await page.locator("[data-key=pause]").click()
    moving = await shown(page, 1)

    assert still <= 1
    assert moving >= 3
    await page.context.close()


async def test_left_screen_asks_for_no_more_codes(browser: Browser, stage: Stage) -> None:
    page = await at_codes(browser, stage)
    asked: list[Any] = []
    stage.put(carry_screens("zh-CN")["thanks_carried"])

    await page.locator("#next").click()
    assert await stage.posted() == ("continue", "", "")
    await page.wait_for_timeout(300)
    page.on("request", lambda request: asked.append(request.url) if "film" in request.url else None)
    await page.wait_for_timeout(2500)

    assert asked == []
    await page.context.close()
