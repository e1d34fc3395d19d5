"""What the kiosk says of an answer while it is being put in: what it means, or what is wrong.

Nothing is kept of it. Digits and sums are only read aloud when somebody asks for it, because
others may stand near; what an ID number says of its bearer is told as soon as it is whole.
"""

import datetime as dt
from collections.abc import Callable
from typing import Literal

from kiosk import bounds, walk
from kiosk.entry.lunar import lunar_day
from kiosk.entry.lunar import spoken as lunar_spoken
from kiosk.entry.lunar import written as lunar_written
from kiosk.entry.money import capital
from kiosk.phrases import day
from kiosk.screens import Utterance, View
from kiosk.views.frame import Frame
from kiosk.visit import Draft
from kiosk.world import service_of
from sync import identity
from sync.forms import Question
from voice_prompts.compose import Spoken

#: "look" = it was typed so far; "read" = the resident asks to hear it.
Wish = Literal["look", "read"]


class Echo(View, frozen=True):
    """What is shown and said of an answer that is still on the page."""

    lines: tuple[str, ...] = ()
    say: tuple[Utterance, ...] = ()
    #: The lines tell what is wrong with it.
    is_wrong: bool = False


def echo(frame: Frame, draft: Draft, asked: Question, value: str, wish: Wish) -> Echo:
    """Answer what an answer says, before it is given.

    Args:
        frame: Visit, world, words.
        draft: The form being filled.
        asked: The question on the screen.
        value: As typed so far.
        wish: Why it is asked for.
    """
    service = service_of(draft, frame.world)
    tidy = walk.tidied(frame.world.catalogue, service, asked, value)
    told = _OF_TYPE.get(asked.type, _digits)(frame, asked, tidy)
    said = told.say if asked.type == "id_number" else ()
    if wish == "look":
        return Echo(lines=told.lines, say=said, is_wrong=told.is_wrong)
    return Echo(lines=told.lines, say=_read(asked, tidy) or told.say, is_wrong=told.is_wrong)


def person(frame: Frame, value: str) -> tuple[str, ...]:
    """Write what an ID number tells of its bearer; () while it is no whole, right number."""
    born, sex = identity.birth_date(value), identity.sex(value)
    if born is None or sex is None:
        return ()
    return (
        frame.text("echo.born", date=day(born, frame.wording)),
        frame.text(f"echo.{sex}"),
        frame.text("echo.age", age=str(_age(born, frame.world.today))),
    )


def _age(born: dt.date, today: dt.date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _id_number(frame: Frame, _: Question, value: str) -> Echo:
    lines = person(frame, value)
    if lines:
        born, sex = identity.birth_date(value), identity.sex(value)
        said = (
            *frame.say("echo.born", "echo", date=Spoken("date", str(born))),
            *frame.say(f"echo.{sex}", "echo"),
            *frame.say("echo.right", "echo"),
        )
        return Echo(lines=lines, say=said)
    if len(value) < 18:
        return Echo()
    return Echo((frame.text("error.id_number"),), frame.say("error.id_number", "echo"), True)


def _amount(frame: Frame, asked: Question, value: str) -> Echo:
    is_money = bounds.unit_key(asked) == "unit.yuan" and frame.language.startswith("zh")
    written = capital(value) if is_money else ""
    return Echo((frame.text("echo.capital", amount=written),) if written else ())


def _date(frame: Frame, _: Question, value: str) -> Echo:
    try:
        lunar = lunar_day(dt.date.fromisoformat(value))
    except ValueError:
        return Echo()
    if lunar is None:
        return Echo((frame.text("echo.no_lunar"),), frame.say("echo.no_lunar", "asked"))
    said = Spoken("text", lunar_spoken(lunar, frame.language))
    return Echo(
        (frame.text("echo.lunar", date=lunar_written(lunar, frame.language)),),
        frame.say("echo.lunar", "asked", date=said),
    )


def _digits(_: Frame, __: Question, ___: str) -> Echo:
    return Echo()


_OF_TYPE: dict[str, Callable[[Frame, Question, str], Echo]] = {
    "id_number": _id_number,
    "amount": _amount,
    "date": _date,
}


def _read(asked: Question, value: str) -> tuple[Utterance, ...]:
    """Read a number aloud as people say such numbers; () for what has no reading of its own."""
    spoken = _spoken(asked, value)
    return (Utterance("{value}", {"value": spoken}, "typed"),) if spoken and value else ()


def _spoken(  # noqa: PLR0911 -- one return a type
    asked: Question, value: str
) -> Spoken | None:
    match asked.type:
        case "id_number" if len(value) == 18:
            return Spoken("id_number", value)
        case "phone":
            return Spoken("phone", value)
        case "amount" if bounds.unit_key(asked) == "unit.yuan":
            return Spoken("money", value.rstrip("."))
        case "amount" | "integer" | "decimal" | "range":
            return Spoken("number", value.rstrip("."))
        case "time":
            return Spoken("time", value)
        case "id_number" | "bank_card" | "case_no" | "digits4" | "barcode" if value.isdigit():
            return Spoken("digits", value)
        case _:
            return None
