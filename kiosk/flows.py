"""The visit as a pure state machine: a visit and an event give the next visit and what to do.

No clock, disk, network or chance: what a step needs of them is in the `World`. An event that
does not fit where the resident is changes nothing, so that double taps, late replies and a
page from the past are harmless.
"""

from collections.abc import Callable

from msgspec.structs import replace

from kiosk import adjusting, card, errand, filling, leaving, paper, plugged, scanned, turning
from kiosk.assisted import board, signing_in, ways
from kiosk.events import (
    Attached,
    CardCame,
    Committed,
    DayListed,
    Event,
    Failed,
    Found,
    HelperKnown,
    HelperRefused,
    Presented,
    PrinterMoved,
    StickMoved,
    Tallied,
    Touch,
    Wipe,
)
from kiosk.leaving import Step
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
    Place,
    Rating,
    Waiting,
    Warned,
)
from kiosk.visit import DEFAULT_LANGUAGE, Draft, Visit
from kiosk.world import World
from sync.records import Receipt


def begin(token: str, language: str = DEFAULT_LANGUAGE) -> Visit:
    """Answer a fresh visit at home."""
    return Visit(id=token, language=language)


def step(visit: Visit, event: Event, world: World) -> Step:
    """Answer the visit after an event, and the effects to run.

    Args:
        visit: Where the resident is.
        event: A touch, or what an effect brought.
        world: Facts of this moment; its fresh ids are used at most once.

    Returns:
        The next visit and effects in order. `rev` grows by one whenever the screen changes.
    """
    changed, effects = _follow(visit, event, world)
    if changed is visit and not effects:
        return visit, ()
    changed, effects = ways.attended(visit, changed, effects, world)
    # A photo that arrives while its page is open must not make the page's next touch stale.
    rev = visit.rev if isinstance(event, Attached) else visit.rev + 1
    return replace(changed, rev=rev), effects


def _follow(visit: Visit, event: Event, world: World) -> Step:  # noqa: C901, PLR0911, PLR0912 -- one a case
    match event:
        case Touch():
            return _touched(visit, event, world)
        case Attached(question=question, count=count):
            return _attached(visit, question, count), ()
        case Committed(receipt=receipt):
            if visit.place != Waiting("submit") or visit.draft is None:
                return visit, ()
            place, kept = _handed_in(visit.draft, receipt)
            # What was said is sealed on the disk now; nothing of it stays here.
            ended = replace(ways.ended(visit, world), place=place, receipt=kept or visit.receipt)
            slip = paper.first(visit, receipt, world) if place == AtReceipt() else ()
            return ended, (Wipe(), *slip)
        case Failed(code=code):
            if not isinstance(visit.place, Waiting):
                return visit, ()
            return replace(visit, place=AtFault(code)), ()
        case HelperKnown() | HelperRefused() | DayListed():
            return signing_in.came(visit, event), ()
        case Tallied():
            return board.came(visit, event), ()
        case CardCame():
            return card.came(visit, event, world.catalogue), ()
        case Presented(case_no=case_no):
            return scanned.looked_up(visit, case_no)
        case PrinterMoved():
            return paper.moved(visit), ()
        case StickMoved(is_there=is_there):
            return plugged.moved(visit, is_there=is_there), ()
        case Found(matters=matters):
            if visit.place != Waiting("lookup"):
                return visit, ()
            found: Place = AtMatter(matters[0].case_no) if len(matters) == 1 else AtMatters()
            return replace(visit, place=found, matters=matters), ()


def _handed_in(draft: Draft, receipt: Receipt) -> tuple[Place, Receipt | None]:
    """Answer where a commit leads, and the receipt that the visit holds then."""
    if draft.is_rating:
        return AtThanks("rated"), None
    # It is answered by the matter itself, which the resident finds by what they have.
    return (AtThanks("withdrawn"), None) if draft.is_withdrawal else (AtReceipt(), receipt)


def _attached(visit: Visit, question: str, count: int) -> Visit:
    if visit.draft is None or not isinstance(visit.place, Asking):
        return visit
    if visit.place.question != question:
        return visit
    held = {**visit.draft.held, question: count}
    # Another content is another transaction.
    return replace(visit, draft=replace(visit.draft, held=held, transaction_id=b""))


def _touched(visit: Visit, touch: Touch, world: World) -> Step:
    if isinstance(visit.place, Waiting):
        # What is under way will answer; leaving now would lose the receipt.
        return visit, ()
    if visit.overlay == "help" and (beside := ways.touched_help(visit, touch, world)) is not None:
        return beside
    if visit.overlay:
        return leaving.touched_overlay(visit, touch, world)
    everywhere = _EVERYWHERE.get(touch.action)
    if everywhere is not None:
        return everywhere(visit, touch, world)
    here = _HERE.get((type(visit.place), touch.action))
    return here(visit, touch, world) if here is not None else (visit, ())


_Follower = Callable[[Visit, Touch, World], Step]

_EVERYWHERE: dict[str, _Follower] = {
    "back": turning.back,
    "home": leaving.home,
    "language": leaving.language,
    "help": leaving.show_help,
    "timeout": leaving.timeout,
    "more": turning.more,
    "comfort": adjusting.adjust,
}
_HERE: dict[tuple[type, str], _Follower] = {
    (AtHome, "open"): filling.open_category,
    (AtHome, "service"): filling.choose_service,
    (AtHome, "matters"): filling.my_matters,
    (AtOther, "service"): filling.choose_service,
    (InCategory, "service"): filling.choose_service,
    (AtMaterials, "continue"): filling.begin_form,
    (Asking, "answer"): filling.answer,
    (Asking, "skip"): filling.skip,
    (Asking, "decline"): filling.decline,
    (Asking, "discard"): filling.discard,
    (Warned, "continue"): filling.go_on_anyway,
    (Checking, "change"): filling.change,
    (Rating, "rate"): filling.rate,
    (Rating, "rate_skip"): filling.thank,
    (AtMatters, "matter"): filling.open_matter,
    (AtMatter, "correct"): filling.correct,
    (AtMatter, "print"): paper.again,
    (AtReceipt, "print"): paper.again,
    (AtCarry, "continue"): errand.go_on,
    **ways.HERE,
}
