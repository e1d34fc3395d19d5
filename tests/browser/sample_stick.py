"""The screens of a USB stick, as the kiosk itself puts them together."""

from msgspec.structs import replace

from kiosk import views
from kiosk.events import StickMoved
from kiosk.screens import Screen
from kiosk.world import StickView
from tests.unit.kiosk.parts import Visitor, wordings

#: The longest of each phase.
_STICKS = {
    "stick-working": StickView(),
    "stick-done": StickView("done", "", 128, 64, True),
    "stick-failed": StickView("failed", "full"),
}


def stick_screens(language: str) -> dict[str, Screen]:
    """What is said of a stick, by name."""
    visitor = Visitor(language).give(StickMoved(is_there=True))
    return {
        name: views.screen(
            visitor.visit, replace(visitor.world, stick=stick, pending=3), wordings()
        )
        for name, stick in _STICKS.items()
    }
