"""Forms made in a test, and made-up residents who fill them in."""

import datetime as dt
import io
import random
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape

from server.xlsform.convert import Converted, convert, trial_catalogue
from server.xlsform.findings import Finding, XlsformRefused
from server.xlsform.workbook import column_name
from sync.answers import decode_transaction, encode_transaction
from sync.dictionary import build_dictionary
from sync.evaluation import offered, problem_of, problems, relevant_questions
from sync.forms import Catalogue, Question, Service
from sync.records import Transaction

TODAY = dt.date(2026, 11, 24)
Rows = Sequence[Sequence[object]]
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def workbook(**sheets: Rows) -> bytes:
    """Write an .xlsx with these sheets; None leaves a cell empty."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as package:
        names, links = "", ""
        for number, (name, rows) in enumerate(sheets.items(), start=1):
            names += f'<sheet name="{escape(name)}" sheetId="{number}" r:id="rId{number}"/>'
            links += f'<Relationship Id="rId{number}" Target="worksheets/sheet{number}.xml"/>'
            package.writestr(f"xl/worksheets/sheet{number}.xml", _sheet(rows))
        package.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}"><sheets>{names}</sheets></workbook>',
        )
        package.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{_PACKAGE}">{links}</Relationships>',
        )
    return raw.getvalue()


def _sheet(rows: Rows) -> str:
    cells = ""
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            if value is None:
                continue
            at = f"{column_name(column)}{number}"
            if isinstance(value, (int, float)):
                cells += f'<c r="{at}"><v>{value}</v></c>'
            else:
                cells += f'<c r="{at}" t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'
    return f'<worksheet xmlns="{_MAIN}"><sheetData><row>{cells}</row></sheetData></worksheet>'


def form(head: str, *rows: str, choices: Sequence[str] = (), **sheets: Rows) -> bytes:
    """Write a form from lines of cells parted by "|"."""
    lists = {"choices": [_cells(line) for line in choices]} if choices else {}
    return workbook(survey=[_cells(line) for line in (head, *rows)], **lists, **sheets)


def _cells(line: str) -> list[str | None]:
    return [cell.strip() or None for cell in line.split("|")]


def made(raw: bytes) -> Converted:
    return convert("form.xlsx", raw)


def service_of(head: str, *rows: str, choices: Sequence[str] = ()) -> Service:
    return made(form(head, *rows, choices=choices)).service


def refused(raw: bytes) -> tuple[Finding, ...]:
    """Answer the errors of a form that must not run."""
    try:
        made(raw)
    except XlsformRefused as error:
        return tuple(each for each in error.findings if each.severity == "error")
    raise AssertionError("the form was not refused")


def told(raw: bytes) -> set[tuple[str, str]]:
    """Answer place and code of all that was found, whether or not the form runs."""
    try:
        findings = made(raw).findings
    except XlsformRefused as error:
        findings = error.findings
    return {(each.place, each.code) for each in findings}


def errors(raw: bytes) -> set[tuple[str, str]]:
    return {(each.place, each.code) for each in refused(raw)}


def catalogue_of(service: Service) -> Catalogue:
    return trial_catalogue(service)


def asked(service: Service, **answers: str) -> list[str]:
    """Answer the ids of what is asked, given these answers."""
    found = relevant_questions(catalogue_of(service), service, answers, TODAY)
    return [question.id for question in found]


def walk(service: Service, seed: int) -> Mapping[str, str]:
    """Let a made-up resident answer everything that is asked, question by question."""
    chance = random.Random(seed)
    catalogue = catalogue_of(service)
    answers: dict[str, str] = {}
    passed: set[str] = set()
    while True:
        questions = relevant_questions(catalogue, service, answers, TODAY)
        question = next((q for q in questions if q.id not in answers and q.id not in passed), None)
        if question is None:
            return answers
        for value in _values(catalogue, service, question, answers, chance):
            if problem_of(catalogue, service, question, value, answers, TODAY) is None:
                answers[question.id] = value
                break
        else:
            assert problem_of(catalogue, service, question, "", answers, TODAY) is None, question.id
            passed.add(question.id)


def carried(service: Service, answers: Mapping[str, str]) -> Mapping[str, str]:
    """Answer the answers as they come out of an envelope's bytes."""
    catalogue = catalogue_of(service)
    assert problems(catalogue, service, answers, TODAY) == ()
    words = build_dictionary(catalogue)
    transaction = Transaction(
        id=bytes(range(16)), service=service.id, language="zh-CN", answers=dict(answers)
    )
    raw = encode_transaction(catalogue, words, transaction)
    return decode_transaction(catalogue, words, raw).answers


def _values(
    catalogue: Catalogue,
    service: Service,
    question: Question,
    answers: Mapping[str, str],
    chance: random.Random,
) -> Iterator[str]:
    names = [choice.name for choice in offered(catalogue, service, question, answers, TODAY)]
    chance_order = names.copy()
    chance.shuffle(chance_order)
    match question.type:
        case "note":
            return
        case "choice" | "yes_no":
            yield from chance_order
        case "rank":
            yield " ".join(chance_order)
        case "multi_choice":
            chosen = set(chance_order[: chance.randint(1, 2)])
            yield " ".join(name for name in names if name in chosen)
            yield from chance_order
        case _:
            yield from _PLAIN[question.type]


_PLAIN: Mapping[str, Sequence[str]] = {
    "text_note": ("今年雨水多", "a@b.example"),
    "name": ("王小明",),
    "phone": ("13812345678",),
    "integer": ("3", "0", "40", "61", "2"),
    "decimal": ("12.5", "0.5", "-3", "40"),
    "range": ("1", "2", "5"),
    "date": ("2026-12-01", "1960-02-29"),
    "time": ("08:30",),
    "photo": ("1",),
    "signature": ("1",),
    "voice_note": ("=桥头的灯坏了", "1"),
    "barcode": ("6901234567892",),
    "acknowledge": ("OK",),
    "consent": ("OK",),
    "amount": ("12.50",),
}
