"""The inbox: sealed envelopes as they come, and the chain of each kiosk."""

import sqlite3
from collections.abc import Sequence
from functools import cache
from itertools import chain

import msgspec

from server import ingest
from server.store import fleet
from server.store.fleet import KioskIdentityRow
from server.store.rows import Row, StoredEnvelope, read
from sync.limits import FRAME_ENVELOPES_MAX
from sync.records import Envelope
from sync.runs import written
from sync.wire import FIRST_PREV

_ROWS_MAX = 128  # in one statement; 644 bound values, of 32,766 that SQLite takes
_LINKS_AT_ONCE = FRAME_ENVELOPES_MAX  # read ahead when a gap closes


_Fresh = tuple[int, bytes, bytes, int, bytes]
"""A new envelope: seq, hash, prev, catalogue, bytes."""


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

    Any order, any repetition: the same envelopes leave the same rows. The whole request is one
    question to the database and few statements, since the store's one writer is what bounds how
    many kiosks a centre serves.

    Args:
        conn: Connection.
        kiosk: As it is now, inside this transaction.
        envelopes: At most `FRAME_ENVELOPES_MAX`, of this kiosk.
        carrier: What brought them.
        now_ms: Centre's clock.
    """
    verdicts, doubled, fresh = _judged(conn, kiosk, envelopes)
    if not fresh:
        return _taken(verdicts, _chain(kiosk), 0)
    is_quarantined = kiosk.state == "revoked"
    _insert(
        conn,
        fresh,
        (kiosk.kiosk_id, now_ms, carrier, "quarantined" if is_quarantined else "waiting"),
    )
    if is_quarantined:
        conn.executemany(
            "INSERT INTO dead_letters (envelope_id, reason, tries, first_ms, last_ms) "
            "SELECT id, 'quarantined', 0, ?1, ?1 FROM envelopes "
            "WHERE kiosk_id = ?2 AND seq = ?3 AND hash = ?4",
            [(now_ms, kiosk.kiosk_id, seq, hashed) for seq, hashed, *_ in fresh],
        )
    return _taken(verdicts, _advance(conn, kiosk, fresh, doubled), len(fresh))


def _judged(
    conn: sqlite3.Connection, kiosk: KioskIdentityRow, envelopes: Sequence[Envelope]
) -> tuple[list[ingest.Verdict], list[int], list[_Fresh]]:
    """Answer a verdict for each, the numbers that now have two, and what is new."""
    letters = written(envelopes)
    numbers = {item.header.seq for item in envelopes}
    held = _held(conn, kiosk.kiosk_id, sorted(numbers))
    if not held and len(numbers) == len(envelopes):
        # The usual case, all of it new: what follows comes to the same, in twice the time.
        word = ingest.verdict(is_known=False, kiosk_state=kiosk.state)
        return [word] * len(envelopes), [], list(map(_fresh, envelopes, letters))
    numbers = {seq for seq, _ in held}
    verdicts: list[ingest.Verdict] = []
    doubled: list[int] = []
    fresh: list[_Fresh] = []
    for envelope, (raw, hashed) in zip(envelopes, letters, strict=True):
        seq = envelope.header.seq
        word = ingest.verdict(is_known=(seq, hashed) in held, kiosk_state=kiosk.state)
        verdicts.append(word)
        if word == "duplicate":
            continue
        if seq in numbers:
            doubled.append(seq)
        held.add((seq, hashed))
        numbers.add(seq)
        fresh.append(_fresh(envelope, (raw, hashed)))
    return verdicts, doubled, fresh


def _fresh(envelope: Envelope, letter: tuple[bytes, bytes]) -> _Fresh:
    header, (raw, hashed) = envelope.header, letter
    return header.seq, hashed, header.prev, header.catalogue, raw


def _taken(verdicts: Sequence[ingest.Verdict], chain: ingest.Chain, stored: int) -> Taken:
    return Taken(
        verdicts=tuple(verdicts),
        chain=chain,
        is_forked=chain.fork_seq is not None,
        stored=stored,
    )


def _held(
    conn: sqlite3.Connection, kiosk_id: bytes, numbers: Sequence[int]
) -> set[tuple[int, bytes]]:
    """Answer number and hash of what is here under some numbers (rising); one query a span."""
    held: set[tuple[int, bytes]] = set()
    begin = 0
    for end in range(1, len(numbers) + 1):
        if end < len(numbers) and numbers[end] == numbers[end - 1] + 1:
            continue
        rows = conn.execute(
            "SELECT seq, hash FROM envelopes WHERE kiosk_id = ? AND seq BETWEEN ? AND ?",
            (kiosk_id, numbers[begin], numbers[end - 1]),
        )
        held.update((seq, hashed) for seq, hashed in rows)
        begin = end
    return held


@cache
def _insertion(count: int) -> str:
    rows = (
        f"(?1, ?{at}, ?{at + 1}, ?{at + 2}, ?{at + 3}, ?2, ?3, ?4, ?{at + 4})"
        for at in range(5, 5 + 5 * count, 5)
    )
    return (
        "INSERT INTO envelopes (kiosk_id, seq, hash, prev, catalogue, received_ms, carrier, fate, "  # noqa: S608 -- numbered places only
        f"raw) VALUES {', '.join(rows)}"
    )


def _insert(
    conn: sqlite3.Connection, fresh: Sequence[_Fresh], common: tuple[bytes, int, str, str]
) -> None:
    """Insert many rows by few statements: each call into SQLite lets go of Python's lock.

    Powers of two, so that all sizes together make eight statements, compiled once.
    """
    at = 0
    while at < len(fresh):
        count = min(_ROWS_MAX, 1 << (len(fresh) - at).bit_length() - 1)
        values = chain.from_iterable(fresh[at : at + count])
        conn.execute(_insertion(count), (*common, *values))
        at += count


def _chain(kiosk: KioskIdentityRow) -> ingest.Chain:
    return ingest.Chain(seq=kiosk.mark_seq, hash=kiosk.mark_hash, fork_seq=kiosk.fork_seq)


def _advance(
    conn: sqlite3.Connection,
    kiosk: KioskIdentityRow,
    fresh: Sequence[_Fresh],
    doubled: Sequence[int],
) -> ingest.Chain:
    # What has just come need not be asked for; of a number that two share nothing is asked.
    links = {seq: ingest.Links(hashed, prev) for seq, hashed, prev, *_ in fresh}

    def at(seq: int) -> ingest.Links | None:
        if seq not in links:
            rows = conn.execute(
                "SELECT seq, hash, prev FROM envelopes WHERE kiosk_id = ? AND seq BETWEEN ? AND ?",
                (kiosk.kiosk_id, seq, seq + _LINKS_AT_ONCE - 1),
            )
            links.update((number, ingest.Links(hashed, prev)) for number, hashed, prev in rows)
        return links.get(seq)

    end = ingest.forked_at(_chain(kiosk), doubled)
    if end.hash == b"":
        link = at(end.seq) if end.seq else None
        end = msgspec.structs.replace(end, hash=link.hash if link else FIRST_PREV)
    end = ingest.walked(end, at)
    conn.execute(
        "UPDATE kiosks SET mark_seq = ?, mark_hash = ?, fork_seq = ? WHERE kiosk_id = ?",
        (end.seq, end.hash, end.fork_seq, kiosk.kiosk_id),
    )
    if end.fork_seq is not None:
        fleet.mark_forked(conn, kiosk.kiosk_id)
    return end


_STORED = (
    "SELECT e.id, e.kiosk_id, k.kiosk_no, e.seq, e.catalogue, e.received_ms, e.raw "
    "FROM envelopes e JOIN kiosks k USING (kiosk_id) "
)


def top(conn: sqlite3.Connection, kiosk_id: bytes) -> int:
    """Answer the highest number that is held of a kiosk, 0 when none is."""
    row = conn.execute(
        "SELECT coalesce(max(seq), 0) FROM envelopes WHERE kiosk_id = ?", (kiosk_id,)
    ).fetchone()
    return int(row[0])


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
