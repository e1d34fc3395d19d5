"""From a template and typed values to the row of clips that says them.

Pure. A sentence without slots is one clip, shared by every screen that says
it; around a slot the sentence is cut, and the value is put together from
prepared fragments. `fixed_parts` is the one place that decides the cuts, for
playing and for rendering ahead alike.
"""

import re
from collections.abc import Iterator, Mapping
from types import ModuleType

import msgspec

from voice_prompts import chinese, english
from voice_prompts.errors import SlotMissing, WordingMissing
from voice_prompts.limits import (
    CLAUSE_PAUSE_MS,
    GROUP_PAUSE_MS,
    SENTENCE_PAUSE_MS,
    SLOT_PAUSE_MS,
)
from voice_prompts.spoken import Kind, Spoken

__all__ = ["Kind", "Piece", "Spoken", "fixed_parts", "fragments", "pieces", "sentences"]

_SLOT = re.compile(r"\$?\{([a-z][a-z0-9_]*)\}")
# An ASCII point ends a sentence only before a space: not in "0.5", not in "p.m".
_SENTENCE_END = re.compile(
    r"""(?:[。！？；]+[”’」』）]*)|(?:[.!?;]+["')\]]*(?=\s|$|(?<=[!?;])[一-鿿]))|\n+"""
)
_SPEAKABLE = re.compile(r"\w")
_LEADING = re.compile(r"^[\s，、：；。！？）”’」』》,:;.!?)\]·—-]+")
_TRAILING = re.compile(r"[\s（“‘「『《(\[·—-]+$")


class Piece(msgspec.Struct, frozen=True):
    """One thing to play: a clip, a live sentence or a rest."""

    #: Exactly the string of one clip; "" is a rest of `pause_ms`.
    text: str
    #: How long to rest, in milliseconds; 0 for a clip.
    pause_ms: int = 0
    #: Free text that no clip was prepared for: look it up, then speak it live.
    is_live: bool = False


def sentences(language: str, text: str) -> tuple[str, ...]:
    """Cut a text at the ends of its sentences (。！？； and .!?; with a space after).

    Nothing but white space is lost; a `{slot}` is never cut.

    Args:
        language: "zh-CN" or "en"; both cut alike, for mixed texts.
        text: Any text or template.

    >>> sentences("zh-CN", "已经收好了。0.5亩也行。请拿好小票")
    ('已经收好了。', '0.5亩也行。', '请拿好小票')
    """
    _numerals(language)
    found, start = [], 0
    for match in _SENTENCE_END.finditer(text):
        found.append(text[start : match.end()].strip())
        start = match.end()
    found.append(text[start:].strip())
    return tuple(sentence for sentence in found if sentence)


def pieces(language: str, template: str, slots: Mapping[str, Spoken]) -> tuple[Piece, ...]:
    """Answer what to play, in order, to say a template with its slots filled.

    Args:
        language: "zh-CN" or "en".
        template: Words with `{slot}` or `${slot}` placeholders.
        slots: A value for each placeholder; more are ignored.

    Returns:
        Clips, live pieces and rests; no rest first or last, none beside another.

    Raises:
        SlotMissing: A placeholder has no value.
        SlotValueWrong: A value has not its kind's shape.
        WordingMissing: An unknown language.
    """
    row: list[Piece] = []
    for sentence in sentences(language, template):
        _rest(row, SENTENCE_PAUSE_MS)
        for is_slot, part in _parts(sentence):
            if is_slot:
                if part not in slots:
                    raise SlotMissing(f"the text to speak needs a value for {{{part}}}")
                _rest(row, SLOT_PAUSE_MS)
                _say_value(row, language, slots[part])
                _rest(row, SLOT_PAUSE_MS)
            else:
                _say_fixed(row, part)
    while row and not row[-1].text:
        row.pop()
    return tuple(row)


def fixed_parts(language: str, template: str) -> tuple[str, ...]:
    """Answer the clips of a template that do not depend on its slots, in order.

    >>> fixed_parts("zh-CN", "受理号 {case_no}，最晚 {due_date} 答复。")
    ('受理号', '最晚', '答复。')
    """
    return tuple(
        clip
        for sentence in sentences(language, template)
        for is_slot, part in _parts(sentence)
        if not is_slot and (clip := _clip_text(part))
    )


def fragments(language: str) -> tuple[str, ...]:
    """Answer every fragment of numbers, dates and codes that `pieces` can give.

    Raises:
        WordingMissing: An unknown language.
    """
    fragments_of: tuple[str, ...] = _numerals(language).fragments()
    return fragments_of


def _numerals(language: str) -> ModuleType:
    match language:
        case "zh-CN":
            return chinese
        case "en":
            return english
        case _:
            raise WordingMissing(f"no voice for the language {language!r}")


def _parts(sentence: str) -> Iterator[tuple[bool, str]]:
    start = 0
    for match in _SLOT.finditer(sentence):
        yield False, sentence[start : match.start()]
        yield True, match.group(1)
        start = match.end()
    yield False, sentence[start:]


def _clip_text(part: str) -> str:
    clip = _TRAILING.sub("", _LEADING.sub("", part))
    return clip if _SPEAKABLE.search(clip) else ""


def _say_fixed(row: list[Piece], part: str) -> None:
    if _LEADING.match(part.strip()):
        _rest(row, CLAUSE_PAUSE_MS)
    if clip := _clip_text(part):
        row.append(Piece(clip))
        if clip[-1] in "，：、,:;；":
            _rest(row, CLAUSE_PAUSE_MS)


def _say_value(row: list[Piece], language: str, value: Spoken) -> None:
    if value.kind == "text":
        for index, sentence in enumerate(sentences(language, value.value)):
            if index:
                _rest(row, SENTENCE_PAUSE_MS)
            row.append(Piece(sentence, is_live=True))
        return
    for fragment in _numerals(language).spoken(value.kind, value.value):
        if fragment:
            row.append(Piece(fragment))
        else:
            _rest(row, GROUP_PAUSE_MS)


def _rest(row: list[Piece], pause_ms: int) -> None:
    """Rest, unless nothing was said yet; of two rests the longer one stays."""
    if not row:
        return
    if row[-1].text:
        row.append(Piece("", pause_ms=pause_ms))
    elif row[-1].pause_ms < pause_ms:
        row[-1] = Piece("", pause_ms=pause_ms)
