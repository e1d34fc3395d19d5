"""Bring a database to the tables this program needs, one numbered script after the other."""

import sqlite3
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from server.errors import StoreFault
from sync.disk import SYSTEM_DISK, Disk

Script = tuple[int, str, str]
"""Number, file name and SQL."""


def scripts() -> list[Script]:
    """Answer number, name and SQL of every migration, in order (0001… core, 0010… people)."""
    folder = resources.files("server.store") / "migrations"
    found = [
        (int(entry.name[:4]), entry.name, entry.read_text("utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    ]
    return sorted(found)


def apply(conn: sqlite3.Connection, known: Sequence[Script]) -> list[str]:
    """Run the scripts that this database has not seen; answer their names.

    Each runs in one transaction together with the record that it ran, so that a kill between two
    statements leaves the database as it was before the script.
    """
    conn.execute(
        "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, "
        "at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)"
    )
    done = {row[0] for row in conn.execute("SELECT number FROM migrations")}
    newer = done - {number for number, _, _ in known}
    if newer:
        raise StoreFault(f"the database is newer than this program: migration {max(newer):04d}")
    ran = []
    for number, name, sql in known:
        if number in done:
            continue
        record = f"INSERT INTO migrations (number, name) VALUES ({number}, '{name}');"  # noqa: S608 -- our own file names
        try:
            conn.executescript(f"BEGIN IMMEDIATE;\n{sql}\n{record}\nCOMMIT;")
        except sqlite3.Error:
            if conn.in_transaction:
                conn.execute("ROLLBACK")
            raise
        ran.append(name)
    return ran


def migrate(
    path: Path, known: Sequence[Script] | None = None, *, disk: Disk = SYSTEM_DISK
) -> list[str]:
    """Make or update the database file, check it, and make its directory entry durable.

    Args:
        path: The database file.
        known: Scripts in order; the shipped ones by default.
        disk: Where the file lies.

    Raises:
        StoreFault: The file is damaged or newer than this program.
    """
    try:
        conn = disk.connect(path)
        try:
            conn.execute("PRAGMA journal_mode=WAL")
            conn.execute("PRAGMA synchronous=FULL")
            verdict = conn.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise StoreFault(f"{path.name} is damaged; restore a backup, keep this file")
            ran = apply(conn, scripts() if known is None else known)
        finally:
            conn.close()
    except sqlite3.DatabaseError as error:
        raise StoreFault(f"{path.name} cannot be used: {error}") from error
    # Without this a power cut can bring back an empty file after the first acknowledgement.
    disk.sync_directory(path.parent)
    return ran
