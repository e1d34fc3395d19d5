"""Values of expressions: what they are, how they turn into one another, how they compare.

`None` is the third truth value: a referenced answer is still missing, so nothing can be said.
Conversions follow XPath 1.0, with dates added as XForms has them (a date as a number is days
since 1970-01-01). None of these functions raises.
"""

import datetime as dt
import math
import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

Value = str | float | bool | dt.date | None
"""What an expression can be; `None` = unknown."""

_EPOCH = dt.date(1970, 1, 1)
_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T.*)?")


class Scope(msgspec.Struct, frozen=True):
    """What an expression is evaluated against."""

    #: Answers and calculated values by id, in lexical form; missing or "" = unanswered.
    values: Mapping[str, str]
    #: Question type (or "calculate") by id; the type of `.` stands under ".".
    kinds: Mapping[str, str]
    #: The day of evaluation.
    today: dt.date
    #: What `.` stands for.
    current: str = ""
    #: Choice labels in the language at hand, by question and choice, for `jr:choice-name`.
    labels: Mapping[str, Mapping[str, str]] = {}
    #: Columns of the choice that a `choice_filter` looks at.
    columns: Mapping[str, str] = {}

    def typed(self, name: str) -> Value:
        """Answer the value of one name, or of "."; dates typed, empty = `None`."""
        text = self.current if name == "." else self.values.get(name, "")
        if not text:
            return None
        if self.kinds.get(name) == "date":
            return date_of(text) or text
        return text


def date_of(text: str) -> dt.date | None:
    """Answer the date that an ISO 8601 text begins with, `None` when there is no such day."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    try:
        return dt.date(*map(int, match.groups()))
    except ValueError:
        return None


def as_text(value: Value) -> str:
    """Answer XPath's `string()`: whole numbers without a point, unknown as ""."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case dt.date():
            return value.isoformat()
        case _:
            return _number_text(value)


def as_number(value: Value) -> float:
    """Answer XPath's `number()`: NaN for what is none."""
    match value:
        case None:
            return math.nan
        case dt.date():
            return float((value - _EPOCH).days)
        case str():
            text = value.strip()
            return float(text) if _NUMBER.fullmatch(text) else math.nan
        case _:
            return float(value)


def as_truth(value: Value) -> bool | None:
    """Answer XPath's `boolean()` with unknown kept."""
    match value:
        case None | bool():
            return value
        case str():
            return value != ""
        case dt.date():
            return True
        case _:
            return not (value == 0 or math.isnan(value))


def as_date(value: Value) -> dt.date | None:
    """Answer the day that a date, a text or a number of days stands for; `None` when none."""
    match value:
        case None | bool():
            return None
        case dt.date():
            return value
        case str():
            return date_of(value)
        case _:
            return _day(value)


def _number_text(value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == int(value):
        return str(int(value))
    return format(Decimal(repr(value)), "f")


def _day(days: float) -> dt.date | None:
    try:
        return _EPOCH + dt.timedelta(days=math.floor(days))
    except (OverflowError, ValueError):
        return None


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compare(sign: str, left: Value, right: Value) -> bool | None:
    """Answer a comparison; unknown while one side is missing.

    The one exception is the question "is it empty": `= ''` and `!= ''` see the missing answer.
    """
    if left is None or right is None:
        other = right if left is None else left
        if other == "" and sign in ("=", "!="):
            return sign == "="
        return None
    pair = _alike(left, right, is_equality=sign in ("=", "!="))
    # What cannot be compared is unequal, and neither before nor after: as NaN is in XPath.
    return sign == "!=" if pair is None else _COMPARISONS[sign](*pair)


def _alike(left: Value, right: Value, *, is_equality: bool) -> tuple[object, object] | None:
    if isinstance(left, bool) or isinstance(right, bool):
        if is_equality:
            return as_truth(left), as_truth(right)
        return as_number(left), as_number(right)
    if isinstance(left, float) or isinstance(right, float):
        return as_number(left), as_number(right)
    days = as_date(left), as_date(right)
    if None not in days:
        return days
    if isinstance(left, str) and isinstance(right, str):
        return (left, right) if is_equality else (as_number(left), as_number(right))
    return None


def _divided(first: float, second: float) -> float:
    if second != 0:
        return first / second
    if first == 0 or math.isnan(first):
        return math.nan
    return math.copysign(math.inf, first) * math.copysign(1.0, second)


def _remainder(first: float, second: float) -> float:
    if second == 0 or not math.isfinite(first) or math.isnan(second):
        return math.nan
    return math.fmod(first, second)


_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "div": _divided,
    "mod": _remainder,
}


def calculate(sign: str, left: Value, right: Value) -> Value:
    """Answer `+ - * div mod`; unknown while one side is missing, NaN where there is no result.

    A date plus or minus days is a date; a date minus a date is days.
    """
    if left is None or right is None:
        return None
    # A calculated date comes as text.
    left, right = _dated(left), _dated(right)
    number = _ARITHMETIC[sign](as_number(left), as_number(right))
    if not isinstance(left, dt.date) or sign not in ("+", "-"):
        return number
    if sign == "-" and isinstance(right, dt.date):
        return number
    day = as_date(number)
    return math.nan if day is None else day


def _dated(value: Value) -> Value:
    return (date_of(value) or value) if isinstance(value, str) else value
