"""When a slip is printed: with a receipt, and again whenever the resident asks. Pure."""

from msgspec.structs import replace

from kiosk.events import Effect, PrintSlip, Touch
from kiosk.leaving import Step
from kiosk.places import AtMatter, AtReceipt
from kiosk.visit import Visit
from kiosk.world import World
from sync.records import Receipt


def first(visit: Visit, receipt: Receipt, world: World) -> tuple[Effect, ...]:
    """Answer the slip of what was just handed in; () without a printer, or in practice."""
    if not world.printer.state or visit.lesson:
        return ()
    return (PrintSlip(receipt.case_no, receipt.service, visit.language),)


def again(visit: Visit, _: Touch, world: World) -> Step:
    """Print the slip of the receipt or of the matter on the screen once more."""
    if not world.printer.state or visit.lesson:
        return visit, ()
    match visit.place:
        case AtReceipt() if visit.receipt is not None:
            return visit, first(visit, visit.receipt, world)
        case AtMatter(case_no=case_no):
            held = next((m for m in visit.matters if m.case_no == case_no), None)
            if held is not None:
                return visit, (PrintSlip(case_no, held.service, visit.language),)
        case _:
            pass
    return visit, ()


def moved(visit: Visit) -> Visit:
    """Make a new screen of one that says how the printer is; others stay as they are."""
    is_told = isinstance(visit.place, AtReceipt | AtMatter) and not visit.overlay
    # Other words may stand there now: a new object is a new screen.
    return replace(visit) if is_told else visit
