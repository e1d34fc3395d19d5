"""Screens of a resident beside whom somebody is: agreeing, taking what was said before. Pure."""

from kiosk.assisted.family import offers
from kiosk.phrases import said
from kiosk.places import Offered
from kiosk.screens import Screen, Utterance
from kiosk.views.checking import said_whole
from kiosk.views.entries import shown
from kiosk.views.frame import Frame, Option, repeats, tiles, voices, worded
from kiosk.visit import Draft
from kiosk.world import service_of
from sync import evaluation
from sync.forms import Question
from voice_prompts.compose import Spoken


def agree(frame: Frame, draft: Draft) -> Screen:
    """Say to the resident what is handed in for them, and ask for their own yes."""
    service = service_of(draft, frame.world)
    if draft.is_withdrawal:
        text, whole = frame.text("withdraw.title"), frame.say("withdraw.title", "line-0")
    elif draft.corrects:
        # The other answers are at the centre: the whole is this matter's name and what they saw.
        text = frame.words(service.plain_name)
        whole = said(text, "line-0")
    else:
        text = evaluation.filled(
            frame.world.catalogue,
            service,
            frame.words(service.check.text),
            draft.answers,
            frame.language,
            frame.world.today,
            villages={v.code: frame.words(v.name) for v in frame.world.villages},
        )
        whole = said_whole(frame, service, draft)
    options = [
        worded(frame, "agree", "agree.yes", "check"),
        worded(frame, "disagree", "agree.no", "cross"),
    ]
    title = frame.say("agree.title")
    return Screen(
        kind="agree",
        language=frame.language,
        title=frame.text("agree.title"),
        lines=(*([text] if text else []), frame.text("agree.who", number=draft.helped_by)),
        tiles=tiles(options),
        service_name=frame.words(service.plain_name),
        can_back=True,
        say=(*title, *whole, *voices(options)),
        silence=repeats(frame, (*title, *whole), "silence.tiles"),
        timeout_s=frame.world.idle_s,
    )


def offer(frame: Frame, place: Offered, draft: Draft) -> Screen:
    """Offer what was answered before in this visit; one touch takes it."""
    service = service_of(draft, frame.world)
    question = service.question(place.question)
    values = offers(frame.visit, draft, place.question, frame.world)
    options = [_option(frame, question, index, value) for index, value in enumerate(values)]
    others = [worded(frame, "offer_other", "offer.other", "pen", style="quiet")]
    title = (*said(frame.words(question.label)), *frame.say("offer.title"))
    return Screen(
        kind="choices",
        language=frame.language,
        title=frame.text("offer.title"),
        lines=(frame.words(question.label),),
        tiles=tiles([*options, *others]),
        service_name=frame.words(service.plain_name),
        can_back=True,
        say=(
            *title,
            *(
                utterance
                for index, value in enumerate(values, 1)
                for utterance in _said(frame, question, value, f"tile-{index}")
            ),
            *said(others[0].voice, f"tile-{len(values) + 1}"),
        ),
        silence=repeats(frame, title, "silence.tiles"),
        timeout_s=frame.world.idle_s,
    )


def _option(frame: Frame, question: Question, index: int, value: str) -> Option:
    service = service_of(frame.visit.draft, frame.world) if frame.visit.draft else None
    written = shown(frame, service, question, value, masked=True) if service else value
    return Option(action="offer_take", value=str(index), label=written, voice="", icon="person")


def _said(frame: Frame, question: Question, value: str, dom_id: str) -> tuple[Utterance, ...]:
    """Say a name; of a number its last four digits, as it is done in a room with others."""
    if question.type == "name":
        return said("{value}", dom_id, value=Spoken("text", value))
    return frame.say("offer.tail", dom_id, tail=Spoken("digits", value[-4:].replace("X", "")))
