"""What is said of an answer that is wrong again: an example first, then the other ways. Pure.

The first time it is said what is wrong and how to do it. The second time slower (the page does
that, by `Screen.tries`) and with a picture of where the number stands. From the third time on the
helper is offered, and what may be skipped may be skipped.
"""

from kiosk.places import Asking
from kiosk.screens import Utterance
from kiosk.views.frame import Frame
from sync.forms import Question
from sync.limits import WRONG_TRIES_EXAMPLE, WRONG_TRIES_HELP

#: Kinds of questions with a picture of where to find the answer (icons/pictures/example_*.svg).
EXAMPLES = frozenset({"id_number", "name", "bank_card", "phone", "case_no"})


def example(asked: Question, place: Asking) -> str:
    """Answer the picture that shows where the answer stands, or ""."""
    is_due = bool(place.error) and place.tries >= WRONG_TRIES_EXAMPLE
    return f"example_{asked.type}" if is_due and asked.type in EXAMPLES else ""


def further(
    frame: Frame, asked: Question, place: Asking, *, can_skip: bool
) -> tuple[str, tuple[Utterance, ...]]:
    """Answer what is shown and said after what was wrong."""
    keys: list[tuple[str, str]] = []
    if place.tries >= WRONG_TRIES_HELP:
        keys.append(("error.help", "helper"))
        if can_skip:
            keys.append(("error.skip", "skip"))
    elif example(asked, place):
        keys.append(("error.example", "error"))
    # Chinese sentences follow each other without a space.
    gap = "" if frame.language == "zh-CN" else " "
    shown = "".join(gap + frame.text(key) for key, _ in keys)
    return shown, tuple(said for key, at in keys for said in frame.say(key, at))
