"""`make pictures`: takes the README's pictures from a running village."""

import asyncio
import os
import tempfile
from pathlib import Path

from aiohttp import ClientSession
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from bianmin.accounts import ensure_accounts
from bianmin.browser import KIOSK_FLAGS, find_chromium
from bianmin.village import Village
from sync.transports.http import HttpLink
from tests.conftest import ROOT
from tests.device import Device, opened
from tests.generator import shipped_catalogue, shipped_villages, transactions
from tests.integration.delivery import local_today, settled
from tests.village import running_village
from tests.visitor import Visitor

PICTURES = ROOT / "docs" / "pictures"
SERVICE = "senior_allowance"
KIOSK: ViewportSize = {"width": 1024, "height": 600}
DESK: ViewportSize = {"width": 1280, "height": 800}
NEIGHBOURS = (  # name, village, waiting, hours the oldest has waited, free MB
    ("杨柳村便民服务点", "522326104202", 3, 2, 21_000),
    ("龙潭村便民服务点", "522326104207", 14, 80, 9_400),
    ("清泉村便民服务点", "522326102209", 1, 0, 310),
    ("茶园村便民服务点", "522326102203", 2, 1, 48_000),
    ("东冲村便民服务点", "522326103206", 1, 0, 12_000),
)
SETTLED_MS = 700  # pictures and fonts drawn, the first highlight on


async def take() -> None:
    """Start a village with some cases and take each picture."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as place:
        async with running_village(Path(place)) as village, async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=find_chromium(), args=[*KIOSK_FLAGS, *sandbox]
            )
            await _some_cases(village)
            await _neighbours(village, Path(place))
            await _kiosk(village, browser)
            await _centre(village, browser)
            await browser.close()


async def _some_cases(village: Village) -> None:
    await settled(village)
    assert village.kiosk is not None
    await village.kiosk.stop()
    with opened(village.directory / "kiosk") as device:
        device.submit(24, seed=5)
    await village.start_kiosk()
    await village.set_link(is_whole=True)
    await settled(village)


async def _neighbours(village: Village, place: Path) -> None:
    """Other villages' kiosks, so that the operators' page has something to say."""
    for name, code, waiting, hours, disk_free_mb in NEIGHBOURS:
        device = await Device.enrolled(village, place / code, name=name, village_code=code)
        async with HttpLink(village.centre_url) as link:
            agent = device.agent(link, disk_free_mb=disk_free_mb)
            await agent.exchange_once()
            device.submit(waiting, seed=waiting, age_ms=hours * 3_600_000, has_attachments=False)
            await agent.exchange_once()
        device.close()


async def _kiosk(village: Village, browser: Browser) -> None:
    page = await browser.new_page(viewport=KIOSK, locale="zh-CN")
    catalogue = shipped_catalogue()
    service = next(each for each in catalogue.services if each.id == SERVICE)
    transaction, attachments = next(
        transactions(
            catalogue, 3, today=local_today(), villages=shipped_villages(), service=SERVICE
        )
    )
    async with ClientSession() as session:
        visitor = await Visitor.arrive(session, village.kiosk_url)
        await _picture(page, village.kiosk_url, "home")
        await visitor.begin(service)
        taken: set[str] = set()
        while visitor.screen.kind != "receipt":
            name = {"id_number": "id"}.get(visitor.screen.body["question"], visitor.screen.kind)
            if name in ("id", "check") and name not in taken:
                taken.add(name)
                await _picture(page, village.kiosk_url, name)
            await visitor.step(transaction.answers, attachments)
        await _picture(page, village.kiosk_url, "receipt")
    await page.close()


async def _centre(village: Village, browser: Browser) -> None:
    accounts = {account.role: account for account in await ensure_accounts(village)}
    for role, name in (("clerk", "desk"), ("operator", "fleet")):
        context = await browser.new_context(viewport=DESK, locale="zh-CN")
        page = await context.new_page()
        await page.goto(f"{village.centre_url}/login")
        await page.fill("input[name=name]", accounts[role].name)
        await page.fill("input[name=password]", accounts[role].password)
        await page.locator("input[name=password]").press("Enter")
        await page.wait_for_url(f"{village.centre_url}{accounts[role].path}")
        await _picture(page, page.url, name)
        await context.close()


async def _picture(page: Page, url: str, name: str) -> None:
    await page.goto(url)
    await page.wait_for_timeout(SETTLED_MS)
    await page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    asyncio.run(take())
