"""What no course of events can ever do to a visit."""

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kiosk import views, walk
from kiosk.events import Committed, Event, Failed, Found, Submit, Touch
from kiosk.flows import begin, step
from kiosk.foresight import likely_visits
from kiosk.places import Asking, AtHome, Checking, Waiting
from kiosk.visit import Visit
from tests.unit.kiosk.parts import (
    OLD_ID,
    OWN_VILLAGE,
    PHONE,
    Visitor,
    catalogue,
    receipt,
    wordings,
    world,
)
from tests.unit.kiosk.visitors import CASE, CORRECTION, found

_SERVICES = [service.id for service in catalogue().services]
_QUESTIONS = sorted({q.id for s in catalogue().services for q in s.questions})
_VALUES = [OLD_ID, PHONE, OWN_VILLAGE, "OK", "yes", "no", "self", "agent", "2", "2026-11-20", "1"]


def touches() -> st.SearchStrategy[Event]:
    actions = [
        *("open", "other", "service", "skip", "back", "home", "leave_yes", "leave_no", "language"),
        *("help", "help_close", "change", "submit", "rate", "rate_skip", "matters", "matter"),
        *("correct", "still_here", "timeout", "more", "continue", "call_helper", "decline"),
        *("discard", "retry"),
    ]
    value = st.sampled_from([*_SERVICES, *_VALUES, "money", "en", "3", CASE, "", "\x00", "九"])
    return st.builds(Touch, st.sampled_from(actions), value, st.sampled_from(_QUESTIONS))


Deed = Callable[[Visitor], Visitor]


def deeds() -> st.SearchStrategy[Deed]:
    """What somebody may do: mostly something sensible, sometimes anything at all."""
    sensible: list[Deed] = [
        lambda v: v.do("continue"),
        lambda v: v.answer_one({}) if isinstance(v.visit.place, Asking) else v,
        lambda v: v.fill() if v.visit.draft else v,
        lambda v: v.hand_in() if isinstance(v.visit.place, Checking) else v,
        lambda v: v.give(Committed(receipt("pension_auth"))),
        lambda v: v.give(Failed("507")),
        lambda v: v.give(Found(())),
        lambda v: v.give(found(CORRECTION)),
        lambda v: v.do("back"),
    ]
    anything = touches().map(lambda event: lambda v: v.give(event))
    return st.one_of(
        st.sampled_from(sensible),
        st.sampled_from(_SERVICES).map(lambda s: lambda v: v.do("service", s)),
        anything,
    )


def answers_of(visit: Visit) -> Any:
    return dict(visit.draft.answers) if visit.draft else None


@settings(max_examples=120, deadline=None)
@given(st.lists(deeds(), max_size=25))
def test_no_sequence_of_events_breaks_the_visit(course: list[Deed]) -> None:
    visitor = Visitor()
    for deed in course:
        if visitor.visit.overlay and visitor.visit.overlay != "help":
            visitor.do("leave_no").do("still_here")
        deed(visitor)

    for visit in visitor.seen[-3:]:
        screen = views.screen(visit, visitor.world, wordings())

        is_home = isinstance(visit.place, AtHome) and not visit.overlay
        assert screen.title
        assert screen.can_back or screen.can_home or screen.tiles or is_home


@settings(max_examples=60, deadline=None)
@given(st.lists(deeds(), max_size=25))
def test_every_foreseen_screen_can_be_shown(course: list[Deed]) -> None:
    visitor = Visitor()
    for deed in course:
        deed(visitor)
    screen = views.screen(visitor.visit, visitor.world, wordings())

    for visit in likely_visits(visitor.visit, screen, visitor.world):
        assert views.screen(visit, visitor.world, wordings()).title


@settings(max_examples=120, deadline=None)
@given(st.lists(deeds(), max_size=20))
def test_back_never_loses_an_answer(course: list[Deed]) -> None:
    visitor = Visitor()
    for deed in course:
        deed(visitor)
    before, is_overlaid = visitor.visit, bool(visitor.visit.overlay)

    visitor.do("back")

    lost = before.draft and before.draft.answers and answers_of(visitor.visit) != answers_of(before)
    # A rating's face is touched again on the screen it goes back to.
    assert not lost or (before.draft and before.draft.is_rating) or is_overlaid


@settings(max_examples=120, deadline=None)
@given(st.lists(deeds(), max_size=25))
def test_nothing_is_submitted_with_a_problem(course: list[Deed]) -> None:
    visitor = Visitor()
    for deed in course:
        before = visitor.visit
        deed(visitor)
        if visitor.visit is before:
            # The deed did not fit here; the effects are still an earlier one's.
            continue
        if any(isinstance(effect, Submit) for effect in visitor.effects):
            draft = visitor.visit.draft
            assert draft is not None
            assert walk.open_problems(draft, visitor.world) == ()
            assert before.rev < visitor.visit.rev


@settings(max_examples=120, deadline=None)
@given(st.lists(deeds(), max_size=20))
def test_wipe_leaves_nothing(course: list[Deed]) -> None:
    visitor = Visitor()
    for deed in course:
        deed(visitor)
    if visitor.visit.place == Waiting("submit") or visitor.visit.place == Waiting("lookup"):
        visitor.give(Failed("507"))

    for _ in range(3):
        visitor.do("timeout")

    fresh = begin("fresh")
    assert replace(visitor.visit, id="fresh", rev=0) == fresh


def test_step_of_a_stranger_changes_nothing() -> None:
    visit = begin("first")

    assert step(visit, Committed(receipt("rating")), world()) == (visit, ())
