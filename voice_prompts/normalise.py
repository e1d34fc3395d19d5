"""From written text to words that the engine says right, with nothing left to guess.

espeak-ng drops or misreads what it does not know (`¥`, `%`, a decimal point,
`①`: research/voice.md 2.1), silently. So everything but plain words is spelled
out here first, and what then remains unknown is an error when rendering ahead,
and is left out when speaking live.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import cache

from voice_prompts import chinese, english
from voice_prompts.errors import SlotValueWrong, TextUnspeakable
from voice_prompts.pronunciation import table
from voice_prompts.spoken import Kind

_HANZI = "一-鿿㐀-䶿"
# Before these a lone 2 is 两 and a number is a quantity, however many digits it has.
_MEASURES = (
    "平方米|公斤|公里|小时|分钟|星期|个|口|人|张|份|次|天|年|元|块|亩|户|家|位|本|件|套|间|层|"
    "周|斤|米|吨|头|只|辆|台|遍|项|条|种|样|岁|包|袋|名|里|万|亿|倍|成|"
    "角|分钱|批|笔|棵|盒|瓶|根|趟|场|页|封|双"
)
# What an amount is counted by, after a stroke: 元/年 is 元每年.
_PER = "年|月|天|季度|人|户|亩|次|公斤|斤|吨|头|只|平方米"
_NUMBER = r"[0-9]+(?:\.[0-9]{1,6})?"
_ALONE = r"(?<![0-9.])"
_ZH_LEFT = re.compile(rf"[^{_HANZI}，。？！；]")
_EN_LEFT = re.compile(r"[^A-Za-z0-9 .,!?;:'\"()-]")

_Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]


def normalise(language: str, text: str, *, is_strict: bool = True) -> str:
    """Answer the text with numbers, signs and abbreviations as words.

    Args:
        language: "zh-CN" or "en".
        text: A sentence without slots.
        is_strict: Raise at what no rule knows; otherwise leave it out.

    Returns:
        Chinese: hanzi and ，。？！； only. English: ASCII words and punctuation.

    Raises:
        TextUnspeakable: A character or word is unknown (strict), or nothing
            that can be spoken is left.

    >>> normalise("zh-CN", "2个工作日内，可以打12345")
    '两个工作日内，可以打幺二三四五'
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    spoken = _chinese(plain, is_strict) if language == "zh-CN" else _english(plain, is_strict)
    if not re.search(r"\w", spoken):
        raise TextUnspeakable("nothing in this text can be spoken")
    return spoken


def _chinese(text: str, is_strict: bool) -> str:
    text = _listed_words("zh-CN", text)
    for pattern, say in (*_chinese_value_rules(), *_chinese_number_rules()):
        text = pattern.sub(say, text)
    text = re.sub(r"[A-Za-z]+", lambda match: _letters(match[0], is_strict), text)
    for mark, replacement in _CHINESE_PUNCTUATION:
        text = re.sub(mark, replacement, text)
    return _without_unknown(_ZH_LEFT, text, is_strict).lstrip("，。？！；").rstrip("，")


def _english(text: str, is_strict: bool) -> str:
    text = _listed_words("en", text)
    for pattern, say in _english_rules():
        text = pattern.sub(say, text)
    for mark, replacement in _ENGLISH_PUNCTUATION:
        text = re.sub(mark, replacement, text)
    if not is_strict:
        text = re.sub(rf"[{_HANZI}]+", lambda match: f" {_romanised(match[0])} ", text)
    text = _without_unknown(_EN_LEFT, text, is_strict)
    return re.sub(r" +", " ", text).strip()


def _without_unknown(unknown: re.Pattern[str], text: str, is_strict: bool) -> str:
    if is_strict and (left := unknown.findall(text)):
        raise TextUnspeakable(
            f"no rule says how to speak {' '.join(dict.fromkeys(left))!r}; reword the text "
            "or add it to voice_prompts/pronunciation/words.toml"
        )
    return unknown.sub("", text)


@cache
def _word_pattern(language: str) -> re.Pattern[str]:
    words = sorted(table("words.toml", language), key=len, reverse=True)
    listed = "|".join(re.escape(word) for word in words)
    return re.compile(
        rf"(?<![A-Za-z0-9.,-])(?:{listed})(?![A-Za-z0-9]|[.,-][0-9]|(?<=[0-9])\s*(?:{_MEASURES}))",
        re.IGNORECASE,
    )


def _listed_words(language: str, text: str) -> str:
    words = table("words.toml", language)
    return _word_pattern(language).sub(lambda match: words[match[0].upper()], text)


def _letters(word: str, is_strict: bool) -> str:
    if is_strict:
        raise TextUnspeakable(
            f"no rule says how to speak {word!r} in Chinese; reword the text or add it to "
            "voice_prompts/pronunciation/words.toml"
        )
    letters = table("words.toml", "letters")
    # Longer runs are foreign words, and twenty letters in a row help nobody.
    return "".join(letters[letter] for letter in word.upper()) if len(word) <= 6 else ""


def _value(kind: Kind, text: str) -> str:
    """Say a typed value in Chinese; as digits when it only looks like the kind."""
    try:
        said = chinese.spoken(kind, text)
    except SlotValueWrong:
        said = chinese.spoken("digits", re.sub(r"[^0-9]", "", text)[:40])
    return "".join(part or "，" for part in said)


def _quantity(text: str, *, is_count: bool) -> str:
    if not text.isdigit() or (len(text) <= 12 and (is_count or not _is_code(text))):
        return _value("count" if is_count else "number", text)
    return _value("digits", text)


def _is_code(digits: str) -> bool:
    return len(digits) > 5 or (len(digits) > 1 and digits.startswith("0"))


@cache
def _chinese_value_rules() -> tuple[_Rule, ...]:
    """Answer the rules for typed values: dates, numbers of people and phones, money, times."""
    return (
        (re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))"), lambda _: ""),
        (
            re.compile(
                rf"{_ALONE}([12][0-9]{{3}})[-/.年]([0-9]{{1,2}})[-/.月]([0-9]{{1,2}})[日号]?"
            ),
            lambda m: _value("date", f"{m[1]}-{int(m[2]):02d}-{int(m[3]):02d}"),
        ),
        (
            re.compile(rf"{_ALONE}([12][0-9]{{3}})(?=年)"),
            lambda m: _value("date", m[1]).removesuffix("年"),
        ),
        (
            re.compile(rf"{_ALONE}[0-9]{{17}}[0-9Xx](?![0-9])"),
            lambda m: _value("id_number", m[0]),
        ),
        (
            re.compile(rf"{_ALONE}(?:1[3-9][0-9]{{9}}|0[0-9]{{2,3}}-[0-9]{{4,8}})(?![0-9])"),
            lambda m: _value("phone", m[0]),
        ),
        (
            re.compile(r"(?<=:[0-5][0-9])\s*[-~–—]+\s*(?=[0-9]{1,2}:[0-5][0-9])"),
            lambda _: "到",
        ),
        (
            re.compile(rf"{_ALONE}([0-9]{{1,2}}:[0-5][0-9])(?![0-9])"),
            lambda m: _value("time", m[1]),
        ),
        (
            re.compile(rf"{_ALONE}({_NUMBER})%"),
            lambda m: "百分之" + _quantity(m[1], is_count=False),
        ),
        (
            re.compile(r"[¥￥]\s*([0-9]{1,12}(?:\.[0-9]{1,2})?)元?"),
            lambda m: _value("money", m[1]),
        ),
        (
            re.compile(rf"{_ALONE}([0-9]{{1,12}}\.[0-9]{{1,2}})元"),
            lambda m: _value("money", m[1]),
        ),
        (
            re.compile(rf"{_ALONE}([0-9]{{1,4}})/([0-9]{{1,4}})(?![0-9/])"),
            lambda m: f"{_value('number', m[2])}分之{_value('number', m[1])}",
        ),
    )


@cache
def _chinese_number_rules() -> tuple[_Rule, ...]:
    """Answer the rules for what is left after typed values: ranges, quantities, signs."""
    return (
        (re.compile(r"(?<=[0-9])\s*[-~–—]+\s*(?=[0-9])"), lambda _: "到"),
        (re.compile(r"(?<![0-9A-Za-z])[-−](?=[0-9])"), lambda _: "负"),
        # Two o'clock, and the first of “2到3天”: 两, though no measure word stands right after it.
        (
            re.compile(rf"{_ALONE}2(?=点(?![0-9零一二三四五六七八九]|钟)|点钟|点[0-9]{{1,2}}分)"),
            lambda _: "两",
        ),
        (re.compile(rf"(?<!第){_ALONE}2(?=[到至][0-9]+\s*(?:{_MEASURES}))"), lambda _: "两"),
        (re.compile(rf"(?<=元)/(?=(?:{_PER}))|(?<=[人户亩])/(?=[年月天次])"), lambda _: "每"),
        (
            re.compile(rf"(?<!第){_ALONE}({_NUMBER})\s*(?={_MEASURES})"),
            lambda m: _quantity(m[1], is_count=True),
        ),
        (re.compile(r"(?<=第)([0-9]{1,12})(?![0-9])"), lambda m: _ordinal(m[1])),
        (re.compile(_NUMBER), lambda m: _quantity(m[0], is_count=False)),
        (re.compile(r"°C"), lambda _: "度"),
        (re.compile(r"[〇○]"), lambda _: "零"),
        (re.compile(r"\+"), lambda _: "加"),
        (re.compile(r"&"), lambda _: "和"),
        (re.compile(r"="), lambda _: "等于"),
        (re.compile(rf"(?<=[{_HANZI}])/(?=[{_HANZI}])"), lambda _: "或"),
    )


def _ordinal(digits: str) -> str:
    return "".join(chinese.cardinal(int(digits), takes_liang=False))


_CHINESE_PUNCTUATION: tuple[tuple[str, str], ...] = (
    (r"[“”‘’\"'「」『』《》<>·•∙*_#]|\s", ""),
    (r"\.{2,}|…+|[,、:()\[\]【】{}/|~—–-]+", "，"),
    (r"\.", "。"),
    (r"\?", "？"),
    (r"!", "！"),
    (r";", "；"),
    # Of several marks in a row the strongest stays: 。 after a bracket's ， above all.
    (r"，*([。？！；])[，。？！；]*", r"\1"),
    (r"，{2,}", "，"),
)


@cache
def _english_rules() -> tuple[_Rule, ...]:
    return (
        (re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))"), lambda _: ""),
        (
            re.compile(r"(?<![0-9])([12][0-9]{3})[-/]([0-9]{2})[-/]([0-9]{2})(?![0-9])"),
            lambda m: _english_value("date", f"{m[1]}-{m[2]}-{m[3]}"),
        ),
        (re.compile(r"[0-9]{17}[0-9Xx](?![0-9])"), lambda m: _english_value("id_number", m[0])),
        (
            re.compile(r"(?<![0-9.])(?:0[0-9]{2,3}-[0-9]{4,8}|[0-9]{6,40})(?![0-9.])"),
            lambda m: _english_value("phone", m[0]),
        ),
        (
            re.compile(r"(?<![0-9])([0-9]{1,2}:[0-5][0-9])(?![0-9])"),
            lambda m: _english_value("time", m[1]),
        ),
        (re.compile(r"[¥￥]\s*([0-9]+(?:\.[0-9]+)?)"), lambda m: f"{m[1]} yuan"),
        (re.compile(r"(?<=[0-9])\s*%"), lambda _: " percent"),
        (re.compile(r"(?<=[0-9])\s*[-~–—]+\s*(?=[0-9])"), lambda _: " to "),
        (re.compile(r"(?<![0-9A-Za-z])[-−](?=[0-9])"), lambda _: "minus "),
        (re.compile(r"°C"), lambda _: " degrees"),
    )


def _english_value(kind: Kind, text: str) -> str:
    try:
        said = english.spoken(kind, text)
    except SlotValueWrong:
        said = english.spoken("digits", re.sub(r"[^0-9]", "", text)[:40])
    return " ".join(part or "," for part in said)


_ENGLISH_PUNCTUATION: tuple[tuple[str, str], ...] = (
    (r"[“”«»]", '"'),
    (r"[‘’]", "'"),
    (r"…|\.{2,}", ","),
    (r"\s*[–—]+\s*", ", "),
    (r"/", " or "),
    (r"&", " and "),
    (r"\+", " plus "),
    (r"[，、]", ", "),
    (r"。", ". "),
    (r"\s+", " "),
)


def _romanised(hanzi: str) -> str:
    from voice_prompts.pronounce import romanised  # noqa: PLC0415 -- pypinyin is slow to load

    return romanised(hanzi)
