"""Enrolment codes: made for one service point, shown once."""

import sqlite3

import msgspec
from aiohttp import web

from server.dashboard.naming import village_name
from server.dashboard.pages import catalogue_of, now_ms, page, words_for
from server.enrolment import new_code
from server.keys import ENTROPY, STORE
from server.people.guard import account_of
from server.people.permission import require
from server.store import fleet, people
from sync.clock import Entropy
from sync.enrolment import locator_of
from sync.limits import ACCOUNT_NAME_CHARS_MAX, ENROL_CODE_MS


class Made(msgspec.Struct, frozen=True):
    """A code to be told to the installer."""

    code: str
    name: str
    village: str
    expires_ms: int


def routes() -> list[web.AbstractRouteDef]:
    """Answer the routes of this page."""
    return [web.get("/fleet/code", code_page), web.post("/fleet/code", make)]


@require("operator")
async def code_page(request: web.Request) -> web.StreamResponse:
    """Show the form and the codes that nobody has used yet."""
    return await _draw(request)


@require("operator")
async def make(request: web.Request) -> web.StreamResponse:
    """Make a code; only its locator and a key made of its secret are kept."""
    form = await request.post()
    name, village = str(form.get("name", "")).strip(), str(form.get("village", ""))
    published = await catalogue_of(request)
    if not 0 < len(name) <= ACCOUNT_NAME_CHARS_MAX:
        return await _draw(request, problem="code.bad_name", name=name, village=village)
    if published is None or village not in published.villages:
        return await _draw(request, problem="code.bad_village", name=name, village=village)
    at_ms = now_ms(request)
    replaces = replaced(str(form.get("replaces", "")))
    code = await request.app[STORE].write(
        _make,
        name=name,
        village_code=village,
        replaces=replaces,
        actor=account_of(request).name,
        entropy=request.app[ENTROPY],
        now_ms=at_ms,
    )
    shown = village_name(village, published, words_for(request))
    return await _draw(request, made=Made(code, name, shown, at_ms + ENROL_CODE_MS))


def replaced(text: str) -> int | None:
    """Answer the number of the kiosk that the new one replaces, None when it is a new place."""
    is_number = text.isascii() and text.isdigit() and len(text) <= 4
    return int(text) or None if is_number else None


def _make(
    conn: sqlite3.Connection,
    *,
    name: str,
    village_code: str,
    replaces: int | None,
    actor: str,
    entropy: Entropy,
    now_ms: int,
) -> str:
    code = new_code(
        conn,
        name=name,
        village_code=village_code,
        entropy=entropy,
        now_ms=now_ms,
        replaces=replaces,
    )
    people.record(
        conn,
        actor=actor,
        action="made_code",
        subject=name,
        detail=locator_of(code),
        now_ms=now_ms,
    )
    return code


async def _draw(
    request: web.Request,
    *,
    problem: str = "",
    name: str = "",
    village: str = "",
    made: Made | None = None,
) -> web.Response:
    at_ms, words = now_ms(request), words_for(request)
    published = await catalogue_of(request)
    handed_out = await request.app[STORE].read(fleet.codes)
    villages = published.villages.values() if published else ()
    return page(
        request,
        "code.html",
        status=422 if problem else 200,
        problem=words(problem) if problem else "",
        name=name,
        village=village,
        made=made,
        replaces=replaced(request.query.get("replaces", "")),
        villages=[(item.code, words.of(item.name)) for item in villages],
        waiting=[c for c in handed_out if c.used_ms is None and c.expires_ms > at_ms],
    )
