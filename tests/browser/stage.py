"""A stand for single screens: shows what a test puts on it and writes down what the page sends."""

import asyncio
import io
import math
import os
import struct
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from aiohttp import web
from playwright.async_api import Browser, Page, async_playwright

from bianmin.browser import find_chromium
from kiosk.carry import Film, picture
from kiosk.entry import pinyin_path
from kiosk.entry.ink import Ink, read_ink
from kiosk.playlist import Playlist
from kiosk.screens import Screen
from kiosk.web.guard import HEADERS
from kiosk.web.presentation import ScreenProfile, Tokens, profile_css, render

STATIC = Path(__file__).parents[2] / "kiosk" / "web" / "static"
CLIP_S = 0.4
LANDSCAPE = ScreenProfile(1024, 600, 10.1)
PORTRAIT = ScreenProfile(800, 1280, 10.1)
LARGE = ScreenProfile(1920, 1080, 21.5)


def tone() -> bytes:
    """A wav of `CLIP_S` seconds."""
    rate = 22050
    samples = [int(9000 * math.sin(index * 0.09)) for index in range(int(rate * CLIP_S))]
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return out.getvalue()


class Stage:
    """One screen, its playlist, and all that was posted."""

    def __init__(self) -> None:
        self.screen: Screen | None = None
        self.playlist = Playlist()
        self.profile = LANDSCAPE
        self.posts: list[tuple[str, str, str]] = []
        self.attachments: list[tuple[str, int, str, bytes]] = []
        self.inks: list[Ink] = []
        #: What the stand says of every drawing, and of every answer that is asked about.
        self.candidates = tuple("王玉主五壬丰正土士工干三")
        self.echoes: list[tuple[str, str, bool]] = []
        self.told: dict[str, object] = {"lines": [], "is_wrong": False, "say": []}
        #: What was asked for of what a question holds: question, index.
        self.looked: list[tuple[str, str]] = []
        self.voices: list[str] = []
        self.texts: list[str] = []
        self.rev = 0
        self.is_broken = False
        self.url = ""
        self._posted = asyncio.Event()
        self._tone = tone()

    def put(self, screen: Screen, playlist: Playlist | None = None) -> None:
        """Show this screen from the next request on, and forget what was posted."""
        self.screen = screen
        self.playlist = playlist or Playlist()
        self.posts.clear()
        self.attachments.clear()
        self.inks.clear()
        self.looked.clear()
        self.echoes.clear()
        self.voices.clear()
        self.texts.clear()
        self._posted.clear()

    async def posted(self, timeout_s: float = 5.0) -> tuple[str, str, str]:
        """Answer the first post after `put`: action, value, question."""
        await asyncio.wait_for(self._posted.wait(), timeout_s)
        return self.posts[0]

    def _page(self) -> web.Response:
        assert self.screen is not None
        self.rev += 1
        html = render(self.screen, self.playlist, self.profile, Tokens("visit", self.rev))
        return web.Response(text=html, content_type="text/html", headers=HEADERS)

    async def show(self, _: web.Request) -> web.Response:
        return self._page()

    async def act(self, request: web.Request) -> web.Response:
        if self.is_broken:
            raise web.HTTPServiceUnavailable
        fields = await request.post()
        self.posts.append((str(fields["action"]), str(fields["value"]), str(fields["question"])))
        self._posted.set()
        return self._page()

    async def attach(self, request: web.Request) -> web.Response:
        query = request.query
        self.attachments.append(
            (query["question"], int(query["index"]), request.content_type, await request.read())
        )
        return web.Response(status=204)

    async def held(self, request: web.Request) -> web.Response:
        self.looked.append((request.query["question"], request.query["index"]))
        return web.Response(body=self._tone, content_type="audio/wav")

    async def handwriting(self, request: web.Request) -> web.Response:
        self.inks.append(read_ink(await request.read()))
        if self.is_broken:
            raise web.HTTPServiceUnavailable
        return web.json_response({"candidates": list(self.candidates)})

    async def echo(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.echoes.append((asked["question"], asked["value"], asked["is_read"]))
        return web.json_response(self.told)

    async def voice(self, request: web.Request) -> web.Response:
        self.voices.append(request.match_info["key"])
        return web.Response(body=self._tone, content_type="audio/wav")

    async def say(self, request: web.Request) -> web.Response:
        """Say a label: the clip is named after it, so that a test hears what was said."""
        text = str((await request.post())["text"])
        self.texts.append(text)
        return web.json_response([{"url": f"/voice/say/{len(self.texts)}", "pause_ms": 0}])

    async def style(self, _: web.Request) -> web.Response:
        return web.Response(text=profile_css(self.profile), content_type="text/css")

    async def pinyin(self, _: web.Request) -> web.StreamResponse:
        return web.FileResponse(pinyin_path())

    async def film(self, _: web.Request) -> web.Response:
        digits = "".join(str((index * 7919 + 13) % 9 + 1) for index in range(690))
        shown = Film(parts=3, envelopes=128, pictures=(picture(2, digits),) * 24)
        return web.Response(body=msgspec.json.encode(shown), content_type="application/json")

    async def pulse(self, _: web.Request) -> web.Response:
        return web.json_response({"is_current": True, "percent": 40})

    async def alive(self, _: web.Request) -> web.Response:
        return web.Response(status=204)


async def until(page: Page, script: str, timeout_s: float = 5.0) -> None:
    """Wait until a script of the page is true; the page's policy forbids Playwright's own way."""
    async with asyncio.timeout(timeout_s):
        while not await page.evaluate(script):
            await asyncio.sleep(0.02)


async def open_stage(browser: Browser, stage: Stage, profile: ScreenProfile = LANDSCAPE) -> Page:
    """Answer a fresh touch screen of that profile, with nothing on it yet."""
    stage.profile = profile
    context = await browser.new_context(
        viewport={"width": profile.width_px, "height": profile.height_px},
        has_touch=True,
        reduced_motion="reduce",
        permissions=["camera", "microphone"],
    )
    return await context.new_page()


async def appear(page: Page, stage: Stage) -> None:
    """Load what stands on the stage, and wait until it is painted and its camera sees."""
    await page.goto(stage.url)
    await until(page, "window.bianmin?.screens > 0")
    await until(page, "!document.querySelector('.film') || window.bianmin.carry?.shown > 0")
    await until(
        page, "[...document.querySelectorAll('video')].every((v) => v.hidden || v.videoWidth > 0)"
    )


@asynccontextmanager
async def running_browser(*flags: str) -> AsyncIterator[Browser]:
    """Start Chromium with a made-up camera and microphone."""
    chromium = find_chromium()
    assert chromium is not None, "Chromium is not installed: run deploy/setup as root"
    media = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=["--disable-gpu", *media, *sandbox, *flags]
        )
        yield browser
        await browser.close()


@asynccontextmanager
async def running_stage() -> AsyncIterator[Stage]:
    """Serve a stage on a free port."""
    stage = Stage()
    app = web.Application()
    app.add_routes(
        [
            web.get("/", stage.show),
            web.post("/act", stage.act),
            web.post("/alive", stage.alive),
            web.post("/say", stage.say),
            web.get("/pulse", stage.pulse),
            web.get("/carry/film", stage.film),
            web.post("/attachment", stage.attach),
            web.get("/attachment", stage.held),
            web.post("/handwriting", stage.handwriting),
            web.post("/echo", stage.echo),
            web.get("/voice/{key:.+}", stage.voice),
            web.get("/profile.css", stage.style),
            web.get("/pinyin.json", stage.pinyin),
            web.static("/static", STATIC),
        ]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    stage.url = f"http://{host}:{port}/"
    yield stage
    await runner.cleanup()
