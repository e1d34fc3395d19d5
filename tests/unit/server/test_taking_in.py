"""Whole requests taken in at once leave what their envelopes one by one would."""

import pytest

from server.store import fleet
from sync import limits
from sync.wire import envelope_bytes, envelope_hash
from tests.unit.server.world import World


def stored(world: World) -> int:
    return int(world.conn.execute("SELECT count(*) FROM envelopes").fetchone()[0])


@pytest.mark.parametrize("count", [1, 2, 127, 128, 300, limits.FRAME_ENVELOPES_MAX])
def test_large_request_is_stored_row_by_row_as_many_small_ones_are(
    world: World, count: int
) -> None:
    kiosk = world.enrol()
    envelopes = [kiosk.seal(bytes(16), catalogue=number % 3) for number in range(count)]

    reply = world.exchange(kiosk, kiosk.request(envelopes)).reply

    assert reply.verdicts == ("stored",) * count
    assert (reply.mark_seq, reply.mark_hash) == (count, kiosk.prev)
    rows = world.conn.execute(
        "SELECT seq, hash, prev, catalogue, fate, raw FROM envelopes ORDER BY id"
    )
    assert [tuple(row) for row in rows] == [
        (
            item.header.seq,
            envelope_hash(item),
            item.header.prev,
            item.header.catalogue,
            "waiting",
            envelope_bytes(item),
        )
        for item in envelopes
    ]


def test_mark_walks_over_all_that_came_before_the_gap_closed(world: World) -> None:
    kiosk = world.enrol()
    first, *others = [kiosk.seal(bytes(16)) for _ in range(1200)]
    for start in range(0, len(others), 400):
        world.exchange(kiosk, kiosk.request(others[start : start + 400]))

    reply = world.exchange(kiosk, kiosk.request([first])).reply

    assert (reply.mark_seq, reply.mark_hash) == (1200, kiosk.prev)


def test_same_envelope_twice_in_one_request_is_stored_once(world: World) -> None:
    kiosk = world.enrol()
    first, second = kiosk.seal(bytes(16)), kiosk.seal(bytes(16))

    reply = world.exchange(kiosk, kiosk.request([first, second, first])).reply

    assert reply.verdicts == ("stored", "stored", "duplicate")
    assert (reply.mark_seq, stored(world)) == (2, 2)


def test_two_histories_in_one_request_are_both_kept_and_fork_the_kiosk(world: World) -> None:
    kiosk = world.enrol()
    world.exchange(kiosk, kiosk.request([kiosk.seal(bytes(16))]))
    other = kiosk.copy(seed=3)
    rivals = [kiosk.seal(b"a" * 16), other.seal(b"b" * 16)]

    reply = world.exchange(kiosk, kiosk.request(rivals)).reply

    assert reply.verdicts == ("stored", "stored")
    assert (reply.mark_seq, reply.flags) == (1, frozenset({"reenrol"}))
    assert [tuple(row) for row in world.conn.execute("SELECT fork_seq FROM kiosks")] == [(2,)]


def test_whole_backlog_of_a_revoked_kiosk_waits_for_a_person(world: World) -> None:
    kiosk = world.enrol()
    world.exchange(kiosk, kiosk.request([kiosk.seal(bytes(16))]))
    world.write(fleet.revoke, kiosk.keys.kiosk_id.hex())
    backlog = [kiosk.seal(bytes(16)) for _ in range(130)]

    verdicts = world.exchange(kiosk, kiosk.request(backlog)).reply.verdicts

    assert verdicts == ("quarantined",) * 130
    letters = world.conn.execute(
        "SELECT e.seq, d.reason, d.tries FROM dead_letters d JOIN envelopes e "
        "ON e.id = d.envelope_id WHERE e.fate = 'quarantined' ORDER BY e.seq"
    )
    assert [tuple(row) for row in letters] == [(seq, "quarantined", 0) for seq in range(2, 132)]
