"""Spreadsheets as texts by cell: .xlsx read here, .xls by xlrd; both within bounds.

Why not openpyxl: docs/decisions/0040-xlsforms-of-others.md.
"""

import datetime as dt
import importlib.util
import io
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec

from server.xlsform.findings import Cell, Findings
from server.xlsform.limits import (
    CELL_CHARS_MAX,
    CELLS_MAX,
    COLUMNS_MAX,
    FILE_BYTES_MAX,
    OLD_FILE_S,
    ROWS_MAX,
    UNPACKED_BYTES_MAX,
)
from server.xlsform.old_files import OldSheet
from sync.errors import MALFORMED

Rows = Mapping[int, Mapping[int, Cell]]
"""Filled cells by row from 1 and column from 0."""

_NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_OLE = b"\xd0\xcf\x11\xe0"
_DATE_STYLES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001 -- a sheet's dates have no zone
_ROOT = Path(__file__).parents[2]
_DAYS_MAX = 2_958_465  # 9999-12-31


class Sheet(msgspec.Struct, frozen=True):
    """One sheet: only its filled cells."""

    name: str
    rows: Rows


class _Broken(Exception):
    """The file is not what its name says."""


def read_workbook(name: str, raw: bytes, findings: Findings) -> tuple[Sheet, ...]:
    """Read every sheet.

    Raises:
        XlsformRefused: Not a spreadsheet, damaged, protected by a password, or too large.
    """
    file = Cell("", name, "")
    if len(raw) > FILE_BYTES_MAX:
        findings.error(file, "file_too_large", most=FILE_BYTES_MAX // 1024)
    elif raw[:4] not in (_OLE, b"PK\x03\x04"):
        findings.error(file, "not_a_spreadsheet")
    findings.refuse_if_any()
    sheets: tuple[Sheet, ...] = ()
    try:
        sheets = tuple(_xls(raw, findings) if raw[:4] == _OLE else _xlsx(raw, findings))
    except _Broken:
        findings.error(file, "file_damaged")
    except ModuleNotFoundError:
        findings.error(file, "xls_unread")
    findings.refuse_if_any()
    return sheets


def column_name(index: int) -> str:
    """Answer the letters of a column counted from 0.

    >>> column_name(27)
    'AB'
    """
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def date_text(days: float) -> str:
    """Answer what a spreadsheet's day number says: a date, a time of day, or both."""
    if not 0 <= days <= _DAYS_MAX:
        return ""
    minutes = round(days * 1440)
    moment = _EPOCH + dt.timedelta(minutes=minutes)
    if days < 1:
        return f"{moment:%H:%M}"
    return f"{moment:%Y-%m-%d}" if minutes % 1440 == 0 else f"{moment:%Y-%m-%dT%H:%M}"


def number_text(number: float) -> str:
    """Answer a number as its author typed it: without ".0", and without a float's last digits."""
    if number == int(number) and abs(number) < 1e15:
        return str(int(number))
    return format(number, ".15g")


class _Table:
    """Collects the cells of one sheet within the bounds."""

    def __init__(self, name: str, findings: Findings) -> None:
        self.name = name
        self.rows: dict[int, dict[int, Cell]] = {}
        self._findings = findings
        self._count = 0

    def put(self, row: int, column: int, text: str) -> None:
        text = text.strip()
        if not text or self._findings.has_errors:
            return
        at = f"{column_name(column)}{row}"
        cell = Cell(text, self.name, at)
        self._count += 1
        if row > ROWS_MAX or column >= COLUMNS_MAX or self._count > CELLS_MAX:
            self._findings.error(cell, "sheet_too_large", rows=ROWS_MAX, columns=COLUMNS_MAX)
        elif len(text) > CELL_CHARS_MAX:
            self._findings.error(Cell("", self.name, at), "cell_too_long", most=CELL_CHARS_MAX)
        else:
            self.rows.setdefault(row, {})[column] = cell

    def sheet(self) -> Sheet:
        return Sheet(self.name, dict(sorted(self.rows.items())))


def _xls(raw: bytes, findings: Findings) -> Iterator[Sheet]:
    if importlib.util.find_spec("xlrd") is None:
        raise ModuleNotFoundError("xlrd")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "server.xlsform.old_files"],
            input=raw,
            capture_output=True,
            timeout=OLD_FILE_S,
            check=True,
            cwd=_ROOT,
        )
        sheets = msgspec.json.decode(done.stdout, type=list[OldSheet])
    except (subprocess.SubprocessError, OSError, *MALFORMED) as error:
        raise _Broken from error
    for name, cells in sheets:
        table = _Table(name, findings)
        for row, column, kind, value in cells:
            table.put(row + 1, column, _xls_text(kind, value))
        yield table.sheet()


def _xls_text(kind: int, value: str | float) -> str:
    match kind, value:
        case 2, float() | int():
            return number_text(float(value))
        case 3, float() | int():
            return date_text(float(value))
        case 4, _:
            return "TRUE" if value else "FALSE"
        case 1, str(text):
            return text
        case _:
            return ""


def _xlsx(raw: bytes, findings: Findings) -> Iterator[Sheet]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as package:
            if sum(item.file_size for item in package.infolist()) > UNPACKED_BYTES_MAX:
                raise _Broken
            yield from _Package(package).sheets(findings)
    except (
        zipfile.BadZipFile,
        zlib.error,
        OverflowError,
        ET.ParseError,
        ValueError,
        LookupError,
        NotImplementedError,
        RuntimeError,
        EOFError,
        OSError,
    ) as error:
        raise _Broken from error


class _Package:
    """An .xlsx file: parts of XML in a zip."""

    def __init__(self, package: zipfile.ZipFile) -> None:
        self._package = package
        self._left = UNPACKED_BYTES_MAX
        names = set(package.namelist())
        self._texts = self._shared() if "xl/sharedStrings.xml" in names else []
        self._date_styles = self._dated() if "xl/styles.xml" in names else frozenset()

    def sheets(self, findings: Findings) -> Iterator[Sheet]:
        book = self._xml("xl/workbook.xml")
        links = self._xml("xl/_rels/workbook.xml.rels")
        targets = {link.get("Id"): link.get("Target", "") for link in links}
        for sheet in book.iterfind(f"{_NS}sheets/{_NS}sheet"):
            target = targets[sheet.get(_REL)].lstrip("/")
            path = target if target.startswith("xl/") else f"xl/{target}"
            if "worksheets/" in path:
                yield self._sheet(path, _Table(sheet.get("name", ""), findings))

    def _xml(self, path: str) -> ET.Element:
        with self._package.open(path) as part:
            # The sizes in a zip's directory may lie.
            raw = part.read(self._left + 1)
        self._left -= len(raw)
        if self._left < 0 or b"<!DOCTYPE" in raw[:1024]:
            raise _Broken
        return ET.fromstring(raw)  # noqa: S314 -- bounded, and without entities of its own

    def _shared(self) -> list[str]:
        return [_rich(item) for item in self._xml("xl/sharedStrings.xml")]

    def _dated(self) -> frozenset[int]:
        styles = self._xml("xl/styles.xml")
        own = {
            int(form.get("numFmtId", "0"))
            for form in styles.iter(f"{_NS}numFmt")
            if _is_date_format(form.get("formatCode", ""))
        }
        uses = styles.iterfind(f"{_NS}cellXfs/{_NS}xf")
        kinds = [int(use.get("numFmtId", "0")) for use in uses]
        return frozenset(i for i, kind in enumerate(kinds) if kind in own | _DATE_STYLES)

    def _sheet(self, path: str, table: _Table) -> Sheet:
        for cell in self._xml(path).iter(f"{_NS}c"):
            if not len(cell):
                # Coloured and empty; a sheet may have a hundred thousand of them.
                continue
            match = _REFERENCE.fullmatch(cell.get("r", ""))
            if match is None:
                raise _Broken
            column = 0
            for letter in match[1]:
                column = column * 26 + ord(letter) - 64
            table.put(int(match[2]), column - 1, self._text(cell))
        return table.sheet()

    def _text(self, cell: ET.Element) -> str:
        value = cell.findtext(f"{_NS}v") or ""
        match cell.get("t", "n"):
            case "s":
                return self._texts[int(value)] if value else ""
            case "inlineStr":
                inline = cell.find(f"{_NS}is")
                return "" if inline is None else _rich(inline)
            case "b":
                return ("TRUE" if value == "1" else "FALSE") if value else ""
            case "n" if value:
                number = float(value)
                is_date = int(cell.get("s", "0")) in self._date_styles
                return date_text(number) if is_date else number_text(number)
            case _:
                return value


def _rich(item: ET.Element) -> str:
    """Answer the text of all runs, without the reading aids of East Asian texts."""
    parts = [item.findtext(f"{_NS}t") or ""]
    parts += [run.findtext(f"{_NS}t") or "" for run in item.iterfind(f"{_NS}r")]
    return "".join(parts)


def _is_date_format(code: str) -> bool:
    plain = re.sub(r'"[^"]*"|\\.|\[[^\]]*\]', "", code.lower())
    return plain != "general" and re.search(r"[ymdhs]", plain) is not None
