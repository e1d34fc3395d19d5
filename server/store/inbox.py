"""The inbox: sealed envelopes as they come, and the chain of each kiosk."""

import sqlite3
from collections.abc import Sequence

import msgspec

from server import ingest
from server.store import fleet
from server.store.fleet import KioskIdentityRow
from server.store.rows import Row, StoredEnvelope, read
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
