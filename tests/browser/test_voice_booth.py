"""An installer records a dialect in Chromium, by keys and by touch, with a made-up microphone.

Pictures of the page stay in .build/booth/.
"""

import array
import asyncio
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from axe_playwright_python.async_playwright import Axe
from msgspec.structs import replace
from playwright.async_api import Page

from tests.browser.stage import running_browser
from tests.conftest import ROOT, VOICE_DIR
from tests.unit.voice_prompts.conftest import tone
from tests.unit.voice_prompts.pack_builder import HEAD, PROMPTS, SERVICES
from voice_prompts.booth import Booth
from voice_prompts.booth_web import app_of
from voice_prompts.library import Library
from voice_prompts.pack_check import check_pack, keyed
from voice_prompts.pack_source import PackSource

pytestmark = [pytest.mark.deep, pytest.mark.browser, pytest.mark.timeout(180)]

PICTURES = ROOT / ".build" / "booth"


def microphone(path: Path, level: float) -> Path:
    """Sound that a microphone hears again and again: half a second of voice, a little rest."""
    samples = tone(500, level) + bytes(2 * 22_050 // 5)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(22_050)
        file.writeframes(array.array("h", samples).tobytes())
    return path


@asynccontextmanager
async def at_the_booth(folder: Path, level: float = 0.3) -> AsyncIterator[tuple[Page, Booth]]:
    """Open the booth's page with somebody before the microphone who speaks this loud."""
    folder.mkdir(exist_ok=True)
    heard = microphone(folder / "heard.wav", level)
    booth = Booth(
        folder / "tongren", replace(HEAD, name_file=""), keyed(PROMPTS), Library(VOICE_DIR)
    )
    flags = (
        f"--use-file-for-fake-audio-capture={heard}",
        "--autoplay-policy=no-user-gesture-required",
    )
    server = TestServer(app_of(booth), host="127.0.0.1")
    await server.start_server()
    try:
        async with running_browser(*flags) as browser:
            context = await browser.new_context(
                viewport={"width": 1024, "height": 600},
                permissions=["microphone"],
                locale="zh-CN",
            )
            page = await context.new_page()
            faults: list[str] = []
            page.on("pageerror", lambda error: faults.append(str(error)))
            await page.goto(str(server.make_url("/")))
            await until(page, "window.booth?.isReady")
            yield page, booth
            assert faults == []
    finally:
        await server.close()


async def until(page: Page, script: str, timeout_s: float = 20.0) -> None:
    """Wait until the page's own condition holds."""
    async with asyncio.timeout(timeout_s):
        while not await page.evaluate(f"() => Boolean({script})"):
            await asyncio.sleep(0.05)


async def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=PICTURES / f"{name}.png")


async def spoken(page: Page, press: str = " ") -> str:
    """Record a sentence by keys and answer what the page says of it."""
    await page.keyboard.press(press)
    await until(page, "window.booth.recordedMs > 1500")
    await page.keyboard.press(press)
    await until(page, "!['recording', 'ready', 'too_quiet', 'clipped'].includes(booth.told)")
    told: str = await page.evaluate("booth.told")
    return told


async def test_pack_is_recorded_by_keys_alone(tmp_path: Path) -> None:
    async with at_the_booth(tmp_path) as (page, booth):
        await picture(page, "begin")
        told = [await spoken(page)]
        await page.keyboard.press("ArrowRight")
        await until(page, "booth.at === 1")
        async with page.expect_response("**/reference/1") as example:
            await page.keyboard.press("ArrowUp")
        await page.evaluate("booth.recordedMs = 0")
        told.append(await spoken(page))
        async with page.expect_response("**/recording/1?*") as own:
            await page.keyboard.press("ArrowDown")
        await picture(page, "recorded")

        assert told == ["saved", "saved"]
        assert (await example.value).ok
        assert (await own.value).ok
        assert await page.inner_text("#progress") == "录好 2 句，共 7 句，还要约 1 分钟"
        assert list(booth.manifest.clips) == ["home.title.1"]

    with PackSource(tmp_path / "tongren") as source:
        report = check_pack(source, PROMPTS, SERVICES)
    assert report.faults == ()
    assert report.recorded_count == 1
    assert booth.manifest.name_file


async def test_page_comes_back_to_the_first_missing_sentence(tmp_path: Path) -> None:
    async with at_the_booth(tmp_path) as (page, _):
        assert await spoken(page) == "saved"
        await page.reload()
        await until(page, "window.booth?.isReady")

        assert await page.evaluate("booth.at") == 1


async def test_whisper_is_told_at_once_and_never_saved(tmp_path: Path) -> None:
    async with at_the_booth(tmp_path, level=0.004) as (page, booth):
        await page.click("#record")
        await until(page, "booth.told === 'too_quiet'")
        told_at_once = await page.inner_text("#told")
        await picture(page, "too-quiet")
        await page.click("#record")
        await until(page, "booth.told === 'silent'")

        assert told_at_once == "太轻，听不见。请靠近一点。"
        assert booth.manifest.name_file == ""


async def test_shouting_is_told_at_once_and_never_saved(tmp_path: Path) -> None:
    async with at_the_booth(tmp_path, level=3.0) as (page, booth):
        await page.click("#record")
        await until(page, "booth.told === 'clipped'")
        await until(page, "booth.recordedMs > 800")
        await page.click("#record")
        await until(page, "booth.told === 'clipped' && !document.querySelector('#record.on')")
        await page.click("#language")

        assert await page.inner_text("#told") != ""
        assert booth.manifest.name_file == ""
        assert await page.inner_text("#next") == "Next →"
        await picture(page, "english")


async def test_page_is_accessible(tmp_path: Path) -> None:
    async with at_the_booth(tmp_path) as (page, _):
        found = await Axe().run(page)

        assert [one["id"] for one in found.response["violations"]] == []
