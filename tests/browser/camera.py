"""A phone's camera that looks at a screen: pictures of the screen, as a cheap lens sees them."""

import asyncio
import io
import random
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageFilter
from playwright.async_api import Page

#: What Chromium plays of an .mjpeg file in one second.
FILM_FRAMES_PER_S = 30
#: A cheap phone's camera gives so many pictures a second in a room.
CAMERA_PICTURES_PER_S = 15
WIDTH, HEIGHT = 640, 480


async def watched(page: Page, seconds: float) -> list[bytes]:
    """Look at a page for a while; answer what was seen, at `CAMERA_PICTURES_PER_S` or below."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + seconds
    seen = []
    while (now_s := loop.time()) < end_s:
        seen.append(await page.screenshot())
        await asyncio.sleep(max(0.0, 1 / CAMERA_PICTURES_PER_S - (loop.time() - now_s)))
    return seen


def through_a_lens(picture: bytes, rng: random.Random) -> bytes:
    """Answer a JPEG of 640 × 480: the screen askew, a little blurred, noisy, in uneven light."""
    screen = Image.open(io.BytesIO(picture)).convert("L")
    # The phone is held so that the middle part of the screen fills its picture.
    wide = screen.width
    high = wide * HEIGHT // WIDTH
    whole = Image.new("L", (wide, high), 40)
    whole.paste(screen, (0, (high - screen.height) // 2))
    shake = [rng.uniform(-0.015, 0.015) for _ in range(8)]
    corners = [(0, 0), (0, 1), (1, 1), (1, 0)]
    quad = [
        value
        for index, (x, y) in enumerate(corners)
        for value in ((x + shake[2 * index]) * wide, (y + shake[2 * index + 1]) * high)
    ]
    seen = whole.transform(
        (WIDTH, HEIGHT), Image.Transform.QUAD, quad, Image.Resampling.BICUBIC, fillcolor=40
    )
    seen = seen.filter(ImageFilter.GaussianBlur(0.7))
    light = Image.linear_gradient("L").resize((WIDTH, HEIGHT)).point(lambda level: level // 8)
    noise = Image.effect_noise((WIDTH, HEIGHT), 14)
    seen = Image.blend(seen, noise, 0.08)
    seen = Image.eval(seen, lambda level: min(255, level + 20))
    seen.paste(seen.point(lambda level: level * 7 // 8), mask=light.point(lambda level: level * 8))
    out = io.BytesIO()
    seen.save(out, "JPEG", quality=70)
    return out.getvalue()


def film(pictures: Sequence[bytes], path: Path, *, seconds_each: float, seed: int) -> None:
    """Write what a camera sees as the file that Chromium takes for a camera."""
    rng = random.Random(seed)
    repeat = max(1, round(FILM_FRAMES_PER_S * seconds_each))
    with path.open("wb") as file:
        for picture in pictures:
            file.write(through_a_lens(picture, rng) * repeat)
