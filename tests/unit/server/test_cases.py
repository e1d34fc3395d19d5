"""The steps of a case: which may follow which, what the resident is told, what is written down."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import cases as rules
from server.catalogue.shelf import Published
from server.errors import CaseUnknown, DecisionIncomplete, TransitionRefused
from server.store import cases
from server.store.rows import Action, CaseState, Decision
from server.workdays import working_days_between
from tests.unit.server.test_pipeline import notices, sent
from tests.unit.server.world import DAY_MS, HELPER_REQUEST, NOW_MS, Kiosk, World

TODAY = dt.date(2026, 11, 24)
DECISIONS: dict[Action, Decision] = {
    "accept": Decision("accept"),
    "correct": Decision("correct", missing=("phone",)),
    "refuse": Decision("refuse", reason_code="no_conditions"),
    "complete": Decision("complete"),
}
ALLOWED = {
    ("received", "accept", "accepted"),
    ("received", "correct", "correction"),
    ("received", "refuse", "refused"),
    ("received", "complete", "completed"),
    ("accepted", "correct", "correction"),
    ("accepted", "refuse", "refused"),
    ("accepted", "complete", "completed"),
    ("correction", "accept", "accepted"),
    ("correction", "refuse", "refused"),
}
STATES: tuple[CaseState, ...] = ("received", "accepted", "correction", "refused", "completed")


@pytest.fixture
def kiosk(world: World, published: Published) -> Kiosk:
    made = world.enrol()
    sent(world, made, made.confirm(published, HELPER_REQUEST))
    return made


def decide(world: World, kiosk: Kiosk, *decisions: Decision) -> None:
    for decision in decisions:
        world.write(
            cases.decide, kiosk.case_no, decision, actor="anna", now_ms=world.clock.now_ms()
        )


def test_allowed_steps_are_exactly_these() -> None:
    found = set()
    for state in STATES:
        for action in DECISIONS:
            try:
                found.add((state, action, rules.next_state(state, action)))
            except TransitionRefused:
                continue

    assert found == ALLOWED


@pytest.mark.parametrize(
    "decision",
    [
        Decision("refuse"),
        Decision("refuse", words="only words"),
        Decision("correct"),
        Decision("correct", missing=("phone",), correct_by="2026-11-23"),
        Decision("correct", missing=("phone",), correct_by="soon"),
        Decision("complete", words="x" * 301),
    ],
)
def test_resident_who_would_not_be_told_enough_is_protected(decision: Decision) -> None:
    with pytest.raises(DecisionIncomplete):
        rules.checked(decision, TODAY)


def test_correction_without_a_day_has_the_usual_time() -> None:
    checked = rules.checked(Decision("correct", missing=("phone",)), TODAY)

    assert working_days_between(TODAY, dt.date.fromisoformat(checked.correct_by)) == 15


@given(st.dates(dt.date(2026, 1, 1), dt.date(2026, 6, 1)), st.integers(-10, 40), st.integers(0, 60))
def test_days_left_are_the_same_before_and_after_a_pause(
    paused: dt.date, days_to_due: int, days_waited: int
) -> None:
    due = paused + dt.timedelta(days_to_due)
    back = paused + dt.timedelta(days_waited)

    resumed = rules.resumed(due, paused, back).day

    left = max(1, working_days_between(paused, due))
    assert working_days_between(back, resumed) == left


def test_decision_is_written_as_event_and_notice_together(world: World, kiosk: Kiosk) -> None:
    decide(
        world,
        kiosk,
        Decision("correct", reason_code="fix_phone", words="打不通", missing=("phone",)),
    )

    case = cases.get(world.conn, kiosk.case_no)
    assert case is not None
    assert case.state == "correction"
    event = cases.events(world.conn, kiosk.case_no)[-1]
    assert (event.actor, event.action, event.detail) == ("anna", "correct", "fix_phone phone")
    told = notices(world, kiosk)[-1]
    assert (told.kind, told.reason_code, told.words, told.missing, told.correct_by) == (
        "correction",
        "fix_phone",
        "打不通",
        ("phone",),
        "2026-12-15",
    )


def test_clerks_words_are_nowhere_in_the_database_in_the_clear(world: World, kiosk: Kiosk) -> None:
    decide(world, kiosk, Decision("refuse", reason_code="no_age", words="王秀英还没到八十岁"))

    assert "还没到八十岁" not in "\n".join(world.dump())


def test_refused_step_changes_nothing(world: World, kiosk: Kiosk) -> None:
    decide(world, kiosk, Decision("complete"))
    before = world.dump()

    with pytest.raises(TransitionRefused):
        decide(world, kiosk, Decision("accept"))

    assert world.dump() == before


def test_unknown_case_is_refused(world: World, kiosk: Kiosk) -> None:
    with pytest.raises(CaseUnknown):
        world.write(cases.decide, "000100000211", Decision("accept"), actor="anna", now_ms=NOW_MS)


def test_case_accepted_at_the_desk_after_a_correction_goes_on(world: World, kiosk: Kiosk) -> None:
    decide(world, kiosk, DECISIONS["correct"])
    world.clock.ms += 7 * DAY_MS

    decide(world, kiosk, Decision("accept"))

    case = cases.get(world.conn, kiosk.case_no)
    assert case is not None
    assert (case.state, case.due_on) == ("accepted", "2026-12-02")


def test_queue_is_by_deadline_and_within_department_and_area(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    other = {**HELPER_REQUEST, "village_code": "522326101201"}
    slow = {"topic": "road", "about_staff": "no", "text_or_voice": "=路坏了", "keep_name": "no"}
    sent(world, kiosk, kiosk.confirm(published, slow, "suggestion"))
    sent(world, kiosk, kiosk.confirm(published, other))

    def numbers(**filters: object) -> list[str]:
        return [case.case_no[4:10] for case in cases.queue(world.conn, **filters)]  # type: ignore[arg-type]

    assert numbers() == ["000001", "000003", "000002"]
    assert numbers(departments=frozenset({"乡镇人民政府"})) == ["000002"]
    assert numbers(departments=frozenset({"人民政府"})) == []
    assert numbers(departments=frozenset()) == []
    assert numbers(villages="522326101") == ["000003"]
    assert numbers(states=("completed",)) == []
    assert numbers(limit=1, offset=1) == ["000003"]
    assert cases.count(world.conn, villages="522326104") == 2
