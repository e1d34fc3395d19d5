"""`bianmin voice` renders, checks and writes the speaker's script."""

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from voice_prompts import cli
from voice_prompts.prompts import Prompt

CATALOGUE = {
    "services": [{"id": "demo", "voice": {"zh-CN": "办“低保”。", "en": "Low-income aid."}}]
}


@pytest.fixture
def catalogue_file(tmp_path: Path) -> Path:
    """A catalogue with one text."""
    path = tmp_path / "catalogue.json"
    path.write_text(json.dumps(CATALOGUE), "utf-8")
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.voice, [str(argument) for argument in arguments])


def test_check_of_an_empty_machine_lists_all_and_fails(
    tmp_path: Path, catalogue_file: Path
) -> None:
    result = run("check", "--catalogue", catalogue_file, "--cache", tmp_path, "--language", "en")

    assert result.exit_code == 1
    assert "missing     en        Low-income aid.  (demo.voice)" in result.output
    assert "0.0%" in result.output
    assert "bianmin voice render" in result.output


def test_help_teaches() -> None:
    for command in ((), ("render",), ("check",), ("script",)):
        result = run(*command, "--help")

        assert result.exit_code == 0
        assert "bianmin voice" in result.output or "espeak-ng" in result.output


def test_script_is_a_pack(catalogue_file: Path) -> None:
    result = run("script", "--catalogue", catalogue_file)

    assert result.exit_code == 0
    assert tomllib.loads(result.output)["clips"]["办“低保”。"] == "demo.voice.wav"
    assert "一千" not in result.output


def test_script_may_hold_the_fragments() -> None:
    clips = tomllib.loads(run("script", "--with-fragments").output)["clips"]

    assert clips["一千"].startswith("fragment.")
    assert len(set(clips.values())) == len(clips)


def test_file_that_is_no_catalogue_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")

    result = run("check", "--catalogue", tmp_path / "x.json", "--cache", tmp_path)

    assert result.exit_code == 1
    assert "x.json is not JSON" in result.output


def test_prompts_of_all_catalogues_and_languages_are_asked_for(catalogue_file: Path) -> None:
    found = cli._prompts((catalogue_file,), ())

    assert Prompt("zh-CN", "办“低保”。", "demo.voice") in found
    assert {prompt.language for prompt in found} == {"zh-CN", "en"}
    assert {prompt.language for prompt in cli._prompts((), ("en",))} == {"en"}


def test_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIANMIN_VOICE_CACHE", "/srv/voice")
    assert cli.default_cache_dir() == Path("/srv/voice")

    monkeypatch.delenv("BIANMIN_VOICE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/home/x/.cache")
    assert cli.default_cache_dir() == Path("/home/x/.cache/bianmin/voice")
