"""The functions that a form may call, each built once into a closure over its arguments.

The list is closed on purpose: what is not here is refused when a catalogue is uploaded.

Source: docs.getodk.org/form-operators-functions for meaning; research/domain.md section 8 for
what sees an empty answer and what is unknown because of it.
"""

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping, Sequence

import msgspec

from sync.limits import PATTERN_CHARS_MAX
from sync.xpath_values import Scope, Value, as_date, as_number, as_text, as_truth

Node = Callable[[Scope], Value]
"""A compiled expression."""


class FunctionRefusedError(Exception):
    """The arguments of a function cannot be accepted; the message says why."""


class Argument(msgspec.Struct, frozen=True):
    """One argument of a call: its closure, and its text when it is written out as a literal."""

    node: Node
    literal: str | None = None


class Function(msgspec.Struct, frozen=True):
    """A function by its number of arguments and what builds the call."""

    least: int
    most: int
    build: Callable[[Sequence[Argument]], Node]


_MANY = 64
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_CHOICE_REFERENCE = re.compile(r"\$\{\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*\}")
# Weekday and month names would need a language; hours would need a clock that kiosks may not have.
_FORMATS: Mapping[str, Callable[[dt.date], str]] = {
    "Y": lambda day: f"{day.year:04d}",
    "y": lambda day: f"{day.year % 100:02d}",
    "m": lambda day: f"{day.month:02d}",
    "n": lambda day: str(day.month),
    "d": lambda day: f"{day.day:02d}",
    "e": lambda day: str(day.day),
}


def _strict(apply: Callable[..., Value]) -> Callable[[Sequence[Argument]], Node]:
    """Build calls that are unknown as soon as one argument is."""

    def build(arguments: Sequence[Argument]) -> Node:
        nodes = tuple(argument.node for argument in arguments)

        def call(scope: Scope) -> Value:
            values = []
            for node in nodes:
                value = node(scope)
                if value is None:
                    return None
                values.append(value)
            return apply(*values)

        return call

    return build


def _seeing(apply: Callable[..., Value]) -> Callable[[Sequence[Argument]], Node]:
    """Build calls that see an empty answer as the empty text."""

    def build(arguments: Sequence[Argument]) -> Node:
        nodes = tuple(argument.node for argument in arguments)
        return lambda scope: apply(*[_seen(node(scope)) for node in nodes])

    return build


def _seen(value: Value) -> Value:
    return "" if value is None else value


def _lazy_if(arguments: Sequence[Argument]) -> Node:
    condition, then, otherwise = (argument.node for argument in arguments)

    def call(scope: Scope) -> Value:
        truth = as_truth(condition(scope))
        if truth is None:
            return None
        return then(scope) if truth else otherwise(scope)

    return call


def _coalesce(arguments: Sequence[Argument]) -> Node:
    nodes = tuple(argument.node for argument in arguments)

    def call(scope: Scope) -> Value:
        for node in nodes:
            value = node(scope)
            if value is not None and value != "":
                return value
        return ""

    return call


def _not(arguments: Sequence[Argument]) -> Node:
    (node,) = (argument.node for argument in arguments)

    def call(scope: Scope) -> Value:
        truth = as_truth(node(scope))
        return None if truth is None else not truth

    return call


def _boolean(arguments: Sequence[Argument]) -> Node:
    (node,) = (argument.node for argument in arguments)
    return lambda scope: as_truth(node(scope))


def _once(arguments: Sequence[Argument]) -> Node:
    (node,) = (argument.node for argument in arguments)
    return lambda scope: scope.current or node(scope)


def _today(_: Sequence[Argument]) -> Node:
    return lambda scope: scope.today


def _constant(value: bool) -> Callable[[Sequence[Argument]], Node]:
    return lambda _: lambda _scope: value


def _regex(arguments: Sequence[Argument]) -> Node:
    subject, pattern = arguments
    if pattern.literal is None:
        raise FunctionRefusedError("the pattern must be written out between quotes")
    if len(pattern.literal) > PATTERN_CHARS_MAX:
        raise FunctionRefusedError(f"the pattern is longer than {PATTERN_CHARS_MAX} characters")
    try:
        compiled = re.compile(pattern.literal, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise FunctionRefusedError(f"the pattern is not understood: {error}") from error

    def call(scope: Scope) -> Value:
        value = subject.node(scope)
        return None if value is None else compiled.fullmatch(as_text(value)) is not None

    return call


def _format_date(arguments: Sequence[Argument]) -> Node:
    day, form = arguments
    if form.literal is None:
        raise FunctionRefusedError("the format must be written out between quotes")
    parts = re.findall(r"%.?|[^%]+", form.literal, re.DOTALL)
    for part in parts:
        if part[0] == "%" and part[1:] not in _FORMATS:
            raise FunctionRefusedError(f"the format {part} is not supported")

    def call(scope: Scope) -> Value:
        value = day.node(scope)
        if value is None:
            return None
        date = as_date(value)
        if date is None:
            return ""
        return "".join(_FORMATS[part[1:]](date) if part[0] == "%" else part for part in parts)

    return call


def choice_reference(text: str) -> str | None:
    """Answer the question that `'${x}'`, the second argument of `jr:choice-name`, names."""
    match = _CHOICE_REFERENCE.fullmatch(text)
    return match[1] if match else None


def _choice_name(arguments: Sequence[Argument]) -> Node:
    choice, reference = arguments
    question = choice_reference(reference.literal or "")
    if question is None:
        raise FunctionRefusedError("the second argument must be '${question}'")

    def call(scope: Scope) -> Value:
        value = choice.node(scope)
        if value is None:
            return None
        name = as_text(value)
        return scope.labels.get(question, {}).get(name, name)

    return call


def _substr(text: Value, start: Value, end: Value = math.inf) -> Value:
    """Cut from 0-based `start` to before `end`, as ODK does (not XPath's `substring`)."""
    whole = as_text(text)
    first, last = as_number(start), as_number(end)
    if math.isnan(first) or math.isnan(last):
        return ""
    size = len(whole)
    first, last = (max(0.0, edge + size) if edge < 0 else edge for edge in (first, last))
    return whole[int(min(first, size)) : int(min(last, size))]


def _truncated(value: Value) -> Value:
    number = as_number(value)
    return float(math.trunc(number)) if math.isfinite(number) else number


def _rounded(value: Value, places: Value = 0.0) -> Value:
    number, digits = as_number(value), as_number(places)
    if not math.isfinite(number) or not -15 <= digits <= 15:
        return number
    scale = 10.0 ** int(digits)
    rounded = number * scale + 0.5
    return math.floor(rounded) / scale if math.isfinite(rounded) else number


def _mathematical(apply: Callable[..., float]) -> Callable[..., Value]:
    """Make a function of numbers one that answers NaN where it has no value."""

    def call(*values: Value) -> Value:
        try:
            return apply(*map(as_number, values))
        except (ValueError, OverflowError):
            return math.nan

    return call


def _selected_at(value: Value, index: Value) -> Value:
    chosen, at = as_text(value).split(), as_number(index)
    return chosen[int(at)] if 0 <= at < len(chosen) else ""


def _joined(separator: Value, *values: Value) -> Value:
    """Join what is given; a missing answer leaves no gap."""
    return as_text(separator).join(as_text(value) for value in values if value != "")


def _given(apply: Callable[..., float]) -> Callable[..., Value]:
    """Build on the answers that are given; `None` when there is none."""

    def call(*values: Value) -> Value:
        numbers = [as_number(value) for value in values if value != ""]
        return apply(numbers) if numbers else None

    return call


def _count_true(arguments: Sequence[Argument]) -> Node:
    nodes = tuple(argument.node for argument in arguments)
    return lambda scope: float(sum(as_truth(node(scope)) is True for node in nodes))


def _day_part(value: Value) -> Value:
    """Answer a time of day, "08:30", as the part of a day that has passed."""
    match = _TIME.match(as_text(value))
    return (60 * int(match[1]) + int(match[2])) / 1440 if match else math.nan


def _before(text: Value, mark: Value) -> Value:
    head, found, _ = as_text(text).partition(as_text(mark)) if as_text(mark) else ("", "", "")
    return head if found else ""


def _after(text: Value, mark: Value) -> Value:
    return as_text(text).partition(as_text(mark))[2] if as_text(mark) else as_text(text)


def _date(value: Value) -> Value:
    day = as_date(value)
    return math.nan if day is None else day


def _days(value: Value) -> Value:
    day = as_date(value)
    return math.nan if day is None else as_number(day)


def _selected(value: Value, choice: Value) -> Value:
    return as_text(choice) in as_text(value).split()


def _count(*values: Value) -> Value:
    return float(sum(value != "" for value in values))


def _replaced(text: Value, source: Value, target: Value) -> Value:
    new = as_text(target)
    table: dict[int, str | None] = {}
    for index, character in enumerate(as_text(source)):
        table.setdefault(ord(character), new[index] if index < len(new) else None)
    return as_text(text).translate(table)


FUNCTIONS: Mapping[str, Function] = {
    "if": Function(3, 3, _lazy_if),
    "coalesce": Function(2, _MANY, _coalesce),
    "once": Function(1, 1, _once),
    "not": Function(1, 1, _not),
    "true": Function(0, 0, _constant(True)),
    "false": Function(0, 0, _constant(False)),
    "boolean": Function(1, 1, _boolean),
    "string": Function(1, 1, _seeing(as_text)),
    "number": Function(1, 1, _strict(as_number)),
    "int": Function(1, 1, _strict(_truncated)),
    "round": Function(1, 2, _strict(_rounded)),
    "abs": Function(1, 1, _strict(lambda value: abs(as_number(value)))),
    "min": Function(1, _MANY, _strict(lambda *values: min(map(as_number, values)))),
    "max": Function(1, _MANY, _strict(lambda *values: max(map(as_number, values)))),
    "sum": Function(1, _MANY, _strict(lambda *values: sum(map(as_number, values)))),
    "count": Function(1, _MANY, _seeing(_count)),
    "selected": Function(2, 2, _seeing(_selected)),
    "count-selected": Function(1, 1, _seeing(lambda value: float(len(as_text(value).split())))),
    "jr:choice-name": Function(2, 2, _choice_name),
    "regex": Function(2, 2, _regex),
    "concat": Function(1, _MANY, _strict(lambda *values: "".join(map(as_text, values)))),
    "string-length": Function(1, 1, _seeing(lambda value: float(len(as_text(value))))),
    "substr": Function(2, 3, _strict(_substr)),
    "contains": Function(2, 2, _strict(lambda text, part: as_text(part) in as_text(text))),
    "starts-with": Function(
        2, 2, _strict(lambda text, part: as_text(text).startswith(as_text(part)))
    ),
    "ends-with": Function(2, 2, _strict(lambda text, part: as_text(text).endswith(as_text(part)))),
    "translate": Function(3, 3, _strict(_replaced)),
    "normalize-space": Function(1, 1, _strict(lambda value: " ".join(as_text(value).split()))),
    "today": Function(0, 0, _today),
    "now": Function(0, 0, _today),
    "date": Function(1, 1, _strict(_date)),
    "format-date": Function(2, 2, _format_date),
    "decimal-date-time": Function(1, 1, _strict(_days)),
    "decimal-time": Function(1, 1, _strict(_day_part)),
    "pow": Function(2, 2, _strict(_mathematical(math.pow))),
    "sqrt": Function(1, 1, _strict(_mathematical(math.sqrt))),
    "exp": Function(1, 1, _strict(_mathematical(math.exp))),
    "log": Function(1, 1, _strict(_mathematical(math.log))),
    "log10": Function(1, 1, _strict(_mathematical(math.log10))),
    "sin": Function(1, 1, _strict(_mathematical(math.sin))),
    "cos": Function(1, 1, _strict(_mathematical(math.cos))),
    "tan": Function(1, 1, _strict(_mathematical(math.tan))),
    "asin": Function(1, 1, _strict(_mathematical(math.asin))),
    "acos": Function(1, 1, _strict(_mathematical(math.acos))),
    "atan": Function(1, 1, _strict(_mathematical(math.atan))),
    "atan2": Function(2, 2, _strict(_mathematical(math.atan2))),
    "pi": Function(0, 0, lambda _: lambda _scope: math.pi),
    "selected-at": Function(2, 2, _seeing(_selected_at)),
    "join": Function(2, _MANY, _seeing(_joined)),
    "count-non-empty": Function(1, _MANY, _seeing(_count)),
    "substring-before": Function(2, 2, _strict(_before)),
    "substring-after": Function(2, 2, _strict(_after)),
    # What an import of repeats writes in place of sum(), min(), max() and count() over a node set:
    # an instance that is not there counts for nothing, where a missing answer would be unknown.
    "sum-given": Function(1, _MANY, _seeing(lambda *values: _given(sum)(*values) or 0.0)),
    "min-given": Function(1, _MANY, _seeing(_given(min))),
    "max-given": Function(1, _MANY, _seeing(_given(max))),
    "count-true": Function(1, _MANY, _count_true),
}
"""Every function by its name; `research/domain.md` section 0 names what the catalogue uses."""
