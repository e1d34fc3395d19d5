"""The five traps of pyttsx3 with espeak-ng (research/voice.md 1.1), as rules that hold."""

import wave
from pathlib import Path

import pytest

from voice_prompts.driver import Engine, Voice, open_engine
from voice_prompts.errors import ToolMissing
from voice_prompts.voices import VOICES, utterance

CHINESE = VOICES["zh-CN"]


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The test process's one engine."""
    return open_engine()


def seconds(path: Path) -> float:
    with path.open("rb") as file, wave.open(file) as wav:
        return float(wav.getnframes() / wav.getframerate())


def test_ninety_hanzi_are_on_disk_when_the_call_returns(engine: Engine, tmp_path: Path) -> None:
    text = utterance("zh-CN", "我们只把您的信息用来办这件事，" * 6)

    engine.synthesise(CHINESE, text, tmp_path / "long.wav")

    assert 20 < seconds(tmp_path / "long.wav") < 40


def test_two_texts_in_sequence_give_two_files(engine: Engine, tmp_path: Path) -> None:
    engine.synthesise(CHINESE, "ni3 hao3", tmp_path / "one.wav")
    engine.synthesise(CHINESE, "yin2 hang2 chong2 xin1", tmp_path / "two.wav")

    assert seconds(tmp_path / "one.wav") * 1.3 < seconds(tmp_path / "two.wav")


def test_unknown_voice_is_an_error_and_not_another_voice(engine: Engine) -> None:
    with pytest.raises(ToolMissing, match="no voice 'cmn-nowhere'"):
        engine.synthesise(Voice("cmn-nowhere", 150, 50, 100), "ni3 hao3")


def test_unwritable_folder_is_an_error(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        engine.synthesise(CHINESE, "ni3 hao3", tmp_path / "absent" / "x.wav")


def test_no_half_file_is_left_after_an_error(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "x.wav").mkdir()

    with pytest.raises(OSError, match=r"x\.wav"):
        engine.synthesise(CHINESE, "ni3 hao3", tmp_path / "x.wav")

    assert (tmp_path / "x.wav").is_dir()


def test_engine_works_on_after_errors(engine: Engine) -> None:
    for wrong in (Voice("nobody", 150, 50, 100), Voice("nobody", 150, 50, 100)):
        with pytest.raises(ToolMissing):
            engine.synthesise(wrong, "x")

    assert len(engine.synthesise(CHINESE, "ni3 hao3")) > 20_000


def test_rate_is_never_dropped(engine: Engine) -> None:
    slow = Voice(CHINESE.name, 120, 50, 100)

    lengths = [
        (len(engine.synthesise(CHINESE, "yin2 hang2")), len(engine.synthesise(slow, "yin2 hang2")))
        for _ in range(20)
    ]

    # At a dropped rate both would be 29 % shorter; within a process lengths drift by 12 ms.
    assert all(1.1 < slow_length / length < 1.4 for length, slow_length in lengths)
    assert max(length for length, _ in lengths) < 1.03 * min(length for length, _ in lengths)


def test_languages_alternate_in_one_engine(engine: Engine) -> None:
    before = engine.synthesise(CHINESE, "ni3 hao3")
    engine.synthesise(VOICES["en"], "Good morning")
    after = engine.synthesise(CHINESE, "ni3 hao3")

    assert abs(len(before) - len(after)) < 0.03 * len(before)
