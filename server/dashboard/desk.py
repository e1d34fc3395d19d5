"""The clerk's queue: own cases by deadline."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal, get_args
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from server.catalogue.shelf import Published
from server.dashboard import moments
from server.dashboard.lights import Light, light
from server.dashboard.naming import service_name, village_name
from server.dashboard.pages import catalogue_of, now_ms, page, text, words_for
from server.dashboard.words import Words
from server.keys import STORE
from server.people.accounts import Account
from server.people.guard import account_of
from server.people.permission import require
from server.store import cases, pages
from server.store.pages import DueCount
from server.store.rows import CaseRow, CaseState
from sync.limits import PAGE_ROWS

Choice = Literal[
    "todo", "received", "accepted", "correction", "completed", "refused", "withdrawn", "all"
]
CHOICES: tuple[Choice, ...] = get_args(Choice)
STATES: tuple[CaseState, ...] = get_args(CaseState)
SERVICE_ID_CHARS = 64  # longer than any; what stands in an address is a stranger's


class Filter(msgspec.Struct, frozen=True):
    """What part of the queue is shown."""

    choice: Choice = "todo"
    service: str = ""
    number: int = 1

    @property
    def states(self) -> tuple[CaseState, ...]:
        """Answer the states that the choice stands for."""
        match self.choice:
            case "todo":
                return ("received", "accepted")
            case "all":
                return STATES
            case state:
                return (state,)

    @property
    def is_plain(self) -> bool:
        """Answer whether nothing is filtered."""
        return self.choice == "todo" and not self.service

    def path(self, number: int) -> str:
        """Answer the address of another page of the same filter."""
        query = {"state": self.choice, "service": self.service, "page": str(number)}
        return "/desk?" + urlencode({key: value for key, value in query.items() if value})


class Counts(msgspec.Struct, frozen=True):
    """How much waits, by urgency; one case is counted in one of the first three at most."""

    late: int
    today: int
    soon: int
    todo: int


class Line(msgspec.Struct, frozen=True):
    """One case as the table shows it."""

    case: CaseRow
    light: Light
    service: str
    village: str


def routes() -> list[web.AbstractRouteDef]:
    """Answer the routes of this page."""
    return [web.get("/desk", queue_page)]


@require("clerk")
async def queue_page(request: web.Request) -> web.StreamResponse:
    """Show the clerk's cases, the most urgent first."""
    return page(request, "desk.html", **await contents(request))


async def fragment(request: web.Request) -> str:
    """Draw what changes by itself on the queue, for its live stream."""
    return text(request, "desk_live.html", **await contents(request))


async def contents(request: web.Request) -> dict[str, Any]:
    """Answer what the queue shows."""
    account, chosen = account_of(request), asked(request.query)
    db, today = request.app[STORE], moments.today(now_ms(request))
    departments, villages = frozenset(account.departments), account.village_prefix
    rows = await db.read(
        cases.queue,
        departments=departments,
        villages=villages,
        states=chosen.states,
        service=chosen.service,
        limit=PAGE_ROWS + 1,
        offset=(chosen.number - 1) * PAGE_ROWS,
    )
    due = await db.read(pages.due_counts, departments=departments, villages=villages)
    published = await catalogue_of(request)
    words = words_for(request)
    return {
        "lines": lines(rows[:PAGE_ROWS], published, words, today),
        "counts": counted(due, today),
        "chosen": chosen,
        "choices": CHOICES,
        "services": services_of(account, published, words),
        "has_next": len(rows) > PAGE_ROWS,
    }


def asked(query: Mapping[str, str]) -> Filter:
    """Read the filter from the address; what is not understood counts as not asked."""
    choice = query.get("state", "todo")
    number = query.get("page", "1")
    is_number = number.isascii() and number.isdigit() and len(number) <= 5
    return Filter(
        choice=choice if choice in CHOICES else "todo",
        service=query.get("service", "")[:SERVICE_ID_CHARS],
        number=max(1, int(number)) if is_number else 1,
    )


def lines(
    rows: Sequence[CaseRow], published: Published | None, words: Words, today: date
) -> list[Line]:
    """Answer the rows with their words."""
    return [
        Line(
            case=row,
            light=light(row.state, row.due_on, today),
            service=service_name(row.service, published, words),
            village=village_name(row.village_code, published, words) or row.kiosk_name,
        )
        for row in rows
    ]


def counted(due: Sequence[DueCount], today: date) -> Counts:
    """Add up how many cases are late, due today, due soon, and all."""
    totals = {"late": 0, "today": 0, "soon": 0}
    for day in due:
        urgency = light("received", day.due_on, today).urgency
        if urgency in totals:
            totals[urgency] += day.count
    return Counts(**totals, todo=sum(day.count for day in due))


def services_of(
    account: Account, published: Published | None, words: Words
) -> list[tuple[str, str]]:
    """Answer id and name of the services that the clerk's departments decide."""
    if published is None:
        return []
    own = frozenset(account.departments)
    return [
        (service.id, words.of(service.plain_name))
        for service in published.catalogue.services
        if not own.isdisjoint(service.department.split("、"))
    ]
