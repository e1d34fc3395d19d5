"""What a form asks next, what is wrong with an answer, and what follows from the answers.

Pure functions over a service and its answers; kiosk and centre run the same ones. A question
hidden by `relevant` counts as unanswered in every other expression.
"""

import datetime as dt
import math
import re
from collections.abc import Iterator, Mapping

import msgspec

from sync.answer_types import COUNT_FORM, type_fault
from sync.answer_values import AnswerValues
from sync.expressions import Scope, as_text, compile_expression
from sync.forms import (
    ATTACHMENT_TYPES,
    UNANSWERED_TYPES,
    Catalogue,
    Choice,
    Eligibility,
    Question,
    Service,
    Struct,
    Text,
)
from sync.identity import mask
from sync.limits import ATTACHMENTS_MAX, TEXT_BYTES_MAX, TEXT_CHARS_MAX
from sync.records import Answers
from sync.xpath_values import date_of

_REFERENCE = re.compile(r"\$\{\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*\}")


class Problem(Struct, frozen=True):
    """What is wrong with one answer."""

    #: Question id; of an answer that the form does not ask for, that answer's id.
    question: str
    #: "required", "photo_missing", "constraint", "too_long", "characters", "attachments",
    #: "irrelevant", "unknown", "choice", or the question's type when it is not one of that type.
    code: str
    #: What the form says about it by language; empty when the screen has its own words for `code`.
    message: Text = msgspec.field(default_factory=dict)


def relevant_questions(
    catalogue: Catalogue, service: Service, answers: Answers, today: dt.date
) -> tuple[Question, ...]:
    """Answer the questions to ask, in form order; those still unknown are not asked yet."""
    return _walk(catalogue, service, answers, today)[0]


def cleared(
    catalogue: Catalogue, service: Service, answers: Answers, today: dt.date
) -> dict[str, str]:
    """Answer the answers without empty ones and those whose question is hidden, in form order."""
    questions = relevant_questions(catalogue, service, answers, today)
    return {item.id: answers[item.id] for item in questions if answers.get(item.id)}


def problem_of(
    catalogue: Catalogue,
    service: Service,
    question: Question,
    value: str,
    answers: Answers,
    today: dt.date,
) -> Problem | None:
    """Answer what is wrong with one answer, `None` when it can stand.

    Args:
        catalogue: Holds the types and shared lists.
        service: The form.
        question: One of its questions, taken as relevant.
        value: The answer to judge; it need not be in `answers`.
        answers: The other answers, for expressions that name them.
        today: Day of evaluation.
    """
    scope = _walk(catalogue, service, answers, today)[1]
    return _problem(catalogue, service, question, value, scope)


def problems(
    catalogue: Catalogue, service: Service, answers: Answers, today: dt.date
) -> tuple[Problem, ...]:
    """Answer all that is wrong with a whole transaction; empty when it can be confirmed."""
    questions, scope = _walk(catalogue, service, answers, today)
    found = [
        problem
        for item in questions
        if (problem := _problem(catalogue, service, item, answers.get(item.id, ""), scope))
    ]
    known = {item.id for item in service.questions}
    asked = {item.id for item in questions}
    for name, value in answers.items():
        if name not in known:
            found.append(Problem(name, "unknown"))
        elif value and name not in asked:
            found.append(Problem(name, "irrelevant"))
    found.extend(_whole(questions, answers))
    return tuple(found)


def offered(
    catalogue: Catalogue, service: Service, question: Question, answers: Answers, today: dt.date
) -> tuple[Choice, ...]:
    """Answer the choices that the answers so far leave of a select question, in list order."""
    choices = catalogue.choices(service, question)
    if not question.choice_filter:
        return choices
    return _offered(choices, question, _walk(catalogue, service, answers, today)[1])


def default_of(
    catalogue: Catalogue, service: Service, question: Question, answers: Answers, today: dt.date
) -> str:
    """Answer what a question begins with, "" for nothing; never what its type does not allow."""
    if not question.default:
        return ""
    scope = _walk(catalogue, service, answers, today)[1]
    value = compile_expression(question.default).value(scope)
    if isinstance(value, float) and math.isnan(value):
        return ""
    text = as_text(value)[:TEXT_CHARS_MAX]
    return "" if not text or type_fault(catalogue, service, question, text) else text


def is_required(
    catalogue: Catalogue, service: Service, question: Question, answers: Answers, today: dt.date
) -> bool:
    """Answer whether a question, taken as relevant, may not be passed over."""
    if question.required or not question.required_when:
        return question.required and question.type not in UNANSWERED_TYPES
    return _is_required(question, _walk(catalogue, service, answers, today)[1])


def warnings(
    catalogue: Catalogue, service: Service, answers: Answers, today: dt.date
) -> tuple[Eligibility, ...]:
    """Answer the conditions that are known not to be fulfilled.

    A condition of which no answer is known yet says nothing, even where a function like
    `count-selected` would see the emptiness.
    """
    scope = _walk(catalogue, service, answers, today)[1]
    found = []
    for item in service.eligibility:
        condition = compile_expression(item.when)
        is_begun = not condition.names or any(scope.values.get(name) for name in condition.names)
        if is_begun and condition.truth(scope) is False:
            found.append(item)
    return tuple(found)


def calculated(
    catalogue: Catalogue, service: Service, answers: Answers, today: dt.date
) -> dict[str, str]:
    """Answer every calculated value by its id; "" while it is unknown or has none."""
    values = _walk(catalogue, service, answers, today)[1].values
    return {item.id: values[item.id] for item in service.calculates}


def filled(
    catalogue: Catalogue,
    service: Service,
    template: str,
    answers: Answers,
    language: str,
    today: dt.date,
    *,
    villages: Mapping[str, str] | None = None,
) -> str:
    """Answer a text with each `${x}` replaced by what is shown of it; unknown leaves nothing.

    Args:
        catalogue: Holds the shared lists.
        service: The form.
        template: Text with `${question}` or `${calculate}`; system variables `{x}` stay.
        answers: Answers by question id.
        language: Tag of the labels.
        today: Day of evaluation.
        villages: Names by code; a code without a name is shown itself.
    """
    values = _walk(catalogue, service, answers, today)[1].values
    questions = {question.id: question for question in service.questions}

    def replaced(match: re.Match[str]) -> str:
        name = match[1]
        value = values.get(name, "")
        if name not in questions or not value:
            return value
        return shown(catalogue, service, questions[name], value, language, villages=villages)

    return _REFERENCE.sub(replaced, template)


def worded(
    catalogue: Catalogue,
    service: Service,
    question: Question,
    answers: Answers,
    today: dt.date,
    *,
    villages: Mapping[str, Text] | None = None,
) -> Question:
    """Answer a question whose texts say the answers that they name, in each language."""

    def told(text: Text) -> Text:
        if not any("${" in words for words in text.values()):
            return text
        names = {code: dict(name) for code, name in (villages or {}).items()}
        return {
            language: filled(
                catalogue,
                service,
                words,
                answers,
                language,
                today,
                villages={code: name.get(language, code) for code, name in names.items()},
            )
            for language, words in text.items()
        }

    return msgspec.structs.replace(
        question,
        label=told(question.label),
        voice=told(question.voice),
        hint=told(question.hint),
        constraint_message=told(question.constraint_message),
    )


def shown(
    catalogue: Catalogue,
    service: Service,
    question: Question,
    value: str,
    language: str,
    *,
    masked: bool = False,
    villages: Mapping[str, str] | None = None,
) -> str:
    """Answer one answer as people read it: labels for choices, a written date, the typed text.

    Attachments are shown as their count; the screen has the words around it.

    Args:
        catalogue: Holds the shared lists and masks.
        service: The form.
        question: What was asked.
        value: The answer in lexical form; "" stays "".
        language: Tag of the labels; the catalogue's default where a label lacks it.
        masked: Hide the middle of numbers and names.
        villages: Names by code; a code without a name is shown itself.
    """
    if not value:
        return ""
    rule = catalogue.types.get(question.type)
    if masked and rule is not None and rule.mask:
        return mask(rule.mask, value)
    match question.type:
        case "choice" | "yes_no" | "multi_choice" | "rank":
            labels = _labels(catalogue, service, question, language)
            is_list = question.type in ("multi_choice", "rank")
            names = value.split() if is_list else [value]
            comma = "、" if language.startswith("zh") else ", "
            written = comma.join(labels.get(name, name) for name in names)
        case "date":
            written = _written_date(value, language)
        case "village":
            written = (villages or {}).get(value, value)
        case "voice_note":
            written = value.removeprefix("=")
        case "consent" | "acknowledge":
            written = "✓"
        case _:
            written = value
    return written


def _labels(
    catalogue: Catalogue, service: Service, question: Question, language: str
) -> dict[str, str]:
    default = catalogue.default_language
    return {
        choice.name: choice.label.get(language) or choice.label.get(default, choice.name)
        for choice in catalogue.choices(service, question)
    }


def _written_date(value: str, language: str) -> str:
    day = date_of(value)
    if day is None or not language.startswith("zh"):
        return value
    return f"{day.year}年{day.month}月{day.day}日"


def _walk(
    catalogue: Catalogue, service: Service, answers: Answers, today: dt.date
) -> tuple[tuple[Question, ...], Scope]:
    """Walk the form once: the visible questions, and the scope of their answers."""
    kinds: dict[str, str] = {question.id: question.type for question in service.questions}
    kinds.update((item.id, "calculate") for item in service.calculates)
    labels = {
        question.id: _labels(catalogue, service, question, catalogue.default_language)
        for question in service.questions
        if question.choices
    }
    values = AnswerValues(service, kinds, today, labels)
    scope = Scope(values, kinds, today, labels=labels)
    visible = []
    for question in service.questions:
        if question.relevant and not compile_expression(question.relevant).truth(scope):
            continue
        visible.append(question)
        if value := answers.get(question.id):
            values.put(question.id, value)
    return tuple(visible), scope


def _problem(
    catalogue: Catalogue, service: Service, question: Question, value: str, scope: Scope
) -> Problem | None:
    if not value:
        if not _is_required(question, scope):
            return None
        return Problem(question.id, "photo_missing" if question.type == "photo" else "required")
    rule = catalogue.types.get(question.type)
    message = question.constraint_message or (rule.constraint_message if rule else {})
    code = type_fault(catalogue, service, question, value)
    if code:
        return Problem(question.id, code, message)
    if question.choice_filter:
        choices = catalogue.choices(service, question)
        names = {choice.name for choice in _offered(choices, question, scope)}
        if not names.issuperset(value.split(" ")):
            return Problem(question.id, "choice", message)
    own = Scope(
        scope.values,
        {**scope.kinds, ".": question.type},
        scope.today,
        value,
        scope.labels,
    )
    for is_of_type, constraint in (
        (True, rule.constraint if rule else ""),
        (False, question.constraint),
    ):
        if constraint and compile_expression(constraint).truth(own) is False:
            return Problem(question.id, question.type if is_of_type else "constraint", message)
    return None


def _is_required(question: Question, scope: Scope) -> bool:
    if question.type in UNANSWERED_TYPES:
        return False
    if question.required or not question.required_when:
        return question.required
    return compile_expression(question.required_when).truth(scope) is True


def _offered(choices: tuple[Choice, ...], question: Question, scope: Scope) -> tuple[Choice, ...]:
    condition = compile_expression(question.choice_filter, is_filter=True)

    def passes(choice: Choice) -> bool:
        rows = ({"name": choice.name, **columns} for columns in (choice.columns, *choice.variants))
        return any(
            condition.truth(Scope(scope.values, scope.kinds, scope.today, columns=row)) is True
            for row in rows
        )

    return tuple(choice for choice in choices if passes(choice))


def _whole(questions: tuple[Question, ...], answers: Answers) -> Iterator[Problem]:
    """Answer what is too much only when all answers are taken together."""
    counts = {
        item.id: int(answers[item.id])
        for item in questions
        if item.type in ATTACHMENT_TYPES and COUNT_FORM.fullmatch(answers.get(item.id, ""))
    }
    if sum(counts.values()) > ATTACHMENTS_MAX:
        yield Problem(max(counts, key=lambda name: counts[name]), "attachments")
    sizes = {item.id: _text_bytes(item, answers.get(item.id, "")) for item in questions}
    if sum(sizes.values()) > TEXT_BYTES_MAX:
        yield Problem(max(sizes, key=lambda name: sizes[name]), "too_long")


def _text_bytes(question: Question, value: str) -> int:
    is_text = question.type in ("name", "text_note", "barcode") or value.startswith("=")
    return len(value.encode("utf-8", "surrogatepass")) if is_text else 0
