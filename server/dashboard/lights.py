"""The traffic light of a case: how urgent it is, as shape, word and colour."""

from datetime import date
from typing import Literal

import msgspec

Urgency = Literal["late", "today", "soon", "fine", "waiting", "done", "open"]

#: One shape for each meaning, so that colour is never alone.
SHAPES: dict[Urgency, str] = {
    "late": "■",
    "today": "▲",
    "soon": "▲",
    "fine": "●",
    "waiting": "◇",
    "done": "✓",
    "open": "○",
}
TONES: dict[Urgency, str] = {
    "late": "bad",
    "today": "warn",
    "soon": "warn",
    "fine": "good",
    "waiting": "calm",
    "done": "calm",
    "open": "calm",
}
#: From so many days on there is nothing to hurry about: two days hold a weekend's Friday.
SOON_DAYS = 2


class Light(msgspec.Struct, frozen=True):
    """How urgent a case is."""

    urgency: Urgency
    #: Calendar days until the due date; negative when it has passed, 0 without a date.
    days: int

    @property
    def shape(self) -> str:
        """Answer the sign that stands before the word."""
        return SHAPES[self.urgency]

    @property
    def tone(self) -> str:
        """Answer the colour's name in the style sheet."""
        return TONES[self.urgency]


def light(state: str, due_on: str, today: date) -> Light:
    """Answer how urgent a case is.

    A case that waits for the resident or is closed is never urgent for the clerk.

    Args:
        state: State of the case.
        due_on: ISO date of the promise, "" when none was given.
        today: The local day.

    >>> light("received", "2026-11-23", date(2026, 11, 24)).urgency
    'late'
    """
    if state in {"completed", "refused", "withdrawn"}:
        return Light("done", 0)
    if state == "correction":
        return Light("waiting", 0)
    if not due_on:
        return Light("open", 0)
    days = (date.fromisoformat(due_on) - today).days
    if days < 0:
        return Light("late", days)
    if days == 0:
        return Light("today", 0)
    return Light("soon" if days <= SOON_DAYS else "fine", days)
