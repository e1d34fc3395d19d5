"""The courier page: a helper's phone scans a kiosk's codes and delivers them later.

Everything it needs lies under ``/carry`` and is kept by its service worker, so that it opens
without signal. It gets sealed envelopes only and knows nobody.
"""

import hashlib
import json
from functools import cache
from pathlib import Path

from aiohttp import web

from server.dashboard.words import LANGUAGES, words_of
from server.people.permission import everyone
from server.phone.pages import templates

PAGE = "/carry"
FOLDER = Path(__file__).with_name("static")
#: What the page loads and the service worker keeps.
FILES = ("courier.css", "fountain.js", "pouch.js", "qrdecode.js", "courier.js", "icon.svg")
WORKER = "worker.js"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_PREFIX = "carry."

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; media-src 'self' blob:; connect-src 'self'; worker-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    # Asked for again, answered 304; without signal the service worker has it.
    "Cache-Control": "no-cache",
}


def routes() -> list[web.AbstractRouteDef]:
    """Answer the routes of the courier page; scanners may write its address in capitals."""
    return [
        web.get(PAGE, page),
        web.get("/CARRY", to_page),
        web.get(PAGE + "/{name:[a-z]+[.](?:css|js|svg)}", file),
    ]


@everyone
async def page(request: web.Request) -> web.StreamResponse:
    """Show the page: one for everybody, in both languages."""
    return _answer(request, drawn(), "text/html")


@everyone
async def to_page(_request: web.Request) -> web.StreamResponse:
    """Lead to the address that the service worker knows."""
    raise web.HTTPMovedPermanently(PAGE)


@everyone
async def file(request: web.Request) -> web.StreamResponse:
    """Answer a file of the page, or its service worker.

    Raises:
        web.HTTPNotFound: It is none of them.
    """
    name = request.match_info["name"]
    if name == WORKER:
        response = _answer(request, worker(), _TYPES[".js"])
        # Its folder is below the page that it is to keep.
        response.headers["Service-Worker-Allowed"] = PAGE
        return response
    if name not in FILES:
        raise web.HTTPNotFound
    return _answer(request, (FOLDER / name).read_bytes(), _TYPES[Path(name).suffix])


def _answer(request: web.Request, body: bytes, content_type: str) -> web.Response:
    headers = {**HEADERS, "ETag": f'"{_digest(body)}"'}
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return web.Response(status=304, headers=headers)
    response = web.Response(body=body, content_type=content_type, charset="utf-8", headers=headers)
    # A village pays for its bytes; what is packed is the same for everybody and holds no secret.
    response.enable_compression()
    return response


@cache
def drawn() -> bytes:
    """Draw the page, its words in both languages beside it."""
    words = {
        language: {
            key.removeprefix(_PREFIX): words_of(language)(key)
            for key in words_of(language)
            if key.startswith(_PREFIX)
        }
        for language in LANGUAGES
    }
    text = (
        templates()
        .get_template("carry.html")
        .render(
            zh=words_of("zh-CN"),
            en=words_of("en"),
            words=json.dumps(words, ensure_ascii=False, separators=(",", ":")),
        )
    )
    return text.encode()


@cache
def worker() -> bytes:
    """Answer the service worker: its script after what it keeps and under which name.

    A changed file changes the name, so that browsers find a new worker and it keeps all anew.
    """
    paths = [PAGE, *(f"{PAGE}/{name}" for name in FILES)]
    source = (FOLDER / WORKER).read_bytes()
    whole = b"".join([drawn(), source, *((FOLDER / name).read_bytes() for name in FILES)])
    head = f'const CACHE = "carry-{_digest(whole)}";\nconst FILES = {json.dumps(paths)};\n'
    return head.encode() + source


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:16]
