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
    """Number a notice, seal it to the kiosk and store it; answer its number.

    A kiosk that was enrolled anew gets the notices of its former identity.
    """
    kiosk_id, public = _newest_identity(conn, kiosk_id)
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


def _newest_identity(conn: sqlite3.Connection, kiosk_id: bytes) -> tuple[bytes, bytes]:
    # Numbers only rise along the chain, so it ends.
    while True:
        row = conn.execute(
            "SELECT replaced_by, notice_public FROM kiosks WHERE kiosk_id = ?", (kiosk_id,)
        ).fetchone()
        if row["replaced_by"] is None:
            return kiosk_id, row["notice_public"]
        kiosk_id = row["replaced_by"]


def newest(conn: sqlite3.Connection, kiosk_id: bytes) -> int:
    """Answer the number of the newest notice for a kiosk, 0 when there is none."""
    row = conn.execute(
        "SELECT coalesce(max(number), 0) FROM notices WHERE kiosk_id = ?", (kiosk_id,)
    ).fetchone()
    return int(row[0])


def after(conn: sqlite3.Connection, kiosk_id: bytes, cursor: int) -> list[tuple[int, bytes]]:
    """Answer the sealed notices after a cursor, as many as one reply carries."""
    rows = conn.execute(
        "SELECT number, sealed FROM notices WHERE kiosk_id = ? AND number > ? "
        "ORDER BY number LIMIT ?",
        (kiosk_id, cursor, limits.NOTICES_PER_REPLY),
    )
    found: list[tuple[int, bytes]] = []
    size_bytes = 0
    for number, sealed in rows:
        size_bytes += len(sealed) + 16
        if found and size_bytes > limits.NOTICE_REPLY_BYTES_MAX:
            break
        found.append((number, sealed))
    return found
