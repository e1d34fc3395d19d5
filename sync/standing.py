"""What an exchange reads from the kiosk's store and writes into it: the agent's SQL.

Functions take the open store and never commit; the caller is inside `database.immediate`.
"""

from collections.abc import Sequence

import msgspec
from sqlite_utils import Database as Tables

from sync.exchange import Changes, PendingAttachment, Piece, Plan, Standing, View
from sync.frames import Chunk, ChunkMark
from sync.limits import CHUNKS_MAX, PENDING_SEEN_MAX
from sync.notices import encode_notice, notice_digest
from sync.records import Envelope, Notice
from sync.wire import decode_envelope

_STANDING = ", ".join(Standing.__struct_fields__)


def standing_of(db: Tables) -> Standing:
    """Answer where this kiosk stands with its centre."""
    row = db.conn.execute(f"SELECT {_STANDING} FROM standing").fetchone()  # noqa: S608
    return msgspec.convert(dict(zip(Standing.__struct_fields__, row, strict=True)), Standing)


def begin_request(db: Tables, bytes_max: int) -> View:
    """Count one request and answer what may go into it.

    The count is on disk before the request is sent: a centre takes a repeated count for a clone.
    """
    db.conn.execute("UPDATE standing SET counter = counter + 1")
    return view_of(db, bytes_max)


def view_of(db: Tables, bytes_max: int) -> View:
    """Answer what a plan is made from: oldest and newest waiting envelopes, small attachments."""
    half = PENDING_SEEN_MAX // 2
    oldest = db.conn.execute(
        "SELECT seq, length(envelope) FROM outbox WHERE state = 'pending' ORDER BY seq LIMIT ?",
        (half,),
    ).fetchall()
    newest = db.conn.execute(
        "SELECT seq, length(envelope) FROM outbox WHERE state = 'pending'"
        " ORDER BY seq DESC LIMIT ?",
        (half,),
    ).fetchall()
    fields = PendingAttachment.__struct_fields__
    rows = db.conn.execute(
        f"SELECT {', '.join(fields)} FROM attachment WHERE state = 'pending'"  # noqa: S608
        " ORDER BY size_bytes, seq, place LIMIT ?",
        (CHUNKS_MAX,),
    )
    attachments = (
        msgspec.convert(dict(zip(fields, row, strict=True)), PendingAttachment) for row in rows
    )
    return View(
        standing=standing_of(db),
        pending=tuple(sorted({*oldest, *newest})),
        attachments=tuple(attachments),
        bytes_max=bytes_max,
    )


def carried(db: Tables, plan: Plan) -> tuple[tuple[Envelope, ...], tuple[Chunk, ...]]:
    """Read the envelopes and pieces of attachments that a plan names."""
    envelopes = []
    for seq in plan.seqs:
        row = db.conn.execute("SELECT envelope FROM outbox WHERE seq = ?", (seq,)).fetchone()
        envelopes.append(decode_envelope(row[0]))
    return tuple(envelopes), tuple(_chunk(db, piece) for piece in plan.pieces)


def _chunk(db: Tables, piece: Piece) -> Chunk:
    attachment = piece.attachment
    row = db.conn.execute(
        "SELECT substr(sealed, ?, ?) FROM attachment WHERE seq = ? AND place = ?",
        (attachment.received_bytes + 1, piece.size_bytes, attachment.seq, attachment.place),
    ).fetchone()
    return Chunk(
        seq=attachment.seq,
        index=attachment.place,
        total=attachment.size_bytes,
        digest=attachment.digest,
        offset=attachment.received_bytes,
        data=row[0],
    )


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
    (count,) = db.conn.execute("SELECT count(*) FROM outbox WHERE state = 'pending'").fetchone()
    return int(count) > len(seqs)


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
        " WHERE seq BETWEEN ? AND ? AND state != 'settled')",
        which,
    )
    return db.conn.execute(
        "UPDATE outbox SET state = 'settled', settled_ms = ?"
        " WHERE seq BETWEEN ? AND ? AND state != 'settled'",
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
