"""One Chromium for all browser tests of a worker; a village of its own for each file."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from bianmin.browser import KIOSK_FLAGS, find_chromium
from bianmin.village import Village
from tests.browser.stage import Stage, running_stage
from tests.village import running_village

#: The kiosk's own screen: 10.1 inches across, the size that most boards are sold with.
SCREEN: ViewportSize = {"width": 1024, "height": 600}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium, started with the flags of a kiosk's screen."""
    chromium = find_chromium()
    assert chromium is not None, "Chromium is not installed: run deploy/setup as root"
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, headless=True, args=[*KIOSK_FLAGS, *sandbox]
        )
        yield browser
        await browser.close()


@pytest.fixture(scope="module")
async def village(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Village]:
    """A real centre, vault and kiosk as processes, on free ports, with data of their own.

    `village.link.cut()` and `.restore()` break and mend what is between them.
    """
    async with running_village(tmp_path_factory.mktemp("village")) as village:
        yield village


@pytest.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    """Screens that are put up one by one, without a kiosk behind them."""
    async with running_stage() as stage:
        yield stage


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A fresh touch screen; the test fails on any script error or broken address."""
    context = await browser.new_context(viewport=SCREEN, has_touch=True, locale="zh-CN")
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    await context.close()
    assert faults == []
