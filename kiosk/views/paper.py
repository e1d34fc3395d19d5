"""What is said of the slip: that it comes, or that it cannot and what to do instead. Pure."""

from kiosk.screens import Utterance
from kiosk.views.frame import Frame, Option, worded


def lines(frame: Frame) -> tuple[str, ...]:
    """Answer what stands on the screen; () when no slip was asked for."""
    return tuple(frame.text(key) for key in _keys(frame))


def said(frame: Frame) -> tuple[Utterance, ...]:
    """Answer what is said aloud."""
    help_ = frame.say("slip.helper", "helper") if is_in_trouble(frame) else ()
    told = (frame.say(key, f"slip-{index}") for index, key in enumerate(_keys(frame)))
    return (*(utterance for some in told for utterance in some), *help_)


def is_in_trouble(frame: Frame) -> bool:
    """Answer whether a slip was asked for and cannot come out now."""
    printer = frame.world.printer
    return bool(printer.job) and bool(printer.trouble)


def button(frame: Frame) -> str:
    """Answer the words of the button that prints again; "" = there is none."""
    has_printer = bool(frame.world.printer.state) and not frame.visit.lesson
    return frame.text("slip.again") if has_printer else ""


def tile(frame: Frame) -> tuple[Option, ...]:
    """Answer the tile that prints the slip of a matter again; () = there is no printer."""
    return (worded(frame, "print", "slip.again", "paper"),) if button(frame) else ()


def _keys(frame: Frame) -> tuple[str, ...]:
    printer = frame.world.printer
    if not printer.job:
        return ()
    if not printer.trouble:
        return ("slip.again_coming" if printer.is_again else "slip.coming",)
    half = ("slip.half",) if printer.job == "half" else ()
    return (*half, f"slip.{printer.trouble}", "slip.instead")
