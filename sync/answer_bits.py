"""Each type of answer as bits, and back. Bit by bit: docs/answers-format.md.

What people type by hand and may have typed wrongly (numbers of persons, phones, cards, cases) has
an escape to text; everything else comes from the screen in its right form or not at all.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping

from sync.answer_types import (
    AMOUNT_FORM,
    COUNT_FORM,
    INTEGER_FORM,
    VILLAGE_FORM,
)
from sync.bits import AnswersError, BitReader, BitWriter
from sync.forms import QuestionType
from sync.identity import id_check_digit, is_id_number
from sync.ids import case_number
from sync.layouts import Layout, Put, Take
from sync.survey_bits import (
    BARCODE_FORM,
    digit_bits,
    put_barcode,
    put_decimal,
    put_rank,
    put_time,
    put_unanswered,
    take_barcode,
    take_decimal,
    take_rank,
    take_time,
    take_unanswered,
)
from sync.xpath_values import date_of

__all__ = ["Layout", "filled_text", "put_answer", "take_answer"]

_REGION_BITS = 20
_BIRTH_EPOCH = dt.date(1800, 1, 1)  # the ID number's form begins with 18, 19 or 20
_DATE_EPOCH = dt.date(1900, 1, 1)
_DAY_BITS = 17  # 358 years
_ORDER_BITS = 10
_MOBILE = re.compile(r"1([3-9][0-9]{9})")
_MOBILE_BASE = 3 * 10**9
_MOBILE_BITS = 33
_CARD = re.compile(r"[0-9]{12,19}")
_CARD_DIGITS_MIN = 12
_CASE = re.compile(r"[0-9]{12}")
_KIOSK_BITS = 14
_SEQ_BITS = 20
_DIGITS4 = re.compile(r"[0-9]{4}")
_DIGITS4_BITS = 14
_VILLAGE_BITS = 40
_COUNT_MAX = 9


def put_answer(bits: BitWriter, kind: QuestionType, value: str, layout: Layout) -> None:
    """Add an answer that is not empty.

    Raises:
        AnswersError: It has not the form of its type; the message does not repeat it.
    """
    _CODES[kind][0](bits, value, layout)


def take_answer(bits: BitReader, kind: QuestionType, layout: Layout) -> str:
    """Read an answer, never empty.

    Raises:
        AnswersError: The bits are none of that type.
    """
    return _CODES[kind][1](bits, layout)


def filled_text(text: str) -> str:
    """Answer the text unless it is empty: what is empty is left out, not written.

    Raises:
        AnswersError: It is empty.
    """
    if not text:
        raise AnswersError("an empty text is written")
    return text


def _put_text(bits: BitWriter, value: str, layout: Layout) -> None:
    layout.dictionary.put(bits, value)


def _take_text(bits: BitReader, layout: Layout) -> str:
    return filled_text(layout.dictionary.take(bits))


def _put_choice(bits: BitWriter, value: str, layout: Layout) -> None:
    names = [choice.name for choice in layout.choices]
    if value not in names:
        raise AnswersError("a choice is not in its list")
    bits.put(names.index(value), (len(names) - 1).bit_length())


def _take_choice(bits: BitReader, layout: Layout) -> str:
    index = bits.take(max(len(layout.choices) - 1, 0).bit_length())
    if index >= len(layout.choices):
        raise AnswersError("a choice is not in its list")
    return layout.choices[index].name


def _put_choices(bits: BitWriter, value: str, layout: Layout) -> None:
    chosen = value.split(" ")
    names = [choice.name for choice in layout.choices]
    if [name for name in names if name in chosen] != chosen:
        raise AnswersError("choices are not in their list, or not in its order")
    for name in names:
        bits.put(int(name in chosen), 1)


def _take_choices(bits: BitReader, layout: Layout) -> str:
    return filled_text(" ".join(choice.name for choice in layout.choices if bits.take(1)))


def _put_date(bits: BitWriter, value: str, _: Layout) -> None:
    day = date_of(value)
    if day is None or day.isoformat() != value or day < _DATE_EPOCH:
        raise AnswersError("a date is none")
    bits.put((day - _DATE_EPOCH).days, _DAY_BITS)


def _take_date(bits: BitReader, _: Layout) -> str:
    return (_DATE_EPOCH + dt.timedelta(days=bits.take(_DAY_BITS))).isoformat()


def _put_amount(bits: BitWriter, value: str, _: Layout) -> None:
    if AMOUNT_FORM.fullmatch(value) is None:
        raise AnswersError("an amount is none")
    whole, _point, decimals = value.partition(".")
    bits.put(len(decimals), 2)
    bits.put_varying(int(whole + decimals))


def _take_amount(bits: BitReader, _: Layout) -> str:
    decimals = bits.take(2)
    digits = str(bits.take_varying()).zfill(decimals + 1)
    value = f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits
    if AMOUNT_FORM.fullmatch(value) is None:
        raise AnswersError("an amount is none")
    return value


def _put_integer(bits: BitWriter, value: str, _: Layout) -> None:
    if INTEGER_FORM.fullmatch(value) is None:
        raise AnswersError("a whole number is none")
    number = int(value)
    bits.put_varying(2 * number if number >= 0 else -2 * number - 1)


def _take_integer(bits: BitReader, _: Layout) -> str:
    half, is_negative = divmod(bits.take_varying(), 2)
    value = str(-half - 1 if is_negative else half)
    if INTEGER_FORM.fullmatch(value) is None:
        raise AnswersError("a whole number is none")
    return value


def _put_village(bits: BitWriter, value: str, _: Layout) -> None:
    if VILLAGE_FORM.fullmatch(value) is None:
        raise AnswersError("a village code is none")
    bits.put(int(value), _VILLAGE_BITS)


def _take_village(bits: BitReader, _: Layout) -> str:
    value = str(bits.take(_VILLAGE_BITS))
    if VILLAGE_FORM.fullmatch(value) is None:
        raise AnswersError("a village code is none")
    return value


def _put_consent(_: BitWriter, value: str, _layout: Layout) -> None:
    if value != "OK":
        raise AnswersError("a consent is given or left out")


def _take_consent(_: BitReader, _layout: Layout) -> str:
    return "OK"


def _put_count(bits: BitWriter, value: str, _: Layout) -> None:
    if COUNT_FORM.fullmatch(value) is None:
        raise AnswersError("a count of attachments is 1 to 9")
    for _more in range(int(value) - 1):
        bits.put(1, 1)
    bits.put(0, 1)


def _take_count(bits: BitReader, _: Layout) -> str:
    count = 1
    while bits.take(1):
        count += 1
        if count > _COUNT_MAX:
            raise AnswersError("a count of attachments is 1 to 9")
    return str(count)


def _put_note(bits: BitWriter, value: str, layout: Layout) -> None:
    is_typed = value.startswith("=")
    bits.put(int(is_typed), 1)
    if is_typed:
        layout.dictionary.put(bits, filled_text(value[1:]))
    else:
        _put_count(bits, value, layout)


def _take_note(bits: BitReader, layout: Layout) -> str:
    return "=" + _take_text(bits, layout) if bits.take(1) else _take_count(bits, layout)


def _or_text(
    fits: Callable[[str], bool],
    put: Callable[[BitWriter, str], None],
    take: Callable[[BitReader], str],
) -> tuple[Put, Take]:
    """Code what may be typed wrongly: a bit 0 and the short form, or a bit 1 and the text."""

    def put_either(bits: BitWriter, value: str, layout: Layout) -> None:
        is_text = not fits(value)
        bits.put(int(is_text), 1)
        if is_text:
            _put_text(bits, value, layout)
        else:
            put(bits, value)

    def take_either(bits: BitReader, layout: Layout) -> str:
        is_text = bits.take(1)
        value = _take_text(bits, layout) if is_text else take(bits)
        if fits(value) is bool(is_text):
            raise AnswersError("a number is not in its form")
        return value

    return put_either, take_either


def _put_id_number(bits: BitWriter, value: str) -> None:
    born = dt.date(int(value[6:10]), int(value[10:12]), int(value[12:14]))
    bits.put(int(value[:6]), _REGION_BITS)
    bits.put((born - _BIRTH_EPOCH).days, _DAY_BITS)
    bits.put(int(value[14:17]), _ORDER_BITS)


def _take_id_number(bits: BitReader) -> str:
    region = bits.take(_REGION_BITS)
    born = _BIRTH_EPOCH + dt.timedelta(days=bits.take(_DAY_BITS))
    stem = f"{region}{born:%Y%m%d}{bits.take(_ORDER_BITS):03d}"
    if len(stem) != 17:
        raise AnswersError("an ID number is none")
    return stem + id_check_digit(stem)


def _put_mobile(bits: BitWriter, value: str) -> None:
    bits.put(int(value[1:]) - _MOBILE_BASE, _MOBILE_BITS)


def _take_mobile(bits: BitReader) -> str:
    return f"1{bits.take(_MOBILE_BITS) + _MOBILE_BASE}"


def _put_card(bits: BitWriter, value: str) -> None:
    bits.put(len(value) - _CARD_DIGITS_MIN, 3)
    bits.put(int(value), digit_bits(len(value)))


def _take_card(bits: BitReader) -> str:
    digits = bits.take(3) + _CARD_DIGITS_MIN
    value = f"{bits.take(digit_bits(digits)):0{digits}d}"
    if len(value) != digits:
        raise AnswersError("a card number is none")
    return value


def _is_issued_case(value: str) -> bool:
    if _CASE.fullmatch(value) is None:
        return False
    kiosk, seq = int(value[:4]), int(value[4:10])
    # Two other pairs of check digits pass MOD 97-10 for some stems: only the issued one is short.
    return kiosk > 0 and seq > 0 and case_number(kiosk, seq) == value


def _put_case(bits: BitWriter, value: str) -> None:
    bits.put(int(value[:4]), _KIOSK_BITS)
    bits.put(int(value[4:10]), _SEQ_BITS)


def _take_case(bits: BitReader) -> str:
    try:
        return case_number(bits.take(_KIOSK_BITS), bits.take(_SEQ_BITS))
    except ValueError as error:
        raise AnswersError("a case number is none") from error


def _put_digits4(bits: BitWriter, value: str) -> None:
    bits.put(int(value), _DIGITS4_BITS)


def _take_digits4(bits: BitReader) -> str:
    return f"{bits.take(_DIGITS4_BITS):04d}"


def _matches(form: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: form.fullmatch(value) is not None


_CODES: Mapping[QuestionType, tuple[Put, Take]] = {
    "id_number": _or_text(is_id_number, _put_id_number, _take_id_number),
    "name": (_put_text, _take_text),
    "phone": _or_text(_matches(_MOBILE), _put_mobile, _take_mobile),
    "bank_card": _or_text(_matches(_CARD), _put_card, _take_card),
    "case_no": _or_text(_is_issued_case, _put_case, _take_case),
    "digits4": _or_text(_matches(_DIGITS4), _put_digits4, _take_digits4),
    "date": (_put_date, _take_date),
    "amount": (_put_amount, _take_amount),
    "integer": (_put_integer, _take_integer),
    "choice": (_put_choice, _take_choice),
    "yes_no": (_put_choice, _take_choice),
    "multi_choice": (_put_choices, _take_choices),
    "photo": (_put_count, _take_count),
    "signature": (_put_count, _take_count),
    "voice_note": (_put_note, _take_note),
    "text_note": (_put_text, _take_text),
    "village": (_put_village, _take_village),
    "consent": (_put_consent, _take_consent),
    "decimal": (put_decimal, take_decimal),
    "time": (put_time, take_time),
    "range": (put_decimal, take_decimal),
    "rank": (put_rank, take_rank),
    "note": (put_unanswered, take_unanswered),
    "acknowledge": (_put_consent, _take_consent),
    "barcode": _or_text(_matches(BARCODE_FORM), put_barcode, take_barcode),
}
