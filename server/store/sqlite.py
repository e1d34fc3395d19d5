"""The SQLite store: one thread that writes in group commits, a few that read.

WAL with `synchronous=FULL`: a future is resolved only after the commit that holds its write is
on disk (docs/decisions; research: WAL with NORMAL lost acknowledged rows in 318 of 400 power
cuts). Many writes share one commit, each in a savepoint of its own, so that one that fails takes
nothing else with it.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from server.errors import StoreBusy, StoreFault
from server.store.migrate import migrate
from sync import limits, shapes
from sync.disk import SYSTEM_DISK, Disk

P = ParamSpec("P")
T = TypeVar("T")


class _Job:
    """One write that waits: what to run, and whom to tell."""

    __slots__ = ("error", "future", "loop", "result", "work")

    def __init__(self, work: Callable[[sqlite3.Connection], Any]) -> None:
        self.work = work
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()
        self.result: Any = None
        self.error: BaseException | None = None

    def tell(self) -> None:
        """Resolve the future; runs in its loop."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


@lru_cache(maxsize=8)
def _lock_of(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


@contextmanager
def writing(path: Path, disk: Disk = SYSTEM_DISK) -> Iterator[None]:
    """Be the only process that writes or checkpoints this database.

    SQLite before 3.51.3 can damage a file when two connections write and checkpoint at the same
    instant. The commands (`publish`, `code`, …) work beside a running centre, so both take this
    lock around each of their transactions.
    """
    lock = disk.lock(_lock_of(path), is_waiting=True)
    try:
        yield
    finally:
        lock.release()


def write_once(
    path: Path,
    fn: Callable[Concatenate[sqlite3.Connection, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Run `fn(conn, …)` in one transaction, for a command beside a running centre.

    Raises:
        Exception: Whatever `fn` raises; then nothing is stored.
    """
    with writing(path):
        conn = connect(path, readonly=False)
        try:
            conn.execute("BEGIN IMMEDIATE")
            result = fn(conn, *args, **kwargs)
            conn.execute("COMMIT")
        except BaseException:
            if conn.in_transaction:
                conn.execute("ROLLBACK")
            raise
        finally:
            conn.close()
    return result


def connect(path: Path, *, readonly: bool, disk: Disk = SYSTEM_DISK) -> sqlite3.Connection:
    """Open the database with the settings that the promises of durability need.

    Args:
        path: The database file.
        readonly: A reader: it can neither write nor checkpoint.
        disk: Where the file lies.
    """
    conn = disk.connect(path, busy_s=limits.STORE_BUSY_S)
    conn.row_factory = sqlite3.Row
    conn.execute("PRAGMA foreign_keys=ON")
    if readonly:
        # SQLite before 3.51.3 can damage a file that two connections checkpoint at once.
        conn.execute("PRAGMA wal_autocheckpoint=0")
        conn.execute("PRAGMA query_only=ON")
        return conn
    conn.execute("PRAGMA journal_mode=WAL")
    conn.execute("PRAGMA synchronous=FULL")
    return conn


def run_batch(conn: sqlite3.Connection, jobs: list[_Job]) -> None:
    """Run the jobs in one transaction and note each one's result or error.

    A job that raises rolls back its own savepoint only. When the transaction as a whole is lost
    (full disk, failed commit), every job of the batch gets `StoreFault`.
    """
    try:
        conn.execute("BEGIN IMMEDIATE")
        for job in jobs:
            conn.execute("SAVEPOINT job")
            try:
                job.result = job.work(conn)
            except Exception as error:
                job.error = error
                # A full disk makes SQLite roll back the whole transaction by itself.
                if not conn.in_transaction:
                    raise
                conn.execute("ROLLBACK TO job")
            conn.execute("RELEASE job")
        conn.execute("COMMIT")
    except Exception as error:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        for job in jobs:
            if job.error is None:
                job.error = StoreFault("the batch was not committed; nothing of it was stored")
                job.error.__cause__ = error


class Store:
    """Reads and writes of one database file, for one event loop.

    Open it with `Store.open`; close it before the loop ends. Without threads (simulation), what
    is asked for in one turn of the loop shares a commit, and reads run in place.
    """

    def __init__(self, path: Path, *, disk: Disk = SYSTEM_DISK) -> None:
        self.path = path
        self._disk = disk
        # The writing connection of a store without threads, and whether a commit is due.
        self._in_place: sqlite3.Connection | None = None
        self._is_due = False
        self._jobs: queue.Queue[_Job | None] = queue.Queue(limits.STORE_QUEUE_MAX)
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._readers = ThreadPoolExecutor(limits.STORE_READERS, "store-reader")
        self._writer: threading.Thread | None = None
        self._is_closed = False
        #: Commits and writes so far: their ratio shows how well commits are shared.
        self.commits = 0
        self.writes = 0

    @classmethod
    def open(cls, path: Path, *, disk: Disk = SYSTEM_DISK, is_threaded: bool = True) -> "Store":
        """Open (or make) the database, bring its tables up to date, start the threads.

        Args:
            path: The database file; its lock lies beside it.
            disk: Where it lies.
            is_threaded: False works in the loop's own thread.

        Raises:
            StoreFault: The file is damaged, or newer than this program.
        """
        with writing(path, disk):
            disk.settle(path.with_name(path.name + "-wal"))
            migrate(path, disk=disk)
        store = cls(path, disk=disk)
        conn = connect(path, readonly=False, disk=disk)
        if is_threaded:
            shapes.learn()
            store._writer = threading.Thread(
                target=store._write_loop, args=(conn,), name="store-writer", daemon=True
            )
            store._writer.start()
        else:
            store._in_place = conn
        return store

    async def read(
        self, fn: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn(conn, …)` on a reading connection; it sees every finished write."""

        def work() -> T:
            return fn(self._reader(), *args, **kwargs)

        if self._in_place is not None:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._readers, work)

    async def write(
        self, fn: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn(conn, …)` inside the next group commit; answer after the commit is on disk.

        Raises:
            StoreBusy: Too many writes wait; try again later.
            StoreFault: The commit failed; nothing was stored.
            Exception: Whatever `fn` raises; then nothing that it wrote is stored.
        """
        if self._is_closed:
            raise StoreFault("the store is closed")
        job = _Job(lambda conn: fn(conn, *args, **kwargs))
        try:
            self._jobs.put_nowait(job)
        except queue.Full as error:
            raise StoreBusy("the centre has too much to store; try again later") from error
        if self._in_place is not None and not self._is_due:
            self._is_due = True
            job.loop.call_soon(self._commit_in_place, self._in_place)
        result: T = await job.future
        return result

    @property
    def load(self) -> float:
        """Answer how full the queue of writes is, 0 to 1."""
        return self._jobs.qsize() / limits.STORE_QUEUE_MAX

    def close(self) -> None:
        """Finish the writes that wait, stop the threads, close the file."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._writer is not None:
            self._jobs.put(None)
            self._writer.join()
        if self._in_place is not None:
            while not self._jobs.empty():
                self._commit_in_place(self._in_place)
            with writing(self.path, self._disk):
                self._in_place.close()
        self._readers.shutdown()
        for conn in self._opened:
            conn.close()

    def _reader(self) -> sqlite3.Connection:
        conn: sqlite3.Connection | None = getattr(self._local, "conn", None)
        if conn is None:
            conn = connect(self.path, readonly=True, disk=self._disk)
            self._local.conn = conn
            self._opened.append(conn)
        return conn

    def _write_loop(self, conn: sqlite3.Connection) -> None:
        is_open = True
        while is_open:
            first = self._jobs.get()
            jobs, is_open = self._batch(first)
            if jobs:
                self._commit(conn, jobs)
                self._tell(jobs)
        with writing(self.path, self._disk):
            conn.close()

    def _batch(self, first: _Job | None) -> tuple[list[_Job], bool]:
        """Answer the jobs of the next commit, and whether the store stays open."""
        jobs: list[_Job] = []
        job = first
        while job is not None:
            jobs.append(job)
            if len(jobs) == limits.STORE_BATCH_MAX:
                return jobs, True
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return jobs, True
        return jobs, False

    def _commit_in_place(self, conn: sqlite3.Connection) -> None:
        """Commit what one turn of the loop has asked for; for a store without threads."""
        self._is_due = False
        try:
            jobs, _ = self._batch(self._jobs.get_nowait())
        except queue.Empty:
            return
        self._commit(conn, jobs)
        for job in jobs:
            job.tell()
        if not self._jobs.empty() and not self._is_closed:
            self._is_due = True
            jobs[0].loop.call_soon(self._commit_in_place, conn)

    def _commit(self, conn: sqlite3.Connection, jobs: list[_Job]) -> None:
        self.commits += 1
        self.writes += len(jobs)
        try:
            with writing(self.path, self._disk):
                run_batch(conn, jobs)
        except Exception as error:
            # No handle for the lock's file (too many connections, a full disk), a rollback that
            # failed: were the thread to end here, every later write would wait for ever.
            for job in jobs:
                if job.error is None:
                    job.error = StoreFault("the batch was not committed; nothing of it was stored")
                    job.error.__cause__ = error

    @staticmethod
    def _tell(jobs: list[_Job]) -> None:
        def tell_all(done: list[_Job]) -> None:
            for job in done:
                job.tell()

        # One wake-up a loop and batch: waking the loop costs more than resolving a future.
        for loop in {job.loop for job in jobs}:
            mine = [job for job in jobs if job.loop is loop]
            if not loop.is_closed():
                loop.call_soon_threadsafe(tell_all, mine)
