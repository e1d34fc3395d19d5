"""Signing in and out, changing the password, choosing the language."""

import hmac
from urllib.parse import urlsplit

from aiohttp import web

from server.dashboard import moments
from server.dashboard.pages import LANGUAGE_COOKIE, START, now_ms, page, see, words_for
from server.dashboard.words import language_of
from server.keys import ENTROPY, SETTINGS, STORE
from server.people.accounts import Account, password_problem
from server.people.address import client_address, network
from server.people.buckets import Buckets
from server.people.guard import SESSION, account_of, cookie_name
from server.people.passwords import Passwords
from server.people.permission import everyone, signed_in
from server.people.sessions import new_token, token_hash
from server.store import people as store
from sync.limits import ACCOUNT_NAME_CHARS_MAX, SESSION_LIFE_MS

PASSWORDS = web.AppKey("passwords", Passwords)
#: Hides what was typed as a name and is none.
TYPED_KEY = web.AppKey("typed_key", bytes)
#: How often one network address may try to sign in.
LOGINS = web.AppKey("logins", Buckets)


def routes() -> list[web.AbstractRouteDef]:
    """Answer the routes of this page."""
    return [
        web.get("/login", login_page),
        web.post("/login", login),
        web.post("/logout", logout),
        web.post("/logout/everywhere", logout_everywhere),
        web.get("/password", password_page),
        web.post("/password", change_password),
        web.post("/language", change_language),
    ]


@everyone
async def login_page(request: web.Request) -> web.StreamResponse:
    """Show the sign-in form; who is signed in already goes to work."""
    session = request.get(SESSION)
    if session is not None:
        return see(START[session.account.role])
    back = local_path(request.query.get("next", ""))
    had_session = cookie_name(is_secure=request.app[SETTINGS].is_https) in request.cookies
    lead = words_for(request)("login.ended") if back and had_session else ""
    return page(request, "login.html", problem="", lead=lead, name="", next=back)


@everyone
async def login(request: web.Request) -> web.StreamResponse:
    """Check name and password; a new token for every sign-in.

    Raises:
        web.HTTPTooManyRequests: The address tries too often, whatever the names.
        web.HTTPServiceUnavailable: Too many people sign in at once.
    """
    form = await request.post()
    name = str(form.get("name", "")).strip().lower()[:ACCOUNT_NAME_CHARS_MAX]
    back = local_path(str(form.get("next", "")))
    db, words = request.app[STORE], words_for(request)
    address, at_ms = network(client_address(request)), now_ms(request)
    if not request.app[LOGINS].may(address, at_ms):
        raise web.HTTPTooManyRequests
    if request.app[PASSWORDS].is_busy:
        raise web.HTTPServiceUnavailable
    counted = await _counted_name(request, name)
    left_ms = await db.write(store.begin_attempt, counted, address, at_ms)
    if left_ms:
        problem = words("login.wait", span=moments.span(left_ms / 1000 + 1, words))
        return _login_again(request, 429, problem, name, back)
    account = await _account(request, name, str(form.get("password", "")))
    if account is None:
        return _login_again(request, 403, words("login.wrong"), name, back)
    await db.write(store.forget_failures, counted, address)
    response = see(back or START[account.role])
    await _start_session(request, response, account)
    return response


@signed_in
async def logout(request: web.Request) -> web.StreamResponse:
    """Sign out this browser."""
    session = request[SESSION]
    await request.app[STORE].write(store.end_session, session, now_ms=now_ms(request))
    return _signed_out(request, "login.out")


@signed_in
async def logout_everywhere(request: web.Request) -> web.StreamResponse:
    """Sign out every browser of this account."""
    account = account_of(request)
    await request.app[STORE].write(store.end_everywhere, account, now_ms=now_ms(request))
    return _signed_out(request, "login.out_everywhere")


@signed_in
async def password_page(request: web.Request) -> web.StreamResponse:
    """Show the form for a new password."""
    return page(request, "password.html", problem="")


@signed_in
async def change_password(request: web.Request) -> web.StreamResponse:
    """Replace one's own password; all other sessions end, this one gets a new token."""
    account, form = account_of(request), await request.post()
    current, new = str(form.get("current", "")), str(form.get("new", ""))
    problem = await _password_refused(request, account, current, new, str(form.get("again", "")))
    if problem:
        words = words_for(request)
        return page(request, "password.html", status=422, problem=words(problem))
    hashed = await request.app[PASSWORDS].hashed(new)
    changed = await request.app[STORE].write(
        store.set_password,
        account.name,
        hashed,
        actor=account.name,
        now_ms=now_ms(request),
        must_change=False,
    )
    response = see(START[account.role], "password.saved")
    await _start_session(request, response, changed)
    return response


@everyone
async def change_language(request: web.Request) -> web.StreamResponse:
    """Remember the language for a year and go back to where it was chosen."""
    form = await request.post()
    response = see(local_path(str(form.get("back", ""))) or "/")
    response.set_cookie(
        LANGUAGE_COOKIE,
        language_of(str(form.get("to", ""))),
        max_age=365 * 86_400,
        httponly=True,
        samesite="Lax",
        secure=request.app[SETTINGS].is_https,
    )
    return response


def local_path(text: str) -> str:
    r"""Answer the path when it leads to a page of ours, else "".

    Browsers read ``//host`` and ``/\host`` as another site.

    >>> local_path("/desk?page=2"), local_path("//evil.example"), local_path("https://x/")
    ('/desk?page=2', '', '')
    """
    # Our own addresses arrive percent-encoded: whatever else stands in one was put there.
    if "\\" in text or not all("!" <= char <= "~" for char in text):
        return ""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    is_ours = text.startswith("/") and not text.startswith("//")
    return text if is_ours and not parts.scheme and not parts.netloc else ""


def _login_again(
    request: web.Request, status: int, problem: str, name: str, back: str
) -> web.Response:
    return page(
        request, "login.html", status=status, problem=problem, lead="", name=name, next=back
    )


async def _counted_name(request: web.Request, name: str) -> str:
    """Answer what failures are counted under: a name that exists, else its keyed hash.

    People type passwords into the name field, and a database is copied. The key lives as long
    as this process; "?" begins no account's name.
    """
    if await request.app[STORE].read(store.account_of_name, name) is not None:
        return name
    return (
        "?" + hmac.digest(request.app[TYPED_KEY], name.encode("utf-8", "replace"), "sha256").hex()
    )


async def _account(request: web.Request, name: str, password: str) -> Account | None:
    db = request.app[STORE]
    found = await db.read(store.account_of_name, name)
    is_right = await request.app[PASSWORDS].is_right(found[1] if found else None, password)
    if is_right and found is not None and not found[0].is_disabled:
        return found[0]
    # Only names that exist: people type passwords into the name field.
    if found is not None:
        await db.write(
            store.record,
            actor=name,
            action="refused_sign_in",
            subject=name,
            now_ms=now_ms(request),
        )
    return None


async def _password_refused(
    request: web.Request, account: Account, current: str, new: str, again: str
) -> str:
    if new != again:
        return "password.differ"
    if new == current:
        return "password.same"
    reason = password_problem(new, account.name)
    if reason:
        return f"problem.{reason}"
    # A stolen session must not be a place to guess the password without delay.
    db, address = request.app[STORE], network(client_address(request))
    if await db.write(store.begin_attempt, account.name, address, now_ms(request)):
        raise web.HTTPTooManyRequests
    found = await db.read(store.account_of_name, account.name)
    if not await request.app[PASSWORDS].is_right(found[1] if found else None, current):
        return "password.wrong"
    await db.write(store.forget_failures, account.name, address)
    return ""


async def _start_session(
    request: web.Request, response: web.StreamResponse, account: Account
) -> None:
    entropy = request.app[ENTROPY]
    token, csrf = new_token(entropy), new_token(entropy)
    await request.app[STORE].write(
        store.start_session, account, token_hash(token), csrf, now_ms=now_ms(request)
    )
    is_https = request.app[SETTINGS].is_https
    response.set_cookie(
        cookie_name(is_secure=is_https),
        token,
        max_age=SESSION_LIFE_MS // 1000,
        path="/",
        httponly=True,
        samesite="Strict",
        secure=is_https,
    )


def _signed_out(request: web.Request, note: str) -> web.StreamResponse:
    response = see("/login", note)
    response.del_cookie(
        cookie_name(is_secure=request.app[SETTINGS].is_https),
        path="/",
        httponly=True,
        samesite="Strict",
        secure=request.app[SETTINGS].is_https,
    )
    return response
