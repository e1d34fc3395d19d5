"""Only the kiosk's own page may act, nothing may be kept, and a fault is told in plain words."""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from kiosk.web.keys import PARTS, STAGE
from kiosk.web.pages import fault_page, page
from sync.errors import BianminError

_log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: dict[str, str] = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "camera=(self), microphone=(self)",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
#: Routes whose answer is the resident's screen; elsewhere a fault is the page's to bear.
_SCREENS = ("/", "/act")
_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


def is_own_host(host: str) -> bool:
    """Answer whether a Host header names this machine itself.

    A page elsewhere that lets a name of its own point here (DNS rebinding) sends that name.

    >>> is_own_host("127.0.0.1:8420"), is_own_host("kiosk.example:8420")
    (True, False)
    """
    name, _, port = host.rpartition(":")
    if not name or not port.isdigit():
        name = host
    return name in _LOOPBACK_NAMES


def is_own_page(request: web.Request) -> bool:
    """Answer whether a request that changes something comes from our page or from no page.

    Browsers send `Origin` with every POST and `Sec-Fetch-Site` with every request; programs of
    this machine (the demo, an installer's curl) send neither.
    """
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.host}":
        return False
    return request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what does not come from the kiosk's own page; add the headers of every answer."""
    is_reading = request.method in ("GET", "HEAD")
    if not is_own_host(request.host) or not (is_reading or is_own_page(request)):
        response: web.StreamResponse = web.Response(status=403)
    else:
        response = await _answered(request, handler)
    response.headers.update(HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


async def no_banner(_: web.Request, response: web.StreamResponse) -> None:
    """Leave out which server of which version this is; a signal of aiohttp."""
    response.headers.popall("Server", None)


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        return web.Response(status=error.status)
    except (web.RequestPayloadError, ConnectionError):
        # Whoever posted broke off or sent what is no body: that is no fault of the screen's.
        return web.Response(status=400)
    except BianminError as error:
        # The resident's page shows its own words; the code is for whoever looks closer.
        status = int(error.code.split(".", 1)[0])
        return web.json_response({"code": error.code}, status=status)
    except Exception as error:
        # The last line of defence: whatever broke, the resident reads plain words, and the
        # log gets the class only, because a message may quote what they entrusted to us.
        _log.error(
            "a screen broke",
            extra={"route": "/" + request.path.split("/", 2)[1], "reason": type(error).__name__},
        )
        if request.path not in _SCREENS:
            return web.Response(status=500)
        return await _fault(request)


async def _fault(request: web.Request) -> web.Response:
    await request.app[STAGE].fault("500")
    try:
        return await page(request)
    except Exception as error:
        # Not even the fault screen can be drawn: plain words without any template.
        _log.error("the fault screen broke", extra={"reason": type(error).__name__})
        wording = request.app[PARTS].wordings[request.app[STAGE].visit.language]
        return fault_page(wording)
