"""Slips on their way out: drawn in a process, printed in a thread, told to the screen.

Nothing depends on paper: a slip that cannot be printed is told, and waits in memory until the
printer can or the visit is over. A half-printed one is printed again, whole.
"""

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import msgspec

from kiosk.devices import press
from kiosk.devices.printer import Printed, Printer
from kiosk.devices.slip import Slip, encode_slip
from kiosk.devices.views import ABLE, PrinterView
from sync.clock import Clock
from sync.limits import PRESS_S, PRINTER_LOOK_S, PRINTER_RETRY_S, SLIP_RASTER_BYTES_MAX

_T = TypeVar("_T")
Draw = Callable[[Slip], Awaitable[bytes]]


class PressFailed(Exception):
    """The slip could not be drawn; `is_missing` = something is not installed."""

    def __init__(self, reason: str, *, is_missing: bool = False) -> None:
        super().__init__(reason)
        self.is_missing = is_missing


class Printing:
    """The printer's state and the slip of the present visit.

    Args:
        printer: None = this kiosk has none.
        draw: Makes a slip's bytes; see `pressed`.
        clock: Waiting.
        note: Told when what a resident should know has changed.
    """

    def __init__(
        self,
        printer: Printer | None,
        draw: Draw,
        clock: Clock,
        note: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._printer = printer
        self._draw = draw
        self._clock = clock
        self.note = note
        self._slip: Slip | None = None
        self._turn = asyncio.Lock()
        # Its own thread: a slow printer must not keep the store's work waiting.
        self._thread = ThreadPoolExecutor(1, "printer")
        self._task: asyncio.Future[None] | None = None
        self.view = PrinterView("ok" if printer is not None else "")

    def begin(self, slip: Slip) -> None:
        """Print a slip; answers at once. One that waited before is given up for it."""
        if self._printer is None:
            return
        is_again = self._slip is not None or bool(self.view.job)
        self._slip = slip
        self.view = PrinterView(self.view.state, "printing", is_again)
        self._task = asyncio.ensure_future(self._print(slip))

    def forget(self) -> None:
        """Let go of the visit's slip; what the printer has begun it ends."""
        self._slip = None
        self.view = PrinterView(self.view.state)

    async def run(self) -> None:
        """Look after the printer until cancelled."""
        if self._printer is None:
            return
        while True:
            await self.look()
            is_waiting = self.view.job in ("half", "none")
            await self._clock.sleep(PRINTER_RETRY_S if is_waiting else PRINTER_LOOK_S)

    async def look(self) -> None:
        """Look once; a slip that waits for a printer that is well again is printed now."""
        if self._printer is None or self._turn.locked():
            return
        async with self._turn:
            found = await self._aside(self._printer.look)
        is_due = found.state in ABLE and self.view.job in ("half", "none")
        if is_due and self._slip is not None:
            await self._print(self._slip)
        else:
            await self._show(msgspec.structs.replace(self.view, state=found.state))

    async def close(self) -> None:
        """End; what is in the thread ends by its own bounds."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _print(self, slip: Slip) -> None:
        assert self._printer is not None  # noqa: S101 -- asked by whoever has looked
        async with self._turn:
            if slip is not self._slip:
                # A newer one waits, or the visit is over.
                return
            try:
                raw = await self._draw(slip)
            except PressFailed:
                came = Printed("none", "fault")
            else:
                came = await self._aside(self._printer.print, raw)
        if slip is self._slip:
            state, is_again = came.state, self.view.is_again
            if came.how == "whole":
                self._slip = None
            await self._show(PrinterView(state, came.how, is_again))
        else:
            await self._show(msgspec.structs.replace(self.view, state=came.state))

    async def _show(self, view: PrinterView) -> None:
        before, self.view = self.view, view
        is_news = (before.trouble, before.job == "half") != (view.trouble, view.job == "half")
        if is_news and self.note is not None:
            await self.note()

    async def _aside(self, work: Callable[..., _T], *values: bytes) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *values)


async def pressed(slip: Slip) -> bytes:
    """Draw a slip in a process of its own, which is ended when it takes too long.

    Raises:
        PressFailed: It could not be drawn.
    """
    command = (sys.executable, "-m", press.__name__)
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
        )
    except OSError as error:
        raise PressFailed("no process") from error
    try:
        answer = process.communicate(encode_slip(slip))
        raw, _ = await asyncio.wait_for(answer, PRESS_S)
    except TimeoutError as error:
        raise PressFailed("too slow") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == press.MISSING:
        raise PressFailed("not installed", is_missing=True)
    if process.returncode != 0 or not raw or len(raw) > SLIP_RASTER_BYTES_MAX:
        raise PressFailed(f"ended with {process.returncode}")
    return raw
