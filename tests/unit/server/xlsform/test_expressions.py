"""Expressions, groups and repeats of forms by others. docs/xlsform.md names these tests."""

import pytest

from sync.evaluation import calculated
from sync.forms import Service
from sync.limits import EXPRESSION_CHARS_MAX
from tests.unit.server.xlsform.forms import (
    TODAY,
    asked,
    carried,
    catalogue_of,
    errors,
    form,
    made,
    refused,
    service_of,
    told,
    walk,
)

HEAD = "type | name | label | relevant | calculation | repeat_count | constraint"


def worked_out(service: Service, **answers: str) -> dict[str, str]:
    return calculated(catalogue_of(service), service, answers, TODAY)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("pow(2, 10)", "1024"),
        ("round(15 div sqrt(cos(atan(30 div 100))), 2)", "15.33"),
        ("selected-at('a b c', 1)", "b"),
        ("count-selected('a b c')", "3"),
        ("substring-before('2026-11', '-')", "2026"),
        ("substring-after('2026-11', '-')", "11"),
        ("join('/', 'a', '', 'b')", "a/b"),
        ("decimal-time('06:00')", "0.25"),
        ("concat('a', 'b')", "ab"),
        ("if(1 = 1, 'y', 'n')", "y"),
        ("coalesce('', 'x')", "x"),
        ("format-date(today(), '%Y/%n/%e')", "2026/11/24"),
        ("string-length('阿布')", "2"),
        ("translate('abc', 'b', 'x')", "axc"),
        ("int(7 div 2) + 7 mod 2", "4"),
        ("sqrt(-1)", ""),
        ("log(0)", ""),
    ],
)
def test_function_of_the_xforms_core_works(expression: str, expected: str) -> None:
    service = service_of(HEAD, "text | x | X", f"calculate | c | | | {expression}")

    assert worked_out(service)["c"] == expected


@pytest.mark.parametrize(
    "name", ["pulldata", "indexed-repeat", "uuid", "random", "distance", "version"]
)
def test_function_that_is_not_supported_is_named_with_its_character(name: str) -> None:
    raw = form(HEAD, "text | x | X", f"calculate | c | | | 1 + {name}('a', 'b')")

    (finding,) = [each for each in refused(raw) if each.code == "function_unsupported"]
    assert finding.place == "survey!E3"
    assert f"{name}()" in finding.en
    assert "character 5 " in finding.en
    assert f"{name}()" in finding.zh


def test_older_spellings_of_expressions_are_understood() -> None:
    service = service_of(
        HEAD, "text | who | W", "text | a | A | ../who = ‘me’", "text | b | B | ${ who }='me'"
    )

    assert asked(service, who="me") == ["who", "a", "b"]
    assert asked(service, who="you") == ["who"]


def test_names_become_ids_and_expressions_follow() -> None:
    service = service_of(HEAD, "integer | Tree-Tag | T", "text | tree_tag | U | ${Tree-Tag} > 1")

    assert [question.id for question in service.questions] == ["tree_tag", "tree_tag_2"]
    assert asked(service, tree_tag="2") == ["tree_tag", "tree_tag_2"]


@pytest.mark.parametrize(
    ("relevant", "code"),
    [
        ("${nobody} = 1", "name_unknown"),
        ("${later} = 1", "name_later"),
        ("${g} = 1", "name_of_group"),
        ("1 +", "expression_bad"),
        ("/data/a = 1", "expression_bad"),
        ("position(..) = 1", "position_outside"),
    ],
)
def test_expression_that_cannot_hold_is_refused_by_cell(relevant: str, code: str) -> None:
    rows = (f"text | a | A | {relevant}", "text | later | L", "begin group | g | G", "end group")

    assert errors(form(HEAD, *rows)) == {("survey!D2", code)}


def test_group_condition_holds_for_all_that_is_in_it() -> None:
    service = service_of(
        HEAD,
        "integer | n | N",
        "begin group | g | | ${n} > 1",
        "text | a | A",
        "begin group | h | | ${n} < 9",
        "text | b | B | ${a} = 'x'",
        "calculate | c | | | 5",
        "end group",
        "end group",
    )

    assert asked(service, n="1", a="x") == ["n"]
    assert asked(service, n="2", a="x") == ["n", "a", "b"]
    assert asked(service, n="9", a="x") == ["n", "a"]
    assert [worked_out(service, n=n)["c"] for n in ("1", "2", "9")] == ["", "5", ""]


def test_calculations_are_ordered_and_circles_refused() -> None:
    service = service_of(
        HEAD, "text | x | X", "calculate | a | | | ${b} + 1", "calculate | b | | | 2"
    )
    circle = form(HEAD, "text | x | X", "calculate | a | | | ${b}", "calculate | b | | | ${a}")

    assert [item.id for item in service.calculates] == ["b", "a"]
    assert worked_out(service)["a"] == "3"
    assert errors(circle) == {
        ("survey!E3", "calculation_circle"),
        ("survey!E4", "calculation_circle"),
    }


def test_calculation_of_a_visible_question_is_shown() -> None:
    service = service_of(HEAD, "integer | a | A", "integer | b | Twice: | | ${a} * 2")

    assert [(q.id, q.type) for q in service.questions] == [("a", "integer"), ("b_shown", "note")]
    assert service.questions[1].label["en"] == "Twice: ${b}"
    assert worked_out(service, a="4")["b"] == "8"


FAMILY = (
    "begin repeat | member | Family member",
    "text | name | Name?",
    "integer | age | Age of ${name}?",
    "text | school | School of ${name}? | ${age} < 18",
    "calculate | nth | | | position(..)",
    "end repeat",
    "calculate | people | | | count(${member})",
    "calculate | years | | | sum(${age})",
    "calculate | eldest | | | max(${age})",
    "calculate | names | | | join('、', ${name})",
)


def test_repeat_asks_for_another_one_each_time() -> None:
    service = service_of(HEAD, *FAMILY)

    assert asked(service) == ["name_1", "age_1", "member_more_2"]
    answers = {"name_1": "王", "age_1": "70", "member_more_2": "yes", "name_2": "小", "age_2": "9"}
    assert asked(service, **answers) == [
        *("name_1", "age_1", "member_more_2", "name_2", "age_2", "school_2", "member_more_3")
    ]
    assert service.question("age_2").label["en"] == "Age of ${name_2}?"
    assert len([q for q in service.questions if q.id.startswith("name_")]) == 6


def test_aggregates_over_a_repeat_see_the_instances_that_are_there() -> None:
    service = service_of(HEAD, *FAMILY)
    answers = {"name_1": "王", "age_1": "70", "member_more_2": "yes", "name_2": "小", "age_2": "9"}

    values = worked_out(service, **answers, member_more_3="no")

    assert (values["people"], values["years"], values["eldest"]) == ("2", "79", "70")
    assert values["names"] == "王、小"
    assert values["nth_2"] == "2"


def test_repeat_counted_from_within_is_counted_whole() -> None:
    rows = ("text | a | A", "calculate | n | | | count(${r})", "end repeat")
    service = service_of(HEAD, "begin repeat | r | R", *rows)

    assert worked_out(service, r_more_2="yes", r_more_3="no")["n_1"] == "2"


def test_filled_repeat_comes_back_from_its_bytes() -> None:
    service = service_of(HEAD, *FAMILY)

    for seed in range(3):
        answers = walk(service, seed)
        assert carried(service, answers) == answers


def test_repeat_with_a_constant_count_asks_no_more() -> None:
    service = service_of(HEAD, "begin repeat | r | R | | | 2", "text | a | A", "end repeat")

    assert asked(service) == ["a_1", "a_2"]


def test_repeat_counted_by_an_answer_bounds_that_answer() -> None:
    rows = ("integer | n | N", "begin repeat | r | R | | | ${n}", "text | a | A", "end repeat")
    service = service_of(HEAD, *rows)

    assert asked(service, n="2") == ["n", "a_1", "a_2"]
    assert asked(service, n="0") == ["n"]
    assert service.question("n").max_value == "6"
    assert ("survey!F3", "repeat_capped") in told(form(HEAD, *rows))


def test_repeat_within_a_repeat_is_unrolled_within_it() -> None:
    service = service_of(
        HEAD,
        *("begin repeat | r | R | | | 2", "integer | a | A"),
        *("begin repeat | s | S | | | 2", "integer | b | B | ${a} > 0", "end repeat"),
        *("calculate | own | | | sum(${b})", "end repeat"),
        "calculate | all | | | sum(${b})",
    )
    answers = {"a_1": "1", "b_1_1": "1", "b_1_2": "2", "a_2": "1", "b_2_1": "3", "b_2_2": "4"}

    assert asked(service, a_1="1", a_2="0") == ["a_1", "b_1_1", "b_1_2", "a_2"]
    values = worked_out(service, **answers)
    assert (values["own_1"], values["own_2"], values["all"]) == ("3", "7", "10")


@pytest.mark.parametrize(
    ("rows", "place", "code"),
    [
        (("text | o | O | ${a} = 1",), "survey!D5", "name_in_repeat"),
        (("note | o | About ${a}.",), "survey!C5", "name_in_repeat"),
        (("calculate | o | | | max(${r})",), "survey!E5", "repeat_aggregate"),
    ],
)
def test_one_value_of_a_repeat_from_outside_is_refused(
    rows: tuple[str, ...], place: str, code: str
) -> None:
    raw = form(HEAD, "begin repeat | r | R", "text | a | A", "end repeat", *rows)

    assert errors(raw) == {(place, code)}


@pytest.mark.parametrize("count", ["0", "31", "2.5"])
def test_repeat_that_comes_too_often_or_never_is_refused(count: str) -> None:
    raw = form(HEAD, f"begin repeat | r | R | | | {count}", "text | a | A", "end repeat")

    assert errors(raw) == {("survey!F2", "repeat_many")}


def test_repeats_that_unroll_without_end_are_refused() -> None:
    many = [f"begin repeat | r{depth} | R | | | 30" for depth in range(3)]
    raw = form(HEAD, *many, "text | a | A", *["end repeat"] * 3)

    assert ("survey!A4", "questions_many") in errors(raw)


def test_expression_longer_than_its_bound_is_refused() -> None:
    long = "+".join(["1"] * (EXPRESSION_CHARS_MAX // 2 + 1))[:EXPRESSION_CHARS_MAX]
    aggregate = " + ".join(["sum(${age})"] * 200)

    assert errors(form(HEAD, "text | x | X", f"calculate | c | | | {long}+"))
    raw = form(HEAD, *FAMILY[:6], f"calculate | c | | | {aggregate}")
    assert errors(raw) == {("survey!E8", "expression_grown")}


def test_sections_that_do_not_pair_are_refused() -> None:
    assert errors(form(HEAD, "begin group | g | G", "text | a | A")) == {
        ("survey!A2", "section_open")
    }
    assert errors(form(HEAD, "text | a | A", "end repeat")) == {("survey!A3", "section_not_open")}


def test_once_is_sound_in_a_default_only() -> None:
    raw = form(HEAD, "text | x | X", "calculate | c | | | once(today())")

    assert errors(raw) == {("survey!E3", "once_unsound")}


def test_choice_label_in_a_text_is_found_by_its_question() -> None:
    choices = ("list_name | name | label", "l | a | Apple", "l | b | Bean")
    service = service_of(
        HEAD,
        *("select_one l | Fruit | F", "calculate | c | | | jr:choice-name(${Fruit}, '${Fruit}')"),
        choices=choices,
    )

    assert worked_out(service, fruit="b")["c"] == "Bean"
    assert made(form(HEAD, "text | x | X")).service.calculates == ()
