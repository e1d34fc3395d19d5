"""How a visit is paused, left and forgotten: home, help, idling, language. Pure."""

from msgspec.structs import replace

from kiosk import plugged
from kiosk.events import Effect, Ring, Touch, Wipe
from kiosk.places import (
    AtCarry,
    AtFault,
    AtHome,
    AtMatter,
    AtMatters,
    AtReceipt,
    AtThanks,
    Rating,
    Waiting,
)
from kiosk.visit import DEFAULT_LANGUAGE, Visit
from kiosk.world import World

Step = tuple[Visit, tuple[Effect, ...]]


def touched_overlay(  # noqa: C901, PLR0911 -- one return a case
    visit: Visit, touch: Touch, world: World
) -> Step:
    """Take a touch while help, “stop?” or “still there?” covers the screen."""
    match visit.overlay, touch.action:
        case _, "language":
            return language(visit, touch, world)
        case "stick", _:
            return plugged.touched(visit, touch), ()
        case "idle", "timeout":
            return wiped(visit, world, DEFAULT_LANGUAGE)
        case "idle", _:
            # Any touch at all is a sign of life.
            return replace(visit, overlay=""), ()
        case "leave", "leave_yes":
            return wiped(visit, world, visit.language)
        case "leave", "leave_no" | "back":
            return replace(visit, overlay=""), ()
        case _, "timeout":
            return replace(visit, overlay="idle"), ()
        case "help", "help_close" | "back":
            return replace(visit, overlay=""), ()
        case "help", "call_helper":
            return replace(visit, is_helper_called=True), (Ring(),)
        case "help", "home":
            return home(visit, touch, world)
        case "help", "carry" if may_carry(visit, world):
            return replace(visit, overlay="", place=AtCarry()), ()
        case _:
            return visit, ()


def may_carry(visit: Visit, world: World) -> bool:
    """Answer whether a phone may be offered what waits: there is some, and no way to the centre.

    Only from home, where no resident is in the middle of something.
    """
    is_needed = world.pending > 0 and not world.is_reachable and bool(world.carry_url)
    return is_needed and isinstance(visit.place, AtHome)


def wiped(visit: Visit, world: World, language: str) -> Step:
    """Begin a fresh visit at home and forget all of this one."""
    return Visit(id=world.fresh_token, rev=visit.rev, language=language), (Wipe(),)


def home(visit: Visit, _: Touch, world: World) -> Step:
    """Go home; asks once when something was said that would be lost."""
    if _has_something_to_lose(visit):
        return replace(visit, overlay="leave"), ()
    if visit.place == AtHome() and not visit.overlay:
        return visit, ()
    return wiped(visit, world, visit.language)


def _has_something_to_lose(visit: Visit) -> bool:
    draft = visit.draft
    if draft is None or not (draft.answers or draft.held):
        return False
    # An enquiry that was answered is done; a correction begun from it is not.
    return bool(draft.corrects) or not isinstance(visit.place, AtMatters | AtMatter)


def language(visit: Visit, touch: Touch, world: World) -> Step:
    """Speak another language; where the resident is and what they said stays."""
    if touch.value not in world.catalogue.languages or touch.value == visit.language:
        return visit, ()
    return replace(visit, language=touch.value), ()


def show_help(visit: Visit, _: Touch, __: World) -> Step:
    """Cover the screen with the ways to get help."""
    return replace(visit, overlay="help", is_helper_called=False), ()


def timeout(visit: Visit, _: Touch, world: World) -> Step:
    """Ask whether anybody is there, or make the screen ready for the next one."""
    match visit.place:
        case AtHome() if visit.language == DEFAULT_LANGUAGE and visit.place.page == 1:
            return visit, ()
        case AtFault() if visit.draft is None:
            return wiped(visit, world, DEFAULT_LANGUAGE)
        case AtHome() | AtReceipt() | Rating() | AtThanks():
            return wiped(visit, world, DEFAULT_LANGUAGE)
        case Waiting():
            # The kiosk itself is working: the resident has nothing to do.
            return visit, ()
        case _:
            return replace(visit, overlay="idle"), ()
