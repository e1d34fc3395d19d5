"""Deadlines by the vectors of research/domain.md section 3."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.workdays import (
    Year,
    add_working_days,
    civil_day,
    is_working_day,
    known_years,
    working_days_between,
)

DAYS = st.dates(dt.date(2024, 1, 1), dt.date(2026, 10, 31))


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        ("2026-02-12", 5, "2026-02-26"),  # 14 February is a worked Saturday
        ("2026-09-18", 3, "2026-09-22"),  # 20 September is a worked Sunday
        ("2026-09-30", 1, "2026-10-08"),  # the national holiday
        ("2026-04-30", 5, "2026-05-11"),
    ],
)
def test_deadline_counts_what_the_state_council_counts(start: str, count: int, end: str) -> None:
    deadline = add_working_days(dt.date.fromisoformat(start), count)

    assert (deadline.day.isoformat(), deadline.is_provisional) == (end, False)


def test_2026_has_33_days_off_and_six_worked_weekend_days() -> None:
    year = known_years()[2026]
    start = dt.date(2026, 1, 1)
    free = [day for n in range(365) if not is_working_day(day := start + dt.timedelta(n))]

    # 33 days of holidays, of which some are weekend days anyway.
    assert sorted(day.isoformat()[5:] for day in year.worked) == [
        "01-04", "02-14", "02-28", "05-09", "09-20", "10-10",
    ]  # fmt: skip
    assert len(free) == 104 - 6 + len(year.off)


def test_deadline_past_the_known_years_is_provisional() -> None:
    deadline = add_working_days(dt.date(2026, 12, 30), 5)

    assert (deadline.day, deadline.is_provisional) == (dt.date(2027, 1, 6), True)


def test_deadline_moves_when_the_list_of_the_year_arrives() -> None:
    years = {**known_years(), 2027: Year(off=frozenset({dt.date(2027, 1, 1)}), worked=frozenset())}

    deadline = add_working_days(dt.date(2026, 12, 30), 5, years)

    assert (deadline.day, deadline.is_provisional) == (dt.date(2027, 1, 7), False)


def test_zero_working_days_is_the_day_itself() -> None:
    assert add_working_days(dt.date(2026, 10, 1), 0).day == dt.date(2026, 10, 1)


@pytest.mark.parametrize("count", [-1, 1001])
def test_working_days_out_of_range_are_refused(count: int) -> None:
    with pytest.raises(ValueError, match="0 to 1000"):
        add_working_days(dt.date(2026, 1, 1), count)


@given(DAYS, st.integers(1, 40))
def test_adding_and_counting_are_inverse(day: dt.date, count: int) -> None:
    end = add_working_days(day, count).day

    assert working_days_between(day, end) == count
    assert is_working_day(end)


@given(DAYS, st.integers(0, 20), st.integers(0, 20))
def test_deadlines_add_up(day: dt.date, first: int, second: int) -> None:
    step = add_working_days(add_working_days(day, first).day, second)

    assert step.day == add_working_days(day, first + second).day


def test_civil_day_changes_at_midnight_in_china() -> None:
    last_second = int(dt.datetime(2026, 11, 24, 15, 59, 59, tzinfo=dt.UTC).timestamp() * 1000)

    assert civil_day(last_second).isoformat() == "2026-11-24"
    assert civil_day(last_second + 1000).isoformat() == "2026-11-25"
