"""Files of any kind: read, or refused; bounded whatever stands in them."""

import io
import random
import zipfile
from pathlib import Path

import msgspec
import pytest

from server.catalogue.checks import faults
from server.xlsform import limits
from server.xlsform.convert import convert
from server.xlsform.findings import Findings, XlsformRefused
from server.xlsform.workbook import date_text, read_workbook
from tests.generator import shipped_catalogue
from tests.unit.server.xlsform.forms import errors, form, workbook

FOLDER = Path(__file__).parents[3] / "vectors" / "xlsforms"


def outcome(name: str, raw: bytes) -> set[str]:
    """Answer the codes of a refusal; anything but a form or a refusal fails the test."""
    try:
        service = convert(name, raw).service
    except XlsformRefused as error:
        return {each.code for each in error.findings if each.severity == "error"} or {"no code"}
    # What passes here must pass where it is published.
    catalogue = shipped_catalogue()
    services = tuple(each for each in catalogue.services if each.id != service.id)
    assert faults(msgspec.structs.replace(catalogue, services=(*services, service))) == []
    return set()


def cells(name: str, raw: bytes) -> dict[str, str]:
    (sheet,) = read_workbook(name, raw, Findings())
    return {cell.at: cell.text for row in sheet.rows.values() for cell in row.values()}


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "not_a_spreadsheet"),
        (b"type,name,label\n", "not_a_spreadsheet"),
        (b"PK\x03\x04 and then nothing", "file_damaged"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "file_damaged"),
        (b"PK\x03\x04" + bytes(limits.FILE_BYTES_MAX), "file_too_large"),
    ],
)
def test_what_is_no_workbook_is_refused(raw: bytes, code: str) -> None:
    assert outcome("form.xlsx", raw) == {code}


def test_numbers_and_texts_are_read_as_typed() -> None:
    raw = workbook(survey=[["a", 8, 0.1, 1e20, None, "  b  "]])

    assert cells("form.xlsx", raw) == {
        "A1": "a",
        "B1": "8",
        "C1": "0.1",
        "D1": "1e+20",
        "F1": "b",
    }


@pytest.mark.parametrize(
    ("days", "text"),
    [(0.3958333333333333, "09:30"), (46350, "2026-11-24"), (46350.5, "2026-11-24T12:00"), (-1, "")],
)
def test_day_numbers_become_dates(days: float, text: str) -> None:
    assert date_text(days) == text


def test_old_workbook_reads_as_the_new_one_does() -> None:
    raw = (FOLDER / "default_time_demo.xls").read_bytes()

    sheets = read_workbook("default_time_demo.xls", raw, Findings())

    assert [cell.text for cell in sheets[0].rows[2].values()] == [
        *("time", "start_time", "Start time", "09:30")
    ]


def test_bomb_of_zeros_is_refused_unpacked() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/workbook.xml", bytes(limits.UNPACKED_BYTES_MAX + 1))
    assert len(bomb.getvalue()) < limits.FILE_BYTES_MAX

    assert outcome("form.xlsx", bomb.getvalue()) == {"file_damaged"}


def test_entities_are_refused_unread() -> None:
    lol = b'<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
    raw = io.BytesIO(workbook(survey=[["type"]]))
    with zipfile.ZipFile(raw, "a") as package, pytest.warns(UserWarning, match="Duplicate"):
        package.writestr("xl/workbook.xml", lol)

    assert outcome("form.xlsx", raw.getvalue()) == {"file_damaged"}


def test_sheet_beyond_its_bounds_is_refused_at_the_first_cell_outside() -> None:
    long = [["type", "name", "label"]] + [[] for _ in range(limits.ROWS_MAX - 1)] + [["text"]]
    wide = [["type"] + [None] * (limits.COLUMNS_MAX - 1) + ["x"]]

    assert errors(workbook(survey=long)) == {(f"survey!A{limits.ROWS_MAX + 1}", "sheet_too_large")}
    assert errors(workbook(survey=wide)) == {("survey!IW1", "sheet_too_large")}


def test_cell_beyond_its_bound_is_refused_without_repeating_it() -> None:
    raw = workbook(survey=[["type"], ["x" * (limits.CELL_CHARS_MAX + 1)]])

    assert errors(raw) == {("survey!A2", "cell_too_long")}


def test_workbook_without_a_survey_is_refused() -> None:
    assert errors(workbook(choices=[["list_name"]])) == {("form.xlsx", "no_survey")}
    assert errors(workbook(survey=[["hello"], ["x"]])) == {("survey!A1", "no_type_column")}


def test_column_without_a_heading_is_refused_where_it_is_filled() -> None:
    raw = form("type | name | label", "text | a | A | stray")

    assert errors(raw) == {("survey!D2", "no_heading")}


@pytest.mark.parametrize("name", ["tutorial.xls", "choice_filter_test.xlsx", "or_other.xlsx"])
def test_damaged_file_is_a_form_or_refused(name: str) -> None:
    whole = (FOLDER / name).read_bytes()
    for seed in range(8):
        chance = random.Random(seed)
        raw = bytearray(whole)
        for _ in range(chance.randint(1, 30)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        outcome(name, bytes(raw[: chance.choice([len(raw), chance.randrange(len(raw))])]))


_WORDS = (
    *("", "text", "select_one l", "begin repeat", "end repeat", "begin group", "note", "range"),
    *(
        "a",
        "b",
        "${a}",
        "sum(${a})",
        "${",
        "count(${r})",
        "1",
        "-1",
        "yes",
        "false",
        "name",
        "type",
    ),
    *("label::English (en)", "relevant", "calculate", "((((", "'", '"', "if(1,2", "${b} = 'x'"),
    *(
        "position(..)",
        "or_other",
        "repeat_count",
        "l",
        "select_multiple l or_other",
        "\ud83d",
        "好",
    ),
)


def _mutated(seed: int) -> bytes:
    """Write a sound form with some cells changed by chance."""
    chance = random.Random(seed)
    survey: list[list[str | None]] = [
        ["type", "name", "label", "relevant", "calculation", "default", "repeat_count", "required"],
        ["text", "a", "A"],
        ["select_one l", "b", "B", "${a} = 'x'"],
        ["begin repeat", "r", "R", None, None, None, "2"],
        ["integer", "c", "C", "${b} = 'x'", None, "3"],
        ["end repeat"],
        ["calculate", "d", None, None, "sum(${c})"],
        ["date", "e", "E ${a}", None, None, "today()", None, "yes"],
    ]
    choices: list[list[str | None]] = [
        ["list_name", "name", "label"],
        ["l", "x", "X"],
        ["l", "y", "Y"],
    ]
    for _ in range(chance.randint(1, 6)):
        rows = chance.choice([survey, survey, survey, choices])
        row = chance.choice(rows)
        at = chance.randrange(8)
        row.extend([None] * (at + 1 - len(row)))
        row[at] = chance.choice(_WORDS).encode("utf-8", "ignore").decode() or None
    return workbook(survey=survey, choices=choices)


@pytest.mark.parametrize("part", range(3))
def test_form_with_changed_cells_runs_or_is_refused(part: int) -> None:
    outcomes = [outcome("form.xlsx", _mutated(seed)) for seed in range(part * 40, part * 40 + 40)]

    # Both happen, or the mutations prove nothing.
    assert any(outcomes)
    assert not all(outcomes)


@pytest.mark.deep
def test_many_forms_with_changed_cells_run_or_are_refused() -> None:
    for seed in range(1000, 5000):
        outcome("form.xlsx", _mutated(seed))


def test_number_without_end_is_a_damaged_file() -> None:
    raw = io.BytesIO(workbook(survey=[["type"], [7]]))
    with zipfile.ZipFile(raw) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    with zipfile.ZipFile(raw := io.BytesIO(), "w") as package:
        for name, content in parts.items():
            package.writestr(name, content.replace(b"<v>7</v>", b"<v>1e999</v>"))

    assert outcome("form.xlsx", raw.getvalue()) == {"file_damaged"}
