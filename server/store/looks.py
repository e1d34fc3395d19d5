"""Telling a resident's kiosk who looked at their data and what for (谁看过我的资料)."""

import sqlite3

from server.store import cases, notices
from server.store.rows import Decision

#: A notice of this kind is no step of the case; kiosks list it apart.
KIND = "looked"


def told_words(office: str, purpose: str) -> str:
    """Write who looked and what for, as a resident reads it.

    >>> told_words("民政局", "核对材料")
    '民政局：核对材料'
    """
    return f"{office}：{purpose}" if office else purpose


def tell(conn: sqlite3.Connection, case_no: str, words: str, now_ms: int) -> None:
    """Write the notice of a look that the ledger has recorded.

    Args:
        conn: Connection.
        case_no: Whose answers or files were opened.
        words: The office and the purpose, as the resident reads them; sealed like every notice.
        now_ms: Centre's clock.
    """
    case = cases.get(conn, case_no)
    if case is not None:
        told = Decision(action="accept", words=words)
        notices.write_for_case(conn, case, KIND, now_ms, decision=told)
