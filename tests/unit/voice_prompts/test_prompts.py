"""All that must be spoken is found, cut as it is played, and named after where it comes from."""

import pytest

from voice_prompts.compose import Spoken, fragments, pieces
from voice_prompts.prompts import Prompt, catalogue_prompts, interface_prompts, template_prompts
from voice_prompts.wording import LANGUAGES, Wording, slot_names


def test_single_sentence_keeps_its_source() -> None:
    assert template_prompts("en", "Back", "common.back") == [Prompt("en", "Back", "common.back")]


def test_parts_of_a_text_know_the_whole() -> None:
    assert template_prompts("zh-CN", "好。走。", "a") == [
        Prompt("zh-CN", "好。", "a.1", "好。走。"),
        Prompt("zh-CN", "走。", "a.2", "好。走。"),
    ]


def test_template_with_a_slot_has_no_whole() -> None:
    assert template_prompts("zh-CN", "受理号 {case_no}", "a") == [Prompt("zh-CN", "受理号", "a.1")]


def test_silent_text_needs_no_clip() -> None:
    assert template_prompts("en", "", "a") == []


def test_catalogue_is_walked_whatever_its_texts_are_called() -> None:
    catalogue = {
        "services": [
            {
                "id": "pension",
                "name": {"zh-CN": "养老", "en": "Pension"},
                "questions": [{"id": "who", "brand_new": {"zh-CN": "谁？", "en": "Who?"}}],
                "basis": {"zh-CN": "文件", "en": "Paper"},
                "count": 3,
            }
        ]
    }

    assert catalogue_prompts(catalogue) == [
        Prompt("zh-CN", "养老", "pension.name"),
        Prompt("en", "Pension", "pension.name"),
        Prompt("zh-CN", "谁？", "pension.who.brand_new"),
        Prompt("en", "Who?", "pension.who.brand_new"),
    ]


def test_shipped_catalogue_names_its_questions_voices(catalogue: object) -> None:
    sources = {prompt.source for prompt in catalogue_prompts(catalogue)}

    assert {
        "pension_auth.id_number.voice",
        "pension_auth.check.voice.1",
        "categories.money.name",
        "shared_choice_lists.yes_no.yes.voice",
    } <= sources


def test_interface_has_every_fragment() -> None:
    found = {(prompt.language, prompt.text) for prompt in interface_prompts()}

    wanted = {(language, text) for language in LANGUAGES for text in fragments(language)}
    assert wanted <= found


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_the_interface_plays_is_a_prompt(language: str) -> None:
    wording = Wording.load(language)
    found = {prompt.text for prompt in interface_prompts() if prompt.language == language}

    played = {
        piece.text
        for key in sorted(wording.keys())
        for piece in pieces(
            language,
            wording.voice(key),
            {slot: Spoken("number", "7") for slot in slot_names(wording.voice(key))},
        )
        if piece.text
    }

    assert played <= found
