"""What is wrong with a catalogue before it is published; every fault is named by its place. Pure.

A fault found here is found by the person at the desk; one that slips through is found by a
resident in a village without a network.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from sync.answer_types import VALIDATORS
from sync.expressions import ExpressionError, compile_expression
from sync.forms import (
    CHOICE_TYPES,
    RULELESS_TYPES,
    Catalogue,
    Choice,
    Question,
    Service,
    Text,
    Village,
)
from sync.identity import MASKS

_ID = re.compile(r"[a-z][a-z0-9_]*")
_VILLAGE = re.compile(r"[0-9]{12}")
_COMPARED = re.compile(r"\$\{([a-z0-9_]+)\}\s*!?=\s*'([^']*)'")
_SELECTED = re.compile(r"selected\(\s*\$\{([a-z0-9_]+)\}\s*,\s*'([^']*)'\s*\)")
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9_]+)\}")
_VARIABLE = re.compile(r"(?<!\$)\{([A-Za-z0-9_]+)\}")
VILLAGES_MAX = 500


def faults(catalogue: Catalogue) -> list[str]:
    """Answer every fault, each beginning with its place, e.g. "pension_auth.id_number: …"."""
    found = list(_whole(catalogue))
    for service in catalogue.services:
        found += _service(catalogue, service)
    return found


def village_faults(villages: Sequence[Village]) -> list[str]:
    """Answer what is wrong with the list of villages."""
    found = [
        f"villages.{village.code}: a code has 12 digits"
        for village in villages
        if not _VILLAGE.fullmatch(village.code)
    ]
    found += [
        f"villages.{code}: listed {count} times"
        for code, count in _repeated(v.code for v in villages)
    ]
    if not 0 < len(villages) <= VILLAGES_MAX:
        found.append(f"villages: 1 to {VILLAGES_MAX} rows, here {len(villages)}")
    return found


def _repeated(names: Iterable[str]) -> list[tuple[str, int]]:
    return [(name, count) for name, count in Counter(names).items() if count > 1]


def _whole(catalogue: Catalogue) -> Iterator[str]:
    for name, count in _repeated(service.id for service in catalogue.services):
        yield f"{name}: {count} services have this id"
    if catalogue.default_language not in catalogue.languages:
        yield f"catalogue: the default language {catalogue.default_language} is not offered"
    for kind, rule in catalogue.types.items():
        if rule.mask and rule.mask not in MASKS:
            yield f"types.{kind}: no mask is called {rule.mask}"
        if rule.validator and rule.validator not in VALIDATORS:
            yield f"types.{kind}: no validator is called {rule.validator}"
        yield from _expression(f"types.{kind}", "constraint", rule.constraint, frozenset())
    for name, choices in catalogue.shared_choice_lists.items():
        yield from _choice_list(catalogue, f"shared.{name}", choices)


def _service(catalogue: Catalogue, service: Service) -> Iterator[str]:
    place = service.id
    if not _ID.fullmatch(place):
        yield f"{place}: an id has small letters, digits and _"
    if service.category not in {category.id for category in catalogue.categories}:
        yield f"{place}: no category is called {service.category}"
    if service.statutory_working_days and (
        service.promised_working_days > service.statutory_working_days
    ):
        yield f"{place}: more days are promised than the law allows"
    if not service.department.strip():
        yield f"{place}: no department decides it"
    if set(service.outcomes) != set(service.notices):
        yield f"{place}: outcomes and notices do not match"
    for name, count in _repeated(
        [question.id for question in service.questions]
        + [calculate.id for calculate in service.calculates]
    ):
        yield f"{place}.{name}: {count} questions or calculations have this id"
    yield from _questions(catalogue, service)
    yield from _calculates(service)
    yield from _references(catalogue, service)


def _questions(catalogue: Catalogue, service: Service) -> Iterator[str]:
    """Check each question; an expression may name earlier ones and calculations only."""
    all_calculates = {item.id for item in service.calculates}
    earlier: set[str] = set()
    for question in service.questions:
        place = f"{service.id}.{question.id}"
        if not _ID.fullmatch(question.id):
            yield f"{place}: an id has small letters, digits and _"
        if question.type not in catalogue.types and question.type not in RULELESS_TYPES:
            yield f"{place}: the catalogue has no type {question.type}"
        names = frozenset(earlier | all_calculates)
        yield from _expression(place, "relevant", question.relevant, names)
        yield from _expression(place, "constraint", question.constraint, names | {question.id})
        yield from _expression(place, "default", question.default, names)
        yield from _expression(place, "required_when", question.required_when, names)
        yield from _expression(
            place, "choice_filter", question.choice_filter, names, is_filter=True
        )
        yield from _texts(catalogue, f"{place}.label", question.label)
        yield from _choices_of(catalogue, service, question, place)
        earlier.add(question.id)
    everything = frozenset(earlier | all_calculates)
    for number, item in enumerate(service.eligibility, start=1):
        yield from _expression(f"{service.id}.eligibility {number}", "when", item.when, everything)
    for material in service.materials:
        yield from _expression(
            f"{service.id}.material {material.id}", "relevant", material.relevant, everything
        )
    for name, choices in service.choice_lists.items():
        yield from _choice_list(catalogue, f"{service.id}.{name}", choices)


def _calculates(service: Service) -> Iterator[str]:
    questions = {question.id for question in service.questions}
    earlier: set[str] = set()
    for item in service.calculates:
        place = f"{service.id}.{item.id}"
        yield from _expression(
            place, "calculation", item.calculation, frozenset(questions | earlier)
        )
        earlier.add(item.id)


def _choices_of(
    catalogue: Catalogue, service: Service, question: Question, place: str
) -> Iterator[str]:
    if question.type not in CHOICE_TYPES:
        return
    if not question.choices:
        yield f"{place}: a {question.type} names its list of choices"
    elif not catalogue.choices(service, question):
        yield f"{place}: no list of choices is called {question.choices}"


def _choice_list(catalogue: Catalogue, place: str, choices: Sequence[Choice]) -> Iterator[str]:
    for name, count in _repeated(choice.name for choice in choices):
        yield f"{place}.{name}: {count} choices have this name"
    for choice in choices:
        if not choice.name or " " in choice.name:
            yield f"{place}.{choice.name}: a choice's name has no spaces"
        yield from _texts(catalogue, f"{place}.{choice.name}", choice.label)


def _texts(catalogue: Catalogue, place: str, text: Text) -> Iterator[str]:
    for language in catalogue.languages:
        if not text.get(language, "").strip():
            yield f"{place}: no text in {language}"


def _expression(
    place: str, what: str, text: str, names: frozenset[str], *, is_filter: bool = False
) -> Iterator[str]:
    if not text:
        return
    try:
        expression = compile_expression(text, is_filter=is_filter)
    except ExpressionError as error:
        yield f"{place}: {what}: {error}"
        return
    for name in sorted(expression.names - names):
        yield f"{place}: {what} names {name}, which is no earlier question or calculation"


def _references(catalogue: Catalogue, service: Service) -> Iterator[str]:
    """Check that compared choices exist and that texts name what there is."""
    questions = {question.id: question for question in service.questions}
    for place, text in _expressions(service):
        for name, value in (*_COMPARED.findall(text), *_SELECTED.findall(text)):
            question = questions.get(name)
            if question is None or question.type not in CHOICE_TYPES or value == "":
                continue
            if value not in {choice.name for choice in catalogue.choices(service, question)}:
                yield f"{place}: {name} has no choice '{value}'"
    known = set(questions) | {item.id for item in service.calculates}
    variables = set(catalogue.system_variables)
    for place, told in _told(service):
        for sentence in told.values():
            for name in set(_PLACEHOLDER.findall(sentence)) - known:
                yield f"{place}: the text names ${{{name}}}, which the form has not"
            for name in set(_VARIABLE.findall(sentence)) - variables:
                yield f"{place}: the text names {{{name}}}, which no system variable is"


def _expressions(service: Service) -> Iterator[tuple[str, str]]:
    for question in service.questions:
        yield f"{service.id}.{question.id}", question.relevant
        yield f"{service.id}.{question.id}", question.constraint
    for calculate in service.calculates:
        yield f"{service.id}.{calculate.id}", calculate.calculation
    for item in service.eligibility:
        yield f"{service.id}.eligibility", item.when
    for material in service.materials:
        yield f"{service.id}.material {material.id}", material.relevant


def _told(service: Service) -> Iterator[tuple[str, Text]]:
    for name, spoken in (("check", service.check), ("receipt", service.receipt)):
        yield f"{service.id}.{name}", spoken.text
        yield f"{service.id}.{name}", spoken.voice
    for kind, notice in service.notices.items():
        for text in (notice.title, notice.text, notice.voice):
            yield f"{service.id}.notice {kind}", text
