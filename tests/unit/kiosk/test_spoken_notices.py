"""Every kind of notice is heard whole: real clips, and a real voice for what nobody rendered."""

import json
import wave
from collections.abc import AsyncIterator, Mapping
from io import BytesIO

import pytest
from msgspec.structs import replace

from kiosk import views
from kiosk.events import Found
from kiosk.playlist import Clip
from kiosk.screens import Screen
from kiosk.speech import LIVE_PATH, VOICE_PATH, LiveVoice, playlist
from kiosk.visit import Matter
from sync.clock import SeededEntropy
from sync.records import Notice
from tests.unit.kiosk.parts import CATALOGUE_FILE, Visitor, receipt, wordings
from voice_prompts.compose import pieces
from voice_prompts.library import Library
from voice_prompts.live import LiveSpeaker
from voice_prompts.prompts import Prompt, catalogue_prompts, interface_prompts
from voice_prompts.render import render
from voice_prompts.wording import LANGUAGES

CASE = receipt("pension_auth").case_no
REASONS: dict[str, dict[str, str]] = json.loads(
    CATALOGUE_FILE.with_name("reasons.json").read_text("utf-8")
)
OWN_WORDS = "桥头的王会计会给您打电话"
NOTICES: dict[str, Mapping[str, object]] = {
    "received": {},
    "accepted": {"due_on": "2026-12-04"},
    "accepted about": {"due_on": "2027-01-08", "is_about": True},
    "correction": {
        "missing": ("face_photo", "phone"),
        "correct_by": "2026-12-10",
        "reason_code": "fix_id_photo",
        "words": OWN_WORDS,
    },
    "refused": {"reason_code": next(code for code in REASONS if code.startswith("no_"))},
    "completed": {"due_on": "2026-12-04"},
    "message": {"words": OWN_WORDS},
}


def screen_of(name: str, language: str) -> Screen:
    told = Notice(
        number=1,
        case_no=CASE,
        kind=name.split(maxsplit=1)[0],
        service="pension_auth",
        at_ms=1_795_600_000_000,
        **NOTICES[name],  # type: ignore[arg-type]  # typed above by its names
    )
    matter = Matter(CASE, "pension_auth", 1_795_500_000_000, True, (told,))
    visitor = Visitor(language, reasons=REASONS).do("matters").fill(case_no=CASE)
    visitor.give(Found((matter,)))
    screen = views.screen(visitor.visit, visitor.world, wordings())
    return replace(screen, silence=())


def parts_of(screen: Screen) -> list[str]:
    """The texts of a screen's pieces in order."""
    return [
        part.text
        for utterance in screen.say
        for part in pieces(screen.language, utterance.template, utterance.slots)
        if part.text
    ]


SCREENS = [(name, language) for name in NOTICES for language in LANGUAGES]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """What `bianmin voice render` makes ahead of the notices above, and nothing else."""
    services = json.loads(CATALOGUE_FILE.read_text("utf-8"))
    ahead = {
        (prompt.language, prompt.text)
        for prompt in (
            *interface_prompts(),
            *catalogue_prompts(services),
            *catalogue_prompts(REASONS),
        )
    }
    needed = {
        (language, text)
        for name, language in SCREENS
        for text in parts_of(screen_of(name, language))
    }
    cache_dir = tmp_path_factory.mktemp("voice") / "cache"
    prompts = [Prompt(language, text, "test") for language, text in sorted(needed & ahead)]
    assert render(prompts, cache_dir).failed == ()
    return Library(cache_dir)


@pytest.fixture(scope="module")
async def speaker() -> AsyncIterator[LiveSpeaker]:
    speaker = LiveSpeaker()
    await speaker.start()
    yield speaker
    await speaker.close()


@pytest.mark.parametrize(("name", "language"), SCREENS)
async def test_notice_is_heard_without_a_gap(
    name: str, language: str, library: Library, speaker: LiveSpeaker
) -> None:
    screen, live = screen_of(name, language), LiveVoice(speaker, SeededEntropy(1))

    spoken, _ = playlist(screen, library, live)

    assert live.missing_count == 0
    assert len(spoken.say) == len(parts_of(screen))
    spoken_live = [
        text
        for clip, text in zip(spoken.say, parts_of(screen), strict=True)
        if clip.url.startswith(LIVE_PATH)
    ]
    assert spoken_live == ([OWN_WORDS] if "words" in NOTICES[name] else [])
    for clip in spoken.say:
        assert await seconds(clip, library, live) > 0.1


async def seconds(clip: Clip, library: Library, live: LiveVoice) -> float:
    if not clip.url.startswith(LIVE_PATH):
        found = library.by_key(clip.url.removeprefix(VOICE_PATH))
        assert found is not None
        assert found.path.stat().st_size > 0
        return found.duration_ms / 1000
    sound = await live.sound(clip.url.removeprefix(LIVE_PATH))
    assert sound is not None
    with wave.open(BytesIO(sound)) as file:
        return float(file.getnframes() / file.getframerate())


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_missing_why_and_until_when_is_said_in_this_order(language: str) -> None:
    said = parts_of(screen_of("correction", language))

    labels = {
        "zh-CN": ("本人正面照片", "联系电话"),
        "en": ("Photo of the face", "Phone number"),
    }[language]
    listed = REASONS["fix_id_photo"][language]
    places = [
        said.index(text) for text in (*labels, pieces(language, listed, {})[0].text, OWN_WORDS)
    ]
    assert places == sorted(places)
    assert any("前补上" in text or "bring it by" in text for text in said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_day_of_the_answer_is_said_while_it_is_waited_for(language: str) -> None:
    due = {"zh-CN": "最晚", "en": "Answer by"}[language]

    assert due in parts_of(screen_of("accepted", language))
    assert due not in parts_of(screen_of("completed", language))
