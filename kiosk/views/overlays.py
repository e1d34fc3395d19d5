"""Help, “stop?” and “are you still there?”: what covers a screen for a moment. Pure."""

from kiosk.screens import Screen
from kiosk.views.frame import Frame, repeats, tiles, voices, worded
from sync.limits import STILL_THERE_S


def help_screen(frame: Frame) -> Screen:
    """Offer somebody to come, the hotline, a new beginning, and the way back."""
    called = frame.visit.is_helper_called
    options = [
        worded(frame, "help_close", "help.close", "check"),
        *([] if called else [worded(frame, "call_helper", "help.call", "helper", style="helper")]),
        worded(frame, "home", "help.start_again", "house"),
    ]
    title = frame.say("help.called" if called else "help.title")
    return Screen(
        kind="help",
        language=frame.language,
        title=frame.text("help.called" if called else "help.title"),
        lines=(frame.text("help.hotline", hotline=frame.world.hotline),),
        tiles=tiles(options),
        can_back=True,
        can_home=False,
        can_help=False,
        say=(*title, *voices(options), *frame.say_hotline("help.hotline")),
        silence=repeats(frame, title, "silence.tiles"),
        timeout_s=frame.world.idle_s,
    )


def leave(frame: Frame) -> Screen:
    """Ask once before anything said is forgotten."""
    options = [
        worded(frame, "leave_no", "leave.no", "check"),
        worded(frame, "leave_yes", "leave.yes", "cross"),
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
    options = [worded(frame, "still_here", "idle.here", "hand")]
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
