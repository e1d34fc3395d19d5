"""What may happen to a visit, and what a visit asks of the shell. Values only."""

from typing import Literal

from kiosk.places import Part
from kiosk.visit import Matter
from sync.records import Receipt, Transaction

# --- what may happen ---

Action = Literal[
    "open",
    "other",
    "service",
    "answer",
    "skip",
    "back",
    "home",
    "leave_yes",
    "leave_no",
    "language",
    "help",
    "help_close",
    "change",
    "submit",
    "rate",
    "rate_skip",
    "matters",
    "matter",
    "correct",
    "still_here",
    "timeout",
    "more",
    "continue",
    "call_helper",
    "decline",
    "discard",
    "retry",
    "carry",
    "stick_close",
]


class Touch(Part, frozen=True, tag=True):
    """A touch of the resident, or the page's `timeout`."""

    action: Action
    value: str = ""
    question: str = ""


class Attached(Part, frozen=True, tag=True):
    """The kiosk now holds that many attachments of a question."""

    question: str
    count: int


class Committed(Part, frozen=True, tag=True):
    """The transaction is on disk."""

    receipt: Receipt


class Failed(Part, frozen=True, tag=True):
    """The effect could not be done; nothing was promised."""

    code: str


class Found(Part, frozen=True, tag=True):
    """What the look-up found; empty = nothing."""

    matters: tuple[Matter, ...]


class StickMoved(Part, frozen=True, tag=True):
    """Something new is to be said of a stick, or it was pulled out."""

    is_there: bool


Event = Touch | Attached | Committed | Failed | Found | StickMoved


# --- what is asked of the shell ---


class Submit(Part, frozen=True, tag=True):
    """Seal and commit; answered by `Committed` or `Failed`."""

    transaction: Transaction


class Prepare(Part, frozen=True, tag=True):
    """Get ready for a submit that will probably come: do the slow work that it needs."""

    transaction: Transaction


class LookUp(Part, frozen=True, tag=True):
    """Find matters by case number, or by ID number and phone tail; answered by `Found`."""

    case_no: str = ""
    id_number: str = ""
    phone_tail: str = ""


class Wipe(Part, frozen=True, tag=True):
    """Forget attachments and live audio of this visit."""


class Discard(Part, frozen=True, tag=True):
    """Forget the attachments of one question."""

    question: str


class Ring(Part, frozen=True, tag=True):
    """Call the helper."""


class Carried(Part, frozen=True, tag=True):
    """Note that a phone has what this visit's codes showed."""

    visit: str


Effect = Submit | Prepare | LookUp | Wipe | Discard | Ring | Carried
