"""After a visit nothing of it remains: not in a file, not in the memory of any process.

A made-up person is entered at a real kiosk, in a Chromium that was started as the product starts
it. During the visit their number, name and phone are found (else the search would prove nothing);
after it they are looked for in every file and in what each process can read of its own memory.
"""

import asyncio
import contextlib
import os
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import msgspec
import psutil
import pytest
from playwright.async_api import Browser, Error, Page, async_playwright

from bianmin.browser import command, find_chromium, profile_in_memory
from bianmin.village import Village
from tests.browser.visits import id_number
from tests.deep.memory import Needles, found_in_files, found_in_memory, needles_of
from tests.deep.quiet import Quiet
from tests.village import running_village

pytestmark = [pytest.mark.deep, pytest.mark.browser, pytest.mark.timeout(600)]

ID: Final = id_number("19880609", 742)
NAME: Final = "欧阳翠莲"
PHONE: Final = "13900139742"
NEEDLES: Final[Needles] = {
    **needles_of("id", ID, f"{ID[:6]} {ID[6:14]} {ID[14:]}", f"{ID[:3]} {ID[3:6]} {ID[6:10]}"),
    **needles_of("name", NAME),
    **needles_of("phone", PHONE, f"{PHONE[:3]} {PHONE[3:7]} {PHONE[7:]}"),
}
ANSWERS: Final = {
    "consent": "OK",
    "consent_sensitive": "OK",
    "applicant_kind": "self",
    "proof_kind": "residence",
    "id_number": ID,
    "name": NAME,
    "phone": PHONE,
    "village_code": "522326104205",
    "use": "hospital",
    "office_cannot_check": "yes",
}
#: The bound: how long after a visit something may still be found.
FORGOTTEN_S: Final = 30.0
#: Seconds without a touch until “are you still there?”, and the 45 s after it, with room.
IDLE_S: Final = 60
GONE_S: Final = IDLE_S + 45 + 60


class Screen(msgspec.Struct):
    """The kiosk's screen as the product starts it, and the folder of its profile."""

    browser: Browser
    process: psutil.Process
    profile: Path

    async def page(self) -> Page:
        """Answer the one tab that is open, once it shows a screen."""
        pages: list[Page] = []
        for _ in range(200):
            pages = [page for context in self.browser.contexts for page in context.pages]
            shown = [page for page in pages if page.url.startswith("http")]
            if len(shown) == 1:
                with contextlib.suppress(Exception):
                    await shown[0].wait_for_load_state()
                    if await shown[0].evaluate("window.bianmin?.screens > 0"):
                        return shown[0]
            await asyncio.sleep(0.1)
        raise AssertionError(f"not one tab: {[page.url for page in pages]}")

    def renderers(self) -> set[int]:
        """Answer the processes that draw pages."""
        return {
            child.pid
            for child in self.process.children(recursive=True)
            if "--type=renderer" in _arguments(child)
        }


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


class Place(msgspec.Struct):
    """A village and the screen of its kiosk."""

    village: Village
    screen: Screen

    def processes(self) -> dict[str, int]:
        """Answer every process of the kiosk, by what it is."""
        assert self.village.kiosk is not None
        kiosk = psutil.Process(self.village.kiosk.pid)
        found = {"kiosk": kiosk.pid, "browser": self.screen.process.pid}
        for child in kiosk.children(recursive=True):
            found[f"voice {child.pid}"] = child.pid
        for child in self.screen.process.children(recursive=True):
            kind = next((one for one in _arguments(child) if one.startswith("--type=")), "")
            found[f"{kind.removeprefix('--type=') or 'helper'} {child.pid}"] = child.pid
        return found

    def found(self) -> dict[str, dict[str, int]]:
        """Answer what is found now, by process and by file."""
        memory = {name: found_in_memory(pid, NEEDLES) for name, pid in self.processes().items()}
        folders = (self.village.directory / "kiosk", self.village.directory / "log")
        files = found_in_files((*folders, self.screen.profile), NEEDLES)
        return {name: hits for name, hits in memory.items() if hits} | files


@pytest.fixture(scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    """A village whose kiosk's screen is shown; temporary files go to a folder of their own."""
    folder = tmp_path_factory.mktemp("village")
    settings = {"BIANMIN_KIOSK_IDLE_S": str(IDLE_S)}
    async with running_village(folder, settings) as village:
        with profile_in_memory() as profile:
            async with _shown(village.kiosk_url, profile, folder / "log") as screen:
                yield Place(village, screen)


@contextlib.asynccontextmanager
async def _shown(url: str, profile: Path, logs: Path) -> AsyncIterator[Screen]:
    """Start Chromium with the product's own command line, without a display."""
    chromium = find_chromium()
    assert chromium is not None, "Chromium is not installed: run deploy/setup as root"
    flags = ("--headless=new", "--remote-debugging-port=0", "--window-size=1024,600")
    with (logs / "browser.log").open("wb") as log:
        process = subprocess.Popen(
            (*command(chromium, "kiosk", f"{url}/", profile), *flags),
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": str(profile)},
        )
    try:
        port = await _debugging_port(profile)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
            yield Screen(browser, psutil.Process(process.pid), profile)
            with contextlib.suppress(Error):
                # A test may have killed it.
                await browser.close()
    finally:
        process.kill()
        process.wait()


async def _debugging_port(profile: Path) -> int:
    for _ in range(300):
        with contextlib.suppress(OSError, IndexError, ValueError):
            return int((profile / "DevToolsActivePort").read_text().splitlines()[0])
        await asyncio.sleep(0.1)
    raise AssertionError("Chromium did not start")


async def _entered(place: Place) -> tuple[Quiet, set[int]]:
    """Enter the made-up person as far as the check page, and see that they can be found."""
    resident = Quiet(await place.screen.page())
    await resident.look()
    assert resident.kind == "home"
    while not await resident.spot('.tile[data-value="papers"]'):
        await resident.go(".tile[data-action=more]")
    await resident.go('.tile[data-value="papers"]')
    if resident.kind == "category":
        await resident.go('.tile[data-value="proof_letter"]')
    await resident.fill(ANSWERS)
    assert resident.kind == "check", (resident.kind, resident.question)
    found = place.found()
    renderers = place.screen.renderers()
    # A test that nothing remains first makes sure that something was there.
    assert {"id utf-8", "name utf-16", "phone utf-8"} <= set(found.get("kiosk", {})), found
    drawing = {pid for pid in renderers if found.get(f"renderer {pid}")}
    assert drawing, found
    return resident, drawing


async def _forgotten(place: Place, renderers: set[int]) -> dict[str, dict[str, int]]:
    """Wait until nothing is found, at most the bound; answer what still is."""
    await place.screen.page()
    deadline_s = asyncio.get_running_loop().time() + FORGOTTEN_S
    while True:
        found = place.found()
        if not found or asyncio.get_running_loop().time() > deadline_s:
            break
        await asyncio.sleep(2.0)
    remaining = renderers & place.screen.renderers()
    assert not remaining, f"the tab's process lives on: {remaining}, {found}"
    return found


async def test_nothing_remains_after_a_receipt(place: Place) -> None:
    resident, renderers = await _entered(place)

    for _ in range(5):
        if resident.kind == "check":
            await resident.go("#next")
    assert await resident.until("document.body.dataset.kind === 'receipt'")
    await resident.look()
    await resident.touch("#home")

    assert await _forgotten(place, renderers) == {}


async def test_nothing_remains_after_home_was_touched(place: Place) -> None:
    resident, renderers = await _entered(place)

    await resident.go("#home")
    assert resident.kind == "leave"
    await resident.touch("[data-action=leave_yes]")

    assert await _forgotten(place, renderers) == {}


async def test_nothing_remains_after_somebody_walked_away(place: Place) -> None:
    _, renderers = await _entered(place)

    for _ in range(round(GONE_S)):
        await asyncio.sleep(1.0)
        if not renderers & place.screen.renderers():
            break

    assert await _forgotten(place, renderers) == {}


async def test_nothing_remains_after_the_screen_was_killed(place: Place, tmp_path: Path) -> None:
    resident, _ = await _entered(place)
    asked = resident.kind
    for process in (place.screen.process, *place.screen.process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()

    assert found_in_files([place.screen.profile], NEEDLES) == {}
    with profile_in_memory() as profile:
        async with _shown(place.village.kiosk_url, profile, tmp_path) as screen:
            again = Place(place.village, screen)
            resident = Quiet(await screen.page())
            await resident.look()
            assert resident.kind == asked
            drawing = {pid for pid in screen.renderers() if found_in_memory(pid, NEEDLES)}
            await resident.go("#home")
            await resident.touch("[data-action=leave_yes]")

            assert await _forgotten(again, drawing) == {}


def test_temporary_files_hold_nothing(place: Place) -> None:
    ours = [path for path in Path(tempfile.gettempdir()).glob("bianmin*") if path.is_dir()]

    assert found_in_files(ours, NEEDLES) == {}
