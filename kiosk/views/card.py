"""What a question says of the card reader and the scanner. Pure."""

from kiosk.card import is_awaited
from kiosk.places import Asking, AtMatter, AtReceipt, SigningIn
from kiosk.screens import Utterance
from kiosk.views.frame import Frame
from kiosk.world import service_of


def lines(frame: Frame, place: Asking) -> tuple[str, ...]:
    """Answer what stands under the question; () when neither helps here."""
    return tuple(frame.text(key) for key in _keys(frame, place))


def said(frame: Frame, place: Asking) -> tuple[Utterance, ...]:
    """Answer what is said of them."""
    return tuple(one for key in _keys(frame, place) for one in frame.say(key))


def is_live(frame: Frame) -> bool:
    """Answer whether a device may change this screen: a card, a code, the printer's paper."""
    visit, world = frame.visit, frame.world
    if visit.overlay:
        return False
    match visit.place:
        case AtReceipt() | AtMatter():
            return bool(world.printer.state)
        case SigningIn():
            return world.scanner == "ready"
        case Asking():
            return _has_card(frame) or _has_code(frame)
        case _:
            return False


def _keys(frame: Frame, place: Asking) -> tuple[str, ...]:
    if _has_code(frame):
        return ("scan.put",)
    if not _has_card(frame):
        return ()
    return ("card.read",) if place.is_read else ("card.put",)


def _has_card(frame: Frame) -> bool:
    is_asked = is_awaited(frame.visit, frame.world.catalogue)
    return frame.world.card_reader == "ready" and is_asked


def _has_code(frame: Frame) -> bool:
    place, draft = frame.visit.place, frame.visit.draft
    if frame.world.scanner != "ready" or draft is None or not isinstance(place, Asking):
        return False
    return service_of(draft, frame.world).question(place.question).type == "case_no"
