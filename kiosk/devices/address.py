"""Where a device hangs, as an installer writes it: "usb:04b8:0e15", "serial:/dev/ttyUSB0:19200".

Pure: nothing is opened here, so that a wrong setting is refused at start, before any screen.
"""

import re
from typing import Literal

import msgspec

from sync.limits import SERIAL_BAUDS

Kind = Literal["usb", "serial", "tcp", "file", "input", "command"]

#: What each device may hang on.
PRINTER_KINDS: tuple[Kind, ...] = ("usb", "serial", "tcp", "file")
BELL_KINDS: tuple[Kind, ...] = ("file", "serial", "command")
SCANNER_KINDS: tuple[Kind, ...] = ("input", "serial", "tcp")
CARD_READER_KINDS: tuple[Kind, ...] = ("serial", "tcp")

_USB = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:]{2,45}\]")
_BAUD_DEFAULT = 9600
#: How each kind is written, for the message that refuses another one.
FORMS: dict[Kind, str] = {
    "usb": "usb:04b8:0e15 (maker and product, as lsusb shows them)",
    "serial": "serial:/dev/ttyUSB0:19200",
    "tcp": "tcp:192.168.1.87:9100",
    "file": "file:/dev/usb/lp0",
    "input": "input:/dev/input/by-id/…-event-kbd",
    "command": "command:/usr/local/bin/ring",
}


class Address(msgspec.Struct, frozen=True):
    """One place where a device hangs."""

    kind: Kind
    #: "04b8:0e15", a path, or a host.
    target: str
    #: Bits a second of a serial line, the port of a host; 0 else.
    number: int = 0

    @property
    def host(self) -> str:
        """Answer a host as sockets take it: an IPv6 address without its brackets."""
        return self.target.strip("[]")


def parsed(text: str, kinds: tuple[Kind, ...]) -> Address | None:
    """Answer the address that a setting names; None when it names none of these kinds.

    >>> parsed("serial:/dev/ttyS1:19200", ("serial",))
    Address(kind='serial', target='/dev/ttyS1', number=19200)
    >>> parsed("usb:04B8:0E15", ("usb", "tcp"))
    Address(kind='usb', target='04b8:0e15', number=0)
    >>> parsed("tcp:printer", ("usb", "tcp")) is None
    True
    """
    word, _, rest = text.partition(":")
    kind = next((kind for kind in kinds if kind == word), None)
    if kind is None:
        return None
    match kind:
        case "usb":
            device = rest.lower()
            return Address(kind, device) if _USB.fullmatch(device) else None
        case "tcp":
            return _host(rest)
        case "serial":
            return _serial(rest)
        case _:
            return Address(kind, rest) if _is_path(rest) else None


def is_address(text: str, kinds: tuple[Kind, ...]) -> bool:
    """Answer whether a setting is empty or an address of one of these kinds."""
    return not text or parsed(text, kinds) is not None


def allowed(kinds: tuple[Kind, ...]) -> str:
    """Answer in words what a setting of these kinds may be."""
    return '"" for none, or ' + ", ".join(FORMS[kind] for kind in kinds)


def _host(rest: str) -> Address | None:
    host, _, port = rest.rpartition(":")
    is_port = port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) <= 65535
    return Address("tcp", host, int(port)) if is_port and _HOST.fullmatch(host) else None


def _serial(rest: str) -> Address | None:
    path, colon, baud = rest.partition(":")
    if not _is_path(path):
        return None
    if not colon:
        return Address("serial", path, _BAUD_DEFAULT)
    is_baud = baud.isascii() and baud.isdigit() and len(baud) <= 7 and int(baud) in SERIAL_BAUDS
    return Address("serial", path, int(baud)) if is_baud else None


def _is_path(text: str) -> bool:
    return text.startswith("/") and "\0" not in text and ".." not in text.split("/")
