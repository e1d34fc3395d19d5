"""The survey sheet as a tree of questions, groups and repeats, and the names in it."""

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from server.xlsform.findings import Cell, Findings
from server.xlsform.kinds import Kind, kind_of, suggestion
from server.xlsform.tables import Record

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_YES = frozenset({"yes", "true", "true()", "1"})
_NO = frozenset({"", "no", "false", "false()", "0"})


class Item(msgspec.Struct, frozen=True):
    """A row that asks, shows or computes something."""

    record: Record
    kind: Kind
    name: str
    id: str
    #: Place in the sheet; an expression may look at smaller ones.
    order: int


class Section(msgspec.Struct, frozen=True):
    """A group or a repeat with what is in it."""

    record: Record
    is_repeat: bool
    name: str
    id: str
    order: int
    children: "tuple[Item | Section, ...]"


class Named(msgspec.Struct, frozen=True):
    """What a name in `${…}` means."""

    id: str
    #: Names of the repeats around it, the outermost first.
    repeats: tuple[str, ...]
    order: int
    #: None for a group or repeat.
    kind: Kind | None
    record: Record
    #: Rows of the sections around it, the outermost first, and its own.
    within: tuple[Record, ...] = ()


class Survey(msgspec.Struct, frozen=True):
    """A whole form before it is unrolled."""

    children: tuple[Item | Section, ...]
    names: Mapping[str, Named]


class _Open:
    """A section whose end was not read yet."""

    def __init__(self, record: Record, name: str, identity: str, order: int, sort: str) -> None:
        self.record = record
        self.name = name
        self.id = identity
        self.order = order
        self.sort = sort
        self.children: list[Item | Section] = []

    def closed(self) -> Section:
        return Section(
            self.record,
            self.sort == "repeat",
            self.name,
            self.id,
            self.order,
            tuple(self.children),
        )


def truth_of(text: str) -> bool | None:
    """Answer what a yes/no column says; None for an expression."""
    small = text.strip().lower()
    return True if small in _YES else False if small in _NO else None


def plain_id(name: str) -> str:
    """Answer a name in the form of our ids: small letters, digits and _.

    >>> plain_id("Tree-Tag.1"), plain_id("_1")
    ('tree_tag_1', 'q_1')
    """
    small = re.sub(r"[^a-z0-9_]", "_", name.lower()).lstrip("_")
    return small if small[:1].isalpha() else f"q_{small}"


def read_survey(rows: Iterator[Record], findings: Findings) -> Survey:
    """Read the tree; faults are told, and what can be read is answered."""
    reader = _Reader(findings)
    for record in rows:
        reader.take(record)
    return reader.whole()


class _Reader:
    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._stack: list[_Open] = []
        self._top: list[Item | Section] = []
        self._names: dict[str, Named] = {}
        self._ids: set[str] = set()
        self._order = 0

    def take(self, record: Record) -> None:
        self._order += 1
        type_cell = record.cell("type")
        if truth_of(record.text("disabled")):
            self._findings.warning(record.cell("disabled"), "disabled")
            return
        if not record.text("type"):
            self._findings.error(type_cell, "no_type")
            return
        kind = kind_of(type_cell.text)
        if kind is None:
            near = suggestion(type_cell.text)
            code = "type_unknown_near" if near else "type_unknown"
            self._findings.error(type_cell, code, type=type_cell.text, near=near)
        elif kind.group == "refused":
            self._findings.error(type_cell, kind.name)
            self._add(record, kind)
        elif kind.group == "ignored":
            self._findings.warning(type_cell, "type_ignored", type=type_cell.text)
        elif kind.group == "end":
            self._close(record, kind.name)
        else:
            if kind.name == "loop":
                self._findings.error(type_cell, "type_loop")
            self._add(record, kind)

    def whole(self) -> Survey:
        for section in self._stack:
            self._findings.error(section.record.cell("type"), "section_open", name=section.name)
        return Survey(tuple(self._top), self._names)

    def _add(self, record: Record, kind: Kind) -> None:
        name = record.text("name")
        if not name and (kind.name == "note" or kind.group == "begin"):
            name = f"row_{record.row}"
        elif not _NAME.fullmatch(name):
            code = "name_bad" if name else "no_name"
            self._findings.error(record.cell("name"), code, name=name)
            return
        repeats = tuple(each.name for each in self._stack if each.sort == "repeat")
        is_section = kind.group == "begin"
        named = Named(
            self._id(name),
            repeats,
            self._order,
            None if is_section else kind,
            record,
            (*(each.record for each in self._stack), record),
        )
        first = self._names.setdefault(name, named)
        if first is not named:
            at = first.record.cell("name").at
            self._findings.error(record.cell("name"), "name_twice", name=name, first=at)
        if is_section:
            self._stack.append(_Open(record, name, named.id, self._order, kind.name))
        elif kind.group != "refused":
            # A refused row's name stays known, so that what names it is not told as a fault too.
            self._siblings().append(Item(record, kind, name, named.id, self._order))

    def _close(self, record: Record, sort: str) -> None:
        if not self._stack or self._stack[-1].sort != sort:
            self._findings.error(record.cell("type"), "section_not_open", sort=sort)
            return
        section = self._stack.pop().closed()
        self._siblings().append(section)

    def _siblings(self) -> list[Item | Section]:
        return self._stack[-1].children if self._stack else self._top

    def _id(self, name: str) -> str:
        base = identity = plain_id(name)
        number = 1
        while identity in self._ids:
            number += 1
            identity = f"{base}_{number}"
        self._ids.add(identity)
        return identity


def items_of(children: Sequence[Item | Section]) -> Iterator[Item]:
    """Walk all items in a tree, in the order of the sheet."""
    for child in children:
        if isinstance(child, Section):
            yield from items_of(child.children)
        else:
            yield child


def no_cell(record: Record) -> Cell:
    """Answer an empty cell at the beginning of a row."""
    return Cell("", record.sheet, record.start)
