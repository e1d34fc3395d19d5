"""The present screen as an answer."""

from html import escape

from aiohttp import web

from kiosk.settings import Settings
from kiosk.web.keymap import key_map
from kiosk.web.keys import PARTS, STAGE
from kiosk.web.presentation import ScreenProfile, Tokens, render
from voice_prompts.wording import Wording


def profile_of(settings: Settings) -> ScreenProfile:
    """Answer the display as the settings describe it."""
    return ScreenProfile(settings.width_px, settings.height_px, settings.diagonal_in)


async def page(request: web.Request) -> web.Response:
    """Draw the present screen; it is never kept by anybody."""
    screen, spoken, visit = await request.app[STAGE].screen()
    settings = request.app[PARTS].settings
    html = render(
        screen,
        spoken,
        profile_of(settings),
        Tokens(visit.id, visit.rev),
        key_map(settings.keypad),
    )
    return web.Response(text=html, content_type="text/html")


def fault_page(wording: Wording) -> web.Response:
    """Draw the plainest page: two sentences in the resident's language."""
    title, line = escape(wording.screen("fault.title")), escape(wording.screen("fault.other"))
    html = f"<!doctype html><meta charset=utf-8><title>{title}</title><h1>{title}</h1><p>{line}"
    return web.Response(text=html, content_type="text/html", status=500)
