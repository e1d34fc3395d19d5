import datetime as dt
import math
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.expressions import Expression, ExpressionError, Scope, Value, compile_expression
from sync.xpath_values import as_text
from tests.generator import shipped_catalogue

TODAY = dt.date(2026, 11, 24)
KINDS = {"born": "date", "wanted": "date", "who": "multi_choice", "kind": "choice"}


def scope(current: str = "", current_kind: str = "", **values: str) -> Scope:
    return Scope(values, {**KINDS, ".": current_kind}, TODAY, current)


def value(text: str, current: str = "", **values: str) -> Value:
    return compile_expression(text).value(scope(current, **values))


def truth(text: str, current: str = "", current_kind: str = "", **values: str) -> bool | None:
    return compile_expression(text).truth(scope(current, current_kind, **values))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("10 - 2 - 3", 5.0),
        ("7 div 2", 3.5),
        ("-7 mod 3", -1.0),
        ("--3", 3.0),
        ("1 div 0", math.inf),
        ("1 < 2 = true()", True),
        ("'a' = \"a\"", True),
        ("1 = 1 and 2 = 3 or 4 = 4", True),
        ("concat('a', 1, true())", "a1true"),
        ("substr('abcdef', 2)", "cdef"),
        ("substr('abcdef', 2, 4)", "cd"),
        ("substr('abcdef', -2)", "ef"),
        ("int(-2.7)", -2.0),
        ("round(2.5)", 3.0),
        ("round(3.14159, 2)", 3.14),
        ("abs(-2)", 2.0),
        ("min(3, 1, 2)", 1.0),
        ("max(3, 1, 2)", 3.0),
        ("sum(3, 1, 2)", 6.0),
        ("count('a', '', 'b')", 2.0),
        ("selected('a b', 'b')", True),
        ("selected('ab', 'b')", False),
        ("count-selected('a b c')", 3.0),
        ("coalesce('', 'b')", "b"),
        ("string-length('阿卜杜拉')", 4.0),
        ("contains('村口', '口')", True),
        ("starts-with('村口', '村')", True),
        ("ends-with('村口', '村')", False),
        ("translate('2026-11-24', '-', '/')", "2026/11/24"),
        ("normalize-space('  a   b ')", "a b"),
        ("boolean('')", False),
        ("not(false())", True),
        ("string(3.0)", "3"),
        ("string(0.1)", "0.1"),
        ("number('12')", 12.0),
        ("regex('a1', '[a-z][0-9]')", True),
        ("regex('a1b', '[a-z][0-9]')", False),
        ("today()", TODAY),
        ("now()", TODAY),
        ("today() + 30", dt.date(2026, 12, 24)),
        ("today() - date('2026-11-01')", 23.0),
        ("today() - '2026-11-01'", 23.0),
        ("format-date(today(), '%Y年%n月%e日 %y%m%d')", "2026年11月24日 261124"),
        ("decimal-date-time('1970-01-02')", 1.0),
        ("date('2026-02-29') = today()", False),
        ("date(concat(format-date(today(), '%Y'), '-01-01'))", dt.date(2026, 1, 1)),
    ],
)
def test_expression_of_constants(text: str, expected: Value) -> None:
    assert value(text) == expected


def test_number_of_no_number_is_nan_and_passes_through_int() -> None:
    result = value("int(number('abc')) + 1")

    assert isinstance(result, float)
    assert math.isnan(result)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${x} = 'a'", None),
        ("${x} != 'a'", None),
        ("${x} > 3", None),
        ("${x} = ${y}", None),
        ("${x} + 1", None),
        ("not(${x} = 'a')", None),
        ("${x} = 'a' or true()", True),
        ("${x} = 'a' or false()", None),
        ("${x} = 'a' and true()", None),
        ("${x} = 'a' and false()", False),
        ("if(${x} = 'a', 1, 0)", None),
        ("${x} = ''", True),
        ("'' = ${x}", True),
        ("${x} != ''", False),
        ("if(${x} = '', true(), ${x} > 3)", True),
        ("selected(${x}, 'a')", False),
        ("not(selected(${x}, 'a'))", True),
        ("count-selected(${x}) = 0", True),
        ("string-length(${x}) = 0", True),
        ("coalesce(${x}, 'b') = 'b'", True),
        ("coalesce(${x}, ${y}) = ''", True),
        ("string(${x}) = ''", True),
    ],
)
def test_missing_answer_makes_unknown_but_where_emptiness_is_asked(
    text: str, expected: bool | None
) -> None:
    assert truth(text) is expected


def test_if_evaluates_only_the_branch_it_takes() -> None:
    assert value("if(${x} = '', 'none', int(${x}))") == "none"
    assert value("if(${x} = '', 'none', int(${x}))", x="4.2") == 4.0


@pytest.mark.parametrize(
    ("text", "current", "expected"),
    [
        (". <= today()", "2026-11-24", True),
        (". <= today()", "2026-11-25", False),
        (". >= today() and . <= today() + 30", "2026-12-24", True),
        (". >= today() and . <= today() + 30", "2026-12-25", False),
        (". >= date(concat(format-date(today(), '%Y'), '-01-01'))", "2025-12-31", False),
        (". <= '2026-12-01'", "2026-11-30", True),
    ],
)
def test_date_question_is_compared_as_a_date(text: str, current: str, expected: bool) -> None:
    assert truth(text, current, "date") is expected


def test_date_answer_is_compared_with_another_one() -> None:
    assert truth("${born} < ${wanted}", born="2026-09-30", wanted="2026-10-01") is True
    assert truth("${wanted} - ${born} = 1", born="2026-09-30", wanted="2026-10-01") is True


def test_choice_name_is_the_label_or_else_the_name() -> None:
    expression = compile_expression("jr:choice-name(${kind}, '${kind}')")
    labelled = Scope({"kind": "new"}, KINDS, TODAY, labels={"kind": {"new": "新建"}})

    assert expression.value(labelled) == "新建"
    assert expression.value(scope(kind="old")) == "old"
    assert expression.names == {"kind"}


def test_once_keeps_what_is_there() -> None:
    assert value("once(today())") == TODAY
    assert value("once(today())", current="2020-01-01") == "2020-01-01"


def test_names_are_all_references() -> None:
    expression = compile_expression("if(${a} = 1, ${ b }, concat(${c-d}, '${not_this}'))")

    assert expression.names == {"a", "b", "c-d"}


def expression_of(service: str, calculate: str) -> Expression:
    for item in shipped_catalogue().service(service).calculates:
        if item.id == calculate:
            return compile_expression(item.calculation)
    raise KeyError(calculate)


@pytest.mark.parametrize(
    ("id_number", "age"),
    [
        ("530121194611240011", "80"),  # the birthday itself counts
        ("530121194611250017", "79"),
        ("530121194611230016", "80"),
        ("", ""),
    ],
)
def test_senior_allowance_age(id_number: str, age: str) -> None:
    expression = expression_of("senior_allowance", "age")

    assert as_text(expression.value(scope(id_number=id_number))) == age


@pytest.mark.parametrize("calculate", ["age", "birth_date", "id_number_tail", "bank_card_tail"])
def test_nothing_is_calculated_from_nothing(calculate: str) -> None:
    assert as_text(expression_of("senior_allowance", calculate).value(scope())) == ""


def test_senior_allowance_bank_card_tail() -> None:
    expression = expression_of("senior_allowance", "bank_card_tail")

    assert expression.value(scope(bank_card="6222021234567890128")) == "0128"


@pytest.mark.parametrize(
    ("born", "days"), [("2026-11-01", "23"), ("2025-11-24", "365"), ("2025-10-01", "419")]
)
def test_newborn_days_since_birth(born: str, days: str) -> None:
    expression = expression_of("newborn", "days_since_birth")

    assert as_text(expression.value(Scope({"baby_birth_date": born}, KINDS, TODAY))) == days


def constraint_holds(kind: str, current: str) -> bool | None:
    return truth(shipped_catalogue().types[kind].constraint, current)


@pytest.mark.parametrize(
    ("kind", "current", "expected"),
    [
        ("id_number", "11010519491231002X", True),
        ("id_number", "110105194912310021", False),
        ("case_no", "004200013768", True),
        ("case_no", "004200013786", False),
        ("case_no", "004200031768", False),
        ("phone", "13812345678", True),
        ("phone", "0871-6512345", True),
        ("phone", "12812345678", False),
        ("phone", "1381234567", False),
        ("bank_card", "6222021234567890127", True),
        ("name", "好" * 50, True),
        ("name", "好" * 51, False),
    ],
)
def test_constraint_of_a_type(kind: str, current: str, expected: bool) -> None:
    assert constraint_holds(kind, current) is expected


def expressions() -> Iterator[str]:
    catalogue = shipped_catalogue()
    for service in catalogue.services:
        for question in service.questions:
            yield question.relevant
            yield question.constraint
        yield from (item.calculation for item in service.calculates)
        yield from (item.when for item in service.eligibility)
        yield from (item.relevant for item in service.materials)
    yield from (rule.constraint for rule in catalogue.types.values())


def test_every_expression_of_the_shipped_catalogue_compiles() -> None:
    texts = [text for text in expressions() if text]

    assert len([compile_expression(text) for text in texts]) == len(texts) > 150


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("", "a value was expected, not the end", 1),
        ("1 +", "a value was expected, not the end", 4),
        ("1 2", "'end' was expected, not '2'", 3),
        ("(1", "')' was expected, not the end", 3),
        ("1 = pulldata('a', 'b')", "the function pulldata() is not supported", 5),
        ("position(..)", "'.' is not supported here", 10),
        ("/data/a", "'/' is not supported here", 1),
        ("data", "a path like 'data' is not supported", 1),
        ("if(1, 2)", "the function if() does not take 2 arguments", 1),
        ("regex(., ${x})", "in regex(), the pattern must be written out", 1),
        ("regex(., '(')", "in regex(), the pattern is not understood", 1),
        ("format-date(today(), '%H')", "in format-date(), the format %H is not supported", 1),
        ("jr:choice-name(${x}, 'x')", "in jr:choice-name(), the second argument", 1),
        ("random()", "the function random() is not supported", 1),
        ("${last-saved#x} = 1", "'$' is not supported here", 1),
        ("'open", '"\'" is not supported here', 1),
        ("(" * 33 + "1" + ")" * 33, "nested too deeply", 33),
        ("1" + " + 1" * 1000, "too long", 4000),
    ],
)
def test_what_is_not_supported_is_refused_by_name_and_place(
    text: str, message: str, position: int
) -> None:
    with pytest.raises(ExpressionError) as raised:
        compile_expression(text)

    assert message in str(raised.value)
    assert raised.value.position == position


def test_long_sum_neither_nests_nor_fails() -> None:
    assert value("1" + "+1" * 1999) == 2000.0


def test_id_number_check_takes_less_than_a_millisecond() -> None:
    expression = compile_expression(shipped_catalogue().types["id_number"].constraint)
    at = scope("530121194602050013")

    def run_s() -> float:
        started = time.perf_counter()
        expression.truth(at)
        return time.perf_counter() - started

    assert min(run_s() for _ in range(50)) < 0.001


FRAGMENTS = """
${x} ${born} . today() ( ) , = != <= < + - * div mod and or 1 0 .5 'a' '' '2026-11-24' if( date(
int( number( substr( selected( concat( not( format-date( '%Y' regex( round( coalesce(
"""
fragments = st.sampled_from(FRAGMENTS.split())


@given(st.lists(fragments, max_size=14).map(" ".join), st.text(max_size=12), st.text(max_size=12))
def test_any_expression_is_refused_or_has_a_value(text: str, x: str, current: str) -> None:
    try:
        expression = compile_expression(text)
    except ExpressionError:
        return

    at = Scope({"x": x, "born": "2026-11-01"}, KINDS, TODAY, current)
    assert expression.truth(at) in (True, False, None)
    assert isinstance(as_text(expression.value(at)), str)


@given(st.text(max_size=60))
def test_any_text_is_refused_with_a_place_in_it(text: str) -> None:
    try:
        compile_expression(text)
    except ExpressionError as error:
        assert 1 <= error.position <= len(text) + 1  # noqa: PT017 -- refusing is one of two ways
