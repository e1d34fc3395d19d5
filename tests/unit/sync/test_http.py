"""The HTTP link on loopback: few bytes, no belief in HTTP, silence ends it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from sync.errors import BianminError, problem_json
from sync.limits import BLOB_BYTES_MAX
from sync.transports import EXCHANGE_PATH, CentreRefused, LinkDown, NotConnected
from sync.transports.http import HttpLink
from sync.transports.names import RememberingResolver

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def far_end(talk: Talk) -> AsyncIterator[str]:
    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(guarded, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.close()
        await server.wait_closed()


async def head_of(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


def answering(reply: bytes, seen: list[bytes] | None = None, body_bytes: int = 5) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await head_of(reader)
        body = await reader.readexactly(body_bytes)
        if seen is not None:
            seen.append(head + body)
        writer.write(reply)
        await writer.drain()

    return talk


async def test_post_says_as_little_as_http_allows() -> None:
    seen: list[bytes] = []
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    async with far_end(answering(reply, seen)) as url, HttpLink(url) as link:
        answer = await link.post(EXCHANGE_PATH, b"hello")

    host = url.removeprefix("http://")
    assert answer == b"ok"
    assert seen == [
        f"POST /sync/v1/exchange HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\n\r\n".encode()
        + b"hello"
    ]


async def test_connection_is_kept_and_one_that_was_closed_is_opened_again() -> None:
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        for _ in range(2):
            await head_of(reader)
            await reader.readexactly(5)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()

    async with far_end(talk) as url, HttpLink(url) as link:
        answers = [await link.post(EXCHANGE_PATH, b"hello") for _ in range(4)]

    assert (answers, connections) == ([b"ok"] * 4, 2)


async def test_get_brings_the_body() -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nblob"
    async with far_end(answering(reply, body_bytes=0)) as url, HttpLink(url) as link:
        assert await link.get("/sync/v1/manifest") == b"blob"


class Refused(BianminError):
    code = "403.9"


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (403, problem_json("No", Refused("not enrolled")), "403.9"),
        (403, b"<html>", ""),
        (302, b"", ""),
        (503, b"", ""),
    ],
)
async def test_any_status_but_200_is_a_refusal(status: int, body: bytes, problem: str) -> None:
    reply = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    async with far_end(answering(reply)) as url, HttpLink(url) as link:
        with pytest.raises(CentreRefused) as caught:
            await link.post(EXCHANGE_PATH, b"hello")

    assert (caught.value.status, caught.value.problem) == (status, problem)


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"SSH-2.0-OpenSSH\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    ],
    ids=["cut", "no http", "nothing", "nonsense"],
)
async def test_what_is_not_a_whole_answer_is_a_dead_link(reply: bytes) -> None:
    async with far_end(answering(reply)) as url, HttpLink(url) as link:
        with pytest.raises(LinkDown):
            await link.post(EXCHANGE_PATH, b"hello")


async def test_endless_answer_is_cut_off() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        for _ in range(BLOB_BYTES_MAX // 65536 + 9):
            writer.write(bytes(65536))
            await writer.drain()

    async with far_end(talk) as url, HttpLink(url) as link:
        with pytest.raises(LinkDown):
            await link.post(EXCHANGE_PATH, b"hello")


async def test_silence_ends_the_wait_but_slowness_does_not() -> None:
    async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        for octet in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok":
            writer.write(bytes([octet]))
            await writer.drain()
            await asyncio.sleep(0.01)

    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with far_end(dripping) as url, HttpLink(url, quiet_s=0.3) as link:
        assert await link.post(EXCHANGE_PATH, b"hello") == b"ok"
    async with far_end(silent) as url, HttpLink(url, quiet_s=0.2) as link:
        with pytest.raises(LinkDown):
            await link.post(EXCHANGE_PATH, b"hello")


async def test_nobody_there_is_a_dead_link() -> None:
    async with far_end(answering(b"")) as url:
        pass
    async with HttpLink(url) as link:
        with pytest.raises(LinkDown):
            await link.get("/sync/v1/manifest")


async def test_server_that_cannot_be_reached_was_sent_nothing() -> None:
    async with far_end(answering(b"")) as url:
        pass
    async with HttpLink(url) as link:
        with pytest.raises(NotConnected):
            await link.post(EXCHANGE_PATH, b"hello")


async def test_next_address_is_tried_when_one_is_not_reached() -> None:
    """Row 36: the centre is known by its key, so any of its addresses will do."""
    async with far_end(answering(b"")) as gone:
        pass
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    async with far_end(answering(reply)) as url, HttpLink(gone, fallbacks=(url,)) as link:
        with pytest.raises(NotConnected):
            await link.post(EXCHANGE_PATH, b"hello")

        assert await link.post(EXCHANGE_PATH, b"hello") == b"ok"


class Names(AbstractResolver):
    """A name service that a test switches off."""

    def __init__(self) -> None:
        self.is_dead = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if self.is_dead:
            raise OSError("no such name")
        return [
            ResolveResult(
                hostname=host, host="192.0.2.7", port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        return


async def test_last_good_address_is_used_while_the_name_service_is_dead() -> None:
    """Row 36."""
    names = Names()
    resolver = RememberingResolver(names)
    found = await resolver.resolve("centre.example", 443)
    names.is_dead = True

    assert await resolver.resolve("centre.example", 443) == found
    with pytest.raises(OSError, match="no address"):
        await resolver.resolve("other.example", 443)


@pytest.mark.parametrize(
    ("said", "expected"),
    [("60", 60), ("", 0), ("-5", 0), ("soon", 0), ("99999999", 86_400), ("9" * 40, 0)],
)
async def test_patience_that_is_asked_for_is_told(said: str, expected: int) -> None:
    header = f"Retry-After: {said}\r\n" if said else ""
    reply = f"HTTP/1.1 503 X\r\n{header}Content-Length: 0\r\n\r\n".encode()
    async with far_end(answering(reply)) as url, HttpLink(url) as link:
        with pytest.raises(CentreRefused) as caught:
            await link.post(EXCHANGE_PATH, b"hello")

    assert caught.value.retry_after_s == expected


async def test_two_requests_go_at_once_and_a_third_waits() -> None:
    under_way, most = 0, 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way, most
        while await reader.readuntil(b"\r\n\r\n"):
            await reader.readexactly(5)
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.03)
            under_way -= 1
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()

    async with far_end(talk) as url, HttpLink(url) as link:
        await asyncio.gather(*(link.post(EXCHANGE_PATH, b"hello") for _ in range(5)))

    assert most == 2


async def test_upload_is_sent_piece_by_piece_with_its_length() -> None:
    seen: list[bytes] = []
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    async def pieces() -> AsyncIterator[bytes]:
        for octet in b"hello":
            yield bytes([octet])

    async with far_end(answering(reply, seen)) as url, HttpLink(url) as link:
        assert await link.upload("/sync/v1/attachment", 5, pieces()) == b"ok"

    (raw,) = seen
    assert (b"Content-Length: 5\r\n" in raw, raw.endswith(b"\r\n\r\nhello")) == (True, True)
    assert b"chunked" not in raw


async def test_refused_upload_ends_at_once() -> None:
    handed = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal handed
        while True:
            handed += 1
            yield bytes(1000)
            await asyncio.sleep(0.01)

    async def refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        writer.write(b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        await reader.read()

    async with far_end(refusing) as url, HttpLink(url) as link:
        with pytest.raises(CentreRefused):
            await link.upload("/sync/v1/attachment", 10**9, endless())
        after = handed
        await asyncio.sleep(0.05)

    assert (after < 20, handed - after <= 1) == (True, True)
