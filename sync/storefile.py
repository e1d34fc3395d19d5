"""A kiosk's store as a file: its settings, whether it is sound, and what is set aside.

What is damaged or another identity's is kept beside the store under a name of its own, never
deleted and never written to.
"""

import contextlib
import functools
import sqlite3
from pathlib import Path

from sqlite_utils import Database as Tables

from sync import schema
from sync.disk import Disk
from sync.limits import BUSY_MS, WAL_KEPT_BYTES
from sync.signing import kiosk_id


def code_of(error: BaseException) -> int:
    """Answer SQLite's primary code of an error; 0 when it is none of SQLite's."""
    extended = getattr(error, "sqlite_errorcode", None) or 0
    return extended & 0xFF


def is_damage(error: BaseException) -> bool:
    """Answer whether an error means that the file itself is damaged."""
    return code_of(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def connected(disk: Disk, path: Path) -> Tables:
    """Open the file with the settings that a receipt relies on."""
    connection = disk.connect(path)
    try:
        db = Tables(connection, execute_plugins=False)
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        # Only a new file takes this, before anything is written: its room can be given back.
        # An old one would be written to, even one that is damaged.
        first = () if pages else ("auto_vacuum = INCREMENTAL",)
        for pragma in (
            f"busy_timeout = {BUSY_MS}",
            *first,
            # Debian's default writes zeros over every page that is given up: more than a full
            # disk has room for, before any of it is free.
            "secure_delete = FAST",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "trusted_schema = OFF",
            f"journal_size_limit = {WAL_KEPT_BYTES}",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        disk.restrict(path)
    except BaseException:
        connection.close()
        raise
    return db


def opened(disk: Disk, path: Path, device_public: bytes | None) -> Tables:
    """Open what is sound and this device's; what else lies at `path` is set aside first."""
    if disk.exists(path):
        found = _judged(disk, path, device_public)
        if not isinstance(found, str):
            return found
        _set_aside(disk, path, found)
    if not disk.exists(path):
        # Left by a power cut while the store was set aside; its copy is.
        for suffix in ("-wal", "-shm"):
            disk.unlink(path.with_name(path.name + suffix))
    return connected(disk, path)


def _judged(disk: Disk, path: Path, device_public: bytes | None) -> Tables | str:
    """Answer the open store, or why it is not to be used: "damaged", "former" (another device's).

    A former identity's numbers and chain are not this kiosk's.
    """
    try:
        with contextlib.ExitStack() as undo:
            db = connected(disk, path)
            undo.callback(db.conn.close)
            is_whole = db.conn.execute("PRAGMA quick_check(1)").fetchall() == [("ok",)]
            if not (is_whole and _has_its_tables(db) and _counts_on(db)):
                return "damaged"
            if device_public is not None and not _is_of(db, device_public):
                return "former"
            undo.pop_all()
            return db
    except UnicodeDecodeError:
        return "damaged"
    except sqlite3.DatabaseError as error:
        # Without a code it is Python's: a text that is none.
        if is_damage(error) or code_of(error) in (0, sqlite3.SQLITE_ERROR):
            return "damaged"
        raise


def _is_of(db: Tables, device_public: bytes) -> bool:
    if "standing" not in db.table_names():
        return True
    (owner,) = db.conn.execute("SELECT kiosk_id FROM standing").fetchone()
    return owner in (b"", kiosk_id(device_public))


def _has_its_tables(db: Tables) -> bool:
    """Answer whether the tables are those that our migrations make.

    SQLite checks no text: a bit that rotted in a table's own words passes its check, and every
    later start would break on it. A newer program's store is not ours to judge.
    """
    applied = [one.name for one in schema.migrations.applied(db)]
    known = schema.names()
    if set(applied) > set(known):
        return True
    return tuple(applied) == known[: len(applied)] and _tables_of(db) == _tables_after(len(applied))


def _counts_on(db: Tables) -> bool:
    """Answer whether the count of numbers goes on above those that were given."""
    if "standing" not in db.table_names():
        return True
    rows = db.conn.execute(
        "SELECT head_seq >= coalesce((SELECT max(seq) FROM receipt), 0) FROM standing"
    ).fetchall()
    return bool(rows == [(1,)])


def _tables_of(db: Tables) -> frozenset[tuple[str, str, str]]:
    rows = db.conn.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master").fetchall()
    return frozenset((kind, name, sql) for kind, name, sql in rows)


@functools.cache
def _tables_after(count: int) -> frozenset[tuple[str, str, str]]:
    """Answer the tables of a store that the first migrations made."""
    db = Tables(memory=True, execute_plugins=False)
    try:
        if count:
            schema.migrations.apply(db, stop_before=schema.names()[count:])
        return _tables_of(db)
    finally:
        db.conn.close()


def _set_aside(disk: Disk, path: Path, word: str) -> None:
    number = 1
    while disk.exists(aside := path.with_name(f"{path.name}.{word}-{number}")):
        number += 1
    sources = [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]
    present = [source for source in sources if disk.exists(source)]
    # Linked whole before anything is unlinked: a power cut between leaves it twice, never not.
    for source in present:
        disk.link(source, aside.with_name(aside.name + source.name.removeprefix(path.name)))
    disk.sync_directory(path.parent)
    for source in present:
        disk.unlink(source)
    # A new store must never meet the log of this one.
    disk.sync_directory(path.parent)


def asides(disk: Disk, path: Path) -> tuple[Path, ...]:
    """Answer the stores that were set aside here, the oldest first."""
    found = [
        (int(aside.suffix.rpartition("-")[2]), aside)
        for word in ("damaged", "former")
        for aside in disk.named(path.parent, f"{path.name}.{word}-")
        if aside.suffix.rpartition("-")[2].isdigit()
    ]
    return tuple(aside for _, aside in sorted(found))
