"""The kiosk's file: one writing thread, durable commits, damage set aside and never deleted.

`synchronous=FULL` with WAL: with NORMAL a simulated power cut lost acknowledged rows in 318 of
400 runs. Exactly one connection writes and checkpoints, because SQLite before 3.51.3 can damage
a WAL when two do.
"""

import asyncio
import contextlib
import fcntl
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from sqlite_utils import Database as Tables

from sync import schema
from sync.errors import BianminError
from sync.limits import BALLAST_BYTES, BUSY_MS, WAL_KEPT_BYTES
from sync.salvage import salvage

P = ParamSpec("P")
T = TypeVar("T")

WAL_RESET_FIXED = (3, 51, 3)
"""First SQLite version in which two writing connections cannot damage a WAL."""


class AlreadyRunning(BianminError):
    """Another program of this kiosk has the store open."""

    code = "409.1"


class DiskFull(BianminError):
    """Nothing was stored, because the disk is full; the resident must be told so."""

    code = "507.1"


class WrongLibrary(BianminError):
    """`pysqlite3` is installed: two SQLite libraries in one process lose each other's locks."""

    code = "500.1"


@contextlib.contextmanager
def immediate(db: Tables) -> Iterator[Tables]:
    """Do all or nothing: BEGIN IMMEDIATE, then COMMIT, which returns once it is on disk.

    Raises:
        DiskFull: There is no room; nothing was changed.
    """
    try:
        db.conn.execute("BEGIN IMMEDIATE")
        yield db
        db.conn.execute("COMMIT")
    except BaseException as error:
        # SQLite has already rolled back by itself after some errors.
        if db.conn.in_transaction:
            db.conn.execute("ROLLBACK")
        if _code_of(error) == sqlite3.SQLITE_FULL:
            raise DiskFull("the disk is full; nothing was stored, free some room") from error
        raise


def _code_of(error: BaseException) -> int:
    extended = getattr(error, "sqlite_errorcode", None) or 0
    return extended & 0xFF


def is_damage(error: BaseException) -> bool:
    """Answer whether an error means that the file itself is damaged."""
    return _code_of(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def sync_directory(path: Path) -> None:
    """Make names created, renamed or removed in a directory durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Database:
    """An open store; made by `open_database`.

    All work runs on one thread, in order. `conn` may be used directly only where nothing else
    runs (tests, command line).
    """

    def __init__(self, conn: Tables, path: Path, *, lock: int, ballast_bytes: int) -> None:
        self.conn = conn
        self.path = path
        self.set_aside: tuple[Path, ...] = ()
        """Damaged files that were found at opening; tell the operator."""
        self._lock = lock
        self._ballast_bytes = ballast_bytes
        self._thread: ThreadPoolExecutor | None = None

    def start_thread(self) -> None:
        """Move all later work to a thread of its own."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")

    async def run(
        self, fn: Callable[Concatenate[Tables, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn(db, *args)` on the one thread and answer what it returns."""
        if self._thread is None:
            return fn(self.conn, *args, **kwargs)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: fn(self.conn, *args, **kwargs))

    async def write(
        self, fn: Callable[Concatenate[Tables, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn(db, *args)` inside `immediate`; what it returns is on disk.

        A caller that is cancelled does not stop the work: it is committed or not as a whole.

        Raises:
            DiskFull: There is no room; the ballast is freed so that acknowledgements still fit.
        """

        def all_or_nothing(db: Tables) -> T:
            with immediate(db):
                return fn(db, *args, **kwargs)

        try:
            return await self.run(all_or_nothing)
        except DiskFull:
            self.release_ballast()
            raise

    @property
    def ballast_path(self) -> Path:
        """The file that only takes room."""
        return self.path.with_name(self.path.name + ".ballast")

    def has_room(self) -> bool:
        """Answer whether new transactions may be taken: twice the ballast is free, ballast kept.

        The last room belongs to acknowledgements and pruning: with a full disk even DELETE fails.
        """
        state = os.statvfs(self.path.parent)
        return (
            self.ballast_path.exists()
            and state.f_bavail * state.f_frsize >= 2 * self._ballast_bytes
        )

    def release_ballast(self) -> None:
        """Give the ballast's room to the store."""
        self.ballast_path.unlink(missing_ok=True)

    def restore_ballast(self) -> bool:
        """Take the ballast's room again when there is plenty; answer whether it is there."""
        if self.ballast_path.exists():
            return True
        state = os.statvfs(self.path.parent)
        if state.f_bavail * state.f_frsize < 4 * self._ballast_bytes:
            return False
        _write_ballast(self.ballast_path, self._ballast_bytes)
        return True

    def close(self) -> None:
        """Finish what was begun, close the file and let others open it."""
        if self._thread is not None:
            self._thread.shutdown(wait=True)
            self._thread = None
        self.conn.conn.close()
        os.close(self._lock)


def _write_ballast(path: Path, size: int) -> None:
    handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    try:
        os.posix_fallocate(handle, 0, size)
        os.fsync(handle)
    finally:
        os.close(handle)


def open_database(
    path: Path,
    *,
    device_public: bytes | None = None,
    ballast_bytes: int = BALLAST_BYTES,
    is_threaded: bool = True,
) -> Database:
    """Open a kiosk's store, or create it in one go with its directory on disk.

    Args:
        path: The file; its directory is created. Lock, ballast and damaged copies lie beside it.
        device_public: The device's Ed25519 key: salvaged envelopes must be signed by it.
        ballast_bytes: Room to keep for a full disk.
        is_threaded: Work on an own thread; False runs in place (simulation, command line).

    Raises:
        AlreadyRunning: Another program has it open.
        WrongLibrary: `pysqlite3` is installed.
        DiskFull: There is no room to create it.
    """
    if "pysqlite3" in sys.modules:
        raise WrongLibrary("uninstall pysqlite3: sqlite-utils would use it beside sqlite3")
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = _locked(path)
    try:
        _set_damage_aside(path)
        database = Database(_connected(path), path, lock=lock, ballast_bytes=ballast_bytes)
        # Inside `immediate`: a migration reads which ones ran and then writes.
        with immediate(database.conn):
            schema.migrations.apply(database.conn)
        database.set_aside = _salvaged(path, database.conn, device_public)
        database.restore_ballast()
        # Otherwise a power cut may bring back an unlinked journal, and with it an empty store.
        sync_directory(path.parent)
    except BaseException:
        os.close(lock)
        raise
    if is_threaded:
        database.start_thread()
    return database


def _locked(path: Path) -> int:
    handle = os.open(path.with_name(path.name + ".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise AlreadyRunning(
            "the kiosk is already running here; stop the other one first"
        ) from error
    return handle


def _connected(path: Path) -> Tables:
    # The one thread that uses it is not the one that opens it.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        db = Tables(connection, execute_plugins=False)
        for pragma in (
            f"busy_timeout = {BUSY_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "trusted_schema = OFF",
            f"journal_size_limit = {WAL_KEPT_BYTES}",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        path.chmod(0o600)
    except BaseException:
        connection.close()
        raise
    return db


def _is_sound(path: Path) -> bool:
    try:
        db = _connected(path)
        try:
            return db.conn.execute("PRAGMA quick_check(1)").fetchall() == [("ok",)]
        finally:
            db.conn.close()
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return False
        raise


def _set_damage_aside(path: Path) -> None:
    if not path.exists() or _is_sound(path):
        return
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for suffix in ("-wal", "-shm", ""):
        source = path.with_name(path.name + suffix)
        if source.exists():
            source.rename(aside.with_name(aside.name + suffix))
    sync_directory(path.parent)


def _salvaged(path: Path, db: Tables, device_public: bytes | None) -> tuple[Path, ...]:
    """Read what can be read of damaged files; the mark beside each makes a repeat harmless."""
    found: list[Path] = []
    for damaged in sorted(path.parent.glob(f"{path.name}.damaged-*")):
        if damaged.suffix.removeprefix(".damaged-").isdigit():
            done = damaged.with_name(f"{damaged.name}.salvaged")
            if not done.exists():
                with immediate(db):
                    salvage(damaged, db, device_public=device_public)
                done.touch()
            found.append(damaged)
    return tuple(found)


def library_version() -> tuple[str, bool]:
    """Answer SQLite's version, and whether two writing connections are safe with it (doctor)."""
    version = sqlite3.sqlite_version
    return version, tuple(map(int, version.split("."))) >= WAL_RESET_FIXED
