"""From a scanner's bytes to the lines it read: characters, or a keyboard's events. Pure.

Whatever comes may be hostile, since anybody can hold any code before a scanner: a line is at
most so long, and one with anything but printable ASCII in it is dropped whole.
"""

import struct
from typing import Protocol

from sync.limits import SCAN_CHARS_MAX

#: `struct input_event` of a 64-bit kernel: time (two longs), type, code, value.
_EVENT = struct.Struct("=qqHHi")
_EV_KEY = 1
_DOWN, _UP = 1, 0
_SHIFTS = frozenset({42, 54})
_ENTERS = frozenset({28, 96})
#: Key codes of a US keyboard, as scanners feign it (linux/input-event-codes.h).
_ROWS = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (57, " ", " "),
)
_PLAIN = {first + place: key for first, keys, _ in _ROWS for place, key in enumerate(keys)}
_SHIFTED = {first + place: key for first, _, keys in _ROWS for place, key in enumerate(keys)}


class Decoder(Protocol):
    """Makes lines of what a scanner sends."""

    def feed(self, raw: bytes) -> tuple[str, ...]:
        """Answer the lines that these bytes complete."""
        ...


class Lines:
    """A scanner on a serial line: a code, then CR or LF."""

    def __init__(self) -> None:
        self._line = ""
        self._is_bad = False

    def feed(self, raw: bytes) -> tuple[str, ...]:
        """Answer the lines that these bytes complete."""
        return tuple(line for byte in raw if (line := self._take(chr(byte))))

    def _take(self, letter: str) -> str:
        if letter in "\r\n":
            line = "" if self._is_bad else self._line
            self._line, self._is_bad = "", False
            return line
        is_good = " " <= letter <= "~" and len(self._line) < SCAN_CHARS_MAX
        # The rest of a bad line belongs to it: half a code is another code.
        self._is_bad = self._is_bad or not is_good
        self._line = "" if self._is_bad else self._line + letter
        return ""


class Keys:
    """A scanner that feigns a keyboard, read from its event file."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._held: set[int] = set()
        self._rest = b""

    def feed(self, raw: bytes) -> tuple[str, ...]:
        """Answer the lines that these bytes complete."""
        raw = self._rest + raw
        whole = len(raw) - len(raw) % _EVENT.size
        self._rest = raw[whole:]
        typed = "".join(
            self._typed(kind, code, value)
            for _, _, kind, code, value in _EVENT.iter_unpack(raw[:whole])
        )
        return self._lines.feed(typed.encode("latin-1"))

    def _typed(self, kind: int, code: int, value: int) -> str:
        if kind != _EV_KEY:
            return ""
        if code in _SHIFTS:
            (self._held.discard if value == _UP else self._held.add)(code)
            return ""
        if value != _DOWN:
            return ""
        if code in _ENTERS:
            return "\n"
        # A key that no code has makes its line bad, rather than another line.
        return (_SHIFTED if self._held else _PLAIN).get(code, "\x00")


def encoded_keys(text: str) -> bytes:
    """Answer the events by which a scanner types a line, for simulators and tests."""
    events = []
    plain = {key: code for code, key in _PLAIN.items()}
    shifted = {key: code for code, key in _SHIFTED.items()}
    for letter in text + "\n":
        if letter == "\n":
            events += [(28, _DOWN), (28, _UP)]
        elif letter in plain:
            events += [(plain[letter], _DOWN), (plain[letter], _UP)]
        else:
            code = shifted[letter]
            events += [(42, _DOWN), (code, _DOWN), (code, _UP), (42, _UP)]
    return b"".join(_EVENT.pack(0, 0, _EV_KEY, code, value) for code, value in events)
