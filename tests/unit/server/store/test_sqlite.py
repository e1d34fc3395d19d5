"""Group commit: shared, durable before it is told, and one failure takes nothing else along."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from server.errors import StoreBusy, StoreFault
from server.store.migrate import migrate
from server.store.sqlite import Store, connect, write_once
from sync import limits


def make_table(conn: sqlite3.Connection) -> None:
    conn.execute("CREATE TABLE notes (word TEXT PRIMARY KEY)")


def add(conn: sqlite3.Connection, word: str) -> str:
    conn.execute("INSERT INTO notes VALUES (?)", (word,))
    return word


def words(conn: sqlite3.Connection) -> list[str]:
    return [row[0] for row in conn.execute("SELECT word FROM notes ORDER BY word")]


@pytest.fixture
async def store(tmp_path: Path):  # type: ignore[no-untyped-def]
    opened = Store.open(tmp_path / "centre.db")
    await opened.write(make_table)
    yield opened
    opened.close()


async def test_many_writes_share_few_commits(store: Store) -> None:
    before = store.commits

    await asyncio.gather(*(store.write(add, f"{n:03d}") for n in range(200)))

    assert await store.read(words) == [f"{n:03d}" for n in range(200)]
    assert store.commits - before < 20


async def test_failing_write_rolls_back_only_itself(store: Store) -> None:
    def add_and_fail(conn: sqlite3.Connection) -> None:
        add(conn, "half")
        raise ValueError("changed my mind")

    results = await asyncio.gather(
        store.write(add, "before"),
        store.write(add_and_fail),
        store.write(add, "before"),
        store.write(add, "after"),
        return_exceptions=True,
    )

    assert results[0] == "before"
    assert isinstance(results[1], ValueError)
    assert isinstance(results[2], sqlite3.IntegrityError)
    assert results[3] == "after"
    assert await store.read(words) == ["after", "before"]


async def test_answer_comes_after_the_commit(store: Store) -> None:
    await store.write(add, "told")

    # A connection of its own sees only what was committed.
    conn = connect(store.path, readonly=True)
    assert words(conn) == ["told"]
    conn.close()


async def test_failed_commit_is_told_to_every_writer(store: Store) -> None:
    def break_the_commit(conn: sqlite3.Connection) -> None:
        # A deferred foreign key fails at COMMIT, like a full disk does.
        conn.execute("CREATE TABLE a (id INTEGER PRIMARY KEY)")
        conn.execute("CREATE TABLE b (a REFERENCES a DEFERRABLE INITIALLY DEFERRED)")
        conn.execute("INSERT INTO b VALUES (1)")

    results = await asyncio.gather(
        store.write(add, "lost"), store.write(break_the_commit), return_exceptions=True
    )

    assert [type(result) for result in results] == [StoreFault, StoreFault]
    assert await store.read(words) == []
    assert await store.write(add, "next") == "next"


async def test_lost_transaction_is_told_to_every_writer(store: Store) -> None:
    def lose_everything(conn: sqlite3.Connection) -> None:
        # What SQLite does by itself on a full disk.
        conn.execute("ROLLBACK")
        raise sqlite3.OperationalError("database or disk is full")

    results = await asyncio.gather(
        store.write(add, "lost"),
        store.write(lose_everything),
        store.write(add, "never ran"),
        return_exceptions=True,
    )

    assert [type(result) for result in results] == [
        StoreFault,
        sqlite3.OperationalError,
        StoreFault,
    ]
    assert await store.read(words) == []


async def test_writer_outlives_a_lock_that_cannot_be_taken(store: Store) -> None:
    """No file handle left, a full disk: nothing is stored then, and later all is well again."""
    lock = Path(f"{store.path}.lock")
    lock.unlink()
    lock.mkdir()

    with pytest.raises(StoreFault):
        await asyncio.wait_for(store.write(add, "lost"), 5)

    lock.rmdir()
    assert await asyncio.wait_for(store.write(add, "kept"), 5) == "kept"
    assert await store.read(words) == ["kept"]


async def test_readers_cannot_write(store: Store) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await store.read(add, "sneaked in")


async def test_full_queue_refuses_instead_of_growing(tmp_path: Path) -> None:
    store = Store(tmp_path / "centre.db")  # its writing thread was never started

    waiting = [asyncio.ensure_future(store.write(words)) for _ in range(limits.STORE_QUEUE_MAX)]
    await asyncio.sleep(0)

    with pytest.raises(StoreBusy):
        await store.write(words)
    assert store.load == 1.0
    for future in waiting:
        future.cancel()


async def test_closed_store_refuses(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "centre.db")
    store.close()

    with pytest.raises(StoreFault):
        await store.write(words)


async def test_command_writes_beside_a_running_store(store: Store) -> None:
    await store.write(add, "centre")

    await asyncio.to_thread(write_once, store.path, add, "command")

    assert await store.read(words) == ["centre", "command"]


async def test_durability_is_what_we_promise(store: Store) -> None:
    def pragmas(conn: sqlite3.Connection) -> tuple[str, int]:
        return (
            conn.execute("PRAGMA journal_mode").fetchone()[0],
            conn.execute("PRAGMA synchronous").fetchone()[0],
        )

    conn = connect(store.path, readonly=False)
    assert pragmas(conn) == ("wal", 2)
    conn.close()


# ---- without threads, as in the simulation


@pytest.fixture
async def in_place(tmp_path: Path):  # type: ignore[no-untyped-def]
    opened = Store.open(tmp_path / "centre.db", is_threaded=False)
    await opened.write(make_table)
    yield opened
    opened.close()


async def test_without_threads_one_turn_of_the_loop_shares_a_commit(in_place: Store) -> None:
    before = in_place.commits
    threads = threading.active_count()

    await asyncio.gather(*(in_place.write(add, f"{n:03d}") for n in range(30)))

    assert await in_place.read(words) == [f"{n:03d}" for n in range(30)]
    assert in_place.commits == before + 1
    assert threading.active_count() == threads


async def test_without_threads_a_batch_has_its_bound(in_place: Store) -> None:
    before = in_place.commits
    count = limits.STORE_BATCH_MAX + 1

    await asyncio.gather(*(in_place.write(add, f"{n:03d}") for n in range(count)))

    assert in_place.commits == before + 2
    assert len(await in_place.read(words)) == count


async def test_without_threads_errors_are_those_of_the_threaded_store(in_place: Store) -> None:
    def lose_everything(conn: sqlite3.Connection) -> None:
        conn.execute("ROLLBACK")
        raise sqlite3.OperationalError("database or disk is full")

    lost = await asyncio.gather(
        in_place.write(add, "lost"), in_place.write(lose_everything), return_exceptions=True
    )
    kept = await asyncio.gather(
        in_place.write(add, "kept"), in_place.write(add, "kept"), return_exceptions=True
    )

    assert [type(result) for result in lost] == [StoreFault, sqlite3.OperationalError]
    assert [kept[0], type(kept[1])] == ["kept", sqlite3.IntegrityError]
    assert await in_place.read(words) == ["kept"]


async def test_without_threads_closing_finishes_what_waits(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "centre.db", is_threaded=False)
    await store.write(make_table)
    waiting = asyncio.ensure_future(store.write(add, "last"))
    await asyncio.sleep(0)

    store.close()

    assert await waiting == "last"
    with pytest.raises(StoreFault):
        await store.write(add, "too late")
    conn = connect(tmp_path / "centre.db", readonly=True)
    assert words(conn) == ["last"]
    conn.close()


CHILD = """
import asyncio, sqlite3, sys
from pathlib import Path
from server.store.sqlite import Store

def add(conn, n):
    conn.execute("INSERT INTO notes VALUES (?)", (n,))

async def main():
    store = Store.open(Path(sys.argv[1]))
    async def one(n):
        await store.write(add, n)
        print(n, flush=True)
    n = 0
    while True:
        await asyncio.gather(*(one(n + i) for i in range(8)))
        n += 8

asyncio.run(main())
"""


def test_nothing_told_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "centre.db"
    migrate(path)
    write_once(path, make_table)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    told = [int(child.stdout.readline()) for _ in range(40)]

    os.kill(child.pid, signal.SIGKILL)
    rest = child.stdout.read().split()
    child.wait()

    conn = connect(path, readonly=True)
    stored = {int(row[0]) for row in conn.execute("SELECT word FROM notes")}
    check = conn.execute("PRAGMA integrity_check").fetchone()[0]
    conn.close()
    assert {*told, *map(int, rest)} <= stored
    assert check == "ok"
