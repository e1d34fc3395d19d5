"""The bell or light that calls a helper: a line that is high for a moment, or a program.

Beside the message to the centre; a kiosk without one shows on the screen that it called.
"""

import asyncio
import contextlib
import logging
from asyncio.subprocess import DEVNULL
from functools import partial

from kiosk.devices.address import Address
from kiosk.devices.line import LineGone, open_line
from sync.clock import Clock
from sync.limits import BELL_COMMAND_S, BELL_S

_log = logging.getLogger(__name__)

_WRITE_MS = 500
_HIGH, _LOW = b"1\n", b"0\n"
#: What a serial bell is told: the character that rings (BEL).
_RING = b"\x07"


class BellFailed(Exception):
    """It did not ring; the message says why, in a word."""


class Bell:
    """Rings in the background; a second call while it rings changes nothing.

    Args:
        address: Of a file (a GPIO line's value), a serial line or a program; None = no bell.
        clock: How long the line stays high.
    """

    def __init__(self, address: Address | None, clock: Clock) -> None:
        self._address = address
        self._clock = clock
        self._task: asyncio.Future[None] | None = None
        self.is_failing = False
        """The last ring did not come through."""

    @property
    def is_there(self) -> bool:
        """Whether this kiosk has a bell."""
        return self._address is not None

    def begin(self) -> None:
        """Ring; answers at once."""
        if self._address is None or (self._task is not None and not self._task.done()):
            return
        self._task = asyncio.ensure_future(self._ring())

    async def ring(self) -> None:
        """Ring and wait for it.

        Raises:
            BellFailed: It did not.
        """
        if self._address is None:
            raise BellFailed("there is none")
        if self._address.kind == "command":
            await _ran(self._address.target)
        elif self._address.kind == "serial":
            await asyncio.to_thread(self._say, _RING)
        else:
            await asyncio.to_thread(self._say, _HIGH)
            try:
                await self._clock.sleep(BELL_S)
            finally:
                # A bell that is left ringing is worse than none.
                await asyncio.shield(asyncio.to_thread(self._say, _LOW))

    async def close(self) -> None:
        """End a ring that is under way, silently."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _ring(self) -> None:
        try:
            await self.ring()
            self.is_failing = False
        except BellFailed as error:
            self.is_failing = True
            _log.warning("the bell did not ring", extra={"reason": str(error)})

    def _say(self, what: bytes) -> None:
        assert self._address is not None  # noqa: S101 -- asked by `ring` only
        try:
            line = open_line(self._address, self._clock)
        except LineGone as error:
            raise BellFailed(f"not there: {error}") from error
        try:
            if line.write(what, _WRITE_MS) < len(what):
                raise BellFailed("it takes nothing")
        except LineGone as error:
            raise BellFailed(f"gone: {error}") from error
        finally:
            line.close()


async def _ran(program: str) -> None:
    start = partial(asyncio.create_subprocess_exec, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)
    try:
        process = await start(program)
    except OSError as error:
        raise BellFailed(f"no such program: {type(error).__name__}") from error
    try:
        code = await asyncio.wait_for(process.wait(), BELL_COMMAND_S)
    except TimeoutError as error:
        raise BellFailed("the program does not end") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if code != 0:
        raise BellFailed(f"the program ended with {code}")
