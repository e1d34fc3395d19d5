"""Draw pages: templates, words, security headers."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from aiohttp import web

from server.catalogue.shelf import Published
from server.dashboard import moments, notes
from server.dashboard.words import Language, Words, language_of, words_of
from server.keys import CATALOGUES, CLOCK, SETTINGS, STORE
from server.people.accounts import Role
from server.people.guard import SESSION
from sync.ids import spaced

HERE = Path(__file__).parent
LANGUAGE_COOKIE = "language"

#: Where each role's work begins, and what its menu holds: path and key of the words.
START: Mapping[Role, str] = {
    "clerk": "/desk",
    "operator": "/fleet",
    "auditor": "/audit",
    "admin": "/people",
}
MENU: Mapping[Role, tuple[tuple[str, str], ...]] = {
    "clerk": (("/desk", "nav.desk"),),
    "operator": (
        ("/fleet", "nav.fleet"),
        ("/letters", "nav.letters"),
        ("/sticks", "nav.sticks"),
    ),
    "auditor": (("/audit", "nav.audit"), ("/audit/staff", "nav.staff")),
    "admin": (("/people", "nav.people"), ("/people/events", "nav.staff")),
}

#: No inline script or style; pictures also from the page itself, for opened attachments.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "media-src data:; frame-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": with it browsers send `Origin: null` with our own forms, and over plain
    # http there is no Sec-Fetch-Site to fall back on. To other hosts nothing is sent.
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


@cache
def templates() -> jinja2.Environment:
    """Make the template environment, once."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["spaced"] = spaced_number
    environment.filters["exact"] = moments.exact
    environment.globals["static"] = static_url
    return environment


def spaced_number(case_no: str) -> str:
    """Write a case number in groups; the "-2" of a number given twice stays behind it."""
    stem, dash, rest = case_no.partition("-")
    return spaced(stem) + dash + rest


@cache
def static_url(name: str) -> str:
    """Answer the address of a static file with its content's hash, so that it may be cached."""
    digest = hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?{digest}"


def words_for(request: web.Request) -> Words:
    """Answer the words in the language that the browser's cookie asks for."""
    return words_of(language_for(request))


def language_for(request: web.Request) -> Language:
    """Answer the language of the page."""
    return language_of(request.cookies.get(LANGUAGE_COOKIE))


def now_ms(request: web.Request) -> int:
    """Answer the centre's clock."""
    return request.app[CLOCK].now_ms()


async def catalogue_of(request: web.Request) -> Published | None:
    """Answer the newest published catalogue, None before the first publishing."""
    shelf = request.app[CATALOGUES]
    return await request.app[STORE].read(shelf.refresh)


def text(request: web.Request, template: str, **context: Any) -> str:
    """Fill a template with the page's words, account and helpers added to `context`."""
    words = words_for(request)
    session = request.get(SESSION)
    account = session.account if session else None
    at_ms = now_ms(request)
    # Before a borrowed password is replaced there is nothing to go to.
    is_ready = account is not None and not account.must_change
    menu = MENU[account.role] if account is not None and is_ready else ()
    common = {
        "t": words,
        "language": words.language,
        "account": account,
        "menu": menu,
        "place": place(request.path, menu),
        "csrf": session.csrf if session else "",
        "path": request.path,
        # Where a change of language leads back to; a form's address cannot be opened again.
        "here": request.path_qs if request.method == "GET" else "/",
        "now_ms": at_ms,
        "hotline": request.app[SETTINGS].hotline,
        "ago": lambda ms: moments.ago(ms, at_ms, words),
        "disk": lambda megabytes: moments.size(megabytes, words),
        "span": lambda seconds: moments.span(seconds, words),
        "day": lambda iso: moments.day(iso, words),
        "short_day": lambda iso: moments.short_day(iso, words),
    }
    return templates().get_template(template).render(common | context)


def place(path: str, menu: Sequence[tuple[str, str]]) -> str:
    """Answer the menu's entry that a page lies under: the nearest one above it.

    >>> place("/audit/staff", (("/audit", ""), ("/audit/staff", "")))
    '/audit/staff'
    """
    above = [target for target, _ in menu if f"{path}/".startswith(f"{target}/")]
    return max(above, key=len, default="")


def page(request: web.Request, template: str, *, status: int = 200, **context: Any) -> web.Response:
    """Draw a page; it is never kept by browser or proxy."""
    note = notes.take(request, words_for(request))
    body = text(request, template, **({"note": note} | context))
    response = web.Response(
        text=body, status=status, content_type="text/html", charset="utf-8", headers=HEADERS
    )
    if note:
        response.del_cookie(notes.COOKIE)
    return response


def see(path: str, note: str = "") -> web.Response:
    """Make the redirect after a form, so that loading the page again sends nothing twice.

    Args:
        path: Where to.
        note: Key of a sentence that the next page says.
    """
    response = web.Response(status=303, headers={"Location": path})
    if note:
        notes.leave(response, note)
    return response
