"""How many instances a repeat has, and when each of them is there."""

from collections.abc import Mapping, Sequence

from server.xlsform.findings import Cell, Findings
from server.xlsform.limits import REPEATS_MAX, REPEATS_USUAL
from server.xlsform.rewriting import instance_id
from server.xlsform.survey import Item, Named, Section, Survey


class Counting:
    """How many instances repeats have, and when one is there."""

    def __init__(self, survey: Survey, findings: Findings) -> None:
        self._survey = survey
        self._findings = findings
        self.counts: dict[str, int] = {}
        #: Of a repeat whose count is a question's answer: that question's name.
        self.asked: dict[str, str] = {}
        self._is_open: set[str] = set()
        self._walk(survey.children)

    def presence(self, name: str, instances: Mapping[str, int]) -> str:
        """Answer the condition that an instance of a repeat is there; its group's left out."""
        named, number = self._survey.names[name], instances[name]
        if name in self.asked:
            asked = self._survey.names[self.asked[name]]
            return f"${{{instance_id(asked, instances)}}} >= {number}"
        if name in self._is_open and number > 1:
            return f"${{{more_id(named, name, instances)}}} = 'yes'"
        return ""

    def is_open(self, name: str) -> bool:
        """Answer whether the resident says how many there are, one by one."""
        return name in self._is_open

    def _walk(self, children: Sequence[Item | Section]) -> None:
        for child in children:
            if isinstance(child, Section):
                if child.is_repeat:
                    self._count(child)
                self._walk(child.children)

    def _count(self, section: Section) -> None:
        cell = section.record.cells.get("repeat_count")
        self.counts[section.name] = REPEATS_USUAL
        if cell is None:
            self._is_open.add(section.name)
            return
        number = self._constant(cell.text)
        if number is None:
            self._ask(section, cell)
        elif not 1 <= number <= REPEATS_MAX or number != int(number):
            self._findings.error(cell, "repeat_many", most=REPEATS_MAX)
        else:
            self.counts[section.name] = int(number)

    def _constant(self, text: str) -> float | None:
        """Answer the number that a count is whatever is answered; None when it depends."""
        name = text.strip().removeprefix("${").removesuffix("}").strip()
        named = self._survey.names.get(name)
        if named is not None and named.kind is not None and named.kind.group == "calculate":
            text = named.record.text("calculation")
        try:
            number = float(text)
        except ValueError:
            return None
        return number

    def _ask(self, section: Section, cell: Cell) -> None:
        name = cell.text.strip().removeprefix("${").removesuffix("}").strip()
        named = self._survey.names.get(name)
        own = self._survey.names[section.name]
        is_number = named is not None and named.kind is not None and named.kind.name == "integer"
        if named is None or not is_number or named.order > own.order:
            self._findings.error(cell, "repeat_count")
        elif named.repeats != own.repeats[: len(named.repeats)]:
            self._findings.error(cell, "name_in_repeat", name=name)
        else:
            self.asked[section.name] = name
            self._findings.warning(cell, "repeat_capped", most=REPEATS_USUAL)


def more_id(named: Named, name: str, instances: Mapping[str, int]) -> str:
    """Answer the id of the question "another?" before an instance from the second on."""
    numbers = [str(instances[each]) for each in (*named.repeats, name)]
    return "_".join([named.id, "more", *numbers])


def and_also(*conditions: str) -> str:
    """Answer the expression that holds when all of these do; "" always holds."""
    given = list(dict.fromkeys(condition for condition in conditions if condition))
    return given[0] if len(given) == 1 else " and ".join(f"({each})" for each in given)
