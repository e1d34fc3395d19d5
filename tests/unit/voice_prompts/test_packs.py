"""A pack comes from a stick of somebody we do not know: whatever it holds, we stay whole."""

import contextlib
import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from tests.unit.voice_prompts.conftest import record, tone
from tests.unit.voice_prompts.pack_builder import HEAD, TAG, build_pack, voice
from voice_prompts.errors import PackWrong
from voice_prompts.limits import PACK_MANIFEST_BYTES_MAX, RECORDING_BYTES_MAX
from voice_prompts.pack_install import install
from voice_prompts.pack_shelf import installed, missing_files, remove
from voice_prompts.pack_source import PackSource
from voice_prompts.packs import MANIFEST, Recorded, files_of, manifest_bytes, measured, text_hash

TEXTS = {"home.title.1": "您好。", "home.title.2": "请点图片。"}


def zipped(folder: Path, path: Path, prefix: str = "tongren/") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, prefix + file.name)
    return path


def name_clip(folder: Path, name: str) -> Path:
    """Make the manifest name a file as its one clip, whatever that file is."""
    clips = {"home.title.1": Recorded(name, text_hash("您好。"))}
    (folder / MANIFEST).write_bytes(manifest_bytes(replace(HEAD, name_file="", clips=clips)))
    return folder


# --- what is good goes in ---


@pytest.mark.parametrize("kind", ["folder", "zip", "flat zip"])
def test_pack_is_installed_whole_and_small(tmp_path: Path, kind: str) -> None:
    source = build_pack(tmp_path / "in", TEXTS)
    if kind != "folder":
        source = zipped(source, tmp_path / "in.zip", "tongren/" if kind == "zip" else "")

    done = install(source, tmp_path / "packs")

    (found,) = installed(tmp_path / "packs")
    assert found == done.manifest
    assert (found.language, found.name, found.author) == (TAG, "铜仁话", "杨正英")
    assert {key: clip.text_hash for key, clip in found.clips.items()} == {
        key: text_hash(text) for key, text in TEXTS.items()
    }
    assert missing_files(found, tmp_path / "packs") == []
    # 1.2 s of wav are 53 kB; a sixteenth is left.
    assert done.size_bytes < 3 * 5_000
    assert done.left_out == {}
    assert all(1100 < clip.duration_ms < 1300 for clip in found.clips.values())


def test_without_ffmpeg_a_pack_is_kept_as_it_was_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = build_pack(tmp_path / "in", TEXTS)
    monkeypatch.setenv("PATH", str(tmp_path))

    done = install(source, tmp_path / "packs")

    kept = tmp_path / "packs" / TAG / done.manifest.clips["home.title.1"].file
    assert kept.read_bytes() == (source / "000.wav").read_bytes()


def test_newer_pack_takes_the_place_of_the_older_and_leaves_nothing_of_it(tmp_path: Path) -> None:
    install(build_pack(tmp_path / "one", TEXTS), tmp_path / "packs")
    newer = build_pack(tmp_path / "two", {"home.title.1": "您好。"}, name="铜仁话2")

    install(newer, tmp_path / "packs")

    (found,) = installed(tmp_path / "packs")
    assert (found.name, list(found.clips)) == ("铜仁话2", ["home.title.1"])
    left = {path.name for path in (tmp_path / "packs" / TAG).iterdir()}
    assert left == set(files_of(found))
    assert sorted(path.name for path in (tmp_path / "packs").iterdir()) == [TAG, f"{TAG}.json"]


def test_refused_pack_leaves_the_installed_one_as_it_is(tmp_path: Path) -> None:
    before = install(build_pack(tmp_path / "one", TEXTS), tmp_path / "packs").manifest
    silent = build_pack(
        tmp_path / "two", {"home.title.1": "您好。"}, samples={"home.title.1": bytes(44_100)}
    )

    with pytest.raises(PackWrong, match="nothing can be heard"):
        install(silent, tmp_path / "packs")

    assert installed(tmp_path / "packs") == [before]
    assert missing_files(before, tmp_path / "packs") == []


def test_clip_that_cannot_be_used_is_left_out_and_named(tmp_path: Path) -> None:
    source = build_pack(tmp_path / "in", TEXTS, samples={"home.title.2": tone(1200, 4.0)})
    (source / "000.wav").write_bytes(b"RIFF and nothing else")
    good = record(source, "002.wav", voice())
    clips = {
        "home.title.1": Recorded("000.wav", text_hash("您好。")),
        "home.title.2": Recorded("001.wav", text_hash("请点图片。")),
        "common.back": Recorded(good.name, text_hash("返回")),
    }
    (source / MANIFEST).write_bytes(manifest_bytes(replace(HEAD, clips=clips)))

    done = install(source, tmp_path / "packs")

    assert list(done.manifest.clips) == ["common.back"]
    assert sorted(done.left_out) == ["000.wav", "001.wav"]
    assert "distorted" in done.left_out["001.wav"]


def test_removed_pack_is_gone(tmp_path: Path) -> None:
    install(build_pack(tmp_path / "in", TEXTS), tmp_path / "packs")

    assert remove(TAG, tmp_path / "packs")

    assert list((tmp_path / "packs").iterdir()) == []
    assert not remove(TAG, tmp_path / "packs")
    with pytest.raises(PackWrong, match="no language tag"):
        remove("../in", tmp_path / "packs")
    assert (tmp_path / "in" / MANIFEST).is_file()


def test_broken_installed_manifest_is_left_out_and_silences_nothing_else(tmp_path: Path) -> None:
    install(build_pack(tmp_path / "in", TEXTS), tmp_path / "packs")
    (tmp_path / "packs" / "yi.json").write_text("{")
    # Somebody copied a pack by hand: its names are not ours.
    (tmp_path / "packs" / "ii.json").write_bytes((tmp_path / "in" / MANIFEST).read_bytes())

    assert [one.language for one in installed(tmp_path / "packs")] == [TAG]


# --- what is hostile stays out ---


def a_link(folder: Path) -> Path:
    (folder / "secret.wav").symlink_to("/etc/hostname")
    return name_clip(folder, "secret.wav")


def a_pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.wav")
    return name_clip(folder, "pipe.wav")


def a_folder(folder: Path) -> Path:
    (folder / "more.wav").mkdir()
    return name_clip(folder, "more.wav")


def a_giant(folder: Path) -> Path:
    with (folder / "giant.wav").open("wb") as file:
        file.truncate(RECORDING_BYTES_MAX + 1)
    return name_clip(folder, "giant.wav")


def another_medium(folder: Path) -> Path:
    (folder / "film.wav").write_bytes(b"\x00\x00\x00\x18ftypmp42" + bytes(4000))
    return name_clip(folder, "film.wav")


def a_lying_length(folder: Path) -> Path:
    content = bytearray(record(folder, "long.wav", voice()).read_bytes())
    content[40:44] = (100 * len(content)).to_bytes(4, "little")
    (folder / "long.wav").write_bytes(content)
    return name_clip(folder, "long.wav")


def an_absent_file(folder: Path) -> Path:
    return name_clip(folder, "absent.wav")


def a_false_ogg(folder: Path) -> Path:
    (folder / "a.ogg").write_bytes(b"<html>" * 100)
    return name_clip(folder, "a.ogg")


@pytest.mark.parametrize(
    ("trap", "message"),
    [
        (a_link, "is a link"),
        (a_pipe, "no ordinary file"),
        (a_folder, "no ordinary file"),
        (a_giant, "larger than"),
        (another_medium, "no whole wav file"),
        (a_lying_length, "no whole wav|cut off"),
        (an_absent_file, "has no absent.wav"),
        (a_false_ogg, "no Ogg file"),
    ],
)
def test_hostile_file_is_never_installed(
    tmp_path: Path, trap: Callable[[Path], Path], message: str
) -> None:
    (tmp_path / "in").mkdir()
    source = trap(tmp_path / "in")

    with pytest.raises(PackWrong, match=message):
        install(source, tmp_path / "packs")

    assert installed(tmp_path / "packs") == []
    assert list((tmp_path / "packs").rglob("*.*")) == []


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("language", "../../etc", "tag such as"),
        ("language", "", "tag such as"),
        ("name", "一个长得按钮放不下的名字", "fit a button"),
        ("author", "", "one line"),
        ("consent", "a\nb", "one line"),
        ("licence", "x" * 401, "one line"),
        ("based_on", "fr", "based_on"),
        ("format", "bianmin-voice-pack-9", "format"),
        ("name_file", "../own.wav", "plain file name"),
    ],
)
def test_manifest_that_breaks_a_rule_says_which(
    tmp_path: Path, field: str, value: str, message: str
) -> None:
    build_pack(tmp_path / "in", TEXTS, None, **{field: value})

    with pytest.raises(PackWrong, match=message):
        install(tmp_path / "in", tmp_path / "packs")


@pytest.mark.parametrize(
    "name",
    ["../x.wav", "/etc/x.wav", "a/b.wav", ".hidden.wav", "x.wav\x00.txt", "x.exe", "", "\\x"],
)
def test_clip_outside_the_folder_is_refused_by_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    name_clip(tmp_path / "in", name)

    with pytest.raises(PackWrong, match="plain file name"):
        install(tmp_path / "in", tmp_path / "packs")


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"[" * 100_000, b"\xff", b" " * (PACK_MANIFEST_BYTES_MAX + 1)]
)
def test_manifest_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / MANIFEST).write_bytes(content)

    with pytest.raises(PackWrong, match=MANIFEST):
        install(tmp_path / "in", tmp_path / "packs")


def test_manifest_that_is_a_link_is_refused(tmp_path: Path) -> None:
    build_pack(tmp_path / "other", TEXTS)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / MANIFEST).symlink_to(tmp_path / "other" / MANIFEST)

    with pytest.raises(PackWrong, match="link"):
        install(tmp_path / "in", tmp_path / "packs")


def test_zip_writes_nothing_outside_and_its_other_files_are_not_touched(tmp_path: Path) -> None:
    folder = build_pack(tmp_path / "in", TEXTS)
    path = zipped(folder, tmp_path / "in.zip", "")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../escaped.wav", b"x")
        archive.writestr("/escaped.wav", b"x")
        archive.writestr("autorun.inf", b"x")

    install(path, tmp_path / "packs")

    assert list(tmp_path.rglob("escaped*")) == []
    assert list((tmp_path / "packs").rglob("autorun*")) == []


def a_bomb(archive: zipfile.ZipFile) -> None:
    archive.writestr("000.wav", bytes(RECORDING_BYTES_MAX * 3), zipfile.ZIP_DEFLATED)


def a_zipped_link(archive: zipfile.ZipFile) -> None:
    entry = zipfile.ZipInfo("000.wav")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(entry, "/etc/hostname")


@pytest.mark.parametrize(("trap", "message"), [(a_bomb, "larger than"), (a_zipped_link, "a link")])
def test_hostile_zip_is_refused(
    tmp_path: Path, trap: Callable[[zipfile.ZipFile], None], message: str
) -> None:
    (tmp_path / "in").mkdir()
    name_clip(tmp_path / "in", "000.wav")
    path = zipped(tmp_path / "in", tmp_path / "in.zip", "")
    with zipfile.ZipFile(path, "a") as archive:
        trap(archive)

    with pytest.raises(PackWrong, match=message):
        install(path, tmp_path / "packs")


def test_zip_with_two_manifests_is_refused(tmp_path: Path) -> None:
    path = zipped(build_pack(tmp_path / "in", TEXTS), tmp_path / "in.zip", "a/")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("b/pack.json", b"{}")

    with pytest.raises(PackWrong, match=r"one pack\.json"):
        PackSource(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"x" * 1000])
def test_file_that_is_no_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "in.zip").write_bytes(content)

    with pytest.raises(PackWrong, match="neither a folder nor a zip"):
        PackSource(tmp_path / "in.zip")


def test_damaged_zip_is_refused_at_the_damaged_file(tmp_path: Path) -> None:
    path = zipped(build_pack(tmp_path / "in", TEXTS), tmp_path / "in.zip")
    content = bytearray(path.read_bytes())
    at = content.index(b"000.wav") + 20_000
    content[at : at + 200] = bytes(200 - 1) + b"\x01"
    path.write_bytes(content)

    done = install(path, tmp_path / "packs")

    assert list(done.left_out) == ["000.wav"]
    assert "damaged" in done.left_out["000.wav"]


def test_zip_from_a_dying_stick_is_refused_wherever_its_bits_turned(tmp_path: Path) -> None:
    raw = zipped(build_pack(tmp_path / "in", TEXTS), tmp_path / "whole.zip").read_bytes()
    random = Random(5)
    for number in range(40):
        turned = bytearray(raw)
        for _ in range(3):
            turned[random.randrange(len(raw))] ^= 1 << random.randrange(8)
        path = tmp_path / f"{number}.zip"
        path.write_bytes(turned)
        with contextlib.suppress(PackWrong):
            done = install(path, tmp_path / "packs")
            assert set(done.left_out) <= {"000.wav", "001.wav", "002.wav", "own-name.wav"}


def test_stereo_and_other_rates_are_sounds_too(tmp_path: Path) -> None:
    path = record(tmp_path, "a.wav", voice(1000))

    assert measured("a.wav", path.read_bytes()).duration_ms == 1000
