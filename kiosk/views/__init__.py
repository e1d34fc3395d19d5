"""The screens of a visit: pure views. `screen` answers what a visit shows and says now."""

from collections.abc import Mapping

from msgspec.structs import replace

from kiosk.places import (
    Asking,
    AtCarry,
    AtFault,
    AtHome,
    AtMaterials,
    AtMatter,
    AtMatters,
    AtOther,
    AtReceipt,
    AtThanks,
    Checking,
    InCategory,
    Rating,
    Waiting,
    Warned,
)
from kiosk.screens import Screen
from kiosk.views import asking, checking, choosing, courier, ending, mine, overlays
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
    shown = _overlay(frame) if visit.overlay else _place(frame)
    # Each language is named in itself.
    others = tuple(
        (tag, wordings[tag].screen("language.self"))
        for tag in world.catalogue.languages
        if tag != visit.language and tag in wordings
    )
    return replace(shown, status=status(frame), languages=others)


def _overlay(frame: Frame) -> Screen:
    match frame.visit.overlay:
        case "help":
            return overlays.help_screen(frame)
        case "leave":
            return overlays.leave(frame)
        case "stick":
            return overlays.stick(frame)
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
            return ending.rating(frame)
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
        case Asking() | Warned() | Checking():
            # These places are only entered with a draft.
            raise ValueError(type(place).__name__)
