"""Help, “stop?” and “are you still there?”: what covers a screen for a moment. Pure."""

from kiosk.leaving import may_carry
from kiosk.places import AtHome
from kiosk.screens import Screen, Utterance
from kiosk.views.frame import Frame, repeats, tiles, voices, worded
from kiosk.world import StickView
from sync.limits import STICK_SHOWN_S, STILL_THERE_S, STILL_THERE_SAID_S
from voice_prompts.compose import Spoken


def help_screen(frame: Frame) -> Screen:
    """Offer somebody to come, the hotline, a new beginning, and the way back."""
    called = frame.visit.is_helper_called
    options = [
        worded(frame, "help_close", "help.close", "check"),
        *([] if called else [worded(frame, "call_helper", "help.call", "helper", style="helper")]),
        worded(frame, "home", "help.start_again", "house"),
    ]
    if isinstance(frame.visit.place, AtHome):
        options.append(worded(frame, "board", "help.board", "inbox", style="quiet"))
        options.append(worded(frame, "sign_in", "help.sign_in", "lock", style="quiet"))
    if may_carry(frame.visit, frame.world):
        options.append(worded(frame, "carry", "help.carry", "phone", style="quiet"))
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
        can_comfort=False,
        say=(*title, *frame.say("idle.line"), *voices(options)),
        silence=repeats(frame, title, "idle.line"),
        timeout_s=STILL_THERE_S,
        countdown=tuple(
            (left, frame.say("idle.left", "left", seconds=Spoken("number", str(left))))
            for left in STILL_THERE_SAID_S
        ),
    )


def stick(frame: Frame) -> Screen:
    """Say whether a stick may be pulled out, and what became of it."""
    seen = frame.world.stick or StickView()
    is_working = seen.phase == "working"
    title = frame.say(f"stick.{seen.phase}")
    lines, said = _stick_lines(frame, seen)
    way_on = "stick.meanwhile" if is_working else "stick.close"
    return Screen(
        kind="stick",
        language=frame.language,
        title=frame.text(f"stick.{seen.phase}"),
        lines=lines,
        can_back=True,
        can_home=False,
        can_help=False,
        can_comfort=False,
        next_action="stick_close",
        next_label=frame.text(way_on),
        say=(*title, *said, *frame.say(way_on, "next")),
        silence=(title, frame.say("stick.wait" if is_working else f"stick.{seen.phase}")),
        timeout_s=0 if is_working else STICK_SHOWN_S,
        stick_phase=seen.phase,
    )


def _stick_lines(frame: Frame, seen: StickView) -> tuple[tuple[str, ...], tuple[Utterance, ...]]:
    keys: list[tuple[str, int]] = []
    if seen.phase == "working":
        keys.append(("stick.wait", 0))
    elif seen.phase == "failed":
        known = f"stick.why.{seen.why}"
        is_known = known in frame.wording.keys()  # noqa: SIM118 -- no mapping
        keys += [(known if is_known else "stick.why.fault", 0), ("stick.kept", 0)]
    else:
        if seen.envelopes:
            one = "stick.saved_one" if seen.envelopes == 1 else "stick.saved"
            keys.append((one, seen.envelopes))
        elif not seen.attachments:
            keys.append(("stick.saved_none", 0))
        if seen.attachments:
            keys.append(("stick.photos", seen.attachments))
        if seen.has_brought:
            keys.append(("stick.brought", 0))
        keys.append(("stick.bring", 0))
    texts = tuple(frame.text(key, count=str(count)) for key, count in keys)
    said = tuple(
        utterance
        for index, (key, count) in enumerate(keys)
        for utterance in (
            frame.say(key, f"line-{index}", count=Spoken("number", str(count)))
            if count
            else frame.say(key, f"line-{index}")
        )
    )
    return texts, said
