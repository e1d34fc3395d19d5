"""How a visit is paused, left and forgotten: home, help, idling, language. Pure."""

from msgspec.structs import replace

from kiosk import adjusting, dialects, plugged
from kiosk.comfort import Comfort
from kiosk.events import Effect, Ring, Touch, Wipe
from kiosk.places import (
    AtCarry,
    AtFault,
    AtHome,
    AtMatter,
    AtMatters,
    AtNext,
    AtReceipt,
    AtThanks,
    Practised,
    Rating,
    Waiting,
)
from kiosk.visit import DEFAULT_LANGUAGE, Draft, Visit
from kiosk.world import World

Step = tuple[Visit, tuple[Effect, ...]]


def touched_overlay(  # noqa: C901, PLR0911, PLR0912 -- one return a case
    visit: Visit, touch: Touch, world: World
) -> Step:
    """Take a touch while help, “stop?” or “still there?” covers the screen."""
    match visit.overlay, touch.action:
        case _, "language":
            return language(visit, touch, world)
        case "stick", _:
            return plugged.touched(visit, touch), ()
        case "idle", "timeout":
            return wiped(visit, world, DEFAULT_LANGUAGE, is_over=True)
        case "idle", _:
            # Any touch at all is a sign of life.
            return replace(visit, overlay=""), ()
        case _, "comfort":
            return adjusting.adjust(visit, touch, world)
        case "seeing" | "hearing", "back":
            return adjusting.back(visit), ()
        case "seeing" | "hearing", "help":
            return show_help(visit, touch, world)
        case "leave", "leave_yes":
            return wiped(visit, world, visit.language, visit.comfort)
        case "leave", "leave_no" | "back":
            return replace(visit, overlay=""), ()
        case _, "timeout":
            return replace(visit, overlay="idle"), ()
        case "help" | "languages", "help_close" | "back":
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


def wiped(
    visit: Visit,
    world: World,
    language: str,
    comfort: Comfort = Comfort(),  # noqa: B008 -- immutable
    *,
    is_over: bool = False,
) -> Step:
    """Begin a fresh visit at home and forget all of this one.

    Args:
        visit: The one that ends.
        world: Has the fresh visit's id.
        language: Of the fresh visit.
        comfort: Kept where the same person surely goes on, before anything was handed in.
        is_over: The helper has gone too; else who helps and how many wait outlives a visit.
    """
    fresh = Visit(id=world.fresh_token, rev=visit.rev, language=language, comfort=comfort)
    if not is_over:
        fresh = replace(fresh, helper=visit.helper, line=visit.line)
    return fresh, (Wipe(),)


def home(visit: Visit, _: Touch, world: World) -> Step:
    """Go home; asks once when something was said that would be lost."""
    if _has_something_to_lose(visit):
        return replace(visit, overlay="leave"), ()
    if visit.place == AtHome() and not visit.overlay:
        return visit, ()
    is_over = isinstance(visit.place, AtReceipt | Rating | AtThanks)
    return wiped(visit, world, visit.language, Comfort() if is_over else visit.comfort)


def _has_something_to_lose(visit: Visit) -> bool:
    draft = visit.draft
    if draft is None or not said(draft):
        return False
    # An enquiry that was answered is done; a correction begun from it is not.
    return bool(draft.corrects) or not isinstance(visit.place, AtMatters | AtMatter)


def said(draft: Draft) -> bool:
    """Answer whether anything was said for this form itself."""
    return bool(draft.held) or not draft.given.issuperset(draft.answers)


def language(visit: Visit, touch: Touch, world: World) -> Step:
    """Speak another language; where the resident is and what they said stays."""
    return dialects.switched(visit, touch.value, world), ()


def is_untouched(visit: Visit) -> bool:
    """Answer whether home stands as the next one is to find it."""
    is_first = isinstance(visit.place, AtHome) and visit.place.page == 1
    is_plain = visit.language == DEFAULT_LANGUAGE and visit.comfort.is_usual
    return is_first and is_plain and visit.helper is None and not visit.known


def show_help(visit: Visit, _: Touch, __: World) -> Step:
    """Cover the screen with the ways to get help."""
    return replace(visit, overlay="help", is_helper_called=False), ()


def timeout(visit: Visit, _: Touch, world: World) -> Step:
    """Ask whether anybody is there, or make the screen ready for the next one."""
    match visit.place:
        case AtHome() if is_untouched(visit):
            return visit, ()
        case AtFault() if visit.draft is None:
            return wiped(visit, world, DEFAULT_LANGUAGE)
        case AtHome() if visit.helper is not None and not visit.known:
            # They were given longer than a resident is.
            return wiped(visit, world, DEFAULT_LANGUAGE, is_over=True)
        case AtHome() | AtReceipt() | Rating() | AtThanks() | AtNext() | Practised():
            # A helper stays a while longer; what a resident said goes now.
            is_over = visit.helper is None
            return wiped(visit, world, DEFAULT_LANGUAGE, is_over=is_over)
        case Waiting():
            # The kiosk itself is working: the resident has nothing to do.
            return visit, ()
        case _:
            return replace(visit, overlay="idle"), ()
