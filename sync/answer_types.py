"""What each type of question accepts, before the form's own constraints."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from sync.forms import (
    ATTACHMENT_TYPES,
    CHOICE_TYPES,
    UNANSWERED_TYPES,
    Catalogue,
    Question,
    Service,
)
from sync.identity import is_id_number, is_person_name, is_phone
from sync.ids import is_case_number
from sync.limits import TEXT_BYTES_MAX, TEXT_CHARS_MAX
from sync.xpath_values import date_of

AMOUNT_FORM = re.compile(r"(?:0|[1-9][0-9]{0,9})(?:\.[0-9]{1,2})?")
INTEGER_FORM = re.compile(r"0|-?[1-9][0-9]{0,8}")
COUNT_FORM = re.compile(r"[1-9]")
DECIMAL_FORM = re.compile(r"-?(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,5})?")
TIME_FORM = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
VILLAGE_FORM = re.compile(r"[1-9][0-9]{11}")
DATE_YEARS = range(1900, 2200)

VALIDATORS: Mapping[str, Callable[[str], bool]] = {
    "gb11643": is_id_number,
    "cn_phone": is_phone,
    "person_name": is_person_name,
    "mod97_10": is_case_number,
    # Old passbooks do not pass Luhn: the screen warns and asks twice, nothing is blocked.
    "luhn": lambda _: True,
}
"""What a `TypeRule.validator` names."""


def type_fault(catalogue: Catalogue, service: Service, question: Question, value: str) -> str:
    """Answer the code of what the type itself does not allow; "" when it fits.

    Args:
        catalogue: Names each type's validator and holds the shared choice lists.
        service: The form, with its own choice lists.
        question: What was asked.
        value: The answer, not empty.

    Returns:
        The question's type ("choice" for all kinds of it), "too_long", "characters",
        "attachments", "photo_missing" or "".
    """
    if len(value) > TEXT_CHARS_MAX + 1:
        return "too_long"
    rule = catalogue.types.get(question.type)
    if rule is not None and not VALIDATORS.get(rule.validator, _anything)(value):
        return question.type
    if question.type in CHOICE_TYPES:
        names = [choice.name for choice in catalogue.choices(service, question)]
        return "" if _is_selection(value, names, question.type) else "choice"
    return _form_fault(question, value)


def _form_fault(question: Question, value: str) -> str:
    kind = question.type
    if kind in ATTACHMENT_TYPES:
        fault = _attachment_fault(question, value)
    elif kind in NUMBER_TYPES:
        fault = _number_fault(question, value)
    elif kind in UNANSWERED_TYPES:
        fault = kind
    elif kind in _FORMS:
        fault = "" if _FORMS[kind](value) else kind
    else:
        fault = _text_fault(value)
    return fault


def _anything(_: str) -> bool:
    return True


def _is_day(value: str) -> bool:
    day = date_of(value)
    return day is not None and day.isoformat() == value and day.year in DATE_YEARS


_FORMS: Mapping[str, Callable[[str], object]] = {
    "date": _is_day,
    "amount": AMOUNT_FORM.fullmatch,
    "time": TIME_FORM.fullmatch,
    "village": VILLAGE_FORM.fullmatch,
    "consent": "OK".__eq__,
    "acknowledge": "OK".__eq__,
}
NUMBER_TYPES: frozenset[str] = frozenset({"integer", "decimal", "range"})
"""What `min_value`, `max_value` and `step` bind."""


def _is_selection(value: str, names: list[str], kind: str) -> bool:
    chosen = value.split(" ")
    match kind:
        case "multi_choice":
            return " ".join(name for name in names if name in chosen) == value
        case "rank":
            return len(set(chosen)) == len(chosen) and set(chosen) <= set(names)
        case _:
            return value in names


def is_decimal(value: str) -> bool:
    """Answer whether it is a decimal number as answers write it: "-0.5", never "-0" or "1."."""
    return DECIMAL_FORM.fullmatch(value) is not None and (
        not value.startswith("-") or any(digit in value for digit in "123456789")
    )


def _number_fault(question: Question, value: str) -> str:
    """Check form, bounds and step; bounds that are no numbers bind nobody."""
    form = INTEGER_FORM.fullmatch if question.type == "integer" else is_decimal
    if not form(value):
        return question.type
    number = Decimal(value)
    least, most, step = map(_bound, (question.min_value, question.max_value, question.step))
    is_inside = (least is None or number >= least) and (most is None or number <= most)
    is_on_step = not step or (number - (least or Decimal())) % step == 0
    return "" if is_inside and is_on_step else question.type


def _bound(text: str) -> Decimal | None:
    return Decimal(text) if is_decimal(text) else None


def _attachment_fault(question: Question, value: str) -> str:
    if question.type == "voice_note" and value.startswith("="):
        return _text_fault(value[1:])
    if COUNT_FORM.fullmatch(value) is None:
        return "attachments"
    if question.type == "photo" and int(value) < question.min_photos:
        return "photo_missing"
    return ""


def _text_fault(text: str) -> str:
    if len(text) > TEXT_CHARS_MAX or len(text.encode("utf-8", "replace")) > TEXT_BYTES_MAX:
        return "too_long"
    is_clean = all(
        character == "\n" or character.isprintable() or _is_printable_elsewhere(character)
        for character in text
    )
    return "" if text.strip() and is_clean else "characters"


def _is_printable_elsewhere(character: str) -> bool:
    # Private glyphs of card readers, spaces of Chinese keyboards, joiners of scripts and faces:
    # what is not printable to Python, but can be stored and shown.
    code = ord(character)
    return code >= 0xA0 and not 0xD800 <= code <= 0xDFFF
