"""The simulation itself: seeds keep every promise, replay to the byte, and can fail.

More seeds: `make simulate SEEDS=300 FIRST=1`.
"""

from typing import Any

import msgspec
import pytest
from sqlite_utils import Database as Tables

from server import ingest
from sync import exchange, outbox, sealing
from sync.frames import Reply, Request
from sync.records import Receipt
from tests.simulation import hpke, plan, regressions
from tests.simulation.world import Result, run_plan, run_seed

FAST_SEEDS = range(1, 13)
DEEP_SEEDS = range(2000, 2100)


def told(result: Result) -> str:
    """What a failing seed shows: the promise, and the end of its story."""
    replay = f"make simulate SEEDS=1 FIRST={result.seed}"
    return "\n".join((result.broken, *result.lines[-60:], replay))


@pytest.mark.parametrize("seed", FAST_SEEDS)
def test_a_seed_keeps_every_promise(seed: int) -> None:
    result = run_seed(seed)

    assert not result.broken, told(result)


@pytest.mark.parametrize("script", regressions.SCRIPTS)
def test_a_history_that_lost_something_once_loses_nothing(script: regressions.Script) -> None:
    result = run_plan(regressions.CALM, script)

    assert not result.broken, told(result)
    assert result.receipted > 0


@pytest.mark.deep
@pytest.mark.parametrize("first", range(DEEP_SEEDS.start, DEEP_SEEDS.stop, 50))
def test_fifty_seeds_keep_every_promise(first: int) -> None:
    broken = [told(result) for result in map(run_seed, range(first, first + 50)) if result.broken]

    assert broken == []


def test_the_same_seed_lives_the_same_life_to_the_byte() -> None:
    busy = msgspec.structs.replace(plan.drawn(9), faults=frozenset(plan.FAULTS), link_percent=20)

    one, other = run_plan(busy), run_plan(busy)

    assert one.lines == other.lines
    assert one.digest == other.digest
    assert len(one.lines) > 100


def test_another_seed_lives_another_life() -> None:
    assert run_seed(1).digest != run_seed(2).digest


def test_a_world_without_misfortune_delivers_all_that_was_handed_in() -> None:
    calm = msgspec.structs.replace(plan.drawn(3), faults=frozenset(), visits=10, span_s=36_000.0)

    result = run_plan(calm)

    assert not result.broken, told(result)
    assert 8 <= result.receipted <= 10


# A promise that cannot be broken says nothing: the two histories of the research, with the code
# as its first draft had it.


def test_acknowledging_by_number_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def by_number(
        request: Request, reply: Reply, standing: exchange.Standing, **rest: object
    ) -> exchange.Changes:
        rest["own_hash_at_mark"] = reply.mark_hash
        return decide(request, reply, standing, **rest)  # type: ignore[arg-type]  # as given

    decide = exchange.apply
    monkeypatch.setattr(exchange, "apply", by_number)

    result = run_plan(regressions.CALM, regressions.acknowledged_by_number)

    assert "settled_is_held" in result.broken


def test_counting_instead_of_walking_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def counted(chain: ingest.Chain, at: regressions.LinkAt) -> ingest.Chain:
        seq, last = chain.seq, chain.hash
        while (link := at(seq + 1)) is not None:
            seq, last = seq + 1, link.hash
        return ingest.Chain(seq=seq, hash=last, fork_seq=chain.fork_seq)

    monkeypatch.setattr(ingest, "walked", counted)

    result = run_plan(regressions.CALM, regressions.counted_instead_of_walked)

    assert "is not there" in result.broken


def test_answers_left_in_the_clear_on_a_card_are_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def careless(db: Tables, *, body: bytes, **rest: Any) -> Receipt:
        receipt = submit(db, body=body, **rest)
        outbox.remember_person(db, body, receipt.case_no)
        return receipt

    submit = outbox.submit
    monkeypatch.setattr(outbox, "submit", careless)
    calm = msgspec.structs.replace(plan.drawn(3), faults=frozenset(), visits=6, span_s=36_000.0)

    assert "no_clear_personal_data" in run_plan(calm).broken


def test_the_seeded_seal_opens_with_the_library() -> None:
    private, public = sealing.generate_sealing_key()

    sealed = hpke.seal(public, b"head", b"body" * 9, ephemeral=bytes(range(32)))

    assert sealing._opened(private, b"head", sealed) == b"body" * 9
    assert hpke.seal(public, b"head", b"body" * 9, ephemeral=bytes(range(32))) == sealed
