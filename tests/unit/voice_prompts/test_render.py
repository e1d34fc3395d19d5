"""Rendering makes what is missing, blames the right prompt, and survives a dying engine."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.unit.voice_prompts.conftest import PROMPTS, record, tone
from voice_prompts import english
from voice_prompts.cache import Index, clip_key, read_index
from voice_prompts.library import Library
from voice_prompts.prompts import Prompt
from voice_prompts.render import (
    Failure,
    RenderReport,
    _coding_fault,
    _Speaker,
    _Task,
    _tried,
    render,
)
from voice_prompts.voices import VOICES
from voice_prompts.worker_client import WorkerClient, WorkerLost

Rendered = tuple[Path, RenderReport]


def task(text: str) -> _Task:
    return _Task(Prompt("zh-CN", text, "x"), "ni3 hao3", "0" * 64)


def test_missing_clips_are_made(rendered: Rendered) -> None:
    assert rendered[1] == RenderReport(rendered_count=4, present_count=0, failed=())


def test_clips_that_are_there_are_not_touched(rendered: Rendered, tmp_path: Path) -> None:
    cache_dir = tmp_path / "cache"
    shutil.copytree(rendered[0], cache_dir)
    before = {path: path.stat().st_mtime_ns for path in cache_dir.rglob("*.ogg")}

    report = render(PROMPTS, cache_dir)

    assert report == RenderReport(rendered_count=0, present_count=4, failed=())
    assert {path: path.stat().st_mtime_ns for path in cache_dir.rglob("*.ogg")} == before


def test_nothing_but_clips_is_left(rendered: Rendered) -> None:
    left = {path.suffix or path.name for path in rendered[0].rglob("*") if path.is_file()}

    assert left == {".ogg", ".json", ".lock"}
    assert not list(rendered[0].glob(".render-*"))


def test_same_text_is_rendered_once(rendered: Rendered, tmp_path: Path) -> None:
    prompts = [Prompt("en", "six", "a"), Prompt("en", "six", "b")]

    report = render(prompts, tmp_path, jobs=1)

    assert report == RenderReport(rendered_count=1, present_count=0, failed=())
    assert read_index(tmp_path).sources == {"en": {"a": "six", "b": "six"}}


def test_unspeakable_prompt_is_reported_and_the_others_are_made(tmp_path: Path) -> None:
    wrong = Prompt("zh-CN", "请看☺。", "home.smile")

    report = render([wrong, Prompt("zh-CN", "好。", "home.good")], tmp_path, jobs=1)

    assert (report.rendered_count, [failure.prompt for failure in report.failed]) == (1, [wrong])
    assert "☺" in report.failed[0].reason
    assert Library(tmp_path).find("zh-CN", "好。") is not None


def test_overlong_prompt_is_reported(tmp_path: Path) -> None:
    prompt = Prompt("zh-CN", "好" * 401, "x")

    report = render([prompt], tmp_path)

    assert report.failed == (Failure(prompt, "longer than 400 characters; cut the sentence"),)


def test_progress_counts_up_to_all(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []

    render(
        [Prompt("en", word, "x") for word in ("one", "two", "three")],
        tmp_path,
        jobs=2,
        progress=lambda done, total: steps.append((done, total)),
    )

    assert steps == [(1, 3), (2, 3), (3, 3)]


def test_interrupted_rendering_keeps_what_was_finished(tmp_path: Path) -> None:
    words = [english.spoken("number", str(number))[0] for number in range(1, 13)]
    prompts = [Prompt("en", f"{word} hundred", "x") for word in words]
    prompts += [Prompt("en", f"{word} thousand", "x") for word in words]
    prompts += [Prompt("en", f"{word} million", "x") for word in words]

    def interrupt(done: int, total: int) -> None:
        if done == 25:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(prompts, tmp_path, jobs=1, progress=interrupt)
    report = render(prompts, tmp_path, jobs=1)

    assert (report.rendered_count + report.present_count, report.failed) == (36, ())
    assert report.present_count >= 24
    assert not list(tmp_path.glob(".render-*"))


def test_folders_of_killed_renderings_are_removed(tmp_path: Path) -> None:
    with WorkerClient() as worker:
        dead = worker.pid
    for pid in (dead, os.getpid()):
        (tmp_path / f".render-{pid}-abc").mkdir()

    render([], tmp_path)

    assert [path.name for path in tmp_path.glob(".render-*")] == [f".render-{os.getpid()}-abc"]


def test_killed_worker_is_noticed() -> None:
    with WorkerClient() as worker:
        os.kill(worker.pid, signal.SIGKILL)

        with pytest.raises(WorkerLost):
            worker.render("zh-CN", "ni3 hao3")


def test_killed_worker_costs_nothing() -> None:
    speaker = _Speaker()
    speaker.speak(task("一"))
    assert speaker._client is not None
    first = speaker._client.pid
    os.kill(first, signal.SIGKILL)

    _, samples = speaker.speak(task("二"))

    assert len(samples) > 10_000
    assert speaker._client.pid != first
    speaker.close()


def test_fresh_engines_make_equal_sound() -> None:
    sounds = []
    for _ in range(2):
        with WorkerClient() as worker:
            sounds.append(worker.render("zh-CN", "yin2 hang2 chong2 xin1."))

    assert sounds[0] == sounds[1]


def test_key_changes_with_everything_that_is_heard() -> None:
    voice = VOICES["zh-CN"]
    keys = {
        clip_key("ni3 hao3", voice, "1.51"),
        clip_key("ni3 hao4", voice, "1.51"),
        clip_key("ni3 hao3", VOICES["en"], "1.51"),
        clip_key("ni3 hao3", voice, "1.52"),
    }

    assert len(keys) == 4


def test_index_of_two_renderings_holds_both(tmp_path: Path) -> None:
    render([Prompt("en", "one", "a")], tmp_path, jobs=1)
    render([Prompt("zh-CN", "二", "b")], tmp_path, jobs=1)

    index = read_index(tmp_path)

    assert {language: list(clips) for language, clips in index.clips.items()} == {
        "en": ["one"],
        "zh-CN": ["二"],
    }
    assert index != Index()


def test_burst_from_the_encoder_is_a_reason_to_encode_anew(tmp_path: Path) -> None:
    source = tone(1000, 0.1)
    wav = record(tmp_path, "x.wav", source)
    record(tmp_path, "x.heard", source[:20_000] + tone(12, 1.0) + source[20_528:])

    assert _coding_fault(wav).startswith("the encoder adds a burst of ")


def test_peak_from_the_encoder_is_a_reason_to_encode_anew(tmp_path: Path) -> None:
    wav = record(tmp_path, "x.wav", tone(1000, 0.7))
    record(tmp_path, "x.heard", tone(1000, 0.9))

    assert _coding_fault(wav) == "the encoder lifts a peak to -0.9 dBFS"


def test_clean_encoding_is_no_reason(tmp_path: Path) -> None:
    wav = record(tmp_path, "x.wav", tone(1000, 0.1))

    assert _tried([wav], 0) == {wav: ""}


def test_file_that_cannot_be_encoded_is_blamed_alone(tmp_path: Path) -> None:
    good = record(tmp_path, "good.wav", tone(500, 0.1))
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"nonsense")

    reasons = _tried([good, bad], 0)

    assert reasons[good] == ""
    assert reasons[bad].startswith("ffmpeg could not convert")
