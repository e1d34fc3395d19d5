"""What an answer changes, branch by branch; the histories that need it are in test_agent."""

import msgspec
import pytest

from sync import exchange
from sync.exchange import PendingAttachment, Piece, Standing, View
from sync.frames import Chunk, ChunkMark, Reply, Request
from sync.limits import CHUNK_BYTES_MAX, FRAME_ENVELOPES_MAX, REFILL_EVERY_MS
from tests.unit.sync.worlds import HEALTH

OURS = b"our hash"
STANDING = Standing(
    head_seq=10,
    head_hash=OURS,
    counter=1,
    epoch=5,
    cursor=0,
    mark_seq=10,
    refilled_mark=-1,
    refilled_ms=0,
    centre_ms=0,
    clock_skew_ms=0,
    certificate=b"",
    batch_bytes=2048,
    catalogue=3,
    notices_unreadable=0,
    boots=1,
)
REQUEST = Request(
    kiosk_id=bytes(8),
    counter=1,
    boot_id=bytes(4),
    now_ms=0,
    monotonic_ms=0,
    epoch=5,
    head_seq=10,
    head_hash=OURS,
    cursor=0,
    catalogue=3,
    certificate=1,
    health=HEALTH,
)
REPLY = Reply(
    request_hash=bytes(16),
    kiosk_id=bytes(8),
    epoch=5,
    durability="D0",
    centre_ms=1000,
    mark_seq=10,
    mark_hash=OURS,
    catalogue_version=3,
)


def applied(
    standing: Standing = STANDING,
    *,
    own_hash: bytes | None = OURS,
    has_pending_left: bool = False,
    **changes: object,
) -> exchange.Changes:
    return exchange.apply(
        REQUEST,
        msgspec.structs.replace(REPLY, **changes),
        standing,
        own_hash_at_mark=own_hash,
        has_pending_left=has_pending_left,
        received_ms=400,
        took_ms=200,
    )


def test_mark_with_our_hash_settles_up_to_it() -> None:
    changes = applied()

    assert (changes.settle_upto, changes.requeue_from) == (10, 0)
    assert changes.clock_skew_ms == 700


@pytest.mark.parametrize("own_hash", [None, b"its hash"])
def test_mark_with_another_hash_settles_nothing(own_hash: bytes | None) -> None:
    assert applied(own_hash=own_hash).settle_upto == 0


@pytest.mark.parametrize(
    ("mark_seq", "own_hash", "expected"),
    [(7, OURS, 8), (7, b"its hash", 1), (0, None, 1), (10, OURS, 11)],
)
def test_new_epoch_requeues_what_the_restored_centre_may_lack(
    mark_seq: int, own_hash: bytes | None, expected: int
) -> None:
    changes = applied(epoch=6, mark_seq=mark_seq, own_hash=own_hash, has_pending_left=True)

    assert (changes.requeue_from, changes.is_new_epoch) == (expected, True)
    assert (changes.is_cursor_reset, changes.epoch) == (True, 6)


def test_first_epoch_ever_seen_is_no_new_one() -> None:
    fresh = msgspec.structs.replace(STANDING, epoch=0, mark_seq=0)

    changes = applied(fresh)

    assert (changes.is_new_epoch, changes.is_cursor_reset, changes.requeue_from) == (
        False,
        False,
        0,
    )


@pytest.mark.parametrize(("own_hash", "expected"), [(OURS, 8), (b"its hash", 1)])
def test_mark_that_fell_requeues_even_while_others_wait(own_hash: bytes, expected: int) -> None:
    changes = applied(mark_seq=7, own_hash=own_hash, has_pending_left=True)

    assert (changes.requeue_from, changes.is_new_epoch) == (expected, False)


@pytest.mark.parametrize(
    ("refilled_mark", "refilled_ms", "has_pending_left", "expected"),
    [
        (-1, 0, False, 8),
        (-1, 0, True, 0),
        (7, 500, False, 0),
        (6, 500, False, 8),
        (7, 1000 - REFILL_EVERY_MS, False, 8),
    ],
    ids=["first", "not while others wait", "done for this mark", "another mark", "a day later"],
)
def test_mark_that_stays_behind_is_refilled_once_a_day(
    refilled_mark: int, refilled_ms: int, has_pending_left: bool, expected: int
) -> None:
    standing = msgspec.structs.replace(
        STANDING, mark_seq=7, refilled_mark=refilled_mark, refilled_ms=refilled_ms
    )

    changes = applied(standing, mark_seq=7, has_pending_left=has_pending_left)

    assert changes.requeue_from == expected
    assert (changes.refilled_mark, changes.refilled_ms) == (
        (7, 1000) if expected else (refilled_mark, refilled_ms)
    )


def test_mark_of_a_strangers_chain_is_not_refilled() -> None:
    standing = msgspec.structs.replace(STANDING, mark_seq=7)

    assert applied(standing, mark_seq=7, own_hash=b"its hash").requeue_from == 0


def test_lower_epoch_changes_nothing() -> None:
    changes = applied(epoch=4, flags=frozenset({"slow"}))

    assert changes == exchange.Changes(ignored="old_centre", flags=frozenset({"slow"}))


@pytest.mark.parametrize(("version", "is_wanted"), [(2, False), (3, False), (4, True)])
def test_only_a_newer_catalogue_is_wanted(version: int, is_wanted: bool) -> None:
    assert applied(catalogue_version=version).is_catalogue_wanted is is_wanted


def attachment(received_bytes: int = 0, size_bytes: int = 1000) -> PendingAttachment:
    return PendingAttachment(
        seq=1,
        place=0,
        size_bytes=size_bytes,
        digest=bytes(16),
        received_bytes=received_bytes,
    )


def planned(attachments: tuple[PendingAttachment, ...], bytes_max: int) -> tuple[Piece, ...]:
    view = View(standing=STANDING, pending=(), attachments=attachments, bytes_max=bytes_max)
    return exchange.plan(view).pieces


def test_plan_cuts_an_attachment_to_the_room_and_to_a_chunk() -> None:
    small = planned((attachment(size_bytes=500_000),), 2048)
    large = planned((attachment(size_bytes=500_000),), 200_000)

    assert [piece.size_bytes for piece in small] == [2048 - 160 - 40]
    assert [piece.size_bytes for piece in large] == [CHUNK_BYTES_MAX]


def test_plan_goes_on_where_the_centre_is_and_only_asks_at_the_end() -> None:
    pieces = planned((attachment(400), attachment(1000)), 4096)

    assert [piece.size_bytes for piece in pieces] == [600, 0]


def test_plan_sends_some_of_an_attachment_however_small_the_frame() -> None:
    assert [piece.size_bytes for piece in planned((attachment(),), 100)] == [216]


def test_plan_never_exceeds_a_frames_count() -> None:
    pending = tuple((seq, 165) for seq in range(1, 641))
    view = View(standing=STANDING, pending=pending, attachments=(), bytes_max=262_144)

    seqs = exchange.plan(view).seqs

    assert len(seqs) == FRAME_ENVELOPES_MAX
    assert seqs == (*range(1, 385), *range(513, 641))


@pytest.mark.parametrize(
    ("offset", "size", "mark", "expected"),
    [(0, 500, 500, True), (0, 500, 0, False), (1000, 0, 1000, True), (1000, 0, 300, True)],
)
def test_progress_is_a_mark_that_says_something_new(
    offset: int, size: int, mark: int, expected: bool
) -> None:
    chunk = Chunk(seq=1, index=0, total=1000, digest=bytes(16), offset=offset, data=bytes(size))
    request = msgspec.structs.replace(REQUEST, chunks=(chunk,))
    marks = (ChunkMark(seq=1, index=0, received_bytes=mark),)

    assert (
        exchange.has_progress(request, msgspec.structs.replace(REPLY, chunk_marks=marks))
        is expected
    )
    assert not exchange.has_progress(request, REPLY)
