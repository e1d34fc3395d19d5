"""Deadlines in working days, by the State Council's yearly list of holidays.

The list for a year appears about November of the year before. Beyond the last known year the
count falls back to Monday to Friday, and the result is marked provisional ("about").
Source: research/domain.md section 3; holidays.json from chinesecalendar 1.11.0.
"""

import datetime as dt
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec

#: China has one civil time and no daylight saving since 1991.
CIVIL_TIME = dt.timezone(dt.timedelta(hours=8))


class Deadline(msgspec.Struct, frozen=True):
    """A last day, and whether it may still move because a year's list is not known yet."""

    day: dt.date
    is_provisional: bool


class Year(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What differs from Monday-to-Friday in one year."""

    #: Days off that fall on Monday to Friday.
    off: frozenset[dt.date]
    #: Saturdays and Sundays that are worked instead.
    worked: frozenset[dt.date]


@cache
def known_years() -> Mapping[int, Year]:
    """Answer the shipped list by year."""
    raw = Path(__file__).with_name("holidays.json").read_bytes()
    return msgspec.json.decode(raw, type=dict[int, Year])


def civil_day(at_ms: int) -> dt.date:
    """Answer the day in China of a moment in Unix milliseconds."""
    return dt.datetime.fromtimestamp(at_ms / 1000, CIVIL_TIME).date()


def is_working_day(day: dt.date, years: Mapping[int, Year] | None = None) -> bool:
    """Answer whether offices work on that day; Monday to Friday in an unknown year."""
    year = (known_years() if years is None else years).get(day.year)
    if year is None:
        return day.weekday() < 5
    return day in year.worked or (day.weekday() < 5 and day not in year.off)


def add_working_days(day: dt.date, n: int, years: Mapping[int, Year] | None = None) -> Deadline:
    """Answer the nth working day after `day`; the day itself does not count.

    Args:
        day: Day of acceptance.
        n: Working days, 0 to 1000; 0 answers the day itself.
        years: The list to count by; the shipped one by default.

    Raises:
        ValueError: `n` is out of range.

    >>> add_working_days(dt.date(2026, 9, 30), 1).day
    datetime.date(2026, 10, 8)
    """
    if not 0 <= n <= 1000:
        raise ValueError(f"working days are 0 to 1000, got {n}")
    listed = known_years() if years is None else years
    is_provisional = False
    while n > 0:
        day += dt.timedelta(days=1)
        is_provisional = is_provisional or day.year not in listed
        n -= is_working_day(day, listed)
    return Deadline(day, is_provisional)


def working_days_between(
    start: dt.date, end: dt.date, years: Mapping[int, Year] | None = None
) -> int:
    """Answer how many working days lie after `start` up to and with `end`; 0 when none."""
    span = (end - start).days
    days = (start + dt.timedelta(days=n) for n in range(1, span + 1))
    return sum(is_working_day(day, years) for day in days)
