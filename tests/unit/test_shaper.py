"""The bad link of the tests is as bad as it says: else what is measured on it means nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.shaper import Shaper
from tests.weather import Weather

QUICK = Weather(rate_bits_s=400_000, round_trip_s=0.1)


@asynccontextmanager
async def echo(got: list[int] | None = None) -> AsyncIterator[int]:
    """A far end that sends back what it gets."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(4096):
                if got is not None:
                    got.append(len(data))
                writer.write(data)
                await writer.drain()
        except OSError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def echoed(shaper: Shaper, size: int) -> tuple[bytes, float]:
    """Send so many bytes and read them back; answer what came, and how long it took."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    host, port = shaper.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(bytes(size))
    back = b""
    while len(back) < size:
        piece = await reader.read(size - len(back))
        if not piece:
            break
        back += piece
    writer.close()
    return back, loop.time() - began_s


async def test_pace_delay_and_set_up_are_what_the_weather_says() -> None:
    async with echo() as port, Shaper(port, QUICK) as shaper:
        back, took_s = await echoed(shaper, 10_000)

    # Set-up and one round trip; both directions overlap, the last piece crosses twice.
    assert back == bytes(10_000)
    assert 0.2 + 10_000 / 50_000 <= took_s < 0.2 + 10_000 / 50_000 + 0.35
    assert (shaper.up.passed_bytes, shaper.down.passed_bytes) == (10_000, 10_000)


async def test_connections_together_are_never_faster_than_the_rate() -> None:
    loop = asyncio.get_running_loop()
    async with echo() as port, Shaper(port, QUICK) as shaper:
        began_s, passed = loop.time(), []
        talks = [asyncio.ensure_future(echoed(shaper, 8_000)) for _ in range(3)]
        while not all(talk.done() for talk in talks):
            await asyncio.sleep(0.005)
            passed.append((loop.time() - began_s, shaper.up.passed_bytes))

    assert passed[-1][1] == 24_000
    assert all(count <= QUICK.bytes_s * at_s for at_s, count in passed)


async def test_cut_moves_nothing_and_tells_nobody() -> None:
    async with echo() as port, Shaper(port, QUICK.cut(0.0, 0.5)) as shaper:
        back, took_s = await echoed(shaper, 1000)

    assert (len(back), 0.5 < took_s < 1.2) == (1000, True)


async def test_connection_is_reset_after_that_many_bytes() -> None:
    got: list[int] = []
    async with echo(got) as port, Shaper(port) as shaper:
        shaper.reset_after_up = 1234
        host, went = shaper.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(went))
        writer.write(bytes(5000))
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(5000)
        writer.close()

    assert sum(got) == 1234


async def test_reply_is_lost_after_its_request_was_delivered() -> None:
    got: list[int] = []
    async with echo(got) as port, Shaper(port) as shaper:
        shaper.replies_to_lose = 1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await echoed(shaper, 100)
        back, _ = await echoed(shaper, 100)

    assert (sum(got), len(back)) == (200, 100)


async def test_loss_stalls_as_tcp_would() -> None:
    lossy = Weather(rate_bits_s=1e9, round_trip_s=0.0, loss=1.0)
    async with echo() as port, Shaper(port, lossy) as shaper:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await echoed(shaper, 1400)
