"""What may happen to a visit, and what a visit asks of the shell. Values only."""

from typing import Literal

from kiosk.assisted.company import Helper
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
    "print",
    "comfort",
    "sign_in",
    "helper_number",
    "helper_pin",
    "helper_done",
    "helper_line",
    "helper_next",
    "helper_again",
    "helper_day",
    "same_person",
    "family",
    "agree",
    "disagree",
    "offer_take",
    "offer_other",
    "withdraw",
    "withdraw_yes",
    "withdraw_no",
    "rate_matter",
    "looks",
    "lessons",
    "lesson",
    "practise",
    "board",
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


class HelperKnown(Part, frozen=True, tag=True):
    """Number and PIN fit."""

    helper: Helper


class HelperRefused(Part, frozen=True, tag=True):
    """They do not, or it is too early for another try."""

    wait_s: int


class DayListed(Part, frozen=True, tag=True):
    """What a helper handed in today, the newest first."""

    matters: tuple[Matter, ...]


class Tallied(Part, frozen=True, tag=True):
    """How many matters this kiosk knows, and how many of them are decided."""

    handed_in: int
    decided: int


class StickMoved(Part, frozen=True, tag=True):
    """Something new is to be said of a stick, or it was pulled out."""

    is_there: bool


class CardCame(Part, frozen=True, tag=True):
    """A card was read, or with "" could not be."""

    id_number: str = ""
    name: str = ""


class Presented(Part, frozen=True, tag=True):
    """A receipt was held before the scanner."""

    case_no: str


class PrinterMoved(Part, frozen=True, tag=True):
    """Something new is to be said of the printer."""


Event = (
    Touch
    | Attached
    | Committed
    | Failed
    | Found
    | StickMoved
    | PrinterMoved
    | Presented
    | CardCame
    | HelperKnown
    | HelperRefused
    | DayListed
    | Tallied
)


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


class CheckHelper(Part, frozen=True, tag=True):
    """Find out whether number and PIN fit; answered by `HelperKnown` or `HelperRefused`."""

    number: str
    pin: str


class ListDay(Part, frozen=True, tag=True):
    """Find what a helper handed in today; answered by `DayListed`."""

    number: str


class Tally(Part, frozen=True, tag=True):
    """Count this kiosk's matters; answered by `Tallied`."""


class CountUnmet(Part, frozen=True, tag=True):
    """Note that somebody did not find what they need; nobody and nothing is named."""


class PrintSlip(Part, frozen=True, tag=True):
    """Print the slip of a case; nothing waits for it."""

    case_no: str
    service: str
    language: str


Effect = (
    Submit
    | Prepare
    | LookUp
    | Wipe
    | Discard
    | Ring
    | Carried
    | PrintSlip
    | CheckHelper
    | ListDay
    | Tally
    | CountUnmet
)
