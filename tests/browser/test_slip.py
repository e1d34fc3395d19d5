"""A slip's whole way in the real browser: printed, lost, told by itself, printed again, whole."""

from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import Browser

from kiosk.devices.hung import printer_of
from kiosk.devices.printing import Printing, pressed
from kiosk.devices.simulated import SimulatedPrinter
from kiosk.main import build_app
from sync.clock import SystemClock
from tests.browser.stage import until
from tests.unit.kiosk.devices.nothing import without_devices
from tests.unit.kiosk.devices.test_slips import hand_in
from tests.unit.kiosk.stations import station

PRINT_S = 30.0
LOST = "document.querySelector('.slip.lost') !== null"


@pytest.mark.deep
async def test_paper_that_ends_is_told_by_itself_and_the_slip_comes_with_the_next_roll(
    browser: Browser, tmp_path: Path
) -> None:
    with SimulatedPrinter() as simulated:
        clock = SystemClock()
        printing = Printing(printer_of(simulated.address, clock), pressed, clock)
        hung = without_devices(printing=printing)
        async with station(tmp_path, devices=hung) as kiosk:
            await hand_in(kiosk)
            assert printing._task is not None
            await printing._task
            runner = web.AppRunner(build_app(kiosk.stage, kiosk.parts))
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            page = await browser.new_page(viewport={"width": 1024, "height": 600})
            await page.goto(f"http://127.0.0.1:{runner.addresses[0][1]}/")
            await until(page, "window.bianmin?.screens > 0")
            whole = len(simulated.paper.slips)

            simulated.paper.rows_left = 200
            await page.wait_for_timeout(350)  # a new screen hears nothing for 300 ms
            await page.locator("#print").click()
            await until(page, LOST, PRINT_S)
            told = await page.locator(".slip").inner_text()
            number = await page.locator("#receipt-no dd").inner_text()

            simulated.paper.rows, simulated.paper.rows_left = [], None
            simulated.paper.state = "ok"
            await printing.look()
            await until(page, f"!({LOST})", PRINT_S)
            await page.wait_for_timeout(350)
            await page.locator("#next").click()
            await until(page, "document.body.dataset.kind !== 'receipt'")
            await page.close()
            await runner.cleanup()
        await hung.close()

    assert whole == 1
    assert "小票没打完。" in told
    assert "打印机没纸了。" in told
    assert number.replace(" ", "").isdigit()
    assert len(simulated.paper.slips) >= 2
