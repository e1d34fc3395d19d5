"""What the pipeline writes: a case, a correction, a rating, or a dead letter with its reason.

Each function runs inside one savepoint: an envelope's fate and all that follows from it are
stored together or not at all. Again with the same envelope changes nothing.
"""

import sqlite3
from typing import Literal

from server.catalogue.shelf import Published
from server.store import cases, notices
from server.store.rows import CaseRow, StoredEnvelope
from server.vault.protocol import Routed
from server.workdays import Deadline, add_working_days, civil_day
from sync import limits
from sync.forms import Service
from sync.ids import case_number
from sync.records import Notice

AWAITS_BLOBS = "blobs"
"""What a dead letter awaits whose catalogue version is known and not whole."""
Fate = Literal["case", "correction", "rating", "query", "duplicate", "dead"]


def is_waiting(conn: sqlite3.Connection, envelope_id: int) -> bool:
    """Answer whether the pipeline still has to decide on an envelope."""
    row = conn.execute("SELECT fate FROM envelopes WHERE id = ?", (envelope_id,)).fetchone()
    return row is not None and row[0] == "waiting"


def set_fate(conn: sqlite3.Connection, envelope_id: int, fate: Fate) -> None:
    """Write what became of an envelope; what it was buried for is settled then."""
    conn.execute("UPDATE envelopes SET fate = ? WHERE id = ?", (fate, envelope_id))
    if fate != "dead":
        conn.execute("DELETE FROM dead_letters WHERE envelope_id = ?", (envelope_id,))


def bury(
    conn: sqlite3.Connection,
    envelope_id: int,
    *,
    reason: str,
    detail_code: str,
    awaits: str,
    now_ms: int,
) -> None:
    """Make a dead letter with its reason; those behind it go on."""
    conn.execute(
        "INSERT INTO dead_letters (envelope_id, reason, detail_code, awaits, first_ms, last_ms) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?5) ON CONFLICT (envelope_id) DO UPDATE SET "
        "reason = ?2, detail_code = ?3, awaits = ?4, tries = tries + 1, last_ms = ?5",
        (envelope_id, reason, detail_code, awaits, now_ms),
    )
    set_fate(conn, envelope_id, "dead")


def release(conn: sqlite3.Connection, awaits: str) -> int:
    """Give the dead letters that waited for this to the pipeline again; answer how many."""
    return conn.execute(
        "UPDATE envelopes SET fate = 'waiting' WHERE fate = 'dead' AND id IN "
        "(SELECT envelope_id FROM dead_letters WHERE awaits = ?)",
        (awaits,),
    ).rowcount


def has_come(conn: sqlite3.Connection, awaits: str) -> bool:
    """Answer whether the case that an envelope awaits is here by now."""
    kind, _, case_no = awaits.partition(":")
    return kind == "case" and cases.get(conn, case_no) is not None


def has_published(conn: sqlite3.Connection) -> bool:
    """Answer whether `release_published` has anything to do."""
    row = conn.execute(
        "SELECT 1 FROM dead_letters d JOIN catalogues c ON d.awaits = 'catalogue:' || c.version "
        "JOIN envelopes e ON e.id = d.envelope_id WHERE e.fate = 'dead' LIMIT 1"
    ).fetchone()
    return row is not None


def release_published(conn: sqlite3.Connection) -> int:
    """Release the dead letters whose catalogue version was published meanwhile."""
    return conn.execute(
        "UPDATE envelopes SET fate = 'waiting' WHERE fate = 'dead' AND id IN "
        "(SELECT d.envelope_id FROM dead_letters d JOIN catalogues c "
        "ON d.awaits = 'catalogue:' || c.version)"
    ).rowcount


def remember(conn: sqlite3.Connection, transaction_id: bytes, envelope_id: int) -> bool:
    """Keep a transaction's id for ever; answer False when another envelope brought it before."""
    conn.execute(
        "INSERT OR IGNORE INTO transactions (id, envelope_id) VALUES (?, ?)",
        (transaction_id, envelope_id),
    )
    row = conn.execute(
        "SELECT envelope_id FROM transactions WHERE id = ?", (transaction_id,)
    ).fetchone()
    return bool(row[0] == envelope_id)


def free_case_number(conn: sqlite3.Connection, kiosk_no: int, seq: int) -> str:
    """Answer the number on the slip; with "-2", "-3" … when a forked kiosk gave it before.

    Two residents then hold slips with one number. Both cases live on; the desk sees the suffix.
    """
    number = case_number(kiosk_no, seq)
    taken = {
        str(row[0])
        for row in conn.execute(
            "SELECT case_no FROM cases WHERE case_no = ?1 OR substr(case_no, 1, 13) = ?1 || '-'",
            (number,),
        )
    }
    if number not in taken:
        return number
    place = 2
    while f"{number}-{place}" in taken:
        place += 1
    return f"{number}-{place}"


def open_case(
    conn: sqlite3.Connection,
    envelope: StoredEnvelope,
    routed: Routed,
    service: Service,
    now_ms: int,
) -> CaseRow | None:
    """Make a case of a new matter, with its deadline, its events and the resident's notice."""
    case_no = free_case_number(conn, envelope.kiosk_no, envelope.seq)
    deadline = add_working_days(civil_day(envelope.received_ms), service.promised_working_days)
    state = "completed" if service.instant else "received"
    conn.execute(
        "INSERT INTO cases (case_no, envelope_id, kiosk_id, service, department, village_code, "
        "language, state, received_ms, claimed_ms, due_on, due_is_about, updated_ms, "
        "attachments_expected, problems) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            case_no,
            envelope.id,
            envelope.kiosk_id,
            service.id,
            service.department,
            routed.village_code or _village_of(conn, envelope.kiosk_id),
            routed.language,
            state,
            envelope.received_ms,
            routed.claimed_ms,
            deadline.day.isoformat(),
            deadline.is_provisional,
            now_ms,
            routed.attachments_expected,
            len(routed.problems),
        ),
    )
    _tag(conn, case_no, routed)
    detail = " ".join(f"{question}:{code}" for question, code in routed.problems)
    cases.add_event(conn, case_no, at_ms=now_ms, actor="centre", action="received", detail=detail)
    case = cases.get(conn, case_no)
    if case is not None:
        kind = "completed" if service.instant else "received"
        notices.write_for_case(conn, case, kind, now_ms)
    set_fate(conn, envelope.id, "case")
    # Ratings and corrections may have come over a shorter way than their case.
    release(conn, f"case:{case_no}")
    return case


def _village_of(conn: sqlite3.Connection, kiosk_id: bytes) -> str:
    row = conn.execute("SELECT village_code FROM kiosks WHERE kiosk_id = ?", (kiosk_id,))
    return str(row.fetchone()[0])


def _tag(conn: sqlite3.Connection, case_no: str, routed: Routed) -> None:
    conn.executemany(
        "INSERT OR IGNORE INTO case_tags (tag, case_no) VALUES (?, ?)",
        [(tag, case_no) for tag in routed.index_tags],
    )


def attach_correction(
    conn: sqlite3.Connection,
    envelope: StoredEnvelope,
    routed: Routed,
    case: CaseRow,
    now_ms: int,
) -> None:
    """Lay a correction to its case; the clock goes on when the case waited for it.

    What comes for a case that waits for nothing, or is closed, is attached all the same: the
    clerk sees it as a step of the case.
    """
    conn.execute(
        "INSERT OR IGNORE INTO corrections (envelope_id, case_no, at_ms) VALUES (?, ?, ?)",
        (envelope.id, case.case_no, now_ms),
    )
    if case.state == "correction":
        cases.resume(conn, case.case_no, civil_day(now_ms))
    conn.execute(
        "UPDATE cases SET state = CASE state WHEN 'correction' THEN 'accepted' ELSE state END, "
        "problems = ?, attachments_expected = attachments_expected + ?, updated_ms = ? "
        "WHERE case_no = ?",
        (len(routed.problems), routed.attachments_expected, now_ms, case.case_no),
    )
    _tag(conn, case.case_no, routed)
    cases.add_event(
        conn,
        case.case_no,
        at_ms=now_ms,
        actor="resident",
        action="corrected" if case.state == "correction" else "added",
        detail=" ".join(f"{question}:{code}" for question, code in routed.problems),
    )
    changed = cases.get(conn, case.case_no)
    if changed is not None and case.state == "correction":
        notices.write_for_case(conn, changed, "accepted", now_ms)
    answer_own_number(conn, envelope, "received", routed.service, now_ms)
    set_fate(conn, envelope.id, "correction")


def add_rating(
    conn: sqlite3.Connection,
    envelope: StoredEnvelope,
    routed: Routed,
    case: CaseRow,
    level: int,
    now_ms: int,
) -> None:
    """Keep a rating; the first one of a case counts, a bad one opens a follow-up."""
    conn.execute(
        "INSERT OR IGNORE INTO ratings (envelope_id, case_no, level, at_ms) VALUES (?, ?, ?, ?)",
        (envelope.id, case.case_no, level, now_ms),
    )
    conn.execute(
        "UPDATE cases SET rating = coalesce(rating, ?), updated_ms = ? WHERE case_no = ?",
        (level, now_ms, case.case_no),
    )
    cases.add_event(
        conn,
        case.case_no,
        at_ms=now_ms,
        actor="resident",
        action="rated" if case.rating is None else "rated_again",
        detail=str(level),
    )
    if level <= 2:
        deadline = add_working_days(civil_day(now_ms), limits.FOLLOW_UP_WORKING_DAYS)
        _follow_up(conn, envelope.id, case.case_no, level, now_ms, deadline)
    changed = cases.get(conn, case.case_no)
    if changed is not None:
        notices.write_for_case(conn, changed, "rated", now_ms)
    answer_own_number(conn, envelope, "completed", routed.service, now_ms)
    set_fate(conn, envelope.id, "rating")


def _follow_up(
    conn: sqlite3.Connection,
    envelope_id: int,
    case_no: str,
    level: int,
    now_ms: int,
    deadline: Deadline,
) -> None:
    conn.execute(
        "INSERT OR IGNORE INTO follow_ups (envelope_id, case_no, level, created_ms, due_on, "
        "due_is_about) VALUES (?, ?, ?, ?, ?, ?)",
        (
            envelope_id,
            case_no,
            level,
            now_ms,
            deadline.day.isoformat(),
            deadline.is_provisional,
        ),
    )


def answer_query(
    conn: sqlite3.Connection, envelope: StoredEnvelope, routed: Routed, now_ms: int
) -> None:
    """Close a query that a kiosk sent although it answers queries itself."""
    answer_own_number(conn, envelope, "completed", routed.service, now_ms)
    set_fate(conn, envelope.id, "query")


def answer_own_number(
    conn: sqlite3.Connection, envelope: StoredEnvelope, kind: str, service: str, now_ms: int
) -> None:
    """Tell the kiosk that the number on this slip has done what it was for."""
    number = case_number(envelope.kiosk_no, envelope.seq)
    notice = Notice(number=0, case_no=number, kind=kind, service=service, at_ms=now_ms)
    notices.write(conn, envelope.kiosk_id, notice)


def service_of(published: Published | None, service_id: str) -> Service | None:
    """Answer the service of a version, None when either is missing."""
    return None if published is None else published.service(service_id)
