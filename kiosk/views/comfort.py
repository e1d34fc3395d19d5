"""How to see and how to hear: two screens of big buttons, each said, each at work at once. Pure."""

from msgspec.structs import replace

from kiosk.comfort import GLYPHS_MM, RATES, VOLUMES_DB
from kiosk.screens import Screen
from kiosk.views.frame import Frame, Option, repeats, tiles, voices, worded

_STEPS = {"text": len(GLYPHS_MM), "rate": len(RATES), "volume": len(VOLUMES_DB)}


def seeing(frame: Frame) -> Screen:
    """Size of the text, colours, reach, and a screen that is off."""
    comfort = frame.visit.comfort
    now = frame.text(f"comfort.theme_{comfort.theme}")
    return _screen(
        frame,
        "comfort.see",
        [
            _stepper(frame, "bigger", "text"),
            _stepper(frame, "smaller", "text"),
            replace(_button(frame, "colours", "palette"), note=now),
            replace(_button(frame, "low", "wheelchair"), is_selected=comfort.is_low),
            replace(_button(frame, "screen", "hidden"), is_selected=comfort.is_screen_off),
            _button(frame, "hear", "ear"),
        ],
    )


def hearing(frame: Frame) -> Screen:
    """Speed and loudness of the voice."""
    return _screen(
        frame,
        "comfort.hear",
        [
            _stepper(frame, "slower", "rate", "turtle"),
            _stepper(frame, "faster", "rate", "rabbit"),
            _button(frame, "see", "eye"),
            _stepper(frame, "softer", "volume"),
            _stepper(frame, "louder", "volume"),
        ],
    )


def _button(frame: Frame, value: str, icon: str) -> Option:
    return worded(frame, "comfort", f"comfort.to_{value}", icon, value=value)


def _stepper(frame: Frame, value: str, field: str, icon: str = "") -> Option:
    at, of = getattr(frame.visit.comfort, field) + 1, _STEPS[field]
    note = frame.text("comfort.now", n=str(at), total=str(of))
    return replace(_button(frame, value, icon or value), note=note)


def _screen(frame: Frame, key: str, options: list[Option]) -> Screen:
    title, told = frame.say(key), frame.visit.comfort.told
    # After a touch only what it did is said, in the new speed and loudness: that is the trial.
    said = frame.say(f"comfort.told_{told}") if told else (*title, *voices(options))
    return Screen(
        kind="comfort",
        language=frame.language,
        title=frame.text(key),
        tiles=tiles(options),
        can_back=True,
        can_home=False,
        next_action="comfort",
        next_value="close",
        next_label=frame.text("comfort.done"),
        skip_action="comfort",
        skip_value="reset",
        skip_label=frame.text("comfort.reset"),
        say=said,
        silence=repeats(frame, title, "silence.comfort"),
        timeout_s=frame.world.idle_s,
    )
