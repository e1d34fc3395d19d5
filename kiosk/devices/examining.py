"""What the doctor looks at of devices: each that the settings name, and what printing needs."""

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

from kiosk.devices.address import BELL_KINDS, SCANNER_KINDS, parsed
from kiosk.devices.headphones import are_plugged_in
from kiosk.devices.hung import card_reader_of, printer_of
from kiosk.devices.line import LineGone, open_line
from kiosk.devices.press import FONT
from kiosk.devices.printer import Looked
from kiosk.finding import Finding
from kiosk.settings import Settings
from sync.clock import Clock

_PRINTER: dict[str, tuple[str, str]] = {
    "ok": ("it is ready", ""),
    "low": ("its paper is nearly at its end", "have a new roll at hand"),
    "out": ("it has no paper", "put in a new roll, the thick side to the front"),
    "open": ("its cover is open", "close it until it clicks"),
    "fault": ("it has a fault", "switch it off and on; look for paper in the cutter"),
    "gone": ("it does not answer", "its plug, its cable, its switch; the setting `printer`"),
}


def examine_devices(settings: Settings, clock: Clock, root: Path = Path("/")) -> Iterator[Finding]:
    """Look at each device that hangs on this kiosk.

    Args:
        settings: Name the devices.
        clock: Bounds the looking.
        root: Where /proc and /dev lie.
    """
    if settings.printer:
        yield check_printer(settings, clock)
        yield check_press()
    if settings.card_reader:
        yield check_card_reader(settings, clock)
    if settings.scanner:
        yield check_scanner(settings, clock)
    if settings.bell:
        yield check_bell(settings)
    plugged = are_plugged_in(root)
    if plugged is not None:
        said = "plugged in" if plugged else "not plugged in; the kiosk speaks aloud"
        yield Finding("headphones", True, said)


def check_printer(settings: Settings, clock: Clock) -> Finding:
    """Look how the slip printer is."""
    printer = printer_of(settings.printer, clock)
    found = Looked("gone") if printer is None else printer.look()
    said, todo = _PRINTER[found.state]
    if found.state == "ok" and not found.is_sure:
        said = "it is there and does not tell how it is; look at its lamp and its paper"
    return Finding("printer", found.state == "ok", said, todo, is_slight=True)


def check_press(font: Path = FONT) -> Finding:
    """Look whether all is there that a slip is drawn with."""
    lacking = [name for name in ("escpos", "PIL") if importlib.util.find_spec(name) is None]
    if lacking:
        todo = "pip install 'bianmin[printer]'"
        return Finding("slips", False, f"{', '.join(lacking)} is missing", todo, is_slight=True)
    if not font.exists():
        todo = "apt install fonts-noto-cjk"
        return Finding("slips", False, f"{font} is missing", todo, is_slight=True)
    return Finding("slips", True, "they can be drawn")


def check_card_reader(settings: Settings, clock: Clock) -> Finding:
    """Look whether the reader of ID cards answers; no card is read."""
    reader = card_reader_of(settings.card_reader, clock)
    if reader is not None and reader.is_there():
        return Finding("card reader", True, "it answers")
    todo = "its plug; the maker's program; the setting `card_reader`"
    return Finding("card reader", False, "it does not answer", todo, is_slight=True)


def check_scanner(settings: Settings, clock: Clock) -> Finding:
    """Look whether the scanner is there."""
    address = parsed(settings.scanner, SCANNER_KINDS)
    try:
        if address is None:
            raise LineGone("not named")
        open_line(address, clock).close()
    except LineGone as error:
        todo = "its plug; `ls /dev/input/by-id`; the kiosk's user in the group input or dialout"
        return Finding("scanner", False, f"not there ({error})", todo, is_slight=True)
    return Finding("scanner", True, "it is there; hold a slip before it to try it")


def check_bell(settings: Settings) -> Finding:
    """Look whether the bell can be rung; it is not rung."""
    address = parsed(settings.bell, BELL_KINDS)
    how = os.X_OK if address is not None and address.kind == "command" else os.W_OK
    if address is not None and os.access(address.target, how):
        return Finding("bell", True, "it can be rung; the installer's screen rings it")
    todo = "the setting `bell`; the kiosk's user in the group gpio or dialout"
    return Finding("bell", False, "it cannot be rung", todo, is_slight=True)
