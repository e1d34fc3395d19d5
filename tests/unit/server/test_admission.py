"""The door: who is let in, who is sent away and for how long."""

import contextlib

import pytest

from server.admission import Admission
from server.errors import StoreBusy
from sync import limits
from tests.unit.server.world import ManualClock


def crowd(door: Admission, clock: ManualClock, count: int, took_ms: int) -> None:
    """That many are inside at once and answered in turn, one each `took_ms`."""
    inside = []
    for _ in range(count):
        inside.append(contextlib.ExitStack())
        inside[-1].enter_context(door.answering())
    for one in inside:
        clock.ms += took_ms
        one.close()


def sent_away_s(door: Admission, size_bytes: int = 100) -> int:
    with pytest.raises(StoreBusy) as refused, door.carrying(size_bytes):
        pass
    return refused.value.retry_after_s


def test_newcomer_who_would_wait_too_long_is_sent_away_before_its_body_is_read() -> None:
    door = Admission(ManualClock())
    most = int(limits.EXCHANGE_WAIT_MAX_S * 1000 / limits.EXCHANGE_PACE_MS)

    with contextlib.ExitStack() as inside:
        for _ in range(most):
            with door.carrying(100):
                inside.enter_context(door.answering())

        away_s = sent_away_s(door)

    assert limits.AWAY_S_MIN <= away_s <= limits.AWAY_S_MAX


def test_slow_centre_lets_fewer_in_and_a_quick_one_more() -> None:
    clock = ManualClock()
    slow, quick = Admission(clock), Admission(clock)

    crowd(slow, clock, 200, took_ms=20)
    crowd(quick, clock, 2000, took_ms=1)
    with slow.answering(), quick.answering():
        waits = slow.wait_s, quick.wait_s

    assert waits[0] > limits.EXCHANGE_PACE_MS / 1000 > waits[1]


def test_a_disk_that_stood_still_for_a_minute_locks_nobody_out_for_good() -> None:
    clock = ManualClock()
    door = Admission(clock)
    crowd(door, clock, 60, took_ms=60_000)

    for _ in range(20):
        with door.carrying(100):
            pass
        crowd(door, clock, limits.EXCHANGES_ALWAYS, took_ms=1)

    with contextlib.ExitStack() as inside:
        for _ in range(limits.EXCHANGES_ALWAYS + 1):
            with door.carrying(100):
                inside.enter_context(door.answering())


def test_heavy_bodies_are_bounded_and_light_ones_come_in_beside_them() -> None:
    door = Admission(ManualClock())
    heavy = limits.FRAME_BYTES_MAX

    with contextlib.ExitStack() as inside:
        for _ in range(limits.BODIES_BYTES_MAX // heavy):
            inside.enter_context(door.carrying(heavy))
        sent_away_s(door, heavy)
        inside.enter_context(door.carrying(limits.BODY_LIGHT_BYTES))

    with door.carrying(heavy):
        pass


def test_the_more_were_sent_away_the_longer_they_stay_away() -> None:
    door = Admission(ManualClock())
    most = int(limits.EXCHANGE_WAIT_MAX_S * 1000 / limits.EXCHANGE_PACE_MS)

    with contextlib.ExitStack() as inside:
        for _ in range(most):
            inside.enter_context(door.answering())
        aways = [sent_away_s(door) for _ in range(73_000)]

    assert aways == sorted(aways)
    # Those inside take as long as one may wait; their next frames as long again.
    assert (aways[0], aways[-1]) == (2 * limits.EXCHANGE_WAIT_MAX_S, limits.AWAY_S_MAX)
