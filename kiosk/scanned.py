"""A code that was held before the scanner: a receipt, a badge, or nothing of ours. Pure."""

from msgspec.structs import replace

from kiosk.assisted.signing_in import BADGE
from kiosk.events import LookUp, Touch
from kiosk.leaving import Step
from kiosk.places import Asking, AtHome, SigningIn, Waiting
from kiosk.visit import Visit
from kiosk.world import World, service_of
from sync.errors import BianminError
from sync.ids import case_number, is_case_number
from sync.wire import COURIER_PATH, courier_raw, decode_courier


def case_of(text: str, kiosk_id: bytes, kiosk_no: int) -> str:
    """Answer the case number that a code stands for; "" = none.

    A slip's square carries the sealed envelope itself. Only its clear header is looked at, and
    only the kiosk that wrote it can tell its number from it.

    Args:
        text: What was scanned; anything at all.
        kiosk_id: Of this kiosk's key.
        kiosk_no: Its number.
    """
    digits = text.replace(" ", "")
    if is_case_number(digits):
        return digits
    _, path, number = text.upper().rpartition(COURIER_PATH)
    if not path:
        return ""
    try:
        header = decode_courier(courier_raw(number))[0].header
        return case_number(kiosk_no, header.seq) if header.kiosk_id == kiosk_id else ""
    except (BianminError, ValueError):
        return ""


def touch_of(visit: Visit, text: str, case_no: str, world: World) -> Touch | None:
    """Answer the touch that a code stands for on this screen; None = it says nothing here."""
    if text.startswith(BADGE) and isinstance(visit.place, AtHome | SigningIn):
        return Touch("helper_number", text)
    if case_no and isinstance(visit.place, Asking) and visit.draft is not None:
        question = service_of(visit.draft, world).question(visit.place.question)
        if question.type == "case_no":
            return Touch("answer", case_no, question.id)
    return None


def looked_up(visit: Visit, case_no: str) -> Step:
    """Show the matter of a receipt that somebody holds before a kiosk that nobody uses."""
    if visit.place != AtHome() or visit.draft is not None or visit.overlay:
        return visit, ()
    waiting = replace(visit, place=Waiting("lookup"), asked_case_no=case_no, receipt=None)
    return waiting, (LookUp(case_no=case_no),)
