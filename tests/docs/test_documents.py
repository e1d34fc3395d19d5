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


GUARANTEES = ROOT / "docs" / "guarantees.md"


def _defined(pattern: str, *folders: str) -> set[str]:
    return {
        name
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        for name in re.findall(pattern, path.read_text("utf-8"), re.MULTILINE)
    }


def test_every_test_that_a_guarantee_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", GUARANTEES.read_text("utf-8")))

    assert len(named) > 60
    assert named <= _defined(r"^\s*(?:async )?def (test_\w+)", "tests")


def test_every_invariant_that_a_guarantee_names_exists() -> None:
    promises = re.findall(r"^\| G\d+ \|.*$", GUARANTEES.read_text("utf-8"), re.MULTILINE)
    named = [re.findall(r"\| `(\w+)` \|", promise) for promise in promises]

    assert len(promises) == 12
    assert all(len(invariants) == 1 for invariants in named)
    defined = _defined(r"^def (\w+)", "tests/simulation")
    assert {name for (name,) in named} <= defined


def test_every_fault_of_the_research_has_its_row() -> None:
    rows = re.findall(r"^\| (\d+) \|.*$", GUARANTEES.read_text("utf-8"), re.MULTILINE)

    assert [int(row) for row in rows] == list(range(1, 73))
