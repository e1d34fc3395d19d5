import datetime as dt
import json
import re
from itertools import islice
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.answers import AnswersError, decode_transaction, encode_transaction
from sync.dictionary import build_dictionary
from sync.evaluation import problems
from sync.forms import Choice, Question, Service
from sync.ids import is_case_number
from sync.limits import BODY_BYTES_MAX
from sync.records import Transaction
from tests.generator import TODAY, shipped_catalogue, transactions

CATALOGUE = shipped_catalogue()
DICTIONARY = build_dictionary(CATALOGUE)
ID = bytes(range(16))
made = st.integers(0, 10_000).flatmap(
    lambda seed: st.sampled_from(list(islice(transactions(CATALOGUE, seed), 18)))
)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
amounts = st.from_regex(r"(0|[1-9][0-9]{0,9})(\.[0-9]{1,2})?", fullmatch=True)
counts = st.integers(1, 9).map(str)
VALUES = {
    "date": st.dates(dt.date(1900, 1, 1), dt.date(2199, 12, 31)).map(dt.date.isoformat),
    "amount": amounts,
    "integer": st.integers(-999_999_999, 999_999_999).map(str),
    "village": st.integers(10**11, 10**12 - 1).map(str),
    "consent": st.just("OK"),
    "photo": counts,
    "signature": counts,
    "voice_note": counts | texts.map("=".__add__),
}


def encode(transaction: Transaction) -> bytes:
    return encode_transaction(CATALOGUE, DICTIONARY, transaction)


def decode(raw: bytes) -> Transaction:
    return decode_transaction(CATALOGUE, DICTIONARY, raw)


def of(service: str, **answers: str) -> Transaction:
    return Transaction(id=ID, service=service, language="zh-CN", answers=answers)


def value_of(question: Question, choices: tuple[Choice, ...]) -> st.SearchStrategy[str]:
    """Whatever can be written for a question, right or wrong."""
    names = [choice.name for choice in choices]
    if question.type == "multi_choice":
        chosen = st.sets(st.sampled_from(names), min_size=1)
        return chosen.map(lambda some: " ".join(sorted(some, key=names.index)))
    if names:
        return st.sampled_from(names)
    return VALUES.get(question.type, texts | st.text("0123456789", min_size=1, max_size=20))


@st.composite
def writable(draw: st.DrawFn) -> Transaction:
    service: Service = draw(st.sampled_from(CATALOGUE.services))
    answers = {}
    for question in service.questions:
        if draw(st.booleans()):
            answers[question.id] = draw(value_of(question, CATALOGUE.choices(service, question)))
    return Transaction(
        id=draw(st.binary(min_size=16, max_size=16)),
        service=service.id,
        language=draw(st.sampled_from(CATALOGUE.languages)),
        answers=answers,
        corrects=draw(st.sampled_from(["", "004200013768", "004200013786", "1"])),
        helper=draw(st.sampled_from(["", "h07", "张"])),
    )


@given(writable())
def test_whatever_can_be_written_comes_back(transaction: Transaction) -> None:
    raw = encode(transaction)

    assert decode(raw) == transaction
    assert len(raw) % 16 == 0


@given(made)
def test_made_up_transaction_comes_back(pair: tuple[Transaction, object]) -> None:
    assert decode(encode(pair[0])) == pair[0]


@given(writable())
def test_same_transaction_makes_the_same_bytes_whatever_the_order(transaction: Transaction) -> None:
    backwards = msgspec.structs.replace(
        transaction, answers=dict(reversed(list(transaction.answers.items())))
    )

    assert encode(backwards) == encode(transaction)


@given(st.binary(max_size=400).map(lambda raw: raw[: len(raw) // 16 * 16]))
def test_any_bytes_are_a_transaction_or_refused(raw: bytes) -> None:
    try:
        transaction = decode(raw)
    except AnswersError:
        return
    assert decode(encode(transaction)) == transaction


@given(made, st.data())
def test_changed_bytes_are_a_transaction_or_refused(
    pair: tuple[Transaction, object], data: st.DataObject
) -> None:
    raw = bytearray(encode(pair[0]))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(16, len(raw) - 1))] ^= data.draw(st.integers(1, 255))

    try:
        transaction = decode(bytes(raw))
    except AnswersError:
        return
    assert decode(encode(transaction)) == transaction


@given(made)
def test_padding_and_what_follows_are_refused(pair: tuple[Transaction, object]) -> None:
    raw = encode(pair[0])

    for wrong in (raw + bytes(16), raw + b"\x01" * 16, raw[:-1], raw + b"\x00", raw[:-16], b""):
        with pytest.raises(AnswersError):
            decode(wrong)


def test_padding_that_is_not_zero_is_refused() -> None:
    raw = encode(of("progress_query", find_by="id"))

    with pytest.raises(AnswersError, match="follows"):
        decode(raw[:-1] + b"\x01")


def test_empty_answers_are_left_out() -> None:
    assert decode(encode(of("pension_auth", name="", phone="13812345678"))) == of(
        "pension_auth", phone="13812345678"
    )


@pytest.mark.parametrize(
    "transaction",
    [
        of("no_such_service"),
        of("pension_auth", hat="red"),
        of("pension_auth", living_place="moon"),
        of("pension_auth", consent="yes"),
        of("pension_auth", face_photo="10"),
        of("pension_auth", village_code="0530121100201"),
        of("pension_auth", name="\ud800"),
        of("pension_auth", name="好" * 2001),
        of("medical_registration", exempt_kind="moon"),
        of("medical_registration", exempt_kind=" "),
        of("newborn", baby_birth_date="2026-02-29"),
        of("newborn", baby_birth_date="1899-12-31"),
        of("homestead", plot_area="1."),
        of("homestead", plot_area="007"),
        of("homestead", floors="-0"),
        of("suggestion", text_or_voice="="),
        of("suggestion", text_or_voice="路灯坏了"),
        of("suggestion", text_or_voice="=" + "\U0001f600" * 2000),
        msgspec.structs.replace(of("rating"), id=b"short"),
        msgspec.structs.replace(of("rating"), language="fr"),
    ],
)
def test_what_cannot_be_written_is_refused_without_repeating_it(transaction: Transaction) -> None:
    with pytest.raises(AnswersError) as raised:
        encode(transaction)

    assert not any(
        value in str(raised.value) for value in transaction.answers.values() if value.strip()
    )


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("id_number", "530121194611240012"),  # "send as typed, a person will check"
        ("id_number", "不知道"),
        ("phone", "0871-6512345"),
        ("phone", "1381234"),
        ("name", "\ue123\U0002c361·"),
    ],
)
def test_number_typed_wrongly_is_carried_as_it_is(question: str, value: str) -> None:
    assert decode(encode(of("pension_auth", **{question: value}))).answers == {question: value}


def test_case_number_with_another_pair_of_check_digits_is_carried_as_it_is() -> None:
    # 00 passes MOD 97-10 where 97 is issued.
    numbers = (f"0001{seq:06d}00" for seq in range(1, 200))
    number = next(number for number in numbers if is_case_number(number))

    assert decode(encode(of("rating", case_no=number))).answers == {"case_no": number}


def test_mean_body_is_short() -> None:
    sizes = [len(encode(item)) for item, _ in islice(transactions(CATALOGUE, 7), 540)]

    assert sum(sizes) / len(sizes) <= 64
    assert max(sizes) <= 176


def test_longest_transaction_without_problems_fits_one_envelope() -> None:
    transaction = of(
        "suggestion",
        topic="road",
        about_staff="no",
        text_or_voice="=" + "\U0001f600" * 650,
        pic="8",
        keep_name="yes",
        consent="OK",
        name="\U0002c361" * 50,
        phone="0871-65123456",
    )

    service = CATALOGUE.service("suggestion")
    assert problems(CATALOGUE, service, transaction.answers, TODAY) == ()
    assert len(encode(transaction)) <= BODY_BYTES_MAX


def test_body_longer_than_its_bound_is_refused_unread() -> None:
    with pytest.raises(AnswersError, match="length"):
        decode(bytes(BODY_BYTES_MAX + 16))


def test_worked_example_of_the_format_page(root: Path) -> None:
    page = (root / "docs" / "answers-format.md").read_text("utf-8")
    blocks = re.findall(r"```(\w+)\n(.*?)```", page, re.DOTALL)
    example = json.loads(next(text for kind, text in blocks if kind == "json"))
    written = bytes.fromhex(next(text for kind, text in blocks if kind == "hex"))
    rows = re.findall(r"^\| `([01 ]+)` \|", page, re.MULTILINE)
    transaction = Transaction(**{**example, "id": bytes.fromhex(example["id"])})

    assert encode(transaction) == written, f"now {encode(transaction).hex(' ')}"
    assert decode(written) == transaction
    bits = f"{int.from_bytes(written[16:], 'big'):0{8 * len(written[16:])}b}"
    assert bits.rstrip("0") == "".join(rows).replace(" ", "").rstrip("0")
