"""Putting a slip together from what the kiosk holds, and giving it to the printer."""

import logging
import sqlite3
from collections.abc import Mapping, Sequence

import msgspec
from sqlite_utils import Database as Tables

from kiosk.devices.printing import Printing
from kiosk.events import PrintSlip
from kiosk.phrases import day_of
from kiosk.receipt import SlipFacts, slip_of
from kiosk.settings import Settings
from sync import outbox
from sync.catalogues import Loaded
from sync.database import Database, StorageFailed
from sync.device import KioskIdentity
from sync.forms import Text, Village
from sync.wire import CourierTooLong, courier_url
from voice_prompts.wording import Wording

_log = logging.getLogger(__name__)


#: Dots across the paper by its width in mm, at 8 dots a mm and the makers' white edges.
_WIDTHS = {58: 384, 80: 576}


class _Held(msgspec.Struct, frozen=True):
    """What the store still knows of a case."""

    #: The signed envelope; b"" = delivered long ago.
    courier: bytes = b""
    #: When it was handed in, Unix ms; 0 = not known any more.
    at_ms: int = 0
    #: The centre's word by when, ISO; "" = it told none.
    due_on: str = ""


class Slips:
    """Prints slips of cases.

    Args:
        printing: The printer.
        database: The open store.
        identity: The kiosk's number, name and village.
        settings: The paper's width.
        wordings: By language.
    """

    def __init__(
        self,
        printing: Printing,
        database: Database,
        identity: KioskIdentity,
        settings: Settings,
        wordings: Mapping[str, Wording],
    ) -> None:
        self._printing = printing
        self._database = database
        self._identity = identity
        self._settings = settings
        self._wordings = wordings

    async def print(self, asked: PrintSlip, loaded: Loaded) -> None:
        """Begin to print; what the store cannot tell is left out, the number is always there."""
        service = loaded.catalogue.find(asked.service)
        if service is None:
            return
        try:
            held = await self._database.run(_held, asked.case_no)
        except (StorageFailed, sqlite3.Error, OSError) as error:
            _log.warning("a slip knows only its number", extra={"reason": type(error).__name__})
            held = _Held()
        offset_min = self._settings.utc_offset_min
        facts = SlipFacts(
            case_no=asked.case_no,
            handed_in=day_of(held.at_ms, offset_min).isoformat() if held.at_ms else "",
            due_on=held.due_on,
            hotline=loaded.hotline,
            kiosk_name=self._identity.name,
            village=_village(loaded.villages, self._identity.village_code),
            courier_url=self._url(held.courier),
        )
        wording = self._wordings.get(asked.language) or next(iter(self._wordings.values()))
        slip = slip_of(facts, service, asked.language, wording)
        self._printing.begin(
            msgspec.structs.replace(
                slip,
                width_dots=_WIDTHS[self._settings.slip_width_mm],
                is_native_qr=self._settings.is_qr_by_printer,
            )
        )

    def forget(self) -> None:
        """Forget the visit's slip."""
        self._printing.forget()

    def _url(self, courier: bytes) -> str:
        if not courier or not self._identity.public_url:
            return ""
        try:
            return courier_url(self._identity.public_url, courier)
        except (CourierTooLong, ValueError):
            return ""


def _held(db: Tables, case_no: str) -> _Held:
    notices = outbox.notices_of(db, case_no)
    due = next((n for n in reversed(notices) if n.due_on and not n.is_about), None)
    due_on = due.due_on if due else ""
    receipt = outbox.receipt_of_case(db, case_no)
    if receipt is None:
        return _Held(due_on=due_on)
    try:
        courier = outbox.courier_of(db, receipt.seq)
    except outbox.OutboxEmpty:
        courier = b""
    return _Held(courier, receipt.confirmed_ms, due_on)


def _village(villages: Sequence[Village], code: str) -> Text:
    return next((village.name for village in villages if village.code == code), {})
