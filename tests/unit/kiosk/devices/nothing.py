"""A kiosk without devices, into which a test puts the one that it is about."""

from kiosk.devices.bell import Bell
from kiosk.devices.hung import Devices
from kiosk.devices.printing import Printing, pressed
from kiosk.devices.reading import Reading
from kiosk.devices.scanner import Scanner
from tests.unit.sync.worlds import JumpingClock


def without_devices(
    *,
    printing: Printing | None = None,
    reading: Reading | None = None,
    bell: Bell | None = None,
) -> Devices:
    clock = JumpingClock()
    return Devices(
        printing=printing or Printing(None, pressed, clock),
        reading=reading or Reading(None, clock),
        scanner=Scanner(None, clock),
        bell=bell or Bell(None, clock),
    )
