"""Names that were written by finger: what stands in the answer, and where their drawing goes.

Nothing of the wire is new. The name holds the mark in place of each character that nothing
could read, and one drawing of these, in their order, follows as an attachment of the question.
It comes behind all other attachments, so that a centre of an earlier release still finds every
photo at its place. The clerk opens the drawing beside the name and reads it.
"""

from sync.forms import ATTACHMENT_TYPES, Question, Service
from sync.records import Answers

#: In a name: a character that is only drawn. It passes `identity.is_person_name`.
HAND_MARK = "（手写）"
_COUNT_MAX = 9


def is_to_be_read(question: Question, value: str) -> bool:
    """Answer whether a name has a part that only its drawing tells."""
    return question.type == "name" and HAND_MARK in value


def attachments_of(service: Service, answers: Answers) -> tuple[Question, ...]:
    """Answer the question of each attachment of a transaction, in the order of their indexes.

    Photos, signatures and recordings in form order, then the drawings of names in form order.
    """
    counted = [
        question
        for question in service.questions
        if question.type in ATTACHMENT_TYPES
        for _ in range(_count(answers.get(question.id, "")))
    ]
    drawn = [q for q in service.questions if is_to_be_read(q, answers.get(q.id, ""))]
    return (*counted, *drawn)


def _count(value: str) -> int:
    is_count = value.isascii() and value.isdigit()
    return min(int(value), _COUNT_MAX) if is_count else 0
