"""Typed values to be spoken, and the checks of their shape."""

import datetime as dt
import re
from decimal import Decimal
from typing import Literal

import msgspec

from voice_prompts.errors import SlotValueWrong
from voice_prompts.limits import NUMBER_DIGITS_MAX

Kind = Literal[
    "money",
    "date",
    "time",
    "count",
    "number",
    "ordinal",
    "digits",
    "phone",
    "id_number",
    "case_no",
    "bank_tail",
    "text",
]


class Spoken(msgspec.Struct, frozen=True):
    """A value that fills a slot of a spoken template."""

    #: How the value is read: "12" is 十二 as a number, 幺二 as digits.
    kind: Kind
    #: ASCII, as in records: "1234.50" yuan, "2026-11-24" or "2026-11", "14:30",
    #: "0128"; kind "text" takes any words.
    value: str


_SHAPES: dict[str, re.Pattern[str]] = {
    "money": re.compile(rf"-?[0-9]{{1,{NUMBER_DIGITS_MAX}}}(\.[0-9]{{1,2}})?"),
    "number": re.compile(rf"-?[0-9]{{1,{NUMBER_DIGITS_MAX}}}(\.[0-9]{{1,6}})?"),
    "count": re.compile(rf"-?[0-9]{{1,{NUMBER_DIGITS_MAX}}}(\.[0-9]{{1,6}})?"),
    "ordinal": re.compile(rf"[0-9]{{1,{NUMBER_DIGITS_MAX}}}"),
    "date": re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?"),
    "time": re.compile(r"([01]?[0-9]|2[0-3]):[0-5][0-9]"),
    "digits": re.compile(r"[0-9]{1,40}"),
    "phone": re.compile(r"[0-9]+(-[0-9]+)*"),
    "id_number": re.compile(r"[0-9]{17}[0-9X]"),
    "case_no": re.compile(r"[0-9]{12}"),
    "bank_tail": re.compile(r"[0-9]{1,8}"),
}


def checked(kind: Kind, value: str) -> str:
    """Answer the value in its kind's exact shape.

    Spaces that screens put between groups are taken out; a small x of an ID
    number becomes X.

    Raises:
        SlotValueWrong: Another shape. The message holds the kind and never the
            value, which may be personal.
    """
    plain = re.sub(r"\s", "", value).upper()
    if not _SHAPES[kind].fullmatch(plain):
        raise SlotValueWrong(f"a value of kind {kind} has the wrong shape")
    if kind == "date" and not _is_real_day(plain):
        raise SlotValueWrong("a value of kind date is not a day of the calendar")
    return plain


def _is_real_day(value: str) -> bool:
    year, month, day = [*value.split("-"), "01", "01"][:3]
    try:
        dt.date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def split_decimal(value: str) -> tuple[bool, int, str]:
    """Split a number into sign, whole part and the digits after the point.

    >>> split_decimal("-12.50")
    (True, 12, '50')
    """
    whole, _, rest = value.removeprefix("-").partition(".")
    return value.startswith("-"), int(whole), rest


def split_money(value: str) -> tuple[bool, int, int, int]:
    """Split an amount into sign, yuan, jiao and fen.

    >>> split_money("1234.5")
    (False, 1234, 5, 0)
    """
    fen = int(abs(Decimal(value)) * 100)
    return value.startswith("-") and fen > 0, fen // 100, fen // 10 % 10, fen % 10


def digit_groups(kind: Kind, value: str) -> tuple[str, ...]:
    """Cut a digit string into the groups in which it is read and written down.

    >>> digit_groups("id_number", "11010519491231002X")
    ('110', '105', '1949', '1231', '002X')
    >>> digit_groups("phone", "0571-87654321")
    ('0571', '8765', '4321')
    """
    match kind:
        case "id_number":
            return _cut(value, (3, 3, 4, 4, 4))
        case "case_no":
            return _cut(value, (4, 4, 4))
        case "phone" if len(value) == 11 and value.isdigit() and value.startswith("1"):
            return _cut(value, (3, 4, 4))
        case "phone":
            return tuple(group for part in value.split("-") for group in _even(part))
        case _:
            return _even(value)


def _even(value: str) -> tuple[str, ...]:
    # Up to six digits are one breath (12345, a tail); more are cut in fours.
    if len(value) <= 6:
        return (value,)
    return tuple(value[start : start + 4] for start in range(0, len(value), 4))


def _cut(value: str, sizes: tuple[int, ...]) -> tuple[str, ...]:
    groups = []
    for size in sizes:
        groups.append(value[:size])
        value = value[size:]
    return tuple(groups)
