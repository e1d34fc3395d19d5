"""Photos through a camera that sees what the test shows it: dark, blurred, sharp."""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter
from playwright.async_api import Page

from bianmin.browser import KIOSK_FLAGS
from tests.browser.sample_parts import question
from tests.browser.stage import Stage, appear, open_stage, running_browser, running_stage, until

DEAF_S = 0.32  # the page hears nothing for 0.3 s after a screen
LINE = ("请拍一下户口簿。", "Take a photo of the register.")
SHOT = "!document.querySelector('.finder img').hidden"
LIVE = "!document.querySelector('video').hidden && document.querySelector('video').videoWidth > 0"
#: What the made-up camera file shows.
DARK, BLURRED, SHARP = "dark", "blurred", "sharp"

pytestmark = pytest.mark.deep


def paper(look: str) -> Image.Image:
    """A page of a register before the camera, 1280 × 720."""
    page = Image.new("L", (1280, 720), 235)
    draw = ImageDraw.Draw(page)
    for row in range(14):
        for column in range(40):
            # Blocks like characters, for a machine without a font.
            left, top = 40 + column * 30, 30 + row * 48
            if (row * 7 + column * 3) % 5:
                draw.rectangle((left, top, left + 20, top + 24), outline=40, width=3)
                draw.line((left, top, left + 20, top + 24), fill=40, width=3)
    if look == BLURRED:
        return page.filter(ImageFilter.GaussianBlur(14))
    return page.point(lambda level: level // 9) if look == DARK else page


def film(path: Path, look: str) -> None:
    out = io.BytesIO()
    paper(look).save(out, "JPEG", quality=85)
    path.write_bytes(out.getvalue() * 30)


@contextlib.asynccontextmanager
async def looking(directory: Path, look: str, **more: object) -> AsyncIterator[tuple[Page, Stage]]:
    """A photo question before a camera that sees `look`."""
    camera = directory / "camera.mjpeg"
    film(camera, look)
    flag = f"--use-file-for-fake-video-capture={camera}"
    async with running_browser(*KIOSK_FLAGS, flag) as browser, running_stage() as stage:
        page = await open_stage(browser, stage)
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        stage.put(question("zh-CN", "photo", "户口簿", "Register", LINE, **more))
        await appear(page, stage)
        await asyncio.sleep(DEAF_S)
        yield page, stage
        await page.context.close()
        assert faults == []


async def shoot(page: Page) -> str:
    await until(page, LIVE)
    await page.tap('[data-do="shoot"]')
    await until(page, SHOT)
    await asyncio.sleep(DEAF_S)
    return await page.inner_text("#echo")


async def test_sharp_photo_is_kept_at_once(tmp_path: Path) -> None:
    async with looking(tmp_path, SHARP, attachments_max=2) as (page, stage):
        assert await shoot(page) == "拍好了"
        assert await page.is_visible('[data-do="another"]')
        await page.tap("#next")

        assert await stage.posted() == ("answer", "1", "q_photo")
        assert [index for _, index, *_ in stage.attachments] == [0]


@pytest.mark.parametrize(("look", "word"), [(DARK, "太暗了"), (BLURRED, "不太清楚")])
async def test_bad_photo_is_told_and_the_second_one_kept(
    tmp_path: Path, look: str, word: str
) -> None:
    async with looking(tmp_path, look, attachments_max=2) as (page, stage):
        assert (await shoot(page)).startswith(word)
        assert stage.attachments == []
        assert await page.is_hidden('[data-do="another"]')
        assert any(word in text for text in stage.texts)

        await page.tap('[data-do="retake"]')
        assert "也留下了" in await shoot(page)
        assert [index for _, index, *_ in stage.attachments] == [0]
        await page.tap("#next")

        assert await stage.posted() == ("answer", "1", "q_photo")


async def test_bad_photo_is_kept_when_its_owner_insists(tmp_path: Path) -> None:
    async with looking(tmp_path, DARK) as (page, stage):
        await shoot(page)

        await page.tap("#next")
        await until(page, "document.querySelector('#echo').textContent.includes('再点一次')")
        assert (stage.posts, stage.attachments) == ([], [])
        # The same button sooner than half a second after itself is a tremor.
        await asyncio.sleep(0.6)
        await page.tap("#next")

        assert await stage.posted() == ("answer", "1", "q_photo")
        assert len(stage.attachments) == 1


async def test_bad_further_photo_never_takes_the_good_one_away(tmp_path: Path) -> None:
    async with looking(tmp_path, BLURRED, attachments_max=3, attachments=1) as (page, stage):
        await page.tap('[data-do="another"]')
        await shoot(page)
        await page.tap('[data-do="retake"]')
        await shoot(page)
        await page.tap("#next")

        assert await stage.posted() == ("answer", "2", "q_photo")
        assert [index for _, index, *_ in stage.attachments] == [1]


@pytest.mark.parametrize("frame", ["card", "face", "sheet"])
async def test_guide_has_the_shape_of_what_is_taken(tmp_path: Path, frame: str) -> None:
    async with looking(tmp_path, SHARP, frame=frame) as (page, _):
        guide = await page.locator(".guide").bounding_box()
        finder = await page.locator(".finder").bounding_box()
        assert guide is not None
        assert finder is not None

        ratio = guide["width"] / guide["height"]
        assert abs(ratio - {"card": 1.585, "face": 0.76}.get(frame, ratio)) < 0.02
        assert guide["height"] > 0.5 * finder["height"]
        assert guide["y"] >= finder["y"]
