"""One row that asks or shows something, as a question of ours."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, get_args

import msgspec

from server.xlsform.choices import is_yes_no
from server.xlsform.findings import Cell, Findings
from server.xlsform.rewriting import Place, Rewriter
from server.xlsform.survey import Item, truth_of
from server.xlsform.tables import Record
from server.xlsform.wording import Wording, joined
from sync.answer_types import is_decimal, type_fault
from sync.forms import Catalogue, Choice, Question, QuestionType, Service

Sensitivity = Literal["none", "personal", "sensitive"]
_DYNAMIC = re.compile(r"\$\{|[A-Za-z-]\(.*\)", re.DOTALL)
#: Appearances of text questions that name a type of ours.
_TEXT_TYPES = frozenset({"name", "id_number", "phone", "bank_card", "case_no", "digits4"})
_OUR_TYPES = frozenset({*_TEXT_TYPES, "amount", "signature", "consent", "village"})
#: What an appearance of ODK's asks for that a kiosk does anyway, or that changes the look alone.
_HARMLESS = re.compile(
    r"numbers|thousands-sep|bearing|minimal|likert|quick|quickcompact|compact(-\d+)?|columns.*|"
    r"horizontal(-compact)?|vertical|no-buttons|autocomplete.*|search|field-list|table-list|label|"
    r"list(-nolabel)?|multiline|no-calendar|month-year|year|new(-front|-rear)?|front|maps|"
    r"placement-map|picker|rating|printer.*|hidden-answer|masked|w\d+|image-map|w|h|hide-input|"
    r"coptic|ethiopian|islamic|bikram-sambat|myanmar|persian|annotate|draw|signature"
)
_REFUSED_APPEARANCES = ("ex:", "intent:", "search(", "image-map", "bikram", "counter(")
_LOOSE = frozenset({"year", "month-year"})
_SENSITIVITIES: Mapping[str, Sensitivity] = {name: name for name in get_args(Sensitivity)}
_TYPES: Mapping[str, QuestionType] = {name: name for name in get_args(QuestionType)}
#: Columns that change nothing on a kiosk, with what is told of them.
_IGNORED: Mapping[str, str] = {
    "rows": "column_ignored",
    "autoplay": "column_ignored",
    "buttontext": "column_ignored",
    "noapperrorstring": "column_ignored",
    "save_to": "column_ignored",
    "tutorial notes": "column_ignored",
    "notes": "column_ignored",
    "comment": "column_ignored",
    "comments": "column_ignored",
}
_KNOWN = frozenset(
    {
        "type",
        "name",
        "required",
        "relevant",
        "constraint",
        "calculation",
        "default",
        "read_only",
        "appearance",
        "parameters",
        "repeat_count",
        "choice_filter",
        "disabled",
        "bianmin:type",
        "bianmin:sensitivity",
    }
)


class Asker:
    """Makes questions; what cannot be one is told by cell."""

    def __init__(
        self,
        rewriter: Rewriter,
        wording: Wording,
        findings: Findings,
        lists: Mapping[str, tuple[Choice, ...]],
    ) -> None:
        self._rewriter = rewriter
        self._wording = wording
        self._findings = findings
        self._lists = lists
        #: Defaults that are written out, to be judged when the form is whole.
        self.defaults: list[tuple[Cell, str, str]] = []

    def question(self, item: Item, place: Place, identity: str, relevant: str) -> Question:
        """Answer the question of a row within its instances of repeats.

        Args:
            item: The row.
            place: Its order and instances.
            identity: Its id there.
            relevant: Condition over our ids, groups included.
        """
        record = item.record
        kind = self._type(item)
        is_read_only, is_required, required_when = self._switches(item, place)
        default = self._default(item, place, identity, kind)
        if is_read_only and not default and kind != "note":
            self._findings.warning(record.cell("read_only"), "shown_only")
            kind, is_read_only = "note", False
        if kind == "note":
            is_required, required_when, default = False, "", ""
        label, hint = self._texts(item, place)
        asked = Question(
            id=identity,
            type=kind,
            label=label,
            voice=label,
            required=is_required,
            sensitivity=self._sensitivity(item),
            relevant=relevant,
            constraint=self._expression(item, place, "constraint"),
            constraint_message=self._text(item, place, "constraint_message"),
            hint=hint,
            default=default,
            is_read_only=is_read_only,
            required_when=required_when,
        )
        if kind in ("choice", "yes_no", "multi_choice", "rank"):
            asked = self._with_choices(asked, item, place)
        return self._ranged(asked, item) if kind == "range" else asked

    def tell_ignored(self, record: Record) -> None:
        """Warn of what stands in a row and is not used; once a row, whatever its instances."""
        for column, cell in record.cells.items():
            if column == "trigger" or column.startswith(("bind", "body", "instance", "control")):
                self._findings.error(cell, "column_refused", column=column)
            elif column not in _KNOWN and column:
                self._findings.warning(cell, _IGNORED.get(column, "column_unknown"), column=column)
        for column in ("image", "audio", "video", "big-image"):
            for cell in record.texts.get(column, {}).values():
                self._findings.warning(cell, "media_ignored", column=column)
        for cell in record.texts.get("required_message", {}).values():
            self._findings.warning(cell, "required_message")
        self._tell_appearance(record)

    def judge_defaults(self, catalogue: Catalogue, service: Service) -> None:
        """Tell of defaults that are written out and no answer to their question."""
        questions = {question.id: question for question in service.questions}
        for cell, identity, value in self.defaults:
            # A calculated question is none any more: its value is never the default.
            question = questions.get(identity)
            if question is None or question.type == "note":
                continue
            if type_fault(catalogue, service, question, value):
                self._findings.error(cell, "default_bad", value=cell.text, type=question.type)

    def _type(self, item: Item) -> QuestionType:
        record, kind = item.record, item.kind.name
        words = record.text("appearance").lower().split()
        wanted = record.text("bianmin:type")
        if wanted and wanted not in _OUR_TYPES:
            self._findings.error(record.cell("bianmin:type"), "our_type_unknown", type=wanted)
        if kind == "text_note":
            kind = next((word for word in (wanted, *words) if word in _TEXT_TYPES), kind)
        elif kind == "decimal" and "amount" in (wanted, *words):
            kind = "amount"
        elif kind == "photo" and {"signature", "draw"} & {wanted, *words}:
            kind = "signature"
        elif kind == "acknowledge" and wanted == "consent":
            kind = "consent"
        elif kind == "choice" and is_yes_no(self._lists.get(item.kind.choices, ())):
            kind = "yes_no"
        elif wanted and wanted != kind:
            self._findings.error(record.cell("bianmin:type"), "our_type_other", type=wanted)
        return _TYPES[kind]

    def _switches(self, item: Item, place: Place) -> tuple[bool, bool, str]:
        record = item.record
        is_read_only = truth_of(record.text("read_only"))
        if is_read_only is None:
            self._findings.error(record.cell("read_only"), "read_only_expression")
        is_required = truth_of(record.text("required"))
        when = "" if is_required is not None else self._expression(item, place, "required")
        return bool(is_read_only), bool(is_required), when

    def _default(self, item: Item, place: Place, identity: str, kind: str) -> str:
        cell = item.record.cells.get("default")
        if cell is None or kind == "note":
            return ""
        if _DYNAMIC.search(cell.text):
            return self._rewriter.expression(cell, place)
        value = cell.text
        if kind == "time" and re.fullmatch(r"0?\.[0-9]+", value):
            minutes = round(float(value) * 1440) % 1440
            value = f"{minutes // 60:02d}:{minutes % 60:02d}"
        elif kind == "date":
            value = value[:10]
        elif kind == "time":
            value = value[:5]
        if "'" in value and '"' in value:
            self._findings.error(cell, "default_quotes")
            return ""
        self.defaults.append((cell, identity, value))
        mark = '"' if "'" in value else "'"
        return f"{mark}{value}{mark}"

    def _texts(self, item: Item, place: Place) -> tuple[dict[str, str], dict[str, str]]:
        label = self._text(item, place, "label")
        hint = self._text(item, place, "hint")
        guidance = self._text(item, place, "guidance_hint")
        hint = joined(hint, guidance)
        if not label and hint:
            return hint, {}
        if not label:
            self._findings.error(item.record.cell("label"), "no_label", name=item.name)
        return label, hint

    def _text(self, item: Item, place: Place, column: str) -> dict[str, str]:
        cells = item.record.texts.get(column, {})
        return self._wording.text(cells, lambda cell: self._rewriter.label(cell, place))

    def _expression(self, item: Item, place: Place, column: str) -> str:
        cell = item.record.cells.get(column)
        if cell is None:
            return ""
        here = msgspec.structs.replace(place, is_own_known=column == "constraint")
        return self._rewriter.expression(cell, here)

    def _sensitivity(self, item: Item) -> Sensitivity:
        written = item.record.text("bianmin:sensitivity") or "personal"
        known = _SENSITIVITIES.get(written)
        if known is None:
            cell = item.record.cell("bianmin:sensitivity")
            self._findings.error(cell, "sensitivity_unknown", name=written)
        return known or "personal"

    def _with_choices(self, asked: Question, item: Item, place: Place) -> Question:
        name = item.kind.choices
        if name.startswith("${"):
            self._findings.error(item.record.cell("type"), "choices_from_repeat")
        elif name not in self._lists:
            self._findings.error(item.record.cell("type"), "list_unknown", list=name)
        cell = item.record.cells.get("choice_filter")
        condition = ""
        if cell is not None:
            condition = self._rewriter.expression(cell, place, is_filter=True)
            if item.kind.has_other:
                self._findings.error(cell, "other_with_filter")
        list_name = f"{name}_or_other" if item.kind.has_other else name
        return msgspec.structs.replace(asked, choices=list_name, choice_filter=condition)

    def _ranged(self, asked: Question, item: Item) -> Question:
        cell = item.record.cell("parameters")
        given = dict(re.findall(r"(\w+)\s*=\s*([^\s,;]+)", item.record.text("parameters")))
        start, end, step = (given.get(key, usual) for key, usual in _RANGE)
        unknown = set(given) - {"start", "end", "step", "tick_interval", "placeholder"}
        if unknown or not all(map(is_decimal, (start, end, step))):
            self._findings.error(cell, "range_bad")
            return asked
        if Decimal(step) <= 0 or Decimal(end) < Decimal(start):
            self._findings.error(cell, "range_empty", start=start, end=end, step=step)
            return asked
        return msgspec.structs.replace(asked, min_value=start, max_value=end, step=step)

    def _tell_appearance(self, record: Record) -> None:
        cell = record.cells.get("appearance")
        if cell is None:
            return
        small = cell.text.lower()
        if any(mark in small for mark in _REFUSED_APPEARANCES):
            self._findings.error(cell, "appearance_refused", appearance=cell.text)
            return
        for word in small.split():
            if word in _LOOSE:
                self._findings.warning(cell, "appearance_whole_date", appearance=word)
            elif word not in _OUR_TYPES and not _HARMLESS.fullmatch(word):
                self._findings.warning(cell, "appearance_unknown", appearance=word)


_RANGE = (("start", "1"), ("end", "10"), ("step", "1"))
