"""What no course of events beside a helper can ever do: lose a receipt, carry somebody along."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kiosk import views
from kiosk.assisted.company import Helper
from kiosk.assisted.lessons import lessons
from kiosk.events import (
    Committed,
    DayListed,
    Discard,
    Event,
    Failed,
    Found,
    HelperKnown,
    HelperRefused,
    Submit,
    Tallied,
    Touch,
    Wipe,
)
from kiosk.foresight import likely_visits
from kiosk.places import Asking, AtReceipt, Checking, Waiting
from sync.assistance import read
from tests.unit.kiosk.companions import filled
from tests.unit.kiosk.parts import Visitor, catalogue, receipt, wordings
from tests.unit.kiosk.visitors import CASE, CORRECTION, found

#: Somebody who is in no lesson and no list: whatever shows them later was carried along.
HER = {"id_number": "53012119520307002X", "name": "赵春兰", "phone": "13712348888"}
SECRETS = (*HER.values(), "6222021234567890128")
_SERVICES = [service.id for service in catalogue().services]
_ACTIONS = [
    *("sign_in", "helper_done", "helper_line", "helper_next", "helper_again", "helper_day"),
    *("same_person", "family", "agree", "disagree", "offer_take", "offer_other", "withdraw"),
    *("withdraw_yes", "withdraw_no", "rate_matter", "looks", "lessons", "lesson", "practise"),
    *("board", "help", "help_close", "home", "leave_yes", "leave_no", "back", "continue", "submit"),
    *("timeout", "still_here", "more", "rate", "rate_skip", "retry", "correct", "matters"),
]
_VALUES = ["", "0", "1", "2", CASE, "satisfied", "dissatisfied", *(one.id for one in lessons())]
_EVENTS: list[Event] = [
    HelperKnown(Helper("12", "张婷")),
    HelperRefused(0),
    DayListed(()),
    Tallied(3, 1),
    Failed("507"),
    Found(()),
    found(CORRECTION),
    found(replace(CORRECTION, kind="completed")),
]
Deed = Callable[[Visitor], Visitor]


def signed_in(visitor: Visitor) -> Visitor:
    visitor.do("help").do("sign_in").do("helper_number", "12").do("helper_pin", "730416")
    return visitor.give(HelperKnown(Helper("12", "张婷")))


def committed(visitor: Visitor) -> Visitor:
    draft = visitor.visit.draft
    return visitor.give(Committed(receipt(draft.service))) if draft else visitor


def whole(service: str) -> Deed:
    """One matter from the first question to its receipt."""

    def do(visitor: Visitor) -> Visitor:
        filled(visitor.do("service", service), **HER)
        if isinstance(visitor.visit.place, Checking):
            visitor.hand_in().do("agree")
        return committed(visitor) if visitor.visit.place == Waiting("submit") else visitor

    return do


def deeds() -> st.SearchStrategy[Deed]:
    sensible: list[Deed] = [
        signed_in,
        committed,
        lambda v: filled(v, **HER) if v.visit.draft else v,
        lambda v: v.answer_one(HER) if isinstance(v.visit.place, Asking) else v,
        lambda v: v.hand_in() if isinstance(v.visit.place, Checking) else v,
        lambda v: v.do("continue"),
        *(lambda v, action=action: v.do(action) for action in ("same_person", "family")),
        *(lambda v, event=event: v.give(event) for event in _EVENTS),
    ]
    touch = st.builds(Touch, st.sampled_from(_ACTIONS), st.sampled_from(_VALUES))
    service = st.sampled_from(_SERVICES)
    return st.one_of(
        st.sampled_from(sensible),
        service.map(whole),
        service.map(lambda s: lambda v: v.do("service", s)),
        touch.map(lambda event: lambda v: v.give(event)),
    )


class Watched(Visitor):
    """Gives each visit an id of its own, and keeps every step with what it asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[tuple[object, object, tuple[object, ...]]] = []

    def give(self, event: object) -> "Visitor":
        before = self.visit
        self.world = replace(self.world, fresh_token=f"visit-{len(self.seen)}")
        super().give(event)
        self.steps.append((before, self.visit, self.effects))
        return self


def walked(course: list[Deed]) -> Watched:
    visitor = Watched()
    for deed in course:
        if visitor.visit.overlay in ("leave", "idle"):
            visitor.do("leave_no").do("still_here")
        deed(visitor)
    return visitor


@settings(max_examples=100, deadline=None)
@given(st.lists(deeds(), max_size=14))
def test_no_visit_begins_with_anything_of_the_one_before(course: list[Deed]) -> None:
    for before, after, effects in walked(course).steps:
        if before.id != after.id:  # type: ignore[attr-defined]
            assert not [secret for secret in SECRETS if secret in repr(after)]
            assert (after.known, after.matters, after.receipt) == ((), (), None) or after.lesson  # type: ignore[attr-defined]
            assert Wipe() in effects


@settings(max_examples=100, deadline=None)
@given(st.lists(deeds(), max_size=14))
def test_no_deed_loses_a_receipt_that_was_confirmed(course: list[Deed]) -> None:
    for before, after, _ in walked(course).steps:
        if before.place == Waiting("submit") and before.draft is not None:  # type: ignore[attr-defined]
            # Until the disk has answered nothing moves; then the receipt is there.
            is_answered = after.place != before.place  # type: ignore[attr-defined]
            is_plain = not (before.draft.is_rating or before.draft.is_withdrawal)  # type: ignore[attr-defined]
            if is_answered and is_plain and after.draft is None:  # type: ignore[attr-defined]
                assert after.place == AtReceipt()  # type: ignore[attr-defined]
                assert after.receipt is not None  # type: ignore[attr-defined]
            elif not is_answered:
                assert after == before


@settings(max_examples=100, deadline=None)
@given(st.lists(deeds(), max_size=14))
def test_nothing_practised_is_asked_of_the_shell(course: list[Deed]) -> None:
    for _, after, effects in walked([signed_in, *course]).steps:
        if after.lesson:  # type: ignore[attr-defined]
            assert {type(effect) for effect in effects} <= {Wipe, Discard}


@settings(max_examples=100, deadline=None)
@given(st.lists(deeds(), max_size=14))
def test_nothing_that_a_helper_touched_is_handed_in_without_the_residents_yes(
    course: list[Deed],
) -> None:
    for _, after, effects in walked([signed_in, *course]).steps:
        for effect in effects:
            if isinstance(effect, Submit) and after.draft.helped_by:  # type: ignore[attr-defined]
                told = read(effect.transaction.helper)
                assert (told.helper, bool(told.consent)) == ("12", True)


@settings(max_examples=60, deadline=None)
@given(st.lists(deeds(), max_size=14))
def test_every_screen_beside_a_helper_can_be_shown_and_foreseen(course: list[Deed]) -> None:
    visitor = walked(course)

    for visit in visitor.seen[-2:]:
        screen = views.screen(visit, visitor.world, wordings())
        assert screen.title
        for likely in likely_visits(visit, screen, visitor.world):
            assert views.screen(likely, visitor.world, wordings()).title


@settings(max_examples=60, deadline=None)
@given(st.lists(deeds(), max_size=14))
def test_silence_forgets_everything_and_everybody(course: list[Deed]) -> None:
    visitor = walked(course)
    if isinstance(visitor.visit.place, Waiting):
        visitor.give(Failed("507"))

    for _ in range(4):
        visitor.do("timeout")

    assert (visitor.visit.helper, visitor.visit.known, visitor.visit.draft) == (None, (), None)
    assert not [secret for secret in SECRETS if secret in repr(visitor.visit)]
