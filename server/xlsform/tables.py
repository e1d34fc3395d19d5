"""Sheets as records: headings in all the spellings that authors use, texts by language."""

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from server.xlsform.findings import Cell, Findings
from server.xlsform.workbook import Sheet

Text = Mapping[str, Cell]
"""The cells of one text by language tag; "" for the column without a language."""

_ALIASES: Mapping[str, str] = {
    "list name": "list_name",
    "list-name": "list_name",
    "value": "name",
    "caption": "label",
    "relevance": "relevant",
    "bind relevant": "relevant",
    "bind constraint": "constraint",
    "bind required": "required",
    "bind calculate": "calculation",
    "bind readonly": "read_only",
    "bind jr constraintmsg": "constraint_message",
    "bind jr requiredmsg": "required_message",
    "constraint message": "constraint_message",
    "constraint-msg": "constraint_message",
    "constraint msg": "constraint_message",
    "constraint_msg": "constraint_message",
    "required message": "required_message",
    "requiredmsg": "required_message",
    "readonly": "read_only",
    "read only": "read_only",
    "calculate": "calculation",
    "control appearance": "appearance",
    "guidance hint": "guidance_hint",
    "choice filter": "choice_filter",
    "repeat count": "repeat_count",
    "jr count": "repeat_count",
    "count": "repeat_count",
    "bind bianmin type": "bianmin:type",
    "bind bianmin sensitivity": "bianmin:sensitivity",
    "bianmin type": "bianmin:type",
    "bianmin sensitivity": "bianmin:sensitivity",
    "media image": "image",
    "media audio": "audio",
    "media video": "video",
    "media big-image": "big-image",
    "id_string": "form_id",
    "title": "form_title",
}
_TRANSLATED = frozenset(
    {
        "label",
        "hint",
        "guidance_hint",
        "constraint_message",
        "required_message",
        "image",
        "audio",
        "video",
        "big-image",
    }
)
_LANGUAGES: Mapping[str, str] = {
    "chinese": "zh-CN",
    "mandarin": "zh-CN",
    "中文": "zh-CN",
    "汉语": "zh-CN",
    "普通话": "zh-CN",
    "zh": "zh-CN",
    "zh-hans": "zh-CN",
    "zh-cn": "zh-CN",
    "cn": "zh-CN",
    "english": "en",
    "英文": "en",
    "英语": "en",
}
_TAG = re.compile(r"\(\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\s*\)\s*$")
_HAN = re.compile(r"[\u4e00-\u9fff]")


class Record(msgspec.Struct, frozen=True):
    """One row: its cells by the usual name of the column."""

    sheet: str
    row: int
    cells: Mapping[str, Cell]
    #: Translated columns, by language.
    texts: Mapping[str, Text]

    def text(self, column: str) -> str:
        """Answer what stands in a column that has no languages; "" for nothing."""
        return self.cells[column].text if column in self.cells else ""

    def cell(self, column: str) -> Cell:
        """Answer the cell of a column, or of the row's beginning where it is empty."""
        found = self.cells.get(column) or next(iter(self.texts.get(column, {}).values()), None)
        return found or Cell("", self.sheet, self.start)

    @property
    def start(self) -> str:
        """Answer where the row's first filled cell is."""
        first = [cell.at for cell in self.cells.values()]
        first += [cell.at for text in self.texts.values() for cell in text.values()]
        return min(first, key=lambda at: (len(at), at)) if first else f"A{self.row}"


class Heading(msgspec.Struct, frozen=True):
    """A column: its usual name and language."""

    name: str
    language: str
    cell: Cell


def language_tag(written: str) -> str:
    """Answer the tag that a column's language stands for.

    >>> language_tag("English (en)"), language_tag("中文"), language_tag("Swahili (sw)")
    ('en', 'zh-CN', 'sw')
    """
    written = written.strip()
    match = _TAG.search(written)
    short = (match[1] if match else written).lower()
    known = _LANGUAGES.get(short)
    return known or re.sub(r"[^a-z0-9-]+", "-", short).strip("-") or "und"


def guessed_language(text: str) -> str:
    """Answer the language of a text that says none: Chinese by its characters, else English."""
    return "zh-CN" if _HAN.search(text) else "en"


def heading(cell: Cell) -> Heading:
    """Read a heading like "label::English (en)", "bind:relevant" or "List Name"."""
    mark = "::" if "::" in cell.text else ":"
    parts = [part.strip() for part in cell.text.split(mark)]
    parts = [part for part in parts if part]
    for size in range(len(parts), 0, -1):
        spelled = " ".join(re.sub(r"\s+", " ", part.lower()) for part in parts[:size])
        name = _ALIASES.get(spelled) or _ALIASES.get(spelled.replace(":", " ")) or spelled
        rest = parts[size:]
        if name in _TRANSLATED:
            return Heading(name, language_tag(mark.join(rest)) if rest else "", cell)
        if name != spelled and not rest:
            return Heading(name, "", cell)
    return Heading(" ".join(parts).lower(), "", cell)


def records(sheet: Sheet, findings: Findings) -> Iterator[Record]:
    """Walk the rows below the headings; faults of the headings are told."""
    numbers = list(sheet.rows)
    if not numbers:
        return
    headings = {at: heading(cell) for at, cell in sheet.rows[numbers[0]].items()}
    seen: dict[str, Heading] = {}
    for each in headings.values():
        first = seen.setdefault(each.cell.text.lower(), each)
        if first is not each:
            findings.error(each.cell, "heading_twice", first=first.cell.at, name=each.cell.text)
    for number in numbers[1:]:
        yield _record(sheet, number, headings, findings)


def _is_doubled(one: Heading, headings: Iterable[Heading]) -> bool:
    """Answer whether a heading stands twice, which is told once and not at every row."""
    return sum(each.cell.text.lower() == one.cell.text.lower() for each in headings) > 1


def _record(
    sheet: Sheet, number: int, headings: Mapping[int, Heading], findings: Findings
) -> Record:
    cells: dict[str, Cell] = {}
    texts: dict[str, dict[str, Cell]] = {}
    for at, cell in sheet.rows[number].items():
        found = headings.get(at)
        if found is None:
            findings.error(cell, "no_heading")
            continue
        filled = texts.setdefault(found.name, {}) if found.name in _TRANSLATED else cells
        key = found.language if found.name in _TRANSLATED else found.name
        if key in filled and not _is_doubled(found, headings.values()):
            # Two spellings of one column, as "constraint message" and "bind:jr:constraintMsg".
            findings.error(cell, "cell_twice", first=filled[key].at, name=found.name)
        filled[key] = cell
    return Record(sheet.name, number, cells, {name: text for name, text in texts.items() if text})
