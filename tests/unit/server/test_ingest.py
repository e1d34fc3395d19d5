"""The rules of taking in, alone and against a model over random histories."""

import hashlib
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from server import ingest
from server.ingest import Chain, Freshness, Links, Moment
from server.store import fleet
from server.store.attachments import take_chunks
from server.store.fleet import KioskIdentityRow
from sync import limits
from sync.frames import Chunk, ChunkMark
from sync.records import Envelope
from sync.wire import FIRST_PREV, bytes_hash, envelope_bytes, envelope_hash
from tests.unit.server.world import Kiosk, World, chunks_of


def announced(world: World) -> Kiosk:
    """A kiosk whose first envelope is held."""
    kiosk = world.enrol()
    world.exchange(kiosk, kiosk.request([kiosk.seal(bytes(32))]))
    return kiosk


def sent(world: World, kiosk: Kiosk, chunk: Chunk) -> tuple[ChunkMark, ...]:
    return world.exchange(kiosk, kiosk.request((), [chunk])).reply.chunk_marks


def identity_of(world: World, kiosk: Kiosk) -> KioskIdentityRow:
    found = fleet.identity(world.conn, kiosk.keys.kiosk_id)
    assert found is not None
    return found


def count(world: World, table: str) -> int:
    return int(world.conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608


def hash_of(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()[:8]


NEWEST = Moment(counter=5, hash=b"five", boots=3, head_seq=9)
FRESH = Freshness(is_fresh=True, is_old_image=False)
LATE = Freshness(is_fresh=False, is_old_image=False)
OLD_IMAGE = Freshness(is_fresh=True, is_old_image=True)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Moment(6, b"six", boots=3, head_seq=9), FRESH),
        (Moment(9, b"nine", boots=4, head_seq=12), FRESH),
        (Moment(5, b"five", boots=3, head_seq=9), LATE),  # the very same
        (Moment(4, b"four", boots=2, head_seq=8), LATE),  # a straggler of a start before
        (Moment(5, b"other", boots=3, head_seq=9), OLD_IMAGE),  # one count, two requests
        (Moment(4, b"four", boots=4, head_seq=8), OLD_IMAGE),  # started later, counts lower
        (Moment(4, b"four", boots=3, head_seq=10), OLD_IMAGE),  # asked before, gave more numbers
        (Moment(6, b"six", boots=2, head_seq=9), OLD_IMAGE),
        (Moment(6, b"six", boots=3, head_seq=8), OLD_IMAGE),
        (Moment(4, b"four", boots=0, head_seq=9), LATE),  # starts not counted: no evidence
    ],
)
def test_freshness_of_a_request(asked: Moment, expected: Freshness) -> None:
    found = ingest.freshness(
        asked, NEWEST, is_known_boot=False, is_boot_anothers=False, is_head_ours=True
    )

    assert found == expected


def test_start_under_two_ids_and_a_foreign_head_betray_an_old_image() -> None:
    asked = Moment(6, b"six", boots=3, head_seq=9)

    found = [
        ingest.freshness(
            asked, NEWEST, is_known_boot=False, is_boot_anothers=anothers, is_head_ours=ours
        )
        for anothers, ours in ((True, True), (False, False))
    ]

    assert found == [OLD_IMAGE, OLD_IMAGE]


def test_old_image_that_was_heard_before_moves_nothing_again() -> None:
    asked = Moment(4, b"four", boots=4, head_seq=8)

    found = ingest.freshness(
        asked, NEWEST, is_known_boot=True, is_boot_anothers=False, is_head_ours=True
    )

    assert found == Freshness(is_fresh=False, is_old_image=True)


def test_mark_stops_where_a_link_does_not_fit() -> None:
    links = {1: Links(hash_of(1), FIRST_PREV), 2: Links(hash_of(2), hash_of(99))}

    chain = ingest.walked(Chain(0, FIRST_PREV, None), links.get)

    assert chain == Chain(1, hash_of(1), None)


def test_mark_goes_back_before_a_fork() -> None:
    chain = ingest.forked_at(Chain(9, hash_of(9), None), [7, 5])

    assert chain == Chain(4, b"", 5)


def test_later_fork_does_not_hide_the_first() -> None:
    chain = ingest.forked_at(Chain(4, hash_of(4), 5), [8])

    assert chain == Chain(4, hash_of(4), 5)


@pytest.mark.parametrize(
    ("offset", "size", "expected"),
    [
        (0, 10, (0, 0)),  # here already
        (25, 10, (5, 10)),  # overlaps by five
        (30, 10, (0, 10)),
        (31, 10, (0, 0)),  # beyond a gap
        (95, 10, (0, 0)),  # longer than the whole
    ],
)
def test_pieces_are_taken_in_order(offset: int, size: int, expected: tuple[int, int]) -> None:
    assert ingest.chunk_step(received=30, total=100, offset=offset, size=size) == expected


def test_busy_centre_spreads_its_kiosks() -> None:
    def wait_s(load: float, spread: float = 0.5, *, has_more: bool = False) -> int:
        return ingest.retry_after_s(base_s=20, load=load, spread=spread, has_more=has_more)

    assert [wait_s(0.1), wait_s(0.1, has_more=True), wait_s(0.9), wait_s(0.9, 0.0)] == [
        20,
        0,
        90,
        60,
    ]


def test_of_a_herd_those_with_the_oldest_backlog_come_again_first() -> None:
    waits_s = [
        ingest.retry_after_s(
            base_s=20, load=0.9, spread=0.9, has_more=True, away_s=20, oldest_s=days * 86_400
        )
        for days in (0, 1, 3, 30)
    ]

    assert waits_s == [38, 29, 24, 20]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_attachment_survives_any_pieces_in_any_order(sizes: list[int], random) -> None:  # type: ignore[no-untyped-def]
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "c")
        kiosk = announced(world)
        sealed = b"\x01" + random.randbytes(99)
        chunks = [piece for size in sizes for piece in chunks_of(sealed, 1, 0, size)]
        random.shuffle(chunks)

        # A kiosk goes on from the mark; shuffled repeats of all pieces reach the end as well.
        received = 0
        while received < len(sealed):
            for chunk in chunks:
                (mark,) = sent(world, kiosk, chunk)
                assert received <= mark.received_bytes <= len(sealed)
                received = mark.received_bytes

        row = world.conn.execute("SELECT sealed FROM attachments").fetchone()
        assert bytes(row[0]) == sealed
        assert world.conn.execute("SELECT count(*) FROM chunks").fetchone()[0] == 0


def test_attachment_with_a_wrong_digest_starts_again(world: World) -> None:
    kiosk = announced(world)
    good = chunks_of(b"0123456789", 1, 0, 10)[0]
    bad = type(good)(seq=1, index=0, total=10, digest=good.digest, offset=0, data=b"9876543210")

    marks = [sent(world, kiosk, chunk)[0].received_bytes for chunk in (bad, good)]

    assert marks == [0, 10]


def test_piece_that_no_envelope_announced_waits_for_its_envelope(world: World) -> None:
    kiosk = announced(world)
    (piece,) = chunks_of(bytes(10), 2, 0, 10)
    later = kiosk.seal(bytes(32))

    before = sent(world, kiosk, piece)[0].received_bytes
    assert count(world, "attachments") == count(world, "chunks") == 0
    together = world.exchange(kiosk, kiosk.request([later], [piece])).reply

    assert (before, together.chunk_marks[0].received_bytes) == (0, 10)


@pytest.mark.parametrize(
    ("index", "size"),
    [(limits.ATTACHMENTS_MAX, 10), (0, limits.SEALED_ATTACHMENT_BYTES_MAX + 1)],
)
def test_piece_beyond_a_transaction_s_bounds_is_not_kept(
    world: World, index: int, size: int
) -> None:
    kiosk = announced(world)
    piece = Chunk(seq=1, index=index, total=size, digest=bytes(16), offset=0, data=bytes(10))

    head = (1, kiosk.prev)
    mark = world.write(take_chunks, identity_of(world, kiosk), [piece], head=head, now_ms=1)[0]

    assert mark.received_bytes == 0
    assert count(world, "attachments") == count(world, "chunks") == 0


def test_one_place_holds_one_attachment_for_each_envelope(world: World) -> None:
    """A kiosk that invents other contents for one place fills nobody's disk."""
    kiosk = announced(world)
    other = kiosk.copy(seed=9)
    world.exchange(kiosk, kiosk.request([kiosk.seal(b"a" * 32)]))
    world.exchange(other, other.request([other.seal(b"b" * 32)]))

    marks = [
        sent(world, machine, chunks_of(bytes([number]) * 10, 2, 0, 10)[0])[0].received_bytes
        for number, machine in enumerate((kiosk, other, kiosk, other))
    ]

    assert marks == [10, 10, 0, 0]


def test_revoked_kiosk_s_pieces_are_not_kept(world: World) -> None:
    kiosk = announced(world)
    world.write(fleet.revoke, kiosk.keys.kiosk_id.hex())

    marks = sent(world, kiosk, chunks_of(bytes(10), 1, 0, 10)[0])

    assert marks[0].received_bytes == 0
    assert count(world, "attachments") == count(world, "chunks") == 0


class Histories(RuleBasedStateMachine):
    """Kiosks that are copied (forked) and deliver what they like, how often they like."""

    kiosks = Bundle("kiosks")
    envelopes = Bundle("envelopes")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name) / "c")
        self.first = self.world.enrol()
        self.delivered: dict[int, dict[bytes, bytes]] = {}
        self.copies = 0

    def teardown(self) -> None:
        self.world.close()
        self.folder.cleanup()

    @rule(target=kiosks)
    def start(self) -> Kiosk:
        return self.first

    @rule(target=kiosks, kiosk=kiosks)
    def copy(self, kiosk: Kiosk) -> Kiosk:
        self.copies += 1
        return kiosk.copy(100 + self.copies)

    @rule(target=envelopes, kiosk=kiosks)
    def confirm(self, kiosk: Kiosk) -> Envelope:
        return kiosk.seal(kiosk.entropy.token_bytes(32))

    @rule(kiosk=kiosks, batch=st.lists(envelopes, max_size=4))
    def deliver(self, kiosk: Kiosk, batch: list[Envelope]) -> None:
        taken = self.world.exchange(kiosk, kiosk.request(batch))

        expected = []
        for envelope in batch:
            known = self.delivered.setdefault(envelope.header.seq, {})
            hashed = envelope_hash(envelope)
            expected.append("duplicate" if hashed in known else "stored")
            known[hashed] = envelope.header.prev
        assert list(taken.reply.verdicts) == expected

    @rule(kiosk=kiosks, envelope=consumes(envelopes))
    def lose(self, kiosk: Kiosk, envelope: Envelope) -> None:
        """An envelope that never arrives."""

    @invariant()
    def everything_delivered_is_stored(self) -> None:
        rows = self.world.conn.execute("SELECT seq, hash, raw FROM envelopes")
        stored = {(row[0], bytes(row[1])) for row in rows if bytes_hash(bytes(row[2])) == row[1]}
        assert stored == {(seq, h) for seq, known in self.delivered.items() for h in known}

    @invariant()
    def mark_is_the_end_of_the_only_chain(self) -> None:
        seq, last = 0, FIRST_PREV
        while len(known := self.delivered.get(seq + 1, {})) == 1:
            ((hashed, prev),) = known.items()
            if prev != last:
                break
            seq, last = seq + 1, hashed
        row = fleet.identity(self.world.conn, self.first.keys.kiosk_id)
        assert row is not None
        assert (row.mark_seq, row.mark_hash) == (seq, last)

    @invariant()
    def two_histories_are_noticed(self) -> None:
        row = fleet.identity(self.world.conn, self.first.keys.kiosk_id)
        assert row is not None
        is_doubled = any(len(known) > 1 for known in self.delivered.values())
        assert (row.fork_seq is not None) == is_doubled
        if is_doubled:
            assert row.state == "forked"


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=8,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_model_and_bytes_agree_on_hashes(world: World) -> None:
    envelope = world.enrol().seal(bytes(32))

    assert envelope_hash(envelope) == bytes_hash(envelope_bytes(envelope))
