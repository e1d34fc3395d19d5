"""The demo's wire: bytes pass when it is whole, and nothing does when it is cut."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bianmin.link import Link
from bianmin.processes import free_ports


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1024):
        writer.write(data)
        await writer.drain()
    writer.close()


@pytest.fixture
async def centre_port() -> AsyncIterator[int]:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.fixture
async def wire(centre_port: int) -> AsyncIterator[tuple[Link, int]]:
    link = Link(centre_port)
    port = free_ports(1)[0]
    await link.open(port)
    yield link, port
    await link.close()


async def said_back(port: int, words: bytes) -> bytes:
    """What comes back through the wire; b"" when the connection breaks."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(words)
        answer = await reader.read(1024)
        writer.close()
    except OSError:
        return b""
    return answer


async def test_whole_link_passes_bytes_both_ways(wire: tuple[Link, int]) -> None:
    _, port = wire

    assert await said_back(port, b"hello") == b"hello"


async def test_link_counts_what_passes(wire: tuple[Link, int]) -> None:
    link, port = wire

    await said_back(port, b"hello")

    assert (link.bytes_up, link.bytes_down) == (5, 5)


async def test_cut_link_breaks_new_connections(wire: tuple[Link, int]) -> None:
    link, port = wire

    link.cut()

    assert await said_back(port, b"hello") == b""


async def test_cut_link_breaks_open_connections_by_reset(wire: tuple[Link, int]) -> None:
    link, port = wire
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"first")
    assert await reader.read(1024) == b"first"

    link.cut()

    with pytest.raises(ConnectionError):
        await reader.readexactly(1)
    writer.close()


async def test_restored_link_passes_again_on_the_same_port(wire: tuple[Link, int]) -> None:
    link, port = wire

    link.cut()
    link.restore()

    assert await said_back(port, b"again") == b"again"


async def test_link_to_a_centre_that_is_down_breaks_connections() -> None:
    target, port = free_ports(2)
    link = Link(target)
    await link.open(port)

    assert await said_back(port, b"hello") == b""
    await link.close()
