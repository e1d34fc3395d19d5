"""The installer's screen and the dark hours, in the real browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from playwright.async_api import Browser, Page

from kiosk.devices.address import Address
from kiosk.devices.bell import Bell
from kiosk.devices.hung import Devices
from kiosk.installer.door import set_code
from kiosk.main import build_app
from sync.clock import SeededEntropy
from tests.browser.stage import LANDSCAPE, PORTRAIT, until
from tests.browser.test_screens import ACCESSIBILITY, AXE
from tests.unit.kiosk.devices.nothing import without_devices
from tests.unit.kiosk.stations import station
from tests.unit.sync.worlds import JumpingClock

CODE = "48213977"
#: Buttons of the installer's screen that are smaller than a thumb, in millimetres.
SMALL = """
(pxPerMm) => [...document.querySelectorAll("button")].map((one) => one.getBoundingClientRect())
  .filter((box) => Math.min(box.width, box.height) / pxPerMm < 12.7)
  .map((box) => [box.width / pxPerMm, box.height / pxPerMm])
"""


@asynccontextmanager
async def served(directory: Path, devices: Devices, **settings: object) -> AsyncIterator[str]:
    async with station(directory, devices=devices) as kiosk:
        chosen = msgspec.structs.replace(kiosk.parts.settings, **settings)
        object.__setattr__(kiosk.parts, "settings", chosen)
        set_code(directory, CODE, SeededEntropy(1))
        runner = web.AppRunner(build_app(kiosk.stage, kiosk.parts))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
        await runner.cleanup()


@asynccontextmanager
async def opened(browser: Browser, url: str, width: int, height: int) -> AsyncIterator[Page]:
    context = await browser.new_context(
        viewport={"width": width, "height": height}, has_touch=True, reduced_motion="reduce"
    )
    page = await context.new_page()
    await page.goto(url)
    await until(page, "window.bianmin?.screens > 0")
    yield page
    await context.close()


async def entered(page: Page) -> None:
    for _ in range(5):
        await page.locator("#title").tap()
    await page.wait_for_url("**/installer")
    for digit in CODE:
        await page.locator(f"[data-key='{digit}']").tap()
    await page.locator("[data-key=enter]").tap()
    await until(page, "document.body.className === 'inside'")


@pytest.mark.deep
@pytest.mark.parametrize("profile", [LANDSCAPE, PORTRAIT], ids=["landscape", "portrait"])
async def test_installer_finds_every_page_with_a_finger(
    browser: Browser, tmp_path: Path, profile: object
) -> None:
    width, height, inches = profile.width_px, profile.height_px, profile.diagonal_in  # type: ignore[attr-defined]
    bell = Bell(Address("file", str(tmp_path / "bell")), JumpingClock())
    size = {"width_px": width, "height_px": height, "diagonal_in": inches}
    source, faults = AXE.read_text("utf-8"), {}
    async with (
        served(tmp_path, without_devices(bell=bell), **size) as url,
        opened(browser, url, width, height) as page,
    ):
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        await entered(page)
        for tab in ("state", "tests", "doctor", "log"):
            await page.locator(f"[data-value={tab}]").tap()
            await until(page, f"document.body.dataset.tab === '{tab}'")
            await until(page, "!document.body.hasAttribute('aria-busy')")
            await page.evaluate(source)
            judged = await page.evaluate(ACCESSIBILITY)
            small = await page.evaluate(SMALL, profile.px_per_mm)  # type: ignore[attr-defined]
            if judged["faults"] or small:
                faults[tab] = (judged["faults"], small)
        await page.locator("[data-value=tests]").tap()
        await until(page, "document.body.dataset.tab === 'tests'")
        await page.locator("[data-screen=corners]").tap()
        for _ in range(4):
            await page.locator("#full i").first.tap()
        is_covered = await page.locator("#full").is_visible()
        await page.locator("[data-action=bell]").tap()
        await until(page, "document.querySelector('.done') !== null")
        await page.locator("#home").tap()
        await page.wait_for_url(url)

    assert (faults, errors, is_covered) == ({}, [], False)
    assert (tmp_path / "bell").read_bytes() == b"1\n0\n"


@pytest.mark.deep
async def test_dark_screen_wakes_by_a_touch_that_does_nothing_else(
    browser: Browser, tmp_path: Path
) -> None:
    hours = {"screen_off": "00:00-23:59", "quiet_hours": "00:00-23:59"}
    async with (
        served(tmp_path, without_devices(), **hours) as url,
        opened(browser, url, 1024, 600) as page,
    ):
        # Nobody touches for a minute: the page's own clock is moved, nobody waits.
        await page.clock.install()
        await page.reload()
        await until(page, "window.bianmin?.screens > 0")
        await page.clock.run_for(65_000)
        await until(page, "document.documentElement.classList.contains('resting')")
        said_before = await page.evaluate("window.bianmin.played.length")
        await page.locator(".tile").first.tap(force=True)
        await until(page, "!document.documentElement.classList.contains('resting')")
        kind = await page.evaluate("document.body.dataset.kind")
        await page.locator(".tile").first.tap()
        await page.clock.run_for(1000)
        await page.locator(".tile").first.tap()
        await until(page, "document.body.dataset.kind !== 'home'")

    assert (kind, said_before) == ("home", 0)
