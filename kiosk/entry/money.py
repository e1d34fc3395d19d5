"""Sums of money as bank slips write them, so that no digit can be changed (大写). Pure."""

import re

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿")
_AMOUNT = re.compile(r"0*([0-9]{1,12})(?:\.([0-9]{0,2}))?")


def capital(amount: str) -> str:
    """Answer a sum in yuan in capital figures; "" for nothing, zero, or what is no sum.

    Args:
        amount: Yuan as typed: at most 12 digits, at most two decimals.

    Source: 支付结算办法 (银发〔1997〕393号), annex 1: 零 for zeros inside, 整 after whole yuan.

    >>> capital("1409.50"), capital("6007.14"), capital("120000")
    ('壹仟肆佰零玖元伍角整', '陆仟零柒元壹角肆分', '壹拾贰万元整')
    >>> capital("0.05"), capital("16409.02")
    ('伍分', '壹万陆仟肆佰零玖元零贰分')
    """
    found = _AMOUNT.fullmatch(amount)
    if found is None:
        return ""
    whole, cents = int(found[1]), (found[2] or "").ljust(2, "0")
    if not whole and not int(cents):
        return ""
    yuan = f"{_whole(whole)}元" if whole else ""
    return yuan + _cents(cents, is_after_yuan=bool(whole))


def _cents(cents: str, *, is_after_yuan: bool) -> str:
    jiao, fen = int(cents[0]), int(cents[1])
    if not fen:
        return f"{_DIGITS[jiao]}角整" if jiao else "整"
    if not jiao:
        return f"{'零' if is_after_yuan else ''}{_DIGITS[fen]}分"
    return f"{_DIGITS[jiao]}角{_DIGITS[fen]}分"


def _whole(number: int) -> str:
    """Write a number below 10^12: groups of four places, one 零 for any run of zeros inside."""
    words, is_zero_owed = "", False
    for place in reversed(range(12)):
        digit = number // 10**place % 10
        if digit:
            words += ("零" if is_zero_owed and words else "") + _DIGITS[digit] + _PLACES[place % 4]
            is_zero_owed = False
        elif words:
            is_zero_owed = True
        if place % 4 == 0 and number // 10**place % 10**4:
            words += _GROUPS[place // 4]
            # 10 0700: the group's name parts the zeros before it from those behind.
            is_zero_owed = is_zero_owed and place > 0 and number // 10 ** (place - 1) % 10 == 0
    return words
