"""A link without a network: a centre that is a function, and faults that happen on cue."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Literal

from sync.clock import Clock
from sync.limits import QUIET_S
from sync.transports import LinkDown

Fault = Literal[
    "",
    "drop_request",
    "drop_reply",
    "truncate",
    "flip",
    "duplicate",
    "replay",
    "portal",
    "stall",
]
Centre = Callable[[str, str, bytes], Awaitable[bytes]]
"""Method, path, body → reply's body."""

PORTAL = b"<!DOCTYPE html><title>Sign in to continue</title>"


class MemoryLink:
    """Carry requests to a function; each one meets the next fault of the script, then none.

    Args:
        centre: What stands at the far end; it may raise `LinkDown`.
        faults: One word for each request in turn.
        clock: Makes a stall last, if given.
    """

    def __init__(
        self, centre: Centre, faults: Iterable[Fault] = (), clock: Clock | None = None
    ) -> None:
        self._centre = centre
        self._faults: Iterator[Fault] = iter(faults)
        self._clock = clock
        self._last_reply = b""
        self.up_bytes = 0
        self.down_bytes = 0

    async def post(self, path: str, body: bytes) -> bytes:
        """Send a body through the next fault."""
        return await self._carry("POST", path, body)

    async def get(self, path: str) -> bytes:
        """Fetch a path through the next fault."""
        return await self._carry("GET", path, b"")

    async def _carry(self, method: str, path: str, body: bytes) -> bytes:
        fault: Fault = next(self._faults, "")
        self.up_bytes += len(body)
        if fault == "drop_request":
            raise LinkDown("the request was lost")
        if fault == "stall":
            if self._clock is not None:
                await self._clock.sleep(QUIET_S)
            raise LinkDown("the link fell silent")
        if fault == "portal":
            return PORTAL
        if fault == "duplicate":
            await self._centre(method, path, body)
        reply = await self._centre(method, path, body)
        old, self._last_reply = self._last_reply, reply
        self.down_bytes += len(reply)
        if fault == "drop_reply":
            raise LinkDown("the answer was lost")
        return _changed(fault, reply, old)


def _changed(fault: Fault, reply: bytes, old: bytes) -> bytes:
    middle = len(reply) // 2
    if fault == "truncate":
        return reply[:middle]
    if fault == "flip":
        return reply[:middle] + bytes([reply[middle] ^ 1]) + reply[middle + 1 :]
    return old if fault == "replay" else reply
