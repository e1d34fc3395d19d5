"""Small questions that only the staff pages ask. Functions take the connection, never commit."""

import sqlite3

from server.store.cases import selection
from server.store.rows import Row


class DueCount(Row, frozen=True):
    """How many open cases are promised for one day."""

    #: ISO date; "" for cases without a promise.
    due_on: str
    count: int


def due_counts(
    conn: sqlite3.Connection, *, departments: frozenset[str], villages: str
) -> list[DueCount]:
    """Answer how many cases wait for a clerk, by the day they are promised for."""
    where, values = selection(departments, villages, ("received", "accepted"), "")
    rows = conn.execute(
        f"SELECT c.due_on, count(*) FROM cases c WHERE {where} GROUP BY c.due_on ORDER BY c.due_on",  # noqa: S608 -- placeholders only
        values,
    )
    return [DueCount(*row) for row in rows]


def arrivals(conn: sqlite3.Connection, *, since_ms: int) -> int:
    """Answer how many envelopes arrived from that moment on."""
    row = conn.execute("SELECT count(*) FROM envelopes WHERE received_ms >= ?", (since_ms,))
    return int(row.fetchone()[0])
