"""One resident's visit as data: where they are and what they said.

Everything is immutable and memory only. `kiosk.flows` decides what follows from an event
(`kiosk.events`); `kiosk.effects` does what is asked; `kiosk.views` shows it.
"""

from collections.abc import Mapping

from kiosk.places import AtHome, Overlay, Part, Place
from sync.records import Notice, Receipt

DEFAULT_LANGUAGE = "zh-CN"


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
