"""What a reply from a stick changes, branch by branch: forward only, and only for our own."""

import msgspec
import pytest

from sync.exchange import Changes, Standing
from sync.frames import Chunk, ChunkMark, Reply, ReplyRefused, Request
from sync.records import Envelope, Header
from sync.returned import Held, apply_carried
from sync.wire import envelope_hash
from tests.unit.sync.worlds import HEALTH

ENVELOPES = tuple(
    Envelope(Header(bytes(8), seq, bytes(8), 1, 1), bytes([seq]) * 64) for seq in (4, 5, 6)
)
OURS = {envelope.header.seq: envelope_hash(envelope) for envelope in ENVELOPES}
CHUNK = Chunk(seq=5, index=0, total=900, digest=b"d" * 16, offset=0, data=b"x" * 900)
HELD = Held(hashes=OURS, attachments={(5, 0): (b"d" * 16, 0)})
STANDING = Standing(
    head_seq=6, head_hash=OURS[6], counter=9, epoch=5, cursor=0, mark_seq=3, refilled_mark=2,
    refilled_ms=70, centre_ms=1000, clock_skew_ms=-44, certificate=b"", batch_bytes=2048,
    catalogue=3, notices_unreadable=0, boots=1,
)  # fmt: skip
REQUEST = Request(
    kiosk_id=bytes(8), counter=1, boot_id=bytes(4), now_ms=0, monotonic_ms=0, epoch=5, head_seq=6,
    head_hash=OURS[6], cursor=0, catalogue=3, certificate=1, health=HEALTH, envelopes=ENVELOPES,
    chunks=(CHUNK,),
)  # fmt: skip
REPLY = Reply(
    request_hash=bytes(16), kiosk_id=bytes(8), epoch=5, durability="D0", centre_ms=2000,
    mark_seq=6, mark_hash=OURS[6], catalogue_version=4, verdicts=("stored",) * 3,
    chunk_marks=(ChunkMark(5, 0, 900),), flags=frozenset({"reenrol"}),
)  # fmt: skip


def applied(
    standing: Standing = STANDING,
    *,
    own_hash: bytes | None = OURS[6],
    held: Held = HELD,
    **reply: object,
) -> Changes:
    return apply_carried(
        REQUEST,
        msgspec.structs.replace(REPLY, **reply),
        standing,
        own_hash_at_mark=own_hash,
        held=held,
    )


def test_newest_word_settles_and_leaves_the_clock_alone() -> None:
    assert applied() == Changes(
        settle_upto=6,
        settled=(4, 5, 6),
        chunk_marks=(ChunkMark(5, 0, 900),),
        epoch=5,
        mark_seq=6,
        refilled_mark=2,
        refilled_ms=70,
        centre_ms=2000,
        clock_skew_ms=-44,
        is_catalogue_wanted=True,
        flags=frozenset({"reenrol"}),
    )


def test_older_word_moves_nothing_back() -> None:
    newer = msgspec.structs.replace(STANDING, centre_ms=9000, mark_seq=60, catalogue=3)

    changes = applied(newer, mark_seq=2, own_hash=b"whatever", verdicts=("refused",) * 3)

    assert changes == Changes(
        chunk_marks=(ChunkMark(5, 0, 900),),
        epoch=5,
        mark_seq=60,
        refilled_mark=2,
        refilled_ms=70,
        centre_ms=9000,
        clock_skew_ms=-44,
    )


def test_older_word_settles_no_more_than_the_newest_mark_covers() -> None:
    # The centre lost numbers 5 and 6 after it had acknowledged them, and said so meanwhile.
    newer = msgspec.structs.replace(STANDING, centre_ms=9000, mark_seq=4)

    changes = applied(newer)

    assert (changes.settle_upto, changes.settled, changes.chunk_marks) == (0, (4,), ())
    assert (changes.requeue_from, changes.mark_seq) == (0, 4)


def test_older_word_settles_what_the_newest_mark_covers() -> None:
    newer = msgspec.structs.replace(STANDING, centre_ms=9000, mark_seq=6)

    changes = applied(newer)

    assert (changes.settle_upto, changes.settled) == (6, (4, 5, 6))


def test_verdict_on_another_envelope_of_that_number_settles_nothing() -> None:
    # Put back to an old image: 5 and 6 were given again to other residents.
    held = msgspec.structs.replace(HELD, hashes={**OURS, 5: b"another.", 6: b"another."})

    changes = applied(own_hash=b"another.", held=held)

    assert (changes.settle_upto, changes.settled) == (0, (4,))


@pytest.mark.parametrize("attachments", [{}, {(5, 0): (b"e" * 16, 0)}])
def test_mark_of_another_attachment_in_that_place_counts_for_none(
    attachments: dict[tuple[int, int], tuple[bytes, int]],
) -> None:
    held = msgspec.structs.replace(HELD, attachments=attachments)

    assert applied(held=held).chunk_marks == ()


def test_older_mark_of_an_attachment_never_takes_its_progress_back() -> None:
    newer = msgspec.structs.replace(STANDING, centre_ms=9000, mark_seq=60)
    held = msgspec.structs.replace(HELD, attachments={(5, 0): (b"d" * 16, 700)})

    behind = applied(newer, held=held, chunk_marks=(ChunkMark(5, 0, 600),))
    ahead = applied(newer, held=held, chunk_marks=(ChunkMark(5, 0, 800),))

    assert (behind.chunk_marks, ahead.chunk_marks) == ((), (ChunkMark(5, 0, 800),))


@pytest.mark.parametrize(
    ("mark_seq", "own_hash", "expected"), [(4, OURS[4], 5), (4, b"its hash", 1), (0, None, 1)]
)
def test_restored_centre_is_given_everything_back(
    mark_seq: int, own_hash: bytes | None, expected: int
) -> None:
    changes = applied(
        epoch=6, centre_ms=500, mark_seq=mark_seq, mark_hash=OURS[4], own_hash=own_hash
    )

    assert (changes.requeue_from, changes.is_new_epoch) == (expected, True)
    assert (changes.is_cursor_reset, changes.epoch, changes.centre_ms) == (True, 6, 500)


def test_word_from_before_the_centre_was_restored_changes_nothing() -> None:
    changes = applied(epoch=4)

    assert changes == Changes(ignored="old_centre", flags=frozenset({"reenrol"}))


def test_newer_word_with_a_lower_mark_lets_the_rest_wait_again() -> None:
    fallen = msgspec.structs.replace(STANDING, mark_seq=6)

    changes = applied(fallen, mark_seq=4, mark_hash=OURS[4], own_hash=OURS[4])

    assert (changes.requeue_from, changes.is_new_epoch) == (5, False)


def test_mark_behind_our_newest_number_is_no_gap_on_a_stick() -> None:
    # More was confirmed while the stick was on the road.
    assert applied(mark_seq=4, mark_hash=OURS[4], own_hash=OURS[4]).requeue_from == 0


def test_answer_that_judges_another_number_of_envelopes_is_refused() -> None:
    with pytest.raises(ReplyRefused):
        applied(verdicts=("stored",))
