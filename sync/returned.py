"""What a reply changes that was carried home by hand: pure.

`exchange.apply` judges a reply that comes back at once. One that lay on a stick for days may be
older than what was heard since, and the request beside it older than the kiosk's own store.
"""

from collections.abc import Iterator, Mapping

import msgspec

from sync import limits
from sync.exchange import Changes, Standing
from sync.frames import ChunkMark, Reply, ReplyRefused, Request
from sync.wire import envelope_hash


class Held(msgspec.Struct, frozen=True):
    """What the kiosk itself holds of what a carried request was about."""

    #: Hash of our own envelope, by number.
    hashes: Mapping[int, bytes]
    #: Digest and known progress of our own attachments that wait, by number and place.
    attachments: Mapping[tuple[int, int], tuple[bytes, int]]


def apply_carried(
    request: Request,
    reply: Reply,
    standing: Standing,
    *,
    own_hash_at_mark: bytes | None,
    held: Held,
) -> Changes:
    """Answer what a verified reply changes that somebody carried here, days after it was given.

    The request lay on the stick, signed by us, but not always by us as we are now: a kiosk put
    back to an old image uses numbers again. So each verdict counts only for the very envelope
    that we hold. And what was heard since by another way may be newer: a reply that is older
    than that settles only what the newest mark covers as well, and moves nothing back; its
    centre may have lost what it acknowledged then.

    Args:
        request: What the stick says was sent; its signature is ours.
        reply: What `decode_reply` let through for it.
        standing: Before the reply.
        own_hash_at_mark: Our envelope's hash at `reply.mark_seq`; None when there is none.
        held: What we hold of the request's envelopes and attachments.

    Raises:
        ReplyRefused: The verdicts are not one for each envelope.
    """
    if len(reply.verdicts) != len(request.envelopes):
        raise ReplyRefused("the answer does not judge each envelope once")
    if reply.epoch < standing.epoch:
        return Changes(ignored="old_centre", flags=reply.flags)
    is_late = reply.epoch == standing.epoch and reply.centre_ms < standing.centre_ms
    is_ours = reply.mark_seq > 0 and own_hash_at_mark == reply.mark_hash
    is_new_epoch = 0 < standing.epoch < reply.epoch
    after_mark = reply.mark_seq + 1 if is_ours or not reply.mark_seq else 1
    has_lost = is_new_epoch or (not is_late and reply.mark_seq < standing.mark_seq)
    covered_upto = standing.mark_seq if is_late else limits.SEQ_MAX
    numbered = [
        (envelope.header.seq, verdict)
        for envelope, verdict in zip(request.envelopes, reply.verdicts, strict=True)
        if envelope_hash(envelope) == held.hashes.get(envelope.header.seq)
    ]
    return Changes(
        requeue_from=after_mark if has_lost else 0,
        is_new_epoch=is_new_epoch,
        settle_upto=reply.mark_seq if is_ours and reply.mark_seq <= covered_upto else 0,
        settled=tuple(seq for seq, word in numbered if word != "refused" and seq <= covered_upto),
        refused=tuple(seq for seq, word in numbered if word == "refused" and not is_late),
        chunk_marks=tuple(_own_marks(request, reply, held, covered_upto, is_late=is_late)),
        epoch=reply.epoch,
        mark_seq=standing.mark_seq if is_late else reply.mark_seq,
        # The request never held all that waits: what is behind tells nothing, and neither does
        # the time on the road.
        refilled_mark=standing.refilled_mark,
        refilled_ms=standing.refilled_ms,
        centre_ms=max(standing.centre_ms, reply.centre_ms) if not is_new_epoch else reply.centre_ms,
        clock_skew_ms=standing.clock_skew_ms,
        is_cursor_reset=is_new_epoch,
        is_catalogue_wanted=not is_late and reply.catalogue_version > standing.catalogue,
        flags=frozenset() if is_late else reply.flags,
    )


def _own_marks(
    request: Request, reply: Reply, held: Held, covered_upto: int, *, is_late: bool
) -> Iterator[ChunkMark]:
    digests = {(chunk.seq, chunk.index): chunk.digest for chunk in request.chunks}
    for mark in reply.chunk_marks:
        place = (mark.seq, mark.index)
        digest, known_bytes = held.attachments.get(place, (b"", 0))
        is_own = digest != b"" and digest == digests.get(place)
        is_back = is_late and mark.received_bytes <= known_bytes
        if is_own and not is_back and mark.seq <= covered_upto:
            yield mark
