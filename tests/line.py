"""A line that carries packets at a bad link's pace: real TCP at both ends, root needed.

Two network namespaces of this process, a TUN device in each, and between them this loop, which
delays, paces, queues, drops and counts every IP packet. A proxy cannot do that: it ends TCP, so
that a cut costs nothing but its length and set-up costs nothing at all.
"""

import asyncio
import contextlib
import ctypes
import fcntl
import os
import random
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeVar

from tests.weather import Weather

T = TypeVar("T")
NEAR, FAR = "10.77.0.1", "10.77.0.2"
PORT = 8000
MTU = 1400
IP_HEADER_BYTES = 20
_SYN = 0x02
_CLONE_NEWNET = 0x4000_0000
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x4004_54CA, 0x0001, 0x1000
_LIBC = ctypes.CDLL(None, use_errno=True)


def is_possible() -> bool:
    """Whether this machine lets us make network namespaces and TUN devices."""
    return os.geteuid() == 0 and Path("/dev/net/tun").exists()


def _own_namespace() -> int:
    return os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY)


class _Place:
    """One end: a network namespace with one TUN device in it."""

    def __init__(self, address: str) -> None:
        self.tun = -1
        self._namespace = -1
        self._alone(lambda: self._furnish(address))

    def _furnish(self, address: str) -> None:
        if _LIBC.unshare(_CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        self._namespace = os.open(
            f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY
        )
        self.tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.tun, _TUNSETIFF, struct.pack("16sH22x", b"line0", _IFF_TUN | _IFF_NO_PI))
        for command in (
            "link set lo up",
            f"addr add {address}/24 dev line0",
            f"link set line0 mtu {MTU} up",
        ):
            subprocess.run(["ip", *command.split()], check=True)

    @staticmethod
    def _alone(work: Callable[[], None]) -> None:
        """Run in a thread of its own, since a thread cannot leave its namespace for ours."""
        errors: list[BaseException] = []

        def guarded() -> None:
            try:
                work()
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=guarded)
        thread.start()
        thread.join()
        for error in errors:
            raise error

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be in this namespace while the block runs; sockets made there stay there."""
        home = _own_namespace()
        try:
            if _LIBC.setns(self._namespace, _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            yield
        finally:
            _LIBC.setns(home, _CLONE_NEWNET)
            os.close(home)

    def close(self) -> None:
        os.close(self.tun)
        os.close(self._namespace)


@dataclass
class _Stream:
    """Which bytes of one connection's one direction were seen."""

    #: Number of its first byte, as TCP counts.
    first: int
    #: (begin, end) counted from the first, sorted and apart.
    spans: list[tuple[int, int]] = field(default_factory=list)

    def add(self, seq: int, size_bytes: int) -> int:
        """Note a packet's bytes; answer how many of them were not seen before."""
        begin = (seq - self.first) & 0xFFFF_FFFF
        if begin >= 1 << 31:
            return 0  # asks whether we are still there, with a byte before the first
        end, known = begin + size_bytes, 0
        apart, whole = [], (begin, end)
        for span in self.spans:
            if span[1] < begin or span[0] > end:
                apart.append(span)
                continue
            known += min(span[1], end) - max(span[0], begin)
            whole = min(whole[0], span[0]), max(whole[1], span[1])
        self.spans = sorted([*apart, whole])
        return size_bytes - known


class Way:
    """One direction of the line; times are seconds since the weather began."""

    def __init__(self, weather: Weather, seed: int) -> None:
        self.weather = weather
        self.packets = 0
        #: Of all packets that were sent, those that the line lost too: IP header not counted.
        self.above_ip_bytes = 0
        #: Above TCP: each byte of each connection once, whether the line lost it or not.
        self.above_tcp_bytes = 0
        #: The same of packets that came out, once they did: neither what was lost or still flies,
        #: nor a hole before what came.
        self.arrived_bytes = 0
        self.lost = 0
        self._sent: dict[bytes, _Stream] = {}
        self._arrived: dict[bytes, _Stream] = {}
        self._random = random.Random(seed)
        self._free_s = 0.0

    def change(self, weather: Weather, after_s: float) -> None:
        """Begin new weather; what the narrowest place holds still has to get through it."""
        self.weather = weather
        self._free_s = max(0.0, self._free_s - after_s)

    def arrival_s(self, packet: bytes, now_s: float) -> float | None:
        """When a packet that is sent now comes out; None when it is lost."""
        if packet[33] & _SYN:
            self._begin(packet)
        backlog_bytes = (self._free_s - now_s) * self.weather.bytes_s
        if backlog_bytes + len(packet) > self.weather.queue_bytes:
            self.lost += 1
            return None
        self.packets += 1
        self.above_ip_bytes += len(packet) - IP_HEADER_BYTES
        self.above_tcp_bytes += _fresh(self._sent, packet)
        self._free_s = max(now_s, self._free_s) + len(packet) / self.weather.bytes_s
        arrival_s = self._free_s + self.weather.round_trip_s / 2
        is_lost = self._random.random() < self.weather.loss
        if is_lost or self.weather.is_cut(self._free_s) or self.weather.is_cut(arrival_s):
            self.lost += 1
            return None
        return arrival_s

    def arrive(self, packet: bytes) -> None:
        """Count a packet that comes out now."""
        self.arrived_bytes += _fresh(self._arrived, packet)

    def _begin(self, packet: bytes) -> None:
        """Begin a connection, unless this only repeats its first packet."""
        first = (struct.unpack_from("!I", packet, 24)[0] + 1) & 0xFFFF_FFFF
        for seen in (self._sent, self._arrived):
            if packet[12:24] not in seen or seen[packet[12:24]].first != first:
                seen[packet[12:24]] = _Stream(first)


def _fresh(seen: dict[bytes, _Stream], packet: bytes) -> int:
    """How many bytes of its connection a packet is the first to carry."""
    stream = seen.get(packet[12:24])
    size_bytes = len(packet) - IP_HEADER_BYTES - (packet[32] >> 4) * 4
    if stream is None or not size_bytes:
        return 0
    (seq,) = struct.unpack_from("!I", packet, 24)
    return stream.add(seq, size_bytes)


class Line:
    """The line and a relay at its far end: what connects to `url` from `open_socket` uses it."""

    url = f"http://{FAR}:{PORT}"

    def __init__(self, target_port: int, weather: Weather, *, seed: int = 1) -> None:
        self.up, self.down = Way(weather, seed), Way(weather, seed + 1)
        self._target_port = target_port
        self._places = _Place(NEAR), _Place(FAR)
        self._loop = asyncio.get_running_loop()
        self._opened_s = self._loop.time()
        self._relays: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    def change(self, weather: Weather) -> None:
        """Begin new weather: its cuts count from now."""
        after_s = self._loop.time() - self._opened_s
        self._opened_s += after_s
        for way in (self.up, self.down):
            way.change(weather, after_s)

    async def __aenter__(self) -> Self:
        near, far = self._places
        self._loop.add_reader(near.tun, self._pass, near, far, self.up)
        self._loop.add_reader(far.tun, self._pass, far, near, self.down)
        with far.entered():
            listening = socket.create_server((FAR, PORT))
        self._server = await asyncio.start_server(self._relayed, sock=listening)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for relay in self._relays:
            relay.cancel()
        await asyncio.gather(*self._relays, return_exceptions=True)
        for place in self._places:
            self._loop.remove_reader(place.tun)
            place.close()

    def open_socket(self, address: tuple[object, ...]) -> socket.socket:
        """Open a kiosk's socket at the near end."""
        from sync.transports.http import watchful_socket

        with self._places[0].entered():
            return watchful_socket(address)

    def _pass(self, source: _Place, target: _Place, way: Way) -> None:
        while True:
            try:
                packet = os.read(source.tun, 65536)
            except BlockingIOError:
                return
            if packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_TCP:
                continue  # a new interface's IPv6 greetings
            now_s = self._loop.time() - self._opened_s
            arrival_s = way.arrival_s(packet, now_s)
            if arrival_s is not None:
                self._loop.call_later(arrival_s - now_s, self._deliver, target, packet, way)

    @staticmethod
    def _deliver(target: _Place, packet: bytes, way: Way) -> None:
        try:
            os.write(target.tun, packet)
        except OSError:
            return  # the line was closed meanwhile
        way.arrive(packet)

    async def _relayed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._relays.add(task)
        task.add_done_callback(self._relays.discard)
        with contextlib.suppress(asyncio.CancelledError):
            await self._joined(reader, writer)

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.transport.abort()
            return
        pumps = [
            asyncio.ensure_future(_pumped(reader, far[1])),
            asyncio.ensure_future(_pumped(far[0], writer)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for end in (writer, far[1]):
                end.close()


async def _pumped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
