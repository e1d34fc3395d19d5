"""Groups and repeats laid flat: a form of ours is one list of questions.

A repeat becomes so many instances as its count says, or `REPEATS_USUAL` with the question "is
there another?" before each further one. A group's `relevant` holds for all that is in it.
"""

from collections.abc import Mapping, Sequence

import msgspec

from server.xlsform.choices import ANOTHER_LIST, OTHER
from server.xlsform.findings import Cell, Findings
from server.xlsform.limits import QUESTIONS_MAX, REPEATS_USUAL
from server.xlsform.questions import Asker
from server.xlsform.repeats import Counting, and_also, more_id
from server.xlsform.rewriting import Place, Rewriter, instance_id
from server.xlsform.survey import Item, Named, Section, Survey
from server.xlsform.wording import Wording
from sync.expressions import compile_expression
from sync.forms import Calculate, Question, QuestionType, Text

_OTHER_LABEL = {"zh-CN": "是什么？请说明。", "en": "Please say which."}
_MORE = {"zh-CN": "还有吗？", "en": "Is there another one?"}
_DAY, _TIME = (
    {"zh-CN": "：哪一天？", "en": ": which day?"},
    {"zh-CN": "：几点？", "en": ": what time?"},
)


class Flat:
    """The questions and calculations of a form; made by `lay_flat`."""

    def __init__(self) -> None:
        self.questions: list[Question] = []
        #: With the cell of each, to tell of circles.
        self.calculates: dict[str, tuple[Calculate, Cell]] = {}
        #: Questions that decide how many instances there are, with the most.
        self.most: dict[str, int] = {}
        #: Lists of choices that are used with "other" added.
        self.with_other: set[str] = set()


class Unroller:
    """Walks the tree once for every instance."""

    def __init__(
        self,
        survey: Survey,
        counting: Counting,
        rewriter: Rewriter,
        wording: Wording,
        asker: Asker,
        findings: Findings,
    ) -> None:
        """Take the form's tree and what makes questions of its rows."""
        self._survey = survey
        self._asker = asker
        self._flat = Flat()
        self._counting = counting
        self._rewriter = rewriter
        self._wording = wording
        self._findings = findings
        self._told: set[int] = set()

    def lay_flat(self) -> Flat:
        """Answer the form's questions and calculations."""
        self._children(self._survey.children, {}, "")
        return self._flat

    def _children(
        self,
        children: Sequence[Item | Section],
        instances: Mapping[str, int],
        relevant: str,
    ) -> None:
        for child in children:
            place = Place(child.order, instances)
            own = child.record.cells.get("relevant")
            condition = self._rewriter.expression(own, place) if own is not None else ""
            both = and_also(relevant, condition)
            if isinstance(child, Item):
                self._item(self._survey.names[child.name], child, place, both)
            elif child.is_repeat:
                self._repeat(child, place, both)
            else:
                self._tell_section(child)
                self._children(child.children, instances, both)

    def _repeat(
        self,
        section: Section,
        place: Place,
        relevant: str,
    ) -> None:
        self._tell_section(section)
        named = self._survey.names[section.name]
        before = relevant
        for number in range(1, self._counting.counts[section.name] + 1):
            if len(self._flat.questions) > QUESTIONS_MAX:
                cell = section.record.cell("type")
                self._findings.error(cell, "questions_many", most=QUESTIONS_MAX)
                return
            instances = {**place.instances, section.name: number}
            if number > 1 and self._counting.is_open(section.name):
                question = self._more(section, place, more_id(named, section.name, instances))
                self._flat.questions.append(_with_relevant(question, before))
            presence = self._counting.presence(section.name, instances)
            before = and_also(relevant, presence)
            self._children(section.children, instances, before)
        if section.name in self._counting.asked:
            asked = self._survey.names[self._counting.asked[section.name]]
            self._flat.most[instance_id(asked, place.instances)] = REPEATS_USUAL

    def _more(self, section: Section, place: Place, identity: str) -> Question:
        cells = section.record.texts.get("label", {})
        title = self._wording.text(cells, lambda cell: self._rewriter.label(cell, place))
        words = {
            language: f"{title.get(language, '')} {_MORE[language]}".strip() for language in _MORE
        }
        return Question(
            id=identity,
            type="yes_no",
            label=words,
            voice=words,
            required=True,
            sensitivity="personal",
            choices=ANOTHER_LIST,
        )

    def _item(self, named: Named, item: Item, place: Place, relevant: str) -> None:
        identity = instance_id(named, place.instances)
        if item.order not in self._told:
            self._told.add(item.order)
            self._asker.tell_ignored(item.record)
        match item.kind.group:
            case "calculate":
                self._calculate(item, place, identity, relevant)
            case "system" | "place":
                self._system(item, identity)
            case "moment":
                self._moment(item, place, identity, relevant)
            case _:
                self._question(item, place, identity, relevant)

    def _question(
        self,
        item: Item,
        place: Place,
        identity: str,
        relevant: str,
    ) -> None:
        record = item.record
        if item.kind.choices and "label" in record.text("appearance").lower().split():
            self._findings.warning(record.cell("appearance"), "label_row")
            return
        if item.kind.name == "note" and not (record.texts.get("label") or record.texts.get("hint")):
            self._findings.warning(record.cell("type"), "note_empty")
            return
        asked = self._asker.question(item, place, identity, relevant)
        if record.text("calculation"):
            self._findings.warning(record.cell("calculation"), "calculation_shown")
            self._calculate(item, place, identity, relevant)
            label = {tag: f"{words} ${{{identity}}}" for tag, words in asked.label.items()}
            self._flat.questions.append(
                Question(
                    id=f"{identity}_shown",
                    type="note",
                    label=label,
                    voice=label,
                    required=False,
                    sensitivity=asked.sensitivity,
                    relevant=relevant,
                    hint=asked.hint,
                )
            )
            return
        self._flat.questions.append(asked)
        if item.kind.has_other:
            self._flat.with_other.add(item.kind.choices)
            self._flat.questions.append(_other(asked))

    def _calculate(self, item: Item, place: Place, identity: str, relevant: str) -> None:
        cell = item.record.cells.get("calculation")
        if cell is None and item.kind.name != "note":
            default = item.record.cells.get("default")
            if default is None:
                self._findings.error(item.record.cell("calculation"), "calculation_empty")
                return
            quoted = default.text if "(" in default.text or "$" in default.text else None
            text = quoted or f"'{default.text}'"
            cell = Cell(text, default.sheet, default.at)
        if cell is None:
            return
        if "once(" in cell.text.replace(" ", ""):
            self._findings.error(cell, "once_unsound")
            return
        text = self._rewriter.expression(cell, place, may_look_ahead=True)
        if relevant and text:
            # As in XForms, what is not relevant has no value.
            text = f"if({relevant}, {text}, '')"
        if text:
            self._flat.calculates[identity] = (Calculate(identity, text), cell)

    def _system(self, item: Item, identity: str) -> None:
        cell = item.record.cell("type")
        if item.kind.group == "place":
            self._findings.warning(cell, "place_known")
        elif item.kind.name:
            if item.kind.name == "now()":
                self._findings.warning(cell, "start_is_a_day")
        else:
            self._findings.warning(cell, "device_known")
        calculation = item.kind.name or "''"
        self._flat.calculates[identity] = (Calculate(identity, calculation), cell)

    def _moment(
        self,
        item: Item,
        place: Place,
        identity: str,
        relevant: str,
    ) -> None:
        """Ask a day and a time of day, and join them."""
        record = item.record
        for column in ("constraint", "default"):
            if column in record.cells:
                self._findings.error(record.cell(column), "moment_column")
                return
        whole = self._asker.question(item, place, identity, relevant)
        parts: tuple[tuple[QuestionType, Text], ...] = (("date", _DAY), ("time", _TIME))
        for kind, words in parts:
            label = {tag: f"{text}{words.get(tag, '')}" for tag, text in whole.label.items()}
            self._flat.questions.append(_part(whole, f"{identity}_{kind}", kind, label))
        text = f"concat(${{{identity}_date}}, 'T', ${{{identity}_time}})"
        self._flat.calculates[identity] = (Calculate(identity, text), record.cell("type"))
        self._findings.warning(record.cell("type"), "moment_parted")

    def _tell_section(self, section: Section) -> None:
        if section.order in self._told:
            return
        self._told.add(section.order)
        self._asker.tell_ignored(section.record)
        if not section.is_repeat:
            for column in ("label", "hint"):
                for cell in section.record.texts.get(column, {}).values():
                    self._findings.warning(cell, "group_title")
        for column in ("constraint", "required", "choice_filter", "calculation", "default"):
            if column in section.record.cells:
                self._findings.error(section.record.cell(column), "section_column", column=column)


def _other(asked: Question) -> Question:
    """Answer the question that "other" opens."""
    return msgspec.structs.replace(
        asked,
        id=f"{asked.id}_other",
        type="text_note",
        label=_OTHER_LABEL,
        voice=_OTHER_LABEL,
        hint={},
        required=True,
        required_when="",
        relevant=and_also(asked.relevant, f"selected(${{{asked.id}}}, '{OTHER}')"),
        constraint="",
        constraint_message={},
        choices="",
        choice_filter="",
        default="",
        is_read_only=False,
    )


def _part(whole: Question, identity: str, kind: QuestionType, label: Text) -> Question:
    """Answer one of the two questions that ask a day and a time of day."""
    return msgspec.structs.replace(whole, id=identity, type=kind, label=label, voice=label)


def circular(calculates: Mapping[str, tuple[Calculate, Cell]]) -> list[str]:
    """Answer the ids of calculations that need their own value."""
    return [name for name in calculates if name not in _ordered_names(calculates)]


def ordered(calculates: Mapping[str, tuple[Calculate, Cell]]) -> tuple[Calculate, ...]:
    """Answer the calculations, each after those that it names."""
    return tuple(calculates[name][0] for name in _ordered_names(calculates))


def _ordered_names(calculates: Mapping[str, tuple[Calculate, Cell]]) -> list[str]:
    waits = {
        name: set(compile_expression(item.calculation).names) & calculates.keys()
        for name, (item, _) in calculates.items()
    }
    done: dict[str, None] = {}
    while ready := [name for name in waits if name not in done and waits[name] <= done.keys()]:
        done.update(dict.fromkeys(ready))
    return list(done)


def _with_relevant(question: Question, relevant: str) -> Question:
    return msgspec.structs.replace(question, relevant=relevant)
