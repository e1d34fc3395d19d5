"""A helper's phone carries a village's backlog: codes on the kiosk's screen, seen by a camera.

All of it is real: the kiosk's process and its screen, the phone's page with its decoder, the
service worker without a link, the delivery over HTTP, the centre and its vault.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, ViewportSize

from bianmin import processes
from bianmin.browser import KIOSK_FLAGS
from bianmin.link import Link
from bianmin.village import Village
from tests.browser.camera import film, watched
from tests.browser.stage import running_browser, until
from tests.integration.delivery import arrived, queue, settled
from tests.integration.delivery import until as centre_until
from tests.village import centre_rows, running_village, status

pytestmark = [pytest.mark.deep, pytest.mark.timeout(300)]

PICTURES = Path(__file__).parents[2] / ".build" / "screens"
PHONE: ViewportSize = {"width": 390, "height": 780}
COUNT = 50
WATCHED_S = 14.0


@pytest.fixture(scope="module")
async def village(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Village]:
    async with running_village(tmp_path_factory.mktemp("village")) as village:
        await settled(village)
        yield village


async def codes_of(browser: Browser, village: Village, seconds: float) -> list[bytes]:
    """Walk to the kiosk's codes as a helper does, and look at them."""
    context = await browser.new_context(viewport={"width": 1024, "height": 600}, has_touch=True)
    page = await context.new_page()
    await page.goto(village.kiosk_url)
    await until(page, "window.bianmin?.screens > 0")
    for target in ("#helper", "[data-action=carry]", "#next"):
        await asyncio.sleep(0.4)
        await page.screenshot(path=PICTURES / f"carry-kiosk-{target.strip('#[]')}.png")
        await page.locator(target).click()
    await until(page, "window.bianmin?.carry?.shown > 0")
    seen = await watched(page, seconds)
    await page.screenshot(path=PICTURES / "carry-kiosk-codes.png")
    await context.close()
    return seen


async def shown(page: Page, selector: str) -> str:
    return await page.locator(selector).inner_text()


async def test_a_phone_without_signal_carries_fifty_envelopes_to_the_centre(
    village: Village, tmp_path: Path
) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    receipts = await queue(village, COUNT, seed=31)
    async with running_browser(*KIOSK_FLAGS) as browser:
        seen = await codes_of(browser, village, seconds=WATCHED_S)
    film(seen, tmp_path / "camera.mjpeg", seconds_each=WATCHED_S / len(seen), seed=1)

    (port,) = processes.free_ports(1)
    signal = Link(village.ports.centre)
    await signal.open(port)
    camera = f"--use-file-for-fake-video-capture={tmp_path / 'camera.mjpeg'}"
    async with running_browser(camera) as browser:
        context = await browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
        page = await context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        await page.goto(f"http://127.0.0.1:{port}/carry")
        await until(
            page, "navigator.serviceWorker.controller && !document.getElementById('ready').hidden"
        )

        signal.cut()
        await context.set_offline(True)
        await page.reload()
        await page.locator("#scan").click()
        begun_s = time.perf_counter()
        await until(page, f"document.body.dataset.held === '{COUNT}'", 60)
        caught_s = time.perf_counter() - begun_s
        await page.screenshot(path=PICTURES / "carry-phone-whole.png", full_page=True)
        await page.locator("#scan").click()
        assert "等信号" in await shown(page, "#way")
        await page.screenshot(path=PICTURES / "carry-phone-waiting.png", full_page=True)
        assert arrived(village, receipts[0].seq) == []

        signal.restore()
        await context.set_offline(False)
        await until(
            page,
            "document.body.dataset.held === '0' && !document.getElementById('told').hidden",
            30,
        )
        assert f"送到{COUNT}件" in await shown(page, "#told")
        await page.screenshot(path=PICTURES / "carry-phone-told.png", full_page=True)
        await context.close()
    await signal.close()

    assert faults == []
    # Of 36 pieces at six a second; the camera's loop may begin anywhere.
    assert caught_s < 25
    assert sorted(arrived(village, receipts[0].seq)) == [receipt.seq for receipt in receipts]
    await centre_until(
        lambda: not centre_rows(village, "SELECT 1 FROM envelopes WHERE fate = 'waiting'"),
        "every envelope opened",
    )
    assert centre_rows(village, "SELECT DISTINCT carrier FROM envelopes") == [("courier",)]
    cases = [row[0] for row in centre_rows(village, "SELECT case_no FROM cases ORDER BY case_no")]
    assert cases == [receipt.case_no for receipt in receipts]
    # The phone's word settles nothing: only the centre's does.
    assert (await status(village))["waiting"] == COUNT
    await village.set_link(is_whole=True)
    await settled(village)
    assert len(arrived(village, receipts[0].seq)) == COUNT
