"""The time that a kiosk goes by when its own clock is years off."""

import datetime as dt

import pytest

from sync.clock import BelievedClock

DAY_MS = 86_400_000
NOW_MS = int(dt.datetime(2026, 11, 24, 8, tzinfo=dt.UTC).timestamp() * 1000)


class Board:
    """A clock that a test sets; `monotonic_ms` goes on whatever the wall clock says."""

    def __init__(self, wall_ms: int) -> None:
        self.wall_ms = wall_ms
        self.up_ms = 0

    def now_ms(self) -> int:
        return self.wall_ms

    def monotonic_ms(self) -> int:
        return self.up_ms

    async def sleep(self, seconds: float) -> None:
        self.up_ms += int(seconds * 1000)


def believed(board: Board, *, skew_ms: int = 0, floor_ms: int = 0) -> BelievedClock:
    return BelievedClock(board, lambda: skew_ms, floor_ms)


def test_clock_that_can_be_true_is_believed() -> None:
    assert believed(Board(NOW_MS), floor_ms=NOW_MS - 30 * DAY_MS).now_ms() == NOW_MS


def test_new_kiosk_has_nothing_to_go_by_but_its_clock() -> None:
    assert believed(Board(NOW_MS)).now_ms() == NOW_MS


@pytest.mark.parametrize("wall_ms", [0, NOW_MS - 3650 * DAY_MS, NOW_MS + 3650 * DAY_MS])
async def test_clock_that_cannot_be_true_goes_on_from_the_newest_time_on_record(
    wall_ms: int,
) -> None:
    board = Board(wall_ms)
    clock = believed(board, floor_ms=NOW_MS)

    await clock.sleep(3600)

    assert clock.now_ms() == NOW_MS + 3_600_000


def test_difference_that_the_centre_told_is_applied() -> None:
    clock = believed(Board(NOW_MS - 3650 * DAY_MS), skew_ms=3650 * DAY_MS, floor_ms=NOW_MS - DAY_MS)

    assert clock.now_ms() == NOW_MS


async def test_time_never_goes_back_while_the_clock_jumps() -> None:
    board = Board(NOW_MS)
    clock = believed(board, floor_ms=NOW_MS - 1000)
    seen = []
    for wall_ms in (NOW_MS, 0, NOW_MS + 3650 * DAY_MS, NOW_MS - DAY_MS):
        board.wall_ms = wall_ms
        await clock.sleep(10)
        seen.append(clock.now_ms())

    assert seen[1:] == sorted(seen[1:])
    assert all(abs(at_ms - NOW_MS) < DAY_MS for at_ms in seen)
