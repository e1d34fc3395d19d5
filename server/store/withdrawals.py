"""What a withdrawal (撤回) becomes: the end of its case, unless that was decided before."""

import sqlite3

from server.store import cases, notices, outcomes
from server.store.rows import CaseRow, StoredEnvelope
from server.vault.protocol import Routed

#: A case in one of these still waits for somebody.
_OPEN = frozenset({"received", "accepted", "correction"})


def withdraw(
    conn: sqlite3.Connection,
    envelope: StoredEnvelope,
    routed: Routed,
    case: CaseRow,
    now_ms: int,
) -> None:
    """End a case because its resident asked for it, and tell the kiosk.

    One that was decided stays decided, and one that was withdrawn is withdrawn once: what comes
    late is a step of the case that its clerk sees, no more. So is one of a number that two cases
    got from a copied kiosk: only a clerk can tell whose it is. The envelope is laid to the case,
    as the resident's signed word.
    """
    conn.execute(
        "INSERT OR IGNORE INTO corrections (envelope_id, case_no, at_ms) VALUES (?, ?, ?)",
        (envelope.id, case.case_no, now_ms),
    )
    # `outcomes.free_case_number` begins with that suffix, and no case is ever deleted.
    is_shared = cases.get(conn, f"{case.case_no}-2") is not None
    is_open = case.state in _OPEN and not is_shared
    action = "withdrawn" if is_open else "withdrawn_shared" if is_shared else "withdrawn_late"
    cases.add_event(conn, case.case_no, at_ms=now_ms, actor="resident", action=action)
    if is_open:
        conn.execute(
            "UPDATE cases SET state = 'withdrawn', paused_on = '', updated_ms = ? "
            "WHERE case_no = ?",
            (now_ms, case.case_no),
        )
        changed = cases.get(conn, case.case_no)
        if changed is not None:
            notices.write_for_case(conn, changed, "withdrawn", now_ms)
    outcomes.answer_own_number(conn, envelope, "received", routed.service, now_ms)
    outcomes.set_fate(conn, envelope.id, "correction")
