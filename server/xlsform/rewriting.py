"""Expressions and texts of a form with our ids, within one instance of each repeat around them.

An expression is compiled as its author wrote it first, letter for letter in its place, so that a
fault is told by the character in the cell; then names are replaced and aggregates are unrolled.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from server.xlsform.findings import Cell, Findings
from server.xlsform.survey import Named
from sync.expressions import ExpressionError, compile_expression
from sync.forms import Choice

_QUOTES = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "\u00a0": " ", "\n": " "})
_PATH = re.compile(r"(?:current\(\)/)?(?:\.\./)+([A-Za-z_][A-Za-z0-9_.-]*)(?![A-Za-z0-9_./-])")
_POSITION = re.compile(r"position\(\s*\.\.\s*\)")
_REFERENCE = re.compile(r"\$\{\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*\}")
_TOKEN = re.compile(
    r"""(?P<string>"[^"]*"|'[^']*')|(?P<reference>\$\{[^}]*\})"""
    r"""|(?P<call>[A-Za-z_][A-Za-z0-9_.:-]*\s*\()|(?P<open>\()|(?P<close>\))|(?P<comma>,)"""
    r"""|(?P<other>[A-Za-z_][A-Za-z0-9_.:-]*|\s+|.)""",
    re.VERBOSE | re.DOTALL,
)
_COMPARED = re.compile(r"\$\{\s*([A-Za-z0-9_.-]+)\s*\}\s*!?=\s*'([^']*)'")
_SELECTED = re.compile(r"selected\(\s*\$\{\s*([A-Za-z0-9_.-]+)\s*\}\s*,\s*'([^']*)'\s*\)")
_UNSUPPORTED = re.compile(r"the function (\S+)\(\) is not supported")
#: Functions that take a node set, and what they become over the instances of a repeat.
_AGGREGATES: Mapping[str, str] = {
    "sum": "sum-given",
    "min": "min-given",
    "max": "max-given",
    "count": "count-non-empty",
    "count-non-empty": "count-non-empty",
    "join": "join",
    "concat": "join",
}

_ASKED = frozenset({"question", "moment"})


class Place(msgspec.Struct, frozen=True):
    """Where an expression stands: its row, and the instance of each repeat around it."""

    order: int
    instances: Mapping[str, int] = {}
    #: A constraint may name its own question.
    is_own_known: bool = False


class Rewriter:
    """Rewrites what a form's cells say; faults are told by cell, and answered as ""."""

    def __init__(
        self,
        names: Mapping[str, Named],
        findings: Findings,
        counts: Mapping[str, int],
        presence: Callable[[str, Mapping[str, int]], str],
        lists: Mapping[str, tuple[Choice, ...]],
    ) -> None:
        """Take the form's names and lists, how often repeats come, and when one is there."""
        self._lists = lists
        self._names = names
        self._findings = findings
        self._counts = counts
        self._presence = presence

    def expression(
        self, cell: Cell, place: Place, *, is_filter: bool = False, may_look_ahead: bool = False
    ) -> str:
        """Answer an expression over our ids.

        Args:
            cell: It is told of as the place of every fault.
            place: Row and instances.
            is_filter: Bare names are columns of the choices sheet.
            may_look_ahead: It is a calculation, which may name what comes later.
        """
        plain = self._plain(cell, place)
        if plain is None:
            return ""
        try:
            compile_expression(plain, is_filter=is_filter)
        except ExpressionError as error:
            self._tell(cell, error)
            return ""
        self._tell_choices(cell, plain)
        walk = _Walk(plain, lambda name: self._targets(name, place, may_look_ahead))
        text = walk.whole()
        for code, values in walk.faults:
            self._findings.error(cell, code, **values)
        return "" if walk.faults or self._is_unsound(cell, text, is_filter=is_filter) else text

    def label(self, cell: Cell, place: Place) -> str:
        """Answer a text with the names in it replaced."""

        def replaced(match: re.Match[str]) -> str:
            named = self._names.get(match[1])
            if named is None:
                self._findings.error(cell, "name_unknown", name=match[1])
                return ""
            if named.kind is None or any(name not in place.instances for name in named.repeats):
                self._findings.error(cell, "name_in_repeat", name=match[1])
                return ""
            return f"${{{instance_id(named, place.instances)}}}"

        return _REFERENCE.sub(replaced, cell.text)

    def _plain(self, cell: Cell, place: Place) -> str | None:
        """Answer the text with older spellings put into ours, each character in its place."""
        text = cell.text.translate(_QUOTES)
        if text.lower() in ("true", "false"):
            # What a spreadsheet makes of a typed "true".
            return f"{text.lower()}()"
        text = _PATH.sub(lambda match: f"${{{match[1]}}}".ljust(len(match[0])), text)
        if _POSITION.search(text):
            if not place.instances:
                self._findings.error(cell, "position_outside")
                return None
            number = str(list(place.instances.values())[-1])
            text = _POSITION.sub(lambda match: number.ljust(len(match[0])), text)
        return text

    def _tell_choices(self, cell: Cell, plain: str) -> None:
        """Tell of choices that a select question is compared with and has not."""
        for name, value in (*_COMPARED.findall(plain), *_SELECTED.findall(plain)):
            named = self._names.get(name)
            if named is None or named.kind is None or not named.kind.choices or not value:
                continue
            names = {choice.name for choice in self._lists.get(named.kind.choices, ())}
            is_other = named.kind.has_other and value == "other"
            if names and value not in names and not is_other:
                self._findings.error(cell, "choice_unknown", name=name, value=value)

    def _tell(self, cell: Cell, error: ExpressionError) -> None:
        match = _UNSUPPORTED.search(str(error))
        if match:
            self._findings.error(
                cell, "function_unsupported", name=match[1], position=error.position
            )
        else:
            self._findings.error(cell, "expression_bad", detail=str(error), position=error.position)

    def _is_unsound(self, cell: Cell, text: str, *, is_filter: bool) -> bool:
        # Long after names were replaced, or too many instances for one call.
        try:
            compile_expression(text, is_filter=is_filter)
        except ExpressionError as error:
            self._findings.error(cell, "expression_grown", detail=str(error))
            return True
        return False

    def _targets(self, name: str, place: Place, may_look_ahead: bool) -> "Targets | str":
        """Answer what a name stands for, or the code of what is wrong with it."""
        named = self._names.get(name)
        if named is None:
            return "name_unknown"
        free = [repeat for repeat in named.repeats if repeat not in place.instances]
        if named.kind is None:
            return self._section(name, named, place, may_look_ahead)
        if named.kind.group in ("system", "place") and not named.kind.name:
            return "name_of_device"
        if named.kind.name == "note":
            return Targets(("''",), is_set=False)
        is_known = named.order < place.order or (place.is_own_known and named.order == place.order)
        if not may_look_ahead and not is_known and named.kind.group in _ASKED:
            return "name_later"
        if place.is_own_known and named.order == place.order:
            # What is judged is not among the answers yet.
            ids: tuple[str, ...] = (".",)
        else:
            ids = tuple(
                f"${{{instance_id(named, instances)}}}"
                for instances in self._instances(place.instances, free)
            )
        return Targets(ids, is_set=bool(free))

    def _section(
        self, name: str, named: Named, place: Place, may_look_ahead: bool
    ) -> "Targets | str":
        if name not in self._counts:
            return "name_of_group"
        if not may_look_ahead and named.order >= place.order:
            return "name_later"
        # Also from within, a repeat is all of its instances.
        inner = [each for each in named.repeats if each not in place.instances] + [name]
        conditions = tuple(
            self._condition(name, named, instances)
            for instances in self._instances(place.instances, inner)
        )
        return Targets(conditions, is_set=True, is_presence=True)

    def _condition(self, name: str, named: Named, instances: Mapping[str, int]) -> str:
        """Answer the condition that an instance is there and its groups are relevant."""
        cells = [record.cells.get("relevant") for record in named.within]
        place = Place(named.order, instances)
        relevant = [self.expression(cell, place) for cell in cells if cell is not None]
        given = [each for each in (*relevant, self._presence(name, instances)) if each]
        return " and ".join(f"({each})" for each in given) or "true()"

    def _instances(self, known: Mapping[str, int], free: Sequence[str]) -> list[dict[str, int]]:
        ranges = [range(1, self._counts.get(repeat, 1) + 1) for repeat in free]
        return [
            {**known, **dict(zip(free, numbers, strict=True))}
            for numbers in itertools.product(*ranges)
        ]


class Targets(msgspec.Struct, frozen=True):
    """What one `${…}` becomes."""

    texts: tuple[str, ...]
    #: It names something within a repeat from outside of it.
    is_set: bool
    #: The texts are conditions, one an instance of a repeat.
    is_presence: bool = False


def instance_id(named: Named, instances: Mapping[str, int]) -> str:
    """Answer the id of a question within its instances: `name` in the second is `name_2`."""
    numbers = [str(instances[repeat]) for repeat in named.repeats]
    return "_".join([named.id, *numbers])


class _Walk:
    """Goes through an expression's tokens once."""

    def __init__(self, text: str, targets: Callable[[str], Targets | str]) -> None:
        self._tokens = list(_TOKEN.finditer(text))
        self._index = 0
        self._targets = targets
        self.faults: list[tuple[str, dict[str, object]]] = []

    def whole(self) -> str:
        return "".join(self._until_closed())

    def _until_closed(self) -> list[str]:
        """Answer the parts between commas up to a closing bracket or the end."""
        parts = [""]
        while self._index < len(self._tokens):
            token = self._tokens[self._index]
            self._index += 1
            match token.lastgroup:
                case "close":
                    return parts
                case "comma":
                    parts.append("")
                case "open":
                    parts[-1] += f"({''.join(self._until_closed())})"
                case "call":
                    parts[-1] += self._call(token[0][:-1].strip())
                case "reference":
                    parts[-1] += self._single(token[0])
                case "string":
                    parts[-1] += self._quoted(token[0])
                case _:
                    parts[-1] += token[0]
        return parts

    def _call(self, name: str) -> str:
        if name not in _AGGREGATES:
            return f"{name}({', '.join(part.strip() for part in self._until_closed())})"
        start, before = self._index, len(self.faults)
        parts = self._until_closed()
        bare = self._bare_arguments(start, self._index)
        self._forgive(before, bare.values())
        expanded: list[str] = []
        is_over_set = is_presence = False
        for index, part in enumerate(parts):
            found = bare.get(index)
            if found is not None and found.is_set:
                is_over_set, is_presence = True, found.is_presence
                expanded += found.texts
            else:
                expanded.append(part.strip())
        if not is_over_set:
            return f"{name}({', '.join(expanded)})"
        if is_presence:
            if name != "count" or len(parts) > 1:
                self.faults.append(("repeat_aggregate", {"name": name}))
            return f"count-true({', '.join(expanded)})"
        if name == "concat":
            expanded.insert(0, "''")
        return f"{_AGGREGATES[name]}({', '.join(expanded)})"

    def _forgive(self, before: int, bare: Iterable[Targets]) -> None:
        # The arguments were read one by one before it was known that they belong to an aggregate.
        if any(targets.is_set for targets in bare):
            own = [fault for fault in self.faults[before:] if fault[0] != "name_in_repeat"]
            self.faults[before:] = own

    def _bare_arguments(self, start: int, end: int) -> dict[int, Targets]:
        """Answer the arguments of a call that are one `${…}` and nothing else."""
        found: dict[int, Targets] = {}
        depth = position = 0
        own: dict[int, list[str]] = {}
        for token in self._tokens[start : end - 1]:
            depth += {"open": 1, "call": 1, "close": -1}.get(token.lastgroup or "", 0)
            if token.lastgroup == "comma" and depth == 0:
                position += 1
            elif token[0].strip():
                own.setdefault(position, []).append(token[0])
        for index, tokens in own.items():
            match = _REFERENCE.fullmatch(tokens[0]) if len(tokens) == 1 else None
            if match is not None:
                targets = self._targets(match[1])
                if isinstance(targets, Targets):
                    found[index] = targets
        return found

    def _single(self, written: str) -> str:
        match = _REFERENCE.fullmatch(written)
        name = match[1] if match else ""
        targets = self._targets(name)
        if isinstance(targets, str):
            self.faults.append((targets, {"name": name}))
            return ""
        if targets.is_set:
            self.faults.append(("name_in_repeat", {"name": name}))
            return ""
        return targets.texts[0]

    def _quoted(self, written: str) -> str:
        # jr:choice-name(${x}, '${x}') names the question within quotes.
        match = _REFERENCE.fullmatch(written[1:-1])
        return f"{written[0]}{self._single(written[1:-1])}{written[0]}" if match else written
