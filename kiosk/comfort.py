"""How a resident likes to see and hear: chosen with big buttons, gone with the visit. Pure.

Sizes, speeds and loudness are steps and not numbers, because nobody at a kiosk counts them.
"""

from collections.abc import Callable
from typing import Final, Literal

from msgspec.structs import replace

from kiosk.places import Part

#: Height of a Han glyph in headings and choices, mm of the display's profile (VxSuite's four
#: capital heights and 40 %, because Han characters are denser).
GLYPHS_MM: Final = (5.0, 7.0, 9.0, 11.0)
#: Speed of speech in percent, the pitch unchanged (VVSG 2.0 7.1-K: 50 to 200).
RATES: Final = (50, 65, 80, 100, 125, 160, 200)
#: Loudness in dB against the clip; steps of 6 dB (EN 301 549 8.2.1: to 18 dB above the usual).
VOLUMES_DB: Final = (-18, -12, -6, 0, 6, 12, 18)

Theme = Literal["light", "dark", "contrast"]
THEMES: Final[tuple[Theme, ...]] = ("light", "dark", "contrast")


class Comfort(Part, frozen=True):
    """One resident's way to see and hear; the defaults are what the next one finds."""

    #: Places in `GLYPHS_MM`, `RATES` and `VOLUMES_DB`.
    text: int = 1
    rate: int = 3
    volume: int = 3
    theme: Theme = "light"
    #: What can be touched stands low, for somebody who sits.
    is_low: bool = False
    #: The screen shows nothing: whoever listens does not want to be read along.
    is_screen_off: bool = False
    #: Tag of the dialect that speaks before the language's own voice; "" = none (kiosk/dialects).
    dialect: str = ""
    #: What the last touch did, as the end of a wording key; "" = nothing to be said of it.
    told: str = ""

    @property
    def is_usual(self) -> bool:
        """Whether nothing was chosen."""
        return replace(self, told="") == Comfort()


def changed(comfort: Comfort, value: str) -> Comfort | None:
    """Answer the comfort after one of the big buttons; None = no such button."""
    change = _CHANGES.get(value)
    return change(comfort) if change else None


def _stepped(field: str, step: int, count: int) -> Callable[[Comfort], Comfort]:
    def change(comfort: Comfort) -> Comfort:
        at = getattr(comfort, field) + step
        if not 0 <= at < count:
            return replace(comfort, told="most" if step > 0 else "least")
        return replace(comfort, **{field: at, "told": field})

    return change


def _next_theme(comfort: Comfort) -> Comfort:
    theme = THEMES[(THEMES.index(comfort.theme) + 1) % len(THEMES)]
    return replace(comfort, theme=theme, told=f"theme_{theme}")


def _turned(field: str, word: str) -> Callable[[Comfort], Comfort]:
    def change(comfort: Comfort) -> Comfort:
        is_on = not getattr(comfort, field)
        return replace(comfort, **{field: is_on, "told": f"{word}_{'on' if is_on else 'off'}"})

    return change


_CHANGES: Final[dict[str, Callable[[Comfort], Comfort]]] = {
    "bigger": _stepped("text", 1, len(GLYPHS_MM)),
    "smaller": _stepped("text", -1, len(GLYPHS_MM)),
    "faster": _stepped("rate", 1, len(RATES)),
    "slower": _stepped("rate", -1, len(RATES)),
    "louder": _stepped("volume", 1, len(VOLUMES_DB)),
    "softer": _stepped("volume", -1, len(VOLUMES_DB)),
    "colours": _next_theme,
    "low": _turned("is_low", "low"),
    "screen": _turned("is_screen_off", "screen"),
    "reset": lambda _: Comfort(told="reset"),
}
