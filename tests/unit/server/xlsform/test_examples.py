"""Forms that we did not write, from ODK's own pyxform: each runs, or is refused by cell."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from server.xlsform.convert import convert
from server.xlsform.findings import Cell, Findings, XlsformRefused
from server.xlsform.workbook import read_workbook
from tests.unit.server.xlsform.forms import carried, walk, workbook

FOLDER = Path(__file__).parents[3] / "vectors" / "xlsforms"
RUNS = {
    "badly_named_choices_sheet.xls": 3,
    "blank_second_row.xls": 1,
    "cascading_select_test_equivalent.xls": 7,
    "choice_filter_test.xlsx": 3,
    "default_time_demo.xls": 1,
    "field-list.xlsx": 1,
    "group.xlsx": 3,
    "or_other.xlsx": 3,
    "repeat_date_test.xls": 4,
    "specify_other.xlsx": 2,
    "style_settings.xls": 2,
    "table-list.xls": 5,
    "text_and_integer.xlsx": 2,
    "tutorial.xls": 65,
    "xml_escaping.xls": 1,
    "yes_or_no_question.xlsx": 1,
}
REFUSED = {
    "ODKValidateWarnings.xlsx": {"survey!D2", "survey!D3", "survey!D4"},
    "UCL_Biomass_Plot_Form.xlsx": {f"survey!A{row}" for row in (16, 17, 18, 20, 35, 57, 73, 81)},
    "bad_calc.xlsx": {"survey!D2"},
    "calculate.xls": {"survey!A1"},
    "duplicate_columns.xlsx": {"survey!E1", "survey!A39"},
    "gps.xls": {"survey!A1"},
    "loop.xlsx": {"survey!A3"},
    "unknown_question_type.xls": {
        *("survey!A2", "survey!A3", "survey!A52"),
        *(f"choices!B{row}" for row in (51, 55, 56, 57, *range(79, 86), *range(87, 93), 94)),
    },
    "widgets.xls": {"survey!A15"},
    "xlsform_spec_test.xlsx": {"survey!A38", "survey!L57"},
}


def test_every_example_has_its_expected_outcome() -> None:
    files = {path.name for path in FOLDER.iterdir() if path.suffix in (".xls", ".xlsx")}

    assert files == RUNS.keys() | REFUSED.keys()


@pytest.mark.parametrize("name", RUNS)
def test_example_runs_and_its_answers_come_back_from_their_bytes(name: str) -> None:
    service = convert(name, (FOLDER / name).read_bytes()).service

    assert len(service.questions) == RUNS[name]
    for seed in range(2):
        answers = walk(service, seed)
        assert carried(service, answers) == answers


@pytest.mark.parametrize("name", REFUSED)
def test_example_is_refused_by_cell(name: str) -> None:
    with pytest.raises(XlsformRefused) as raised:
        convert(name, (FOLDER / name).read_bytes())

    found = [each for each in raised.value.findings if each.severity == "error"]
    assert {each.place for each in found} == REFUSED[name]
    assert all(each.zh and each.en and each.place in str(raised.value) for each in found)


@pytest.mark.parametrize("name", RUNS)
def test_every_warning_of_an_example_names_its_place_in_two_languages(name: str) -> None:
    findings = convert(name, (FOLDER / name).read_bytes()).findings

    assert findings
    assert all("!" in each.place and each.zh and each.en for each in findings)


@pytest.mark.parametrize(
    ("name", "without", "questions"),
    [
        ("widgets.xls", {"survey!A15"}, 28),
        ("xlsform_spec_test.xlsx", {"survey!A38", "survey!L57"}, 41),
    ],
)
def test_example_runs_once_the_named_rows_are_out(
    name: str, without: set[str], questions: int
) -> None:
    sheets = read_workbook(name, (FOLDER / name).read_bytes(), Findings())
    rows = {int(place.lstrip("survey!AL")) for place in without}
    kept = {
        sheet.name: [
            _line(sheet.rows.get(number, {}))
            for number in range(1, max(sheet.rows) + 1)
            if sheet.name != "survey" or number not in rows
        ]
        for sheet in sheets
    }

    service = convert(name, workbook(**kept)).service

    assert len(service.questions) == questions
    answers = walk(service, 1)
    assert carried(service, answers) == answers


def _line(cells: Mapping[int, Cell]) -> list[str | None]:
    return [cells[at].text if at in cells else None for at in range(max(cells, default=-1) + 1)]
