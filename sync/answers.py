"""A transaction as bits: by position in the form, each answer as its type needs, then padded.

The form and the dictionary are those of the catalogue version that the envelope's header names.
Every bit is described in docs/answers-format.md.
"""

from typing import TypeVar

from sync.answer_bits import Layout, filled_text, put_answer, take_answer
from sync.bits import AnswersError, BitReader, BitWriter
from sync.dictionary import Dictionary, dictionary_of
from sync.forms import Catalogue, Question, Service
from sync.limits import BODY_BYTES_MAX
from sync.records import Transaction

__all__ = ["AnswersError", "decode_transaction", "encode_transaction"]

PADDING_BYTES = 16
_ID_BYTES = 16

_T = TypeVar("_T")


def encode_transaction(catalogue: Catalogue, dictionary: bytes, transaction: Transaction) -> bytes:
    """Write a transaction as the plaintext to seal.

    Empty answers are left out. The answers need not be right, only writable: a number that fails
    its check is carried as text, for a person to look at.

    Args:
        catalogue: The version that the envelope's header will name.
        dictionary: `build_dictionary` of that catalogue.
        transaction: Its service and questions are of that catalogue.

    Returns:
        The id, then the bits; a multiple of 16 bytes, at most `BODY_BYTES_MAX`.

    Raises:
        AnswersError: A service, question or choice is unknown, an answer has not the form of its
            type, or all together is too long.
    """
    if len(transaction.id) != _ID_BYTES:
        raise AnswersError("a transaction's id has 16 bytes")
    words = dictionary_of(dictionary)
    index, service = _service_of(catalogue, transaction.service)
    bits = BitWriter()
    bits.put(index, _width(len(catalogue.services)))
    bits.put(_position(catalogue.languages, transaction.language), _width(len(catalogue.languages)))
    bits.put(int(bool(transaction.corrects)), 1)
    if transaction.corrects:
        put_answer(bits, "case_no", transaction.corrects, Layout(words))
    bits.put(int(bool(transaction.helper)), 1)
    if transaction.helper:
        words.put(bits, transaction.helper)
    left = {name for name, value in transaction.answers.items() if value}
    for question in service.questions:
        left.discard(question.id)
        value = transaction.answers.get(question.id, "")
        bits.put(int(bool(value)), 1)
        if value:
            put_answer(bits, question.type, value, _layout(catalogue, service, question, words))
    if left:
        raise AnswersError("an answer belongs to no question of the form")
    raw = transaction.id + bits.to_bytes(PADDING_BYTES, _ID_BYTES)
    if len(raw) > BODY_BYTES_MAX:
        raise AnswersError("the answers are too long for one envelope")
    return raw


def decode_transaction(catalogue: Catalogue, dictionary: bytes, raw: bytes) -> Transaction:
    """Read what `encode_transaction` wrote.

    Args:
        catalogue: The version that the envelope's header names.
        dictionary: The dictionary of that version.
        raw: The opened plaintext; anything may stand in it.

    Raises:
        AnswersError: It is not a transaction of this catalogue, to the last padding bit.
    """
    if len(raw) > BODY_BYTES_MAX or len(raw) % PADDING_BYTES or len(raw) <= _ID_BYTES:
        raise AnswersError("answers have another length")
    words = dictionary_of(dictionary)
    bits = BitReader(raw[_ID_BYTES:])
    service = _taken(bits, catalogue.services)
    language = _taken(bits, catalogue.languages)
    corrects = take_answer(bits, "case_no", Layout(words)) if bits.take(1) else ""
    helper = filled_text(words.take(bits)) if bits.take(1) else ""
    answers = {
        question.id: take_answer(bits, question.type, _layout(catalogue, service, question, words))
        for question in service.questions
        if bits.take(1)
    }
    bits.expect_end(PADDING_BYTES)
    return Transaction(
        id=raw[:_ID_BYTES],
        service=service.id,
        language=language,
        answers=answers,
        corrects=corrects,
        helper=helper,
    )


def _layout(
    catalogue: Catalogue, service: Service, question: Question, words: Dictionary
) -> Layout:
    return Layout(words, catalogue.choices(service, question))


def _service_of(catalogue: Catalogue, service_id: str) -> tuple[int, Service]:
    for index, service in enumerate(catalogue.services):
        if service.id == service_id:
            return index, service
    raise AnswersError("the service is not in this catalogue")


def _width(count: int) -> int:
    """Answer the bits that tell apart so many things."""
    return max(count - 1, 0).bit_length()


def _position(names: tuple[str, ...], name: str) -> int:
    if name not in names:
        raise AnswersError("a choice is not in its list")
    return names.index(name)


def _taken(bits: BitReader, items: tuple[_T, ...]) -> _T:
    index = bits.take(_width(len(items)))
    if index >= len(items):
        raise AnswersError("a choice is not in its list")
    return items[index]
