"""Which follower takes which touch where a helper, a family or a found matter comes in. Pure."""

from collections.abc import Callable

from msgspec.structs import replace

from kiosk import filling, withdrawing
from kiosk.assisted import agreeing, board, family, lessons, signing_in
from kiosk.events import CountUnmet, Effect, Touch
from kiosk.leaving import Step
from kiosk.places import (
    Agreeing,
    AtFault,
    AtHome,
    AtLesson,
    AtLessons,
    AtMatter,
    AtNext,
    AtReceipt,
    AtThanks,
    Checking,
    Offered,
    Practised,
    SigningIn,
    Withdrawing,
)
from kiosk.visit import Visit
from kiosk.world import World

Follower = Callable[[Visit, Touch, World], Step]


def nothing_fits(visit: Visit, touch: Touch, world: World) -> Step:
    """Show who helps all the same, and count that it was needed."""
    stepped, effects = filling.nothing_fits(visit, touch, world)
    return stepped, (*effects, CountUnmet())


HERE: dict[tuple[type, str], Follower] = {
    (AtHome, "other"): nothing_fits,
    # A badge that is held before the scanner opens the way by itself.
    (AtHome, "helper_number"): signing_in.number,
    (SigningIn, "helper_number"): signing_in.number,
    (SigningIn, "helper_pin"): signing_in.pin,
    (Checking, "submit"): agreeing.submit,
    (Agreeing, "agree"): agreeing.agree,
    (Agreeing, "disagree"): agreeing.disagree,
    (AtReceipt, "continue"): signing_in.receipt_read,
    (AtReceipt, "helper_again"): signing_in.same_service,
    (AtNext, "helper_again"): signing_in.same_service,
    (AtNext, "helper_next"): signing_in.next_person,
    (AtNext, "helper_done"): signing_in.done,
    (AtNext, "continue"): signing_in.rate_alone,
    (AtNext, "same_person"): family.same_person,
    (AtNext, "family"): family.of_family,
    (AtThanks, "same_person"): family.same_person,
    (AtThanks, "family"): family.of_family,
    (Offered, "offer_take"): family.take,
    (Offered, "offer_other"): family.ask_anew,
    (AtLessons, "lesson"): lessons.show_one,
    (AtLesson, "practise"): lessons.begin,
    (Practised, "practise"): lessons.begin,
    (Practised, "lessons"): lessons.show_all,
    (AtMatter, "withdraw"): withdrawing.withdraw,
    (AtMatter, "looks"): withdrawing.looks,
    (AtMatter, "rate_matter"): withdrawing.rate,
    (Withdrawing, "withdraw_yes"): withdrawing.confirmed,
    (Withdrawing, "withdraw_no"): withdrawing.kept,
    (AtFault, "retry"): withdrawing.retry,
}


def touched_help(visit: Visit, touch: Touch, world: World) -> Step | None:
    """Take a touch of what the hand opens, beside help itself; None = it is help's."""
    desk = signing_in.touched_desk(visit, touch, world)
    if desk is not None:
        return desk
    is_home = isinstance(visit.place, AtHome)
    match touch.action:
        case "sign_in" if visit.helper is None and is_home:
            return signing_in.open_sign_in(visit, touch, world)
        case "lessons" if visit.helper is not None and signing_in.is_between(visit):
            return lessons.show_all(visit, touch, world)
        case "board" if is_home:
            return board.show(visit, touch, world)
        case _:
            return None


def attended(before: Visit, visit: Visit, effects: tuple[Effect, ...], world: World) -> Step:
    """Add to a step what helpers, families and lessons make of it.

    Args:
        before: The visit before the step.
        visit: After it.
        effects: What the step asks for.
        world: Facts of this moment.
    """
    visit, further = family.begun(before, visit, world)
    visit = family.offered(before, visit, world)
    visit = agreeing.marked(before, visit, world)
    return lessons.rehearsed(visit, (*effects, *further))


def ended(visit: Visit, world: World) -> Visit:
    """Answer a visit whose draft is on the disk now: nothing of it stays but who it was about."""
    return replace(visit, known=family.remembered(visit, world), carries="", draft=None, matters=())
