"""A file of XLSForm as a service of ours, or the cells that stand against it. Pure."""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from server.xlsform.choices import ANOTHER, ANOTHER_LIST, read_choices, with_other
from server.xlsform.findings import Cell, Finding, Findings, XlsformRefused
from server.xlsform.limits import FINDINGS_MAX
from server.xlsform.questions import Asker
from server.xlsform.repeats import Counting
from server.xlsform.rewriting import Rewriter
from server.xlsform.survey import Survey, plain_id, read_survey, truth_of
from server.xlsform.tables import Record, guessed_language, language_tag, records
from server.xlsform.unrolling import Flat, Unroller, circular, ordered
from server.xlsform.wording import Wording
from server.xlsform.workbook import Sheet, read_workbook
from sync.forms import Catalogue, Choice, Question, Service

_HEAD = Path(__file__).with_name("head.json")
_SETTINGS = frozenset(
    {"form_title", "form_id", "version", "default_language", "allow_choice_duplicates", "name"}
)
#: The sheet for what an XLSForm has no place for; its rows are a name and a value.
_HEAD_FIELDS = frozenset(
    {
        "category",
        "department",
        "level",
        "promised_working_days",
        "statutory_working_days",
        "case_kind",
        "allow_anonymous",
        "basis",
        "retention",
    }
)
_SHEETS = frozenset({"survey", "choices", "settings", "service"})


class Converted(msgspec.Struct, frozen=True):
    """A form that runs here."""

    service: Service
    #: What is left out or done in another way; no errors.
    findings: tuple[Finding, ...]


def convert(name: str, raw: bytes) -> Converted:
    """Read a form.

    Args:
        name: Of the file; messages about the file as a whole say it.
        raw: An .xlsx or .xls workbook; anything may stand in it.

    Raises:
        XlsformRefused: It cannot run here as its author means it; the message names each cell.
    """
    findings = Findings()
    sheets = _sheets(name, read_workbook(name, raw, findings), findings)
    settings = _settings(sheets.get("settings"), findings)
    wording = Wording(_default_language(settings), findings)
    rows = records(sheets["survey"], findings)
    survey = read_survey(rows, findings)
    lists = _lists(sheets.get("choices"), settings, wording, findings)
    service = _service(name, sheets, settings, survey, lists, wording, findings)
    wording.tell_missing()
    if len(findings.found) > FINDINGS_MAX:
        raise XlsformRefused(findings.found[:FINDINGS_MAX])
    findings.refuse_if_any()
    return Converted(service, tuple(findings.found))


def trial_catalogue(service: Service) -> Catalogue:
    """Answer a catalogue of this service alone, for looking at it before it is published."""
    return Catalogue(
        schema="bianmin-catalogue/1",
        version="trial",
        default_language="zh-CN",
        languages=("zh-CN", "en"),
        types={},
        categories=(),
        shared_choice_lists={},
        system_variables=(),
        services=(service,),
    )


def _sheets(name: str, sheets: Sequence[Sheet], findings: Findings) -> Mapping[str, Sheet]:
    found: dict[str, Sheet] = {}
    for sheet in sheets:
        small = sheet.name.strip().lower()
        if small in _SHEETS and small not in found:
            found[small] = sheet
        elif sheet.rows and not small.startswith("_"):
            findings.warning(Cell("", sheet.name, ""), "sheet_ignored")
    if "survey" not in found or not found["survey"].rows:
        findings.error(Cell("", name, ""), "no_survey")
    elif "type" not in {cell.text.strip().lower() for cell in _first_row(found["survey"])}:
        findings.error(_first_row(found["survey"])[0], "no_type_column")
    findings.refuse_if_any()
    return found


def _first_row(sheet: Sheet) -> list[Cell]:
    return list(next(iter(sheet.rows.values())).values())


def _settings(sheet: Sheet | None, findings: Findings) -> Record:
    rows = list(records(sheet, findings)) if sheet is not None else []
    settings = rows[0] if rows else Record("settings", 2, {}, {})
    for column, cell in settings.cells.items():
        if column in ("public_key", "submission_url"):
            findings.warning(cell, "sealed_anyway")
        elif column not in _SETTINGS:
            findings.warning(cell, "setting_ignored", name=column)
    return settings


def _default_language(settings: Record) -> str:
    written = settings.text("default_language")
    return language_tag(written) if written else ""


def _lists(
    sheet: Sheet | None, settings: Record, wording: Wording, findings: Findings
) -> dict[str, tuple[Choice, ...]]:
    if sheet is None:
        return {}
    may_repeat = bool(truth_of(settings.text("allow_choice_duplicates")))
    return read_choices(records(sheet, findings), wording, findings, may_repeat=may_repeat)


def _service(
    name: str,
    sheets: Mapping[str, Sheet],
    settings: Record,
    survey: Survey,
    lists: Mapping[str, tuple[Choice, ...]],
    wording: Wording,
    findings: Findings,
) -> Service:
    counting = Counting(survey, findings)
    rewriter = Rewriter(survey.names, findings, counting.counts, counting.presence, lists)
    asker = Asker(rewriter, wording, findings, lists)
    flat = Unroller(survey, counting, rewriter, wording, asker, findings).lay_flat()
    for identity in circular(flat.calculates):
        findings.error(flat.calculates[identity][1], "calculation_circle")
    if not findings.has_errors and not any(question.type != "note" for question in flat.questions):
        findings.error(_first_row(sheets["survey"])[0], "nothing_asked")
    title = settings.text("form_title") or Path(name).stem
    spoken = {**wording.same(title), guessed_language(title): title}
    head = _head(sheets.get("service"), findings)
    service = msgspec.convert(
        {
            **head,
            "id": plain_id(settings.text("form_id") or settings.text("name") or Path(name).stem),
            "version": settings.text("version") or "1",
            "name": spoken,
            "plain_name": spoken,
            "notices": _filled(head["notices"], spoken),
            "choice_lists": _used_lists(flat, lists),
            "questions": tuple(_capped(question, flat.most) for question in flat.questions),
            "calculates": ordered(flat.calculates),
        },
        Service,
    )
    asker.judge_defaults(trial_catalogue(service), service)
    return service


def _capped(question: Question, most: Mapping[str, int]) -> Question:
    """Bound the answer that says how often a repeat comes by what was unrolled."""
    if question.id not in most:
        return question
    return msgspec.structs.replace(question, min_value="0", max_value=str(most[question.id]))


def _used_lists(
    flat: Flat, lists: Mapping[str, tuple[Choice, ...]]
) -> dict[str, tuple[Choice, ...]]:
    every = {
        **lists,
        **{f"{name}_or_other": with_other(lists.get(name, ())) for name in flat.with_other},
        ANOTHER_LIST: ANOTHER,
    }
    used = {question.choices for question in flat.questions}
    return {name: choices for name, choices in every.items() if name in used}


@functools.cache
def _usual_head() -> Mapping[str, Any]:
    return msgspec.json.decode(_HEAD.read_bytes(), type=dict[str, Any])


def _head(sheet: Sheet | None, findings: Findings) -> dict[str, Any]:
    """Answer what a service has beside its questions, with what the sheet `service` says."""
    head = dict(_usual_head())
    for row in sheet.rows.values() if sheet is not None else ():
        cells = list(row.values())
        name = cells[0].text.strip().lower()
        if name not in _HEAD_FIELDS or len(cells) != 2:
            findings.error(
                cells[0], "head_unknown", name=name, known=", ".join(sorted(_HEAD_FIELDS))
            )
            continue
        value = _head_value(head[name], cells[1].text)
        if value is None:
            findings.error(cells[1], "head_bad", name=name)
        else:
            head[name] = value
    return head


def _head_value(usual: object, text: str) -> object:
    match usual:
        case bool():
            return truth_of(text)
        case int():
            return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else None
        case _ if usual == "application" and text not in (
            "application",
            "report",
            "feedback",
            "booking",
        ):
            return None
        case _:
            return text


def _filled(notices: Mapping[str, Any], title: Mapping[str, str]) -> dict[str, Any]:
    """Put the form's title into the usual notices."""
    return {
        outcome: {
            part: {
                language: words.replace("{service}", title.get(language, ""))
                for language, words in text.items()
            }
            for part, text in notice.items()
        }
        for outcome, notice in notices.items()
    }
