"""What a revoked kiosk sent: listed without content, taken or refused by a person, on record."""

import sqlite3
from typing import Literal

from aiohttp import web

from server.dashboard.fleet import kiosk_of
from server.dashboard.pages import now_ms, page, see, words_for
from server.errors import VaultRefused, VaultUnavailable
from server.keys import BROADCAST, PIPELINE, STORE, VAULT
from server.people.guard import account_of
from server.people.permission import require
from server.store import people, reviews
from server.store.rows import KioskRow
from sync.limits import PAGE_ROWS, PURPOSE_CHARS_MAX, PURPOSE_CHARS_MIN, SEQ_MAX

_PLACE = "/fleet/{kiosk_id:[0-9a-f]{16}}/quarantine"


def routes() -> list[web.AbstractRouteDef]:
    """Answer the routes of this page."""
    return [
        web.get(_PLACE, quarantine_page),
        web.post(f"{_PLACE}/accept", accept),
        web.post(f"{_PLACE}/refuse", refuse),
    ]


@require("operator")
async def quarantine_page(request: web.Request) -> web.StreamResponse:
    """Show what waits for a decision, then what was refused."""
    return await _draw(request, await kiosk_of(request))


@require("operator")
async def accept(request: web.Request) -> web.StreamResponse:
    """Give one envelope, or all up to a number, to the pipeline."""
    return await _decide(request, "accepted")


@require("operator")
async def refuse(request: web.Request) -> web.StreamResponse:
    """Leave one envelope aside for good, with the reason; it can still be accepted."""
    return await _decide(request, "refused")


async def _decide(
    request: web.Request, verdict: Literal["accepted", "refused"]
) -> web.StreamResponse:
    """Record the decision in the ledger, then follow it.

    Raises:
        web.HTTPBadRequest: The form is none of ours.
    """
    kiosk, account = await kiosk_of(request), account_of(request)
    form = await request.post()
    reason = str(form.get("reason", "")).strip()
    upto, letter = _number(str(form.get("upto", "")), SEQ_MAX), _number(str(form.get("letter", "")))
    if bool(upto) == bool(letter) or (upto and verdict == "refused"):
        raise web.HTTPBadRequest
    if not PURPOSE_CHARS_MIN <= len(reason) <= PURPOSE_CHARS_MAX:
        return await _draw(request, kiosk, problem="quarantine.no_reason")
    store, raw_id = request.app[STORE], bytes.fromhex(kiosk.kiosk_id)
    chosen = [letter] if letter else await store.read(reviews.up_to, raw_id, upto)
    if not chosen:
        return see(_path(kiosk), "quarantine.gone")
    try:
        # First the ledger, as with each opening: a decision that is not on record is none.
        await request.app[VAULT].record(
            f"{verdict}_quarantined",
            actor=account.name,
            role=account.role,
            purpose=reason,
            detail=f"{kiosk.kiosk_no} " + (f"1-{upto}" if upto else f"#{letter}"),
        )
    except VaultUnavailable:
        return await _draw(request, kiosk, problem="case.vault_down", status=503)
    except VaultRefused:
        return await _draw(request, kiosk, problem="quarantine.no_reason")

    def write(conn: sqlite3.Connection) -> int:
        done = reviews.decide(
            conn,
            raw_id,
            chosen,
            verdict,
            reason=reason,
            actor=account.name,
            now_ms=now_ms(request),
        )
        people.record(
            conn,
            actor=account.name,
            action="accepted_quarantined" if verdict == "accepted" else "refused_quarantined",
            subject=str(kiosk.kiosk_no),
            detail=str(done),
            now_ms=now_ms(request),
        )
        return done

    done = await store.write(write)
    request.app[PIPELINE].poke()
    request.app[BROADCAST].publish("fleet")
    request.app[BROADCAST].publish("letters")
    return see(_path(kiosk), f"quarantine.{verdict}" if done else "quarantine.gone")


async def _draw(
    request: web.Request, kiosk: KioskRow, *, problem: str = "", status: int = 422
) -> web.Response:
    number = max(1, _number(request.query.get("page", "1"), 9999))
    raw_id = bytes.fromhex(kiosk.kiosk_id)
    store = request.app[STORE]
    rows = await store.read(
        reviews.quarantined, raw_id, limit=PAGE_ROWS + 1, offset=(number - 1) * PAGE_ROWS
    )
    waiting = await store.read(reviews.count, raw_id)
    words = words_for(request)
    return page(
        request,
        "quarantine.html",
        status=status if problem else 200,
        problem=words(problem) if problem else "",
        kiosk=kiosk,
        found=rows[:PAGE_ROWS],
        waiting=waiting,
        last_undecided=max((row.seq for row in rows if not row.verdict), default=0),
        previous=f"{_path(kiosk)}?page={number - 1}" if number > 1 else "",
        next=f"{_path(kiosk)}?page={number + 1}" if len(rows) > PAGE_ROWS else "",
        chars_min=PURPOSE_CHARS_MIN,
        chars_max=PURPOSE_CHARS_MAX,
    )


def _path(kiosk: KioskRow) -> str:
    return f"/fleet/{kiosk.kiosk_id}/quarantine"


def _number(text: str, most: int = 2**62) -> int:
    """Read a number above 0; 0 when the text is none."""
    is_number = text.isascii() and text.isdigit() and len(text) < 19
    return int(text) if is_number and int(text) <= most else 0
