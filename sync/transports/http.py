"""The ordinary way to the centre: HTTP/1.1 with as few header bytes as it allows."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable
from typing import Self

import aiohttp
import msgspec

from sync.errors import MALFORMED, ProblemDetails
from sync.limits import (
    BLOB_BYTES_MAX,
    CONNECT_FIRST_S,
    CONNECT_MAX_S,
    EXCHANGE_S_MAX,
    EXCHANGES_AT_ONCE,
    QUIET_S,
    UPLOAD_LOOK_S,
    UPLOAD_S_MAX,
    WATCH_S,
)
from sync.transports import CentreRefused, LinkDown, NotConnected
from sync.transports.names import RememberingResolver
from sync.transports.stillness import Stillness, patience_s, stillness_of, window_bytes

KEEP_ALIVE_S = 300.0  # below what a mobile network remembers a silent connection for
KERNEL_UNSENT_BYTES = 4096  # handed to TCP ahead of its need: what follows can still be put first
PROBLEM_BYTES_MAX = 2048
RETRY_AFTER_S_MAX = 86_400
MISSES_MAX = 4  # patience then ends at `QUIET_S` anyway
_TCP_NOTSENT_LOWAT = 25  # linux/tcp.h; Python has no name for it
_LEFT_OUT = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")

OpenSocket = Callable[[tuple[object, ...]], socket.socket]
"""Opens a socket for an entry of `getaddrinfo`."""


def watchful_socket(address: tuple[object, ...]) -> socket.socket:
    """Open a socket that gives up when the far end stops taking bytes for `QUIET_S`.

    aiohttp's own read time-out begins only after the last byte of the request was written.
    """
    family, kind, protocol, *_ = address
    connection = socket.socket(family, kind, protocol)  # type: ignore[arg-type]  # addrinfo
    for option, value in (
        (socket.TCP_USER_TIMEOUT, int(QUIET_S * 1000)),
        (_TCP_NOTSENT_LOWAT, KERNEL_UNSENT_BYTES),
    ):
        connection.setsockopt(socket.IPPROTO_TCP, option, value)
    return connection


class _Overdue(Exception):
    """Nothing came back for longer than this connection's own pace allows."""


class _Lane:
    """One connection, so that what TCP tells of it is about one request."""

    def __init__(self, open_socket: OpenSocket) -> None:
        self.is_busy = False
        #: When bytes were last handed over for it, on the loop's clock.
        self.moved_s = 0.0
        #: When its request began.
        self.began_s = 0.0
        #: What has come of the present answer.
        self.came = bytearray()
        self._open_socket = open_socket
        self._sockets: list[socket.socket] = []
        self._session: aiohttp.ClientSession | None = None

    def session(self) -> aiohttp.ClientSession:
        """Answer the session, opened when it is first needed."""
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=1,
                keepalive_timeout=KEEP_ALIVE_S,
                socket_factory=self._opened,
                resolver=RememberingResolver(),
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                # A proxy that compresses has changed the bytes; so would a bomb.
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    def _opened(self, address: tuple[object, ...]) -> socket.socket:
        self._sockets = [*self.open_sockets(), self._open_socket(address)]
        return self._sockets[-1]

    def open_sockets(self) -> list[socket.socket]:
        """Answer the connections that are not closed: one, or several while it connects."""
        return [connection for connection in self._sockets if connection.fileno() >= 0]

    def is_overdue(self, now_s: float, *, is_sent: bool, misses: int, quiet_s: float) -> bool:
        """Answer whether the connection is still for longer than it may be."""
        stillness = self._stillness()
        if stillness is None:
            return False
        # TCP counts from the last packet, however long ago the last request was.
        silent_s = min(stillness.silent_s, now_s - self.moved_s)
        may_s = patience_s(stillness, is_sent=is_sent, misses=misses)
        return silent_s > (min(may_s, quiet_s) if is_sent else may_s)

    def waited_s(self, round_trips: int) -> float:
        """Answer how long that many round trips take when nothing is in their way."""
        stillness = self._stillness()
        return round_trips * stillness.round_trip_min_s if stillness is not None else 0.0

    def acknowledged_bytes(self) -> int:
        """Answer how much the far end has confirmed on this connection."""
        stillness = self._stillness()
        return stillness.acknowledged_bytes if stillness is not None else 0

    def has_room(self, sent_bytes: int) -> bool:
        """Answer whether more may be handed over behind bytes up to that count."""
        stillness = self._stillness()
        if stillness is None:
            return True
        return sent_bytes - stillness.acknowledged_bytes < window_bytes(stillness)

    def _stillness(self) -> Stillness | None:
        found = map(stillness_of, self.open_sockets())
        return next((stillness for stillness in found if stillness is not None), None)

    def give_up(self) -> None:
        """Let nothing more of a dead connection out: the link is needed for the next one."""
        for connection in self.open_sockets():
            # Closed, it is gone at once; while aiohttp still holds bytes for it, with TCP's next
            # try.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1)

    async def close(self) -> None:
        """Close the kept connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None


class HttpLink:
    """Carry requests over kept connections, two at a time.

    Nothing of HTTP is believed: a status, a redirect or a body of somebody else's is no answer,
    because only the centre's signature settles anything. So time-outs are for silence only: a
    connection that is still for longer than its own pace explains is opened anew, rather than to
    wait for TCP, whose tries become ever rarer.

    Args:
        base_url: Scheme, host and port of the centre.
        fallbacks: Other addresses of the same centre, tried in turn while none is reached.
        quiet_s: Silence after which any link counts as dead.
        open_socket: Opens a connection's socket.
    """

    def __init__(
        self,
        base_url: str,
        *,
        fallbacks: tuple[str, ...] = (),
        quiet_s: float = QUIET_S,
        open_socket: OpenSocket = watchful_socket,
    ) -> None:
        self._bases = [url.rstrip("/") for url in (base_url, *fallbacks)]
        self._quiet_s = quiet_s
        self._lanes = [_Lane(open_socket) for _ in range(EXCHANGES_AT_ONCE)]
        self._room = asyncio.Semaphore(EXCHANGES_AT_ONCE)
        self._misses = 0
        self._missed_s = 0.0
        self._unconnected = 0
        self._waited_s = 0.0

    @property
    def waited_s(self) -> float:
        """Seconds of the last answer's way in which nothing was sent: its round trips."""
        return self._waited_s

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def post(self, path: str, body: bytes) -> bytes:
        """Send a body and answer the reply's."""
        return await self._carry("POST", path, body, EXCHANGE_S_MAX)

    async def get(self, path: str) -> bytes:
        """Answer what the centre has under a path."""
        return await self._carry("GET", path, None, EXCHANGE_S_MAX)

    async def upload(self, path: str, size_bytes: int, pieces: AsyncIterator[bytes]) -> bytes:
        """Send a body of that size piece by piece and answer the reply's."""
        return await self._carry("POST", path, _Body(size_bytes, pieces), UPLOAD_S_MAX)

    async def close(self) -> None:
        """Close the kept connections."""
        for lane in self._lanes:
            await lane.close()

    async def _carry(
        self, method: str, path: str, body: "bytes | _Body | None", total_s: float
    ) -> bytes:
        async with self._room:
            lane = next(lane for lane in self._lanes if not lane.is_busy)
            lane.is_busy = True
            round_trips = 1 if lane.open_sockets() else self._connecting_round_trips + 1
            try:
                raw = await self._tried(lane, method, path, body, total_s)
            except CentreRefused:
                self._unconnected = 0
                raise
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
                self._unconnected += 1
                self._bases.append(self._bases.pop(0))
                raise NotConnected("the centre cannot be reached") from error
            except _Overdue as error:
                self._note_miss(lane)
                raise LinkDown("the link fell silent", bytes(lane.came)) from error
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                message = f"no answer from the centre ({type(error).__name__})"
                raise LinkDown(message, bytes(lane.came)) from error
            finally:
                lane.is_busy = False
            self._waited_s = lane.waited_s(round_trips)
            self._misses = max(0, self._misses - 1)
            self._unconnected = 0
            return raw

    def _note_miss(self, lane: _Lane) -> None:
        # Two that were under way when the link fell silent are one miss.
        if lane.began_s >= self._missed_s:
            self._misses = min(self._misses + 1, MISSES_MAX)
        self._missed_s = asyncio.get_running_loop().time()

    @property
    def _connecting_round_trips(self) -> int:
        # TLS 1.3 takes one more.
        return 2 if self._bases[0].startswith("https") else 1

    async def _tried(
        self, lane: _Lane, method: str, path: str, body: "bytes | _Body | None", total_s: float
    ) -> bytes:
        is_kept = bool(lane.open_sockets())
        try:
            return await self._watched(lane, method, path, body, total_s)
        except aiohttp.ClientConnectorError:
            raise
        except (_Overdue, aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            # A kept connection had been closed or forgotten on the way; every request may come
            # twice. What was read to be uploaded cannot be sent again from here.
            if not is_kept or isinstance(body, _Body) or lane.came:
                raise
            return await self._watched(lane, method, path, body, total_s)

    async def _watched(
        self, lane: _Lane, method: str, path: str, body: "bytes | _Body | None", total_s: float
    ) -> bytes:
        loop = asyncio.get_running_loop()
        lane.moved_s = lane.began_s = loop.time()
        carrying = asyncio.ensure_future(self._once(lane, method, path, body, total_s))
        try:
            while not (await asyncio.wait({carrying}, timeout=WATCH_S))[0]:
                is_sent = body.is_sent if isinstance(body, _Body) else True
                if lane.is_overdue(
                    loop.time(), is_sent=is_sent, misses=self._misses, quiet_s=self._quiet_s
                ):
                    lane.give_up()
                    raise _Overdue
            return carrying.result()
        finally:
            if not carrying.done():
                carrying.cancel()
                with contextlib.suppress(asyncio.CancelledError, aiohttp.ClientError):
                    await carrying

    async def _once(
        self, lane: _Lane, method: str, path: str, body: "bytes | _Body | None", total_s: float
    ) -> bytes:
        lane.came = bytearray()
        connect_s = min(CONNECT_MAX_S, CONNECT_FIRST_S * 2.0 ** max(0, self._unconnected - 3))
        headers = {"Content-Length": str(body.size_bytes)} if isinstance(body, _Body) else None
        request = lane.session().request(
            method,
            self._bases[0] + path,
            data=body.handed_over(lane) if isinstance(body, _Body) else body,
            headers=headers,
            allow_redirects=False,
            skip_auto_headers=_LEFT_OUT,
            timeout=aiohttp.ClientTimeout(
                total=total_s, sock_connect=connect_s, sock_read=self._quiet_s
            ),
        )
        async with request as response:
            raw = await _bounded(response, lane.came if response.status == 200 else bytearray())
            if isinstance(body, _Body) and not body.is_sent:
                # The answer came before all was sent: only a closed connection ends the rest.
                response.close()
            if response.status != 200:
                retry_after_s = _seconds(response.headers.get("Retry-After", ""))
                raise CentreRefused(response.status, _problem_code(raw), retry_after_s)
            return raw


class _Body:
    """A body that comes piece by piece."""

    def __init__(self, size_bytes: int, pieces: AsyncIterator[bytes]) -> None:
        self.size_bytes = size_bytes
        self.is_sent = False
        self._pieces = pieces

    async def handed_over(self, lane: _Lane) -> AsyncIterator[bytes]:
        """Give the pieces to the connection, each once there is room for it, and note when."""
        loop = asyncio.get_running_loop()
        sent_bytes = lane.acknowledged_bytes()
        async for piece in self._pieces:
            while not lane.has_room(sent_bytes):
                later = loop.create_future()
                loop.call_later(UPLOAD_LOOK_S, _resolve, later)
                await later
            lane.moved_s = loop.time()
            sent_bytes += len(piece)
            yield piece
        self.is_sent = True


def _resolve(later: "asyncio.Future[None]") -> None:
    if not later.done():
        later.set_result(None)


async def _bounded(response: aiohttp.ClientResponse, raw: bytearray) -> bytes:
    async for piece in response.content.iter_any():
        raw += piece
        if len(raw) > BLOB_BYTES_MAX:
            raise LinkDown("the answer is longer than anything the centre sends")
    return bytes(raw)


def _seconds(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= 9
    return min(int(text), RETRY_AFTER_S_MAX) if is_number else 0


def _problem_code(raw: bytes) -> str:
    if len(raw) > PROBLEM_BYTES_MAX:
        return ""
    try:
        code = msgspec.json.decode(raw, type=ProblemDetails).code
    except MALFORMED:
        return ""
    return code if len(code) <= 16 and code.isascii() else ""
