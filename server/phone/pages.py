"""Two small pages for any phone: no script, both languages, under 60 kB together."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import jinja2
import msgspec
from aiohttp import web

from server.api import courier
from server.dashboard import moments
from server.dashboard.pages import spaced_number, static_url
from server.dashboard.words import Words, words_of
from server.errors import CourierRefused, KioskUnknown, TooMany
from server.keys import CLOCK, SETTINGS, STORE
from server.people.address import client_address, network
from server.people.buckets import Buckets
from server.people.permission import everyone
from server.store import cases
from server.store.rows import CaseEvent, CaseRow
from sync.ids import is_case_number

#: How often one network may look up numbers.
LOOKS = web.AppKey("looks", Buckets)

Mark = Literal["tick", "wait", "sad", "clock"]
#: What a resident is told of each state: sign and words.
MARKS: dict[str, Mark] = {
    "": "tick",
    "received": "tick",
    "accepted": "tick",
    "correction": "wait",
    "refused": "sad",
    "completed": "tick",
    "withdrawn": "tick",
}
#: Steps that a timeline tells. Words, reasons and names stay at the desk and the kiosk.
TOLD = frozenset({"received", "accept", "correct", "corrected", "refuse", "complete", "withdrawn"})

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    # The address holds the slip: it must not be told to any other site.
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}


class Step(msgspec.Struct, frozen=True):
    """One step of the road, with its day."""

    action: str
    day: str


def routes() -> list[web.AbstractRouteDef]:
    """Answer the routes of these pages.

    Some scanners write addresses in small letters.
    """
    return [
        web.get("/C/{digits:.*}", deliver),
        web.get("/c/{digits:.*}", deliver),
        web.get("/r", ask),
        web.get("/r/{case_no}", status),
    ]


@everyone
async def deliver(request: web.Request) -> web.StreamResponse:
    """Take in the envelope that the slip's code holds, and say so in plain words."""
    try:
        done = await courier.deliver(request, request.match_info["digits"])
    except CourierRefused:
        return _page(request, "said.html", status=400, mark="wait", key="phone.damaged")
    except KioskUnknown:
        return _page(request, "said.html", status=404, mark="wait", key="phone.unknown_kiosk")
    except TooMany:
        return _page(request, "said.html", status=429, mark="clock", key="phone.too_many")
    case = await request.app[STORE].read(cases.get, done.case_no)
    # A number that a copied kiosk gave twice must not show the other one's date.
    is_same = case is not None and case.state == done.state
    return _page(
        request,
        "case.html",
        title="phone.delivered",
        mark="tick",
        case_no=done.case_no,
        state=done.state,
        due=_due(case) if is_same else None,
        steps=(),
        note="phone.scan_again",
    )


@everyone
async def ask(request: web.Request) -> web.StreamResponse:
    """Show a field for the number, or go to the number that was typed."""
    typed = request.query.get("no")
    if typed is None:
        return _page(request, "ask.html", typed="", is_wrong=False)
    number = re.sub(r"\D", "", typed[:40])
    if not is_case_number(number):
        return _page(request, "ask.html", status=422, typed=typed[:40], is_wrong=True)
    raise web.HTTPSeeOther(f"/r/{number}")


@everyone
async def status(request: web.Request) -> web.StreamResponse:
    """Show how far a case is.

    Numbers can be tried out, so that neither the service nor a reason stands here, and one
    network may look only a few times a minute.
    """
    case_no = request.match_info["case_no"]
    address, at_ms = network(client_address(request)), request.app[CLOCK].monotonic_ms()
    if not request.app[LOOKS].may(address, at_ms):
        return _page(request, "said.html", status=429, mark="clock", key="phone.too_many")
    if not is_case_number(case_no):
        return _page(request, "ask.html", status=404, typed=case_no[:40], is_wrong=True)
    db = request.app[STORE]
    case = await db.read(cases.get, case_no)
    if case is None:
        return _page(request, "said.html", status=404, mark="wait", key="phone.not_here")
    history = await db.read(cases.events, case_no)
    return _page(
        request,
        "case.html",
        title=f"phone.state_{case.state}",
        mark=MARKS[case.state],
        case_no=case_no,
        state=case.state,
        due=_due(case),
        steps=steps(history),
        note="phone.ask_kiosk",
    )


def steps(history: Sequence[CaseEvent]) -> tuple[Step, ...]:
    """Answer the steps a resident is told, oldest first, to the day.

    The minute of a clerk's decision is nobody else's business.
    """
    return tuple(
        Step(event.action, moments.moment(event.at_ms).date().isoformat())
        for event in history
        if event.action in TOLD
    )


def _due(case: CaseRow | None) -> CaseRow | None:
    return case if case and case.due_on and case.state in ("received", "accepted") else None


@cache
def templates() -> jinja2.Environment:
    """Make the template environment of the phone pages, once."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["spaced"] = spaced_number
    environment.globals["static"] = static_url
    return environment


def _page(
    request: web.Request, template: str, *, status: int = 200, **context: Any
) -> web.Response:
    zh, en = words_of("zh-CN"), words_of("en")

    def day(iso: str, words: Words) -> str:
        return moments.day(iso, words)

    body = (
        templates()
        .get_template(template)
        .render(zh=zh, en=en, day=day, hotline=request.app[SETTINGS].hotline, **context)
    )
    response = web.Response(
        text=body, status=status, content_type="text/html", charset="utf-8", headers=HEADERS
    )
    if status == 429:
        response.headers["Retry-After"] = "60"
    return response
