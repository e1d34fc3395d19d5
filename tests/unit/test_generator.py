from itertools import islice

from sync.evaluation import problems
from sync.forms import ATTACHMENT_TYPES
from sync.limits import ATTACHMENT_BYTES_MAX, ATTACHMENTS_MAX
from tests.generator import TODAY, shipped_catalogue, transactions

CATALOGUE = shipped_catalogue()
SAMPLE = list(islice(transactions(CATALOGUE, 11), 360))


def test_every_transaction_could_be_confirmed() -> None:
    for transaction, _ in SAMPLE:
        service = CATALOGUE.service(transaction.service)
        assert problems(CATALOGUE, service, transaction.answers, TODAY) == (), transaction


def test_same_seed_makes_the_same_transactions_and_another_makes_others() -> None:
    assert list(islice(transactions(CATALOGUE, 11), 36)) == SAMPLE[:36]
    assert list(islice(transactions(CATALOGUE, 12), 36)) != SAMPLE[:36]


def test_every_service_comes_as_often_and_every_id_once() -> None:
    services = [transaction.service for transaction, _ in SAMPLE]

    assert {services.count(service.id) for service in CATALOGUE.services} == {20}
    assert len({transaction.id for transaction, _ in SAMPLE}) == len(SAMPLE)


def test_one_service_can_be_asked_for() -> None:
    drawn = islice(transactions(CATALOGUE, 3, service="rating"), 5)

    assert [transaction.service for transaction, _ in drawn] == ["rating"] * 5


def test_attachments_are_those_that_the_answers_count() -> None:
    for transaction, attachments in SAMPLE:
        expected = [
            question.id
            for question in CATALOGUE.service(transaction.service).questions
            if question.type in ATTACHMENT_TYPES
            and transaction.answers.get(question.id, "").isdecimal()
            for _ in range(int(transaction.answers[question.id]))
        ]
        assert [item.question for item in attachments] == expected
        assert [item.index for item in attachments] == list(range(len(expected)))
        assert len(attachments) <= ATTACHMENTS_MAX
        assert all(0 < len(item.content) <= ATTACHMENT_BYTES_MAX for item in attachments)


def test_sample_holds_what_must_not_be_forgotten() -> None:
    names = [transaction.answers.get("name", "") for transaction, _ in SAMPLE]

    assert any("·" in name for name in names)
    assert any(ord(character) > 0xFFFF for name in names for character in name)
    assert any(transaction.corrects for transaction, _ in SAMPLE)
    assert any(transaction.helper for transaction, _ in SAMPLE)
    assert {transaction.language for transaction, _ in SAMPLE} == {"zh-CN", "en"}
    assert any(
        transaction.service == "suggestion" and "name" not in transaction.answers
        for transaction, _ in SAMPLE
    )
    assert any(
        value.startswith("=") and len(value) > 10
        for transaction, _ in SAMPLE
        for value in transaction.answers.values()
    )
