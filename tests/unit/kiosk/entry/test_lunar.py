"""The farmers' calendar against days that are known from elsewhere."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.entry.lunar import LunarDay, lunar_day, spoken, written

FIRST, LAST = dt.date(1900, 1, 31), dt.date(2101, 1, 28)


@pytest.mark.parametrize(
    ("day", "lunar"),
    [
        ("1949-10-01", LunarDay(1949, 8, False, 10)),
        # Spring Festivals.
        ("1976-01-31", LunarDay(1976, 1, False, 1)),
        ("2000-02-05", LunarDay(2000, 1, False, 1)),
        ("2024-02-10", LunarDay(2024, 1, False, 1)),
        ("2024-02-09", LunarDay(2023, 12, False, 30)),
        ("2026-02-17", LunarDay(2026, 1, False, 1)),
        # Months that come twice.
        ("2020-05-23", LunarDay(2020, 4, True, 1)),
        ("2023-03-22", LunarDay(2023, 2, True, 1)),
        ("2025-07-25", LunarDay(2025, 6, True, 1)),
        ("2033-12-22", LunarDay(2033, 11, True, 1)),
        # New moons within minutes of Beijing's midnight, on which older tables are a day off.
        ("1978-09-17", LunarDay(1978, 8, False, 15)),
        ("2057-09-29", LunarDay(2057, 9, False, 1)),
        # Mid-autumn, Double Fifth, Double Ninth.
        ("2025-10-06", LunarDay(2025, 8, False, 15)),
        ("2026-06-19", LunarDay(2026, 5, False, 5)),
        ("2026-10-18", LunarDay(2026, 9, False, 9)),
    ],
)
def test_known_days_have_their_lunar_day(day: str, lunar: LunarDay) -> None:
    assert lunar_day(dt.date.fromisoformat(day)) == lunar


def test_days_outside_the_table_have_none() -> None:
    assert lunar_day(FIRST - dt.timedelta(days=1)) is None
    assert lunar_day(LAST + dt.timedelta(days=1)) is None
    assert lunar_day(FIRST) == LunarDay(1900, 1, False, 1)
    assert lunar_day(LAST) == LunarDay(2100, 12, False, 29)


@given(st.dates(FIRST, LAST - dt.timedelta(days=1)))
def test_the_next_day_is_the_next_lunar_day_or_the_first_of_a_month(day: dt.date) -> None:
    today, tomorrow = lunar_day(day), lunar_day(day + dt.timedelta(days=1))

    assert today is not None
    assert tomorrow is not None
    assert tomorrow > today
    if tomorrow.day == 1:
        assert today.day in (29, 30)
    else:
        assert (tomorrow.year, tomorrow.month, tomorrow.is_leap, tomorrow.day) == (
            today.year,
            today.month,
            today.is_leap,
            today.day + 1,
        )


@pytest.mark.parametrize(
    ("lunar", "chinese", "said", "english"),
    [
        (
            LunarDay(1946, 11, False, 2),
            "丙戌年（狗年）冬月初二",
            "狗年冬月初二",
            "year of the Dog, month 11, day 2",
        ),
        (
            LunarDay(2025, 6, True, 20),
            "乙巳年（蛇年）闰六月二十",
            "蛇年闰六月二十",
            "year of the Snake, month 6 (leap), day 20",
        ),
        (
            LunarDay(2024, 12, False, 29),
            "甲辰年（龙年）腊月廿九",
            "龙年腊月廿九",
            "year of the Dragon, month 12, day 29",
        ),
        (
            LunarDay(2026, 1, False, 10),
            "丙午年（马年）正月初十",
            "马年正月初十",
            "year of the Horse, month 1, day 10",
        ),
    ],
)
def test_lunar_day_in_words(lunar: LunarDay, chinese: str, said: str, english: str) -> None:
    assert written(lunar, "zh-CN") == chinese
    assert spoken(lunar, "zh-CN") == said
    assert written(lunar, "en") == spoken(lunar, "en") == english
