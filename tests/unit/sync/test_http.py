"""The HTTP link on loopback: few bytes, no belief in HTTP, silence ends it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from sync.errors import BianminError, problem_json
from sync.limits import BLOB_BYTES_MAX
from sync.transports import EXCHANGE_PATH, CentreRefused, LinkDown
from sync.transports.http import HttpLink

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
