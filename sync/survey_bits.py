"""The types that forms of other authors (XLSForm) bring, as bits. See docs/answers-format.md."""

import re

from sync.answer_types import TIME_FORM, is_decimal
from sync.bits import AnswersError, BitReader, BitWriter
from sync.layouts import Layout

BARCODE_FORM = re.compile(r"[0-9]{1,32}")
_BARCODE_LENGTH_BITS = 5
_MINUTE_BITS = 11  # 1,440 minutes a day
_DECIMALS_BITS = 3


def digit_bits(digits: int) -> int:
    """Answer the bits of the largest number of so many digits."""
    return int("9" * digits).bit_length()


def put_rank(bits: BitWriter, value: str, layout: Layout) -> None:
    """Add choices from the first rank to the last; not all need be ranked.

    Raises:
        AnswersError: It is none.
    """
    left = [choice.name for choice in layout.choices]
    chosen = value.split(" ")
    if len(set(chosen)) != len(chosen) or not set(chosen) <= set(left):
        raise AnswersError("ranked choices are not in their list, or one is there twice")
    bits.put(int(len(chosen) < len(left)), 1)
    if len(chosen) < len(left):
        for name in left:
            bits.put(int(name in chosen), 1)
        left = [name for name in left if name in chosen]
    for name in chosen:
        bits.put(left.index(name), (len(left) - 1).bit_length())
        left.remove(name)


def take_rank(bits: BitReader, layout: Layout) -> str:
    """Read choices by rank.

    Raises:
        AnswersError: It is none.
    """
    names = [choice.name for choice in layout.choices]
    is_partial = bits.take(1)
    left = [name for name in names if bits.take(1)] if is_partial else list(names)
    if not left or (is_partial and left == names):
        raise AnswersError("ranked choices are not in their shortest form")
    ranked = []
    while left:
        index = bits.take((len(left) - 1).bit_length())
        if index >= len(left):
            raise AnswersError("a choice is not in its list")
        ranked.append(left.pop(index))
    return " ".join(ranked)


def put_decimal(bits: BitWriter, value: str, _: Layout) -> None:
    """Add a decimal number: how many decimals, then its digits with the sign.

    Raises:
        AnswersError: It is none.
    """
    if not is_decimal(value):
        raise AnswersError("a decimal number is none")
    whole, _point, decimals = value.removeprefix("-").partition(".")
    number = int(whole + decimals)
    bits.put(len(decimals), _DECIMALS_BITS)
    bits.put_varying(2 * number - 1 if value.startswith("-") else 2 * number)


def take_decimal(bits: BitReader, _: Layout) -> str:
    """Read a decimal number.

    Raises:
        AnswersError: It is none.
    """
    decimals = bits.take(_DECIMALS_BITS)
    half, is_negative = divmod(bits.take_varying(), 2)
    digits = str(half + is_negative).zfill(decimals + 1)
    value = f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits
    value = f"-{value}" if is_negative else value
    if not is_decimal(value):
        raise AnswersError("a decimal number is none")
    return value


def put_time(bits: BitWriter, value: str, _: Layout) -> None:
    """Add a time of day as minutes.

    Raises:
        AnswersError: It is none.
    """
    if TIME_FORM.fullmatch(value) is None:
        raise AnswersError("a time of day is none")
    bits.put(60 * int(value[:2]) + int(value[3:]), _MINUTE_BITS)


def take_time(bits: BitReader, _: Layout) -> str:
    """Read a time of day, "08:30".

    Raises:
        AnswersError: It is none.
    """
    hour, minute = divmod(bits.take(_MINUTE_BITS), 60)
    if hour > 23:
        raise AnswersError("a time of day is none")
    return f"{hour:02d}:{minute:02d}"


def put_unanswered(_: BitWriter, _value: str, _layout: Layout) -> None:
    """Refuse what can have no answer.

    Raises:
        AnswersError: It is none.
    """
    raise AnswersError("a note has no answer")


def take_unanswered(_: BitReader, _layout: Layout) -> str:
    """Refuse what can have no answer.

    Raises:
        AnswersError: It is none.
    """
    raise AnswersError("a note has no answer")


def put_barcode(bits: BitWriter, value: str) -> None:
    """Add a barcode of digits: how many, then the number.

    Raises:
        AnswersError: It is none.
    """
    bits.put(len(value) - 1, _BARCODE_LENGTH_BITS)
    bits.put(int(value), digit_bits(len(value)))


def take_barcode(bits: BitReader) -> str:
    """Read a barcode of digits.

    Raises:
        AnswersError: It is none.
    """
    digits = bits.take(_BARCODE_LENGTH_BITS) + 1
    value = f"{bits.take(digit_bits(digits)):0{digits}d}"
    if len(value) != digits:
        raise AnswersError("a barcode is none")
    return value
