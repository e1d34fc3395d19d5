"""What to say next, and what an answer changes: decisions without disk, network or clock."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from sync import limits
from sync.frames import Chunk, ChunkMark, Flag, Reply, ReplyRefused, Request
from sync.records import Envelope, Health

COMMON_BYTES = 160  # of a usual frame: fixed fields, a short report, two runs, signature
COMMON_BYTES_MAX = 600  # with the longest report: a full frame must never be too long to send
PIECE_COMMON_BYTES = 40  # of a chunk: place, digest, offset


class Standing(msgspec.Struct, frozen=True):
    """Where a kiosk stands with its centre; one row of its store."""

    head_seq: int
    head_hash: bytes
    #: Of the last request.
    counter: int
    #: Highest epoch seen; 0 before the first reply.
    epoch: int
    #: Number of the last notice taken in.
    cursor: int
    #: The centre's mark in its last reply.
    mark_seq: int
    #: The mark from which a refill was last sent (-1 never), and when, in the centre's time.
    refilled_mark: int
    refilled_ms: int
    #: Newest time that the centre signed, Unix ms.
    centre_ms: int
    #: Centre's clock minus the kiosk's.
    clock_skew_ms: int
    #: Newest certificate, b"" when none.
    certificate: bytes
    batch_bytes: int
    catalogue: int
    notices_unreadable: int
    boots: int


class PendingAttachment(msgspec.Struct, frozen=True):
    """An attachment that the centre does not hold whole, as far as is known."""

    seq: int
    place: int
    size_bytes: int
    digest: bytes
    received_bytes: int


class View(msgspec.Struct, frozen=True):
    """What a plan is made from."""

    standing: Standing
    #: (seq, size in bytes) of waiting envelopes in rising order: the oldest and the newest.
    pending: tuple[tuple[int, int], ...]
    #: Smallest first.
    attachments: tuple[PendingAttachment, ...]
    #: Bound of the request, from `batching` and the centre.
    bytes_max: int
    #: Attachments (seq, place) of which the centre's word is fresh; None when the link takes no
    #: uploads, so that all pieces ride in frames.
    known: frozenset[tuple[int, int]] | None = None


class Piece(msgspec.Struct, frozen=True):
    """A part of an attachment to send; of size 0 it only asks how far the centre is."""

    attachment: PendingAttachment
    size_bytes: int


class Plan(msgspec.Struct, frozen=True):
    """What the next request carries."""

    seqs: tuple[int, ...]
    pieces: tuple[Piece, ...]


def plan(view: View) -> Plan:
    """Answer what to send: envelopes first, then pieces of attachments with the room left.

    When not all fit, a quarter of the room goes to the newest, so that one envelope that no
    route carries never holds up those behind it.
    """
    bytes_max = min(view.bytes_max, limits.FRAME_BYTES_MAX - COMMON_BYTES_MAX)
    room = max(0, bytes_max - COMMON_BYTES)
    seqs = _chosen(view.pending, room)
    used = sum(size for seq, size in view.pending if seq in seqs)
    pieces: tuple[Piece, ...] = ()
    if len(seqs) == len(view.pending):
        pieces = _pieces(view.attachments, room - used, is_only=not seqs, known=view.known)
    return Plan(seqs=tuple(sorted(seqs)), pieces=pieces)


def _chosen(pending: Sequence[tuple[int, int]], room: int) -> frozenset[int]:
    if len(pending) <= limits.FRAME_ENVELOPES_MAX and sum(size for _, size in pending) <= room:
        return frozenset(seq for seq, _ in pending)
    newest = _filled(pending[::-1], room // 4, limits.FRAME_ENVELOPES_MAX // 4)
    older = [item for item in pending if item[0] not in newest]
    left = room - sum(size for seq, size in pending if seq in newest)
    oldest = _filled(older, left, limits.FRAME_ENVELOPES_MAX - len(newest))
    # Whatever the link carries, one envelope at a time must go through.
    return newest | oldest or frozenset({pending[0][0]})


def _filled(pending: Sequence[tuple[int, int]], room: int, count_max: int) -> frozenset[int]:
    chosen: set[int] = set()
    for seq, size in pending:
        room -= size
        if room < 0 or len(chosen) == count_max:
            break
        chosen.add(seq)
    return frozenset(chosen)


def _pieces(
    attachments: Sequence[PendingAttachment],
    room: int,
    *,
    is_only: bool,
    known: frozenset[tuple[int, int]] | None,
) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    room = max(room, limits.BATCH_BYTES_MIN // 2) if is_only else room
    for attachment in attachments[: limits.CHUNKS_MAX]:
        is_uploaded = known is not None and rides_alone(attachment)
        if is_uploaded and known and (attachment.seq, attachment.place) in known:
            continue
        room -= PIECE_COMMON_BYTES
        left = 0 if is_uploaded else attachment.size_bytes - attachment.received_bytes
        size = min(left, limits.CHUNK_BYTES_MAX, max(room, 0))
        if room < 0 or (left and not size):
            break
        pieces.append(Piece(attachment=attachment, size_bytes=size))
        room -= size
    return tuple(pieces)


def rides_alone(attachment: PendingAttachment) -> bool:
    """Answer whether what is left is worth an upload of its own, where the link takes uploads."""
    return attachment.size_bytes - attachment.received_bytes > limits.UPLOAD_BYTES_MIN


def next_upload(view: View, stuck: frozenset[tuple[int, int]]) -> PendingAttachment | None:
    """Answer the attachment to upload: the smallest of which is known how far the centre is.

    Args:
        view: What waits.
        stuck: Those that the centre does not take now.
    """
    wanted = (view.known or frozenset()) - stuck
    for attachment in view.attachments:
        if (attachment.seq, attachment.place) in wanted and rides_alone(attachment):
            return attachment
    return None


def compose(
    view: View,
    *,
    kiosk_id: bytes,
    envelopes: Sequence[Envelope],
    chunks: Sequence[Chunk],
    boot_id: bytes,
    now_ms: int,
    monotonic_ms: int,
    certificate_serial: int,
    health: Health,
) -> Request:
    """Answer the request for a plan whose envelopes and pieces were read.

    `view.standing.counter` is already this request's.
    """
    standing = view.standing
    return Request(
        kiosk_id=kiosk_id,
        counter=standing.counter,
        boot_id=boot_id,
        now_ms=now_ms,
        monotonic_ms=monotonic_ms,
        epoch=standing.epoch,
        head_seq=standing.head_seq,
        head_hash=standing.head_hash,
        cursor=standing.cursor,
        catalogue=standing.catalogue,
        certificate=certificate_serial,
        health=health,
        envelopes=tuple(envelopes),
        chunks=tuple(chunks),
    )


class Changes(msgspec.Struct, frozen=True):
    """What a verified reply does to the store, in this order, in one commit."""

    #: "" or why the reply changes nothing.
    ignored: Literal["", "old_centre"] = ""
    #: Envelopes from this number on wait again, if still held; 0 = none do.
    requeue_from: int = 0
    #: The requeue reaches refused envelopes and attachments too: this is another centre's store.
    is_new_epoch: bool = False
    #: Envelopes up to this number are durable: the centre's mark carries our own hash.
    settle_upto: int = 0
    #: Envelopes of the request that are durable, and those that the centre will not take.
    settled: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()
    chunk_marks: tuple[ChunkMark, ...] = ()
    #: New standing but for cursor and counts that the store keeps.
    epoch: int = 0
    mark_seq: int = 0
    refilled_mark: int = -1
    refilled_ms: int = 0
    centre_ms: int = 0
    clock_skew_ms: int = 0
    #: Notices count from 0 again.
    is_cursor_reset: bool = False
    is_catalogue_wanted: bool = False
    flags: frozenset[Flag] = frozenset()


def apply(
    request: Request,
    reply: Reply,
    standing: Standing,
    *,
    own_hash_at_mark: bytes | None,
    has_pending_left: bool,
    received_ms: int,
    took_ms: int,
    asked_mark_seq: int | None = None,
) -> Changes:
    """Answer what a verified reply changes.

    A number alone settles nothing: a kiosk restored from an old image uses numbers again, and
    by number its new envelope 51 would be settled by the centre's old 51.

    Args:
        request: What was sent.
        reply: What `decode_reply` let through.
        standing: Before the reply.
        own_hash_at_mark: Our envelope's hash at `reply.mark_seq`; None when there is none.
        has_pending_left: Whether envelopes waited that the request did not carry, when it was
            written: those in other requests under way too.
        received_ms: Kiosk's clock when the reply came, Unix ms.
        took_ms: Round trip, monotonic.
        asked_mark_seq: The centre's mark that was known when the request was written; the
            standing's by default. Of two requests under way the answers may cross: only a mark
            below this one shows that the centre lost something.

    Raises:
        ReplyRefused: The verdicts are not one for each envelope.
    """
    if len(reply.verdicts) != len(request.envelopes):
        raise ReplyRefused("the answer does not judge each envelope once")
    if reply.epoch < standing.epoch:
        # An old centre that still answers; what it holds is not where the others' work goes on.
        return Changes(ignored="old_centre", flags=reply.flags)
    is_ours = reply.mark_seq > 0 and own_hash_at_mark == reply.mark_hash
    is_new_epoch = 0 < standing.epoch < reply.epoch
    known_mark = standing.mark_seq if asked_mark_seq is None else asked_mark_seq
    has_lost = reply.mark_seq < known_mark
    requeue_from = _requeue_from(
        request,
        reply,
        standing,
        is_ours=is_ours,
        has_lost=has_lost,
        has_pending_left=has_pending_left,
    )
    is_refill = bool(requeue_from) and reply.epoch == standing.epoch
    numbered = [
        (envelope.header.seq, verdict)
        for envelope, verdict in zip(request.envelopes, reply.verdicts, strict=True)
    ]
    return Changes(
        requeue_from=requeue_from,
        is_new_epoch=is_new_epoch,
        settle_upto=reply.mark_seq if is_ours else 0,
        settled=tuple(seq for seq, verdict in numbered if verdict != "refused"),
        refused=tuple(seq for seq, verdict in numbered if verdict == "refused"),
        chunk_marks=reply.chunk_marks,
        epoch=reply.epoch,
        mark_seq=(
            reply.mark_seq if is_new_epoch or has_lost else max(reply.mark_seq, standing.mark_seq)
        ),
        refilled_mark=reply.mark_seq if is_refill else standing.refilled_mark,
        refilled_ms=reply.centre_ms if is_refill else standing.refilled_ms,
        centre_ms=reply.centre_ms,
        clock_skew_ms=reply.centre_ms + took_ms // 2 - received_ms,
        is_cursor_reset=is_new_epoch,
        is_catalogue_wanted=reply.catalogue_version > standing.catalogue,
        flags=reply.flags,
    )


def _requeue_from(
    request: Request,
    reply: Reply,
    standing: Standing,
    *,
    is_ours: bool,
    has_lost: bool,
    has_pending_left: bool,
) -> int:
    """Answer from which number on the centre may lack what was settled; 0 when nothing is."""
    is_chain_ours = is_ours or not reply.mark_seq
    after_mark = reply.mark_seq + 1 if is_chain_ours else 1
    if 0 < standing.epoch < reply.epoch:
        return after_mark
    if has_lost:
        # The same centre lost what it had acknowledged (a failover).
        return after_mark
    # All was sent, yet the centre's chain ends before ours: give it the rest once more. For each
    # mark once a day, since a gap or a fork keeps the mark down for long, and above it the mark
    # cannot tell what a failover lost.
    is_due = (
        standing.refilled_mark != reply.mark_seq
        or reply.centre_ms - standing.refilled_ms >= limits.REFILL_EVERY_MS
    )
    is_behind = reply.mark_seq < request.head_seq and not has_pending_left
    return after_mark if is_chain_ours and is_behind and is_due else 0


def has_progress(request: Request, reply: Reply) -> bool:
    """Answer whether the centre's word on an attachment differs from what it was sent for."""
    marks = {(mark.seq, mark.index): mark.received_bytes for mark in reply.chunk_marks}
    return any(
        marks[place] == chunk.total or marks[place] != chunk.offset
        for chunk in request.chunks
        if (place := (chunk.seq, chunk.index)) in marks
    )
