"""docs/xlsform.md names a test for each feature, and the messages cover what is told."""

import ast
import re
from pathlib import Path

from server.xlsform.findings import messages
from server.xlsform.kinds import kind_of
from sync.xpath_functions import FUNCTIONS

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "xlsform.md").read_text("utf-8")
OURS = ROOT / "server" / "xlsform"
#: What an import writes, and no author.
INTERNAL = {"sum-given", "min-given", "max-given", "count-true", "once"}


def existing_tests() -> set[str]:
    files = [
        *Path(__file__).parent.glob("test_*.py"),
        ROOT / "tests/unit/sync/test_survey_answers.py",
    ]
    trees = [ast.parse(path.read_text("utf-8")) for path in files]
    return {node.name for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)}


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] != "feature"]


def test_every_feature_names_a_test_that_exists() -> None:
    named = [re.fullmatch(r"`(test_\w+)`", row[-1]) for row in rows()]

    assert len(named) > 40
    assert all(named)
    assert {match[1] for match in named if match} <= existing_tests()


def test_every_function_is_on_the_page() -> None:
    (listed,) = [row[0] for row in rows() if row[0].startswith("if, coalesce")]

    assert set(listed.split(", ")) | INTERNAL == FUNCTIONS.keys()


def test_every_message_is_in_both_languages_and_used() -> None:
    source = "\n".join(path.read_text("utf-8") for path in OURS.glob("*.py"))
    used = {code for code in re.findall(r'"([a-z_]+)"', source) if code in messages()}

    assert used == messages().keys()
    assert all(re.search(r"[\u4e00-\u9fff]", words["zh"]) for words in messages().values())
    for words in messages().values():
        placeholders = [set(re.findall(r"{(\w+)}", words[tag])) for tag in ("zh", "en")]
        assert placeholders[0] <= placeholders[1]


def test_spellings_of_sections_are_one() -> None:
    kinds = {kind_of(text) for text in ("begin group", "begin_group", "Begin  Group")}

    assert len(kinds) == 1
