"""Two requests under way: nothing is lost, nothing goes back, whatever order answers come in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sync import outbox, standing
from sync.agent import Agent
from tests.unit.sync.roads import HeldLink, settled_down
from tests.unit.sync.test_agent import Kiosk

WAITING = 60


class Pair(Kiosk):
    """A kiosk with more waiting than one request takes, on a link that the test opens."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.held = HeldLink(self.centre)
        for number in range(WAITING):
            self.submit(number)

    def running(self) -> Agent:
        self.link = self.held  # type: ignore[assignment]  # any link will do
        self.agent = self.new_agent()
        return self.agent

    @property
    def waiting(self) -> int:
        return outbox.waiting(self.database.conn).count


@asynccontextmanager
async def carrying(directory: Path) -> AsyncIterator[Pair]:
    """Two requests are under way when the block begins."""
    kiosk = Pair(directory)
    running = asyncio.ensure_future(kiosk.running().run())
    await settled_down()
    yield kiosk
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    kiosk.database.close()


async def test_two_requests_carry_different_envelopes(tmp_path: Path) -> None:
    async with carrying(tmp_path) as kiosk:
        first, second = kiosk.held.seqs(0), kiosk.held.seqs(1)

        assert len(kiosk.held.asked) == 2
        assert (first & second, min(len(first), len(second)) > 5) == (set(), True)


async def test_next_request_goes_while_an_answer_is_still_awaited(tmp_path: Path) -> None:
    async with carrying(tmp_path) as kiosk:
        kiosk.held.answer(0, kiosk.held.taken(0))
        await settled_down()

        assert len(kiosk.held.asked) == 3
        assert kiosk.held.seqs(2).isdisjoint(kiosk.held.seqs(0) | kiosk.held.seqs(1))


async def test_answers_that_cross_move_nothing_back(tmp_path: Path) -> None:
    """Row 29: the older answer names a lower mark; nothing waits again for it."""
    async with carrying(tmp_path) as kiosk:
        older, newer = kiosk.held.taken(0), kiosk.held.taken(1)
        carried = kiosk.held.seqs(0) | kiosk.held.seqs(1)

        kiosk.held.answer(1, newer)
        await settled_down()
        mark = standing.standing_of(kiosk.database.conn).mark_seq
        kiosk.held.answer(0, older)
        await settled_down()

        assert standing.standing_of(kiosk.database.conn).mark_seq == mark > 0
        assert kiosk.waiting == WAITING - len(carried)


@pytest.mark.parametrize("came", [True, False], ids=["answer lost", "request lost"])
async def test_lost_one_of_two_is_made_good_and_stored_once(tmp_path: Path, came: bool) -> None:
    """Row 28: what came is settled by the other answer's mark, what did not is sent again."""
    async with carrying(tmp_path) as kiosk:
        lost = kiosk.held.seqs(0)
        if came:
            kiosk.held.taken(0)
        kiosk.held.lose(0)
        kiosk.held.answer(1, kiosk.held.taken(1))
        await settled_down()
        mark = standing.standing_of(kiosk.database.conn).mark_seq
        again: set[int] = set()
        number = 2
        while kiosk.waiting:
            again |= kiosk.held.seqs(number)
            kiosk.held.answer(number, kiosk.held.taken(number))
            number += 1
            await settled_down()

        assert (mark > 0) == came
        assert lost & again == {seq for seq in lost if seq > mark}
        assert kiosk.centre.transaction_count() == WAITING


async def test_two_lost_together_are_one_failure_and_halve_once(tmp_path: Path) -> None:
    async with carrying(tmp_path) as kiosk:
        batch_bytes = kiosk.agent._batch_bytes
        kiosk.held.lose(0)
        kiosk.held.lose(1)
        await settled_down()

        assert kiosk.agent.state.failures == 1
        assert batch_bytes / 3 < kiosk.agent._batch_bytes < batch_bytes


async def test_a_mark_below_the_one_that_was_asked_with_shows_a_loss(tmp_path: Path) -> None:
    """Row 47 with two under way: what a failover lost waits again."""
    async with carrying(tmp_path) as kiosk:
        kiosk.held.answer(0, kiosk.held.taken(0))
        kiosk.held.answer(1, kiosk.held.taken(1))
        await settled_down()
        settled = standing.standing_of(kiosk.database.conn).mark_seq
        for place in [place for place in kiosk.centre.envelopes if place[1] > 3]:
            del kiosk.centre.envelopes[place]

        kiosk.held.answer(2, kiosk.held.taken(2))
        await settled_down()

        assert settled > 3
        assert standing.standing_of(kiosk.database.conn).mark_seq == 3
        assert kiosk.waiting == WAITING - 3 - len(kiosk.held.seqs(2))


async def test_busy_centre_ends_the_burst(tmp_path: Path) -> None:
    async with carrying(tmp_path) as kiosk:
        kiosk.centre.flags, kiosk.centre.retry_after_s = frozenset({"slow"}), 300
        kiosk.held.answer(0, kiosk.held.taken(0))
        await settled_down()

        assert len(kiosk.held.asked) == 2
