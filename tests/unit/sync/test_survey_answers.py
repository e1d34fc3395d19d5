"""The question types that forms of others bring: their bits, and what they accept."""

import datetime as dt

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.answer_bits import Layout, put_answer, take_answer
from sync.answer_types import is_decimal, type_fault
from sync.bits import AnswersError, BitReader, BitWriter
from sync.dictionary import dictionary_of
from sync.evaluation import calculated, default_of, offered, problems, shown, worded
from sync.expressions import ExpressionError, Scope, compile_expression
from sync.forms import Calculate, Catalogue, Choice, Question, QuestionType, Service
from tests.generator import shipped_catalogue

TODAY = dt.date(2026, 11, 24)
CHOICES = tuple(
    Choice(name, {"zh-CN": name.upper()}, {}, columns={"size": size})
    for name, size in (("a", "1"), ("b", "2"), ("c", "2"), ("d", "3"))
)
LAYOUT = Layout(dictionary_of(b""), CHOICES)
decimals = st.from_regex(r"-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,5})?", fullmatch=True).filter(is_decimal)
ranks = st.permutations("abcd").flatmap(
    lambda order: st.integers(1, 4).map(lambda size: " ".join(order[:size]))
)


def bits_of(kind: QuestionType, value: str) -> str:
    bits = BitWriter()
    put_answer(bits, kind, value, LAYOUT)
    raw = bits.to_bytes(1)
    return f"{int.from_bytes(raw, 'big'):0{8 * len(raw)}b}"[: bits.bit_count]


def back(kind: QuestionType, bits: str) -> str:
    writer = BitWriter()
    for bit in bits:
        writer.put(int(bit), 1)
    return take_answer(BitReader(writer.to_bytes(1)), kind, LAYOUT)


VECTORS: tuple[tuple[QuestionType, str, str], ...] = (
    ("decimal", "0", "000 00000"),
    ("decimal", "12.5", "001 11111 01010"),
    ("decimal", "-0.50", "010 10110 00011"),
    ("range", "3", "000 00110"),
    ("time", "08:30", "00111111110"),
    ("time", "23:59", "10110011111"),
    ("rank", "d a b c", "0 11 00 0"),
    ("rank", "c a", "1 1010 1"),
    ("acknowledge", "OK", ""),
    ("barcode", "007", "0 00010 0000000111"),
)


@pytest.mark.parametrize(("kind", "value", "bits"), VECTORS)
def test_bits_are_those_of_the_format_page(kind: QuestionType, value: str, bits: str) -> None:
    assert bits_of(kind, value) == bits.replace(" ", "")


@settings(max_examples=25, deadline=None)
@given(
    st.one_of(
        st.tuples(st.sampled_from(["decimal", "range"]), decimals),
        st.tuples(st.just("time"), st.times().map(lambda time: f"{time:%H:%M}")),
        st.tuples(st.just("rank"), ranks),
        st.tuples(st.just("barcode"), st.text("0123456789ABC-", min_size=1, max_size=40)),
    )
)
def test_whatever_can_be_written_comes_back(pair: tuple[QuestionType, str]) -> None:
    assert back(pair[0], bits_of(*pair)) == pair[1]


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["decimal", "time", "rank", "barcode", "acknowledge"]),
    st.text("01", min_size=64, max_size=160),
)
def test_any_bits_are_an_answer_in_its_only_form_or_refused(kind: QuestionType, bits: str) -> None:
    try:
        value = back(kind, bits)
    except AnswersError:
        return
    if kind != "barcode":  # a text may be written longer than it need be
        assert bits.startswith(bits_of(kind, value))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("decimal", "-0"),
        ("decimal", "-0.00"),
        ("decimal", "1."),
        ("decimal", "01"),
        ("decimal", "1234567890"),
        ("range", "much"),
        ("time", "24:00"),
        ("time", "8:30"),
        ("rank", "a a"),
        ("rank", "a x"),
        ("rank", ""),
        ("note", "OK"),
        ("acknowledge", "yes"),
    ],
)
def test_what_is_no_answer_cannot_be_written(kind: QuestionType, value: str) -> None:
    with pytest.raises(AnswersError):
        bits_of(kind, value)


def test_note_that_claims_an_answer_is_refused() -> None:
    with pytest.raises(AnswersError):
        back("note", "0000")


def service_with(*questions: Question) -> tuple[Catalogue, Service]:
    catalogue = shipped_catalogue()
    service = msgspec.structs.replace(
        catalogue.service("rating"),
        id="made",
        questions=questions,
        choice_lists={"letters": CHOICES},
        calculates=(),
        eligibility=(),
    )
    return catalogue, service


def question(identity: str, kind: QuestionType, **more: object) -> Question:
    text = {"zh-CN": "问", "en": "Q"}
    made = Question(identity, kind, text, text, required=False, sensitivity="none")
    return msgspec.structs.replace(made, **more)


@pytest.mark.parametrize(
    ("asked", "value", "fault"),
    [
        (question("q", "decimal"), "-12.5", ""),
        (question("q", "decimal"), "12,5", "decimal"),
        (question("q", "decimal", min_value="0", max_value="100"), "100.5", "decimal"),
        (question("q", "integer", max_value="6"), "7", "integer"),
        (question("q", "integer", max_value="6"), "6", ""),
        (question("q", "range", min_value="1", max_value="9", step="2"), "4", "range"),
        (question("q", "range", min_value="1", max_value="9", step="2"), "5", ""),
        (question("q", "time"), "23:59", ""),
        (question("q", "time"), "25:00", "time"),
        (question("q", "rank", choices="letters"), "b a", ""),
        (question("q", "rank", choices="letters"), "b b", "choice"),
        (question("q", "acknowledge"), "OK", ""),
        (question("q", "acknowledge"), "no", "acknowledge"),
        (question("q", "barcode"), "6901234567892", ""),
        (question("q", "barcode"), "\x00", "characters"),
        (question("q", "note"), "OK", "note"),
    ],
)
def test_type_accepts_its_own_form_and_bounds(asked: Question, value: str, fault: str) -> None:
    catalogue, service = service_with(asked)

    assert type_fault(catalogue, service, asked, value) == fault


def test_choice_that_the_filter_hides_is_no_answer() -> None:
    size = question("size", "integer")
    letter = question("letter", "choice", choices="letters", choice_filter="size = ${size}")
    catalogue, service = service_with(size, letter)

    left = offered(catalogue, service, letter, {"size": "2"}, TODAY)
    assert [choice.name for choice in left] == ["b", "c"]
    assert problems(catalogue, service, {"size": "2", "letter": "b"}, TODAY) == ()
    found = problems(catalogue, service, {"size": "2", "letter": "d"}, TODAY)
    assert [(each.question, each.code) for each in found] == [("letter", "choice")]


def test_default_that_its_type_does_not_allow_is_none() -> None:
    asked = question("q", "integer", default="concat('1', 'x')")
    catalogue, service = service_with(asked)

    assert default_of(catalogue, service, asked, {}, TODAY) == ""


def test_chain_of_calculations_that_doubles_each_time_is_worked_out_once() -> None:
    catalogue, service = service_with(question("q", "integer"))
    chain = [
        Calculate("c0", "${q}"),
        *(Calculate(f"c{n}", f"${{c{n - 1}}} + ${{c{n - 1}}}") for n in range(1, 60)),
    ]
    service = msgspec.structs.replace(service, calculates=tuple(chain))

    # Without a memory this takes 2⁵⁹ steps.
    assert calculated(catalogue, service, {"q": "1"}, TODAY)["c40"] == str(2**40)


def test_texts_of_a_question_say_the_answers_that_they_name() -> None:
    letter = question("letter", "choice", choices="letters")
    asked = question("q", "note", label={"zh-CN": "您选了${letter}。", "en": "${letter} of ${n}"})
    catalogue, service = service_with(letter, asked)
    service = msgspec.structs.replace(service, calculates=(Calculate("n", "2 + 2"),))

    made = worded(catalogue, service, asked, {"letter": "b"}, TODAY)

    assert made.label == {"zh-CN": "您选了B。", "en": "B of 4"}
    assert made.voice == asked.voice


def test_ranked_choices_are_shown_by_their_labels_in_order() -> None:
    asked = question("q", "rank", choices="letters")
    catalogue, service = service_with(asked)

    assert shown(catalogue, service, asked, "c a", "zh-CN") == "C、A"


def test_bare_name_is_a_column_in_a_filter_and_refused_elsewhere() -> None:
    scope = Scope({}, {}, TODAY, columns={"size": "2"})

    assert compile_expression("size = 2 and other = ''", is_filter=True).truth(scope) is True
    with pytest.raises(ExpressionError, match="path"):
        compile_expression("size = 2")
