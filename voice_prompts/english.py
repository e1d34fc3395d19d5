"""How English says typed values, as a row of prepared fragments."""

from functools import cache

from voice_prompts.spoken import Kind, checked, digit_groups, split_decimal, split_money

#: Stands between digit groups where the voice rests.
REST = ""

_ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen"),
    *("fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_SCALES = ((1_000_000_000, "billion"), (1_000_000, "million"), (1_000, "thousand"))


def spoken(kind: Kind, value: str) -> tuple[str, ...]:
    """Answer the fragments that say a value; `REST` where a group ends.

    Args:
        kind: Any kind but "text".
        value: In the kind's shape.

    Raises:
        SlotValueWrong: The value has another shape.

    >>> " ".join(spoken("date", "2026-11-24"))
    'twenty-fourth of November twenty twenty-six'
    """
    plain = checked(kind, value)
    match kind:
        case "money":
            return tuple(_money(plain))
        case "number" | "count":
            return tuple(_number(plain))
        case "ordinal":
            return tuple(_ordinal(int(plain)))
        case "date":
            return tuple(_date(plain))
        case "time":
            return tuple(_time(plain))
        case _:
            return tuple(_grouped_digits(kind, plain))


@cache
def fragments() -> tuple[str, ...]:
    """Answer every fragment that `spoken` can give, sorted."""
    found = {"and", "point", "minus", "yuan", "fen", "number", "nineteen hundred"}
    found.update(("X", "a.m.", "p.m.", "noon", "midnight"))
    found.update(name for _, name in _SCALES)
    found.update(_below_hundred(n) for n in range(100))
    found.update(f"{_ONES[n]} hundred" for n in range(1, 10))
    found.update(f"oh {_ONES[n]}" for n in range(1, 10))
    found.update(_below_hundredth(n) for n in range(1, 100))
    found.update(_MONTHS)
    found.update(f"of {month}" for month in _MONTHS)
    return tuple(sorted(found))


def cardinal(number: int) -> list[str]:
    """Answer a whole number, 0 … 10¹² − 1, as fragments.

    >>> " ".join(cardinal(1234))
    'one thousand two hundred and thirty-four'
    """
    if number == 0:
        return ["zero"]
    said: list[str] = []
    for scale, name in _SCALES:
        above, number = divmod(number, scale)
        if above:
            said += [*_below_thousand(above), name]
    if number < 100 and said and number:
        said.append("and")
    return said + _below_thousand(number)


def _below_thousand(number: int) -> list[str]:
    hundreds, rest = divmod(number, 100)
    said = [f"{_ONES[hundreds]} hundred"] if hundreds else []
    if hundreds and rest:
        said.append("and")
    return [*said, _below_hundred(rest)] if rest else said


def _below_hundred(number: int) -> str:
    if number < 10:
        return _ONES[number]
    if number < 20:
        return _TEENS[number - 10]
    tens, ones = divmod(number, 10)
    return _TENS[tens - 2] + (f"-{_ONES[ones]}" if ones else "")


def _below_hundredth(number: int) -> str:
    head, hyphen, last = _below_hundred(number).rpartition("-")
    if last in _ORDINALS:
        last = _ORDINALS[last]
    else:
        last = f"{last.removesuffix('y')}ieth" if last.endswith("y") else f"{last}th"
    return head + hyphen + last


def _number(value: str) -> list[str]:
    is_negative, whole, decimals = split_decimal(value)
    said = (["minus"] if is_negative else []) + cardinal(whole)
    if decimals:
        said += ["point", *(_ONES[int(digit)] for digit in decimals)]
    return said


def _money(value: str) -> list[str]:
    is_negative, yuan, jiao, fen_rest = split_money(value)
    fen = jiao * 10 + fen_rest
    said = ["minus"] if is_negative else []
    if yuan or not fen:
        said += [*cardinal(yuan), "yuan"]
    if fen:
        said += (["and"] if yuan else []) + [_below_hundred(fen), "fen"]
    return said


def _ordinal(number: int) -> list[str]:
    if 1 <= number < 100:
        return [_below_hundredth(number)]
    return ["number", *cardinal(number)]


def _date(value: str) -> list[str]:
    year, *rest = (int(part) for part in value.split("-"))
    match rest:
        case [month, day]:
            said = [_below_hundredth(day), f"of {_MONTHS[month - 1]}"]
        case [month]:
            said = [_MONTHS[month - 1]]
        case _:
            said = []
    return said + _year(year)


def _year(year: int) -> list[str]:
    century, rest = divmod(year, 100)
    if year == 1900:
        return ["nineteen hundred"]
    if century % 10 == 0 or not rest:
        return cardinal(year) if rest < 10 else [_below_hundred(century), _below_hundred(rest)]
    return [_below_hundred(century), f"oh {_ONES[rest]}" if rest < 10 else _below_hundred(rest)]


def _time(value: str) -> list[str]:
    hour, minute = (int(part) for part in value.split(":"))
    if not minute and hour % 12 == 0:
        return ["noon" if hour else "midnight"]
    said = [_below_hundred((hour - 1) % 12 + 1)]
    if minute:
        said.append(f"oh {_ONES[minute]}" if minute < 10 else _below_hundred(minute))
    return [*said, "a.m." if hour < 12 else "p.m."]


def _grouped_digits(kind: Kind, value: str) -> list[str]:
    said: list[str] = []
    for group in digit_groups(kind, value):
        if said:
            said.append(REST)
        said += ["X" if sign == "X" else _ONES[int(sign)] for sign in group]
    return said
