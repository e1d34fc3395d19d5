"""The operators' view: what needs a person first, then every kiosk, live."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from aiohttp import web

from server.dashboard.concerns import Assessment, Concern, assess, assess_all, devices_of
from server.dashboard.moments import exact, span
from server.dashboard.naming import village_name
from server.dashboard.pages import catalogue_of, now_ms, page, see, text, words_for
from server.dashboard.words import Words
from server.errors import KioskRowUnknown
from server.keys import BROADCAST, STORE
from server.people.guard import account_of
from server.people.permission import require
from server.store import fleet, pages, people, reviews
from server.store.rows import KioskRow
from sync.limits import CONCERNS_SHOWN, PAGE_ROWS

_HOUR_MS = 3_600_000
_ARRIVALS_MINUTES = 10
_SEARCH_CHARS = 40
_TREND_POINTS = 48

#: Columns that can be sorted by, and what they sort by.
SORTS: Mapping[str, Callable[[Assessment], Any]] = {
    "need": lambda found: found.rank,
    "village": lambda found: found.kiosk.name,
    "seen": lambda found: found.kiosk.last_seen_ms,
    "pending": lambda found: -found.kiosk.pending,
    "oldest": lambda found: -found.kiosk.oldest_s,
    "missing": lambda found: -_gaps(found.kiosk),
    "version": lambda found: (found.kiosk.version, found.kiosk.catalogue),
    "disk": lambda found: found.kiosk.disk_free_mb,
    "clock": lambda found: -abs(found.kiosk.clock_skew_ms),
}


class View(msgspec.Struct, frozen=True):
    """What part of the table is shown."""

    search: str = ""
    sort: str = "need"
    number: int = 1

    def query(self, *, sort: str = "", number: int = 1) -> dict[str, str]:
        """Answer the address's query for another order or page of the same search."""
        asked = {"q": self.search, "sort": sort or self.sort, "page": str(number)}
        plain = {"q": "", "sort": "need", "page": "1"}
        return {key: value for key, value in asked.items() if value != plain[key]}


class Card(msgspec.Struct, frozen=True):
    """One thing that needs a person."""

    kiosk: KioskRow
    concern: Concern
    title: str
    text: str


def routes() -> list[web.AbstractRouteDef]:
    """Answer the routes of this page."""
    return [
        web.get("/fleet", fleet_page),
        web.get("/fleet/{kiosk_id:[0-9a-f]{16}}", kiosk_page),
        web.post("/fleet/{kiosk_id:[0-9a-f]{16}}/revoke", revoke),
    ]


@require("operator")
async def fleet_page(request: web.Request) -> web.StreamResponse:
    """Show the whole fleet."""
    view = asked(request.query)
    return page(request, "fleet.html", view=view, **await contents(request, view))


async def fragment(request: web.Request) -> str:
    """Draw what changes by itself on the fleet page, for its live stream."""
    view = asked(request.query)
    context = await contents(request, view)
    return text(request, "fleet_live.html", view=view, **context)


async def contents(request: web.Request, view: View) -> dict[str, Any]:
    """Answer what the fleet page shows."""
    db, at_ms, words = request.app[STORE], now_ms(request), words_for(request)
    rows = await db.read(fleet.kiosks)
    summary = await db.read(fleet.summary)
    since_ms = at_ms - _ARRIVALS_MINUTES * 60_000
    arrived = await db.read(pages.arrivals, since_ms=since_ms)
    published = await catalogue_of(request)
    assessed = assess_all(rows, at_ms)
    urgent = [found for found in assessed if found.level in ("bad", "warn")]
    names = {row.village_code: village_name(row.village_code, published, words) for row in rows}
    chosen = sorted(matching(assessed, view.search, names), key=SORTS[view.sort])
    start = (view.number - 1) * PAGE_ROWS
    return {
        "summary": summary,
        "online": online(rows, at_ms),
        "in_use": summary.active + summary.forked,
        "per_minute": f"{arrived / _ARRIVALS_MINUTES:.1f}",
        "cards": [card(found, words) for found in urgent[:CONCERNS_SHOWN]],
        "more": max(0, len(urgent) - CONCERNS_SHOWN),
        "found": chosen[start : start + PAGE_ROWS],
        "count": len(chosen),
        "has_next": len(chosen) > start + PAGE_ROWS,
        "villages": names,
        "newest": published.version if published else 0,
        "gaps": _gaps,
    }


@require("operator")
async def kiosk_page(request: web.Request) -> web.StreamResponse:
    """Show one kiosk with all that is wrong with it."""
    kiosk = await kiosk_of(request)
    words = words_for(request)
    found = assess(kiosk, now_ms(request))
    points = await request.app[STORE].read(fleet.health, kiosk.kiosk_id, _TREND_POINTS)
    published = await catalogue_of(request)
    return page(
        request,
        "kiosk.html",
        kiosk=kiosk,
        found=found,
        cards=[_card(kiosk, concern, words) for concern in found.concerns],
        village=village_name(kiosk.village_code, published, words),
        devices=[device_told(name, state, words) for name, state in devices_of(kiosk)],
        gaps=_gaps(kiosk),
        bars=bars([point.pending for point in reversed(points)]),
        is_asked="revoke" in request.query,
        aside=await request.app[STORE].read(reviews.count, bytes.fromhex(kiosk.kiosk_id)),
    )


@require("operator")
async def revoke(request: web.Request) -> web.StreamResponse:
    """Take a kiosk out of service; the page before asked for the confirmation.

    Raises:
        web.HTTPNotFound: There is no such kiosk.
    """
    kiosk, account = await kiosk_of(request), account_of(request)

    def write(conn: Any) -> None:
        fleet.revoke(conn, kiosk.kiosk_id)
        people.record(
            conn,
            actor=account.name,
            action="revoked_kiosk",
            subject=str(kiosk.kiosk_no),
            now_ms=now_ms(request),
        )

    try:
        await request.app[STORE].write(write)
    except KioskRowUnknown as error:
        raise web.HTTPNotFound from error
    request.app[BROADCAST].publish("fleet")
    return see(f"/fleet/{kiosk.kiosk_id}", "kiosk.revoked")


def asked(query: Mapping[str, str]) -> View:
    """Read the view from the address; what is not understood counts as not asked."""
    number, sort = query.get("page", "1"), query.get("sort", "need")
    is_number = number.isascii() and number.isdigit() and len(number) <= 4
    return View(
        search=query.get("q", "").strip()[:_SEARCH_CHARS],
        sort=sort if sort in SORTS else "need",
        number=max(1, int(number)) if is_number else 1,
    )


def matching(
    assessed: Sequence[Assessment], search: str, villages: Mapping[str, str]
) -> list[Assessment]:
    """Answer the kiosks whose name, village, number or id holds what is searched for."""
    sought = search.casefold()
    return [
        found
        for found in assessed
        if not sought
        or sought in found.kiosk.name.casefold()
        or sought in villages.get(found.kiosk.village_code, "").casefold()
        or found.kiosk.village_code.startswith(sought)
        or sought.lstrip("0") == str(found.kiosk.kiosk_no)
        or found.kiosk.kiosk_id.startswith(sought)
    ]


def online(rows: Sequence[KioskRow], at_ms: int) -> int:
    """Answer how many kiosks called within the last hour."""
    return sum(row.state != "revoked" and at_ms - row.last_seen_ms < _HOUR_MS for row in rows)


def card(found: Assessment, words: Words) -> Card:
    """Answer the worst concern of a kiosk with its words."""
    return _card(found.kiosk, found.concerns[0], words)


def bars(values: Sequence[int]) -> list[int]:
    """Answer heights of a small bar chart, 0 to 20, the highest value filling it.

    >>> bars([0, 5, 10])
    [0, 10, 20]
    """
    top = max(values, default=0)
    return [round(value * 20 / top) if top else 0 for value in values]


def _card(kiosk: KioskRow, concern: Concern, words: Words) -> Card:
    slots = {
        "count": concern.count,
        "span": span(concern.seconds, words),
        "at": exact(kiosk.last_seen_ms),
        "device": device_told(*concern.device, words),
    }
    key = f"concern.{concern.code}"
    return Card(kiosk, concern, words(f"{key}.title", **slots), words(f"{key}.text", **slots))


def _gaps(kiosk: KioskRow) -> int:
    # What the kiosk itself says it still holds is not missing, only on its way.
    return max(0, kiosk.missing_count - kiosk.pending)


async def kiosk_of(request: web.Request) -> KioskRow:
    """Answer the kiosk that the address names.

    Raises:
        web.HTTPNotFound: There is no such kiosk.
    """
    row = await request.app[STORE].read(fleet.kiosk, request.match_info["kiosk_id"])
    if row is None:
        raise web.HTTPNotFound
    return row


def device_told(name: str, state: str, words: Words) -> str:
    """Answer a device's state in words; one that we have no words for as the kiosk said it."""
    key = f"device.{name}_{state}"
    return words(key) if key in words else f"{name}: {state}"
