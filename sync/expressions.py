"""XLSForm expressions: `relevant`, `constraint`, `calculation` and eligibility.

A recursive-descent compiler to closures, bounded in length and depth (why not a library:
docs/decisions/0005-expressions.md). Compiling refuses what is not supported; evaluating never
raises. Three truth values: an unanswered question makes what hangs on it unknown, not false.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import msgspec

from sync.errors import BianminError
from sync.limits import EXPRESSION_CHARS_MAX, EXPRESSION_DEPTH_MAX
from sync.xpath_functions import (
    FUNCTIONS,
    Argument,
    FunctionRefusedError,
    Node,
    choice_reference,
)
from sync.xpath_values import Scope, Value, as_number, as_text, as_truth, calculate, compare

__all__ = ["Expression", "ExpressionError", "Scope", "Value", "as_text", "compile_expression"]


class ExpressionError(BianminError):
    """An expression is not supported or not well formed."""

    code = "422.11"

    def __init__(self, message: str, position: int) -> None:
        """Say what is wrong at which character, counted from 1."""
        super().__init__(f"{message} (character {position})")
        self.position = position


class Expression(msgspec.Struct, frozen=True):
    """A compiled expression."""

    text: str
    #: Ids that `${…}` names, questions and calculates alike.
    names: frozenset[str]
    node: Node

    def value(self, scope: Scope) -> Value:
        """Answer the value: text, number, truth, date, or `None` for unknown."""
        return self.node(scope)

    def truth(self, scope: Scope) -> bool | None:
        """Answer whether it holds; `None` = unknown, a referenced answer is missing."""
        return as_truth(self.node(scope))


class _Token(msgspec.Struct, frozen=True):
    kind: str
    text: str
    position: int


_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)
  | (?P<string>"[^"]*"|'[^']*')
  | (?P<reference>\$\{\s*[A-Za-z_][A-Za-z0-9_.-]*\s*\})
  | (?P<name>[A-Za-z_](?:[A-Za-z0-9_.:-]*[A-Za-z0-9_])?)
  | (?P<sign>!=|<=|>=|[=<>+*(),-])
  | (?P<current>\.(?![./]))
    """,
    re.VERBOSE | re.ASCII,
)
# From the loosest binding to the tightest.
_LEVELS: Sequence[frozenset[str]] = (
    frozenset({"or"}),
    frozenset({"and"}),
    frozenset({"=", "!="}),
    frozenset({"<", "<=", ">", ">="}),
    frozenset({"+", "-"}),
    frozenset({"*", "div", "mod"}),
)
_APPLY: Mapping[str, Callable[[str, Value, Value], Value]] = {
    **dict.fromkeys(("=", "!=", "<", "<=", ">", ">="), compare),
    **dict.fromkeys(("+", "-", "*", "div", "mod"), calculate),
}


@lru_cache(maxsize=4096)
def compile_expression(text: str, *, is_filter: bool = False) -> Expression:
    """Compile an XLSForm expression; the same text is compiled once.

    Args:
        text: The expression with `${question}` references, at most 4,000 characters.
        is_filter: It is a `choice_filter`, where a bare name is a column of the choice looked at.

    Raises:
        ExpressionError: Not well formed, too long or too deep, or it calls a function that is not
            supported; the message names the function and the position.

    >>> compile_expression("${age} >= 60").names
    frozenset({'age'})
    """
    if len(text) > EXPRESSION_CHARS_MAX:
        raise ExpressionError("the expression is too long", EXPRESSION_CHARS_MAX)
    parser = _Parser(_tokens(text), is_filter=is_filter)
    node = parser.level(0, 0).node
    parser.expect("end")
    return Expression(text, frozenset(parser.names), node)


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(f"{text[position]!r} is not supported here", position + 1)
        kind = match.lastgroup or ""
        if kind != "space":
            tokens.append(_Token(kind, match.group(), position + 1))
        position = match.end()
    tokens.append(_Token("end", "", len(text) + 1))
    return tokens


class _Parser:
    """Reads tokens from left to right; one method a rule of the grammar."""

    def __init__(self, tokens: Sequence[_Token], *, is_filter: bool) -> None:
        self.names: set[str] = set()
        self._is_filter = is_filter
        self._tokens = tokens
        self._index = 0

    def level(self, level: int, depth: int) -> Argument:
        """Read operands joined by the operators of this level or tighter ones."""
        if level == len(_LEVELS):
            return self._unary(depth)
        first = self.level(level + 1, depth)
        rest: list[tuple[str, Node]] = []
        while self._peek().text in _LEVELS[level] and self._peek().kind in ("sign", "name"):
            sign = self._take().text
            rest.append((sign, self.level(level + 1, depth).node))
        if not rest:
            return first
        return Argument(_joined(first.node, rest))

    def expect(self, text: str) -> None:
        """Read one given sign, or the end."""
        token = self._take()
        if (token.kind if text == "end" else token.text) != text or token.kind == "string":
            found = f"{token.text!r}" if token.text else "the end"
            raise ExpressionError(f"{text!r} was expected, not {found}", token.position)

    def _peek(self) -> _Token:
        return self._tokens[self._index]

    def _take(self) -> _Token:
        token = self._tokens[self._index]
        self._index = min(self._index + 1, len(self._tokens) - 1)
        return token

    def _unary(self, depth: int) -> Argument:
        negations = 0
        while self._peek().kind == "sign" and self._peek().text == "-":
            self._take()
            negations += 1
        operand = self._primary(depth)
        return Argument(_negated(operand.node, negations)) if negations else operand

    def _primary(self, depth: int) -> Argument:
        token = self._take()
        if depth >= EXPRESSION_DEPTH_MAX:
            raise ExpressionError("the expression is nested too deeply", token.position)
        match token.kind, token.text:
            case "number", text:
                return Argument(_literal(float(text)))
            case "string", text:
                return Argument(_literal(text[1:-1]), text[1:-1])
            case "reference", text:
                name = text[2:-1].strip()
                self.names.add(name)
                return Argument(lambda scope: scope.typed(name))
            case "current", _:
                return Argument(lambda scope: scope.typed("."))
            case "sign", "(":
                inner = self.level(0, depth + 1)
                self.expect(")")
                return Argument(inner.node)
            case "name", _:
                return self._call(token, depth)
            case _:
                found = f"{token.text!r}" if token.text else "the end"
                raise ExpressionError(f"a value was expected, not {found}", token.position)

    def _call(self, name: _Token, depth: int) -> Argument:
        if self._peek().text != "(" or self._peek().kind != "sign":
            if self._is_filter:
                # As an absent node in XPath, a column that the choice has not is the empty text.
                return Argument(lambda scope: scope.columns.get(name.text, ""))
            raise ExpressionError(f"a path like {name.text!r} is not supported", name.position)
        function = FUNCTIONS.get(name.text)
        if function is None:
            raise ExpressionError(f"the function {name.text}() is not supported", name.position)
        arguments = self._arguments(depth + 1)
        if not function.least <= len(arguments) <= function.most:
            raise ExpressionError(
                f"the function {name.text}() does not take {len(arguments)} arguments",
                name.position,
            )
        try:
            node = function.build(arguments)
        except FunctionRefusedError as error:
            raise ExpressionError(f"in {name.text}(), {error}", name.position) from error
        if name.text == "jr:choice-name":
            self.names.add(choice_reference(arguments[1].literal or "") or "")
        return Argument(node)

    def _arguments(self, depth: int) -> list[Argument]:
        self.expect("(")
        arguments: list[Argument] = []
        if self._peek().text != ")":
            arguments.append(self.level(0, depth))
            while self._peek().text == ",":
                self._take()
                arguments.append(self.level(0, depth))
        self.expect(")")
        return arguments


def _literal(value: Value) -> Node:
    return lambda _: value


def _negated(node: Node, times: int) -> Node:
    def call(scope: Scope) -> Value:
        value = node(scope)
        if value is None:
            return None
        return -as_number(value) if times % 2 else as_number(value)

    return call


def _joined(first: Node, rest: Sequence[tuple[str, Node]]) -> Node:
    """Join a chain of one level; a loop, so that a long sum does not nest."""
    if rest[0][0] in ("and", "or"):
        nodes = (first, *(node for _, node in rest))
        return _junction(nodes, decisive=rest[0][0] == "or")
    steps = tuple((sign, _APPLY[sign], node) for sign, node in rest)

    def call(scope: Scope) -> Value:
        value = first(scope)
        for sign, apply, node in steps:
            value = apply(sign, value, node(scope))
        return value

    return call


def _junction(nodes: Sequence[Node], *, decisive: bool) -> Node:
    """Build `or` (decided by a true part) or `and` (by a false one), with unknown kept."""

    def call(scope: Scope) -> Value:
        is_unknown = False
        for node in nodes:
            truth = as_truth(node(scope))
            if truth is decisive:
                return decisive
            is_unknown = is_unknown or truth is None
        return None if is_unknown else not decisive

    return call
