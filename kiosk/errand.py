"""Letting a helper's phone take along what waits: its page, the codes, the end. Pure."""

from msgspec.structs import replace

from kiosk.events import Carried, Touch
from kiosk.leaving import Step
from kiosk.places import AtCarry, AtHome, AtThanks
from kiosk.visit import Visit
from kiosk.world import World


def go_on(visit: Visit, _: Touch, __: World) -> Step:
    """Go from the page's address to the codes, and from the codes to the end."""
    if visit.place == AtCarry():
        return replace(visit, place=AtCarry(is_showing=True)), ()
    return replace(visit, place=AtThanks("carried")), (Carried(visit.id),)


def back(visit: Visit) -> Visit:
    """Go one step back."""
    is_showing = visit.place == AtCarry(is_showing=True)
    return replace(visit, place=AtCarry() if is_showing else AtHome())
