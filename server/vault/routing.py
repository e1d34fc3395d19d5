"""From an opened transaction to what the pipeline may know of it. Pure."""

import datetime as dt
from collections.abc import Mapping, Sequence

from server.catalogue.shelf import Published
from server.vault.keys import VaultKeys, index_tag
from server.vault.protocol import Routed
from server.workdays import civil_day
from sync import evaluation
from sync.forms import Question, Service
from sync.handwriting import attachments_of
from sync.identity import is_id_number, normalise_id_number
from sync.ids import uuid7_ms
from sync.records import Answers, Transaction
from sync.withdrawal import is_withdrawal

_DAY_MS = 86_400_000
#: The form's question that says who the matter is about.
_PERSON = "id_number"


def day_of_evaluation(claimed_ms: int, received_ms: int) -> dt.date:
    """Answer the day by which a transaction is judged: the kiosk's, when it can be believed.

    A kiosk may wait for weeks, and its clock may be years off; then the day of arrival counts.
    """
    is_believed = received_ms - 400 * _DAY_MS <= claimed_ms <= received_ms + _DAY_MS
    return civil_day(claimed_ms if is_believed else received_ms)


def overlaid(transactions: Sequence[Transaction]) -> dict[str, str]:
    """Answer the answers of a case: each correction's laid over those before."""
    answers: dict[str, str] = {}
    for transaction in transactions:
        answers |= {name: value for name, value in transaction.answers.items() if value}
    return answers


def attachments_announced(service: Service, answers: Answers) -> list[Question]:
    """Answer the question of each attachment to come, in the order of their indexes."""
    return list(attachments_of(service, answers))


def tags_of(keys: VaultKeys, answers: Answers) -> tuple[bytes, ...]:
    """Answer the blind tags of the person that the answers are about."""
    number = normalise_id_number(answers.get(_PERSON, ""))
    return (index_tag(keys, number),) if is_id_number(number) else ()


def rating_level(published: Published, service: Service, value: str) -> int | None:
    """Answer 5 to 1 for the choice of a rating; the list runs from best to worst by rule."""
    question = service.question("level")
    names = [choice.name for choice in published.catalogue.choices(service, question)]
    return 5 - names.index(value) if value in names[:5] else None


def routed(
    envelope_id: int,
    received_ms: int,
    published: Published,
    transaction: Transaction,
    former: Sequence[Transaction],
    keys: VaultKeys,
) -> Routed:
    """Answer the facts that decide a transaction's way.

    Args:
        envelope_id: Its row.
        received_ms: When it came.
        published: The catalogue that it was made with.
        transaction: What was opened.
        former: For a correction: the case's transactions so far, oldest first.
        keys: For the blind index.

    Raises:
        KeyError: The catalogue has no such service.
    """
    service = published.catalogue.service(transaction.service)
    own = transaction.answers
    answers = overlaid((*former, transaction))
    today = day_of_evaluation(uuid7_ms(transaction.id), received_ms)
    found = evaluation.problems(published.catalogue, service, answers, today)
    problems = [(problem.question, problem.code) for problem in found]
    tags = tags_of(keys, own)
    before = tags_of(keys, overlaid(former))
    if tags and before and tags != before:
        problems.append((_PERSON, "other_person"))
    is_rating = service.case_kind == "rating"
    return Routed(
        envelope_id=envelope_id,
        transaction_id=transaction.id,
        service=service.id,
        language=transaction.language,
        claimed_ms=uuid7_ms(transaction.id),
        village_code=_village(service, answers),
        corrects=transaction.corrects,
        rating_level=rating_level(published, service, own.get("level", "")) if is_rating else None,
        rating_case_no=own.get("case_no", "") if is_rating else "",
        attachments_expected=len(attachments_announced(service, own)),
        index_tags=tags,
        problems=tuple(problems),
        helper=transaction.helper,
        is_withdrawal=is_withdrawal(transaction),
    )


def _village(service: Service, answers: Mapping[str, str]) -> str:
    for question in service.questions:
        if question.type == "village":
            return answers.get(question.id, "")
    return ""
