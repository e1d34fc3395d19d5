"""What every request passes: access log, headers, and errors as problems (RFC 9457)."""

import logging

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from server.api import metrics
from server.keys import CLOCK
from sync.errors import BianminError, ProblemDetails, problem_json

LOG = logging.getLogger("server.access")
PROBLEM = "application/problem+json"

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
#: Kiosks pay for every byte of a link, and show no pages.
MACHINE_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
#: The status alone tells a machine enough; the titles are for who reads a log.
TITLES = {
    400: "This is not a request that is understood here",
    401: "The centre does not know who sent this",
    403: "This is not allowed",
    404: "There is no such thing",
    409: "This does not fit to what the centre holds",
    411: "The length is missing",
    413: "This is too long",
    415: "This encoding is not taken",
    422: "This cannot be taken as it is",
    429: "Too many requests",
    500: "The centre failed",
    502: "An answer did not come from the centre",
    503: "The centre cannot do this now",
    507: "The centre is full",
}


def is_for_machines(path: str) -> bool:
    """Answer whether a machine reads the answer: then errors are problems, not pages."""
    return path.startswith(("/sync/", "/healthz", "/metrics"))


def problem(error: BianminError) -> web.Response:
    """Answer an error of ours as problem+json with its stable code."""
    status = int(error.code.split(".", 1)[0])
    title = TITLES.get(status, "The centre failed")
    away_s = getattr(error, "retry_after_s", 60)
    headers = {"Retry-After": str(away_s)} if status in (429, 503) else {}
    return web.Response(
        body=problem_json(title, error), status=status, content_type=PROBLEM, headers=headers
    )


class Unforeseen(BianminError):
    """A fault that nobody planned for; its place is in the log."""

    code = "500.24"


def http_problem(error: web.HTTPException) -> web.Response:
    """Answer an error of HTTP itself (unknown address, wrong method) as problem+json.

    Its code is the status and ".25", which no class of ours has.
    """
    told = ProblemDetails(
        title=TITLES.get(error.status, error.reason),
        status=error.status,
        code=f"{error.status}.25",
        detail="see docs/protocol.md",
    )
    return web.Response(
        body=msgspec.json.encode(told),
        status=error.status,
        content_type=PROBLEM,
        headers={"Allow": error.headers["Allow"]} if "Allow" in error.headers else {},
    )


def _route_of(request: web.Request) -> str:
    """Answer the pattern of the address: courier digits and case numbers never reach a log."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "(unknown)"


@web.middleware
async def access_log(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Log pattern, method, status, bytes and time of each request."""
    clock = request.app[CLOCK]
    start_ms = clock.monotonic_ms()
    status = 500
    try:
        response = await handler(request)
        status = response.status
    except web.HTTPException as error:
        status = error.status
        raise
    finally:
        route = _route_of(request)
        took_ms = clock.monotonic_ms() - start_ms
        metrics.count_request(request.app, route, status)
        LOG.info(
            "request",
            extra={
                "route": route,
                "method": request.method,
                "status": status,
                "ms": took_ms,
                "bytes_in": request.content_length or 0,
            },
        )
    return response


@web.middleware
async def headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Set the safe headers on whatever is answered, where the page did not set its own."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        for name, value in _headers_for(request).items():
            error.headers.setdefault(name, value)
        raise
    if not response.prepared:
        for name, value in _headers_for(request).items():
            response.headers.setdefault(name, value)
    return response


def _headers_for(request: web.Request) -> dict[str, str]:
    return MACHINE_HEADERS if is_for_machines(request.path) else HEADERS


async def no_banner(request: web.Request, response: web.StreamResponse) -> None:
    """Leave out which server of which version this is; a signal of aiohttp.

    On the way to a kiosk every byte is paid for, and its answers are signed: the length is all
    that HTTP has to say there.
    """
    response.headers.popall("Server", None)
    if response.status == 200 and request.path.startswith("/sync/"):
        for name in ("Date", "Content-Type", *MACHINE_HEADERS):
            response.headers.popall(name, None)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell machines every error as a problem; pages have their own error page."""
    if not is_for_machines(request.path):
        return await handler(request)
    try:
        return await handler(request)
    except BianminError as error:
        return problem(error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return http_problem(error)
    except Exception:
        # The last wall before a stack trace would reach a wire; the log has its place.
        LOG.exception("unforeseen", extra={"route": _route_of(request)})
        return problem(Unforeseen("try again later; the operators see this in the log"))
