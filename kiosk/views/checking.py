"""The check page: what was said, read back four lines at a time. Pure."""

import re

from kiosk import walk
from kiosk.paging import row_page, row_pages
from kiosk.phrases import said
from kiosk.places import Checking
from kiosk.screens import Row, Screen, Utterance
from kiosk.turning import checked_questions
from kiosk.views.asking import spoken_value
from kiosk.views.entries import shown
from kiosk.views.frame import Frame, repeats
from kiosk.visit import Draft
from kiosk.world import service_of
from sync import evaluation
from sync.forms import CHOICE_TYPES, Question, Service
from sync.handwriting import is_to_be_read
from voice_prompts.compose import Spoken

_SLOT = re.compile(r"\$\{([a-z][a-z0-9_]*)\}")


def check(frame: Frame, place: Checking, draft: Draft) -> Screen:
    """Show one page of lines; only the last one can hand in, so that all were seen."""
    service = service_of(draft, frame.world)
    questions = checked_questions(draft, frame.world)
    pages = row_pages(len(questions))
    page = min(place.page, pages)
    asked = [
        walk.worded(draft, frame.world, service.question(question_id))
        for question_id in row_page(questions, page)
    ]
    is_last = page == pages
    whole = frame.words(service.check.text) if page == 1 else ""
    text = evaluation.filled(
        frame.world.catalogue,
        service,
        whole,
        draft.answers,
        frame.language,
        frame.world.today,
        villages={v.code: frame.words(v.name) for v in frame.world.villages},
    )
    title = said_whole(frame, service, draft) if page == 1 else frame.say("check.title")
    rows = tuple(_row(frame, service, q, draft, index) for index, q in enumerate(asked, 1))
    key = "check.submit" if is_last else "check.more"
    return Screen(
        kind="check",
        language=frame.language,
        title=frame.text("check.title"),
        lines=(text,) if text else (),
        rows=rows,
        page=page,
        pages=pages,
        service_name=frame.words(service.plain_name),
        can_back=True,
        next_action="submit" if is_last else "more",
        next_value="" if is_last else str(page + 1),
        next_label=frame.text(key),
        say=(
            *title,
            *(
                utterance
                for index, q in enumerate(asked, 1)
                for utterance in _said_row(frame, service, q, draft, f"row-{index}")
            ),
            *frame.say(key, "next"),
        ),
        silence=repeats(frame, title, "silence.check"),
        timeout_s=frame.world.idle_s,
    )


def said_whole(frame: Frame, service: Service, draft: Draft) -> tuple[Utterance, ...]:
    """Say what this is about, unless one of its values is not known or not for other ears."""
    template = frame.words(service.check.voice)
    values = evaluation.calculated(frame.world.catalogue, service, draft.answers, frame.world.today)
    asked = {question.id: question for question in service.questions}
    slots: dict[str, Spoken] = {}
    for name in _SLOT.findall(template):
        spoken = _slot(frame, service, asked.get(name), draft.answers.get(name, ""))
        if values.get(name):
            spoken = Spoken("bank_tail", values[name])
        if spoken is None:
            return frame.say("check.title")
        slots[name] = spoken
    return (Utterance(template, slots),)


def _slot(frame: Frame, service: Service, asked: Question | None, value: str) -> Spoken | None:
    if asked is None or not value:
        return None
    if asked.type == "integer":
        return Spoken("number", value)
    spoken = spoken_value(asked, value)
    if spoken is None and asked.type in CHOICE_TYPES | {"village"}:
        return Spoken("text", shown(frame, service, asked, value, masked=True))
    return spoken


def _row(frame: Frame, service: Service, asked: Question, draft: Draft, index: int) -> Row:
    value = draft.answers.get(asked.id, "")
    return Row(
        question=asked.id,
        label=frame.words(asked.label),
        value=_written(frame, service, asked, value),
        icon=_icon(frame, service, asked, value),
        dom_id=f"row-{index}",
    )


def _written(frame: Frame, service: Service, asked: Question, value: str) -> str:
    if not value:
        return frame.text("check.nothing")
    match asked.type:
        case "photo":
            return frame.text("check.photos", count=value)
        case "signature":
            return frame.text("check.signed")
        case "voice_note" if not value.startswith("="):
            return frame.text("check.recorded")
        case _:
            return shown(frame, service, asked, value, masked=True)


def _icon(frame: Frame, service: Service, asked: Question, value: str) -> str:
    for choice in frame.world.catalogue.choices(service, asked):
        if choice.name == value:
            return choice.icon
    return ""


def _said_row(  # noqa: PLR0911 -- one return a kind of answer
    frame: Frame, service: Service, asked: Question, draft: Draft, dom_id: str
) -> tuple[Utterance, ...]:
    value = draft.answers.get(asked.id, "")
    label = said(frame.words(asked.label), dom_id)
    if not value:
        return (*label, *frame.say("check.nothing", dom_id))
    if asked.type in ("photo", "signature", "voice_note"):
        return (*label, *frame.say(_KEPT[asked.type], dom_id, count=Spoken("count", "1")))
    if asked.sensitivity == "sensitive" or asked.type in ("phone", "bank_card", "id_number"):
        return (*label, *frame.say("check.look", dom_id))
    if asked.type in CHOICE_TYPES:
        named = {c.name: c for c in frame.world.catalogue.choices(service, asked)}
        # In the order of the answer, which is the list's or, of a rank, the resident's own.
        picked = [named[name] for name in value.split() if name in named]
        heard = (said(frame.words(choice.voice), dom_id) for choice in picked)
        return (*label, *(utterance for each in heard for utterance in each))
    if asked.type == "village":
        return (*label, *said(shown(frame, service, asked, value, masked=True), dom_id))
    if is_to_be_read(asked, value):
        return (*label, *frame.say("check.handwritten", dom_id))
    spoken = spoken_value(asked, value)
    if spoken is None:
        return (*label, *frame.say("check.look", dom_id))
    return (*label, *said("{value}", dom_id, value=spoken))


_KEPT: dict[str, str] = {
    "photo": "check.has_photo",
    "signature": "check.signed",
    "voice_note": "check.recorded",
}
