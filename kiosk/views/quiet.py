"""Quiet hours: what a screen says then. Pure."""

from msgspec.structs import replace

from kiosk.leaving import is_untouched
from kiosk.screens import Screen
from kiosk.views.frame import Frame


def hushed(frame: Frame, screen: Screen) -> Screen:
    """Let a home that nobody has touched say nothing by itself, and all else be said lower.

    “Hear again” speaks on every screen: that is a touch.
    """
    if not frame.world.is_quiet:
        return screen
    if frame.visit.overlay or not is_untouched(frame.visit):
        return replace(screen, quiet="lower")
    return replace(screen, silence=((), ()), quiet="silent")
