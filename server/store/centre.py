"""Facts of the centre itself: its epoch."""

import sqlite3


def epoch(conn: sqlite3.Connection) -> int:
    """Answer the number that rises whenever this store was restored; 0 before `init`."""
    row = conn.execute("SELECT value FROM centre WHERE key = 'epoch'").fetchone()
    return 0 if row is None else int(row[0])


def raise_epoch(conn: sqlite3.Connection, now_ms: int) -> int:
    """Begin a new epoch: after a restore, kiosks then give back what this store lost."""
    number = max(epoch(conn) + 1, now_ms // 1000)
    conn.execute(
        "INSERT INTO centre (key, value) VALUES ('epoch', ?) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (str(number),),
    )
    return number
