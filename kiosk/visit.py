"""One resident's visit as data: where they are and what they said.

Everything is immutable and memory only. `kiosk.flows` decides what follows from an event
(`kiosk.events`); `kiosk.effects` does what is asked; `kiosk.views` shows it.
"""

from collections.abc import Mapping
from typing import Literal

from kiosk.assisted.company import Helper, Line, Person
from kiosk.comfort import Comfort
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
    #: This ends the matter `corrects` (撤回); it asks nothing.
    is_withdrawal: bool = False
    #: Number of the helper who touched this; it stays when they sign out before the end.
    helped_by: str = ""
    #: The resident heard the whole and said yes.
    is_agreed: bool = False
    #: Questions that an earlier matter of this visit answered, and those offered so.
    given: frozenset[str] = frozenset()
    offered: frozenset[str] = frozenset()


class Matter(Part, frozen=True):
    """What this kiosk knows of one case."""

    case_no: str
    service: str
    #: Kiosk's clock at the commit, Unix ms; 0 when not known any more.
    confirmed_ms: int
    is_delivered: bool
    #: Oldest first.
    notices: tuple[Notice, ...] = ()
    #: The resident has rated it; has asked here for it to be withdrawn.
    is_rated: bool = False
    is_withdrawing: bool = False
    #: Looks at its data that the centre told of, oldest first.
    looks: tuple[Notice, ...] = ()


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
    #: How they like to see and hear.
    comfort: Comfort = Comfort()
    #: Who helps here; None = the resident is alone. Outlives a visit, not a silence.
    helper: Helper | None = None
    line: Line = Line()
    #: People of this visit's matters, the newest last, and for whom the next one is begun.
    known: tuple[Person, ...] = ()
    carries: Literal["", "same", "family"] = ""
    #: Lesson that is practised: nothing that happens is real; "" = it is.
    lesson: str = ""
    #: How many matters of this kiosk are handed in and decided; None = not counted.
    tally: tuple[int, int] | None = None
