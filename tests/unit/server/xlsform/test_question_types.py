"""Each question type of XLSForm: what it becomes here. docs/xlsform.md names these tests."""

import pytest

from sync.evaluation import default_of, is_required, offered, problem_of
from sync.forms import Question
from tests.unit.server.xlsform.forms import (
    TODAY,
    asked,
    carried,
    catalogue_of,
    errors,
    form,
    made,
    service_of,
    told,
    walk,
)

HEAD = "type | name | label"
COLOURS = ("list_name | name | label", "colours | red | Red", "colours | blue | Blue")


def only(*rows: str, head: str = HEAD, choices: tuple[str, ...] = COLOURS) -> Question:
    """Answer the first question of a form."""
    return service_of(head, *rows, choices=choices).questions[0]


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("text", "text_note"),
        ("string", "text_note"),
        ("integer", "integer"),
        ("int", "integer"),
        ("decimal", "decimal"),
        ("date", "date"),
        ("time", "time"),
        ("select_one colours", "choice"),
        ("select one from colours", "choice"),
        ("select_multiple colours", "multi_choice"),
        ("select all that apply from colours", "multi_choice"),
        ("rank colours", "rank"),
        ("acknowledge", "acknowledge"),
        ("trigger", "acknowledge"),
        ("range", "range"),
        ("image", "photo"),
        ("audio", "voice_note"),
        ("barcode", "barcode"),
        ("phone number", "phone"),
    ],
)
def test_type_becomes_ours(written: str, kind: str) -> None:
    assert only(f"{written} | a | A").type == kind


def test_select_of_yes_and_no_is_asked_with_its_own_picture() -> None:
    question = only(
        "select_one yn | a | A", choices=("list_name|name|label", "yn|yes|Y", "yn|no|N")
    )

    assert question.type == "yes_no"


@pytest.mark.parametrize(
    ("written", "appearance", "kind"),
    [
        ("text", "name", "name"),
        ("text", "id_number", "id_number"),
        ("text", "bank_card", "bank_card"),
        ("text", "phone numbers", "phone"),
        ("decimal", "amount", "amount"),
        ("image", "signature", "signature"),
    ],
)
def test_appearance_names_a_type_of_ours(written: str, appearance: str, kind: str) -> None:
    assert only(f"{written} | a | A | {appearance}", head=f"{HEAD} | appearance").type == kind


def test_note_is_shown_and_has_no_answer() -> None:
    service = service_of(HEAD, "text | who | Who?", "note | hello | Hello ${who}!")

    assert service.questions[1].type == "note"
    assert service.questions[1].label["en"] == "Hello ${who}!"
    problem = problem_of(catalogue_of(service), service, service.questions[1], "OK", {}, TODAY)
    assert problem is not None
    assert problem.code == "note"


def test_range_takes_its_steps_only() -> None:
    head = f"{HEAD} | parameters"
    service = service_of(head, "range | r | How much? | start=0.5 end=3 step=0.5")
    question = service.questions[0]

    assert (question.min_value, question.max_value, question.step) == ("0.5", "3", "0.5")
    fits = [
        value
        for value in ("0", "0.5", "0.7", "1", "1.0", "3", "3.5", "x")
        if problem_of(catalogue_of(service), service, question, value, {}, TODAY) is None
    ]
    assert fits == ["0.5", "1", "1.0", "3"]


@pytest.mark.parametrize(
    ("parameters", "code"),
    [("start=a", "range_bad"), ("start=5 end=1", "range_empty"), ("step=0", "range_empty")],
)
def test_range_without_numbers_is_refused_at_its_parameters(parameters: str, code: str) -> None:
    raw = form(f"{HEAD} | parameters", f"range | r | R | {parameters}")

    assert errors(raw) == {("survey!D2", code)}


def test_or_other_adds_a_choice_and_asks_which() -> None:
    service = service_of(HEAD, "select_one colours or_other | c | Colour?", choices=COLOURS)
    catalogue = catalogue_of(service)

    names = [choice.name for choice in catalogue.choices(service, service.questions[0])]
    assert names == ["red", "blue", "other"]
    assert asked(service, c="red") == ["c"]
    assert asked(service, c="other") == ["c", "c_other"]


def test_choice_filter_leaves_what_fits_earlier_answers() -> None:
    choices = (
        "list_name | name | label | state",
        "states | yn | Yunnan |",
        "states | gz | Guizhou |",
        "towns | a | A | yn",
        "towns | b | B | gz",
        "towns | c | C | gz",
    )
    service = service_of(
        f"{HEAD} | choice_filter",
        "select_one states | s | State?",
        "select_one towns | t | Town? | state=${s}",
        choices=choices,
    )
    catalogue, town = catalogue_of(service), service.questions[1]

    left = [choice.name for choice in offered(catalogue, service, town, {"s": "gz"}, TODAY)]
    assert left == ["b", "c"]
    assert offered(catalogue, service, town, {}, TODAY) == ()
    problem = problem_of(catalogue, service, town, "a", {"s": "gz"}, TODAY)
    assert problem is not None
    assert problem.code == "choice"
    assert problem_of(catalogue, service, town, "b", {"s": "gz"}, TODAY) is None


def test_choices_may_stand_twice_for_their_filter() -> None:
    choices = ("list_name|name|label|in", "l|king|King|a", "l|king|King|b", "l|hill|Hill|a")
    rows = ("text | where | Where?", "select_one l | c | C | in=${where}")
    settings = [["allow_choice_duplicates"], ["yes"]]
    service = made(
        form(f"{HEAD} | choice_filter", *rows, choices=choices, settings=settings)
    ).service

    left = offered(catalogue_of(service), service, service.questions[1], {"where": "b"}, TODAY)
    assert [choice.name for choice in left] == ["king"]
    refused_rows = form(f"{HEAD} | choice_filter", *rows, choices=choices)
    assert errors(refused_rows) == {("choices!B3", "choice_twice")}


def test_picture_of_a_choice_is_kept() -> None:
    choices = ("list_name | name | label | media::image", "l | a | A | a.jpg", "l | b | | ../b.jpg")
    raw = form(HEAD, "select_one l | c | C", choices=choices)

    assert errors(raw) == {("choices!D3", "image_bad")}
    service = service_of(HEAD, "select_one l | c | C", choices=choices[:2])
    assert service.choice_lists["l"][0].image == "a.jpg"


def test_datetime_is_asked_as_day_and_time() -> None:
    service = service_of(HEAD, "datetime | when | When", "note | n | At ${when}.")

    assert [(q.id, q.type) for q in service.questions[:2]] == [
        ("when_date", "date"),
        ("when_time", "time"),
    ]
    assert service.calculates[0].calculation == "concat(${when_date}, 'T', ${when_time})"


def test_place_and_device_are_not_asked_and_said_so() -> None:
    rows = ("geopoint | g | G", "deviceid | d", "start | s", "today | t", "text | x | X")
    raw = form(HEAD, *rows)

    assert [question.id for question in made(raw).service.questions] == ["x"]
    assert {code for _, code in told(raw)} >= {"place_known", "device_known", "start_is_a_day"}
    used = form(f"{HEAD} | relevant", *rows[:2], "text | x | X | ${d} = '1'")
    assert errors(used) == {("survey!D4", "name_of_device")}


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("video", "type_video"),
        ("file", "type_file"),
        ("geotrace", "type_trace"),
        ("select_one_from_file a.csv", "type_from_file"),
        ("csv-external", "type_external"),
        ("intgeer", "type_unknown_near"),
        ("unknown", "type_unknown"),
    ],
)
def test_type_that_a_kiosk_cannot_ask_is_refused(written: str, code: str) -> None:
    raw = form(HEAD, "text | x | X", f"{written} | a | A")

    assert errors(raw) == {("survey!A3", code)}


def test_required_may_be_an_expression() -> None:
    service = service_of(
        f"{HEAD} | required", "integer | age | Age? | yes", "text | why | Why? | ${age} < 18"
    )
    catalogue, why = catalogue_of(service), service.questions[1]

    assert [question.required for question in service.questions] == [True, False]
    assert is_required(catalogue, service, why, {"age": "9"}, TODAY)
    assert not is_required(catalogue, service, why, {"age": "40"}, TODAY)
    problem = problem_of(catalogue, service, why, "", {"age": "9"}, TODAY)
    assert problem is not None
    assert problem.code == "required"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("integer | a | A | 3", "3"),
        ("text | a | A | it's", "it's"),
        ("date | a | A | today()", "2026-11-24"),
        ("date | a | A | today() + 7", "2026-12-01"),
        ("time | a | A | 0.3958333333333333", "09:30"),
        ("select_multiple colours | a | A | red blue", "red blue"),
    ],
)
def test_default_is_what_the_question_begins_with(row: str, expected: str) -> None:
    service = service_of(f"{HEAD} | default", row, choices=COLOURS)

    begun = default_of(catalogue_of(service), service, service.questions[0], {}, TODAY)
    assert begun == expected


def test_default_may_look_at_earlier_answers() -> None:
    service = service_of(f"{HEAD} | default", "integer | a | A |", "integer | b | B | ${a} * 2")
    question = service.questions[1]

    assert default_of(catalogue_of(service), service, question, {"a": "4"}, TODAY) == "8"
    assert default_of(catalogue_of(service), service, question, {}, TODAY) == ""


def test_default_that_is_no_answer_is_refused() -> None:
    assert errors(form(f"{HEAD} | default", "integer | a | A | many")) == {
        ("survey!D2", "default_bad")
    }


def test_read_only_keeps_its_default_or_becomes_a_note() -> None:
    head = f"{HEAD} | read_only | default"
    kept = only("text | a | A | yes | fixed", head=head)
    shown = only("text | a | A | yes |", "text | b | B | |", head=head)

    assert (kept.is_read_only, kept.type) == (True, "text_note")
    assert shown.type == "note"
    assert errors(form(head, "text | a | A | ${a} = 1 | x")) == {
        ("survey!D2", "read_only_expression")
    }


def test_hint_and_guidance_are_kept_beside_the_label() -> None:
    question = only(
        "text | a | Name? | As on the card. | Look at the card.",
        head=f"{HEAD} | hint | guidance_hint",
    )

    assert question.hint["en"] == "As on the card. Look at the card."
    assert question.voice["en"] == "Name?"  # the screen says the hint after it


def test_languages_are_known_by_their_headings() -> None:
    question = only(
        "text | a | Your name? | 您叫什么？ | Jina lako?",
        head="type | name | label::English (en) | label::中文 (zh) | label::Swahili (sw)",
    )

    assert question.label == {"en": "Your name?", "zh-CN": "您叫什么？", "sw": "Jina lako?"}


def test_missing_language_is_told_once_with_its_first_cell() -> None:
    found = made(form(HEAD, "text | a | A", "text | b | B")).findings

    assert [(each.place, each.code) for each in found] == [("survey!C2", "language_missing")]
    assert found[0].zh.startswith("有 2 处没有 zh-CN")


def test_constraint_speaks_its_message() -> None:
    service = service_of(
        f"{HEAD} | constraint | constraint_message", "integer | a | Age? | . < 120 | Too old."
    )
    catalogue, question = catalogue_of(service), service.questions[0]

    problem = problem_of(catalogue, service, question, "130", {}, TODAY)
    assert problem is not None
    assert (problem.code, problem.message["en"]) == ("constraint", "Too old.")


@pytest.mark.parametrize("appearance", ["minimal", "likert", "quick", "numbers", "columns-2"])
def test_appearance_of_looks_alone_changes_nothing(appearance: str) -> None:
    raw = form(
        f"{HEAD} | appearance", f"select_one colours | a | A | {appearance}", choices=COLOURS
    )

    assert {code for _, code in told(raw)} == {"language_missing"}


def test_appearance_that_needs_another_program_is_refused() -> None:
    raw = form(f"{HEAD} | appearance", "integer | a | A | ex:org.app", "text | b | B | sparkling")

    assert told(raw) >= {("survey!D2", "appearance_refused"), ("survey!D3", "appearance_unknown")}


def test_media_of_questions_are_told_as_left_out() -> None:
    raw = form(f"{HEAD} | media::video | image", "text | a | A | v.mp4 | i.png")

    assert told(raw) >= {("survey!D2", "media_ignored"), ("survey!E2", "media_ignored")}


def test_every_type_comes_back_from_its_bytes() -> None:
    kinds = (
        *("text", "integer", "decimal", "date", "time", "select_one colours", "acknowledge"),
        *("select_multiple colours", "rank colours", "range", "image", "audio", "barcode"),
    )
    rows = [f"{kind} | q{number} | Q" for number, kind in enumerate(kinds)]
    service = service_of(f"{HEAD}", *rows, choices=COLOURS)

    answers = walk(service, 3)

    assert len(answers) == len(kinds)
    assert carried(service, answers) == answers


def test_column_that_would_change_answers_is_refused() -> None:
    raw = form(f"{HEAD} | trigger | bind::odk:length", "text | a | A | ${b} | 5", "text | b | B")

    assert errors(raw) == {("survey!D2", "column_refused"), ("survey!E2", "column_refused")}


def test_constraint_that_names_its_own_question_judges_it() -> None:
    head = f"{HEAD} | constraint"
    service = service_of(head, "integer | low | L |", "integer | high | H | ${high} > ${low}")
    catalogue, high = catalogue_of(service), service.questions[1]

    assert problem_of(catalogue, service, high, "3", {"low": "2"}, TODAY) is None
    problem = problem_of(catalogue, service, high, "1", {"low": "2"}, TODAY)
    assert problem is not None
    assert problem.code == "constraint"


def test_label_of_a_choice_with_an_answer_in_it_is_refused() -> None:
    choices = ("list_name | name | label", "l | a | As ${x} said", "l | b | B")
    raw = form(HEAD, "text | x | X", "select_one l | c | C", choices=choices)

    assert errors(raw) == {("choices!C2", "choice_reference")}


def test_two_columns_of_one_language_are_told() -> None:
    settings = [["default_language"], ["English (en)"]]
    raw = form("type | name | label::English (en) | label", "text | a | A | B", settings=settings)

    assert ("survey!D2", "language_twice") in told(raw)
    raw = form("type | name | label::English (en) | label::english", "text | a | A | B")
    assert errors(raw) == {("survey!D2", "cell_twice")}


def test_columns_of_a_group_are_told_too() -> None:
    rows = ("begin group | g | G | sparkling | blue", "text | a | A", "end group")
    raw = form(f"{HEAD} | appearance | colour", *rows)

    assert told(raw) >= {("survey!D2", "appearance_unknown"), ("survey!E2", "column_unknown")}
