"""Whether headphones are plugged in, where the kernel knows: ALSA's jacks are input devices.

A USB headset is a card of its own and needs no jack. Boards whose jack has no contact (the
Raspberry Pi's) cannot tell; there nothing is said, and the resident chooses by hand.
"""

import fcntl
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

_NAME = re.compile(r'^N: Name="(.*)"$', re.MULTILINE)
_EVENT = re.compile(r"\b(event[0-9]+)\b")
_SWITCHES = re.compile(r"^B: SW=([0-9a-f]+)$", re.MULTILINE)
#: SW_HEADPHONE_INSERT of linux/input-event-codes.h.
_HEADPHONE_BIT = 1 << 2
_SWITCH_BYTES = 8
#: EVIOCGSW(8): _IOC(_IOC_READ, 'E', 0x1b, 8).
_EVIOCGSW = 2 << 30 | _SWITCH_BYTES << 16 | ord("E") << 8 | 0x1B


def are_plugged_in(
    root: Path = Path("/"), read_switches: Callable[[Path], int] | None = None
) -> bool | None:
    """Answer whether headphones are plugged in; None = this board cannot tell.

    Args:
        root: Where /proc and /dev lie.
        read_switches: Answers the switches of an event file, as bits; the kernel's by default.
    """
    read = read_switches or _switches
    known = [read(root / "dev" / "input" / name) for name in _jacks(root)]
    told = [bits for bits in known if bits >= 0]
    return any(bits & _HEADPHONE_BIT for bits in told) if told else None


def _jacks(root: Path) -> Iterator[str]:
    """Answer the event files of devices that have a headphone switch."""
    try:
        listing = (root / "proc" / "bus" / "input" / "devices").read_text("utf-8", "replace")
    except OSError:
        return
    for block in listing.split("\n\n"):
        switches, event = _SWITCHES.search(block), _EVENT.search(block)
        if switches and event and _NAME.search(block) and int(switches[1], 16) & _HEADPHONE_BIT:
            yield event[1]


def _switches(path: Path) -> int:
    """Answer the switches of an event file as bits; -1 = it cannot be asked."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return -1
    try:
        return int.from_bytes(fcntl.ioctl(fd, _EVIOCGSW, bytes(_SWITCH_BYTES)), "little")
    except OSError:
        return -1
    finally:
        os.close(fd)
