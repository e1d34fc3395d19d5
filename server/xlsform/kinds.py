"""What a row's `type` says, in all the spellings that authors and ODK's older forms use."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Literal

import msgspec

Group = Literal[
    "question", "calculate", "system", "place", "moment", "begin", "end", "refused", "ignored"
]


class Kind(msgspec.Struct, frozen=True):
    """A row's type, understood."""

    group: Group
    #: Our question type, the section's sort ("group", "repeat"), a value's name or a message code.
    name: str
    #: List of choices of a select question.
    choices: str = ""
    has_other: bool = False


_QUESTIONS: Mapping[str, str] = {
    "text": "text_note",
    "string": "text_note",
    "integer": "integer",
    "int": "integer",
    "decimal": "decimal",
    "date": "date",
    "time": "time",
    "note": "note",
    "acknowledge": "acknowledge",
    "trigger": "acknowledge",
    "range": "range",
    "image": "photo",
    "photo": "photo",
    "picture": "photo",
    "audio": "voice_note",
    "barcode": "barcode",
    "phone number": "phone",
}
_SYSTEM: Mapping[str, str] = {
    "start": "now()",
    "end": "now()",
    "start time": "now()",
    "end time": "now()",
    "today": "today()",
    "deviceid": "",
    "device id": "",
    "uri:deviceid": "",
    "username": "",
    "uri:username": "",
    "email": "",
    "uri:email": "",
    "phonenumber": "",
    "uri:phonenumber": "",
    "phone_number_of_device": "",
    "simserial": "",
    "sim id": "",
    "subscriberid": "",
    "subscriber id": "",
}
_PLACES = frozenset({"geopoint", "gps", "location", "start-geopoint"})
_REFUSED: Mapping[str, str] = {
    "video": "type_video",
    "file": "type_file",
    "geotrace": "type_trace",
    "geoshape": "type_trace",
    "osm": "type_trace",
    "csv-external": "type_external",
    "xml-external": "type_external",
    "entity": "type_external",
}
_IGNORED = frozenset({"audit", "background-audio"})
_SECTION = re.compile(r"(begin|end)[ _](group|repeat|loop|lgroup)\b(.*)")
_SELECT = re.compile(
    r"(?:add )?(select[ _]?one|select1|select[ _]multiple|select all that apply|rank)"
    r"(?: from)? +(\S+?)(?: +(or_other|or specify other|or other))?"
)
_FROM_FILE = re.compile(r"select[ _](?:one|multiple)[ _](?:from[ _]file|external)\b.*")
_DATETIME = frozenset({"datetime", "date time"})


def kind_of(written: str) -> Kind | None:
    """Read a row's type; None when there is no such type.

    >>> kind_of("select one from colors or specify other")
    Kind(group='question', name='choice', choices='colors', has_other=True)
    """
    exact = re.sub(r"\s+", " ", written.strip())
    small = exact.lower()
    if match := _SECTION.fullmatch(small):
        return Kind("begin" if match[1] == "begin" else "end", match[2])
    if _FROM_FILE.fullmatch(small):
        return Kind("refused", "type_from_file")
    if match := _SELECT.fullmatch(small):
        start = match.start(2)
        return Kind("question", _select_type(match[1]), exact[start : match.end(2)], bool(match[3]))
    if small.startswith("get "):
        return Kind("system", _SYSTEM.get(small.removeprefix("get "), ""))
    return _simple(small)


def suggestion(written: str) -> str:
    """Answer the known type that looks most like what was written; "" for none."""
    known = [*_QUESTIONS, "calculate", "geopoint", "select_one", "select_multiple", "rank"]
    return next(iter(get_close_matches(written.strip().lower(), known, 1)), "")


def _select_type(written: str) -> str:
    if written == "rank":
        return "rank"
    is_one = written == "select1" or written.endswith("one")
    return "choice" if is_one else "multi_choice"


def _simple(small: str) -> Kind | None:
    tables: tuple[tuple[Group, Mapping[str, str]], ...] = (
        ("question", _QUESTIONS),
        ("system", _SYSTEM),
        ("refused", _REFUSED),
        ("place", dict.fromkeys(_PLACES, "")),
        ("ignored", dict.fromkeys(_IGNORED, "")),
        ("moment", dict.fromkeys(_DATETIME, "date")),
        ("calculate", dict.fromkeys(("calculate", "calculation", "hidden"), "")),
    )
    for group, names in tables:
        if small in names:
            return Kind(group, names[small])
    return None
