"""The valley's link, packet by packet: 32 kbit/s, 600 ms, cuts and loss, real TCP at both ends."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from random import Random

import pytest

from bianmin.village import Village
from sync.transports.http import HttpLink
from tests.bench.attachment import CUTS, PHOTO_BYTES, uploaded
from tests.bench.link import CUT, TRANSACTIONS, Run, delivered, ready
from tests.device import Device
from tests.line import FAR, PORT, Line, is_possible
from tests.village import centre_rows, running_centre
from tests.weather import VALLEY, Weather

pytestmark = [
    pytest.mark.deep,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not is_possible(), reason="needs root and /dev/net/tun"),
]

#: Cuts of 1 s to 9 s at moments that were drawn once, so that requests, answers, connecting and
#: waiting are all hit.
MANY_CUTS = (
    VALLEY.cut(1.1, 1.0).cut(3.4, 2.5).cut(7.7, 4.2).cut(14.0, 9.0).cut(26.3, 1.7).cut(31.0, 6.0)
)


@pytest.fixture(scope="module")
async def village(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Village]:
    async with running_centre(tmp_path_factory.mktemp("village")) as village:
        yield village


@pytest.fixture(scope="module")
async def device(
    village: Village, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Device]:
    device = await ready(village, tmp_path_factory.mktemp("device"))
    yield device
    device.close()


def stored(village: Village) -> list[tuple[object, ...]]:
    """How many envelopes the centre has, and how many different ones."""
    return centre_rows(village, "SELECT count(*), count(DISTINCT hash) FROM envelopes")


async def told_all(village: Village, device: Device) -> None:
    """Let the kiosk have what the centre told it so far: it would count as the photo's cost."""
    async with HttpLink(village.centre_url) as link:
        agent = device.agent(link)
        while (await agent.exchange_once()).notices:
            pass


async def all_delivered(village: Village, device: Device, weather: Weather, seed: int) -> Run:
    """Deliver what waits, and see that each of it is at the centre once."""
    ((before, _),) = stored(village)
    run = await delivered(device, village.ports.centre, weather, seed)
    ((count, different),) = stored(village)
    assert (count, different) == (int(str(before)) + TRANSACTIONS, count)
    return run


@pytest.mark.parametrize("stall_s", [0.0, 0.3], ids=["free", "busy"])
async def test_line_carries_what_its_rate_says_and_never_more(
    village: Village, stall_s: float
) -> None:
    """Bare TCP to a page that is not there: the yardstick itself, also on a busy machine."""
    loop, random = asyncio.get_running_loop(), Random(8)
    arrived = []
    async with Line(village.ports.centre, VALLEY) as line:
        connection = line.open_socket((socket.AF_INET, socket.SOCK_STREAM, 0))
        connection.setblocking(False)
        began_s = loop.time()
        await loop.sock_connect(connection, (FAR, PORT))
        connected_s = loop.time() - began_s
        head = f"POST /nobody HTTP/1.1\r\nHost: x\r\nContent-Length: {20_000}\r\n\r\n".encode()
        await loop.sock_sendall(connection, head + bytes(20_000))
        while line.up.arrived_bytes < 20_000:
            await asyncio.sleep(0.02)
            if random.random() < 0.1:
                # Nothing else of this process runs meanwhile, the line itself included.
                time.sleep(stall_s)
            arrived.append((loop.time() - began_s, line.up.arrived_bytes))
        took_s = loop.time() - began_s
        connection.close()

    assert all(count <= VALLEY.bytes_s * (at_s - connected_s) for at_s, count in arrived)
    # The bytes and the headers of their packets; TCP's own losses in the queue come on top.
    assert 20_000 / VALLEY.bytes_s < took_s - connected_s
    if not stall_s:
        assert 0.6 <= connected_s < 1.0
        assert took_s - connected_s < 1.5 * 20_000 / VALLEY.bytes_s


async def test_backlog_crosses_near_the_limit_of_the_wire(village: Village, device: Device) -> None:
    assert (await all_delivered(village, device, VALLEY, 1)).ratio <= 1.35


async def test_cut_costs_little_more_than_its_length(village: Village, device: Device) -> None:
    assert (await all_delivered(village, device, VALLEY.cut(*CUT), 2)).ratio <= 1.3


async def test_many_cuts_lose_nothing(village: Village, device: Device) -> None:
    assert (await all_delivered(village, device, MANY_CUTS, 3)).took_s < 90


async def test_one_packet_of_twenty_lost_is_made_good(village: Village, device: Device) -> None:
    lossy = Weather(loss=0.05)

    assert (await all_delivered(village, device, lossy, 4)).ratio < 3


async def test_photo_goes_on_where_each_cut_broke_it(village: Village, device: Device) -> None:
    await told_all(village, device)

    arrived, _, times = await uploaded(device, village.ports.centre, CUTS, 5)

    # Larger than any that the generator makes: only ours.
    ((size,),) = centre_rows(
        village, "SELECT length(sealed) FROM attachments ORDER BY completed_ms DESC LIMIT 1"
    )
    assert (arrived <= 1.1, times < 1.6) == (True, True), (arrived, times)
    assert 0 <= int(str(size)) - PHOTO_BYTES < 200


async def test_application_does_not_wait_for_a_photo(village: Village, device: Device) -> None:
    """Confirmed in the midst of 15 s of photo, it is acknowledged within some round trips."""
    device.submit(1, seed=6, has_attachments=False, photo_bytes=PHOTO_BYTES)
    loop = asyncio.get_running_loop()
    async with (
        Line(village.ports.centre, VALLEY, seed=6) as line,
        HttpLink(line.url, open_socket=line.open_socket) as link,
    ):
        agent = device.agent(link)
        running = asyncio.ensure_future(agent.run())
        async with asyncio.timeout(60):
            while line.up.arrived_bytes < 10_000:
                await asyncio.sleep(0.05)
            device.submit(1, seed=7, has_attachments=False)
            agent.poke()
            began_s = loop.time()
            while device.waiting().count:
                await asyncio.sleep(0.02)
            took_s = loop.time() - began_s
            assert device.waiting().attachments == 1, "the photo was quicker than the application"
            while device.waiting().attachments:
                await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert took_s < 4.0
