"""Choosing a language where there are more than two: each named, and spoken, in itself. Pure."""

from msgspec.structs import replace

from kiosk.screens import Screen
from kiosk.views.frame import Frame, Option, listing

#: Tiles that a screen has; whoever installs more dialects than this sees the first ones.
SHOWN_MAX = 6

Others = tuple[tuple[str, str], ...]


def choose(frame: Frame, others: Others) -> Screen:
    """Offer every language and dialect but the present one."""
    options = [
        Option(action="language", value=tag, label=name, voice=name, icon="speech")
        for tag, name in others[:SHOWN_MAX]
    ]
    listed = listing(frame, "languages", "languages.title", options, 1)
    return replace(listed, can_home=False)


def switch(others: Others) -> Others:
    """Answer what the frame's switch shows: the other language, or one button to all of them."""
    if len(others) < 2:
        return others
    # More than one name leaves the button; the picture on it says what it is.
    return (("", f"{others[0][1]}…"),)
