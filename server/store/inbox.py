"""The inbox: sealed envelopes and attachments as they come, and the chain of each kiosk."""

import hashlib
import sqlite3
from collections.abc import Sequence

import msgspec

from server import ingest
from server.store import fleet
from server.store.fleet import KioskIdentityRow
from server.store.rows import Row, StoredEnvelope, read
from sync import frames, limits
from sync.records import Envelope
from sync.wire import FIRST_PREV, bytes_hash, envelope_bytes


class Taken(Row, frozen=True):
    """What became of one request's envelopes."""

    verdicts: tuple[ingest.Verdict, ...]
    chain: ingest.Chain
    is_forked: bool
    #: How many are new.
    stored: int


def take_envelopes(
    conn: sqlite3.Connection,
    kiosk: KioskIdentityRow,
    envelopes: Sequence[Envelope],
    *,
    carrier: ingest.Carrier,
    now_ms: int,
) -> Taken:
    """Store envelopes of a kiosk whose signature was checked; answer verdicts and chain.

    Any order, any repetition: the same envelopes leave the same rows.
    """
    verdicts: list[ingest.Verdict] = []
    doubled: list[int] = []
    for envelope in envelopes:
        header = envelope.header
        raw = envelope_bytes(envelope)
        hashed = bytes_hash(raw)
        rivals = [
            bytes(row[0])
            for row in conn.execute(
                "SELECT hash FROM envelopes WHERE kiosk_id = ? AND seq = ?",
                (kiosk.kiosk_id, header.seq),
            )
        ]
        word = ingest.verdict(is_known=hashed in rivals, kiosk_state=kiosk.state)
        verdicts.append(word)
        if word == "duplicate":
            continue
        if rivals:
            doubled.append(header.seq)
        cursor = conn.execute(
            "INSERT INTO envelopes (kiosk_id, seq, hash, prev, catalogue, received_ms, carrier, "
            "fate, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                kiosk.kiosk_id,
                header.seq,
                hashed,
                header.prev,
                header.catalogue,
                now_ms,
                carrier,
                "quarantined" if word == "quarantined" else "waiting",
                raw,
            ),
        )
        if word == "quarantined":
            conn.execute(
                "INSERT INTO dead_letters (envelope_id, reason, tries, first_ms, last_ms) "
                "VALUES (?, 'quarantined', 0, ?, ?)",
                (cursor.lastrowid, now_ms, now_ms),
            )
    stored = sum(word != "duplicate" for word in verdicts)
    chain = _advance(conn, kiosk, doubled) if stored else _chain(kiosk)
    return Taken(
        verdicts=tuple(verdicts),
        chain=chain,
        is_forked=chain.fork_seq is not None,
        stored=stored,
    )


def _chain(kiosk: KioskIdentityRow) -> ingest.Chain:
    return ingest.Chain(seq=kiosk.mark_seq, hash=kiosk.mark_hash, fork_seq=kiosk.fork_seq)


def _advance(
    conn: sqlite3.Connection, kiosk: KioskIdentityRow, doubled: Sequence[int]
) -> ingest.Chain:
    def at(seq: int) -> ingest.Links | None:
        row = conn.execute(
            "SELECT hash, prev FROM envelopes WHERE kiosk_id = ? AND seq = ?",
            (kiosk.kiosk_id, seq),
        ).fetchone()
        return None if row is None else ingest.Links(hash=bytes(row[0]), prev=bytes(row[1]))

    chain = ingest.forked_at(_chain(kiosk), doubled)
    if chain.hash == b"":
        link = at(chain.seq) if chain.seq else None
        chain = msgspec.structs.replace(chain, hash=link.hash if link else FIRST_PREV)
    chain = ingest.walked(chain, at)
    conn.execute(
        "UPDATE kiosks SET mark_seq = ?, mark_hash = ?, fork_seq = ? WHERE kiosk_id = ?",
        (chain.seq, chain.hash, chain.fork_seq, kiosk.kiosk_id),
    )
    if chain.fork_seq is not None:
        fleet.mark_forked(conn, kiosk.kiosk_id)
    return chain


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
    for each envelope of that number, nothing of a revoked kiosk. Of the rest the answer is 0,
    so that an honest kiosk begins again once its envelope is here.

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
    if total != chunk.total or kiosk.state == "revoked":
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


_STORED = (
    "SELECT e.id, e.kiosk_id, k.kiosk_no, e.seq, e.catalogue, e.received_ms, e.raw "
    "FROM envelopes e JOIN kiosks k USING (kiosk_id) "
)


def waiting(conn: sqlite3.Connection, limit: int) -> list[StoredEnvelope]:
    """Answer envelopes that the pipeline has not looked at, in order of arrival."""
    rows = conn.execute(f"{_STORED} WHERE e.fate = 'waiting' ORDER BY e.id LIMIT ?", (limit,))
    return [read(StoredEnvelope, row) for row in rows]


def by_ids(conn: sqlite3.Connection, ids: Sequence[int]) -> list[StoredEnvelope]:
    """Answer envelopes by id, in order of id; unknown ids are left out."""
    marks = ", ".join("?" * len(ids))
    rows = conn.execute(f"{_STORED} WHERE e.id IN ({marks}) ORDER BY e.id", tuple(ids))
    return [read(StoredEnvelope, row) for row in rows]


def of_case(conn: sqlite3.Connection, case_no: str) -> list[StoredEnvelope]:
    """Answer a case's envelope and its corrections, oldest first; empty when unknown."""
    rows = conn.execute(
        f"{_STORED} WHERE e.id = (SELECT envelope_id FROM cases WHERE case_no = ?1) "  # noqa: S608 -- constants
        "OR e.id IN (SELECT envelope_id FROM corrections WHERE case_no = ?1) ORDER BY e.id",
        (case_no,),
    )
    return [read(StoredEnvelope, row) for row in rows]


def case_state(conn: sqlite3.Connection, kiosk_id: bytes, seq: int, hashed: bytes) -> str | None:
    """Answer the state of an envelope's case: "" before it has one, None when it never came."""
    row = conn.execute(
        "SELECT coalesce(c.state, '') FROM envelopes e LEFT JOIN cases c ON c.envelope_id = e.id "
        "WHERE e.kiosk_id = ? AND e.seq = ? AND e.hash = ?",
        (kiosk_id, seq, hashed),
    ).fetchone()
    return None if row is None else str(row[0])


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
