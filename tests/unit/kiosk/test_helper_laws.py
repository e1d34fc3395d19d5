"""What no course of events beside a helper can ever do: lose a receipt, carry somebody along."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
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
    Effect,
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
from kiosk.visit import Visit
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


class Taken(NamedTuple):
    """One step."""

    before: Visit
    after: Visit
    effects: tuple[Effect, ...]


class Watched(Visitor):
    """Gives each visit an id of its own, and keeps every step with what it asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Taken] = []

    def give(self, event: object) -> "Visitor":
        before = self.visit
        self.world = replace(self.world, fresh_token=f"visit-{len(self.seen)}")
        super().give(event)
        self.steps.append(Taken(before, self.visit, self.effects))
        return self


def walked(course: list[Deed]) -> Watched:
    visitor = Watched()
    for deed in course:
        if visitor.visit.overlay in ("leave", "idle"):
            visitor.do("leave_no").do("still_here")
        deed(visitor)
    return visitor


def assert_nothing_is_carried_over(step: Taken) -> None:
    if step.before.id == step.after.id:
        return
    assert not [secret for secret in SECRETS if secret in repr(step.after)]
    kept = (step.after.known, step.after.matters, step.after.receipt)
    # A lesson begins with somebody made up.
    assert kept == ((), (), None) or step.after.lesson
    assert Wipe() in step.effects


def assert_no_receipt_is_lost(step: Taken) -> None:
    before, after = step.before, step.after
    if before.place != Waiting("submit") or before.draft is None:
        return
    if after.place == before.place:
        # Until the disk has answered nothing moves.
        assert after == before
    elif after.draft is None and not (before.draft.is_rating or before.draft.is_withdrawal):
        assert after.place == AtReceipt()
        assert after.receipt is not None


def assert_practice_asks_nothing(step: Taken) -> None:
    if step.after.lesson:
        assert {type(effect) for effect in step.effects} <= {Wipe, Discard}


def assert_help_is_agreed_to(step: Taken) -> None:
    for effect in step.effects:
        if isinstance(effect, Submit) and step.after.draft and step.after.draft.helped_by:
            told = read(effect.transaction.helper)
            assert (told.helper, bool(told.consent)) == ("12", True)


def assert_screens_are_there(visitor: Visitor) -> None:
    for visit in visitor.seen[-2:]:
        screen = views.screen(visit, visitor.world, wordings())
        assert screen.title
        for likely in likely_visits(visit, screen, visitor.world):
            assert views.screen(likely, visitor.world, wordings()).title


def assert_silence_forgets(visitor: Visitor) -> None:
    if isinstance(visitor.visit.place, Waiting):
        visitor.give(Failed("507"))
    for _ in range(4):
        visitor.do("timeout")
    assert (visitor.visit.helper, visitor.visit.known, visitor.visit.draft) == (None, (), None)
    assert not [secret for secret in SECRETS if secret in repr(visitor.visit)]


def judge(course: list[Deed]) -> None:
    visitor = walked(course)
    for step in visitor.steps:
        assert_nothing_is_carried_over(step)
        assert_no_receipt_is_lost(step)
        assert_practice_asks_nothing(step)
        assert_help_is_agreed_to(step)
    assert_screens_are_there(visitor)
    assert_silence_forgets(visitor)


def test_the_laws_meet_what_they_judge() -> None:
    # A law that is never put to the test proves nothing.
    steps = walked([signed_in, whole("pension_auth"), lambda v: v.do("helper_again")]).steps

    assert [step for step in steps if Wipe() in step.effects]
    assert [step for step in steps if step.before.place == Waiting("submit")]
    assert any(HER["name"] in repr(step.after) for step in steps)
    assert any(isinstance(effect, Submit) for step in steps for effect in step.effects)


@settings(max_examples=25, deadline=None)
@given(st.lists(deeds(), max_size=12))
def test_no_course_beside_a_helper_loses_a_receipt_or_carries_somebody_along(
    course: list[Deed],
) -> None:
    judge([signed_in, *course])


@pytest.mark.deep
@settings(max_examples=600, deadline=None)
@given(st.booleans(), st.lists(deeds(), max_size=20))
def test_no_long_course_does_either(has_helper: bool, course: list[Deed]) -> None:
    judge([signed_in, *course] if has_helper else course)
