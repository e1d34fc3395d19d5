"""A helper comes, serves one person after the other, and goes. Pure."""

from msgspec.structs import replace

from kiosk import filling, leaving
from kiosk.assisted.company import Line
from kiosk.events import CheckHelper, DayListed, HelperKnown, HelperRefused, ListDay, Touch
from kiosk.leaving import Step
from kiosk.places import AtDayList, AtHome, AtNext, AtReceipt, Rating, SigningIn, Waiting
from kiosk.visit import Visit
from kiosk.world import World
from sync.limits import HELPER_LINE_MAX, HELPER_NUMBER_DIGITS_MAX, HELPER_PIN_DIGITS

#: What a badge's code begins with; the number follows.
BADGE = "BIANMIN-H"


def number_of(text: str) -> str:
    """Answer the number that was typed or stands on a badge; "" when it is none.

    >>> number_of("012"), number_of("BIANMIN-H12"), number_of("x1")
    ('12', '12', '')
    """
    digits = text.removeprefix(BADGE)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= HELPER_NUMBER_DIGITS_MAX):
        return ""
    return digits.lstrip("0")


def open_sign_in(visit: Visit, _: Touch, __: World) -> Step:
    """Ask a helper for their number."""
    return replace(visit, overlay="", place=SigningIn()), ()


def number(visit: Visit, touch: Touch, _: World) -> Step:
    """Take the number, typed or from a badge, and ask for the PIN."""
    told = number_of(touch.value)
    return replace(visit, place=SigningIn(told, is_wrong=not told)), ()


def pin(visit: Visit, touch: Touch, _: World) -> Step:
    """Have number and PIN checked; nothing here keeps the PIN."""
    place, digits = visit.place, touch.value
    if not isinstance(place, SigningIn) or not place.number:
        return visit, ()
    if not (digits.isascii() and digits.isdigit() and len(digits) == HELPER_PIN_DIGITS):
        return replace(visit, place=replace(place, is_wrong=True)), ()
    return replace(visit, place=Waiting("helper")), (CheckHelper(place.number, digits),)


def came(visit: Visit, event: HelperKnown | HelperRefused | DayListed) -> Visit:
    """Take what the kiosk found out."""
    match event:
        case HelperKnown(helper=helper) if visit.place == Waiting("helper"):
            return replace(visit, helper=helper, place=AtHome())
        case HelperRefused(wait_s=wait_s) if visit.place == Waiting("helper"):
            return replace(visit, place=SigningIn(is_wrong=True, wait_s=wait_s))
        case DayListed(matters=matters) if visit.place == Waiting("day"):
            return replace(visit, place=AtDayList(), matters=matters)
        case _:
            return visit


def touched_desk(visit: Visit, touch: Touch, world: World) -> Step | None:
    """Take a touch of what the hand opens while a helper is signed in; None = it is another's."""
    if visit.helper is None:
        return None
    match touch.action:
        case "helper_line":
            return replace(visit, line=_longer(visit.line)), ()
        case "helper_done":
            return done(visit, touch, world)
        case "helper_next" if is_between(visit):
            return next_person(visit, touch, world)
        case "helper_day" if is_between(visit):
            asked = replace(visit, overlay="", place=Waiting("day"))
            return asked, (ListDay(visit.helper.number),)
        case _:
            return None


def is_between(visit: Visit) -> bool:
    """Answer whether nobody's matter is under way."""
    return visit.draft is None and not visit.lesson


def done(visit: Visit, _: Touch, world: World) -> Step:
    """Go; a resident in the middle of something goes on alone, and the help stays on record."""
    alone = replace(visit, helper=None, line=Line(), overlay="")
    if is_between(visit) or visit.lesson:
        return leaving.wiped(alone, world, visit.language, is_over=True)
    return alone, ()


def next_person(visit: Visit, _: Touch, world: World) -> Step:
    """Forget the one who was here and begin at home."""
    return leaving.wiped(_called(visit), world, visit.language)


def same_service(visit: Visit, _: Touch, world: World) -> Step:
    """Begin the service of the last receipt for the next person: they are asked everything."""
    held = visit.receipt
    if visit.helper is None or held is None:
        return visit, ()
    fresh, effects = leaving.wiped(_called(visit), world, visit.language)
    service = world.catalogue.find(held.service)
    if service is None:
        return fresh, effects
    begun, further = filling.started(fresh, service, world)
    return begun, (*effects, *further)


def receipt_read(visit: Visit, touch: Touch, world: World) -> Step:
    """Go from the receipt to what comes next; without a helper that is the rating."""
    if visit.helper is not None and isinstance(visit.place, AtReceipt):
        return replace(visit, place=AtNext()), ()
    return filling.receipt_read(visit, touch, world)


def rate_alone(visit: Visit, touch: Touch, world: World) -> Step:
    """Let the resident rate: the helper is signed out first, and asked to step aside."""
    stepped, effects = filling.receipt_read(replace(visit, helper=None), touch, world)
    if isinstance(stepped.place, Rating):
        stepped = replace(stepped, place=Rating(is_helped=True))
    return stepped, effects


def _longer(line: Line) -> Line:
    # Nobody waits: the numbers may begin anew.
    if line.issued >= HELPER_LINE_MAX:
        return line if line.waiting else Line(issued=1)
    return replace(line, issued=line.issued + 1)


def _called(visit: Visit) -> Visit:
    line = visit.line
    return replace(visit, line=replace(line, called=min(line.called + 1, line.issued)))
