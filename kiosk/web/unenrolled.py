"""What stands on the screen before a kiosk is enrolled: whose turn it is, and the one command."""

import asyncio
from html import escape

from aiohttp import web

from kiosk.settings import Settings
from kiosk.web.guard import HEADERS, no_banner
from kiosk.web.handlers import static
from kiosk.web.pages import profile_of
from kiosk.web.presentation import profile_css
from sync.clock import Clock
from sync.database import is_in_use
from sync.device import NotEnrolled, load_identity
from voice_prompts.wording import LANGUAGES, Wording

LOOK_S = 1.0
COMMAND = "bianmin kiosk enrol XXXX-XXXX-XXXX --centre https://…"


async def wait_until_enrolled(settings: Settings, stop: asyncio.Event, clock: Clock) -> bool:
    """Show what to do until the folder has an identity; answer whether it has one.

    Args:
        settings: Of this kiosk; the enrolment may write a file of further ones.
        stop: Set by a signal; the answer is then False.
        clock: For waiting.
    """
    if is_enrolled(settings):
        return True
    runner = web.AppRunner(build_app(settings), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
        # The command that enrols has the store open while it fetches the services.
        while not is_enrolled(settings) or is_in_use(settings.database):
            if stop.is_set():
                return False
            await clock.sleep(LOOK_S)
    finally:
        await runner.cleanup()
    return True


def is_enrolled(settings: Settings) -> bool:
    """Answer whether the data folder holds a readable identity."""
    try:
        load_identity(settings.data_dir)
    except NotEnrolled:
        return False
    return True


def build_app(settings: Settings) -> web.Application:
    """Answer the app of one page; its script shows the kiosk as soon as that serves."""

    async def show(_: web.Request) -> web.Response:
        return web.Response(text=waiting_page(settings), content_type="text/html", headers=HEADERS)

    async def display(_: web.Request) -> web.Response:
        css = profile_css(profile_of(settings))
        return web.Response(text=css, content_type="text/css", headers=HEADERS)

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="not enrolled", status=503, headers=HEADERS)

    app = web.Application()
    app.add_routes(
        [
            web.get("/", show),
            web.get("/profile.css", display),
            web.get("/static/{path:.+}", static),
            web.get("/healthz", healthz),
        ]
    )
    app.on_response_prepare.append(no_banner)
    return app


def waiting_page(settings: Settings) -> str:
    """Draw the page in each language, with the command for this kiosk's own folder."""
    texts = "".join(
        f'<section lang="{language}"><h1>{escape(wording.screen("unenrolled.title"))}</h1>'
        f"<p>{escape(wording.screen('unenrolled.line'))}</p></section>"
        for language in LANGUAGES
        for wording in (Wording.load(language),)
    )
    command = escape(f"{COMMAND} --data {settings.data_dir}")
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>bianmin</title>'
        '<link rel="stylesheet" href="/profile.css">'
        '<link rel="stylesheet" href="/static/unenrolled.css"><link rel="icon" href="data:,">'
        '<script type="module" src="/static/unenrolled.js"></script></head>'
        f"<body>{texts}<p><code>{command}</code></p></body></html>"
    )
