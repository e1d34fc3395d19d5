"""What each type of question accepts, before the form's own constraints."""

import re
from collections.abc import Callable, Mapping

from sync.forms import ATTACHMENT_TYPES, CHOICE_TYPES, Catalogue, Question, Service
from sync.identity import is_id_number, is_person_name, is_phone
from sync.ids import is_case_number
from sync.limits import TEXT_BYTES_MAX, TEXT_CHARS_MAX
from sync.xpath_values import date_of

AMOUNT_FORM = re.compile(r"(?:0|[1-9][0-9]{0,9})(?:\.[0-9]{1,2})?")
INTEGER_FORM = re.compile(r"0|-?[1-9][0-9]{0,8}")
COUNT_FORM = re.compile(r"[1-9]")
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
    if question.type in ATTACHMENT_TYPES:
        return _attachment_fault(question, value)
    if question.type in CHOICE_TYPES:
        names = [choice.name for choice in catalogue.choices(service, question)]
        is_multiple = question.type == "multi_choice"
        return "" if _is_selection(value, names, is_multiple=is_multiple) else "choice"
    if question.type in _FORMS:
        return "" if _FORMS[question.type](value) else question.type
    return _text_fault(value)


def _anything(_: str) -> bool:
    return True


def _is_day(value: str) -> bool:
    day = date_of(value)
    return day is not None and day.isoformat() == value and day.year in DATE_YEARS


_FORMS: Mapping[str, Callable[[str], object]] = {
    "date": _is_day,
    "amount": AMOUNT_FORM.fullmatch,
    "integer": INTEGER_FORM.fullmatch,
    "village": VILLAGE_FORM.fullmatch,
    "consent": "OK".__eq__,
}


def _is_selection(value: str, names: list[str], *, is_multiple: bool) -> bool:
    if not is_multiple:
        return value in names
    chosen = set(value.split(" "))
    return " ".join(name for name in names if name in chosen) == value


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
