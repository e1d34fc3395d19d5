"""What a stick does to the screen: it covers a screen that nobody uses, never a visit. Pure."""

from msgspec.structs import replace

from kiosk.events import Touch
from kiosk.places import AtFault, AtHome
from kiosk.visit import Visit

_CLOSING = ("stick_close", "back", "home", "timeout")


def moved(visit: Visit, *, is_there: bool) -> Visit:
    """Cover the screen with the news of a stick, or uncover it once the stick is gone."""
    if visit.overlay == "stick":
        # Other words may stand there now: a new object is a new screen.
        return replace(visit, overlay="stick" if is_there else "")
    is_begun = visit.draft is not None or visit.receipt is not None or bool(visit.overlay)
    is_idle = visit.place == AtHome() or isinstance(visit.place, AtFault)
    return replace(visit, overlay="stick") if is_there and is_idle and not is_begun else visit


def touched(visit: Visit, touch: Touch) -> Visit:
    """Give the screen back to whoever wants to use it; the work on the stick goes on."""
    return replace(visit, overlay="") if touch.action in _CLOSING else visit
