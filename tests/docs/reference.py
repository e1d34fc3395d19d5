"""Writes docs/reference.md from the programs themselves: `make reference`."""

import ast
from collections.abc import Iterator
from importlib import import_module

import click
from click.testing import CliRunner

from bianmin.cli import main
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "reference.md"
SETTINGS = (
    ("a kiosk", "BIANMIN_KIOSK_", "settings.toml", "kiosk.settings"),
    ("the centre", "BIANMIN_CENTRE_", "centre.toml", "server.settings"),
)
WIDTH = 96


def commands(command: click.Command, path: str) -> Iterator[str]:
    """Every command that does something, by its full name."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from commands(inner, f"{path} {name}")
    else:
        yield path


def build() -> str:
    """The whole page."""
    parts = [
        "# Reference",
        "Made by `make reference` from the programs themselves; a test keeps it true.",
        "## Commands",
    ]
    for name in commands(main, "bianmin"):
        parts += [f"### `{name}`", f"```text\n{_help(name)}\n```"]
    for whose, prefix, file, module in SETTINGS:
        parts += [
            f"## Settings of {whose}",
            f"Each may stand in `{file}` of the data folder, in small letters and without"
            f" `{prefix}`, or in the environment, which goes first. `{prefix}CONFIG` names another"
            " file.",
            "\n".join(_settings_table(prefix, module)),
        ]
    return "\n\n".join(parts) + "\n"


def _help(name: str) -> str:
    words = name.split()
    result = CliRunner().invoke(
        main, [*words[1:], "--help"], prog_name="bianmin", terminal_width=WIDTH
    )
    return result.output.rstrip()


def _settings_table(prefix: str, module: str) -> Iterator[str]:
    yield "| setting | default | meaning |"
    yield "|---|---|---|"
    for name, default, meaning in settings_of(module):
        yield f"| `{prefix}{name.upper()}` | {default} | {meaning} |"


def settings_of(module: str) -> Iterator[tuple[str, str, str]]:
    """Name, default and meaning of each field of a module's Settings."""
    text = (ROOT / module.replace(".", "/")).with_suffix(".py").read_text("utf-8")
    lines = text.splitlines()
    usual = import_module(module).Settings()
    meaning = ""
    for node in ast.parse(text).body:
        if not isinstance(node, ast.ClassDef) or node.name != "Settings":
            continue
        for field in node.body:
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                # Several fields may share the comment above the first of them.
                meaning = _comment_above(lines, field.lineno) or meaning
                name = field.target.id
                yield name, _plain(getattr(usual, name)), meaning


def _comment_above(lines: list[str], number: int) -> str:
    found: list[str] = []
    for line in reversed(lines[: number - 1]):
        if not line.strip().startswith("#:"):
            break
        found.insert(0, line.strip().removeprefix("#:").strip())
    return " ".join(found)


def _plain(default: object) -> str:
    return "" if default in (None, (), "") else f"`{default}`"


if __name__ == "__main__":
    PAGE.write_text(build(), "utf-8")
