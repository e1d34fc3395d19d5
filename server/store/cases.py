"""Cases, their events, ratings and dead letters. Functions take the connection, never commit."""

import datetime as dt
import sqlite3
from collections.abc import Collection, Sequence

from server import cases as rules
from server.errors import CaseUnknown, LetterUnknown
from server.store import notices
from server.store.rows import (
    CaseEvent,
    CaseRow,
    CaseState,
    DeadLetter,
    Decision,
    FollowUp,
    read,
)
from server.workdays import civil_day

_CASE = """
SELECT c.*, k.kiosk_no, k.name AS kiosk_name, e.catalogue AS catalogue,
  (SELECT count(DISTINCT a.seq * 16 + a.idx) FROM envelopes o JOIN attachments a
     ON a.kiosk_id = o.kiosk_id AND a.seq = o.seq AND a.envelope_id = o.id
       AND a.completed_ms IS NOT NULL
     WHERE o.id = c.envelope_id OR o.id IN
       (SELECT r.envelope_id FROM corrections r WHERE r.case_no = c.case_no)
  ) AS attachments_received
FROM cases c JOIN kiosks k USING (kiosk_id) JOIN envelopes e ON e.id = c.envelope_id
"""


def queue(
    conn: sqlite3.Connection,
    *,
    departments: frozenset[str] | None = None,
    villages: str = "",
    states: Collection[CaseState] = ("received", "accepted", "correction"),
    service: str = "",
    limit: int = 50,
    offset: int = 0,
) -> list[CaseRow]:
    """Answer cases by deadline, the most urgent first.

    Args:
        conn: Connection.
        departments: Only cases of one of these. A case of several departments ("A、B") belongs
            to each of them. None = all.
        villages: Only villages whose code begins so; "" = all.
        states: Only cases in one of these states.
        service: Only cases of this service; "" = all.
        limit: Rows at most.
        offset: Rows to skip.
    """
    where, values = selection(departments, villages, states, service)
    rows = conn.execute(
        f"{_CASE} WHERE {where} ORDER BY c.due_on, c.case_no LIMIT ? OFFSET ?",
        (*values, limit, offset),
    )
    return [read(CaseRow, row) for row in rows]


def count(
    conn: sqlite3.Connection,
    *,
    departments: frozenset[str] | None = None,
    villages: str = "",
    states: Collection[CaseState] = ("received", "accepted", "correction"),
    service: str = "",
) -> int:
    """Answer how many cases `queue` would walk."""
    where, values = selection(departments, villages, states, service)
    row = conn.execute(f"SELECT count(*) FROM cases c WHERE {where}", values).fetchone()  # noqa: S608 -- placeholders only
    return int(row[0])


def selection(
    departments: frozenset[str] | None,
    villages: str,
    states: Collection[CaseState],
    service: str,
) -> tuple[str, list[str]]:
    """Answer the condition (of table `c`) and its values that choose those cases."""
    values: list[str] = [*states]
    where = f"c.state IN ({', '.join('?' * len(states))})"
    if departments is not None:
        # "民政局、残疾人联合会" is a case of both; with separators 民政局 is not found in 县民政局.
        where += " AND (" + " OR ".join(
            ["instr('、' || c.department || '、', '、' || ? || '、') > 0"] * len(departments)
        )
        where += ")" if departments else "0)"
        values += sorted(departments)
    if villages:
        where += " AND substr(c.village_code, 1, length(?)) = ?"
        values += [villages, villages]
    if service:
        where += " AND c.service = ?"
        values.append(service)
    return where, values


def get(conn: sqlite3.Connection, case_no: str) -> CaseRow | None:
    """Answer the case of that number, None when there is none."""
    row = conn.execute(f"{_CASE} WHERE c.case_no = ?", (case_no,)).fetchone()
    return None if row is None else read(CaseRow, row)


def events(conn: sqlite3.Connection, case_no: str) -> list[CaseEvent]:
    """Answer the steps of a case, oldest first."""
    rows = conn.execute(
        "SELECT at_ms, actor, action, detail FROM case_events WHERE case_no = ? ORDER BY id",
        (case_no,),
    )
    return [read(CaseEvent, row) for row in rows]


def add_event(
    conn: sqlite3.Connection, case_no: str, *, at_ms: int, actor: str, action: str, detail: str = ""
) -> None:
    """Write one step; `detail` holds codes and ids, never words about a person."""
    conn.execute(
        "INSERT INTO case_events (case_no, at_ms, actor, action, detail) VALUES (?, ?, ?, ?, ?)",
        (case_no, at_ms, actor, action, detail),
    )


def cases_tagged(conn: sqlite3.Connection, tags: Sequence[bytes]) -> list[CaseRow]:
    """Answer the cases of the person with one of these blind tags, newest first."""
    marks = ", ".join("?" * len(tags))
    rows = conn.execute(
        f"{_CASE} WHERE c.case_no IN (SELECT case_no FROM case_tags WHERE tag IN ({marks})) "  # noqa: S608 -- placeholders only
        "ORDER BY c.received_ms DESC LIMIT 100",
        tuple(tags),
    )
    return [read(CaseRow, row) for row in rows]


def decide(
    conn: sqlite3.Connection, case_no: str, decision: Decision, *, actor: str, now_ms: int
) -> CaseRow:
    """Take one step of a case, write its event and the notice to the resident's kiosk.

    Raises:
        CaseUnknown: There is no such case.
        TransitionRefused: The case cannot take that step from where it stands.
        DecisionIncomplete: The resident would not be told enough.
    """
    case = get(conn, case_no)
    if case is None:
        raise CaseUnknown("no case has that number")
    today = civil_day(now_ms)
    state = rules.next_state(case.state, decision.action)
    decision = rules.checked(decision, today)
    if case.state == "correction" and state == "accepted":
        resume(conn, case_no, today)
    conn.execute(
        "UPDATE cases SET state = ?, updated_ms = ?, paused_on = ? WHERE case_no = ?",
        (state, now_ms, today.isoformat() if state == "correction" else "", case_no),
    )
    detail = " ".join(part for part in (decision.reason_code, *decision.missing) if part)
    add_event(conn, case_no, at_ms=now_ms, actor=actor, action=decision.action, detail=detail)
    changed = get(conn, case_no)
    if changed is None:
        raise CaseUnknown("no case has that number")
    kind = rules.NOTICE_KINDS[decision.action]
    notices.write_for_case(conn, changed, kind, now_ms, decision=decision)
    return changed


def resume(conn: sqlite3.Connection, case_no: str, today: dt.date) -> None:
    """Start the clock of a case again that waited for a correction."""
    row = conn.execute("SELECT due_on, paused_on FROM cases WHERE case_no = ?", (case_no,))
    due_on, paused_on = row.fetchone()
    if not paused_on:
        return
    deadline = rules.resumed(dt.date.fromisoformat(due_on), dt.date.fromisoformat(paused_on), today)
    conn.execute(
        "UPDATE cases SET due_on = ?, due_is_about = ?, paused_on = '' WHERE case_no = ?",
        (deadline.day.isoformat(), deadline.is_provisional, case_no),
    )


def follow_ups(conn: sqlite3.Connection, *, is_open: bool = True) -> list[FollowUp]:
    """Answer bad ratings to be answered, by deadline; all of them when `is_open` is false."""
    rows = conn.execute(
        "SELECT * FROM follow_ups WHERE closed_ms IS NULL OR NOT ? ORDER BY due_on, id LIMIT 500",
        (is_open,),
    )
    return [read(FollowUp, row) for row in rows]


def close_follow_up(
    conn: sqlite3.Connection, follow_up_id: int, *, actor: str, now_ms: int
) -> None:
    """Note that a bad rating was answered.

    Raises:
        CaseUnknown: No open follow-up has that number.
    """
    row = conn.execute(
        "UPDATE follow_ups SET closed_ms = ? WHERE id = ? AND closed_ms IS NULL RETURNING case_no",
        (now_ms, follow_up_id),
    ).fetchone()
    if row is None:
        raise CaseUnknown("no open follow-up has that number")
    add_event(conn, row[0], at_ms=now_ms, actor=actor, action="followed_up")


def dead_letters(conn: sqlite3.Connection, limit: int = 500) -> list[DeadLetter]:
    """Answer what could not become anything, oldest first; quarantined envelopes among them."""
    rows = conn.execute(
        "SELECT d.*, e.seq, k.kiosk_no, lower(hex(k.kiosk_id)) AS kiosk_id FROM dead_letters d "
        "JOIN envelopes e ON e.id = d.envelope_id JOIN kiosks k USING (kiosk_id) "
        "ORDER BY d.first_ms, d.envelope_id LIMIT ?",
        (limit,),
    )
    return [read(DeadLetter, row) for row in rows]


def replay(conn: sqlite3.Connection, envelope_id: int) -> None:
    """Give a dead letter to the pipeline again; what is in quarantine waits for its review.

    Its row stays until the pipeline has made something of it, so that the count of tries and the
    first date are kept. Wake the pipeline afterwards (`PIPELINE.poke`).

    Raises:
        LetterUnknown: There is no such dead letter.
    """
    known = conn.execute(
        "SELECT 1 FROM dead_letters JOIN envelopes ON id = envelope_id "
        "WHERE envelope_id = ? AND fate != 'quarantined'",
        (envelope_id,),
    )
    if known.fetchone() is None:
        raise LetterUnknown("no dead letter has that number; it may have been processed")
    conn.execute("UPDATE envelopes SET fate = 'waiting' WHERE id = ?", (envelope_id,))
