"""Settings of a kiosk: a TOML file, then the environment, each checked at start."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from kiosk.devices.address import (
    BELL_KINDS,
    CARD_READER_KINDS,
    PRINTER_KINDS,
    SCANNER_KINDS,
    allowed,
    is_address,
)
from kiosk.rest import FORM, is_span
from kiosk.web.keymap import DOES, is_key_change
from sync import settings
from sync.limits import IDLE_S

ENVIRONMENT = "BIANMIN_KIOSK_"
FILE_NAME = "settings.toml"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an installer may choose; every field can be set as BIANMIN_KIOSK_<NAME>."""

    #: Folder of store, keys and identity; made by `bianmin kiosk enrol`.
    data_dir: Path = Path("kiosk-data")
    #: Address to listen on; the page is for this machine's own screen.
    host: str = "127.0.0.1"
    #: Port to listen on, 0 to 65535; 0 takes a free one.
    port: int = 8420
    #: Scheme and host of the centre.
    centre_url: str = "http://127.0.0.1:8421"
    #: Other addresses of the same centre, for when its name cannot be found; commas between them.
    centre_fallbacks: tuple[str, ...] = ()
    #: Folder of the rendered sentences; "" = where `bianmin voice render` puts them.
    voice_dir: Path | None = None
    #: Folder of recordings by people, one subfolder a language; "" = none.
    recordings_dir: Path | None = None
    #: Folder of dialect packs; "" = where `bianmin voice pack install` puts them.
    packs_dir: Path | None = None
    #: Speak with the machine's own voice what has no clip.
    has_live_voice: bool = True
    #: The screen as it hangs: pixels and inches, so that sizes can be real millimetres.
    width_px: int = 1024
    height_px: int = 600
    diagonal_in: float = 10.1
    #: Seconds without a touch until “are you still there?”, 60 to 300.
    idle_s: int = IDLE_S
    #: The place's offset from UTC in minutes, -720 to 840; China is 480.
    utc_offset_min: int = 480
    #: Where the slip printer hangs: "usb:04b8:0e15", "serial:/dev/ttyUSB0:19200",
    #: "tcp:host:port", "file:/path"; "" = there is none.
    printer: str = ""
    #: Width of its paper in mm, 58 or 80.
    slip_width_mm: int = 58
    #: The printer draws the square itself: few bytes for a slow line, not known to all printers.
    is_qr_by_printer: bool = False
    #: Where the reader of ID cards hangs: "serial:/dev/ttyS1:115200", or the port of its maker's
    #: own program "tcp:127.0.0.1:port"; "" = there is none.
    card_reader: str = ""
    #: Where the scanner hangs: "input:/dev/input/by-id/…-event-kbd", "serial:/dev/ttyACM0:9600",
    #: "tcp:host:port"; "" = there is none, or it types into the page like a keyboard.
    scanner: str = ""
    #: Hours in which a screen that nobody uses is dark, as "22:00-06:00"; any touch wakes it.
    screen_off: str = ""
    #: Hours in which the kiosk speaks only after a touch, and lower; "" = none.
    quiet_hours: str = ""
    #: What rings for the helper: "file:/sys/class/gpio/gpio17/value", "serial:/dev/ttyS2:9600",
    #: "command:/usr/local/bin/ring"; "" = there is no bell.
    bell: str = ""
    #: Keep a second copy of what waits, for a damaged store or a card that lies about syncing.
    has_shadow: bool = True
    #: Folder of that copy, best on another card or stick; "" = the data folder.
    shadow_dir: Path | None = None
    #: Changes to the keypad's keys (kiosk/web/keymap.py), e.g. "KeyA=ok,F1="; commas between.
    keypad: tuple[str, ...] = ()
    #: Folder where the centre's USB sticks are mounted (deploy/udev); "" = none are looked for.
    stick_dir: Path | None = None

    @property
    def database(self) -> Path:
        """The kiosk's store."""
        return self.data_dir / "kiosk.db"


def load(environment: Mapping[str, str] | None = None, **given: Any) -> Settings:
    """Read the settings of a kiosk; see `sync.settings.load`.

    Raises:
        SettingRefused: A name is unknown or a value cannot be used.
    """
    return settings.load(
        Settings,
        prefix=ENVIRONMENT,
        file_name=FILE_NAME,
        bounds=_bounds,
        environment=environment,
        given=given,
    )


def _bounds(chosen: Settings) -> Iterator[settings.Bound]:
    is_base = settings.is_base_url(chosen.centre_url)
    yield "port", 0 <= chosen.port <= 65535, "0 to 65535"
    yield "centre_url", is_base, "http(s)://host, without a path"
    are_bases = all(map(settings.is_base_url, chosen.centre_fallbacks))
    yield "centre_fallbacks", are_bases, "http(s)://host each, without a path"
    yield "width_px", 320 <= chosen.width_px <= 7680, "320 to 7680 pixels"
    yield "height_px", 320 <= chosen.height_px <= 7680, "320 to 7680 pixels"
    yield "diagonal_in", 5 <= chosen.diagonal_in <= 100, "5 to 100 inches"
    are_keys = all(map(is_key_change, chosen.keypad))
    yield "keypad", are_keys, f"KEY=… with one of {', '.join(DOES)}"
    yield "idle_s", 60 <= chosen.idle_s <= 300, "60 to 300 seconds"
    is_printer = is_address(chosen.printer, PRINTER_KINDS)
    yield "printer", is_printer, allowed(PRINTER_KINDS)
    is_reader = is_address(chosen.card_reader, CARD_READER_KINDS)
    yield "screen_off", is_span(chosen.screen_off), FORM
    yield "quiet_hours", is_span(chosen.quiet_hours), FORM
    yield "card_reader", is_reader, allowed(CARD_READER_KINDS)
    yield "scanner", is_address(chosen.scanner, SCANNER_KINDS), allowed(SCANNER_KINDS)
    yield "bell", is_address(chosen.bell, BELL_KINDS), allowed(BELL_KINDS)
    yield "slip_width_mm", chosen.slip_width_mm in (58, 80), "58 or 80 mm"
    yield "utc_offset_min", -720 <= chosen.utc_offset_min <= 840, "-720 to 840 minutes"
