"""How Mandarin says typed values, as a row of prepared fragments.

The fragments are as long as they can be while their number stays small
(一千 · 二百 · 三十四 · 元): every seam costs naturalness, every fragment a clip.
"""

from functools import cache

from voice_prompts.spoken import Kind, checked, digit_groups, split_decimal, split_money

#: Stands between digit groups where the voice rests.
REST = ""

_ONES = "零一二三四五六七八九"
_DIGITS = "零幺二三四五六七八九"  # 一 and 七 sound alike on a telephone, so strings take 幺
_CHECK_LETTER = "叉"  # the X of an ID number


def spoken(kind: Kind, value: str) -> tuple[str, ...]:
    """Answer the fragments that say a value; `REST` where a group ends.

    Args:
        kind: Any kind but "text".
        value: In the kind's shape.

    Raises:
        SlotValueWrong: The value has another shape.

    >>> "".join(spoken("money", "1234.50"))
    '一千二百三十四元五角'
    >>> "".join(spoken("date", "2026-11-24"))
    '二零二六年十一月二十四日'
    """
    plain = checked(kind, value)
    match kind:
        case "money":
            return tuple(_money(plain))
        case "number" | "count":
            return tuple(_number(plain, is_count=kind == "count"))
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
    found = {"两", "幺", _CHECK_LETTER, "万", "亿", "点", "负", "第", "元"}
    found.update(_below_hundred(n) for n in range(100))
    found.update(_mid_tens(n) for n in range(10, 20))
    found.update(f"零{_ONES[n]}" for n in range(1, 10))
    found.update(f"{_ONES[n]}百" for n in range(1, 10))
    found.update(f"{_two_as_liang(n)}{unit}" for n in range(1, 10) for unit in "百千万亿")
    found.update(f"{_two_as_liang(n)}{unit}" for n in range(1, 10) for unit in "角分")
    found.update(f"第{_below_hundred(n)}" for n in range(1, 21))
    found.update(("一九", "二零"))
    found.update(f"{_ONES[n // 10]}{_ONES[n % 10]}年" for n in range(100))
    found.update(f"{_below_hundred(n)}月" for n in range(1, 13))
    found.update(f"{_below_hundred(n)}日" for n in range(1, 32))
    found.update(_hour(n) for n in range(24))
    found.update(_minute(n) for n in range(1, 60))
    return tuple(sorted(found))


def cardinal(number: int, *, is_count: bool = False, takes_liang: bool = True) -> list[str]:
    """Answer a whole number as fragments.

    Args:
        number: 0 … 10¹² − 1.
        is_count: A measure word follows, so that a lone 2 is 两.
        takes_liang: 200 at the head is 两百; otherwise 二百 (as after 第).

    >>> cardinal(100_205)
    ['十', '万', '零', '二百', '零五']
    """
    if number == 0:
        return ["零"]
    if number == 2 and is_count:
        return ["两"]
    hundred_millions, rest = divmod(number, 100_000_000)
    ten_thousands, ones = divmod(rest, 10_000)
    said: list[str] = []
    if hundred_millions:
        said += _with_unit(hundred_millions, "亿", is_head=True, takes_liang=takes_liang)
    if ten_thousands:
        if said and ten_thousands < 1000:
            said.append("零")
        said += _with_unit(ten_thousands, "万", is_head=not said, takes_liang=takes_liang)
    if ones:
        has_gap = bool(said) and (ones < 1000 or not ten_thousands)
        if has_gap and ones >= 10:
            said.append("零")
        said += _section(ones, is_head=not said, takes_liang=takes_liang)
    return said


def _with_unit(number: int, unit: str, *, is_head: bool, takes_liang: bool) -> list[str]:
    if number < 10:
        return [_two_as_liang(number) + unit]
    return [*_section(number, is_head=is_head, takes_liang=takes_liang), unit]


def _section(number: int, *, is_head: bool, takes_liang: bool) -> list[str]:
    """Say 1 … 9999; not at the head, 5 is 零五 and 15 is 一十五."""
    thousands, below_thousand = divmod(number, 1000)
    hundreds, rest = divmod(below_thousand, 100)
    said: list[str] = []
    if thousands:
        said.append(_two_as_liang(thousands) + "千")
    if hundreds:
        is_liang = is_head and not said and takes_liang
        said.append((_two_as_liang(hundreds) if is_liang else _ONES[hundreds]) + "百")
    if not rest:
        return said
    if is_head and not said:
        return [_below_hundred(rest)]
    if rest < 10:
        return [*said, f"零{_ONES[rest]}"]
    if thousands and not hundreds:
        said.append("零")
    return [*said, _mid_tens(rest)]


def _below_hundred(number: int) -> str:
    tens, ones = divmod(number, 10)
    if not tens:
        return _ONES[ones]
    return ("" if tens == 1 else _ONES[tens]) + "十" + (_ONES[ones] if ones else "")


def _mid_tens(number: int) -> str:
    return ("一" if number < 20 else "") + _below_hundred(number)


def _two_as_liang(digit: int) -> str:
    return "两" if digit == 2 else _ONES[digit]


def _number(value: str, *, is_count: bool) -> list[str]:
    is_negative, whole, decimals = split_decimal(value)
    said = ["负"] if is_negative else []
    said += cardinal(whole, is_count=is_count and not decimals)
    if decimals:
        said += ["点", *(_ONES[int(digit)] for digit in decimals)]
    return said


def _money(value: str) -> list[str]:
    is_negative, yuan, jiao, fen = split_money(value)
    said = ["负"] if is_negative else []
    if yuan or not (jiao or fen):
        said += [*cardinal(yuan, is_count=True), "元"]
    if jiao:
        said.append(_two_as_liang(jiao) + "角")
    if fen:
        if yuan and not jiao:
            said.append("零")
        said.append(_two_as_liang(fen) + "分")
    return said


def _ordinal(number: int) -> list[str]:
    if 1 <= number <= 20:
        return [f"第{_below_hundred(number)}"]
    return ["第", *cardinal(number, takes_liang=False)]


def _date(value: str) -> list[str]:
    year, *rest = value.split("-")
    half = "".join(_ONES[int(digit)] for digit in year[:2])
    said = [half] if half in {"一九", "二零"} else [_ONES[int(digit)] for digit in year[:2]]
    said.append("".join(_ONES[int(digit)] for digit in year[2:]) + "年")
    said += [_below_hundred(int(number)) + unit for number, unit in zip(rest, "月日", strict=False)]
    return said


def _time(value: str) -> list[str]:
    hour, minute = (int(part) for part in value.split(":"))
    return [_hour(hour), *([_minute(minute)] if minute else [])]


def _hour(hour: int) -> str:
    return ("两" if hour == 2 else _below_hundred(hour)) + "点"


def _minute(minute: int) -> str:
    return ("零" if minute < 10 else "") + _below_hundred(minute) + "分"


def _grouped_digits(kind: Kind, value: str) -> list[str]:
    said: list[str] = []
    for group in digit_groups(kind, value):
        if said:
            said.append(REST)
        said += [_CHECK_LETTER if sign == "X" else _DIGITS[int(sign)] for sign in group]
    return said
