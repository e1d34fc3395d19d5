"""The simulated disk is like the real one while nothing fails, and honest about what it loses."""

import errno
import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from sync.disk import SYSTEM_DISK, Disk
from tests.simulation.disk import CARELESS, ORDERLY, Crashed, Habits, SimDisk

PATH = Path("/station/store.db")


def connected(disk: Disk, path: Path = PATH) -> sqlite3.Connection:
    disk.make_directory(path.parent)
    conn = disk.connect(path)
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("PRAGMA synchronous = FULL")
    return conn


def work(conn: sqlite3.Connection, first: int = 0, count: int = 40) -> None:
    conn.execute("CREATE TABLE IF NOT EXISTS note (word TEXT PRIMARY KEY, body BLOB)")
    conn.execute("PRAGMA wal_autocheckpoint = 20")
    for number in range(first, first + count):
        conn.execute("BEGIN IMMEDIATE")
        conn.execute("INSERT INTO note VALUES (?, ?)", (f"{number:05d}", bytes(number * 37 % 3000)))
        if number % 5 == 4:
            conn.execute("DELETE FROM note WHERE word = ?", (f"{number - 3:05d}",))
        conn.execute("COMMIT")


def words(conn: sqlite3.Connection) -> list[str]:
    return [row[0] for row in conn.execute("SELECT word FROM note ORDER BY word")]


def test_a_store_comes_out_byte_by_byte_as_on_the_real_disk(tmp_path: Path) -> None:
    disk = SimDisk(Random(1))
    for place, path in ((disk, PATH), (SYSTEM_DISK, tmp_path / "store.db")):
        conn = connected(place, path)
        work(conn)
        conn.close()

    real = (tmp_path / "store.db").read_bytes()
    assert len(real) > 10 * 4096
    assert disk.read(PATH) == real
    assert {path.name for path in disk.named(PATH.parent, "")} == {"store.db"}


def test_the_same_seed_makes_the_same_calls_and_leaves_the_same_bytes() -> None:
    def run(seed: int) -> tuple[list[str], dict[str, bytes]]:
        disk = SimDisk(Random(seed), is_traced=True)
        conn = connected(disk)
        work(conn)
        disk.crash_after(100)
        with pytest.raises(Crashed):
            work(conn, 40, 1000)
        disk.power_cut()
        work(connected(disk), 2000)
        return disk.trace, dict(disk.snapshot().files)

    assert run(3) == run(3)
    assert run(3) != run(4)


def test_calls_of_one_disk_do_not_depend_on_another() -> None:
    def run(others: int) -> list[str]:
        disk = SimDisk(Random(5), is_traced=True)
        conn = connected(disk)
        for number in range(others):
            work(connected(SimDisk(Random(number))))
        work(conn)
        return disk.trace

    assert run(0) == run(3)


def test_what_was_not_synced_may_be_lost_and_the_rest_never_is() -> None:
    lost = 0
    for seed in range(40):
        disk = SimDisk(Random(seed), habits=ORDERLY)
        conn = connected(disk)
        work(conn)
        conn.execute("PRAGMA synchronous = NORMAL")
        work(conn, 40, 5)

        disk.power_cut()

        left = words(connected(disk))
        assert left[:32] == [f"{n:05d}" for n in range(40) if n % 5 != 1]
        lost += len(left) < 36
    assert 5 < lost < 40


def test_a_dead_process_leaves_all_that_it_wrote() -> None:
    disk = SimDisk(Random(1))
    conn = connected(disk)
    conn.execute("PRAGMA synchronous = OFF")
    work(conn)

    disk.crash()

    assert len(words(connected(disk))) == 32


def test_the_dead_stay_dead() -> None:
    disk = SimDisk(Random(1))
    conn = connected(disk)
    work(conn)
    notes: list[int] = []
    disk.on_death = lambda: notes.append(disk.calls)
    disk.crash_after(7)
    before = disk.calls

    with pytest.raises(Crashed):
        work(conn, 100)
    with pytest.raises(Crashed):
        disk.exists(PATH)
    disk.crash()
    with pytest.raises(Crashed):
        words(conn)
    conn.close()

    assert notes == [before + 7]
    assert words(connected(disk))[:32] == [f"{n:05d}" for n in range(40) if n % 5 != 1]


def test_one_process_of_two_can_die_alone() -> None:
    disk = SimDisk(Random(1))
    conn = connected(disk)
    work(conn)
    vault = disk.process("vault")
    other = connected(vault)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        conn.execute("BEGIN IMMEDIATE")

    disk.crash("vault")

    work(conn, 40)
    with pytest.raises(Crashed):
        words(other)


def test_readers_see_commits_and_block_nobody() -> None:
    disk = SimDisk(Random(1))
    writer = connected(disk)
    work(writer)
    reader = disk.connect(PATH, is_readonly=True)
    reader.execute("BEGIN")
    before = words(reader)
    work(writer, 40)

    assert words(reader) == before
    reader.execute("COMMIT")
    assert len(words(reader)) == 64
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM note")


@pytest.mark.parametrize(
    ("habits", "is_kept"),
    [
        (CARELESS, {True, False}),
        (Habits(orders_names=True, library_syncs_directories=False), {True}),
    ],
)
def test_a_name_taken_away_may_come_back_until_it_is_synced(
    habits: Habits, is_kept: set[bool]
) -> None:
    found = set()
    for seed in range(40):
        disk = SimDisk(Random(seed), habits=habits)
        disk.write_whole(Path("/a"), b"first")
        disk.unlink(Path("/a"))
        disk.write_whole(Path("/other/b"), b"second")

        disk.power_cut()

        assert disk.read(Path("/other/b")) == b"second"
        found.add(not disk.exists(Path("/a")))
    assert found == is_kept


def test_a_file_written_whole_is_old_or_new_after_any_cut() -> None:
    seen = set()
    for seed in range(60):
        for call in range(1, 7):
            disk = SimDisk(Random(seed))
            disk.write_whole(Path("/keys"), b"old" * 900)
            disk.crash_after(call)
            try:
                disk.write_whole(Path("/keys"), b"new" * 900)
                is_done = True
            except Crashed:
                is_done = False
            disk.power_cut()

            raw = disk.read(Path("/keys"))
            assert raw in (b"old" * 900, b"new" * 900)
            assert raw[:3] == b"new" or not is_done
            seen.add((is_done, raw[:3]))
    assert seen == {(False, b"old"), (False, b"new"), (True, b"new")}


def test_a_full_disk_refuses_and_goes_on_when_there_is_room() -> None:
    disk = SimDisk(Random(1))
    conn = connected(disk)
    work(conn)
    disk.allocate(Path("/station/ballast"), 50_000)
    disk.capacity_bytes = disk.used_bytes + 9_000

    with pytest.raises(sqlite3.OperationalError) as refusal:
        work(conn, 40)
    conn.execute("ROLLBACK") if conn.in_transaction else None
    disk.unlink(Path("/station/ballast"))

    assert refusal.value.sqlite_errorcode == sqlite3.SQLITE_FULL
    work(conn, 100, 5)
    with pytest.raises(OSError, match="no room"):
        disk.allocate(Path("/station/ballast"), 50_000)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("write", sqlite3.SQLITE_IOERR_WRITE),
        ("sync", sqlite3.SQLITE_IOERR_FSYNC),
        ("read", sqlite3.SQLITE_IOERR_READ),
    ],
)
def test_an_error_comes_once_with_sqlites_own_code(kind: str, code: int) -> None:
    disk = SimDisk(Random(1))
    conn = connected(disk)
    work(conn)
    conn.execute("PRAGMA cache_size = 1")
    disk.fail(kind, 2)  # type: ignore[arg-type]  # parametrized

    def read_and_write() -> None:
        for number in range(40, 49):
            words(conn)
            work(conn, number, 1)

    with pytest.raises(sqlite3.OperationalError) as failure:
        read_and_write()
    conn.execute("ROLLBACK") if conn.in_transaction else None

    assert failure.value.sqlite_errorcode == code
    work(conn, 50)


def test_a_failed_sync_loses_what_it_was_to_keep_though_it_can_still_be_read() -> None:
    lost = 0
    for seed in range(20):
        disk = SimDisk(Random(seed))
        conn = connected(disk)
        work(conn)
        handle = next(h for h in disk.handles if h.path.endswith("-wal"))
        handle.write(0, b"x" * 8192)
        disk.fail("sync")
        with pytest.raises(OSError, match="does not answer"):
            handle.sync()
        handle.sync()

        assert handle.read(0, 8192) == b"x" * 8192
        disk.power_cut()
        lost += disk.read(Path("/station/store.db-wal"))[:8192] != b"x" * 8192
    assert 5 < lost < 20


def test_a_read_only_disk_still_reads() -> None:
    disk = SimDisk(Random(1))
    conn = connected(disk)
    work(conn)
    disk.is_read_only = True

    with pytest.raises(sqlite3.OperationalError):
        work(conn, 40, 1)
    assert len(words(conn)) == 32
    disk.heal()
    work(conn, 40)
    assert len(words(conn)) == 64


@pytest.mark.parametrize("take", [SimDisk.crash, SimDisk.power_cut])
def test_images_are_kept_restored_and_cloned(take: Callable[[SimDisk], None]) -> None:
    disk = SimDisk(Random(1))
    work(connected(disk))
    image = disk.snapshot()
    twin = disk.clone(Random(2))
    work(connected(disk), 40)
    take(disk)

    disk.restore(image)

    assert len(words(connected(disk))) == 32
    work(connected(twin), 40, 5)
    assert len(words(connected(twin))) == 36
    assert len(words(connected(disk))) == 32


def test_damage_at_rest_is_read_back() -> None:
    disk = SimDisk(Random(1))
    conn = connected(disk)
    work(conn)
    conn.close()

    disk.corrupt(PATH, 3 * 4096, 4 * 4096)

    with pytest.raises(sqlite3.DatabaseError, match="malformed"):
        connected(disk).execute("SELECT body FROM note").fetchall()


def test_contents_hold_what_was_deleted_and_what_was_not_synced() -> None:
    disk = SimDisk(Random(1))
    conn = connected(disk)
    work(conn)
    conn.execute("PRAGMA synchronous = OFF")
    conn.execute("INSERT INTO note VALUES ('tag-of-a-resident', x'')")
    disk.write_whole(Path("/draft"), b"tag-of-a-draft")
    disk.unlink(Path("/draft"))

    found = b"".join(disk.contents())

    assert b"tag-of-a-resident" in found
    assert b"tag-of-a-draft" in found
    assert b"tag-of-nobody" not in found


def test_locks_of_a_store_are_exclusive_and_end_with_the_process() -> None:
    disk = SimDisk(Random(1))
    held = disk.lock(Path("/station/store.db.lock"), is_waiting=False)
    with pytest.raises(BlockingIOError):
        disk.lock(Path("/station/store.db.lock"), is_waiting=False)

    disk.crash()
    again = disk.lock(Path("/station/store.db.lock"), is_waiting=False)
    held.release()

    with pytest.raises(BlockingIOError):
        disk.lock(Path("/station/store.db.lock"), is_waiting=False)
    again.release()


def test_errors_are_those_of_the_operating_system() -> None:
    disk = SimDisk(Random(1))
    disk.write_whole(Path("/a"), b"a")

    with pytest.raises(FileNotFoundError):
        disk.read(Path("/b"))
    with pytest.raises(FileExistsError):
        disk.link(Path("/a"), Path("/a"))
    disk.is_read_only = True
    with pytest.raises(OSError, match="read-only") as refusal:
        disk.unlink(Path("/a"))
    assert refusal.value.errno == errno.EROFS
