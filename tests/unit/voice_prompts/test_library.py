"""A text finds its clip; a recording goes before the machine's voice."""

import re
import shutil
from pathlib import Path

import pytest

from tests.unit.voice_prompts.conftest import PROMPTS, record, tone
from voice_prompts.cache import sound_path
from voice_prompts.library import Library
from voice_prompts.prompts import Prompt
from voice_prompts.recordings import ogg_ms
from voice_prompts.render import RenderReport, render

Rendered = tuple[Path, RenderReport]


def test_rendered_clip_is_found_by_its_text(rendered: Rendered) -> None:
    clip = Library(rendered[0]).find("zh-CN", "请点图片。")

    assert clip is not None
    assert (clip.source, clip.media_type) == ("rendered", "audio/ogg")
    assert clip.path == sound_path(rendered[0], clip.key)
    assert 900 < clip.duration_ms < 1800


def test_noted_length_is_the_length_of_the_file(rendered: Rendered) -> None:
    library = Library(rendered[0])

    clips = [library.find(prompt.language, prompt.text) for prompt in PROMPTS]

    # Opus works in frames of 20 ms, and trims the last one exactly.
    differences = [abs(ogg_ms(clip.path.read_bytes()) - clip.duration_ms) for clip in clips if clip]
    assert len(differences) == len(PROMPTS)
    assert max(differences) <= 10


@pytest.mark.parametrize(
    ("language", "text"), [("zh-CN", "没有的话"), ("en", "您好。"), ("fr", "x")]
)
def test_unknown_text_has_no_clip(rendered: Rendered, language: str, text: str) -> None:
    assert Library(rendered[0]).find(language, text) is None


def test_empty_machine_has_no_clips(tmp_path: Path) -> None:
    library = Library(tmp_path / "absent", tmp_path / "absent too")

    assert (library.find("zh-CN", "您好。"), library.by_key("0" * 64)) == (None, None)


def test_key_finds_the_same_clip(rendered: Rendered) -> None:
    clip = Library(rendered[0]).find("zh-CN", "您好。")

    assert clip is not None
    assert Library(rendered[0]).by_key(clip.key) == clip


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "0" * 63, "0" * 64, "A" * 64, "x\n"])
def test_foreign_key_finds_nothing(rendered: Rendered, key: str) -> None:
    assert Library(rendered[0]).by_key(key) is None


def test_half_a_clip_is_no_clip(rendered: Rendered, tmp_path: Path) -> None:
    cache_dir = tmp_path / "cache"
    shutil.copytree(rendered[0], cache_dir)
    clip = Library(cache_dir).find("zh-CN", "您好。")
    assert clip is not None
    clip.path.with_suffix(".json").unlink()

    assert Library(cache_dir).find("zh-CN", "您好。") is None


def test_damaged_index_is_an_empty_one(rendered: Rendered, tmp_path: Path) -> None:
    cache_dir = tmp_path / "cache"
    shutil.copytree(rendered[0], cache_dir)
    (cache_dir / "index.json").write_text("{")

    assert Library(cache_dir).find("zh-CN", "您好。") is None


def test_library_notices_what_is_rendered_later(tmp_path: Path) -> None:
    library = Library(tmp_path)
    assert library.find("en", "six") is None

    render([Prompt("en", "six", "fragment")], tmp_path, jobs=1)

    assert library.find("en", "six") is not None


def test_recording_named_by_its_prompt_goes_first(rendered: Rendered, tmp_path: Path) -> None:
    path = record(tmp_path / "en", "home.hint.wav", tone(1500))

    clip = Library(rendered[0], tmp_path).find("en", "Please touch a picture.")

    assert clip is not None
    assert (clip.source, clip.media_type, clip.path) == ("recorded", "audio/wav", path)
    assert clip.duration_ms == 1500


def test_recording_may_cover_a_whole_text_of_several_sentences(
    rendered: Rendered, tmp_path: Path
) -> None:
    record(tmp_path / "zh-CN", "home.title.wav", tone(2000))
    library = Library(rendered[0], tmp_path)

    whole = library.find("zh-CN", "您好。请点图片。")
    part = library.find("zh-CN", "您好。")

    assert whole is not None
    assert whole.source == "recorded"
    assert part is not None
    assert part.source == "rendered"


def test_recording_of_one_language_is_not_another_ones(rendered: Rendered, tmp_path: Path) -> None:
    record(tmp_path / "zh-CN", "home.hint.wav", tone(1500))

    clip = Library(rendered[0], tmp_path).find("en", "Please touch a picture.")

    assert clip is not None
    assert clip.source == "rendered"


def test_pack_names_recordings_by_their_words(rendered: Rendered, tmp_path: Path) -> None:
    path = record(tmp_path / "zh-CN", "001.wav", tone(800))
    (tmp_path / "zh-CN/pack.toml").write_text(
        '[clips]\n"您好。" = "001.wav"\n"请点图片。" = "not-yet-recorded.wav"', "utf-8"
    )
    library = Library(rendered[0], tmp_path)

    recorded, waiting = library.find("zh-CN", "您好。"), library.find("zh-CN", "请点图片。")

    assert recorded is not None
    assert (recorded.source, recorded.path) == ("recorded", path)
    assert waiting is not None
    assert waiting.source == "rendered"


def test_pack_keeps_an_old_recording_from_saying_new_words(
    rendered: Rendered, tmp_path: Path
) -> None:
    record(tmp_path / "en", "home.hint.wav", tone(1500))
    (tmp_path / "en/pack.toml").write_text('[clips]\n"Touch a photo." = "home.hint.wav"', "utf-8")

    clip = Library(rendered[0], tmp_path).find("en", "Please touch a picture.")

    assert clip is not None
    assert clip.source == "rendered"


def test_recording_is_found_by_its_key_in_a_fresh_library(
    rendered: Rendered, tmp_path: Path
) -> None:
    record(tmp_path / "en", "home.hint.wav", tone(1500))
    clip = Library(rendered[0], tmp_path).find("en", "Please touch a picture.")

    assert clip is not None
    assert Library(rendered[0], tmp_path).by_key(clip.key) == clip


@pytest.mark.parametrize(
    ("pack", "message"),
    [
        ("[clips", "pack.toml"),
        ('[clips]\n"a" = "../secret.wav"', "plain file name"),
        ('[clips]\n"a" = 3', "plain file name"),
        ('[clips]\n"a" = "a.mp3"', "not .wav"),
    ],
)
def test_broken_pack_says_what_to_mend_and_silences_nothing(
    rendered: Rendered, tmp_path: Path, pack: str, message: str
) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en/pack.toml").write_text(pack, "utf-8")

    library = Library(rendered[0], tmp_path)

    clip = library.find("en", "Please touch a picture.")

    assert re.search(message, library.recordings_problem("en"))
    assert library.recordings_problem("zh-CN") == ""
    assert clip is not None
    assert clip.source == "rendered"
