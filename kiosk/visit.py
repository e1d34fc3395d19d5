"""One resident's visit as data: where they are, what they said, what may happen, what is asked.

Everything is immutable and memory only. `kiosk.flows` decides what follows from an event;
`kiosk.effects` does what is asked; `kiosk.views` shows it.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Literal

import msgspec

from sync.forms import Catalogue, Service, Text, Village
from sync.limits import IDLE_S
from sync.records import Notice, Receipt, Transaction

DEFAULT_LANGUAGE = "zh-CN"
#: Until a catalogue has told the place's own.
DEFAULT_HOTLINE = "12345"


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of a visit's parts: immutable."""


# --- where the resident is ---


class AtHome(Part, frozen=True, tag=True):
    """The categories, six a page."""

    page: int = 1


class InCategory(Part, frozen=True, tag=True):
    """The services of one category."""

    category: str
    page: int = 1


class AtOther(Part, frozen=True, tag=True):
    """Nothing on the home screen fits: who helps all the same."""


class AtMaterials(Part, frozen=True, tag=True):
    """What to have at hand, told once and at the beginning (一次性告知)."""


class Asking(Part, frozen=True, tag=True):
    """One question."""

    question: str
    #: Page of its choices or villages, from 1.
    page: int = 1
    #: Code of what was wrong with the last answer, "" = nothing, and how often in a row.
    error: str = ""
    tries: int = 0
    #: An answer that looked odd: the same once more is taken.
    doubted: str = ""
    #: Came from the check page by its pencil: goes back there.
    is_change: bool = False


class Warned(Part, frozen=True, tag=True):
    """It is known that one condition of the service does not fit."""

    #: Index in `Service.eligibility`.
    index: int
    #: The question whose answer told; back leads there.
    question: str
    is_change: bool = False


class Checking(Part, frozen=True, tag=True):
    """Reading back the whole, four lines a page."""

    page: int = 1


class Waiting(Part, frozen=True, tag=True):
    """An effect is under way."""

    #: What is waited for.
    why: Literal["submit", "lookup"]


class AtReceipt(Part, frozen=True, tag=True):
    """It is on disk: number, QR, promised days."""


class Rating(Part, frozen=True, tag=True):
    """Five faces."""


class AtThanks(Part, frozen=True, tag=True):
    """The visit's end."""

    why: Literal["done", "rated", "declined", "carried"] = "done"


class AtMatters(Part, frozen=True, tag=True):
    """The matters found; none = plain words what to do."""

    page: int = 1


class AtMatter(Part, frozen=True, tag=True):
    """One matter with its road of pictures."""

    case_no: str


class AtCarry(Part, frozen=True, tag=True):
    """A helper's phone takes along what waits here: first its page, then the codes."""

    is_showing: bool = False


class AtFault(Part, frozen=True, tag=True):
    """The kiosk could not do it. `code` is for the helper."""

    code: str


Place = (
    AtHome
    | InCategory
    | AtOther
    | AtMaterials
    | Asking
    | Warned
    | Checking
    | Waiting
    | AtReceipt
    | Rating
    | AtThanks
    | AtMatters
    | AtMatter
    | AtCarry
    | AtFault
)
Overlay = Literal["", "help", "leave", "idle", "stick"]


# --- what they said ---


class Draft(Part, frozen=True):
    """One form being filled; it never touches the disk."""

    service: str
    #: By question id; also those that are hidden at the moment, so that going back loses nothing.
    answers: Mapping[str, str] = {}
    #: Questions passed over by the skip button.
    skipped: frozenset[str] = frozenset()
    #: Indexes of `Service.eligibility` that the resident was told of and went on.
    accepted: frozenset[int] = frozenset()
    #: How many photos, signatures or recordings the kiosk holds, by question.
    held: Mapping[str, int] = {}
    #: Case number that this answers, and the only questions asked then; "" and () else.
    corrects: str = ""
    only: tuple[str, ...] = ()
    #: Minted when the check page opens: a second submit of it is the same one.
    transaction_id: bytes = b""
    #: A rating given on the spot after a receipt: no check page, no receipt of its own.
    is_rating: bool = False


class Matter(Part, frozen=True):
    """What this kiosk knows of one case."""

    case_no: str
    service: str
    #: Kiosk's clock at the commit, Unix ms; 0 when not known any more.
    confirmed_ms: int
    is_delivered: bool
    #: Oldest first.
    notices: tuple[Notice, ...] = ()


class Visit(Part, frozen=True):
    """One resident before the screen, from the first touch to the wipe."""

    #: Unguessable; a page of another visit cannot act.
    id: str
    #: Counts steps; a page of an older step cannot act.
    rev: int = 0
    language: str = DEFAULT_LANGUAGE
    place: Place = AtHome()
    overlay: Overlay = ""
    draft: Draft | None = None
    receipt: Receipt | None = None
    matters: tuple[Matter, ...] = ()
    #: What was asked for when matters were looked up by number; "" else.
    asked_case_no: str = ""
    #: The helper was called during this visit.
    is_helper_called: bool = False


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


# --- what the visit knows of the world ---


class StickView(Part, frozen=True):
    """What happens to a stick that was put in."""

    phase: Literal["working", "done", "failed"] = "working"
    #: Failed: `sync.sticks.Why`, "foreign" when the centre did not mark it, or "fault".
    why: str = ""
    #: Done: what was laid on it, and whether it brought words of the centre.
    envelopes: int = 0
    attachments: int = 0
    has_brought: bool = False


class World(Part, frozen=True):
    """Facts that a step and a screen need, as values."""

    catalogue: Catalogue
    today: dt.date
    #: A fresh transaction id and a fresh visit id, should this step need one.
    fresh_id: bytes
    fresh_token: str
    villages: tuple[Village, ...] = ()
    #: The kiosk's own village.
    village_code: str = ""
    kiosk_no: int = 0
    #: Reasons of the desk by code.
    reasons: Mapping[str, Text] = {}
    hotline: str = DEFAULT_HOTLINE
    #: Envelopes kept here and not yet acknowledged.
    pending: int = 0
    is_reachable: bool = True
    #: When the centre last answered, Unix ms; 0 = never.
    last_ok_ms: int = 0
    #: Offset of the place from UTC, for days shown to people.
    utc_offset_min: int = 480
    has_printer: bool = False
    #: Seconds without a touch until “are you still there?”.
    idle_s: int = IDLE_S
    #: Address of the page that carries for the village; "" when the centre told none.
    carry_url: str = ""
    #: Of the pending ones, how many a phone has taken along.
    carried: int = 0
    #: A stick that is in; None = none is.
    stick: StickView | None = None
    #: The receipt on the screen: acknowledged, its courier address, its due date when told.
    is_delivered: bool = False
    courier_url: str = ""
    due_on: str = ""
    due_is_about: bool = False


def service_of(draft: Draft, world: World) -> Service:
    """Answer the service of a draft.

    Raises:
        KeyError: The catalogue has none of that id; a draft is only begun with one that it has.
    """
    return world.catalogue.service(draft.service)
