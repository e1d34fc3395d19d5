"""One case on the desk: what is known, opening the answers for a purpose, the files."""

import base64
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from aiohttp import web

from server.cases import STEPS
from server.catalogue.shelf import Published
from server.dashboard import moments
from server.dashboard.lights import light
from server.dashboard.naming import village_name
from server.dashboard.pages import HEADERS, POLICY, now_ms, page, text, words_for
from server.dashboard.words import DEFAULT, Words, words_of
from server.errors import CaseUnknown, VaultCannotOpen, VaultLimit, VaultRefused, VaultUnavailable
from server.keys import CATALOGUES, STORE, VAULT
from server.people.guard import account_of
from server.people.permission import may_see_case, require
from server.signs import has_hidden_signs
from server.store import cases, looks
from server.store.rows import CaseRow, Decision
from server.vault.protocol import Opened
from sync.evaluation import shown
from sync.forms import ATTACHMENT_TYPES, UNANSWERED_TYPES, Question, Service
from sync.limits import PURPOSE_CHARS_MAX, PURPOSE_CHARS_MIN

Purpose = Literal["check", "call", "correct", "pay", "complaint"]
PURPOSES: tuple[Purpose, ...] = ("check", "call", "correct", "pay", "complaint")

#: A file's page stands in a frame of the case's page, and only there.
FRAME_HEADERS = {
    **HEADERS,
    "X-Frame-Options": "SAMEORIGIN",
    "Content-Security-Policy": POLICY.replace("frame-ancestors 'none'", "frame-ancestors 'self'"),
}
#: What browsers show without running anything; SVG inside <img> runs no script.
PICTURES = frozenset({"image/jpeg", "image/png", "image/svg+xml"})
SOUNDS = frozenset({"audio/webm", "audio/ogg", "audio/wav"})

#: A voice note may have been typed instead, so that it stays among the answers.
_FILES = ATTACHMENT_TYPES - {"voice_note"}
#: What is given once and for the whole, or only read: a clerk neither opens nor asks for it.
_UNASKED = UNANSWERED_TYPES | {"consent"}


class Answer(msgspec.Struct, frozen=True):
    """One question with its answer as people read it."""

    label: str
    value: str
    is_sensitive: bool


class File(msgspec.Struct, frozen=True):
    """One photo, signature or recording that the case announces."""

    index: int
    label: str
    is_received: bool


class Revealed(msgspec.Struct, frozen=True):
    """What the vault opened, for this one page."""

    purpose: str
    entry: int
    at_ms: int
    answers: tuple[Answer, ...]
    #: Labels of what was asked for and has no answer.
    empty: tuple[str, ...]
    files: tuple[File, ...]


class Desk(msgspec.Struct, frozen=True):
    """A case that this clerk may see, with the form it was made with."""

    case: CaseRow
    #: None when the catalogue version is not on the shelf any more.
    published: Published | None
    service: Service | None


def routes() -> list[web.AbstractRouteDef]:
    """Answer the routes of this page."""
    return [
        web.get("/desk/{case_no}", case_page),
        web.post("/desk/{case_no}/reveal", reveal),
        web.post("/desk/{case_no}/file/{index}", file_page),
    ]


@require("clerk")
async def case_page(request: web.Request) -> web.StreamResponse:
    """Show a case without its answers."""
    return await draw(request, await own_case(request))


@require("clerk")
async def reveal(request: web.Request) -> web.StreamResponse:
    """Open the answers that were asked for, once, with the purpose on record."""
    desk, form = await own_case(request), await request.post()
    words = words_for(request)
    plain = {key: str(value) for key, value in form.items()}
    purpose = purpose_of(plain)
    wanted = [str(value) for value in form.getall("field", [])]
    fields = tuple(field for field in field_ids(desk.service) if field in wanted)
    if purpose is None:
        return await draw(request, desk, status=422, problem=words(purpose_problem(plain)))
    if not fields:
        return await draw(request, desk, status=422, problem=words("case.nothing_ticked"))
    account = account_of(request)
    try:
        opened = await request.app[VAULT].open(
            desk.case.case_no,
            actor=account.name,
            role=account.role,
            purpose=purpose,
            fields=fields,
        )
    except (VaultUnavailable, VaultLimit, VaultRefused, VaultCannotOpen, CaseUnknown) as error:
        status, problem = refusal(error, words)
        return await draw(request, desk, status=status, problem=problem)
    await _tell(request, desk, purpose)
    found = revealed(desk, fields, opened, purpose, now_ms(request), words)
    return await draw(request, desk, revealed=found)


@require("clerk")
async def file_page(request: web.Request) -> web.StreamResponse:
    """Open one photo, signature or recording into the frame on the case's page."""
    desk, form = await own_case(request), await request.post()
    words, account = words_for(request), account_of(request)
    plain = {key: str(value) for key, value in form.items()}
    purpose = purpose_of(plain)
    index = request.match_info["index"]
    if purpose is None or not (index.isascii() and index.isdigit() and len(index) < 6):
        return _frame(request, 422, problem=words(purpose_problem(plain)))
    try:
        media_type, content = await request.app[VAULT].open_attachment(
            desk.case.case_no,
            int(index),
            actor=account.name,
            role=account.role,
            purpose=purpose,
        )
    except (VaultUnavailable, VaultLimit, VaultRefused, VaultCannotOpen, CaseUnknown) as error:
        status, problem = refusal(error, words)
        return _frame(request, status, problem=problem)
    await _tell(request, desk, purpose)
    kind = "picture" if media_type in PICTURES else "sound" if media_type in SOUNDS else ""
    if not kind:
        return _frame(request, 200, problem=words("case.attachment_kind"))
    source = f"data:{media_type};base64,{base64.b64encode(content).decode()}"
    return _frame(request, 200, kind=kind, source=source, number=int(index) + 1)


async def _tell(request: web.Request, desk: Desk, purpose: str) -> None:
    """Let the resident's kiosk know that somebody looked; the ledger has it already."""
    office = "、".join(account_of(request).departments)
    told = looks.told_words(office, purpose)
    await request.app[STORE].write(looks.tell, desk.case.case_no, told, now_ms(request))


async def own_case(request: web.Request) -> Desk:
    """Answer the case of the address if it is this clerk's.

    Raises:
        web.HTTPNotFound: There is none, or it belongs to others: the same answer, so that
            nobody learns which numbers exist.
    """
    db = request.app[STORE]
    case = await db.read(cases.get, request.match_info["case_no"])
    if case is None or not may_see_case(account_of(request), case.department, case.village_code):
        raise web.HTTPNotFound
    published = await db.read(request.app[CATALOGUES].fetch, case.catalogue)
    return Desk(case, published, published.service(case.service) if published else None)


async def draw(
    request: web.Request,
    desk: Desk,
    *,
    status: int = 200,
    revealed: Revealed | None = None,
    problem: str = "",
    draft: Decision | None = None,
    draft_problem: str = "",
) -> web.Response:
    """Draw the page of a case.

    Args:
        request: Who asks.
        desk: The case.
        status: HTTP status.
        revealed: What was opened for this one page.
        problem: Why nothing was opened, "" when nothing was asked.
        draft: A decision that could not be taken, to be mended.
        draft_problem: Why not.
    """
    words, case = words_for(request), desk.case
    reasons = dict(reasons_of(desk.published, words))
    history = await request.app[STORE].read(cases.events, case.case_no)
    return page(
        request,
        "case.html",
        status=status,
        here=f"/desk/{case.case_no}",
        case=case,
        service=desk.service,
        service_name=words.of(desk.service.name) if desk.service else case.service,
        village=village_name(case.village_code, desk.published, words),
        light=light(case.state, case.due_on, moments.today(now_ms(request))),
        history=history,
        labels=labels(desk.service, words),
        asked=bring_again(desk.service),
        reasons=reasons,
        reasons_for={action: suited(reasons, action) for action in ("correct", "refuse")},
        actions=[action for action, (_, sources) in STEPS.items() if case.state in sources],
        purposes=PURPOSES,
        revealed=revealed,
        problem=problem,
        draft=draft,
        draft_problem=draft_problem,
        tomorrow=moments.tomorrow(now_ms(request)),
    )


def purpose_of(form: Mapping[str, str]) -> str | None:
    """Answer the purpose as it is recorded: the clerk's own words, else the one from the list.

    It is recorded in Chinese whatever the page's language, for the auditor and the resident.
    """
    own = " ".join(form.get("purpose_words", "").split())
    if own:
        fits = PURPOSE_CHARS_MIN <= len(own) <= PURPOSE_CHARS_MAX
        return own if fits and not has_hidden_signs(own) else None
    chosen = form.get("purpose", "")
    return words_of(DEFAULT)(f"purpose.{chosen}") if chosen in PURPOSES else None


def purpose_problem(form: Mapping[str, str]) -> str:
    """Answer the key of why `purpose_of` found none."""
    if has_hidden_signs(" ".join(form.get("purpose_words", "").split())):
        return "case.purpose_signs"
    return "case.purpose_needed"


def field_ids(service: Service | None) -> tuple[str, ...]:
    """Answer the questions whose answers can be opened; files are opened one by one."""
    if service is None:
        return ()
    return tuple(
        question.id
        for question in service.questions
        if question.type not in _FILES and question.type not in _UNASKED
    )


def bring_again(service: Service | None) -> tuple[Question, ...]:
    """Answer the questions that a resident can be asked to answer again."""
    if service is None:
        return ()
    return tuple(question for question in service.questions if question.type not in _UNASKED)


def labels(service: Service | None, words: Words) -> dict[str, str]:
    """Answer the labels of a form's questions by id."""
    if service is None:
        return {}
    return {question.id: words.of(question.label) for question in service.questions}


def revealed(
    desk: Desk,
    fields: Sequence[str],
    opened: Opened,
    purpose: str,
    at_ms: int,
    words: Words,
) -> Revealed:
    """Answer what was opened, in the form's order and as people read it."""
    service, published = desk.service, desk.published
    if service is None or published is None:
        return Revealed(purpose, opened.entry, at_ms, (), (), ())
    villages = {code: words.of(village.name) for code, village in published.villages.items()}
    answers, empty = [], []
    for question in service.questions:
        if question.id not in fields:
            continue
        value = opened.answers.get(question.id, "")
        if not value:
            empty.append(words.of(question.label))
            continue
        if question.type == "voice_note":
            written = value[1:] if value.startswith("=") else words("case.yes_attached")
        else:
            written = shown(
                published.catalogue, service, question, value, words.language, villages=villages
            )
        is_sensitive = question.sensitivity == "sensitive"
        answers.append(Answer(words.of(question.label), written, is_sensitive))
    named = labels(service, words)
    files = tuple(
        File(place.index, named.get(place.question, place.question), place.is_received)
        for place in opened.attachments
    )
    return Revealed(purpose, opened.entry, at_ms, tuple(answers), tuple(empty), files)


def refusal(error: Exception, words: Words) -> tuple[int, str]:
    """Answer status and sentence for what the vault did not open."""
    match error:
        case VaultLimit():
            return 429, words("case.too_many")
        case VaultUnavailable():
            return 503, words("case.vault_down")
        case VaultCannotOpen() | VaultRefused() | CaseUnknown():
            return 422, words("case.vault_refused", reason=error.code)
        case _:
            raise error


def reasons_of(published: Published | None, words: Words) -> list[tuple[str, str]]:
    """Answer codes and words of the desk's reasons."""
    if published is None:
        return []
    return [(code, words.of(reason)) for code, reason in published.reasons.items()]


def suited(reasons: Mapping[str, str], action: str) -> dict[str, str]:
    """Answer the reasons made for an action: "fix_…" to correct, "no_…" to refuse.

    A county's list that does not use these beginnings is offered whole.
    """
    beginning = {"correct": "fix_", "refuse": "no_"}[action]
    fitting = {code: text for code, text in reasons.items() if code.startswith(beginning)}
    return fitting or dict(reasons)


def _frame(request: web.Request, status: int, **context: object) -> web.Response:
    defaults: dict[str, object] = {"problem": "", "kind": "", "source": "", "number": 0}
    body = text(request, "file.html", **(defaults | context))
    return web.Response(
        text=body, status=status, content_type="text/html", charset="utf-8", headers=FRAME_HEADERS
    )
