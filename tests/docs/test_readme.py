"""What the documents claim exists: links, commands, settings, make targets."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from bianmin.cli import COMMANDS, main
from tests.conftest import ROOT

LINK = re.compile(r"\]\(([^)\s]+)\)")
DOCUMENTS = sorted(
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
    if ".venv" not in path.parts
)


def documents_text() -> str:
    return "\n".join(path.read_text("utf-8") for path in DOCUMENTS)


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


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    broken = [
        target
        for target in LINK.findall(document.read_text("utf-8"))
        if "://" not in target
        and not target.startswith(("#", "mailto:"))
        and not (document.parent / target.partition("#")[0]).exists()
    ]

    assert broken == []


def test_every_command_is_described() -> None:
    text = documents_text()

    missing = [name for name in commands(main, "bianmin") if name not in text]

    assert missing == []


def test_every_command_explains_itself() -> None:
    silent = []
    for program in COMMANDS:
        loaded = main.get_command(click.Context(main), program)
        assert loaded is not None
        stack = [(program, loaded)]
        while stack:
            path, command = stack.pop()
            if not command.help:
                silent.append(path)
            if isinstance(command, click.Group):
                stack += [(f"{path} {name}", inner) for name, inner in command.commands.items()]

    assert silent == []


def test_every_make_target_of_a_document_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))

    named = set(re.findall(r"\bmake ([a-z][a-z-]*)\b(?=[`\n]| [A-Z]+=)", documents_text()))

    assert named
    assert named <= targets


def test_every_setting_is_described() -> None:
    # The environment name of each setting is made from the field's name.
    from kiosk.settings import Settings as KioskSettings
    from server.settings import Settings as CentreSettings

    names = [
        f"{prefix}{field.upper()}"
        for prefix, settings in (
            ("BIANMIN_KIOSK_", KioskSettings),
            ("BIANMIN_CENTRE_", CentreSettings),
        )
        for field in settings.__struct_fields__
    ]
    text = documents_text()

    assert [name for name in names if name not in text] == []
