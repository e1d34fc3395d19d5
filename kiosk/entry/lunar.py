"""The farmers' calendar (农历): which day of it a day is, in words. Pure.

People over sixty know their birthdays and festivals by it. The table says of each lunar year
from 1900 to 2100 which months are long and which one is doubled; it was made once from
lunar-python 1.4.8 (MIT), which computes by GB/T 33661-2017, and compared day by day with
lunardate 0.3.0: they differ in one month each of 1933, 1954, 1978 and 2057, where the new moon
comes within minutes of Beijing's midnight and older tables are a day early.
"""

import datetime as dt

import msgspec

#: Bits 4 to 15: the months from the twelfth to the first, set for 30 days and not for 29; bits
#: 0 to 3: the month that comes twice, 0 = none; bit 16: the second one has 30 days.
# fmt: off
_YEARS = (
    0x04bd8, 0x04ae0, 0x0a570, 0x054d5, 0x0d260, 0x0d950, 0x16554, 0x056a0, 0x09ad0, 0x055d2,
    0x04ae0, 0x0a5b6, 0x0a4d0, 0x0d250, 0x1d255, 0x0b540, 0x0d6a0, 0x0ada2, 0x095b0, 0x14977,
    0x04970, 0x0a4b0, 0x0b4b5, 0x06a50, 0x06d40, 0x1ab54, 0x02b60, 0x09570, 0x052f2, 0x04970,
    0x06566, 0x0d4a0, 0x0ea50, 0x16a95, 0x05ad0, 0x02b60, 0x186e3, 0x092e0, 0x1c8d7, 0x0c950,
    0x0d4a0, 0x1d8a6, 0x0b550, 0x056a0, 0x1a5b4, 0x025d0, 0x092d0, 0x0d2b2, 0x0a950, 0x0b557,
    0x06ca0, 0x0b550, 0x15355, 0x04da0, 0x0a5b0, 0x14573, 0x052b0, 0x0a9a8, 0x0e950, 0x06aa0,
    0x0aea6, 0x0ab50, 0x04b60, 0x0aae4, 0x0a570, 0x05260, 0x0f263, 0x0d950, 0x05b57, 0x056a0,
    0x096d0, 0x04dd5, 0x04ad0, 0x0a4d0, 0x0d4d4, 0x0d250, 0x0d558, 0x0b540, 0x0b6a0, 0x195a6,
    0x095b0, 0x049b0, 0x0a974, 0x0a4b0, 0x0b27a, 0x06a50, 0x06d40, 0x0af46, 0x0ab60, 0x09570,
    0x04af5, 0x04970, 0x064b0, 0x074a3, 0x0ea50, 0x06b58, 0x05ac0, 0x0ab60, 0x096d5, 0x092e0,
    0x0c960, 0x0d954, 0x0d4a0, 0x0da50, 0x07552, 0x056a0, 0x0abb7, 0x025d0, 0x092d0, 0x0cab5,
    0x0a950, 0x0b4a0, 0x0baa4, 0x0ad50, 0x055d9, 0x04ba0, 0x0a5b0, 0x15176, 0x052b0, 0x0a930,
    0x07954, 0x06aa0, 0x0ad50, 0x05b52, 0x04b60, 0x0a6e6, 0x0a4e0, 0x0d260, 0x0ea65, 0x0d530,
    0x05aa0, 0x076a3, 0x096d0, 0x04afb, 0x04ad0, 0x0a4d0, 0x1d0b6, 0x0d250, 0x0d520, 0x0dd45,
    0x0b5a0, 0x056d0, 0x055b2, 0x049b0, 0x0a577, 0x0a4b0, 0x0aa50, 0x1b255, 0x06d20, 0x0ada0,
    0x14b63, 0x09370, 0x049f8, 0x04970, 0x064b0, 0x168a6, 0x0ea50, 0x06b20, 0x1a6c4, 0x0aae0,
    0x092e0, 0x0d2e3, 0x0c960, 0x0d557, 0x0d4a0, 0x0da50, 0x05d55, 0x056a0, 0x0a6d0, 0x055d4,
    0x052d0, 0x0a9b8, 0x0a950, 0x0b4a0, 0x0b6a6, 0x0ad50, 0x055a0, 0x0aba4, 0x0a5b0, 0x052b0,
    0x0b273, 0x06930, 0x07337, 0x06aa0, 0x0ad50, 0x14b55, 0x04b60, 0x0a570, 0x054e4, 0x0d160,
    0x0e968, 0x0d520, 0x0daa0, 0x16aa6, 0x056d0, 0x04ae0, 0x0a9d4, 0x0a2d0, 0x0d150, 0x0f252,
    0x0d520,
)
# fmt: on
FIRST_YEAR = 1900
#: New Year of the first lunar year.
_FIRST_DAY = dt.date(1900, 1, 31)

_STEMS = "甲乙丙丁戊己庚辛壬癸"
_BRANCHES = "子丑寅卯辰巳午未申酉戌亥"
_ANIMALS = "鼠牛虎兔龙蛇马羊猴鸡狗猪"
_ANIMALS_ENGLISH = (
    *("Rat", "Ox", "Tiger", "Rabbit", "Dragon", "Snake"),
    *("Horse", "Goat", "Monkey", "Rooster", "Dog", "Pig"),
)
_MONTHS = ("正", "二", "三", "四", "五", "六", "七", "八", "九", "十", "冬", "腊")
_DIGITS = "一二三四五六七八九十"


class LunarDay(msgspec.Struct, frozen=True, order=True):
    """One day of the farmers' calendar."""

    #: Of the year in which its New Year lies, 1900 to 2100.
    year: int
    #: 1 to 12.
    month: int
    #: The second one of two months with that number.
    is_leap: bool
    #: 1 to 30.
    day: int


def lunar_day(day: dt.date) -> LunarDay | None:
    """Answer which lunar day a day is; None outside the table (31 Jan 1900 to 28 Jan 2101).

    >>> lunar_day(dt.date(2026, 2, 17))
    LunarDay(year=2026, month=1, is_leap=False, day=1)
    """
    left = (day - _FIRST_DAY).days
    if left < 0:
        return None
    for year, code in enumerate(_YEARS, FIRST_YEAR):
        for month, is_leap, length in _months(code):
            if left < length:
                return LunarDay(year=year, month=month, is_leap=is_leap, day=left + 1)
            left -= length
    return None


def _months(code: int) -> list[tuple[int, bool, int]]:
    """Answer number, whether it is the second of that number, and days of each month."""
    doubled = code & 15
    months = []
    for month in range(1, 13):
        months.append((month, False, 29 + (code >> (16 - month) & 1)))
        if month == doubled:
            months.append((month, True, 29 + (code >> 16 & 1)))
    return months


def written(lunar: LunarDay, language: str) -> str:
    """Answer a lunar day in words, as calendars print it.

    >>> written(LunarDay(1946, 11, False, 2), "zh-CN")
    '丙戌年（狗年）冬月初二'
    >>> written(LunarDay(2025, 6, True, 1), "en")
    'year of the Snake, month 6 (leap), day 1'
    """
    turn = lunar.year - 4
    if not language.startswith("zh"):
        leap = " (leap)" if lunar.is_leap else ""
        animal = _ANIMALS_ENGLISH[turn % 12]
        return f"year of the {animal}, month {lunar.month}{leap}, day {lunar.day}"
    year = f"{_STEMS[turn % 10]}{_BRANCHES[turn % 12]}年（{_ANIMALS[turn % 12]}年）"
    leap = "闰" if lunar.is_leap else ""
    return f"{year}{leap}{_MONTHS[lunar.month - 1]}月{_day(lunar.day)}"


def spoken(lunar: LunarDay, language: str) -> str:
    """Answer a lunar day as it is said: without the stem and branch, which few know.

    >>> spoken(LunarDay(1946, 11, False, 2), "zh-CN")
    '狗年冬月初二'
    """
    words = written(lunar, language)
    return words[4:].replace("）", "") if language.startswith("zh") else words


def _day(day: int) -> str:
    if day in (10, 20, 30):
        return ("初十", "二十", "三十")[day // 10 - 1]
    return f"{('初', '十', '廿')[day // 10]}{_DIGITS[day % 10 - 1]}"
