"""What was spoken in the booth is on the disk before the page says so, and stays a whole pack."""

import datetime as dt
import errno
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from msgspec.structs import replace

from tests.unit.voice_prompts.conftest import tone
from tests.unit.voice_prompts.pack_builder import HEAD, PROMPTS, SERVICES, voice
from voice_prompts.booth import OWN_NAME, Booth, opened
from voice_prompts.booth_web import app_of
from voice_prompts.errors import PackWrong
from voice_prompts.library import Library
from voice_prompts.pack_check import check_pack, keyed
from voice_prompts.pack_source import PackSource
from voice_prompts.packs import MANIFEST, files_of, text_hash
from voice_prompts.render import RenderReport
from voice_prompts.sound import wav_bytes

NEW = replace(HEAD, name_file="")
KEYED = keyed(PROMPTS)
HELLO = 1  # after the language's own name
Rendered = tuple[Path, RenderReport]


def booth(folder: Path, cache_dir: Path | None = None) -> Booth:
    return Booth(folder, NEW, KEYED, Library(cache_dir or folder / "no cache"))


def recorded(made: Booth) -> list[str]:
    return [item.key for item in made.state().items if item.is_recorded]


def test_sentences_come_one_by_one_the_most_needed_first(
    rendered: Rendered, tmp_path: Path
) -> None:
    state = booth(tmp_path, rendered[0]).state()

    assert (state.language, state.name) == ("zh-x-tongren", "铜仁话")
    assert [item.text for item in state.items[:4]] == ["铜仁话", "您好。", "请点图片。", "三十四"]
    assert [item.has_reference for item in state.items[:3]] == [False, True, True]
    assert all(9 < item.expected_s < 15 for item in state.items[1:])
    assert set(state.words["zh-CN"]) == set(state.words["en"])


def test_recording_is_kept_trimmed_and_the_pack_is_whole(tmp_path: Path) -> None:
    made = booth(tmp_path / "tongren")
    silence = bytes(22_050)

    told = made.keep(HELLO, wav_bytes(silence + voice(900) + silence))
    made.keep(0, wav_bytes(voice(700)))

    assert told == "saved"
    assert recorded(made) == [OWN_NAME, "home.title.1"]
    with PackSource(tmp_path / "tongren") as source:
        report = check_pack(source, PROMPTS, SERVICES)
    assert (report.recorded_count, report.faults) == (1, ())
    clip = report.manifest.clips["home.title.1"]
    assert clip.text_hash == text_hash("您好。")
    assert 900 <= clip.duration_ms <= 950


def test_another_day_goes_on_where_this_one_ended(tmp_path: Path) -> None:
    booth(tmp_path).keep(HELLO, wav_bytes(voice()))

    later = Booth(
        tmp_path, replace(NEW, recorded_on=dt.date(2026, 12, 1)), KEYED, Library(tmp_path / "none")
    )
    later.keep(HELLO + 1, wav_bytes(voice()))

    assert recorded(later) == ["home.title.1", "home.title.2"]
    assert later.manifest.recorded_on == dt.date(2026, 12, 1)
    assert later.manifest.author == "杨正英"


def test_recording_again_leaves_one_file(tmp_path: Path) -> None:
    made = booth(tmp_path)
    for duration_ms in (900, 1000, 1100):
        made.keep(HELLO, wav_bytes(voice(duration_ms)))

    names = {path.name for path in tmp_path.iterdir()}
    assert names == {MANIFEST, *files_of(made.manifest)}
    assert len(names) == 2
    assert 1080 < made.manifest.clips["home.title.1"].duration_ms < 1120


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (wav_bytes(bytes(44_100)), "silent"),
        (wav_bytes(tone(900, 4.0)), "clipped"),
        (b"", "not_sound"),
        (b"RIFF", "not_sound"),
        (wav_bytes(voice(900), 44_100), "not_sound"),
    ],
)
def test_recording_that_nobody_could_use_leaves_the_earlier_one(
    tmp_path: Path, content: bytes, told: str
) -> None:
    made = booth(tmp_path)
    made.keep(HELLO, wav_bytes(voice(900)))
    before = made.manifest

    assert made.keep(HELLO, content) == told
    assert made.manifest == before == opened(tmp_path)


@pytest.mark.parametrize(("duration_ms", "told"), [(150, "too_short"), (8000, "too_long")])
def test_odd_length_is_kept_and_told(tmp_path: Path, duration_ms: int, told: str) -> None:
    made = booth(tmp_path)

    assert made.keep(HELLO, wav_bytes(voice(duration_ms))) == told
    assert recorded(made) == ["home.title.1"]


def test_changed_text_is_asked_for_again(tmp_path: Path) -> None:
    booth(tmp_path).keep(HELLO, wav_bytes(voice()))
    changed = KEYED | {"home.title.1": replace(KEYED["home.title.1"], text="你好哇。")}

    assert recorded(Booth(tmp_path, NEW, changed, Library(tmp_path / "none"))) == []


def test_head_that_could_not_be_opened_again_is_refused_before_a_day_of_recording(
    tmp_path: Path,
) -> None:
    with pytest.raises(PackWrong):
        Booth(tmp_path, replace(NEW, name="铜" * 16), KEYED, Library(tmp_path / "no cache"))

    assert not (tmp_path / MANIFEST).exists()


def test_folder_of_another_language_is_not_written_over(tmp_path: Path) -> None:
    booth(tmp_path)
    before = (tmp_path / MANIFEST).read_bytes()

    with pytest.raises(PackWrong, match="zh-x-tongren"):
        Booth(tmp_path, replace(NEW, language="yi"), KEYED, Library(tmp_path / "none"))

    assert (tmp_path / MANIFEST).read_bytes() == before


def test_full_disk_is_told_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = booth(tmp_path)
    made.keep(HELLO, wav_bytes(voice()))
    before = made.manifest

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "fsync", full)

    assert made.keep(HELLO + 1, wav_bytes(voice())) == "disk_full"
    assert made.manifest == before == opened(tmp_path)
    assert made.recording(HELLO) is not None


_RECORDER = """
import sys
from pathlib import Path
from tests.unit.voice_prompts.test_booth import HELLO, booth, voice, wav_bytes
made = booth(Path(sys.argv[1]))
print("ready", flush=True)
for number in range(10_000):
    assert made.keep(HELLO + number % 4, wav_bytes(voice(1000 + number % 7 * 20))) == "saved"
    print(number, flush=True)
"""


@pytest.mark.deep
def test_killed_booth_keeps_every_sentence_that_it_called_saved(tmp_path: Path, root: Path) -> None:
    for kill in range(3):
        recorder = subprocess.Popen(
            (sys.executable, "-c", _RECORDER, str(tmp_path)), stdout=subprocess.PIPE, cwd=root
        )
        assert recorder.stdout is not None
        # Other sentences are under way at each kill.
        said = [recorder.stdout.readline() for _ in range(6 + 3 * kill)]
        os.kill(recorder.pid, signal.SIGKILL)
        recorder.communicate()

        assert said[-1].strip().isdigit()
        manifest = opened(tmp_path)
        assert manifest is not None
        assert len(manifest.clips) == 4
        with PackSource(tmp_path) as source:
            assert check_pack(source, PROMPTS, SERVICES).faults == ()


# --- the page's routes ---


async def test_page_and_recordings_are_served_to_this_machine_alone(
    rendered: Rendered, tmp_path: Path
) -> None:
    made = booth(tmp_path, rendered[0])
    async with TestClient(TestServer(app_of(made), host="127.0.0.1")) as client:
        page = await client.get("/")
        reference = await client.get(f"/reference/{HELLO}")
        kept = await client.put(f"/recording/{HELLO}", data=wav_bytes(voice()))
        recording = await client.get(f"/recording/{HELLO}")
        silent = await client.put(f"/recording/{HELLO}", data=wav_bytes(bytes(44_100)))
        far = await client.get("/state", headers={"Host": "booth.example:8430"})
        foreign = await client.put(
            f"/recording/{HELLO}",
            data=wav_bytes(voice()),
            headers={"Origin": "http://evil.example"},
        )
        absent = [(await client.get(path)).status for path in ("/reference/0", "/recording/99")]
        huge = await client.put("/recording/1", data=io.BytesIO(bytes(9 * 1024 * 1024)))

        assert (page.status, page.content_type) == (200, "text/html")
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
        assert (reference.status, reference.content_type) == (200, "audio/ogg")
        assert (kept.status, await kept.json()) == (200, {"told": "saved"})
        assert (await recording.read()).startswith(b"RIFF")
        assert (silent.status, await silent.json()) == (422, {"told": "silent"})
        assert (far.status, foreign.status, absent, huge.status) == (403, 403, [404, 404], 413)
