"""The demo's own page: a switch that cuts the link, what waits, and where to look."""

import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from importlib import resources
from typing import Final

import aiohttp
import jinja2
import msgspec
from aiohttp import web

from bianmin.accounts import Account
from bianmin.village import HOST, Village

_FILES: Final = resources.files("bianmin.page")
_STATUS_PATIENCE: Final = aiohttp.ClientTimeout(total=2)
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:;"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class LinkWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the switch asks for."""

    is_whole: bool  #: True: bytes shall pass


class State(msgspec.Struct, frozen=True):
    """What the page shows, asked for once a second."""

    is_whole: bool  #: whether the link lets bytes pass
    is_kiosk_running: bool
    is_centre_running: bool
    waiting: int | None  #: envelopes at the kiosk; None: the kiosk does not answer
    oldest_age_ms: int | None  #: how long the oldest waits; None: nothing waits
    contact_age_ms: int | None  #: since the centre last answered; None: never
    bytes_up: int  #: through the link since the demo began, everything above TCP counted
    bytes_down: int


class KioskStatus(msgspec.Struct, frozen=True):
    """The part of the kiosk's GET /status that the page shows."""

    waiting: int
    oldest_ms: int | None = None  #: Unix milliseconds
    last_ok_ms: int | None = None  #: Unix milliseconds


def build_page(village: Village, accounts: Sequence[Account]) -> web.Application:
    """Make the app of the demo's page.

    It shows passwords, so it answers only to its own name: a page elsewhere that points a name
    of its own at this machine (DNS rebinding) gets 403, and one that posts a form gets 415.

    Args:
        village: What it shows and whose link it switches.
        accounts: Shown with their passwords.
    """
    names = {f"{host}:{village.ports.page}" for host in (HOST, "localhost")}
    template = jinja2.Environment(autoescape=True).from_string(_read("index.html"))

    @web.middleware
    async def only_by_name(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.host not in names:
            raise web.HTTPForbidden
        response = await handler(request)
        response.headers.update(_HEADERS)
        return response

    async def index(_request: web.Request) -> web.Response:
        text = template.render(
            is_whole=village.link.is_whole,
            kiosk_url=village.kiosk_url,
            centre_url=village.centre_url,
            accounts=accounts,
        )
        return web.Response(text=text, content_type="text/html")

    async def state(_request: web.Request) -> web.Response:
        return _json(await _state(village))

    async def link(request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType
        try:
            wish = msgspec.json.decode(await request.read(), type=LinkWish)
        except msgspec.DecodeError as error:
            raise web.HTTPBadRequest from error
        await village.set_link(is_whole=wish.is_whole)
        return _json(await _state(village))

    app = web.Application(middlewares=[only_by_name], client_max_size=1024)
    app.add_routes(
        [
            web.get("/", index),
            web.get("/state", state),
            web.post("/link", link),
            web.get("/page.css", _file("page.css", "text/css")),
            web.get("/page.js", _file("page.js", "text/javascript")),
        ]
    )
    return app


async def _state(village: Village) -> State:
    status: KioskStatus | None = None
    with contextlib.suppress(aiohttp.ClientError, TimeoutError, msgspec.DecodeError):
        async with (
            aiohttp.ClientSession(timeout=_STATUS_PATIENCE) as session,
            session.get(f"{village.kiosk_url}/status") as answer,
        ):
            status = msgspec.json.decode(await answer.read(), type=KioskStatus)
    return State(
        is_whole=village.link.is_whole,
        is_kiosk_running=village.kiosk is not None and village.kiosk.is_running,
        is_centre_running=village.centre is not None and village.centre.is_running,
        waiting=status.waiting if status else None,
        oldest_age_ms=_age_ms(status.oldest_ms if status else None),
        contact_age_ms=_age_ms(status.last_ok_ms if status else None),
        bytes_up=village.link.bytes_up,
        bytes_down=village.link.bytes_down,
    )


def _age_ms(at_ms: int | None) -> int | None:
    return None if at_ms is None else max(0, time.time_ns() // 1_000_000 - at_ms)


def _json(state: State) -> web.Response:
    return web.Response(body=msgspec.json.encode(state), content_type="application/json")


def _file(name: str, media_type: str) -> Handler:
    text = _read(name)

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=text, content_type=media_type)

    return answer


def _read(name: str) -> str:
    return _FILES.joinpath(name).read_text("utf-8")
