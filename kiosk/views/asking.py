"""One question, or the word that something does not fit. Pure."""

from msgspec.structs import replace

from kiosk import bounds, walk
from kiosk.paging import TILES_MAX, tile_page, tile_pages
from kiosk.phrases import said
from kiosk.places import Asking, Warned
from kiosk.screens import Entry, Screen, Utterance
from kiosk.turning import village_pages
from kiosk.views import card, mistakes
from kiosk.views.entries import entry_of
from kiosk.views.frame import Frame, Option, more_option, repeats, tiles, voices, worded
from kiosk.visit import Draft
from kiosk.world import service_of
from sync.forms import Question, Village
from voice_prompts.compose import Spoken

#: What to do on this kind of question, said after the longer silence.
_SILENCE: dict[str, str] = {
    "id_number": "silence.id_number",
    "name": "silence.name",
    "phone": "silence.pad",
    "bank_card": "silence.pad",
    "case_no": "silence.pad",
    "digits4": "silence.pad",
    "integer": "silence.pad",
    "amount": "silence.pad",
    "date": "silence.date",
    "photo": "silence.photo",
    "signature": "silence.signature",
    "voice_note": "silence.voice_note",
    "text_note": "silence.name",
    "multi_choice": "silence.multi",
    "decimal": "silence.pad",
    "barcode": "silence.pad",
    "time": "silence.time",
    "range": "silence.range",
    "rank": "silence.rank",
    "note": "silence.note",
}


def question(frame: Frame, place: Asking, draft: Draft) -> Screen:
    """Show one question with its way to answer it."""
    service = service_of(draft, frame.world)
    asked = walk.worded(draft, frame.world, service.question(place.question))
    options = _options(frame, asked, draft, place.page)
    entry = entry_of(frame, service, asked, draft, tiles(options))
    is_tile_answered = walk.is_tile_answered(asked)
    title = said(frame.words(asked.voice))
    error, said_error = _error(frame, asked, place)
    step, steps = _progress(frame, draft, asked)
    return Screen(
        kind="question",
        language=frame.language,
        title=frame.words(asked.label),
        lines=(
            frame.words(asked.voice),
            *filter(None, [frame.words(asked.hint)]),
            *card.lines(frame, place),
        ),
        tiles=tiles(options) if is_tile_answered else (),
        entry=entry,
        error=error,
        tries=place.tries if error else 0,
        example=mistakes.example(asked, place),
        page=place.page,
        pages=_pages(frame, draft, asked),
        step=step,
        steps=steps,
        service_name=frame.words(service.plain_name),
        can_back=True,
        next_action="" if is_tile_answered else "answer",
        next_label="" if is_tile_answered else frame.text(_next_key(asked)),
        next_value=entry.value if walk.is_told(asked) else "",
        skip_action="" if entry.is_required or walk.is_told(asked) else "skip",
        skip_label=frame.text("question.skip"),
        say=card.said(frame, place)
        if place.is_read
        else (
            *said_error,
            *title,
            *_beside(frame, asked, entry),
            *card.said(frame, place),
            *_said_options(frame, options, entry, place),
        ),
        silence=repeats(frame, title, _SILENCE.get(asked.type, "silence.tiles")),
        timeout_s=frame.world.idle_s,
    )


def _next_key(asked: Question) -> str:
    return "question.read" if walk.is_told(asked) else "question.next"


def _said_options(
    frame: Frame, options: list[Option], entry: Entry, place: Asking
) -> tuple[Utterance, ...]:
    if place.error:
        # What was wrong is the one thing to hear now.
        return ()
    skip = frame.say("question.skip_hint", "skip") if entry.hint else ()
    by_hand = frame.say("hand.hint", "way-hand") if entry.has_handwriting else ()
    ways = by_hand if asked_for_words(entry) else ()
    return (*voices(options), *ways, *skip)


def _beside(frame: Frame, asked: Question, entry: Entry) -> tuple[Utterance, ...]:
    """Say what stands beside the question: the form's hint, what it tells, how to answer."""
    hint = said(frame.words(asked.hint), "line-0")
    if walk.is_told(asked):
        stated = said(entry.shown) if entry.shown and asked.sensitivity == "none" else ()
        return (*hint, *stated, *frame.say("question.read", "next"))
    return (*hint, *(frame.say("rank.how") if asked.type == "rank" else ()))


def asked_for_words(entry: Entry) -> bool:
    """Answer whether the letters are on the screen at once; a voice note shows them later."""
    return entry.kind in ("name", "text_note")


def _progress(frame: Frame, draft: Draft, asked: Question) -> tuple[int, int]:
    questions = [q.id for q in walk.asked(draft, frame.world)]
    return (questions.index(asked.id) + 1 if asked.id in questions else 0), len(questions)


def _error(frame: Frame, asked: Question, place: Asking) -> tuple[str, tuple[Utterance, ...]]:
    if not place.error:
        return "", ()
    key = f"error.{place.error}"
    rule = frame.world.catalogue.types.get(asked.type)
    own = asked.constraint_message or (rule.constraint_message if rule else {})
    if own and place.error in ("constraint", asked.type):
        text, utterances = frame.words(own), said(frame.words(own), "error")
    else:
        key = key if key in frame.wording.keys() else "error.other"  # noqa: SIM118 -- no mapping
        text, utterances = frame.text(key), frame.say(key, "error")
    can_skip = not (asked.required or (frame.visit.draft and frame.visit.draft.only))
    shown_too, said_too = mistakes.further(frame, asked, place, can_skip=can_skip)
    return text + shown_too, (*utterances, *said_too)


def _options(frame: Frame, asked: Question, draft: Draft, page: int) -> list[Option]:
    match asked.type:
        case "consent":
            return _consent_options(frame, draft.answers.get(asked.id, ""))
        case "village":
            return _village_options(frame, draft.answers.get(asked.id, ""), page)
        case "acknowledge":
            given = walk.proposed(draft, frame.world, asked)
            seen = worded(frame, "answer", "question.understood", "check", value="OK")
            return [replace(seen, is_selected=given == "OK")]
        case "choice" | "yes_no" | "multi_choice" | "rank":
            chosen = set(walk.proposed(draft, frame.world, asked).split())
            choices = walk.offered(draft, frame.world, asked)
            is_paged = asked.type not in ("multi_choice", "rank")
            options = [
                Option(
                    action="answer",
                    value=choice.name,
                    label=frame.words(choice.label),
                    voice=frame.words(choice.voice),
                    icon=choice.icon,
                    is_selected=choice.name in chosen,
                )
                for choice in (tile_page(choices, page) if is_paged else choices)
            ]
            if is_paged and page < tile_pages(len(choices)):
                options.append(more_option(frame, page + 1))
            return options
        case _:
            return []


def _consent_options(frame: Frame, value: str) -> list[Option]:
    agree = worded(frame, "answer", "question.agree", "check", value="OK")
    return [
        replace(agree, is_selected=value == "OK"),
        worded(frame, "decline", "question.disagree", "cross"),
    ]


def _village_options(frame: Frame, value: str, page: int) -> list[Option]:
    own = [v for v in frame.world.villages if v.code == frame.world.village_code]
    others = [v for v in frame.world.villages if v.code != frame.world.village_code]
    if not own:
        options = [_village(frame, v, value) for v in tile_page(others, page)]
    elif page == 1:
        options = [_village(frame, own[0], value)]
    else:
        options = [_village(frame, v, value) for v in tile_page(others, page - 1)]
    if page < village_pages(frame.world):
        key = "question.other_villages" if own and page == 1 else "common.more"
        options.append(more_option(frame, page + 1, key))
    return options[:TILES_MAX]


def _village(frame: Frame, village: Village, value: str) -> Option:
    name = frame.words(village.name)
    return Option(
        action="answer",
        value=village.code,
        label=name,
        voice=name,
        icon="house",
        is_selected=village.code == value,
    )


def _pages(frame: Frame, draft: Draft, asked: Question) -> int:
    if asked.type == "village":
        return village_pages(frame.world)
    if asked.type in ("choice", "yes_no"):
        return tile_pages(len(walk.offered(draft, frame.world, asked)))
    return 1


def warning(frame: Frame, place: Warned, draft: Draft) -> Screen:
    """Tell that a condition is known not to fit, and that one may go on all the same."""
    service = service_of(draft, frame.world)
    message = frame.words(service.eligibility[place.index].message)
    title = said(message)
    return Screen(
        kind="warning",
        language=frame.language,
        title=frame.text("warning.title"),
        lines=(message, frame.text("warning.anyway")),
        service_name=frame.words(service.plain_name),
        can_back=True,
        next_action="continue",
        next_label=frame.text("warning.continue"),
        say=(*frame.say("warning.title"), *title, *frame.say("warning.anyway")),
        silence=repeats(frame, title, "silence.warning"),
        timeout_s=frame.world.idle_s,
    )


def spoken_value(  # noqa: PLR0911 -- one return a type
    asked: Question, value: str
) -> Spoken | None:
    """Answer how a value is said aloud; None when it is not for other ears, or no value.

    Numbers that name a person or their money are read by the eyes alone (research A6).
    """
    if not value or asked.sensitivity == "sensitive":
        return None
    match asked.type:
        case "integer":
            return Spoken("count", value)
        case "decimal" | "range":
            return Spoken("number", value)
        case "time":
            return Spoken("time", value)
        case "amount":
            is_money = bounds.unit_key(asked) == "unit.yuan"
            return Spoken("money" if is_money else "number", value)
        case "date":
            return Spoken("date", value)
        case "name" | "text_note":
            return Spoken("text", value)
        case _:
            return None
