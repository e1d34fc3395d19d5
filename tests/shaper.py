"""A bad link for tests without root: a TCP proxy of this process that paces, cuts and lies.

It ends TCP, so a cut makes neither side's bytes move but loses none, and acknowledgements come
from here; what TCP itself does on a bad link only `tests.line` shows. Small buffers keep the
kernel from hiding the pace.
"""

import asyncio
import contextlib
import gzip
import random
import re
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self

from tests.weather import Weather

PIECE_BYTES = 512
PACKET_BYTES = 1400
STALL_S = 1.2  # what TCP waits before it sends a lost packet again, at 600 ms round trip
BUFFER_BYTES = 4096
PORTAL = b"<!DOCTYPE html><title>Sign in</title><form action=/login>Sign in to continue</form>"

Lie = Literal["", "portal", "error", "redirect", "cache", "rewrite", "compress", "inject", "empty"]


@dataclass
class _Pace:
    """One direction of the link, shared by all connections."""

    free_s: float = 0.0
    passed_bytes: int = 0


class Shaper:
    """A listening proxy; use it as a context, connect to `url`.

    Args:
        target_port: Where the real centre listens, on this machine.
        weather: Pace, delay, loss and cuts; None for as fast as it goes.
        seed: Decides which packets are lost.
    """

    def __init__(self, target_port: int, weather: Weather | None = None, *, seed: int = 1) -> None:
        self.target_port = target_port
        self.weather = weather or Weather(rate_bits_s=1e12, round_trip_s=0.0, queue_s=60.0)
        #: What is answered instead of the centre, or of what it said.
        self.lie: Lie = ""
        #: Each connection is reset after so many bytes in that direction; None never.
        self.reset_after_up: int | None = None
        self.reset_after_down: int | None = None
        #: So many replies are swallowed, after the centre got their requests.
        self.replies_to_lose = 0
        self.connections = 0
        self.up, self.down = _Pace(), _Pace()
        self._random = random.Random(seed)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_whole = asyncio.Event()
        self._is_whole.set()
        self._cached = b""
        self._opened_s = 0.0

    @property
    def url(self) -> str:
        """Address of the near end."""
        assert self._server is not None, "the shaper is not open"
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        listening.bind(("127.0.0.1", 0))
        self._server = await asyncio.start_server(self._accepted, sock=listening, limit=PIECE_BYTES)
        self._opened_s = asyncio.get_running_loop().time()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Let nothing move from now on; nobody is told."""
        self._is_whole.clear()

    def restore(self) -> None:
        """Let it move again."""
        self._is_whole.set()

    def change(self, weather: Weather) -> None:
        """Begin new weather: its cuts count from now."""
        self.weather, self._opened_s = weather, asyncio.get_running_loop().time()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await self._moves(self.weather.round_trip_s)  # SYN there, SYN back
            await (self._lied(reader, writer) if self.lie else self._joined(reader, writer))
        with contextlib.suppress(OSError):
            writer.close()

    async def _moves(self, delay_s: float) -> None:
        """Wait that long, and until no cut is on."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(delay_s)
        await self._is_whole.wait()
        now_s = loop.time() - self._opened_s
        if (back_s := self.weather.back_s(now_s)) > now_s:
            await asyncio.sleep(back_s - now_s)

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far = await asyncio.open_connection("127.0.0.1", self.target_port, limit=PIECE_BYTES)
        is_lost = asyncio.Event()
        if self.replies_to_lose:
            self.replies_to_lose -= 1
            is_lost.set()
        ends = (writer, far[1])
        pumps = [
            asyncio.ensure_future(
                self._pumped(reader, far[1], self.up, self.reset_after_up, ends, asyncio.Event())
            ),
            asyncio.ensure_future(
                self._pumped(far[0], writer, self.down, self.reset_after_down, ends, is_lost)
            ),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            with contextlib.suppress(OSError):
                far[1].close()

    async def _pumped(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        pace: _Pace,
        reset_after: int | None,
        ends: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
        is_lost: asyncio.Event,
    ) -> None:
        """Carry one direction: paced here, then delayed by a second task so that both overlap."""
        loop = asyncio.get_running_loop()
        flying: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        landing = asyncio.ensure_future(self._landed(flying, writer))
        carried = 0
        try:
            while data := await reader.read(PIECE_BYTES):
                if reset_after is not None and carried + len(data) > reset_after:
                    data = data[: reset_after - carried]
                pace.free_s = max(loop.time(), pace.free_s) + len(data) / self.weather.bytes_s
                await self._moves(pace.free_s - loop.time())
                if self._random.random() < self.weather.loss * len(data) / PACKET_BYTES:
                    await asyncio.sleep(STALL_S)
                pace.passed_bytes += len(data)
                carried += len(data)
                if not is_lost.is_set():
                    flying.put_nowait((loop.time() + self.weather.round_trip_s / 2, data))
                if carried == reset_after:
                    await flying.join()
                    for end in ends:
                        _reset(end)
                    return
            await flying.join()
        finally:
            landing.cancel()

    async def _landed(
        self, flying: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            arrival_s, data = await flying.get()
            await self._moves(max(0.0, arrival_s - loop.time()))
            with contextlib.suppress(OSError):
                writer.write(data)
                await writer.drain()
            flying.task_done()

    async def _lied(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while self.lie:
            request = await _message(reader)
            if not request:
                return
            answer = _LIES[self.lie](self)
            if answer is None:
                told = await self._asked(request)
                if not self._cached:
                    self._cached = told
                answer = _changed(self.lie, told, self._cached)
            writer.write(answer)
            await writer.drain()

    async def _asked(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        try:
            writer.write(request)
            await writer.drain()
            return await _message(reader)
        finally:
            writer.close()


def _fixed(status: str, body: bytes, extra: str = "") -> Callable[[Shaper], bytes | None]:
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\n{extra}Content-Length: {len(body)}"
    return lambda _: head.encode() + b"\r\n\r\n" + body


_LIES: dict[str, Callable[[Shaper], bytes | None]] = {
    "portal": _fixed("200 OK", PORTAL),
    "error": _fixed("502 Bad Gateway", b"<h1>Bad Gateway</h1>"),
    "redirect": _fixed("302 Found", b"", "Location: http://127.0.0.1:9/login\r\n"),
    "empty": _fixed("200 OK", b""),
    # A proxy that answers from what it kept, once it has kept something.
    "cache": lambda shaper: shaper._cached or None,
    "rewrite": lambda _: None,
    "compress": lambda _: None,
    "inject": lambda _: None,
}


def _changed(lie: str, told: bytes, cached: bytes) -> bytes:
    """What a meddling proxy makes of the centre's answer."""
    if lie == "cache":
        return cached
    head, _, body = told.partition(b"\r\n\r\n")
    extra = b""
    if lie == "rewrite" and body:
        middle = len(body) // 2
        body = body[:middle] + bytes([body[middle] ^ 0x20]) + body[middle + 1 :]
    elif lie == "compress":
        body, extra = gzip.compress(body), b"\r\nContent-Encoding: gzip"
    elif lie == "inject":
        body += b"<script src=//ads.example/a.js></script>"
    length = b"Content-Length: %d" % len(body)
    return re.sub(rb"(?i)content-length: \d+", length, head) + extra + b"\r\n\r\n" + body


async def _message(reader: asyncio.StreamReader) -> bytes:
    """Read one HTTP message of a known length; b"" at the end of the connection."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        octet = await reader.read(1)
        if not octet:
            return b""
        head += octet
    found = re.search(rb"(?i)content-length: (\d+)", head)
    body = b""
    while found and len(body) < int(found[1]):
        piece = await reader.read(int(found[1]) - len(body))
        if not piece:
            return b""
        body += piece
    return head + body


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
