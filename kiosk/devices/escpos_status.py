"""What a receipt printer's status bytes say. Pure.

A printer answers `DLE EOT n` at once, even while it prints or is out of paper; it answers
`GS r 1` in its turn, so that this answer, asked for behind a slip, proves the slip. The first
kind has bits 1 and 4 set, the second has not: both can be told apart on one line.

Source: Epson's ESC/POS reference, DLE EOT and GS r; cheap printers follow it in these bits.
"""

from typing import Literal

PrinterState = Literal["ok", "low", "out", "open", "fault", "gone"]

#: Asked one after the other: on line, why not, fault, paper.
QUESTIONS: tuple[bytes, ...] = (b"\x10\x04\x01", b"\x10\x04\x02", b"\x10\x04\x03", b"\x10\x04\x04")
#: Asked behind a slip; answered once all before it is printed.
LAST_QUESTION = b"\x1dr\x01"

_OFF_LINE = 0x08
_COVER_OPEN = 0x04
_PAPER_END_STOP = 0x20
_ERROR = 0x40
_CUTTER_OR_WORSE = 0x28
_PAPER_LOW = 0x0C
_PAPER_OUT = 0x60


def is_status(byte: int) -> bool:
    """Answer whether a byte can be the answer to DLE EOT."""
    return byte & 0x93 == 0x12


def is_last_answer(byte: int) -> bool:
    """Answer whether a byte can be the answer to GS r."""
    return byte & 0x90 == 0


def state_of(answers: tuple[int, ...]) -> PrinterState:
    """Answer a printer's state from its four status bytes.

    What a person can mend comes before what only a repair can.

    Args:
        answers: To the questions, in their order.

    >>> state_of((0x12, 0x12, 0x12, 0x12)), state_of((0x1A, 0x32, 0x12, 0x72))
    ('ok', 'out')
    """
    line, cause, fault, paper = answers
    if cause & _COVER_OPEN:
        return "open"
    if paper & _PAPER_OUT or cause & _PAPER_END_STOP:
        return "out"
    if fault & _CUTTER_OR_WORSE or cause & _ERROR or line & _OFF_LINE:
        return "fault"
    return "low" if paper & _PAPER_LOW else "ok"
