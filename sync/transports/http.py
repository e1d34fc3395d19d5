"""The ordinary way to the centre: HTTP/1.1 with as few header bytes as it allows."""

import socket
from typing import Self

import aiohttp
import msgspec

from sync.errors import MALFORMED, ProblemDetails
from sync.limits import BLOB_BYTES_MAX, EXCHANGE_S_MAX, QUIET_S
from sync.transports import CentreRefused, LinkDown

CONNECT_S = 20.0  # three lost packets of a connection's first
KEEP_ALIVE_S = 300.0  # a handshake costs more than five heartbeats
PROBLEM_BYTES_MAX = 2048
_LEFT_OUT = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


def _watchful_socket(address: tuple[object, ...]) -> socket.socket:
    """Open a socket that gives up when the far end stops taking bytes for `QUIET_S`.

    aiohttp's own read time-out begins only after the last byte of the request was written.
    """
    family, kind, protocol, *_ = address
    connection = socket.socket(family, kind, protocol)  # type: ignore[arg-type]  # addrinfo
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(QUIET_S * 1000))
    return connection


class HttpLink:
    """Carry requests over one kept connection.

    Nothing of HTTP is believed: a status, a redirect or a body of somebody else's is no answer,
    because only the centre's signature settles anything. So time-outs are for silence only.

    Args:
        base_url: Scheme, host and port of the centre.
        quiet_s: Silence after which the link counts as dead.
    """

    def __init__(self, base_url: str, *, quiet_s: float = QUIET_S) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(
            total=EXCHANGE_S_MAX, sock_connect=CONNECT_S, sock_read=quiet_s
        )
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def post(self, path: str, body: bytes) -> bytes:
        """Send a body and answer the reply's."""
        return await self._carry("POST", path, body)

    async def get(self, path: str) -> bytes:
        """Answer what the centre has under a path."""
        return await self._carry("GET", path, None)

    async def close(self) -> None:
        """Close the kept connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _carry(self, method: str, path: str, body: bytes | None) -> bytes:
        try:
            try:
                return await self._once(method, path, body)
            except aiohttp.ClientConnectorError:
                raise
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                # A kept connection had been closed meanwhile; every request may come twice.
                return await self._once(method, path, body)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise LinkDown(f"no answer from the centre ({type(error).__name__})") from error

    async def _once(self, method: str, path: str, body: bytes | None) -> bytes:
        request = self._opened().request(
            method,
            self._base_url + path,
            data=body,
            allow_redirects=False,
            skip_auto_headers=_LEFT_OUT,
        )
        async with request as response:
            raw = await _bounded(response)
        if response.status != 200:
            raise CentreRefused(response.status, _problem_code(raw))
        return raw

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=2, keepalive_timeout=KEEP_ALIVE_S, socket_factory=_watchful_socket
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=self._timeout,
                # A proxy that compresses has changed the bytes; so would a bomb.
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    raw = bytearray()
    async for piece in response.content.iter_any():
        raw += piece
        if len(raw) > BLOB_BYTES_MAX:
            raise LinkDown("the answer is longer than anything the centre sends")
    return bytes(raw)


def _problem_code(raw: bytes) -> str:
    if len(raw) > PROBLEM_BYTES_MAX:
        return ""
    try:
        code = msgspec.json.decode(raw, type=ProblemDetails).code
    except MALFORMED:
        return ""
    return code if len(code) <= 16 and code.isascii() else ""
