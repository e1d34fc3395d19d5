"""Putting words together: catalogue texts, system variables, days. Pure."""

import datetime as dt
import re
from collections.abc import Mapping

from kiosk.screens import Utterance
from kiosk.visit import DEFAULT_LANGUAGE
from sync.forms import Text
from voice_prompts.compose import Spoken
from voice_prompts.wording import Wording

_SYSTEM = re.compile(r"(?<!\$)\{([a-z][a-z0-9_]*)\}")
# A clause with what stands before it: from the comma to the next comma or the sentence's end.
_CLAUSE = r"[，,]?\s*[^，,。.；;]*(?<!\$)\{%s\}[^，,。.；;]*"


def words(text: Text, language: str) -> str:
    """Answer a text in the language; in Chinese when it has none of it."""
    return text.get(language) or text.get(DEFAULT_LANGUAGE, "")


def promise_key(days: int) -> str:
    """Answer the key of the promise to answer within so many working days: one day is no days."""
    return "materials.day" if days == 1 else "materials.days"


def filled(template: str, values: Mapping[str, str]) -> str:
    """Fill the system variables `{x}` of a catalogue text.

    A clause whose value is not known yet is left out, so that a receipt made offline does not
    promise a day that nobody has counted.

    >>> filled("3天内答复，最晚 {due_date}。有事打 {hotline}。", {"hotline": "12345"})
    '3天内答复。有事打 12345。'
    """
    for name in dict.fromkeys(_SYSTEM.findall(template)):
        if values.get(name):
            template = re.sub(rf"(?<!\$)\{{{name}\}}", lambda _: values[name], template)  # noqa: B023 -- used at once
        else:
            template = re.sub(_CLAUSE % name, "", template)
    # What is left of a sentence that lost its only clause is its stop.
    template = re.sub(r"([。.；;])(?:\s*[。.；;])+", r"\1", template)
    return re.sub(r"^[，,。.；;\s]+", "", template).strip()


def day(value: dt.date | str, wording: Wording) -> str:
    """Write a day as people read it; "" stays "".

    Args:
        value: A date or its ISO form.
        wording: Words of the language.
    """
    if isinstance(value, str):
        if not value:
            return ""
        value = dt.date.fromisoformat(value)
    month = wording.screen(f"month.m{value.month}")
    return wording.screen("date.day", year=str(value.year), month=month, day=str(value.day))


def day_of(ms: int, utc_offset_min: int) -> dt.date:
    """Answer the local day of a Unix time in milliseconds."""
    zone = dt.timezone(dt.timedelta(minutes=utc_offset_min))
    return dt.datetime.fromtimestamp(ms / 1000, zone).date()


def say(wording: Wording, key: str, highlight: str = "", **slots: Spoken) -> tuple[Utterance, ...]:
    """Answer what an interface text says aloud; () when it is silent."""
    template = wording.voice(key)
    return (Utterance(template, slots, highlight),) if template else ()


def said(template: str, highlight: str = "", **slots: Spoken) -> tuple[Utterance, ...]:
    """Answer what a catalogue text says aloud; () when it is empty."""
    return (Utterance(template, slots, highlight),) if template else ()
