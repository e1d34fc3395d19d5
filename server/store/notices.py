"""Notices to kiosks: numbered per kiosk, sealed when written, sent from the kiosk's cursor."""

import sqlite3

import msgspec

from server.store.rows import CaseRow, Decision
from sync import limits
from sync.ids import is_case_number
from sync.notices import encode_notice
from sync.records import Notice
from sync.sealing import seal_notice


def write_for_case(
    conn: sqlite3.Connection,
    case: CaseRow,
    kind: str,
    now_ms: int,
    *,
    decision: Decision | None = None,
) -> None:
    """Tell the kiosk where a case was made what became of it.

    A case whose number a forked kiosk gave twice gets no notice: the slip of another resident
    bears the same number, and must not show this one's matter. The desk sees the "-2" and calls.
    """
    if not is_case_number(case.case_no):
        return
    notice = Notice(
        number=0,
        case_no=case.case_no,
        kind=kind,
        service=case.service,
        at_ms=now_ms,
        due_on=case.due_on if case.state in ("received", "accepted") else "",
        is_about=case.due_is_about and case.state in ("received", "accepted"),
        missing=decision.missing if decision else (),
        correct_by=decision.correct_by if decision else "",
        reason_code=decision.reason_code if decision else "",
        words=decision.words if decision else "",
    )
    row = conn.execute("SELECT kiosk_id FROM cases WHERE case_no = ?", (case.case_no,)).fetchone()
    write(conn, row[0], notice)


def write(conn: sqlite3.Connection, kiosk_id: bytes, notice: Notice) -> int:
    """Number a notice, seal it and store it; answer its number at that kiosk.

    It goes to the identity under which the case was made, and to each that took its place. The
    machine with the slip's receipt may still carry the former one, or be burnt: told both ways,
    no notice is lost, and a kiosk that gets it twice shows it once, since both have the same
    content (docs/decisions/0016).
    """
    number = _write(conn, kiosk_id, notice)
    for successor in _successors(conn, kiosk_id):
        _write(conn, successor, notice)
    return number


def _write(conn: sqlite3.Connection, kiosk_id: bytes, notice: Notice) -> int:
    (public,) = conn.execute(
        "SELECT notice_public FROM kiosks WHERE kiosk_id = ?", (kiosk_id,)
    ).fetchone()
    number = newest(conn, kiosk_id) + 1
    raw = encode_notice(msgspec.structs.replace(notice, number=number))
    conn.execute(
        "INSERT INTO notices (kiosk_id, number, case_no, kind, at_ms, sealed) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (
            kiosk_id,
            number,
            notice.case_no,
            notice.kind,
            notice.at_ms,
            seal_notice(public, number, raw),
        ),
    )
    return number


def _successors(conn: sqlite3.Connection, kiosk_id: bytes) -> list[bytes]:
    """Answer every kiosk that took this one's place, also one after the other."""
    # UNION leaves out what was found before, so it ends.
    rows = conn.execute(
        "WITH RECURSIVE after (kiosk_id) AS (SELECT kiosk_id FROM kiosks WHERE replaces = ?1 "
        "UNION SELECT k.kiosk_id FROM kiosks k JOIN after a ON k.replaces = a.kiosk_id) "
        "SELECT kiosk_id FROM after WHERE kiosk_id != ?1",
        (kiosk_id,),
    )
    return [bytes(row[0]) for row in rows]


def newest(conn: sqlite3.Connection, kiosk_id: bytes) -> int:
    """Answer the number of the newest notice for a kiosk, 0 when there is none."""
    row = conn.execute(
        "SELECT coalesce(max(number), 0) FROM notices WHERE kiosk_id = ?", (kiosk_id,)
    ).fetchone()
    return int(row[0])


def after(
    conn: sqlite3.Connection,
    kiosk_id: bytes,
    cursor: int,
    bytes_max: int = limits.NOTICE_REPLY_BYTES_MAX,
) -> list[tuple[int, bytes]]:
    """Answer the sealed notices after a cursor, as many as one reply carries; one at least."""
    rows = conn.execute(
        "SELECT number, sealed FROM notices WHERE kiosk_id = ? AND number > ? "
        "ORDER BY number LIMIT ?",
        (kiosk_id, cursor, limits.NOTICES_PER_REPLY),
    )
    found: list[tuple[int, bytes]] = []
    size_bytes = 0
    for number, sealed in rows:
        size_bytes += len(sealed) + 16
        if found and size_bytes > bytes_max:
            break
        found.append((number, sealed))
    return found
