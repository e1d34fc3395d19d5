"""What the documents claim exists: links, commands, settings, make targets."""

import re
from pathlib import Path

import click
import pytest

from bianmin.cli import COMMANDS, main
from tests.conftest import ROOT
from tests.docs import reference

LINK = re.compile(r"\]\(([^)\s]+)\)")
DOCUMENTS = sorted(
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
    if ".venv" not in path.parts
)


def documents_text() -> str:
    return "\n".join(path.read_text("utf-8") for path in DOCUMENTS)


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


def test_reference_is_what_the_programs_say() -> None:
    # When this fails: make reference
    assert reference.PAGE.read_text("utf-8") == reference.build()


def test_every_setting_says_what_it_means() -> None:
    silent = [
        f"{module}: {name}"
        for _, _, _, module in reference.SETTINGS
        for name, _, meaning in reference.settings_of(module)
        if not meaning
    ]

    assert silent == []


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
