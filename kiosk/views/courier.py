"""Carrying for the village: how a helper's phone takes along what waits here. Pure."""

from kiosk.places import AtCarry
from kiosk.receipt import qr_svg
from kiosk.screens import CarryView, Screen
from kiosk.views.frame import Frame, repeats
from sync.limits import CARRY_S
from voice_prompts.compose import Spoken


def carry(frame: Frame, place: AtCarry) -> Screen:
    """Show the address of the page, then the codes that run by themselves."""
    return _codes(frame) if place.is_showing else _address(frame)


def _address(frame: Frame) -> Screen:
    """Have the page opened: with signal once, afterwards it opens without."""
    world = frame.world
    waiting, carried = str(world.pending), str(world.carried)
    title = frame.say("carry.open")
    told = frame.say("carry.waiting", "line-0", count=Spoken("count", waiting))
    return Screen(
        kind="carry",
        language=frame.language,
        title=frame.text("carry.open"),
        lines=(
            frame.text("carry.waiting", count=waiting),
            *([frame.text("carry.carried", count=carried)] if world.carried else []),
            frame.text("carry.sealed"),
        ),
        carry=CarryView(address=world.carry_url, qr_svg=qr_svg(world.carry_url)),
        can_back=True,
        next_action="continue",
        next_label=frame.text("carry.opened"),
        say=(*title, *told, *frame.say("carry.opened", "next")),
        silence=repeats(frame, title, "silence.next"),
        timeout_s=world.idle_s,
    )


def _codes(frame: Frame) -> Screen:
    title = frame.say("carry.scan")
    return Screen(
        kind="carry",
        language=frame.language,
        title=frame.text("carry.scan"),
        lines=(frame.text("carry.until"),),
        carry=CarryView(is_showing=True),
        can_back=True,
        next_action="continue",
        next_label=frame.text("carry.done"),
        say=(*title, *frame.say("carry.until", "line-0"), *frame.say("carry.done", "next")),
        silence=repeats(frame, title, "carry.until"),
        timeout_s=CARRY_S,
    )
