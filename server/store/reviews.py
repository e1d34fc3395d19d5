"""Envelopes of revoked kiosks: what waits for a person, and what that person decided.

An accepted one goes to the pipeline like any other. A refused one stays where it is, sealed,
and can still be accepted later: nothing is dropped.
"""

import sqlite3
from collections.abc import Sequence
from typing import Literal

from server.store.rows import Row, read

Verdict = Literal["", "accepted", "refused"]


class Quarantined(Row, frozen=True):
    """One envelope of a revoked kiosk; nothing of its content is known before it is accepted."""

    envelope_id: int
    seq: int
    received_ms: int
    size_bytes: int
    carrier: str
    #: It follows an envelope that is here: the kiosk's own chain leads to it.
    is_linked: bool
    #: Another envelope has the same number.
    is_doubled: bool
    #: "refused" after a review; "" before.
    verdict: Verdict
    reason: str
    actor: str
    at_ms: int


_QUARANTINED = """
SELECT e.id AS envelope_id, e.seq, e.received_ms, length(e.raw) AS size_bytes, e.carrier,
  (e.seq = 1 AND e.prev = zeroblob(8) OR EXISTS (SELECT 1 FROM envelopes p
    WHERE p.kiosk_id = e.kiosk_id AND p.seq = e.seq - 1 AND p.hash = e.prev)) AS is_linked,
  (SELECT count(*) FROM envelopes p WHERE p.kiosk_id = e.kiosk_id AND p.seq = e.seq) > 1
    AS is_doubled,
  coalesce(r.verdict, '') AS verdict, coalesce(r.reason, '') AS reason,
  coalesce(r.actor, '') AS actor, coalesce(r.at_ms, 0) AS at_ms
FROM envelopes e LEFT JOIN reviews r ON r.envelope_id = e.id
"""


def quarantined(
    conn: sqlite3.Connection, kiosk_id: bytes, *, limit: int, offset: int = 0
) -> list[Quarantined]:
    """Answer the envelopes put aside for one kiosk: undecided ones first, each by number."""
    rows = conn.execute(
        f"{_QUARANTINED} WHERE e.kiosk_id = ? AND e.fate = 'quarantined' "
        "ORDER BY r.verdict IS NOT NULL, e.seq, e.id LIMIT ? OFFSET ?",
        (kiosk_id, limit, offset),
    )
    return [read(Quarantined, row) for row in rows]


def count(conn: sqlite3.Connection, kiosk_id: bytes) -> int:
    """Answer how many of a kiosk's envelopes nobody has decided on."""
    row = conn.execute(
        "SELECT count(*) FROM envelopes e WHERE kiosk_id = ? AND fate = 'quarantined' "
        "AND NOT EXISTS (SELECT 1 FROM reviews r WHERE r.envelope_id = e.id)",
        (kiosk_id,),
    ).fetchone()
    return int(row[0])


def up_to(conn: sqlite3.Connection, kiosk_id: bytes, seq: int) -> list[int]:
    """Answer the undecided envelopes with numbers up to that one."""
    rows = conn.execute(
        "SELECT e.id FROM envelopes e WHERE kiosk_id = ? AND fate = 'quarantined' AND seq <= ? "
        "AND NOT EXISTS (SELECT 1 FROM reviews r WHERE r.envelope_id = e.id) ORDER BY e.id",
        (kiosk_id, seq),
    )
    return [int(row[0]) for row in rows]


def decide(
    conn: sqlite3.Connection,
    kiosk_id: bytes,
    envelope_ids: Sequence[int],
    verdict: Literal["accepted", "refused"],
    *,
    reason: str,
    actor: str,
    now_ms: int,
) -> int:
    """Write a decision; answer how many envelopes it met. Wake the pipeline afterwards.

    What is no envelope of that kiosk in quarantine (it was accepted meanwhile) is passed over.
    """
    done = 0
    for envelope_id in envelope_ids:
        is_here = conn.execute(
            "SELECT 1 FROM envelopes WHERE id = ? AND kiosk_id = ? AND fate = 'quarantined'",
            (envelope_id, kiosk_id),
        ).fetchone()
        if is_here is None:
            continue
        conn.execute(
            "INSERT OR REPLACE INTO reviews (envelope_id, verdict, reason, actor, at_ms) "
            "VALUES (?, ?, ?, ?, ?)",
            (envelope_id, verdict, reason, actor, now_ms),
        )
        if verdict == "accepted":
            conn.execute("UPDATE envelopes SET fate = 'waiting' WHERE id = ?", (envelope_id,))
        # It waits for nobody any more; what the pipeline makes of it is another matter.
        conn.execute("DELETE FROM dead_letters WHERE envelope_id = ?", (envelope_id,))
        done += 1
    return done


def has_accepted(conn: sqlite3.Connection, kiosk_id: bytes, seq: int) -> bool:
    """Answer whether a person accepted an envelope of that number after the revocation.

    Its photos are taken then. Not those of older envelopes: whoever holds the stolen device
    could put another photo into a case that nobody looks at again.
    """
    row = conn.execute(
        "SELECT 1 FROM envelopes e JOIN reviews r ON r.envelope_id = e.id "
        "WHERE e.kiosk_id = ? AND e.seq = ? AND r.verdict = 'accepted'",
        (kiosk_id, seq),
    ).fetchone()
    return row is not None
