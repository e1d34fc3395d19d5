"""The SQLite store: one thread that writes in group commits, a few that read.

WAL with `synchronous=FULL`: a future is resolved only after the commit that holds its write is
on disk (docs/decisions; research: WAL with NORMAL lost acknowledged rows in 318 of 400 power
cuts). Many writes share one commit, each in a savepoint of its own, so that one that fails takes
nothing else with it.
"""

import asyncio
import fcntl
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from server.errors import StoreBusy, StoreFault
from server.store.migrate import migrate
from sync import limits

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


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Be the only process that writes or checkpoints this database.

    SQLite before 3.51.3 can damage a file when two connections write and checkpoint at the same
    instant. The commands (`publish`, `code`, …) work beside a running centre, so both take this
    lock around each of their transactions.
    """
    descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


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


def connect(path: Path, *, readonly: bool) -> sqlite3.Connection:
    """Open the database with the settings that the promises of durability need.

    Args:
        path: The database file.
        readonly: A reader: it can neither write nor checkpoint.
    """
    conn = sqlite3.connect(
        path, isolation_level=None, timeout=limits.STORE_BUSY_S, check_same_thread=False
    )
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

    Open it with `Store.open`; close it before the loop ends.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._jobs: queue.Queue[_Job | None] = queue.Queue(limits.STORE_QUEUE_MAX)
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._readers = ThreadPoolExecutor(limits.STORE_READERS, "store-reader")
        self._writer = threading.Thread(target=self._write_loop, name="store-writer", daemon=True)
        self._is_closed = False
        #: Commits and writes so far: their ratio shows how well commits are shared.
        self.commits = 0
        self.writes = 0

    @classmethod
    def open(cls, path: Path) -> "Store":
        """Open (or make) the database, bring its tables up to date, start the threads.

        Raises:
            StoreFault: The file is damaged, or newer than this program.
        """
        with writing(path):
            migrate(path)
        store = cls(path)
        store._writer.start()
        return store

    async def read(
        self, fn: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn(conn, …)` on a reading connection; it sees every finished write."""

        def work() -> T:
            return fn(self._reader(), *args, **kwargs)

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
        self._jobs.put(None)
        self._writer.join()
        self._readers.shutdown()
        for conn in self._opened:
            conn.close()

    def _reader(self) -> sqlite3.Connection:
        conn: sqlite3.Connection | None = getattr(self._local, "conn", None)
        if conn is None:
            conn = connect(self.path, readonly=True)
            self._local.conn = conn
            self._opened.append(conn)
        return conn

    def _write_loop(self) -> None:
        conn = connect(self.path, readonly=False)
        is_open = True
        while is_open:
            first = self._jobs.get()
            if first is None:
                break
            jobs = [first]
            while len(jobs) < limits.STORE_BATCH_MAX:
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if job is None:
                    is_open = False
                    break
                jobs.append(job)
            self._commit(conn, jobs)
            self.commits += 1
            self.writes += len(jobs)
            self._tell(jobs)
        with writing(self.path):
            conn.close()

    def _commit(self, conn: sqlite3.Connection, jobs: list[_Job]) -> None:
        try:
            with writing(self.path):
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
