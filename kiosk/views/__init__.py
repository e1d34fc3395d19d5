"""The screens of a visit: pure views. `screen` answers what a visit shows and says now."""

from collections.abc import Mapping

from msgspec.structs import replace

from kiosk import dialects
from kiosk.places import (
    Agreeing,
    Asking,
    AtBoard,
    AtCarry,
    AtDayList,
    AtFault,
    AtHome,
    AtLesson,
    AtLessons,
    AtLooks,
    AtMaterials,
    AtMatter,
    AtMatters,
    AtNext,
    AtOther,
    AtReceipt,
    AtThanks,
    Checking,
    InCategory,
    Offered,
    Practised,
    Rating,
    SigningIn,
    Waiting,
    Warned,
    Withdrawing,
)
from kiosk.screens import Screen
from kiosk.views import (
    asking,
    assisted,
    board,
    card,
    checking,
    choosing,
    comfort,
    courier,
    ending,
    languages,
    lessons,
    mine,
    overlays,
    quiet,
    together,
    withdrawing,
)
from kiosk.views.frame import Frame, status
from kiosk.visit import DEFAULT_LANGUAGE, Visit
from kiosk.world import World
from voice_prompts.wording import Wording

__all__ = ["Frame", "screen"]


def screen(visit: Visit, world: World, wordings: Mapping[str, Wording]) -> Screen:
    """Answer what the resident sees and hears now.

    Args:
        visit: Where they are.
        world: Facts of this moment.
        wordings: Interface words by language tag; the visit's language is among them.
    """
    wording = wordings.get(visit.language) or wordings[DEFAULT_LANGUAGE]
    frame = Frame(visit, world, wording)
    # Each language is named in itself.
    others = dialects.others(visit, world, wordings)
    if visit.overlay == "languages":
        shown = languages.choose(frame, others)
    else:
        shown = _overlay(frame) if visit.overlay else _place(frame)
    shown = replace(
        shown,
        status=status(frame),
        languages=() if visit.overlay == "languages" else languages.switch(others),
        comfort=visit.comfort,
        is_live=card.is_live(frame),
        more=frame.say("page.more"),
    )
    return quiet.hushed(frame, replace(shown, band=assisted.band(frame)))


def _overlay(frame: Frame) -> Screen:
    match frame.visit.overlay:
        case "help":
            return assisted.desk(frame) if frame.visit.helper else overlays.help_screen(frame)
        case "leave":
            return overlays.leave(frame)
        case "stick":
            return overlays.stick(frame)
        case "seeing":
            return comfort.seeing(frame)
        case "hearing":
            return comfort.hearing(frame)
        case _:
            return overlays.idle(frame)


def _place(frame: Frame) -> Screen:  # noqa: C901, PLR0911, PLR0912 -- one return a place
    place, draft = frame.visit.place, frame.visit.draft
    match place:
        case AtHome():
            return choosing.home(frame, place)
        case InCategory():
            return choosing.category(frame, place)
        case AtOther():
            return choosing.other(frame)
        case AtMaterials():
            return choosing.materials(frame)
        case Asking() if draft is not None:
            return asking.question(frame, place, draft)
        case Warned() if draft is not None:
            return asking.warning(frame, place, draft)
        case Checking() if draft is not None:
            return checking.check(frame, place, draft)
        case Waiting():
            return ending.busy(frame, place)
        case AtReceipt():
            return ending.receipt(frame)
        case Rating():
            return ending.rating(frame, place)
        case AtThanks():
            return ending.thanks(frame, place)
        case AtMatters():
            return mine.matters(frame, place)
        case AtMatter():
            return mine.matter(frame, place.case_no)
        case AtCarry():
            return courier.carry(frame, place)
        case AtFault():
            return ending.fault(frame, place)
        case SigningIn():
            return assisted.sign_in(frame, place)
        case Agreeing() if draft is not None:
            return together.agree(frame, draft)
        case Offered() if draft is not None:
            return together.offer(frame, place, draft)
        case AtNext():
            return assisted.after(frame)
        case AtDayList():
            return assisted.day_list(frame, place)
        case AtLessons():
            return lessons.overview(frame)
        case AtLesson():
            return lessons.lesson(frame, place)
        case Practised():
            return lessons.practised(frame, place)
        case Withdrawing():
            return withdrawing.withdraw(frame, place)
        case AtLooks():
            return withdrawing.looks(frame, place)
        case AtBoard():
            return board.board(frame, place)
        case Asking() | Warned() | Checking() | Agreeing() | Offered():
            # These places are only entered with a draft.
            raise ValueError(type(place).__name__)
