"""Make `pinyin.json`; run by hand when its sources change, never at the kiosk.

    .venv/bin/python -m kiosk.entry.build_pinyin path/to/jieba/dict.txt

Readings come from pypinyin (MIT). The order comes from the entries that jieba's dictionary (MIT)
marks as person names, so that 兰 stands before 栏 and 王 is the first surname of "wang".
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from kiosk.entry import pinyin_path
from kiosk.entry.names import GIVEN_BOOSTED, SURNAME_READINGS, SURNAMES

#: Unified ideographs and extension A: all that GB 18030's first level of names needs.
_RANGES = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF))
#: How many characters count as common in plain text.
_COMMON_COUNT = 3000
#: Places that a boosted character may take ahead of the counted ones.
_BOOST = 400


def readings() -> dict[str, tuple[str, ...]]:
    """Answer the toneless syllables of each character, commonest first, from pypinyin."""
    from pypinyin import Style, pinyin  # noqa: PLC0415 -- 0.2 s that no kiosk should pay

    table: dict[str, tuple[str, ...]] = {}
    for low, high in _RANGES:
        for point in range(low, high + 1):
            character = chr(point)
            found = pinyin(
                character, style=Style.NORMAL, heteronym=True, errors="ignore", v_to_u=False
            )
            if found:
                plain = dict.fromkeys(
                    syllable.replace("ü", "v") for syllable in found[0] if syllable
                )
                table[character] = tuple(s for s in plain if s.isascii() and s.isalpha())
    return table


def counts(lines: Iterable[str]) -> tuple[Counter[str], Counter[str]]:
    """Count characters in given names, and in text at large.

    Args:
        lines: ``word frequency tag`` each; tag ``nr`` marks a person's name.

    Returns:
        Counter of given-name characters, counter of all characters.
    """
    given: Counter[str] = Counter()
    plain: Counter[str] = Counter()
    for line in lines:
        word, frequency, *tag = line.split()
        for character in word:
            # A character that is a word by itself is what one types one at a time.
            plain[character] += int(frequency) * (5 if len(word) == 1 else 1)
        if tag == ["nr"] and 2 <= len(word) <= 3:
            # The count of different names tells more than one famous bearer's frequency.
            given.update(word[1:])
    return given, plain


def table(
    sounds: Mapping[str, tuple[str, ...]], given: Counter[str], plain: Counter[str]
) -> dict[str, dict[str, str] | str]:
    """Order the characters of every syllable for the first and the later places of a name."""
    by_syllable: dict[str, list[str]] = {}
    for character, syllables in sounds.items():
        for syllable in syllables:
            by_syllable.setdefault(syllable, []).append(character)

    def rank(syllable: str, character: str) -> tuple[float, int, str]:
        is_main = sounds[character][0] == syllable
        boost = _BOOST if character in GIVEN_BOOSTED else 0
        weight = float(given[character] + boost) * (1.0 if is_main else 0.1)
        return (-weight, -plain[character] if is_main else 0, character)

    later = {
        syllable: "".join(sorted(characters, key=lambda c: rank(syllable, c)))
        for syllable, characters in sorted(by_syllable.items())
    }
    first: dict[str, str] = {}
    for surname in SURNAMES:
        syllable = SURNAME_READINGS.get(surname, sounds[surname][0])
        first[syllable] = first.get(syllable, "") + surname
    ranked = sorted((c for c in plain if c in sounds), key=lambda c: (-plain[c], c))
    return {
        "surname": dict(sorted(first.items())),
        "given": later,
        "common": "".join(ranked[:_COMMON_COUNT]),
    }


def main(arguments: list[str]) -> None:
    """Write the table beside this module."""
    given, plain = counts(Path(arguments[0]).read_text("utf-8").splitlines())
    written = json.dumps(table(readings(), given, plain), ensure_ascii=False, separators=(",", ":"))
    pinyin_path().write_text(written + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
