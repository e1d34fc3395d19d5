"""Answers of the visible questions, and what is calculated from them."""

import datetime as dt
import math
from collections.abc import Iterator, Mapping

from sync.expressions import Scope, as_text, compile_expression
from sync.forms import Service
from sync.limits import TEXT_CHARS_MAX


class AnswerValues(Mapping[str, str]):
    """Answers of the visible questions, and calculated values worked out when asked for."""

    def __init__(
        self,
        service: Service,
        kinds: Mapping[str, str],
        today: dt.date,
        labels: Mapping[str, Mapping[str, str]],
    ) -> None:
        """Begin without an answer; `kinds` and `labels` are those of a `Scope`."""
        self.answers: dict[str, str] = {}
        self._scope = Scope(self, kinds, today, labels=labels)
        self._calculations = {item.id: item.calculation for item in service.calculates}
        self._running: set[str] = set()
        self._known: dict[str, str] = {}

    def put(self, name: str, value: str) -> None:
        """Take an answer; what was calculated without it is worked out anew when asked for."""
        self.answers[name] = value
        self._known.clear()

    def __getitem__(self, name: str) -> str:
        if name in self._calculations:
            return self._calculated(name)
        return self.answers.get(name, "")

    def __iter__(self) -> Iterator[str]:
        return iter((*self.answers, *self._calculations))

    def __len__(self) -> int:
        return len(self.answers) + len(self._calculations)

    def _calculated(self, name: str) -> str:
        # A calculation that names itself, directly or not, has no value.
        if name in self._running:
            return ""
        # Without this, a chain in which each calculation names the one before twice takes 2ⁿ.
        if name in self._known:
            return self._known[name]
        self._running.add(name)
        value = compile_expression(self._calculations[name]).value(self._scope)
        self._running.discard(name)
        is_number = not (isinstance(value, float) and math.isnan(value))
        text = as_text(value)[:TEXT_CHARS_MAX] if is_number else ""
        self._known[name] = text
        return text
