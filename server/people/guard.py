"""The guard in front of all pages: who is asking, may they, and is the form our own."""

import asyncio
from typing import Any
from urllib.parse import urlencode

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler
from multidict import MultiDictProxy

from server.keys import CLOCK, SETTINGS, STORE
from server.people.accounts import Account
from server.people.permission import files_bytes_max, is_machine_path, roles_of
from server.people.sessions import (
    Session,
    is_alive,
    is_own_form,
    is_same_origin,
    is_touch_due,
    token_hash,
)
from server.store import people as store
from sync.limits import STAFF_FORM_BYTES_MAX, STAFF_FORM_TIMEOUT_S

#: The signed-in session of a request; absent on public pages of strangers.
SESSION = web.RequestKey("session", Session)

#: What reading a form with files may raise, for whoever sent it and for nobody else.
UNREADABLE = (
    ValueError,
    AssertionError,
    RuntimeError,
    LookupError,
    OSError,
    TimeoutError,
    HttpProcessingError,
    web.RequestPayloadError,
)

#: The files of a form, after its session's token was read and checked.
FILES = web.RequestKey("files", MultipartReader)

#: Pages that a person with a borrowed password may still open.
_BEFORE_CHANGE = frozenset({"/password", "/logout", "/language"})
_SAFE = frozenset({"GET", "HEAD"})
_FORM = "application/x-www-form-urlencoded"
_TOKEN_BYTES_MAX = 8192  # the least that aiohttp reads of a part at once


def cookie_name(*, is_secure: bool) -> str:
    """Answer the cookie's name; the prefix makes browsers refuse a cookie from elsewhere."""
    return "__Host-staff" if is_secure else "staff"


def account_of(request: web.Request) -> Account:
    """Answer who is signed in; only for pages that are not public."""
    return request[SESSION].account


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what the handler's roles, the session or the form's origin do not allow.

    Raises:
        web.HTTPForbidden: Another role's page, a forged form, or a handler without roles.
        web.HTTPRequestEntityTooLarge: A form that is larger than any of ours.
        web.HTTPBadRequest: One that cannot be read.
        web.HTTPSeeOther: To the sign-in page.
    """
    if is_machine_path(request.path):
        return await handler(request)
    session = await _session(request)
    if session is not None:
        request[SESSION] = session
    if request.match_info.http_exception is not None:
        return await handler(request)
    roles = roles_of(request.match_info.handler)
    if roles is None:
        raise web.HTTPForbidden
    if request.method not in _SAFE:
        await _check_form(request, session)
    if not roles:
        return await handler(request)
    if session is None:
        raise web.HTTPSeeOther(_sign_in_url(request))
    if session.account.must_change and request.path not in _BEFORE_CHANGE:
        raise web.HTTPSeeOther("/password")
    if session.account.role not in roles:
        raise web.HTTPForbidden
    return await handler(request)


async def _session(request: web.Request) -> Session | None:
    token = request.cookies.get(cookie_name(is_secure=request.app[SETTINGS].is_https))
    if not token:
        return None
    now_ms = request.app[CLOCK].now_ms()
    session = await request.app[STORE].read(store.session, token_hash(token))
    if session is None or not is_alive(session, now_ms):
        return None
    # A page that refreshes itself is not a person at the desk.
    if is_touch_due(session, now_ms) and "auto" not in request.query:
        await request.app[STORE].write(store.touch_session, session.token_hash, now_ms)
    return session


async def _check_form(request: web.Request, session: Session | None) -> None:
    headers = request.headers
    if not is_same_origin(headers.get("Sec-Fetch-Site"), headers.get("Origin"), request.host):
        raise web.HTTPForbidden
    size = request.content_length
    files_max = files_bytes_max(request.match_info.handler)
    if size is None or size > max(files_max, STAFF_FORM_BYTES_MAX):
        raise web.HTTPRequestEntityTooLarge(STAFF_FORM_BYTES_MAX, size or 0)
    if files_max:
        await _check_files(request, session)
        return
    form = await _form(request)
    if session is not None and not is_own_form(session, str(form.get("csrf", ""))):
        raise web.HTTPForbidden


async def _check_files(request: web.Request, session: Session | None) -> None:
    """Read the token, which stands before the files, and leave them to the handler."""
    is_packed = request.headers.get("Content-Encoding", "identity").lower() != "identity"
    if is_packed or request.content_type != "multipart/form-data":
        raise web.HTTPBadRequest
    try:
        async with asyncio.timeout(STAFF_FORM_TIMEOUT_S):
            reader = await request.multipart()
            token = await _token_of(await reader.next())
    except UNREADABLE as error:
        raise web.HTTPBadRequest from error
    if session is None or not is_own_form(session, token.decode("ascii", "replace")):
        raise web.HTTPForbidden
    request[FILES] = reader


async def _token_of(part: MultipartReader | BodyPartReader | None) -> bytes:
    token = b""
    if isinstance(part, BodyPartReader) and part.name == "csrf":
        while not part.at_eof() and len(token) <= _TOKEN_BYTES_MAX:
            token += await part.read_chunk(_TOKEN_BYTES_MAX)
    return token


async def _form(request: web.Request) -> MultiDictProxy[Any]:
    """Read the form, once for all that ask for it later.

    Raises:
        web.HTTPBadRequest: It is of a kind that none of our pages sends, cannot be read, or did
            not come in time.
    """
    is_packed = request.headers.get("Content-Encoding", "identity").lower() != "identity"
    if request.content_length and (is_packed or request.content_type != _FORM):
        raise web.HTTPBadRequest
    try:
        async with asyncio.timeout(STAFF_FORM_TIMEOUT_S):
            return await request.post()
    except (ValueError, LookupError, OSError, TimeoutError, web.RequestPayloadError) as error:
        raise web.HTTPBadRequest from error


def _sign_in_url(request: web.Request) -> str:
    if request.method not in _SAFE or request.path == "/":
        return "/login"
    return "/login?" + urlencode({"next": request.path_qs})
