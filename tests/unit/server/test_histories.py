"""One history or two: an honest kiosk is never taken for a clone, and a clone is found.

Clocks here tell anything, requests come late, twice and in any order, and the centre is put back
to old backups, which forget. None of that may cost a village its kiosk: one that is asked to
enrol anew takes nobody after 72 hours.
"""

import sqlite3
from collections.abc import Iterator

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from server.exchange import Carried, Load, take
from server.store import centre as facts
from server.store import fleet
from sync import frames
from tests.unit.server.world import NOW_MS, Kiosk, World

YEAR_MS = 365 * 86_400_000
clocks = st.integers(0, NOW_MS + 30 * YEAR_MS)

Step = tuple[str, int]
ASK: Step = ("ask", 0)


class Village:
    """A kiosk, its machine of the same card perhaps, and a centre in memory."""

    def __init__(self, world: World, image: sqlite3.Connection) -> None:
        self.world = world
        self.conn = copied(image)
        self.backups: list[sqlite3.Connection] = []

    def deliver(self, kiosk: Kiosk, raw: bytes, *, by_stick: bool = False) -> frozenset[str]:
        request = frames.verify_request(frames.decode_request(raw), kiosk.keys.sign_public)
        taken = take(
            self.conn,
            self.world.settings,
            self.world.keys,
            request,
            request_hash=frames.request_hash(raw),
            now_ms=NOW_MS,
            load=Load(),
            carried=Carried() if by_stick else None,
        )
        return frozenset(taken.reply.flags)

    def restore(self, place: int) -> None:
        if self.backups:
            self.conn = copied(self.backups[place % len(self.backups)])
            facts.raise_epoch(self.conn, NOW_MS)

    def state_of(self, kiosk: Kiosk) -> str:
        found = fleet.identity(self.conn, kiosk.keys.kiosk_id)
        assert found is not None
        return found.state


def copied(source: sqlite3.Connection) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", isolation_level=None)
    copy.row_factory = sqlite3.Row
    source.backup(copy)
    return copy


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Kiosk]]:
    world = World(tmp_path_factory.mktemp("histories") / "c")
    yield world, world.enrol()
    world.close()


def called_after_starts(life: list[Step]) -> list[Step]:
    """As a kiosk does: its first deed after a start is a call."""
    return [deed for step in life for deed in ([step, ASK] if step[0] == "start" else [step])]


def fresh_copy(kiosk: Kiosk, seed: int = 9) -> Kiosk:
    card = kiosk.copy(seed)
    card.boots = 1
    return card


def moved(kiosk: Kiosk, step: Step, seed: int) -> bytes | None:
    """Let a kiosk do something; answer the request that it wrote, if it did."""
    word, number = step
    if word == "clock":
        kiosk.now_ms = number
    elif word == "start":
        kiosk.restart(seed.to_bytes(4, "big"))
    elif word == "confirm":
        kiosk.seal(kiosk.entropy.token_bytes(32))
    else:
        sealed = [kiosk.seal(kiosk.entropy.token_bytes(32)) for _ in range(number % 3)]
        return kiosk.request(sealed)
    return None


own_steps = st.one_of(
    st.tuples(st.just("clock"), clocks),
    st.tuples(st.sampled_from(["start", "confirm", "ask", "ask"]), st.integers(0, 50)),
)
others_steps = st.tuples(
    st.sampled_from(["deliver", "deliver", "deliver", "carry", "back_up", "restore"]),
    st.integers(0, 50),
)


@given(st.lists(st.one_of(own_steps, others_steps), min_size=6, max_size=40))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_honest_kiosk_is_never_flagged_whatever_clocks_roads_and_backups_do(
    enrolled: tuple[World, Kiosk], steps: list[Step]
) -> None:
    world, first = enrolled
    village, kiosk = Village(world, world.conn), fresh_copy(first)
    written: list[bytes] = []
    for at, (word, number) in enumerate(steps):
        if word in ("deliver", "carry"):
            # Any request that was ever written: late, again, before those before it.
            if written:
                raw = written[number % len(written)]
                flags = village.deliver(kiosk, raw, by_stick=word == "carry")
                assert flags == frozenset()
        elif word == "back_up":
            village.backups.append(copied(village.conn))
        elif word == "restore":
            village.restore(number)
        elif (raw_or_none := moved(kiosk, (word, number), 1000 + at)) is not None:
            written.append(raw_or_none)

    assert village.state_of(kiosk) == "active"


lives = st.lists(own_steps, max_size=8)


@given(lives, lives, lives, clocks, st.booleans())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_two_machines_of_one_card_are_found_once_each_has_called(
    enrolled: tuple[World, Kiosk],
    before: list[Step],
    one_life: list[Step],
    other_life: list[Step],
    clock: int,
    is_copy_first: bool,
) -> None:
    """The card was copied while the kiosk was off, as a card is."""
    world, first = enrolled
    village, kiosk = Village(world, world.conn), fresh_copy(first)
    for at, step in enumerate(before):
        if (raw := moved(kiosk, step, 1000 + at)) is not None:
            village.deliver(kiosk, raw)
    twin = kiosk.copy(seed=77)
    twin.now_ms = clock
    kiosk.restart(b"next")

    flags: frozenset[str] = frozenset()
    machines = [(kiosk, one_life, 2000), (twin, other_life, 3000)]
    for machine, life, seed in reversed(machines) if is_copy_first else machines:
        for at, step in enumerate([ASK, *life]):
            if (raw := moved(machine, step, seed + at)) is not None:
                flags = village.deliver(machine, raw)

    assert "reenrol" in flags
    assert village.state_of(kiosk) == "forked"


@given(lives, st.lists(own_steps, max_size=8), clocks)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_old_image_is_found_with_its_first_word(
    enrolled: tuple[World, Kiosk],
    before: list[Step],
    after: list[Step],
    clock: int,
) -> None:
    """The image was taken of the running kiosk, which has called since then."""
    world, first = enrolled
    village, kiosk = Village(world, world.conn), fresh_copy(first)
    for at, step in enumerate(before):
        if (raw := moved(kiosk, step, 1000 + at)) is not None:
            village.deliver(kiosk, raw)
    image = kiosk.copy(seed=77)
    image.now_ms = clock
    for at, step in enumerate([*called_after_starts(after), ASK]):
        if (raw := moved(kiosk, step, 2000 + at)) is not None:
            village.deliver(kiosk, raw)

    flags = village.deliver(image, image.request())

    assert flags == {"reenrol"}
