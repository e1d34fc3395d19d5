"""Work that is begun early is done once, in order, and again when it failed."""

import asyncio
import threading

import pytest

from kiosk.ahead import Ahead


async def test_work_of_a_key_is_done_once() -> None:
    ahead: Ahead[str, str] = Ahead()

    first = await ahead.begin("a", lambda: "made")
    second = await ahead.begin("a", lambda: "made again")

    assert (first, second) == ("made", "made")


async def test_newer_work_waits_for_the_older_and_stands() -> None:
    ahead: Ahead[str, None] = Ahead()
    may_go, done = threading.Event(), []

    def slow() -> None:
        may_go.wait(5)
        done.append("older")

    older = ahead.begin("a", slow)
    newer = ahead.begin("b", lambda: done.append("newer"))
    may_go.set()
    await asyncio.gather(older, newer)

    assert done == ["older", "newer"]


async def test_failed_work_is_done_again() -> None:
    ahead: Ahead[str, int] = Ahead()
    with pytest.raises(ZeroDivisionError):
        await ahead.begin("a", lambda: 1 // 0)

    assert await ahead.begin("a", lambda: 5) == 5


async def test_work_outlives_who_gave_up_waiting() -> None:
    ahead: Ahead[str, int] = Ahead()
    may_go = threading.Event()
    waiting = ahead.begin("a", lambda: may_go.wait(5) and 5)
    waiting.cancel()
    may_go.set()

    assert await ahead.begin("a", lambda: 6) == 5


async def test_what_is_forgotten_is_done_anew() -> None:
    ahead: Ahead[str, int] = Ahead()
    await ahead.begin("a", lambda: 5)

    ahead.forget()

    assert ahead.is_empty
    assert await ahead.begin("a", lambda: 6) == 6
