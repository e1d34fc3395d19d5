"""Errors as pages that people understand, in both languages; machines keep their problem+json."""

import logging

from aiohttp import web
from aiohttp.typedefs import Handler

from server.dashboard.pages import HEADERS, page
from server.people.permission import is_machine_path
from sync.errors import BianminError

_log = logging.getLogger(__name__)
#: Statuses that have words of their own; the others are told as 400 or 500.
WORDED = frozenset({400, 403, 404, 405, 413, 429, 500, 503})


@web.middleware
async def error_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn refusals and faults into plain pages; nobody sees a stack trace."""
    if is_machine_path(request.path):
        return await handler(request)
    try:
        return await handler(request)
    except web.HTTPRedirection:
        raise
    except web.HTTPException as error:
        return error_page(request, error.status)
    except BianminError as error:
        status = int(error.code.partition(".")[0])
        if status >= 500:
            _log.exception("page failed", extra={"code": error.code, "method": request.method})
        return error_page(request, status)
    except Exception:  # the last line before the person: whatever it is, they get a page
        _log.exception("page failed", extra={"method": request.method})
        return error_page(request, 500)


def error_page(request: web.Request, status: int) -> web.Response:
    """Draw the page of a status."""
    known = status if status in WORDED else 500 if status >= 500 else 400
    response = page(request, "error.html", status=status, code=known)
    if status in (429, 503):
        response.headers["Retry-After"] = "60"
    return response


@web.middleware
async def safe_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give redirects and whatever else has none the pages' headers."""
    if is_machine_path(request.path):
        return await handler(request)
    try:
        response = await handler(request)
    except web.HTTPException as error:
        _fill(error)
        raise
    if not response.prepared:
        _fill(response)
    return response


def _fill(response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
