"""The kiosk's file: one writing thread, durable commits, damage set aside and never deleted.

`synchronous=FULL` with WAL: with NORMAL a simulated power cut lost acknowledged rows in 318 of
400 runs. Exactly one connection writes and checkpoints, because SQLite before 3.51.3 can damage
a WAL when two do.
"""

import asyncio
import contextlib
import errno
import sqlite3
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from sqlite_utils import Database as Tables

from sync import schema, shapes
from sync.disk import SYSTEM_DISK, Disk, Lock
from sync.errors import BianminError
from sync.limits import BALLAST_BYTES
from sync.salvage import salvage
from sync.signing import kiosk_id
from sync.storefile import asides, code_of, opened

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
PAGE_BYTES = 4096
"""SQLite's default; a store of other pages gives its room back in larger or smaller steps."""
GIVE_BACK_PAGES_MIN = 64
"""Pages given back in one step, at the least."""
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
        if isinstance(error, sqlite3.Error) and (failure := _failure(error)) is not None:
            raise failure from error
        raise


@contextlib.contextmanager
def _failures_named() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        if (failure := _failure(error)) is None:
            raise
        raise failure from error


def _failure(error: sqlite3.Error | OSError) -> StorageFailed | None:
    """Answer what callers are told of an error; None when it is not the disk's."""
    number = error.errno if isinstance(error, OSError) else None
    if code_of(error) == sqlite3.SQLITE_FULL or number in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull("the disk is full; nothing was stored, free some room")
    if code_of(error) in _DISK_CODES or isinstance(error, OSError):
        return StorageFailed("the disk does not take what is written")
    return None


class Database:
    """An open store; made by `open_database`.

    All work runs on one thread, in order. `conn` may be used directly only where nothing else
    runs (tests, command line).
    """

    def __init__(
        self, conn: Tables, path: Path, *, disk: Disk, lock: Lock, ballast_bytes: int
    ) -> None:
        self.conn = conn
        self.path = path
        self.disk = disk
        self.set_aside: tuple[Path, ...] = ()
        """Damaged files and stores of former identities beside this one; tell the operator."""
        self._lock = lock
        self._ballast_bytes = ballast_bytes
        self._folder = path.parent
        self.ballast_path = _ballast_path(path)
        """The file that only takes room."""
        self._thread: ThreadPoolExecutor | None = None

    def start_thread(self) -> None:
        """Move all later work to a thread of its own."""
        shapes.learn()
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
        except StorageFailed:
            # When only the sync failed, the log holds the commit whole: after a kill it would
            # be read as if it counted. The next commit takes its place, so make one.
            with contextlib.suppress(StorageFailed):
                await self.run(_supersede)
            raise

    def has_room(self) -> bool:
        """Answer whether new transactions may be taken: twice the ballast is free, ballast kept.

        The last room belongs to acknowledgements and pruning: with a full disk even DELETE fails.
        """
        is_free = self.disk.free_bytes(self._folder) >= 2 * self._ballast_bytes
        return self.disk.exists(self.ballast_path) and is_free

    async def give_back(self) -> None:
        """Give the room of deleted rows back to the disk, and that of the write-ahead log.

        In small steps: the pages that are moved go through the log, and a full disk has room for
        the ballast's size only.

        Raises:
            DiskFull: There is no room even for a step; what was given back stays so.
            StorageFailed: The disk failed.
        """
        # A page that moves may write two more: a step takes less than half of the ballast. Each
        # waits for the card several times, so none is tiny.
        pages = max(GIVE_BACK_PAGES_MIN, self._ballast_bytes // 8 // PAGE_BYTES)
        left = await self.run(_shrink, pages)
        while left > 0:
            before, left = left, await self.run(_shrink, pages)
            if left >= before:
                return

    def release_ballast(self) -> None:
        """Give the ballast's room to the store."""
        self.disk.unlink(self.ballast_path)

    def restore_ballast(self) -> bool:
        """Take the ballast's room again when there is plenty; answer whether it is there."""
        if self.disk.exists(self.ballast_path):
            return True
        if self.disk.free_bytes(self.path.parent) < 4 * self._ballast_bytes:
            return False
        try:
            self.disk.allocate(self.ballast_path, self._ballast_bytes)
        except OSError:
            # Somebody else took the room meanwhile.
            return False
        return True

    def close(self) -> None:
        """Finish what was begun, close the file and let others open it."""
        if self._thread is not None:
            self._thread.shutdown(wait=True)
            self._thread = None
        self.conn.conn.close()
        self._lock.release()


def _supersede(db: Tables) -> None:
    with immediate(db):
        # Requests must only count upwards. A row that stays the same would not be written.
        db.conn.execute("UPDATE standing SET counter = counter + 1")


def _shrink(db: Tables, pages: int) -> int:
    """Give back one step's pages; answer how many free ones are left."""
    _empty_log(db)
    with _failures_named():
        (free,) = db.conn.execute("PRAGMA freelist_count").fetchone()
        if not free:
            return 0
        # Each row read gives back one page; `execute` alone would take one only.
        db.conn.executescript(f"PRAGMA incremental_vacuum({pages})")
        (left,) = db.conn.execute("PRAGMA freelist_count").fetchone()
    # Only a checkpoint makes the file itself shorter.
    _empty_log(db)
    return int(left)


def _empty_log(db: Tables) -> None:
    with _failures_named():
        try:
            db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.OperationalError as error:
            # A cursor is still open, perhaps one that a failed read left in its traceback. The
            # log is emptied another time; what was asked for is done all the same.
            if code_of(error) != sqlite3.SQLITE_LOCKED:
                raise


def _ballast_path(path: Path) -> Path:
    return path.with_name(path.name + ".ballast")


def open_database(
    path: Path,
    *,
    device_public: bytes | None = None,
    ballast_bytes: int = BALLAST_BYTES,
    is_threaded: bool = True,
    disk: Disk = SYSTEM_DISK,
) -> Database:
    """Open a kiosk's store, or create it in one go with its directory on disk.

    Args:
        path: The file; its directory is created. Lock, ballast and damaged copies lie beside it.
        device_public: The device's Ed25519 key: salvaged envelopes must be signed by it.
        ballast_bytes: Room to keep for a full disk.
        is_threaded: Work on an own thread; False runs in place (simulation, command line).
        disk: Where all of it lies.

    Raises:
        AlreadyRunning: Another program has it open.
        WrongLibrary: `pysqlite3` is installed.
        DiskFull: There is no room to create it.
        StorageFailed: The disk failed or is read-only.
    """
    if "pysqlite3" in sys.modules:
        raise WrongLibrary("uninstall pysqlite3: sqlite-utils would use it beside sqlite3")
    with _failures_named(), contextlib.ExitStack() as undo:
        disk.make_directory(path.parent)
        lock = _locked(disk, path)
        undo.callback(lock.release)
        if disk.free_bytes(path.parent) < ballast_bytes:
            # Opening writes too; without room the kiosk could not even deliver what it holds.
            disk.unlink(_ballast_path(path))
        # A kill right after a sync that failed leaves a commit that only memory shows.
        disk.settle(path.with_name(path.name + "-wal"))
        conn = opened(disk, path, device_public)
        undo.callback(conn.conn.close)
        database = Database(conn, path, disk=disk, lock=lock, ballast_bytes=ballast_bytes)
        # Inside `immediate`: a migration reads which ones ran and then writes.
        with immediate(database.conn) as db:
            schema.migrations.apply(db)
            if device_public is not None:
                db.conn.execute("UPDATE standing SET kiosk_id = ?", (kiosk_id(device_public),))
        database.set_aside = asides(disk, path)
        _salvage_all(disk, database.conn, database.set_aside, device_public)
        database.restore_ballast()
        # Otherwise a power cut may bring back an unlinked journal, and with it an empty store.
        disk.sync_directory(path.parent)
        undo.pop_all()
    if is_threaded:
        database.start_thread()
    return database


def _locked(disk: Disk, path: Path) -> Lock:
    try:
        return disk.lock(path.with_name(path.name + ".lock"), is_waiting=False)
    except BlockingIOError as error:
        raise AlreadyRunning(
            "the kiosk is already running here; stop the other one first"
        ) from error


def is_in_use(path: Path, disk: Disk = SYSTEM_DISK) -> bool:
    """Answer whether a program has the store open; one that is not there yet is not."""
    if not disk.exists(path.parent):
        return False
    try:
        _locked(disk, path).release()
    except AlreadyRunning:
        return True
    return False


def _salvage_all(
    disk: Disk, db: Tables, stores: tuple[Path, ...], device_public: bytes | None
) -> None:
    for damaged in stores:
        if ".damaged-" not in damaged.name:
            continue
        with immediate(db):
            names = db.conn.execute("SELECT name FROM salvaged").fetchall()
            if (damaged.name,) not in names:
                salvage(damaged, db, device_public=device_public, disk=disk)
                db.conn.execute("INSERT INTO salvaged (name) VALUES (?)", (damaged.name,))


def library_version() -> tuple[str, bool]:
    """Answer SQLite's version, and whether two writing connections are safe with it (doctor)."""
    version = sqlite3.sqlite_version
    return version, tuple(map(int, version.split("."))) >= WAL_RESET_FIXED
