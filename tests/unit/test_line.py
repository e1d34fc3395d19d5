"""The line of packets is no faster than it says: all that is measured on it rests on this."""

import struct
from itertools import pairwise
from random import Random

import pytest

from tests.line import IP_HEADER_BYTES, Way
from tests.weather import VALLEY, Weather

HEADERS_BYTES = IP_HEADER_BYTES + 20
SYN, PUSH = 0x02, 0x18
FIRST = 0xFFFF_FF00  # the count of bytes turns over in the midst


def packet(seq: int, size_bytes: int, flags: int = PUSH) -> bytes:
    """An IP packet of one connection, as TCP sends it."""
    ip = bytes([0x45]) + bytes(8) + bytes([6]) + bytes(2) + bytes((10, 77, 0, 1, 10, 77, 0, 2))
    ports_and_seq = struct.pack("!HHI", 40_001, 8000, (FIRST + seq) & 0xFFFF_FFFF)
    return ip + ports_and_seq + bytes(4) + bytes([5 << 4, flags]) + bytes(6) + bytes(size_bytes)


def opened(weather: Weather = VALLEY) -> Way:
    """A way on which a connection was just opened; its bytes count from 1."""
    way = Way(weather, seed=1)
    assert way.arrival_s(packet(0, 0, SYN), 0.0) is not None
    return way


@pytest.mark.parametrize("seed", range(20))
def test_nothing_ever_comes_out_faster_than_the_rate(seed: int) -> None:
    random = Random(seed)
    weathers = (VALLEY, VALLEY.cut(0.5, 2.0), Weather(loss=0.2))
    way, began_s, now_s, arrivals = opened(), 0.0, 0.0, []
    for number in range(400):
        now_s += random.choice((0.0, 0.0, 0.01, 0.3, random.uniform(0, 4)))
        if random.random() < 0.05:
            way.change(random.choice(weathers), now_s - began_s)
            began_s = now_s
        sent = packet(1 + number * 1360, random.randrange(1, 1361))
        arrival_s = way.arrival_s(sent, now_s - began_s)
        if arrival_s is not None:
            arrivals.append((began_s + arrival_s, len(sent)))

    assert len(arrivals) > 50
    for (before_s, _), (after_s, size_bytes) in pairwise(arrivals):
        assert after_s - before_s >= size_bytes / VALLEY.bytes_s - 1e-9


def test_bytes_have_arrived_when_they_come_out_and_not_before() -> None:
    way = opened()
    way.arrival_s(packet(1, 1000), 1.0)
    before = way.arrived_bytes
    way.arrive(packet(1, 1000))

    assert (before, way.arrived_bytes, way.above_tcp_bytes) == (0, 1000, 1000)


def test_hole_of_lost_packets_has_not_arrived() -> None:
    way = opened()
    for number in (0, 5):
        way.arrive(packet(1 + number * 1000, 1000))

    assert way.arrived_bytes == 2000


def test_bytes_that_come_again_count_once() -> None:
    way = opened()
    for begin, end in ((0, 1000), (2000, 3000), (500, 2500), (0, 3000), (2900, 3100), (-1, 0)):
        way.arrival_s(packet(1 + begin, end - begin), 100.0)
        way.arrive(packet(1 + begin, end - begin))

    assert (way.arrived_bytes, way.above_tcp_bytes) == (3100, 3100)


def test_full_queue_drops_what_would_wait_longer_than_it_holds() -> None:
    way = opened()
    arrivals = [way.arrival_s(packet(1 + 1360 * number, 1360), 10.0) for number in range(10)]

    kept = int(VALLEY.queue_s * VALLEY.bytes_s // (1360 + HEADERS_BYTES))
    assert [one is not None for one in arrivals] == [True] * kept + [False] * (10 - kept)
