"""What this machine is: its fingerprint for the centre, and whether its card was moved."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from sync.enrolment import FINGERPRINT_BYTES

MACHINE_ID = Path("/etc/machine-id")
#: What a board knows of itself, the most certain first. None of it is on the card: the machine
#: id is, so a copied card takes it along.
_BOARD = (
    ("tree", "sys/firmware/devicetree/base/serial-number"),
    ("dmi", "sys/class/dmi/id/product_uuid"),
    ("board", "sys/class/dmi/id/board_serial"),
)
_NETWORK = "sys/class/net"
#: What cheap boards bear instead of a number of their own.
_NO_SERIAL = frozenset({"", "none", "default string", "to be filled by o.e.m.", "not specified"})
_MARK_HEX = 16


def fingerprint(path: Path = MACHINE_ID) -> bytes:
    """Answer a hash of this machine's id, 16 bytes; zeros when it has none."""
    try:
        machine = path.read_bytes().strip()
    except OSError:
        return bytes(FINGERPRINT_BYTES)
    return hashlib.sha256(b"bianmin/1/machine" + machine).digest()[:FINGERPRINT_BYTES]


def board(root: Path = Path("/")) -> str:
    """Answer what marks this board, as "source:hash" words, the most certain first; "" nothing.

    Only hashes: a serial number has no business on a card that may be lost.

    Args:
        root: Where /sys lies.
    """
    return " ".join(f"{source}:{_mark(source, text)}" for source, text in _serials(root))


def is_moved(enrolled: str, present: str) -> bool:
    """Answer whether a card that was enrolled on one board now runs on another.

    Judged by the most certain source that both know; without one nobody can tell, and the
    answer is no: a kiosk must not stop because a file became unreadable.

    >>> is_moved("tree:aa net:bb", "tree:cc net:bb")
    True
    >>> is_moved("dmi:aa net:bb", "net:bb")
    False
    """
    before, now = _words(enrolled), _words(present)
    for source, mark in before.items():
        if source in now:
            return now[source] != mark
    return False


def _words(text: str) -> dict[str, str]:
    pairs = (word.partition(":") for word in text.split())
    return {source: mark for source, _, mark in pairs}


def _mark(source: str, text: str) -> str:
    return hashlib.sha256(f"bianmin/1/board/{source}/{text}".encode()).hexdigest()[:_MARK_HEX]


def _serials(root: Path) -> Iterator[tuple[str, str]]:
    for source, name in _BOARD:
        text = _read(root / name)
        if text.lower() not in _NO_SERIAL and set(text) - set("0-"):
            yield source, text
    address = _built_in_address(root / _NETWORK)
    if address:
        yield "net", address


def _built_in_address(folder: Path) -> str:
    """Answer the lowest hardware address of what is soldered on; a stick may be anybody's."""
    if not folder.is_dir():
        return ""
    found = []
    for card in folder.iterdir():
        device = card / "device"
        if device.exists() and "/usb" not in str(device.resolve()):
            address = _read(card / "address")
            if _is_burnt_in(address):
                found.append(address)
    return min(found, default="")


def _is_burnt_in(address: str) -> bool:
    """Answer whether a maker gave the address: drawn ones have the second bit set (IEEE 802)."""
    try:
        first = int(address[:2], 16)
    except ValueError:
        return False
    return bool(address.strip("0:")) and not first & 2


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("ascii", "replace").strip("\0 \n")
    except OSError:
        return ""
