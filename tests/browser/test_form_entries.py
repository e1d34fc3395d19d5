"""Time, range, order, decimal, code and notes: by finger and by keys, in Chromium."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page

from bianmin.browser import KIOSK_FLAGS
from tests.browser.sample_entry import entries
from tests.browser.sample_parts import question
from tests.browser.stage import Stage, appear, open_stage, running_browser

DEAF_S = 0.32  # the page hears nothing for 0.3 s after a screen
LINE = ("请点一下。", "Please touch.")

pytestmark = pytest.mark.deep


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser(*KIOSK_FLAGS) as browser:
        yield browser


@pytest.fixture
async def page(browser: Browser, stage: Stage) -> AsyncIterator[Page]:
    page = await open_stage(browser, stage)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    await page.context.close()
    assert faults == []


async def ask(page: Page, stage: Stage, kind: str, **more: object) -> None:
    stage.put(question("zh-CN", kind, "问题", "Question", LINE, **more))  # type: ignore[arg-type]
    await appear(page, stage)
    await asyncio.sleep(DEAF_S)


async def show(page: Page, stage: Stage, name: str) -> None:
    stage.put(entries("zh-CN")[name])
    await appear(page, stage)
    await asyncio.sleep(DEAF_S)


async def touch(page: Page, *selectors: str) -> None:
    for selector in selectors:
        await page.tap(selector)
        # The same button sooner than half a second after itself is a tremor.
        await asyncio.sleep(0.55)


async def test_hour_alone_is_a_time_and_minutes_refine_it(page: Page, stage: Stage) -> None:
    await ask(page, stage, "time")

    await touch(page, '[data-cell="15"]')
    assert await page.inner_text("#echo") == "下午3点00分"
    await touch(page, '[data-cell="20"]', '[data-cell="later"]')
    assert await page.inner_text("#echo") == "下午3点21分"
    await page.tap("#next")

    assert await stage.posted() == ("answer", "15:21", "q_time")


async def test_minute_before_midnight_turns_the_hour(page: Page, stage: Stage) -> None:
    await ask(page, stage, "time", value="00:00")

    await touch(page, '[data-cell="sooner"]')
    await page.tap("#next")

    assert await stage.posted() == ("answer", "23:59", "q_time")


async def test_time_by_digits_and_taken_back(page: Page, stage: Stage) -> None:
    await ask(page, stage, "time")

    await page.keyboard.type("99", delay=5)
    await page.keyboard.type("0930", delay=5)
    assert await page.inner_text("#echo") == "早上9点30分"
    await page.keyboard.press("Backspace")
    assert await page.is_disabled('[data-do="read"]')
    await page.keyboard.type("1805", delay=5)
    await page.keyboard.press("Enter")

    assert await stage.posted() == ("answer", "18:05", "q_time")


async def test_time_is_read_aloud_on_request(page: Page, stage: Stage) -> None:
    await ask(page, stage, "time", value="15:20")

    await touch(page, '[data-do="read"]')

    assert stage.echoes == [("q_time", "15:20", True)]


async def test_small_range_has_a_key_for_each_number(page: Page, stage: Stage) -> None:
    await show(page, stage, "range_few")
    assert await page.locator(".cells .key").count() == 11
    assert await page.is_hidden(".movers")

    await touch(page, '[data-cell="7"]')
    await page.tap("#next")

    assert await stage.posted() == ("answer", "7", "q_range")


async def test_long_range_moves_by_steps_and_stops_at_its_ends(page: Page, stage: Stage) -> None:
    await ask(page, stage, "range", least="0", most="50", step="0.1", value="0.2")
    more, much_more = '[data-move="1"]:not([data-leap])', '[data-move="1"][data-leap]'

    await touch(page, more)
    assert await page.inner_text("#typed") == "0.3"
    await touch(page, much_more, '[data-move="-1"][data-leap]', '[data-move="-1"][data-leap]')
    assert await page.inner_text("#typed") == "0"
    assert await page.is_disabled('[data-move="-1"][data-leap]')
    await touch(page, much_more)
    await page.tap("#next")

    assert await stage.posted() == ("answer", "1", "q_range")


async def test_untouched_range_says_nothing(page: Page, stage: Stage) -> None:
    await ask(page, stage, "range", least="1", most="5", step="1")

    await page.tap("#next")

    assert await stage.posted() == ("answer", "", "q_range")


async def test_range_below_nought_by_keys(page: Page, stage: Stage) -> None:
    await ask(page, stage, "range", least="-100", most="-50", step="5")

    await page.keyboard.press("-")
    assert await page.inner_text("#typed") == "-50"
    await page.keyboard.press("-")
    await page.keyboard.press("Enter")

    assert await stage.posted() == ("answer", "-55", "q_range")


async def test_order_is_the_order_of_touching(page: Page, stage: Stage) -> None:
    await show(page, stage, "rank")
    assert await page.inner_text("#tile-2 .place") == "1"

    await touch(page, "#tile-2")
    assert await page.inner_text("#tile-1 .place") == "1"
    await touch(page, "#tile-4", "#tile-2")
    await page.tap("#next")

    assert await stage.posted() == ("answer", "v1 v4 v2", "q_rank")


async def test_order_begins_anew_and_by_digits(page: Page, stage: Stage) -> None:
    await show(page, stage, "rank")

    await touch(page, "#again-rank")
    assert await page.is_disabled("#again-rank")
    await page.keyboard.type("312", delay=5)
    await page.keyboard.press("Backspace")
    await page.tap("#next")

    assert await stage.posted() == ("answer", "v3 v1", "q_rank")


async def test_decimal_below_nought(page: Page, stage: Stage) -> None:
    await ask(page, stage, "decimal", chars_max=15, least="-50")

    await page.keyboard.type("3.25", delay=5)
    await touch(page, '[data-key="-"]')
    await page.tap("#next")

    assert await stage.posted() == ("answer", "-3.25", "q_decimal")


async def test_decimal_that_cannot_be_negative_has_no_sign(page: Page, stage: Stage) -> None:
    await ask(page, stage, "decimal", chars_max=15)

    await page.keyboard.type("-1.234567", delay=5)
    await page.tap("#next")

    assert await stage.posted() == ("answer", "1.23456", "q_decimal")


async def test_code_comes_from_a_reader_on_a_cable(page: Page, stage: Stage) -> None:
    await ask(page, stage, "barcode", chars_max=50)

    await page.keyboard.type("NJ-690123x")
    await page.keyboard.press("Enter")

    assert await stage.posted() == ("answer", "NJ-690123x", "q_barcode")


@pytest.mark.parametrize(("name", "value"), [("note", ""), ("read_only", "120")])
async def test_what_is_told_is_only_gone_on_from(
    page: Page, stage: Stage, name: str, value: str
) -> None:
    screen = entries("zh-CN")[name]
    assert screen.entry is not None
    stage.put(
        question(
            "zh-CN",
            screen.entry.kind,
            "问题",
            "Q",
            LINE,
            next_value=value,
            value=value,
            is_read_only=name == "read_only",
        )
    )
    await appear(page, stage)
    await asyncio.sleep(DEAF_S)
    assert await page.locator("[data-key], [data-entry]").count() == 0

    await page.tap("#next")

    assert (await stage.posted())[:2] == ("answer", value)
