"""The interface's words: one key, one text for the screen, one for the voice, per language."""

import pytest

from voice_prompts.errors import WordingBroken, WordingMissing
from voice_prompts.wording import LANGUAGES, Wording, Words, parse_words, slot_names

WORDING = Wording(
    "en",
    parse_words(
        """
        [receipt.number]
        screen = "Number {case_no}"
        voice = "Your number is {case_no}."

        [common.back]
        screen = "Back"

        [status.line]
        screen = "3 waiting"
        voice = ""
        """,
        "test",
    ),
)


def test_screen_fills_its_slots() -> None:
    assert WORDING.screen("receipt.number", case_no="0128") == "Number 0128"


def test_screen_without_a_slots_value_names_key_language_and_slot() -> None:
    with pytest.raises(WordingMissing, match=r"receipt\.number \(en\) needs .*case_no"):
        WORDING.screen("receipt.number")


def test_screen_does_not_fill_what_a_value_brought_along() -> None:
    assert WORDING.screen("receipt.number", case_no="{case_no}") == "Number {case_no}"


def test_voice_is_a_template() -> None:
    assert WORDING.voice("receipt.number") == "Your number is {case_no}."


def test_voice_falls_back_to_the_screen() -> None:
    assert WORDING.voice("common.back") == "Back"


def test_empty_voice_is_silence() -> None:
    assert WORDING.voice("status.line") == ""


def test_unknown_key_names_key_and_file() -> None:
    with pytest.raises(WordingMissing, match=r"no\.such\.key in texts/en\.toml"):
        WORDING.voice("no.such.key")


def test_missing_words_are_a_key_error() -> None:
    with pytest.raises(KeyError):
        WORDING.screen("no.such.key")


def test_unknown_language_is_refused() -> None:
    with pytest.raises(WordingMissing, match="fr"):
        Wording.load("fr")


def test_entries_nest_below_entries() -> None:
    words = parse_words('[a]\nscreen = "1"\n[a.b]\nscreen = "2"\nvoice = "3"', "test")

    assert words == {"a": Words("1", "1"), "a.b": Words("2", "3")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[a]\nvoice = "x"', r"\[a\] needs screen"),
        ("[a]\nscreen = 1", r"\[a\] needs screen"),
        ('[a]\nscreen = "x"\nvioce = "y"', "vioce"),
        ('[a]\nscreen = "x"\nvoice = 2', "voice must be a text"),
        ('screen = "x"', "needs screen"),
        ("[a", "test"),
    ],
)
def test_broken_text_file_is_refused(text: str, message: str) -> None:
    with pytest.raises(WordingBroken, match=message):
        parse_words(text, "test")


def test_languages_have_the_same_keys() -> None:
    keys = {language: Wording.load(language).keys() for language in LANGUAGES}

    assert {language: keys["zh-CN"] ^ found for language, found in keys.items()} == {
        "zh-CN": frozenset(),
        "en": frozenset(),
    }


def test_languages_speak_the_same_slots() -> None:
    chinese, english = (Wording.load(language) for language in LANGUAGES)

    different = {
        key
        for key in sorted(chinese.keys())
        if set(slot_names(chinese.voice(key))) != set(slot_names(english.voice(key)))
    }

    assert different == set()
