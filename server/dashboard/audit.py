"""The auditor's feed: who looked, why, at which case; and whether the record is whole."""

from collections.abc import Sequence

import msgspec
from aiohttp import web

from server.dashboard.naming import service_name
from server.dashboard.pages import catalogue_of, now_ms, page, words_for
from server.errors import VaultUnavailable
from server.keys import STORE, VAULT
from server.people.guard import account_of
from server.people.permission import require
from server.store import people
from server.store.rows import LedgerEntry
from server.vault.ledger import LedgerState
from sync.limits import PAGE_ROWS


def routes() -> list[web.AbstractRouteDef]:
    """Answer the routes of these pages."""
    return [
        web.get("/audit", audit_page),
        web.post("/audit/check", check),
        web.get("/audit/staff", staff_page),
    ]


@require("auditor")
async def audit_page(request: web.Request) -> web.StreamResponse:
    """Show the ledger of openings, newest first."""
    return await _draw(request, None)


@require("auditor")
async def check(request: web.Request) -> web.StreamResponse:
    """Have the vault compute the whole chain again."""
    try:
        state = await request.app[VAULT].ledger_state(is_checked=True)
    except VaultUnavailable:
        return await _draw(request, None)
    actor = account_of(request).name
    await request.app[STORE].write(
        people.record,
        actor=actor,
        action="checked_ledger",
        subject=str(state.size),
        detail=state.root,
        now_ms=now_ms(request),
    )
    return await _draw(request, state)


@require("auditor")
async def staff_page(request: web.Request) -> web.StreamResponse:
    """Show what staff did to accounts, kiosks and letters."""
    return await staff_events_page(request)


async def staff_events_page(request: web.Request) -> web.Response:
    """Draw the feed of staff acts; the auditor and the administrator see the same."""
    before = before_of(request)
    events = await request.app[STORE].read(people.staff_events, limit=PAGE_ROWS + 1, before=before)
    return page(
        request,
        "staff.html",
        events=events[:PAGE_ROWS],
        older=events[PAGE_ROWS - 1].number if len(events) > PAGE_ROWS else 0,
    )


def before_of(request: web.Request) -> int:
    """Answer the number that the page begins after, 0 for the newest page."""
    text = request.query.get("before", "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


class Group(msgspec.Struct, frozen=True):
    """One entry, or machine entries in a row that a person may read as one."""

    newest: LedgerEntry
    oldest: LedgerEntry
    count: int


def grouped(entries: Sequence[LedgerEntry]) -> list[Group]:
    """Draw together machine openings that follow one another; looks of people stand alone."""
    groups: list[Group] = []
    for entry in entries:
        last = groups[-1] if groups else None
        if last and entry.role == "machine" == last.newest.role:
            groups[-1] = Group(last.newest, entry, last.count + 1)
        else:
            groups.append(Group(entry, entry, 1))
    return groups


async def _draw(request: web.Request, state: LedgerState | None) -> web.Response:
    vault, words, before = request.app[VAULT], words_for(request), before_of(request)
    published = await catalogue_of(request)
    accounts = await request.app[STORE].read(people.accounts)
    try:
        entries = await vault.ledger(PAGE_ROWS + 1, before or None)
    except VaultUnavailable:
        return page(
            request,
            "audit.html",
            status=503,
            groups=[],
            names={},
            services={},
            older=0,
            state=None,
            is_down=True,
        )
    shown = entries[:PAGE_ROWS]
    return page(
        request,
        "audit.html",
        groups=grouped(shown),
        names={account.name: account.shown_name for account in accounts},
        services={entry.service: service_name(entry.service, published, words) for entry in shown},
        older=shown[-1].number if len(entries) > PAGE_ROWS else 0,
        state=state,
        is_down=False,
    )
