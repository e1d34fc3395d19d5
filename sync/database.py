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
from sync.files import sync_directory
from sync.limits import BALLAST_BYTES, BUSY_MS, WAL_KEPT_BYTES
from sync.salvage import salvage
from sync.signing import kiosk_id

P = ParamSpec("P")
T = TypeVar("T")

_DISK_CODES = frozenset(
    {
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    }
)
WAL_RESET_FIXED = (3, 51, 3)
"""First SQLite version in which two writing connections cannot damage a WAL."""


class AlreadyRunning(BianminError):
    """Another program of this kiosk has the store open."""

    code = "409.1"


class StorageFailed(BianminError):
    """The disk does not take what is written; treat it as not stored and call for help.

    After it, look the transaction up by its id before trying again.
    """

    code = "507.2"


class DiskFull(StorageFailed):
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
        StorageFailed: The disk failed, is read-only or damaged; nothing counts as changed.
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
        if _code_of(error) in _DISK_CODES:
            raise StorageFailed("the disk does not take what is written") from error
        raise


def _code_of(error: BaseException) -> int:
    extended = getattr(error, "sqlite_errorcode", None) or 0
    return extended & 0xFF


def is_damage(error: BaseException) -> bool:
    """Answer whether an error means that the file itself is damaged."""
    return _code_of(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Database:
    """An open store; made by `open_database`.

    All work runs on one thread, in order. `conn` may be used directly only where nothing else
    runs (tests, command line).
    """

    def __init__(self, conn: Tables, path: Path, *, lock: int, ballast_bytes: int) -> None:
        self.conn = conn
        self.path = path
        self.set_aside: tuple[Path, ...] = ()
        """Damaged files and stores of former identities beside this one; tell the operator."""
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
        return _ballast_path(self.path)

    def has_room(self) -> bool:
        """Answer whether new transactions may be taken: twice the ballast is free, ballast kept.

        The last room belongs to acknowledgements and pruning: with a full disk even DELETE fails.
        """
        is_free = _free_bytes(self.path.parent) >= 2 * self._ballast_bytes
        return self.ballast_path.exists() and is_free

    async def give_back(self) -> None:
        """Give the room of deleted rows back to the disk."""

        def shrink(db: Tables) -> None:
            # Each step gives back one page; `execute` would take one step only.
            db.conn.executescript("PRAGMA incremental_vacuum")
            # Only a checkpoint makes the file itself shorter.
            db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

        await self.run(shrink)

    def release_ballast(self) -> None:
        """Give the ballast's room to the store."""
        self.ballast_path.unlink(missing_ok=True)

    def restore_ballast(self) -> bool:
        """Take the ballast's room again when there is plenty; answer whether it is there."""
        if self.ballast_path.exists():
            return True
        if _free_bytes(self.path.parent) < 4 * self._ballast_bytes:
            return False
        return _has_written_ballast(self.ballast_path, self._ballast_bytes)

    def close(self) -> None:
        """Finish what was begun, close the file and let others open it."""
        if self._thread is not None:
            self._thread.shutdown(wait=True)
            self._thread = None
        self.conn.conn.close()
        os.close(self._lock)


def _ballast_path(path: Path) -> Path:
    return path.with_name(path.name + ".ballast")


def _free_bytes(directory: Path) -> int:
    state = os.statvfs(directory)
    return state.f_bavail * state.f_frsize


def _has_written_ballast(path: Path, size: int) -> bool:
    handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    try:
        os.posix_fallocate(handle, 0, size)
        os.fsync(handle)
    except OSError:
        # Somebody else took the room meanwhile; half a ballast would only be in the way.
        path.unlink()
        return False
    finally:
        os.close(handle)
    return True


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
        if _free_bytes(path.parent) < ballast_bytes:
            # Opening writes too; without room the kiosk could not even deliver what it holds.
            _ballast_path(path).unlink(missing_ok=True)
        _set_damage_aside(path)
        if device_public is not None:
            _set_former_aside(path, device_public)
        if not path.exists():
            # Left by a power cut while the store was set aside; its copy is.
            for suffix in ("-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
        database = Database(_connected(path), path, lock=lock, ballast_bytes=ballast_bytes)
        # Inside `immediate`: a migration reads which ones ran and then writes.
        with immediate(database.conn) as db:
            schema.migrations.apply(db)
            if device_public is not None:
                db.conn.execute("UPDATE standing SET kiosk_id = ?", (kiosk_id(device_public),))
        database.set_aside = _asides(path)
        _salvage_all(database.conn, database.set_aside, device_public)
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


def is_in_use(path: Path) -> bool:
    """Answer whether a program has the store open; one that is not there yet is not."""
    if not path.parent.is_dir():
        return False
    try:
        os.close(_locked(path))
    except AlreadyRunning:
        return True
    return False


def _connected(path: Path) -> Tables:
    # The one thread that uses it is not the one that opens it.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        db = Tables(connection, execute_plugins=False)
        for pragma in (
            f"busy_timeout = {BUSY_MS}",
            # Only a new file takes this, before anything is written: its room can be given back.
            "auto_vacuum = INCREMENTAL",
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
    if path.exists() and not _is_sound(path):
        _set_aside(path, "damaged")


def _set_former_aside(path: Path, device_public: bytes) -> None:
    """Keep the store of a former identity apart: its numbers and chain are not this kiosk's."""
    if not path.exists():
        return
    db = _connected(path)
    try:
        if "standing" not in db.table_names():
            return
        (owner,) = db.conn.execute("SELECT kiosk_id FROM standing").fetchone()
    finally:
        db.conn.close()
    if owner not in (b"", kiosk_id(device_public)):
        _set_aside(path, "former")


def _set_aside(path: Path, word: str) -> None:
    number = 1
    while (aside := path.with_name(f"{path.name}.{word}-{number}")).exists():
        number += 1
    sources = [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]
    present = [source for source in sources if source.exists()]
    # Linked whole before anything is unlinked: a power cut between leaves it twice, never not.
    for source in present:
        os.link(source, aside.with_name(aside.name + source.name.removeprefix(path.name)))
    sync_directory(path.parent)
    for source in present:
        source.unlink()


def _asides(path: Path) -> tuple[Path, ...]:
    found = [
        (int(aside.suffix.rpartition("-")[2]), aside)
        for word in ("damaged", "former")
        for aside in path.parent.glob(f"{path.name}.{word}-*")
        if aside.suffix.rpartition("-")[2].isdigit()
    ]
    return tuple(aside for _, aside in sorted(found))


def _salvage_all(db: Tables, asides: tuple[Path, ...], device_public: bytes | None) -> None:
    for damaged in asides:
        if ".damaged-" not in damaged.name:
            continue
        with immediate(db):
            names = db.conn.execute("SELECT name FROM salvaged").fetchall()
            if (damaged.name,) not in names:
                salvage(damaged, db, device_public=device_public)
                db.conn.execute("INSERT INTO salvaged (name) VALUES (?)", (damaged.name,))


def library_version() -> tuple[str, bool]:
    """Answer SQLite's version, and whether two writing connections are safe with it (doctor)."""
    version = sqlite3.sqlite_version
    return version, tuple(map(int, version.split("."))) >= WAL_RESET_FIXED
