"""Which question comes next: the form's order, minus what is hidden, minus what is known. Pure."""

import re
from collections.abc import Mapping

from kiosk.visit import Draft
from kiosk.world import World, service_of
from sync import evaluation, identity
from sync.forms import (
    ATTACHMENT_TYPES,
    CHOICE_TYPES,
    UNANSWERED_TYPES,
    Catalogue,
    Choice,
    Question,
    Service,
)
from sync.handwriting import is_to_be_read

#: Bad levels of a rating: only these are asked why (国办发〔2019〕51号).
BAD_LEVELS: frozenset[str] = frozenset({"dissatisfied", "very_dissatisfied"})
_COUNT = re.compile(r"[0-9]{1,2}")
_DECIMAL = re.compile(r"(-?)0*([0-9]+)(?:\.([0-9]*))?")
_AMOUNT = re.compile(r"0*([0-9]+)(?:\.([0-9]{0,2}))?")


def asked(draft: Draft, world: World) -> tuple[Question, ...]:
    """Answer the questions that this draft asks, in form order.

    A correction asks what the centre misses and nothing else, whatever `relevant` would say
    without the other answers. A rating on the spot does not ask what the receipt and the
    touched face have told.
    """
    service = service_of(draft, world)
    if draft.only:
        return tuple(question for question in service.questions if question.id in draft.only)
    relevant = evaluation.relevant_questions(world.catalogue, service, draft.answers, world.today)
    if not draft.is_rating:
        return relevant
    if draft.answers.get("level") not in BAD_LEVELS:
        return ()
    return tuple(question for question in relevant if question.id not in ("case_no", "level"))


def is_done(draft: Draft, question: Question) -> bool:
    """Answer whether a question was answered or passed over."""
    return bool(draft.answers.get(question.id)) or question.id in draft.skipped


def first_open(draft: Draft, world: World) -> Question | None:
    """Answer the first question that was neither answered nor passed over."""
    return next((q for q in asked(draft, world) if not is_done(draft, q)), None)


def after(draft: Draft, world: World, question_id: str) -> Question | None:
    """Answer the question behind one in the walk; None at the end.

    Whoever went back to look goes forward one by one, seeing their answers again.
    """
    questions = asked(draft, world)
    place = _position(questions, question_id)
    if place is None:
        return first_open(draft, world)
    return questions[place + 1] if place + 1 < len(questions) else first_open(draft, world)


def before(draft: Draft, world: World, question_id: str) -> Question | None:
    """Answer the question in front of one; None at the start."""
    questions = asked(draft, world)
    place = _position(questions, question_id)
    return questions[place - 1] if place else None


def _position(questions: tuple[Question, ...], question_id: str) -> int | None:
    for index, question in enumerate(questions):
        if question.id == question_id:
            return index
    return None


def to_submit(draft: Draft, world: World) -> dict[str, str]:
    """Answer the answers that go into the transaction: without the hidden and the empty ones."""
    service = service_of(draft, world)
    if draft.only:
        chosen: Mapping[str, str] = {key: draft.answers.get(key, "") for key in draft.only}
    else:
        chosen = evaluation.cleared(world.catalogue, service, draft.answers, world.today)
    return {key: value for key, value in chosen.items() if value}


def open_problems(draft: Draft, world: World) -> tuple[evaluation.Problem, ...]:
    """Answer what stands against submitting; () = the transaction may be made.

    A correction is judged question by question: the other answers are at the centre.
    """
    service, answers = service_of(draft, world), to_submit(draft, world)
    if draft.only:
        found = [problem_with(draft, world, q, answers.get(q.id, "")) for q in asked(draft, world)]
        return tuple(problem for problem in found if problem is not None)
    problems = evaluation.problems(world.catalogue, service, answers, world.today)
    return problems or _attachment_problems(draft, service, answers)


def problem_with(
    draft: Draft, world: World, question: Question, value: str
) -> evaluation.Problem | None:
    """Answer what is wrong with one answer; None = good.

    Also checks that photos, signatures and recordings are really held by the kiosk.
    """
    service = service_of(draft, world)
    if draft.only and not value:
        return evaluation.Problem(question=question.id, code="required", message={})
    problem = evaluation.problem_of(
        world.catalogue, service, question, value, draft.answers, world.today
    )
    if problem is None and value and not _is_held(draft, question, value):
        return evaluation.Problem(question=question.id, code=_MISSING[question.type], message={})
    return problem


_MISSING: dict[str, str] = {
    "name": "ink_missing",
    "photo": "photo_missing",
    "signature": "signature_missing",
    "voice_note": "voice_missing",
}


def _attachment_problems(
    draft: Draft, service: Service, answers: Mapping[str, str]
) -> tuple[evaluation.Problem, ...]:
    return tuple(
        evaluation.Problem(question=question.id, code=_MISSING[question.type], message={})
        for question in service.questions
        if answers.get(question.id) and not _is_held(draft, question, answers[question.id])
    )


def _is_held(draft: Draft, question: Question, value: str) -> bool:
    if is_to_be_read(question, value):
        return draft.held.get(question.id, 0) > 0
    if question.type not in ATTACHMENT_TYPES or not _COUNT.fullmatch(value):
        return True
    # Fewer than held is fine: the last ones were taken back on the page.
    return int(value) <= draft.held.get(question.id, 0)


def new_warnings(draft: Draft, world: World) -> tuple[int, ...]:
    """Answer the indexes of conditions that are known not to fit and were not told yet."""
    return tuple(index for index in known_unfit(draft, world) if index not in draft.accepted)


def known_unfit(draft: Draft, world: World) -> tuple[int, ...]:
    """Answer the indexes of conditions that are known not to fit."""
    if draft.only or draft.is_rating:
        return ()
    service = service_of(draft, world)
    unfit = evaluation.warnings(world.catalogue, service, draft.answers, world.today)
    return tuple(index for index, rule in enumerate(service.eligibility) if rule in unfit)


def tidied(  # noqa: PLR0911 -- one return a case
    catalogue: Catalogue, service: Service, question: Question, value: str
) -> str:
    """Write an answer in the one form that records use.

    Full-width digits become ASCII, a small x becomes X, leading zeros go, several
    choices stand in the order of their list. What cannot be tidied stays, to be told as wrong.
    """
    value = value.strip()
    match question.type:
        case "id_number":
            return identity.normalise_id_number(value)
        case "name":
            return identity.normalise_name(value)
        case "phone" | "bank_card" | "case_no" | "digits4":
            return identity.normalise_digits(value).replace(" ", "")
        case "integer":
            digits = identity.normalise_digits(value)
            return str(int(digits)) if re.fullmatch(r"[0-9]{1,18}", digits) else digits
        case "amount":
            return _amount(identity.normalise_digits(value))
        case "decimal":
            return _decimal(identity.normalise_digits(value))
        case "multi_choice":
            picked = set(value.split())
            known = [choice.name for choice in catalogue.choices(service, question)]
            return " ".join([n for n in known if n in picked] + sorted(picked - set(known)))
        case _:
            return value


def _decimal(value: str) -> str:
    match = _DECIMAL.fullmatch(value)
    if match is None:
        return value
    number = f"{match[2]}.{match[3] or ''}".rstrip("0").rstrip(".")
    return number if number == "0" else match[1] + number


def _amount(value: str) -> str:
    match = _AMOUNT.fullmatch(value)
    if match is None:
        return value
    return f"{match[1]}.{match[2]}" if match[2] else match[1]


def is_doubtful(question: Question, value: str) -> bool:
    """Answer whether an answer that can stand should be given twice.

    Cards follow Luhn's rule; some old passbooks do not, so nobody is refused for it.
    """
    return question.type == "bank_card" and not identity.passes_luhn(value)


def is_tile_answered(question: Question) -> bool:
    """Answer whether touching one tile is the whole answer."""
    return question.type in _TILE_TYPES and not is_told(question)


def is_told(question: Question) -> bool:
    """Answer whether the form tells something, and the resident only goes on."""
    return question.type in UNANSWERED_TYPES or question.is_read_only


_TILE_TYPES = (CHOICE_TYPES - {"multi_choice", "rank"}) | {"consent", "village", "acknowledge"}


def offered(draft: Draft, world: World, question: Question) -> tuple[Choice, ...]:
    """Answer the choices that the answers so far leave of a question."""
    service = service_of(draft, world)
    return evaluation.offered(world.catalogue, service, question, draft.answers, world.today)


def proposed(draft: Draft, world: World, question: Question) -> str:
    """Answer what stands as the answer: what was said, else what the form begins with."""
    if question.id in draft.answers or question.id in draft.skipped:
        return draft.answers.get(question.id, "")
    service = service_of(draft, world)
    return evaluation.default_of(world.catalogue, service, question, draft.answers, world.today)


def worded(draft: Draft, world: World, question: Question) -> Question:
    """Answer a question as it is asked: with the earlier answers that its texts name."""
    service = service_of(draft, world)
    villages = {village.code: village.name for village in world.villages}
    return evaluation.worded(
        world.catalogue, service, question, draft.answers, world.today, villages=villages
    )


def is_needed(draft: Draft, world: World, question: Question) -> bool:
    """Answer whether a question may not be passed over."""
    service = service_of(draft, world)
    return bool(draft.only) or evaluation.is_required(
        world.catalogue, service, question, draft.answers, world.today
    )
