"""From hanzi to pinyin with tone digits, which espeak-ng then cannot misread.

pypinyin gives the readings, `pronunciation/phrases.toml` overrules it where it
is wrong, and the tone changes of 一 and 不 are made here: espeak-ng makes only
those of the third tone.
"""

import re
from functools import cache

from voice_prompts.errors import TextUnspeakable, WordingBroken
from voice_prompts.pronunciation import table

_DIGITS = "零一二三四五六七八九"
# After these 一 belongs to a number or is a word's end, and keeps its first tone.
_KEEPS_AFTER = frozenset(_DIGITS + "第十初周期统唯专之幺点")
# Before these 一 is a number in a row: 一月, 一级, 一九年.
_KEEPS_BEFORE = frozenset(_DIGITS + "十月号日级楼到")
_PUNCTUATION_SIGNS = "，。？！；"
_PUNCTUATION = str.maketrans({"，": ", ", "。": ". ", "？": "? ", "！": "! ", "；": "; "})


def pinyin(text: str, *, is_free: bool = False) -> str:
    """Answer the pinyin of a normalised Chinese text.

    Args:
        text: Hanzi and ，。？！； as `normalise` gives them.
        is_free: The text was typed by someone, so that two to four hanzi alone
            are taken for a name, and the surname is read as one (曾 = Zēng).

    Raises:
        TextUnspeakable: A hanzi has no reading (free text: it is left out).

    Returns:
        Syllables with tone digits (5 = neutral), separated by spaces; the
        punctuation as ASCII.

    >>> pinyin("银行，重新还款一次。")
    'yin2 hang2, chong2 xin1 huan2 kuan3 yi2 ci4.'
    """
    if is_free and 2 <= len(text) <= 4 and text[0] in table("phrases.toml", "surnames"):
        surname = table("phrases.toml", "surnames")[text[0]]
        return f"{surname} {pinyin(text[1:])}"
    if is_free:
        text = _readable(text)
    parts = re.split(r"([，。？！；]+)", text)
    said = [
        " ".join(syllables(part)) if index % 2 == 0 else part.translate(_PUNCTUATION)
        for index, part in enumerate(parts)
    ]
    return "".join(said).strip()


def syllables(hanzi: str) -> list[str]:
    """Answer one syllable for each hanzi of a run without punctuation."""
    if not hanzi:
        return []
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415 -- 0.3 s and 30 MB

    found: list[str] = lazy_pinyin(
        hanzi, style=Style.TONE3, neutral_tone_with_five=True, errors="ignore"
    )
    if len(found) != len(hanzi):
        raise TextUnspeakable(f"pypinyin has no reading for a hanzi of {hanzi!r}; write others")
    is_fixed = [False] * len(hanzi)
    for match in _phrase_pattern().finditer(hanzi):
        found[match.start() : match.end()] = _phrases()[match[0]]
        is_fixed[match.start() : match.end()] = [True] * len(match[0])
    for index, sign in enumerate(hanzi):
        if sign in "一不" and not is_fixed[index]:
            found[index] = _changed_tone(hanzi, found, index)
    return found


def _readable(text: str) -> str:
    """Leave out the hanzi (some hundred, all rare) that pypinyin has no reading for."""
    from pypinyin.constants import PINYIN_DICT  # noqa: PLC0415 -- see `syllables`

    return "".join(sign for sign in text if sign in _PUNCTUATION_SIGNS or ord(sign) in PINYIN_DICT)


def romanised(hanzi: str) -> str:
    """Answer a Chinese name as an English voice can say it.

    >>> romanised("张小明")
    'Zhang xiaoming'
    """
    plain = [syllable.rstrip("12345").replace("v", "u") for syllable in syllables(_readable(hanzi))]
    if not plain:
        return ""
    return " ".join(part for part in (plain[0].capitalize(), "".join(plain[1:])) if part)


def _changed_tone(hanzi: str, found: list[str], index: int) -> str:
    sign = hanzi[index]
    before = hanzi[index - 1] if index else ""
    after = hanzi[index + 1] if index + 1 < len(hanzi) else ""
    citation = "yi1" if sign == "一" else "bu4"
    if not after:
        return citation
    if before == after and before not in _DIGITS:
        return citation[:-1] + "5"
    is_falling = found[index + 1][-1] == "4"
    if sign == "不":
        return "bu2" if is_falling else citation
    is_decimal = (
        after == "点" and hanzi[index + 2 : index + 3] in _DIGITS and index + 2 < len(hanzi)
    )
    if before in _KEEPS_AFTER or after in _KEEPS_BEFORE or is_decimal:
        return citation
    return "yi2" if is_falling or after == "个" else "yi4"


@cache
def _phrases() -> dict[str, list[str]]:
    phrases = {name: reading.split() for name, reading in table("phrases.toml", "phrases").items()}
    for name, reading in phrases.items():
        if len(name) != len(reading):
            raise WordingBroken(f"phrases.toml: {name} needs {len(name)} syllables")
    return phrases


@cache
def _phrase_pattern() -> re.Pattern[str]:
    return re.compile("|".join(sorted(_phrases(), key=len, reverse=True)))
