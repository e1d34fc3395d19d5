"""What hangs on this kiosk, opened as its settings say."""

from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from functools import partial

from kiosk.devices.address import (
    BELL_KINDS,
    CARD_READER_KINDS,
    PRINTER_KINDS,
    SCANNER_KINDS,
    parsed,
)
from kiosk.devices.bell import Bell
from kiosk.devices.card_reader import CardReader, FramedReader
from kiosk.devices.line import open_line
from kiosk.devices.printer import LinePrinter, Printer
from kiosk.devices.printing import Printing, pressed
from kiosk.devices.reading import Reading
from kiosk.devices.scanner import Scanner
from kiosk.settings import Settings
from sync.clock import Clock


@dataclass(frozen=True)
class Devices:
    """The devices of one kiosk; each is there as an object, whether or not it hangs there."""

    printing: Printing
    reading: Reading
    scanner: Scanner
    bell: Bell

    def runs(self) -> Iterator[Coroutine[None, None, None]]:
        """Answer the loops that look after them."""
        yield self.printing.run()
        yield self.reading.run()
        yield self.scanner.run()

    async def close(self) -> None:
        """Let them go."""
        await self.printing.close()
        self.reading.close()
        await self.bell.close()


def devices_of(settings: Settings, clock: Clock) -> Devices:
    """Answer the devices that the settings name; nothing is opened before it is used.

    Args:
        settings: Of this kiosk.
        clock: Time and waiting.
    """
    return Devices(
        printing=Printing(printer_of(settings.printer, clock), pressed, clock),
        reading=Reading(card_reader_of(settings.card_reader, clock), clock),
        scanner=Scanner(parsed(settings.scanner, SCANNER_KINDS), clock),
        bell=Bell(parsed(settings.bell, BELL_KINDS), clock),
    )


def printer_of(setting: str, clock: Clock) -> Printer | None:
    """Answer the slip printer of a setting; None = there is none."""
    address = parsed(setting, PRINTER_KINDS)
    if address is None:
        return None
    bits_per_s = address.number if address.kind == "serial" else 0
    return LinePrinter(partial(open_line, address, clock), clock, bits_per_s)


def card_reader_of(setting: str, clock: Clock) -> CardReader | None:
    """Answer the reader of ID cards of a setting; None = there is none."""
    address = parsed(setting, CARD_READER_KINDS)
    return None if address is None else FramedReader(partial(open_line, address, clock), clock)
