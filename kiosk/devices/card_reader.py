"""A reader of ID cards: looks for a card, and reads its text.

The certified module in every reader speaks one protocol of frames, on its serial line or passed
on by the maker's own program on a port of this machine (which is how their USB models and closed
libraries stay outside): find, select, read. A card that goes away between two of them is told
as failed; nothing of it was kept.

Source: GA 450, the security module's frames (AA AA AA 96 69, length, command, check byte).
"""

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

from kiosk.devices.card_record import RECORD_BYTES, CardRecord, CardUnreadable, decode_record
from kiosk.devices.line import Line, LineGone
from sync.clock import Clock
from sync.limits import CARD_ANSWER_MS, CARD_FRAME_BYTES_MAX

HEADER = b"\xaa\xaa\xaa\x96\x69"
STATUS = b"\x11\xff"
FIND = b"\x20\x01"
SELECT = b"\x20\x02"
READ = b"\x30\x01"
DONE = b"\x00\x00\x90"
FOUND = b"\x00\x00\x9f"


class CardSeen(msgspec.Struct, frozen=True):
    """What a look brought."""

    #: "gone" = the reader is not there; "failed" = the card went away or is of another kind.
    kind: Literal["none", "read", "failed", "gone"]
    card: CardRecord | None = None


class CardReader(Protocol):
    """A reader; each call ends within its bounds."""

    def is_there(self) -> bool:
        """Answer whether it answers, without looking at any card."""
        ...

    def look(self) -> CardSeen:
        """Look for a card once, and read it."""
        ...


class FramedReader:
    """A reader that speaks the module's frames.

    Args:
        open_line: Opens the way to it; it stays open from look to look.
        clock: Bounds the waiting.
    """

    def __init__(self, open_line: Callable[[], Line], clock: Clock) -> None:
        self._open_line = open_line
        self._clock = clock
        self._line: Line | None = None

    def is_there(self) -> bool:
        """Ask for its state."""
        try:
            return self._asked(STATUS)[:3] == DONE
        except (LineGone, CardUnreadable):
            self.close()
            return False

    def look(self) -> CardSeen:
        """Find, select and read."""
        try:
            if self._asked(FIND)[:3] != FOUND:
                return CardSeen("none")
            if self._asked(SELECT)[:3] != DONE:
                return CardSeen("failed")
            return CardSeen("read", decode_record(_text_of(self._asked(READ))))
        except CardUnreadable:
            return CardSeen("failed")
        except LineGone:
            self.close()
            return CardSeen("gone")

    def close(self) -> None:
        """Let the line go."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _asked(self, command: bytes) -> bytes:
        """Answer what the module says to a command, its three status bytes first.

        Raises:
            LineGone: It does not answer.
            CardUnreadable: It answers with something else.
        """
        if self._line is None:
            self._line = self._open_line()
        # What an earlier question brought too late is no answer to this one.
        while self._line.read(CARD_FRAME_BYTES_MAX, 0):
            pass
        asked = framed(command)
        if self._line.write(asked, CARD_ANSWER_MS) < len(asked):
            raise LineGone("stuck")
        return self._answer(self._line)

    def _answer(self, line: Line) -> bytes:
        until_ms = self._clock.monotonic_ms() + CARD_ANSWER_MS
        raw = b""
        while len(raw) <= CARD_FRAME_BYTES_MAX:
            left_ms = until_ms - self._clock.monotonic_ms()
            piece = line.read(CARD_FRAME_BYTES_MAX, max(0, left_ms))
            raw += piece
            body = unframed(raw)
            if body is not None:
                return body
            if left_ms <= 0 or not piece:
                break
        if not raw:
            raise LineGone("silent")
        raise CardUnreadable("no frame")


def framed(body: bytes) -> bytes:
    """Write a frame: its length counts the body and the check byte."""
    sized = (len(body) + 1).to_bytes(2, "big") + body
    return HEADER + sized + bytes((_check(sized),))


def unframed(raw: bytes) -> bytes | None:
    """Answer the body of the frame in these bytes; None = it is not whole yet.

    Raises:
        CardUnreadable: Its check byte does not fit, or it is longer than any.
    """
    begin = raw.find(HEADER)
    if begin < 0 or len(raw) < begin + 7:
        return None
    size = int.from_bytes(raw[begin + 5 : begin + 7], "big")
    if not 3 <= size <= CARD_FRAME_BYTES_MAX:
        raise CardUnreadable("no frame")
    end = begin + 7 + size
    if len(raw) < end:
        return None
    if _check(raw[begin + 5 : end]) != 0:
        raise CardUnreadable("damaged on the way")
    return raw[begin + 7 : end - 1]


def _check(raw: bytes) -> int:
    check = 0
    for byte in raw:
        check ^= byte
    return check


def _text_of(body: bytes) -> bytes:
    """Answer the text of what READ brought; the picture behind it is not looked at.

    Raises:
        CardUnreadable: It brought none.
    """
    if body[:3] != DONE or len(body) < 7 + RECORD_BYTES:
        raise CardUnreadable("taken away")
    if int.from_bytes(body[3:5], "big") != RECORD_BYTES:
        raise CardUnreadable("another kind of card")
    return body[7 : 7 + RECORD_BYTES]
