"""A check tells an installer what is still to be recorded, and what to record again."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.unit.voice_prompts.conftest import record, tone
from tests.unit.voice_prompts.pack_builder import PROMPTS, SERVICES, TAG, build_pack, voice
from voice_prompts.cli import voice as voice_command
from voice_prompts.pack_check import Group, PackReport, check_pack, groups_of, keyed
from voice_prompts.pack_source import PackSource
from voice_prompts.prompts import Prompt
from voice_prompts.sound import levelled

WHOLE = {"home.title": "您好。请点图片。"}


def report_of(folder: Path) -> PackReport:
    with PackSource(folder) as source:
        return check_pack(source, PROMPTS, SERVICES)


def problems(report: PackReport) -> list[tuple[str, str]]:
    return [(fault.key, fault.problem) for fault in report.faults]


def test_coverage_is_told_by_prompts_and_by_whole_services(tmp_path: Path) -> None:
    build_pack(
        tmp_path,
        {
            "home.title.1": "您好。",
            "pension_auth.age.voice": "您今年多大？",
            "newborn.birth.voice": "宝宝哪天出生？",
        },
    )

    report = report_of(tmp_path)

    assert (report.recorded_count, report.wanted_count) == (3, 6)
    assert report.groups == (
        Group("core", 2, 1, ("home.title.2",)),
        Group("numbers", 1, 0, ("fragment.三十四",)),
        Group("pension_auth", 1, 1, (), is_service=True),
        Group("newborn", 2, 1, ("newborn.name.voice",), is_service=True),
    )
    assert [group.name for group in report.groups if group.is_service and group.is_whole] == [
        "pension_auth"
    ]
    assert not report.is_core_whole
    assert report.faults == ()


def test_recording_of_a_whole_text_covers_its_sentences(tmp_path: Path) -> None:
    build_pack(tmp_path, WHOLE, samples={"home.title": voice(2500)})

    report = report_of(tmp_path)

    assert report.is_core_whole
    assert report.faults == ()


def test_recording_of_changed_words_is_stale_and_counts_for_nothing(tmp_path: Path) -> None:
    build_pack(tmp_path, {"home.title.1": "你好哇。", "help.gone": "找人帮我。"})

    report = report_of(tmp_path)

    assert problems(report) == [("home.title.1", "stale"), ("help.gone", "obsolete")]
    assert "您好。" in report.faults[0].detail
    assert report.recorded_count == 0


@pytest.mark.parametrize(
    ("samples", "problem"),
    [
        (bytes(2 * 22_050), "silent"),
        (tone(1200, 4.0), "clipped"),
        (levelled(tone(200)), "too short"),
        (levelled(tone(9000)), "too long"),
    ],
)
def test_planted_fault_is_found(tmp_path: Path, samples: bytes, problem: str) -> None:
    build_pack(
        tmp_path,
        {"pension_auth.age.voice": "您今年多大？"},
        samples={"pension_auth.age.voice": samples},
    )

    assert problems(report_of(tmp_path)) == [("pension_auth.age.voice", problem)]


def test_uneven_loudness_is_told_with_its_spread(tmp_path: Path) -> None:
    texts = {prompt.source: prompt.text for prompt in (*PROMPTS["core"], *PROMPTS["newborn"])}
    loud = {"newborn.name.voice": tone(1200, 0.9), "home.title.2": tone(1200, 0.1)}
    build_pack(tmp_path, texts, samples=loud)

    report = report_of(tmp_path)

    assert problems(report) == [("home.title.2", "too quiet"), ("newborn.name.voice", "too loud")]
    # 0.9 and 0.1 of full scale are 19.1 dB apart.
    assert report.spread_lu == pytest.approx(19.1, abs=0.2)


def test_unusable_file_is_told_and_counts_for_nothing(tmp_path: Path) -> None:
    build_pack(tmp_path, {"home.title.1": "您好。"})
    (tmp_path / "000.wav").write_bytes(b"no sound")

    report = report_of(tmp_path)

    assert problems(report) == [("home.title.1", "unusable")]
    assert report.recorded_count == 0


def test_without_ffmpeg_wav_files_are_measured_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_pack(tmp_path, {"home.title.1": "您好。"}, samples={"home.title.1": bytes(44_100)})
    monkeypatch.setenv("PATH", str(tmp_path))

    assert problems(report_of(tmp_path)) == [("home.title.1", "silent")]


def test_groups_begin_with_what_is_needed_most() -> None:
    interface = [
        Prompt("zh-CN", "找人帮我", "help.title"),
        Prompt("zh-CN", "一", "fragment"),
        Prompt("zh-CN", "您好。", "home.title"),
    ]
    catalogue = [Prompt("zh-CN", "满意", "rating.a"), Prompt("zh-CN", "钱", "categories.money")]

    groups = groups_of(interface, catalogue, ["rating"])

    assert list(groups) == ["core", "interface", "numbers", "catalogue", "rating"]


def test_service_and_section_of_one_name_do_not_share_a_key() -> None:
    groups = {
        "interface": [Prompt("zh-CN", "办得好不好？", "rating.title")],
        "rating": [Prompt("zh-CN", "请点一张脸。", "rating.title")],
    }

    assert list(keyed(groups)) == ["rating.title", "rating.title~2"]


# --- the commands ---


def a_word_of(duration_ms: int) -> tuple[dict[str, str], dict[str, bytes]]:
    """One key of the core, recorded this long."""
    return {"common.back": "返回"}, {"common.back": voice(duration_ms)}


def run(*arguments: str, packs: Path) -> tuple[int, str]:
    done = CliRunner().invoke(
        voice_command, ["pack", *arguments], env={"BIANMIN_VOICE_PACKS": str(packs)}
    )
    return done.exit_code, done.output


def test_commands_take_a_pack_from_check_to_removal(tmp_path: Path, root: Path) -> None:
    source = build_pack(
        tmp_path / "in", {"common.back": "返回"}, samples={"common.back": voice(600)}
    )
    packs = tmp_path / "packs"
    catalogue = str(root / "server/catalogue/catalogue.json")

    checked = run("check", str(source), "--catalogue", catalogue, packs=packs)
    put_in = run("install", str(source), packs=packs)
    listed = run("list", packs=packs)
    removed = run("remove", TAG, packs=packs)

    assert (checked[0], put_in[0], listed[0], removed[0]) == (0, 0, 0, 0), checked[1] + put_in[1]
    assert "0 of 18 services whole" in checked[1]
    assert "pension_auth" in checked[1]
    assert "1 clips" in put_in[1]
    assert "does not offer it yet" in put_in[1]
    assert "杨正英" in listed[1]
    assert run("list", packs=packs) == (0, f"No packs in {packs}.\n")
    assert run("remove", TAG, packs=packs)[0] == 1


def test_check_of_a_faulty_pack_ends_with_one(tmp_path: Path) -> None:
    source = build_pack(
        tmp_path / "in", {"common.back": "返回"}, samples={"common.back": voice(60)}
    )

    code, said = run("check", str(source), "--all", packs=tmp_path / "packs")

    assert code == 1
    assert "too short   common.back" in said
    assert "missing     home.title" in said


@pytest.mark.parametrize("what", ["absent", "broken"])
def test_command_tells_what_is_wrong_without_a_trace(tmp_path: Path, what: str) -> None:
    if what == "broken":
        record(tmp_path / what, "a.wav", voice())
        (tmp_path / what / "pack.json").write_text('{"language": "yi"}')

    for command in ("check", "install"):
        code, said = run(command, str(tmp_path / what), packs=tmp_path / "packs")

        assert code == 1
        assert said.startswith("Error:") or "\nError:" in said
        assert "Traceback" not in said
