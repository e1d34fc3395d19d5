"""Numbers and names of people: whether they can be right, how they are stored, how they are masked.

Nothing here looks anything up: a number that passes may still belong to nobody.
"""

import datetime as dt
import re
import unicodedata
from typing import Literal

from sync.limits import NAME_CHARS_MAX

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_ID_FORM = re.compile(r"[1-9][0-9]{5}(?:18|19|20)[0-9]{9}[0-9X]")
_PHONE_FORM = re.compile(r"1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8}")
_CARD_FORM = re.compile(r"[0-9]{12,19}")
_CREDIT_DIGITS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
# The dots that keyboards and card readers give for the one that GB/T 2312 names know.
_MIDDLE_DOTS = dict.fromkeys(map(ord, "・•․‧∙⋅･"), "·")
_FULL_WIDTH = {ord("！") + offset: chr(ord("!") + offset) for offset in range(94)}
MASKS = frozenset({"", "id_card", "name", "phone", "bank_card"})
"""What `TypeRule.mask` may say."""

_NAME_SIGNS = frozenset("·-'.,()（）#/&—")


def is_id_number(text: str) -> bool:
    """Answer whether the text is a resident's ID number: form, real birth date, check digit.

    Regions are not looked up: abolished codes, permits of Hong Kong, Macao and Taiwan (81–83) and
    of foreigners (9) follow the same rule. The old numbers of 15 digits have been void since 2013.

    Source: GB 11643-1999.

    >>> is_id_number("11010519491231002X"), is_id_number("110105194912310021")
    (True, False)
    """
    return (
        _ID_FORM.fullmatch(text) is not None
        and _birth_date(text) is not None
        and text[17] == id_check_digit(text[:17])
    )


def id_check_digit(stem: str) -> str:
    """Answer the eighteenth character for the seventeen digits before it.

    Source: ISO 7064 MOD 11-2, as GB 11643-1999 uses it.

    >>> id_check_digit("11010519491231002")
    'X'
    """
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, stem, strict=True))
    return _ID_CHECKS[total % 11]


def birth_date(id_number: str) -> dt.date | None:
    """Answer the birth date that a valid ID number carries, `None` for anything else.

    >>> birth_date("11010519491231002X")
    datetime.date(1949, 12, 31)
    """
    return _birth_date(id_number) if is_id_number(id_number) else None


def sex(id_number: str) -> Literal["male", "female"] | None:
    """Answer the registered sex that a valid ID number carries: an odd order is male.

    >>> sex("11010519491231002X")
    'female'
    """
    if not is_id_number(id_number):
        return None
    return "male" if int(id_number[16]) % 2 else "female"


def is_phone(text: str) -> bool:
    """Answer whether the text is a mobile number, or a landline with its area code."""
    return _PHONE_FORM.fullmatch(text) is not None


def passes_luhn(text: str) -> bool:
    """Answer whether a card number's last digit fits the others; old passbooks' often do not.

    Source: ISO/IEC 7812-1 annex B.

    >>> passes_luhn("6222021234567890128"), passes_luhn("6222021234567890127")
    (True, False)
    """
    if _CARD_FORM.fullmatch(text) is None:
        return False
    digits = [int(digit) for digit in reversed(text)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[0::2]) + sum(doubled)) % 10 == 0


def is_credit_code(text: str) -> bool:
    """Answer whether the text is an organisation's unified social credit code.

    Source: GB 32100-2015.

    >>> is_credit_code("91350100M000100Y43")
    True
    """
    if len(text) != 18 or any(character not in _CREDIT_DIGITS for character in text):
        return False
    values = [_CREDIT_DIGITS.index(character) for character in text]
    total = sum(weight * value for weight, value in zip(_CREDIT_WEIGHTS, values, strict=False))
    return values[17] == (31 - total % 31) % 31


def is_person_name(text: str) -> bool:
    """Answer whether the text can stand where a name is asked for.

    1 to 50 characters: letters of any script (Han with all its extension blocks, and the private
    glyphs that a card reader may give for a rare one), digits, middle dot and a few signs, single
    spaces inside. Digits and signs pass because forms ask for places, works numbers and
    certificate numbers by the same type.
    """
    if not 0 < len(text) <= NAME_CHARS_MAX or "  " in text or text != text.strip():
        return False
    kinds = [unicodedata.category(character) for character in text]
    return any(kind[0] in "LN" or kind == "Co" for kind in kinds) and all(
        kind[0] in "LMN" or kind == "Co" or character in _NAME_SIGNS or character == " "
        for character, kind in zip(text, kinds, strict=True)
    )


def normalise_digits(text: str) -> str:
    """Answer the text with full-width characters made ASCII and all spaces taken out.

    >>> normalise_digits("１３８ 1234 5678")
    '13812345678'
    """
    return "".join(text.translate(_FULL_WIDTH).split())


def normalise_id_number(text: str) -> str:
    """Answer an ID number as it is stored: ASCII, no spaces, X upper-case.

    >>> normalise_id_number("11010519491231002ｘ")
    '11010519491231002X'
    """
    return normalise_digits(text).upper()


def normalise_name(text: str) -> str:
    """Answer a name as it is stored: one kind of middle dot, no spaces but between Latin words.

    >>> normalise_name(" 阿卜杜拉•买买提 "), normalise_name("王 小明"), normalise_name("Ann  Lee")
    ('阿卜杜拉·买买提', '王小明', 'Ann Lee')
    """
    words = text.translate(_MIDDLE_DOTS).split()
    name = ""
    for word in words:
        between = " " if name and name[-1].isascii() and word[0].isascii() else ""
        name += between + word
    return name


def mask(kind: str, value: str) -> str:
    """Answer the value with its middle hidden, as slips, lists and public boards show it.

    Args:
        kind: `TypeRule.mask`: "id_card", "name", "phone", "bank_card"; "" shows the value.
        value: What was answered; "" stays "".

    Raises:
        ValueError: `kind` is none of these; a misspelt mask must not show everything.

    Source: GB/T 35273-2020, de-identification in display.

    >>> mask("id_card", "530121194602050013"), mask("phone", "13812341234"), mask("name", "王小明")
    ('530121********0013', '138****1234', '王*明')
    """
    match kind:
        case "":
            return value
        case "id_card":
            return _starred(value, head=6, tail=4)
        case "phone":
            return _starred(value, head=3, tail=4)
        case "bank_card":
            return f"**** {value[-4:]}" if len(value) > 8 else "*" * len(value)
        case "name":
            return _masked_name(value)
        case _:
            raise ValueError(f"no mask is called {kind!r}")


def _birth_date(id_number: str) -> dt.date | None:
    try:
        return dt.date(int(id_number[6:10]), int(id_number[10:12]), int(id_number[12:14]))
    except ValueError:
        return None


def _starred(value: str, *, head: int, tail: int) -> str:
    # A value that was cut short must not be shown whole by its own ends.
    hidden = len(value) - head - tail
    if hidden < 3:
        return "*" * len(value)
    return value[:head] + "*" * hidden + value[-tail:]


def _masked_name(value: str) -> str:
    if len(value) < 2:
        return "*" * len(value)
    if len(value) == 3:
        return f"{value[0]}*{value[2]}"
    # Long names keep one character; the count of stars must not tell the length (阿***).
    return value[0] + "*" * min(len(value) - 1, 3)
