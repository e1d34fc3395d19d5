"""Attachments at the centre: sealed pieces in order of their bytes, whole once the digest fits."""

import hashlib
import sqlite3
from collections.abc import Sequence

from server import ingest
from server.store import fleet, reviews
from server.store.fleet import KioskIdentityRow
from sync import frames, limits


def take_chunks(
    conn: sqlite3.Connection,
    kiosk: KioskIdentityRow,
    chunks: Sequence[frames.Chunk],
    *,
    head: tuple[int, bytes],
    now_ms: int,
) -> tuple[frames.ChunkMark, ...]:
    """Store pieces of attachments; answer how far each named attachment has come.

    Kept is only what a held envelope may have: a place and a size of the protocol, one content
    for each envelope of that number, of a revoked kiosk only for what a review let in. Of the
    rest the answer is 0, so that an honest kiosk begins again once its envelope is here.

    Args:
        conn: Connection; the same frame's envelopes are stored already.
        kiosk: Who sent them.
        chunks: The pieces.
        head: Number and hash of the sender's newest envelope: after a fork, they tell whose
            attachment it is.
        now_ms: Centre's clock.
    """
    marks: dict[tuple[int, int], int] = {}
    for chunk in chunks:
        marks[chunk.seq, chunk.index] = _take_chunk(conn, kiosk, chunk, head, now_ms)
    return tuple(
        frames.ChunkMark(seq=seq, index=index, received_bytes=received)
        for (seq, index), received in marks.items()
    )


def take_piece(
    conn: sqlite3.Connection,
    kiosk_id: bytes,
    chunk: frames.Chunk,
    *,
    head: tuple[int, bytes],
    now_ms: int,
) -> int:
    """Store one piece of an upload, as `take_chunks` does; answer how far the attachment is."""
    kiosk = fleet.identity(conn, kiosk_id)
    return 0 if kiosk is None else _take_chunk(conn, kiosk, chunk, head, now_ms)


def _take_chunk(
    conn: sqlite3.Connection,
    kiosk: KioskIdentityRow,
    chunk: frames.Chunk,
    head: tuple[int, bytes],
    now_ms: int,
) -> int:
    place = (kiosk.kiosk_id, chunk.seq, chunk.index, chunk.digest)
    row = conn.execute(
        "SELECT total, received FROM attachments "
        "WHERE kiosk_id = ? AND seq = ? AND idx = ? AND digest = ?",
        place,
    ).fetchone()
    total, received = (chunk.total, 0) if row is None else (row[0], row[1])
    if total != chunk.total:
        return int(received)
    if kiosk.state == "revoked" and not reviews.has_accepted(conn, kiosk.kiosk_id, chunk.seq):
        return int(received)
    start, end = ingest.chunk_step(
        received=received, total=total, offset=chunk.offset, size=len(chunk.data)
    )
    if start == end:
        return int(received)
    if row is None:
        envelopes = _envelopes_of(conn, kiosk.kiosk_id, chunk)
        if not envelopes:
            return 0
        owner = envelopes[0] if len(envelopes) == 1 else _owner(conn, place, head)
        conn.execute(
            "INSERT INTO attachments (kiosk_id, seq, idx, digest, total, envelope_id) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (*place, total, owner),
        )
    conn.execute(
        "INSERT INTO chunks (kiosk_id, seq, idx, digest, start, data) VALUES (?, ?, ?, ?, ?, ?)",
        (*place, received, chunk.data[start:end]),
    )
    received += end - start
    if received == total and not _assemble(conn, place, now_ms):
        return 0
    conn.execute(
        "UPDATE attachments SET received = ? "
        "WHERE kiosk_id = ? AND seq = ? AND idx = ? AND digest = ?",
        (received, *place),
    )
    return int(received)


def _envelopes_of(conn: sqlite3.Connection, kiosk_id: bytes, chunk: frames.Chunk) -> list[int]:
    """Answer the envelopes that a new attachment may belong to; none when it must not begin."""
    is_bounded = (
        chunk.index < limits.ATTACHMENTS_MAX and chunk.total <= limits.SEALED_ATTACHMENT_BYTES_MAX
    )
    if not is_bounded:
        return []
    rows = conn.execute(
        "SELECT id FROM envelopes WHERE kiosk_id = ? AND seq = ?", (kiosk_id, chunk.seq)
    )
    found = [int(row[0]) for row in rows]
    (held,) = conn.execute(
        "SELECT count(*) FROM attachments WHERE kiosk_id = ? AND seq = ? AND idx = ?",
        (kiosk_id, chunk.seq, chunk.index),
    ).fetchone()
    return found if held < len(found) else []


def _owner(
    conn: sqlite3.Connection, place: tuple[bytes, int, int, bytes], head: tuple[int, bytes]
) -> int | None:
    """Walk the sender's own history back to the number that two envelopes share."""
    kiosk_id, seq = place[:2]
    if head[0] - seq > limits.OWNER_WALK_MAX:
        return None
    row = conn.execute(
        "WITH RECURSIVE back (seq, hash) AS (VALUES (?2, ?3) UNION ALL "
        "SELECT e.seq - 1, e.prev FROM back b JOIN envelopes e "
        "ON e.kiosk_id = ?1 AND e.seq = b.seq AND e.hash = b.hash WHERE b.seq > ?4) "
        "SELECT e.id FROM back b JOIN envelopes e "
        "ON e.kiosk_id = ?1 AND e.seq = b.seq AND e.hash = b.hash WHERE b.seq = ?4",
        (kiosk_id, *head, seq),
    ).fetchone()
    return None if row is None else int(row[0])


def _assemble(conn: sqlite3.Connection, place: tuple[bytes, int, int, bytes], now_ms: int) -> bool:
    """Put the pieces together; a wrong digest throws them away, so that the kiosk sends again."""
    rows = conn.execute(
        "SELECT data FROM chunks WHERE kiosk_id = ? AND seq = ? AND idx = ? AND digest = ? "
        "ORDER BY start",
        place,
    )
    sealed = b"".join(bytes(row[0]) for row in rows)
    conn.execute(
        "DELETE FROM chunks WHERE kiosk_id = ? AND seq = ? AND idx = ? AND digest = ?", place
    )
    if hashlib.sha256(sealed).digest()[: frames.DIGEST_BYTES] != place[3]:
        conn.execute(
            "DELETE FROM attachments WHERE kiosk_id = ? AND seq = ? AND idx = ? AND digest = ?",
            place,
        )
        return False
    conn.execute(
        "UPDATE attachments SET sealed = ?, completed_ms = ? "
        "WHERE kiosk_id = ? AND seq = ? AND idx = ? AND digest = ?",
        (sealed, now_ms, *place),
    )
    return True


def sealed_attachments(
    conn: sqlite3.Connection, kiosk_id: bytes, seq: int, index: int
) -> list[bytes]:
    """Answer the complete attachments of one place, sealed; a forked kiosk may have sent several.

    Only opening tells which of them belongs to which envelope of that number.
    """
    rows = conn.execute(
        "SELECT sealed FROM attachments WHERE kiosk_id = ? AND seq = ? AND idx = ? "
        "AND completed_ms IS NOT NULL ORDER BY completed_ms",
        (kiosk_id, seq, index),
    )
    return [bytes(row[0]) for row in rows]
