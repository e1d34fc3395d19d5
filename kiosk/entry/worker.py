"""The process that reads handwriting: one character at a time, over stdin and stdout.

It is a process of its own because the model takes 27 MB and the library is C++ that reads what
a stranger drew. Requests are the page's JSON, one a line; so are answers. Nothing is kept of
either. It ends when its stdin closes.

    python -m kiosk.entry.worker
"""

import os
import sys
from typing import BinaryIO

import msgspec

from kiosk.entry.ink import read_ink
from kiosk.entry.voting import Reader, candidates
from kiosk.entry.zinnia import Recogniser, library_path
from kiosk.errors import InkRefused, ReadingUnavailable


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What came of a request; the first answer greets, without candidates."""

    #: Likeliest first, at most `INK_CANDIDATES_MAX`.
    candidates: tuple[str, ...] = ()
    #: Why there are none, for a log; never what was drawn.
    failure: str = ""


_ANSWERS = msgspec.json.Decoder(Answer)


def read_answer(line: bytes) -> Answer:
    """Read an answer's line.

    Raises:
        ReadingUnavailable: The line is broken: the worker is ill.
    """
    try:
        return _ANSWERS.decode(line)
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise ReadingUnavailable("the handwriting worker answered nonsense") from error


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until their stream ends."""
    library = library_path()
    try:
        if library is None:
            raise ReadingUnavailable("the handwriting library is not installed")
        recogniser = Recogniser(library)
    except ReadingUnavailable as error:
        _send(answers, Answer(failure=str(error)))
        return
    _send(answers, Answer())
    for line in requests:
        _send(answers, _answer(line, recogniser.read))


def _answer(line: bytes, read: Reader) -> Answer:
    try:
        return Answer(candidates=tuple(candidates(read_ink(line).strokes, read)))
    except InkRefused as error:
        return Answer(failure=str(error))


def _send(answers: BinaryIO, answer: Answer) -> None:
    answers.write(msgspec.json.encode(answer) + b"\n")
    answers.flush()


def main() -> None:
    """Serve stdin; whatever the library prints goes to stderr, not between answers."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
