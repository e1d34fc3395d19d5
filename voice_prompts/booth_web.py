"""The recording booth's routes: its page, the examples, the recordings."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from importlib import resources

import msgspec
from aiohttp import web

from voice_prompts.booth import REFUSED, Booth
from voice_prompts.limits import RECORDING_BYTES_MAX

_log = logging.getLogger(__name__)

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
        "media-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "microphone=(self)",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_FILES = {
    "/": ("booth.html", "text/html"),
    "/booth.js": ("booth.js", "text/javascript"),
    "/worklet.js": ("worklet.js", "text/javascript"),
    "/booth.css": ("booth.css", "text/css"),
}
_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def _guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Refuse what another page or another machine's name asks; add the headers of every answer."""
    name = request.host.rpartition(":")[0] or request.host
    is_ours = request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.host}":
        is_ours = False
    if name not in _LOOPBACK_NAMES or not (is_ours or request.method == "GET"):
        response: web.StreamResponse = web.Response(status=403)
    else:
        try:
            response = await handler(request)
        except web.HTTPException as error:
            response = web.Response(status=error.status)
    response.headers.update(_HEADERS)
    return response


def app_of(booth: Booth) -> web.Application:
    """Answer the app of a booth."""
    pages = _Pages(booth)
    app = web.Application(middlewares=[_guard], client_max_size=RECORDING_BYTES_MAX)
    app.add_routes([web.get(path, pages.file) for path in _FILES])
    app.add_routes(
        [
            web.get("/state", pages.state),
            web.get("/reference/{index}", pages.reference),
            web.get("/recording/{index}", pages.recording),
            web.put("/recording/{index}", pages.keep),
        ]
    )
    return app


class _Pages:
    def __init__(self, booth: Booth) -> None:
        self._booth = booth

    async def file(self, request: web.Request) -> web.Response:
        name, kind = _FILES[request.path]
        content = (resources.files("voice_prompts") / "booth_page" / name).read_bytes()
        return web.Response(body=content, content_type=kind, charset="utf-8")

    async def state(self, _: web.Request) -> web.Response:
        content = msgspec.json.encode(self._booth.state())
        return web.Response(body=content, content_type="application/json")

    async def reference(self, request: web.Request) -> web.StreamResponse:
        clip = self._booth.reference(_index_of(request))
        if clip is None:
            raise web.HTTPNotFound
        return web.FileResponse(clip.path, headers={"Content-Type": clip.media_type})

    async def recording(self, request: web.Request) -> web.StreamResponse:
        path = self._booth.recording(_index_of(request))
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={"Content-Type": "audio/wav"})

    async def keep(self, request: web.Request) -> web.Response:
        index, content = _index_of(request), await request.read()
        try:
            # Measuring and the disk's sync take their time; the page asks for nothing meanwhile.
            told = await asyncio.to_thread(self._booth.keep, index, content)
        except IndexError as error:
            raise web.HTTPNotFound from error
        except OSError as error:
            _log.error("a recording could not be saved: %s", error)
            return web.json_response({"told": "not_saved"}, status=500)
        return web.json_response({"told": told}, status=422 if told in REFUSED else 200)


def _index_of(request: web.Request) -> int:
    text = request.match_info["index"]
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise web.HTTPNotFound
    return int(text)
