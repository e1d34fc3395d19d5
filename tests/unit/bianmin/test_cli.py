"""The command `bianmin`: loads a program only when it is called, and says what is missing."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from bianmin import cli
from bianmin.cli import COMMANDS, SUMMARIES, main


def test_help_lists_every_program_and_loads_none() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from bianmin.cli import main;"
        "out = CliRunner().invoke(main, ['--help']).output;"
        "print(sorted({'kiosk', 'server', 'voice_prompts', 'aiohttp'} & set(sys.modules)));"
        "print(out)"
    )

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    loaded, _, text = said.stdout.partition("\n")
    assert loaded == "[]"
    assert all(f"\n  {name} " in text for name in COMMANDS)


def test_every_program_has_a_summary() -> None:
    assert SUMMARIES.keys() == COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_program_explains_itself(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])

    assert (result.exit_code, result.output.startswith(f"Usage: main {name}")) == (0, True)


def test_missing_package_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cli.COMMANDS, "centre", ("argon3_missing", "centre"))

    with pytest.raises(click.ClickException) as caught:
        main.get_command(click.Context(main), "centre")

    assert caught.value.message.splitlines() == [
        "`bianmin centre` needs the Python package argon3_missing, which is not installed.",
        "Install it with:  pip install 'bianmin[server]'",
        "or, in a copy of the source:  deploy/setup",
    ]
