"""The pinyin table: every name can be found, the likely ones first."""

import json
from collections import Counter

import pytest

from kiosk.entry import pinyin_path
from kiosk.entry.build_pinyin import counts, table
from kiosk.entry.names import GIVEN_BOOSTED, SURNAME_READINGS, SURNAMES

BYTES_MAX = 200_000
TABLE = json.loads(pinyin_path().read_text("utf-8"))
#: Made-up names with their syllables; each character must stand among the first two rows.
NAMES = [
    ("王秀兰", "wang xiu lan"),
    ("单桂英", "shan gui ying"),
    ("仇建国", "qiu jian guo"),
    ("曾梓涵", "zeng zi han"),
    ("欧阳喆", "ou yang zhe"),
    ("区玉珍", "ou yu zhen"),
    ("吕燚", "lv yi"),
    ("查镕基", "zha rong ji"),
    ("任玥", "ren yue"),
    ("解堃", "xie kun"),
    ("阿依古丽", "a yi gu li"),
    ("扎西次仁", "zha xi ci ren"),
]
SEEN_AT_ONCE = 20  # two pages of a wide keyboard


def test_table_is_small_enough_to_be_sent_with_a_page() -> None:
    assert pinyin_path().stat().st_size <= BYTES_MAX


@pytest.mark.parametrize(("name", "syllables"), NAMES)
def test_characters_of_names_stand_in_front(name: str, syllables: str) -> None:
    far = {}
    for index, (character, syllable) in enumerate(zip(name, syllables.split(), strict=True)):
        first = TABLE["surname"].get(syllable, "") if index == 0 else ""
        offered = "".join(dict.fromkeys(first + TABLE["given"][syllable]))
        if character not in offered[:SEEN_AT_ONCE]:
            far[character] = offered.find(character)

    assert far == {}


def test_every_surname_is_offered_as_one() -> None:
    offered = set("".join(TABLE["surname"].values()))

    assert set(SURNAMES) - offered == set()
    assert len(SURNAMES) == len(set(SURNAMES))


def test_surnames_with_a_reading_of_their_own_stand_under_it() -> None:
    astray = {
        surname: syllable
        for surname, syllable in SURNAME_READINGS.items()
        if surname not in TABLE["surname"][syllable]
    }

    assert astray == {}


def test_no_syllable_offers_a_character_twice() -> None:
    twice = {
        syllable: [character for character, count in Counter(characters).items() if count > 1]
        for syllable, characters in TABLE["given"].items()
        if len(set(characters)) != len(characters)
    }

    assert twice == {}


def test_syllables_are_plain_letters() -> None:
    assert all(s.isascii() and s.islower() for s in TABLE["given"])
    assert "lv" in TABLE["given"]


def test_counts_learn_given_names_from_person_entries_only() -> None:
    given, plain = counts(["王秀兰 3 nr", "李秀 2 nr", "秀丽 9 a", "的 100 uj"])

    assert given == Counter({"秀": 2, "兰": 1})
    assert plain["的"] == 500
    assert plain["秀"] == 14


def test_table_puts_counted_characters_before_uncounted_ones() -> None:
    sounds = dict.fromkeys("栏兰蓝", ("lan",)) | {
        surname: (SURNAME_READINGS.get(surname, "x"),) for surname in SURNAMES if surname != "蓝"
    }
    sounds["兰"] = sounds["蓝"] = ("lan",)

    made = table(sounds, Counter({"兰": 900, "蓝": 1}), Counter({"栏": 50}))

    given = made["given"]
    assert isinstance(given, dict)
    assert given["lan"].index("兰") < given["lan"].index("蓝") < given["lan"].index("栏")


def test_newer_given_names_are_known() -> None:
    assert set("堃喆燚镕玥梓涵轩萱奕") - GIVEN_BOOSTED == set()
