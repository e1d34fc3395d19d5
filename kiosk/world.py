"""What a step and a screen know of the world, as values."""

import datetime as dt
from collections.abc import Mapping
from typing import Literal

from kiosk.devices.views import PrinterView
from kiosk.places import Part
from kiosk.visit import Draft
from sync.forms import Catalogue, Service, Text, Village
from sync.limits import IDLE_S
from voice_prompts.installed import Dialect

#: Until a catalogue has told the place's own.
DEFAULT_HOTLINE = "12345"


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
    #: It speaks only after a touch now, and lower.
    is_quiet: bool = False
    #: The slip printer, and what became of this visit's slip.
    printer: PrinterView = PrinterView()
    #: The reader of ID cards: "" = none, "ready" or "gone".
    card_reader: Literal["", "ready", "gone"] = ""
    #: The scanner, alike.
    scanner: Literal["", "ready", "gone"] = ""
    #: Names can be written by finger.
    has_handwriting: bool = False
    #: Seconds without a touch until “are you still there?”.
    idle_s: int = IDLE_S
    #: Address of the page that carries for the village; "" when the centre told none.
    carry_url: str = ""
    #: Dialects that are installed and say enough to be offered.
    dialects: tuple[Dialect, ...] = ()
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
