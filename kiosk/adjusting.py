"""The two screens of comfort, over whatever the resident was doing. Pure."""

from msgspec.structs import replace

from kiosk.comfort import changed
from kiosk.events import Effect, Touch
from kiosk.visit import Visit
from kiosk.world import World

COVERS = ("seeing", "hearing")


def adjust(visit: Visit, touch: Touch, _: World) -> tuple[Visit, tuple[Effect, ...]]:
    """Open, close or turn the screens of comfort, or follow one of their buttons.

    A button's effect is there at once, on the screen that shows it, and nothing of the form is
    touched. `value` "" opens them, or closes them when they are open; "see" and "hear" turn.
    """
    quiet = replace(visit.comfort, told="")
    match touch.value:
        case "":
            cover = "" if visit.overlay in COVERS else "seeing"
            return replace(visit, overlay=cover, comfort=quiet), ()
        case "see":
            return replace(visit, overlay="seeing", comfort=quiet), ()
        case "hear":
            return replace(visit, overlay="hearing", comfort=quiet), ()
        case "close":
            return replace(visit, overlay="", comfort=quiet), ()
        case value:
            comfort = changed(visit.comfort, value)
            if comfort is None:
                return visit, ()
            return replace(visit, comfort=comfort), ()


def back(visit: Visit) -> Visit:
    """Answer the visit one step back from these screens."""
    cover = "seeing" if visit.overlay == "hearing" else ""
    comfort = replace(visit.comfort, told="")
    return replace(visit, overlay=cover, comfort=comfort)
