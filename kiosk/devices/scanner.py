"""A barcode and QR scanner: on a serial line, or a keyboard whose keys are taken from the page."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

from kiosk.devices.address import Address
from kiosk.devices.line import FileLine, LineGone, open_line
from kiosk.devices.scan_lines import Decoder, Keys, Lines
from sync.clock import Clock
from sync.limits import SCAN_READ_BYTES, SCANNER_RETRY_S


class Scanner:
    """Waits for codes; found again after it was pulled out.

    Args:
        address: None = this kiosk has none.
        clock: Waiting.

    Attributes:
        view: "" = none, "ready", or "gone".
        came: Told each line.
    """

    def __init__(self, address: Address | None, clock: Clock) -> None:
        self._address = address
        self._clock = clock
        self.view: Literal["", "ready", "gone"] = "" if address is None else "gone"
        self.came: Callable[[str], Awaitable[None]] | None = None

    async def run(self) -> None:
        """Read until cancelled."""
        if self._address is None:
            return
        while True:
            try:
                line = await asyncio.to_thread(open_line, self._address, self._clock)
            except LineGone:
                self.view = "gone"
            else:
                try:
                    await self._read(line, self._address)
                finally:
                    line.close()
            await self._clock.sleep(SCANNER_RETRY_S)

    async def _read(self, line: FileLine, address: Address) -> None:
        is_keyboard = address.kind == "input"
        if is_keyboard:
            line.keep_to_itself()
        decoder: Decoder = Keys() if is_keyboard else Lines()
        self.view = "ready"
        try:
            while True:
                await line.readable()
                for text in decoder.feed(line.read(SCAN_READ_BYTES, 0)):
                    if self.came is not None:
                        await self.came(text)
        except LineGone:
            self.view = "gone"
