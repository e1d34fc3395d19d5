"""The public board: what can be done here, by when, and how the village's matters stand. Pure."""

from msgspec.structs import replace

from kiosk.events import Tallied, Tally, Touch
from kiosk.leaving import Step
from kiosk.places import AtBoard, Waiting
from kiosk.visit import Visit
from kiosk.world import World


def show(visit: Visit, _: Touch, __: World) -> Step:
    """Have the matters counted, and show the board."""
    return replace(visit, overlay="", place=Waiting("board")), (Tally(),)


def came(visit: Visit, event: Tallied) -> Visit:
    """Show the board with what was counted."""
    if visit.place != Waiting("board"):
        return visit
    return replace(visit, place=AtBoard(), tally=(event.handed_in, event.decided))
