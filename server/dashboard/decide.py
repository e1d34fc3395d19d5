"""A clerk's decision: read from the form, shown once more, then taken."""

from collections.abc import Mapping
from typing import cast, get_args

import msgspec
from aiohttp import web

from server.cases import NOTICE_KINDS, checked
from server.dashboard import moments
from server.dashboard.case import Desk, draw, own_case
from server.dashboard.pages import now_ms, page, see, words_for
from server.dashboard.telling import told, with_remedy
from server.errors import DecisionIncomplete, TransitionRefused
from server.keys import BROADCAST, STORE
from server.people.guard import account_of
from server.people.permission import require
from server.signs import has_hidden_signs
from server.store import cases
from server.store.rows import Action, Decision
from sync.limits import DESK_WORDS_CHARS_MAX

#: What is said to a resident cannot be taken back, so it is shown before it goes out.
SHOWN_FIRST: frozenset[Action] = frozenset({"correct", "refuse", "complete"})


def routes() -> list[web.AbstractRouteDef]:
    """Answer the routes of this page."""
    return [web.post("/desk/{case_no}/decide", decide)]


@require("clerk")
async def decide(request: web.Request) -> web.StreamResponse:
    """Check a decision, show it once more where it cannot be undone, and take it.

    Raises:
        web.HTTPBadRequest: The form is none of ours.
    """
    desk, form = await own_case(request), await request.post()
    plain = {key: str(value) for key, value in form.items()}
    decision = read(plain, [str(value) for value in form.getall("missing", [])], desk)
    if decision is None:
        raise web.HTTPBadRequest
    if "edit" in form:
        return await draw(request, desk, draft=decision)
    words, at_ms = words_for(request), now_ms(request)
    try:
        complete = checked(_full(decision, desk), moments.today(at_ms))
    except DecisionIncomplete:
        problem = words(incomplete(decision))
        return await draw(request, desk, status=422, draft=decision, draft_problem=problem)
    if decision.action in SHOWN_FIRST and "confirmed" not in form:
        return _confirm(request, desk, decision, complete)
    account = account_of(request)
    try:
        await request.app[STORE].write(
            cases.decide, desk.case.case_no, complete, actor=account.name, now_ms=at_ms
        )
    except TransitionRefused:
        return see(f"/desk/{desk.case.case_no}", "act.no_longer")
    request.app[BROADCAST].publish("cases")
    return see("/desk", f"act.done_{decision.action}")


def read(form: Mapping[str, str], missing: list[str], desk: Desk) -> Decision | None:
    """Read a decision from the form; None when it is not one of the page's own."""
    action = form.get("action", "")
    if action not in get_args(Action):
        return None
    reasons = desk.published.reasons if desk.published else {}
    reason = form.get("reason", "")
    questions = [question.id for question in desk.service.questions] if desk.service else []
    is_correction = action == "correct"
    return Decision(
        action=cast("Action", action),
        reason_code=reason if reason in reasons else "",
        words=form.get("words", "").strip().replace("\r\n", "\n").replace("\t", " "),
        # In the form's order, so that the resident hears them as they were asked.
        missing=tuple(item for item in questions if item in missing) if is_correction else (),
        correct_by=form.get("correct_by", "") if is_correction else "",
    )


def incomplete(decision: Decision) -> str:
    """Answer the key of what a decision lacks, for one that the rules refused."""
    if len(decision.words) > DESK_WORDS_CHARS_MAX:
        return "act.words_long"
    if has_hidden_signs(decision.words, allowed="\n"):
        return "act.words_signs"
    if decision.action == "refuse":
        return "act.need_reason"
    return "act.bad_date" if decision.correct_by else "act.need_missing"


def _full(decision: Decision, desk: Desk) -> Decision:
    return with_remedy(decision, desk.service, desk.case.language) if desk.service else decision


def _confirm(
    request: web.Request, desk: Desk, decision: Decision, complete: Decision
) -> web.Response:
    service, published = desk.service, desk.published
    spoken = None
    if service is not None and published is not None:
        spoken = told(
            desk.case,
            service,
            NOTICE_KINDS[decision.action],
            complete,
            reasons=published.reasons,
            hotline=published.hotline,
        )
    return page(
        request,
        "confirm.html",
        here=f"/desk/{desk.case.case_no}",
        case=desk.case,
        # The clerk's own words go round; what was added is added again when it is sent.
        decision=msgspec.structs.replace(decision, correct_by=complete.correct_by),
        told=spoken,
    )
