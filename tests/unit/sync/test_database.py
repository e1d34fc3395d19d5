"""The store's file: one owner, durable, and damage is survived without forgetting."""

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlite_utils

from sync import outbox, standing
from sync.clock import SeededEntropy
from sync.database import (
    AlreadyRunning,
    DiskFull,
    StorageFailed,
    WrongLibrary,
    immediate,
    library_version,
    open_database,
)
from sync.limits import SALVAGE_SEQ_GAP
from sync.sealing import SealingPublic, generate_sealing_key
from sync.signing import DeviceKeys
from tests.unit.sync.worlds import BALLAST_BYTES, opened, photo, submitted

KEYS = DeviceKeys.generate(SeededEntropy(7))
SEALING = SealingPublic(key_id=1, raw=generate_sealing_key(SeededEntropy(8))[1])


def test_open_sets_what_a_receipt_relies_on(tmp_path: Path) -> None:
    database = opened(tmp_path)

    answers = {
        name: database.conn.conn.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "integrity_check")
    }
    assert answers == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "integrity_check": "ok",
    }
    assert database.ballast_path.stat().st_size == BALLAST_BYTES
    assert database.path.stat().st_mode & 0o777 == 0o600
    assert database.has_room()


def test_sqlite_utils_uses_the_one_sqlite_library() -> None:
    assert sqlite_utils.utils.sqlite3 is sqlite3  # type: ignore[attr-defined]  # its own import


def test_second_library_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pysqlite3", sqlite3)

    with pytest.raises(WrongLibrary):
        opened(tmp_path)


def test_second_program_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    first = opened(tmp_path)

    with pytest.raises(AlreadyRunning):
        opened(tmp_path)
    first.close()
    opened(tmp_path).close()


def test_migrations_run_once(tmp_path: Path) -> None:
    opened(tmp_path).close()
    database = opened(tmp_path)

    names = database.conn.conn.execute("SELECT name FROM _sqlite_migrations").fetchall()
    assert names[0] == ("m001_outbox",)
    assert len(set(names)) == len(names)


async def test_write_commits_or_changes_nothing(tmp_path: Path) -> None:
    database = open_database(tmp_path / "kiosk.db", ballast_bytes=BALLAST_BYTES)

    def half(db: sqlite_utils.Database) -> None:
        outbox.remember_person(db, b"tag", "004200000188")
        raise RuntimeError("crash")

    with pytest.raises(RuntimeError, match="crash"):
        await database.write(half)
    await database.write(outbox.remember_person, b"other", "004200000188")

    rows = await database.run(lambda db: db.conn.execute("SELECT tag FROM person").fetchall())
    assert rows == [(b"other",)]
    database.close()


async def test_work_from_many_tasks_runs_in_order_on_one_thread(tmp_path: Path) -> None:
    database = open_database(tmp_path / "kiosk.db", ballast_bytes=BALLAST_BYTES)

    boots = await asyncio.gather(*(database.write(standing.count_boot) for _ in range(20)))

    assert boots == list(range(1, 21))
    database.close()


async def test_full_disk_stores_nothing_and_frees_the_ballast(tmp_path: Path) -> None:
    database = opened(tmp_path)
    submitted(database, KEYS, SEALING, 1)
    pages = database.conn.conn.execute("PRAGMA page_count").fetchone()[0]
    database.conn.conn.execute(f"PRAGMA max_page_count = {pages}").fetchone()

    def submit(db: sqlite_utils.Database) -> None:
        outbox.submit(
            db,
            keys=KEYS,
            sealing=SEALING,
            catalogue_version=1,
            body=bytes(96),
            attachments=(photo(0, 100_000),),
            transaction_id=b"sixteen bytes id",
            service="s",
            kiosk_no=42,
            now_ms=1,
        )

    with pytest.raises(DiskFull):
        await database.write(submit)

    assert outbox.receipt_of(database.conn, b"sixteen bytes id") is None
    assert outbox.head(database.conn)[0] == 1
    assert not database.ballast_path.exists()
    assert not database.has_room()
    assert database.restore_ballast()
    assert database.has_room()


async def test_opening_and_checking_a_store_writes_nothing_to_it(tmp_path: Path) -> None:
    """Else a file that is damaged would be written to before it is set aside."""
    opened(tmp_path).close()
    before = (tmp_path / "kiosk.db").read_bytes()

    opened(tmp_path).close()

    assert (tmp_path / "kiosk.db").read_bytes() == before


async def test_room_of_large_photos_is_given_back_within_the_ballast(tmp_path: Path) -> None:
    """32 photos in one commit are 16 MB; what frees them must not need as much first."""
    database = opened(tmp_path, KEYS)
    picture = photo(0, 500_000)
    for number in range(1, 33):
        submitted(database, KEYS, SEALING, number, (picture,))
    database.conn.conn.execute("UPDATE attachment SET state = 'settled', settled_ms = 1")
    await database.give_back()
    log = tmp_path / "kiosk.db-wal"

    assert await database.write(outbox.make_room) == 32
    assert log.stat().st_size < 1024 * 1024
    await database.give_back()

    assert log.stat().st_size == 0
    assert database.path.stat().st_size < 1024 * 1024
    database.close()


async def test_failure_while_opening_lets_go_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "kiosk.db").mkdir()

    with pytest.raises(StorageFailed):
        opened(tmp_path)

    (tmp_path / "kiosk.db").rmdir()
    opened(tmp_path).close()


def damage(path: Path, first: int, last: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[first:last] = bytes(255 - octet for octet in raw[first:last])
    path.write_bytes(raw)


def test_file_that_is_no_database_is_set_aside_and_kept(tmp_path: Path) -> None:
    (tmp_path / "kiosk.db").write_bytes(b"not a database" * 1000)

    database = opened(tmp_path, KEYS)

    assert database.set_aside == (tmp_path / "kiosk.db.damaged-1",)
    assert database.set_aside[0].read_bytes() == b"not a database" * 1000
    assert submitted(database, KEYS, SEALING, 1).seq == 1 + SALVAGE_SEQ_GAP


@pytest.mark.parametrize("page", range(1, 40, 4))
def test_damaged_page_costs_no_readable_envelope_and_no_number(tmp_path: Path, page: int) -> None:
    database = opened(tmp_path, KEYS)
    receipts = [
        submitted(database, KEYS, SEALING, number, (photo(0, 300),)) for number in range(1, 121)
    ]
    database.conn.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    size = database.conn.conn.execute("PRAGMA page_size").fetchone()[0]
    database.close()
    damage(database.path, (page - 1) * size, page * size)

    again = opened(tmp_path, KEYS)

    # A page holds about 15 of the 120 envelopes, or 62 of the receipts, whose numbers follow
    # from the envelopes; only the damaged page may be missing.
    assert outbox.waiting(again.conn).count >= 100
    known = [r for r in receipts if outbox.receipt_of_case(again.conn, r.case_no)]
    assert len(known) >= 100
    again_told = [outbox.receipt_of(again.conn, receipt.transaction_id) for receipt in receipts]
    assert len([receipt for receipt in again_told if receipt in receipts]) >= 55
    assert submitted(again, KEYS, SEALING, 999).seq > receipts[-1].seq
    assert again.conn.conn.execute("PRAGMA quick_check").fetchone() == ("ok",)
    again.close()


def test_salvage_leaves_out_what_the_device_did_not_sign(tmp_path: Path) -> None:
    database = opened(tmp_path, KEYS)
    submitted(database, KEYS, SEALING, 1)
    submitted(database, KEYS, SEALING, 2)
    with immediate(database.conn) as db:
        db.conn.execute("UPDATE outbox SET signature = zeroblob(64) WHERE seq = 2")
    database.conn.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    # A page that nothing of the outbox lies on: the last index.
    root = database.conn.conn.execute(
        "SELECT rootpage FROM sqlite_master WHERE name = 'notice_case'"
    ).fetchone()[0]
    size = database.conn.conn.execute("PRAGMA page_size").fetchone()[0]
    database.close()
    damage(database.path, (root - 1) * size, root * size)

    again = opened(tmp_path, KEYS)

    assert again.set_aside
    assert again.conn.conn.execute("SELECT seq FROM outbox").fetchall() == [(1,)]


def test_salvage_that_was_cut_off_is_done_at_the_next_start(tmp_path: Path) -> None:
    database = opened(tmp_path, KEYS)
    receipt = submitted(database, KEYS, SEALING, 1)
    database.close()
    # The state after a power cut between setting aside and salvaging.
    for suffix in ("-wal", "-shm", ""):
        source = tmp_path / f"kiosk.db{suffix}"
        if source.exists():
            source.rename(tmp_path / f"kiosk.db.damaged-1{suffix}")

    again = opened(tmp_path, KEYS)

    assert outbox.receipt_of(again.conn, receipt.transaction_id) == receipt
    assert outbox.waiting(again.conn).count == 1


def test_salvage_happens_once(tmp_path: Path) -> None:
    (tmp_path / "kiosk.db").write_bytes(b"not a database" * 1000)
    database = opened(tmp_path, KEYS)
    receipts = [submitted(database, KEYS, SEALING, number) for number in (1, 2)]
    database.close()

    again = opened(tmp_path, KEYS)

    assert submitted(again, KEYS, SEALING, 3).seq == receipts[-1].seq + 1


def test_store_of_a_former_identity_is_kept_apart(tmp_path: Path) -> None:
    database = opened(tmp_path, KEYS)
    former = submitted(database, KEYS, SEALING, 1)
    database.close()
    keys = DeviceKeys.generate(SeededEntropy(77))

    again = opened(tmp_path, keys)

    aside = tmp_path / "kiosk.db.former-1"
    assert again.set_aside == (aside,)
    assert submitted(again, keys, SEALING, 2).seq == 1
    kept = sqlite3.connect(aside)
    assert kept.execute("SELECT seq FROM outbox").fetchall() == [(former.seq,)]
    kept.close()


def test_library_version_is_told_for_the_doctor() -> None:
    version, is_safe = library_version()

    assert version == sqlite3.sqlite_version
    assert is_safe == (sqlite3.sqlite_version_info >= (3, 51, 3))


def test_kill_at_any_time_loses_no_told_receipt(tmp_path: Path) -> None:
    """A child process tells each receipt after its commit and is killed while it works."""
    script = (
        "import sys; from pathlib import Path\n"
        "from tests.unit.sync.test_database import KEYS, SEALING, opened, submitted\n"
        "database = opened(Path(sys.argv[1]), KEYS)\n"
        "for number in range(1, 100000):\n"
        "    print(submitted(database, KEYS, SEALING, number).case_no, flush=True)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    told = [child.stdout.readline().strip() for _ in range(50)]
    child.kill()
    told += [line.strip() for line in child.stdout if len(line.strip()) == 12]
    child.wait()
    child.stdout.close()

    database = opened(tmp_path, KEYS)

    assert all(outbox.receipt_of_case(database.conn, case_no) for case_no in told)
    head_seq, _ = outbox.head(database.conn)
    seqs = database.conn.conn.execute("SELECT seq FROM outbox ORDER BY seq").fetchall()
    assert seqs == [(seq,) for seq in range(1, head_seq + 1)]


async def test_cursor_that_a_failed_read_left_open_costs_nobody_the_exchange(
    tmp_path: Path,
) -> None:
    """The traceback of a failed read keeps its cursor, and the log cannot be emptied then."""
    database = opened(tmp_path, KEYS)
    submitted(database, KEYS, SEALING, 1)
    left_open = database.conn.conn.execute("SELECT name FROM sqlite_master")
    left_open.fetchone()

    await database.give_back()
    left_open.close()
    await database.give_back()

    assert (tmp_path / "kiosk.db-wal").stat().st_size == 0
    database.close()
