"""Help, “stop?” and “are you still there?”: what covers a screen for a moment. Pure."""

from kiosk.screens import Screen
from kiosk.views.frame import Frame, Option, repeats, tiles, voices
from sync.limits import STILL_THERE_S
from voice_prompts.compose import Spoken


def help_screen(frame: Frame) -> Screen:
    """Offer somebody to come, the hotline, a new beginning, and the way back."""
    called = frame.visit.is_helper_called
    options = [
        _option(frame, "help_close", "help.close", "check"),
        *([] if called else [_option(frame, "call_helper", "help.call", "helper")]),
        _option(frame, "home", "help.start_again", "house"),
    ]
    title = frame.say("help.called" if called else "help.title")
    digits = "".join(c for c in frame.world.hotline if c.isdigit())
    hotline = frame.say("help.hotline", hotline=Spoken("digits", digits)) if digits else ()
    return Screen(
        kind="help",
        language=frame.language,
        title=frame.text("help.called" if called else "help.title"),
        lines=(frame.text("help.hotline", hotline=frame.world.hotline),),
        tiles=tiles(options),
        can_back=True,
        can_home=False,
        can_help=False,
        say=(*title, *voices(options), *hotline),
        silence=repeats(frame, title, "silence.tiles"),
        timeout_s=frame.world.idle_s,
    )


def leave(frame: Frame) -> Screen:
    """Ask once before anything said is forgotten."""
    options = [
        _option(frame, "leave_no", "leave.no", "check"),
        _option(frame, "leave_yes", "leave.yes", "cross"),
    ]
    title = frame.say("leave.title")
    return Screen(
        kind="leave",
        language=frame.language,
        title=frame.text("leave.title"),
        lines=(frame.text("leave.line"),),
        tiles=tiles(options),
        can_back=True,
        can_home=False,
        can_help=False,
        say=(*title, *frame.say("leave.line"), *voices(options)),
        silence=repeats(frame, title, "silence.tiles"),
        timeout_s=frame.world.idle_s,
    )


def idle(frame: Frame) -> Screen:
    """Ask whether anybody is there; any touch says yes."""
    options = [_option(frame, "still_here", "idle.here", "hand")]
    title = frame.say("idle.title")
    return Screen(
        kind="idle",
        language=frame.language,
        title=frame.text("idle.title"),
        lines=(frame.text("idle.line"),),
        tiles=tiles(options),
        can_home=False,
        can_help=False,
        say=(*title, *frame.say("idle.line"), *voices(options)),
        silence=repeats(frame, title, "idle.line"),
        timeout_s=STILL_THERE_S,
    )


def _option(frame: Frame, action: str, key: str, icon: str) -> Option:
    return Option(
        action=action,
        value="",
        label=frame.text(key),
        voice=frame.wording.voice(key),
        icon=icon,
        style="helper" if action == "call_helper" else "",
    )
