"""The demo's own page, in Chromium: the big switch, and the number that waits."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web
from playwright.async_api import Page, expect

from bianmin.accounts import Account
from bianmin.page import build_page
from bianmin.village import Village
from tests.generator import shipped_catalogue, shipped_villages, transactions
from tests.integration.delivery import local_today, settled
from tests.visitor import Visitor

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
async def page_url(village: Village) -> AsyncIterator[str]:
    app = build_page(village, [Account("clerk", "clerk", "abcd-efgh-jkmn")])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", village.ports.page).start()
    yield f"http://127.0.0.1:{village.ports.page}/"
    await runner.cleanup()


async def test_switch_holds_a_matter_back_and_lets_it_go(
    village: Village, page_url: str, page: Page
) -> None:
    await settled(village)
    await page.goto(page_url)
    await expect(page.locator("body")).to_have_attribute("data-link", "whole")
    await expect(page.locator("#waiting")).to_have_text("0")

    await page.locator("#switch").click()
    await expect(page.locator("#switch")).to_have_attribute("aria-checked", "false")
    await apply(village, "suggestion")
    await expect(page.locator("#waiting")).to_have_text("1")

    await page.locator("#switch").click()
    await expect(page.locator("#switch")).to_have_attribute("aria-checked", "true")
    await expect(page.locator("#waiting")).to_have_text("0", timeout=30_000)


async def apply(village: Village, service_id: str) -> None:
    catalogue = shipped_catalogue()
    service = next(each for each in catalogue.services if each.id == service_id)
    transaction, attachments = next(
        transactions(
            catalogue, 2, today=local_today(), villages=shipped_villages(), service=service_id
        )
    )
    async with ClientSession() as session:
        visitor = await Visitor.arrive(session, village.kiosk_url)
        await visitor.apply(service, transaction.answers, attachments)
