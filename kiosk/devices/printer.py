"""The slip printer: what state it is in, and printing one slip so that half a slip is noticed.

Everything here blocks, each step with its longest time; `kiosk.devices.printing` runs it in a
thread. A printer that never answers (a plain file, a cheap one on a one-way line) is printed to
all the same, and what came out is then not known.
"""

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

from kiosk.devices.escpos_status import (
    LAST_QUESTION,
    QUESTIONS,
    PrinterState,
    is_last_answer,
    is_status,
    state_of,
)
from kiosk.devices.line import Line, LineGone
from kiosk.devices.views import ABLE
from sync.clock import Clock
from sync.limits import PRINT_S, PRINTER_ANSWER_MS

__all__ = ["LinePrinter", "Looked", "Printed", "Printer", "PrinterState"]

_BITS_PER_BYTE = 10


class Looked(msgspec.Struct, frozen=True):
    """What a look at a printer found."""

    state: PrinterState
    #: It answered; else "ok" only means that nothing speaks against it.
    is_sure: bool = True


class Printed(msgspec.Struct, frozen=True):
    """What became of a slip."""

    #: "whole" came out, "half" of it did, or "none".
    how: Literal["whole", "half", "none"]
    #: How the printer was found after it.
    state: PrinterState


class Printer(Protocol):
    """A printer of slips; each call ends within its bounds."""

    def look(self) -> Looked:
        """Answer what state it is in; "gone" rather than an error."""
        ...

    def print(self, raw: bytes) -> Printed:
        """Print what `kiosk.devices.press` drew."""
        ...


class LinePrinter:
    """A printer that speaks ESC/POS.

    Opened for each slip and let go behind it: network printers serve one at a time, and one
    that was pulled out and put in again is simply found again.

    Args:
        open_line: Opens the way to it.
        clock: Bounds the waiting.
        bits_per_s: Of its line; 0 = fast enough not to matter.
    """

    def __init__(self, open_line: Callable[[], Line], clock: Clock, bits_per_s: int = 0) -> None:
        self._open_line = open_line
        self._clock = clock
        self._bits_per_s = bits_per_s

    def look(self) -> Looked:
        """Ask for its status."""
        try:
            line = self._open_line()
        except LineGone:
            return Looked("gone")
        try:
            return _Talk(line, self._clock).looked()
        except LineGone:
            return Looked("gone")
        finally:
            line.close()

    def print(self, raw: bytes) -> Printed:
        """Print, and find out whether it came out."""
        try:
            line = self._open_line()
        except LineGone:
            return Printed("none", "gone")
        talk = _Talk(line, self._clock)
        try:
            before = talk.looked()
            if before.state not in ABLE:
                return Printed("none", before.state)
            return self._printed(talk, raw, before)
        except LineGone:
            return Printed("none", "gone")
        finally:
            line.close()

    def _printed(self, talk: "_Talk", raw: bytes, before: Looked) -> Printed:
        line_ms = len(raw) * _BITS_PER_BYTE * 1000 // self._bits_per_s if self._bits_per_s else 0
        until_ms = self._clock.monotonic_ms() + int(PRINT_S * 1000) + line_ms
        try:
            is_all = talk.is_taken(raw + LAST_QUESTION, until_ms)
            if not before.is_sure:
                return Printed("whole", before.state) if is_all else Printed("half", "fault")
            return self._proved(talk, until_ms, is_all=is_all)
        except LineGone:
            return Printed("half", "gone")

    def _proved(self, talk: "_Talk", until_ms: int, *, is_all: bool) -> Printed:
        """Wait for the answer behind the slip; look meanwhile whether paper or cover failed."""
        while True:
            if is_all and talk.has_last_answer():
                return Printed("whole", talk.looked().state)
            now = talk.looked().state
            if now not in ABLE:
                return Printed("half", now)
            if self._clock.monotonic_ms() >= until_ms:
                # It is well and took everything; some printers do not know the last question.
                return Printed("whole", now) if is_all else Printed("half", "fault")


class _Talk:
    """Questions and answers on one open line; answers may come in another order."""

    def __init__(self, line: Line, clock: Clock) -> None:
        self._line = line
        self._clock = clock
        self._is_last_answered = False

    def looked(self) -> Looked:
        """Answer what the printer says of itself."""
        answers: list[int] = []
        for question in QUESTIONS:
            # Dots can look like a question, and are answered like one: that is no answer to this.
            for byte in self._line.read(64, 0):
                self._note(byte)
            if self._line.write(question, PRINTER_ANSWER_MS) < len(question):
                return Looked("fault", is_sure=False)
            answer = self._status()
            if answer is None:
                # One that is silent at first stays so; one that falls silent is not well.
                return Looked("fault") if answers else Looked("ok", is_sure=False)
            answers.append(answer)
        return Looked(state_of(tuple(answers)))

    def is_taken(self, raw: bytes, until_ms: int) -> bool:
        """Write it all; answer whether it was taken."""
        self._is_last_answered = False
        return self._line.write(raw, until_ms - self._clock.monotonic_ms()) == len(raw)

    def has_last_answer(self) -> bool:
        """Wait a moment for the answer behind what was written."""
        if not self._is_last_answered:
            for byte in self._line.read(64, PRINTER_ANSWER_MS):
                self._note(byte)
        return self._is_last_answered

    def _note(self, byte: int) -> None:
        self._is_last_answered = self._is_last_answered or is_last_answer(byte)

    def _status(self) -> int | None:
        until_ms = self._clock.monotonic_ms() + PRINTER_ANSWER_MS
        while True:
            left_ms = until_ms - self._clock.monotonic_ms()
            raw = self._line.read(1, max(0, left_ms))
            if not raw or left_ms <= 0:
                return None
            if is_status(raw[0]):
                return raw[0]
            self._note(raw[0])
