"""What an exchange reads from the kiosk's store and writes into it: the agent's SQL.

Functions take the open store and never commit; the caller is inside `database.immediate`.
"""

from collections.abc import Sequence

import msgspec
from sqlite_utils import Database as Tables

from sync import duty
from sync.exchange import Changes, PendingAttachment, Piece, Plan, Standing, View
from sync.frames import Chunk, ChunkMark
from sync.limits import CHUNKS_MAX, PENDING_SEEN_MAX
from sync.notices import encode_notice, notice_digest
from sync.records import Envelope, Notice
from sync.wire import bytes_hash, decode_envelope

_STANDING = ", ".join(Standing.__struct_fields__)


def standing_of(db: Tables) -> Standing:
    """Answer where this kiosk stands with its centre."""
    row = db.conn.execute(f"SELECT {_STANDING} FROM standing").fetchone()  # noqa: S608
    return msgspec.convert(dict(zip(Standing.__struct_fields__, row, strict=True)), Standing)


class Past(msgspec.Struct, frozen=True):
    """What a kiosk knows of the time before its own clock is asked."""

    #: Newest time on record, Unix ms: signed by the centre, or of a confirmation; 0 when none.
    newest_ms: int = 0
    #: The centre's time minus the kiosk's clock, as last heard.
    clock_skew_ms: int = 0


def past_of(db: Tables) -> Past:
    """Answer what this store knows of the time."""
    newest_ms, skew_ms = db.conn.execute(
        "SELECT max(centre_ms, coalesce((SELECT confirmed_ms FROM receipt"
        " ORDER BY seq DESC LIMIT 1), 0)), clock_skew_ms FROM standing"
    ).fetchone()
    return Past(newest_ms=newest_ms, clock_skew_ms=skew_ms)


def counted(db: Tables, view: View) -> View:
    """Count one request and answer the view with its number.

    The count is on disk before the request is sent: a centre takes a repeated count for a clone.
    """
    db.conn.execute("UPDATE standing SET counter = counter + 1")
    return msgspec.structs.replace(view, standing=standing_of(db))


def view_of(
    db: Tables,
    bytes_max: int,
    *,
    flying: frozenset[int] = frozenset(),
    known: frozenset[tuple[int, int]] | None = None,
) -> View:
    """Answer what a plan is made from: oldest and newest waiting envelopes, small attachments.

    Args:
        db: The store.
        bytes_max: Bound of the request.
        flying: Numbers of envelopes that other requests under way tell of; left out.
        known: See `View`.
    """
    half, others = PENDING_SEEN_MAX // 2, msgspec.json.encode(sorted(flying)).decode()
    is_waiting = "state = 'pending' AND seq NOT IN (SELECT value FROM json_each(?))"
    oldest = db.conn.execute(
        f"SELECT seq, length(envelope) FROM outbox WHERE {is_waiting} ORDER BY seq LIMIT ?",  # noqa: S608
        (others, half),
    ).fetchall()
    newest = []
    if len(oldest) == half:
        newest = db.conn.execute(
            f"SELECT seq, length(envelope) FROM outbox WHERE {is_waiting}"  # noqa: S608
            " ORDER BY seq DESC LIMIT ?",
            (others, half),
        ).fetchall()
    fields = PendingAttachment.__struct_fields__
    rows = db.conn.execute(
        f"SELECT {', '.join(fields)} FROM attachment WHERE {is_waiting}"  # noqa: S608
        " ORDER BY size_bytes, seq, place LIMIT ?",
        (others, CHUNKS_MAX),
    )
    attachments = (
        msgspec.convert(dict(zip(fields, row, strict=True)), PendingAttachment) for row in rows
    )
    return View(
        standing=standing_of(db),
        pending=tuple(sorted({*oldest, *newest})),
        attachments=tuple(attachments) if duty.may_send_pieces(db) else (),
        bytes_max=bytes_max,
        known=known,
    )


def carried(db: Tables, plan: Plan) -> tuple[tuple[Envelope, ...], tuple[Chunk, ...]]:
    """Read the envelopes and pieces of attachments that a plan names.

    What rotted on the disk without SQLite seeing it is not sent: the frame's signature would make
    it good, and the centre would acknowledge what no one can open.
    """
    envelopes = [found for seq in plan.seqs if (found := _sound(db, seq)) is not None]
    return tuple(envelopes), tuple(_chunk(db, piece) for piece in plan.pieces)


def _sound(db: Tables, seq: int) -> Envelope | None:
    raw, confirmed = db.conn.execute(
        "SELECT envelope, hash FROM outbox JOIN receipt USING (seq) WHERE seq = ?", (seq,)
    ).fetchone()
    if bytes_hash(raw) == confirmed:
        return decode_envelope(raw)
    # A person must look; the shadow copy, the slip or a stick may still have it whole.
    db.conn.execute("UPDATE outbox SET state = 'refused' WHERE seq = ?", (seq,))
    return None


def _chunk(db: Tables, piece: Piece) -> Chunk:
    attachment = piece.attachment
    return Chunk(
        seq=attachment.seq,
        index=attachment.place,
        total=attachment.size_bytes,
        digest=attachment.digest,
        offset=attachment.received_bytes,
        data=piece_of(db, attachment, attachment.received_bytes, piece.size_bytes),
    )


def piece_of(db: Tables, attachment: PendingAttachment, offset: int, size_bytes: int) -> bytes:
    """Read that many bytes of a sealed attachment; fewer at its end, none when it is gone."""
    row = db.conn.execute(
        "SELECT substr(sealed, ?, ?) FROM attachment WHERE seq = ? AND place = ?",
        (offset + 1, size_bytes, attachment.seq, attachment.place),
    ).fetchone()
    return bytes(row[0]) if row is not None else b""


def hash_at(db: Tables, seq: int) -> bytes | None:
    """Answer the hash of our own envelope of that number, kept as long as its receipt."""
    row = db.conn.execute("SELECT hash FROM receipt WHERE seq = ?", (seq,)).fetchone()
    if row is None:
        row = db.conn.execute(
            "SELECT head_hash FROM standing WHERE head_seq = ?", (seq,)
        ).fetchone()
    return bytes(row[0]) if row is not None else None


def has_pending_beyond(db: Tables, seqs: Sequence[int]) -> bool:
    """Answer whether envelopes wait that are not among these."""
    # As few as decide: a hundred thousand may wait, and each exchange asks.
    (count,) = db.conn.execute(
        "SELECT count(*) FROM (SELECT 1 FROM outbox WHERE state = 'pending' LIMIT ?)",
        (len(seqs) + 1,),
    ).fetchone()
    return int(count) > len(seqs)


def has_pending(db: Tables) -> bool:
    """Answer whether an envelope or an attachment waits."""
    (is_any,) = db.conn.execute(
        "SELECT EXISTS (SELECT 1 FROM outbox WHERE state = 'pending')"
        " OR EXISTS (SELECT 1 FROM attachment WHERE state = 'pending')"
    ).fetchone()
    return bool(is_any)


def take_in(
    db: Tables,
    changes: Changes,
    *,
    notices: Sequence[Notice],
    unreadable: int,
    cursor: int,
    certificate: bytes,
    batch_bytes: int,
) -> int:
    """Write what a verified reply changes; answer how many envelopes it settled.

    Args:
        db: The store, inside `immediate`.
        changes: From `exchange.apply`, not ignored.
        notices: Opened, in rising order.
        unreadable: How many could not be opened; they are counted and passed over.
        cursor: Number of the reply's last notice; 0 when it brought none.
        certificate: The newest, as bytes.
        batch_bytes: Bound of the next request.
    """
    if changes.requeue_from:
        _requeue(db, changes)
    settled = _settle(db, 1, changes.settle_upto, changes.centre_ms)
    for seq in changes.settled:
        settled += _settle(db, seq, seq, changes.centre_ms)
    for seq in changes.refused:
        db.conn.execute(
            "UPDATE outbox SET state = 'refused' WHERE seq = ? AND state = 'pending'", (seq,)
        )
    for mark in changes.chunk_marks:
        _mark_attachment(db, mark, changes.centre_ms)
    if changes.is_cursor_reset:
        db.conn.execute("UPDATE standing SET cursor = 0")
    for notice in notices:
        _store_notice(db, changes.epoch, notice)
    db.conn.execute(
        "UPDATE standing SET epoch = ?, mark_seq = ?, refilled_mark = ?, refilled_ms = ?,"
        " centre_ms = ?, clock_skew_ms = ?, cursor = max(cursor, ?), certificate = ?,"
        " batch_bytes = ?, notices_unreadable = notices_unreadable + ?",
        (
            changes.epoch,
            changes.mark_seq,
            changes.refilled_mark,
            changes.refilled_ms,
            changes.centre_ms,
            changes.clock_skew_ms,
            cursor,
            certificate,
            batch_bytes,
            unreadable,
        ),
    )
    return settled


def _requeue(db: Tables, changes: Changes) -> None:
    which = (changes.requeue_from, changes.is_new_epoch)
    db.conn.execute(
        "UPDATE receipt SET is_delivered = 0 WHERE seq IN (SELECT seq FROM outbox"
        " WHERE seq >= ? AND (state = 'settled' OR (? AND state = 'refused')))",
        which,
    )
    db.conn.execute(
        "UPDATE outbox SET state = 'pending', settled_ms = NULL"
        " WHERE seq >= ? AND (state = 'settled' OR (? AND state = 'refused'))",
        which,
    )
    # Attachments of older envelopes may be gone too: asking costs 40 bytes each.
    db.conn.execute(
        "UPDATE attachment SET state = 'pending', settled_ms = NULL, received_bytes = size_bytes"
        " WHERE seq >= ? OR ?",
        which,
    )


def _settle(db: Tables, first: int, last: int, centre_ms: int) -> int:
    which = (first, last)
    db.conn.execute(
        "UPDATE receipt SET is_delivered = 1 WHERE seq IN (SELECT seq FROM outbox"
        " WHERE seq BETWEEN ? AND ? AND state IN ('pending', 'refused'))",
        which,
    )
    return db.conn.execute(
        "UPDATE outbox SET state = 'settled', settled_ms = ?"
        " WHERE seq BETWEEN ? AND ? AND state IN ('pending', 'refused')",
        (centre_ms, *which),
    ).rowcount


def _mark_attachment(db: Tables, mark: ChunkMark, centre_ms: int) -> None:
    db.conn.execute(
        "UPDATE attachment SET received_bytes = min(?1, size_bytes),"
        " state = CASE WHEN ?1 >= size_bytes THEN 'settled' ELSE 'pending' END,"
        " settled_ms = CASE WHEN ?1 >= size_bytes THEN ?2 END"
        " WHERE seq = ?3 AND place = ?4 AND state = 'pending'",
        (mark.received_bytes, centre_ms, mark.seq, mark.index),
    )


def _store_notice(db: Tables, epoch: int, notice: Notice) -> None:
    db.conn.execute(
        "INSERT OR IGNORE INTO notice (epoch, number, case_no, at_ms, digest, raw)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            epoch,
            notice.number,
            notice.case_no,
            notice.at_ms,
            notice_digest(notice),
            encode_notice(notice),
        ),
    )


def count_boot(db: Tables) -> int:
    """Count one start of this kiosk; answer which it is."""
    db.conn.execute("UPDATE standing SET boots = boots + 1")
    return standing_of(db).boots
