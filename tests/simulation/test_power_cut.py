"""What a resident was told survives whatever the disk does: production stores, simulated disk.

Rows 8 to 14 and 16 of the fault table (docs/guarantees.md). "Told" is what came back from the
commit; each life of a store has several cuts, and what was told before any of them is looked for
after each.
"""

import asyncio
import contextlib
import hashlib
import itertools
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from random import Random

import pytest
from sqlite_utils import Database as Tables

from server.errors import StoreFault
from server.store.sqlite import Store, connect
from sync import outbox
from sync.clock import SeededEntropy
from sync.database import Database, DiskFull, StorageFailed, immediate, open_database
from sync.limits import ATTACHMENT_BYTES_MAX
from sync.limits import BALLAST_BYTES as BALLAST_BYTES_REAL
from sync.records import Receipt
from sync.sealing import SealingPublic, generate_sealing_key
from sync.signing import DeviceKeys
from sync.wire import bytes_hash, decode_envelope
from tests.simulation.disk import CARELESS, ORDERLY, Crashed, Habits, SimDisk, Snapshot
from tests.unit.sync.worlds import START_MS, submitted
from tests.unit.sync.worlds import photo as photo_of

PATH = Path("/var/lib/bianmin/kiosk.db")
CENTRE = Path("/var/lib/bianmin/centre.db")
KEYS = DeviceKeys.generate(SeededEntropy(7))
SEALING = SealingPublic(key_id=1, raw=generate_sealing_key(SeededEntropy(8))[1])
BALLAST_BYTES = 64 * 1024
CALLS_MAX = 400  # between two cuts: opening takes 1 to 80 changing calls, a submission 13
FAULTS = ("sync", "write", "truncate", "directory", "unlink")

photo = lru_cache(photo_of)

Told = dict[int, Receipt]
"""Receipts by the number of the made-up transaction."""


def opened(disk: SimDisk) -> Database:
    return open_database(
        PATH,
        device_public=KEYS.sign_public,
        ballast_bytes=BALLAST_BYTES,
        is_threaded=False,
        disk=disk,
    )


def holds(database: Database, told: Told) -> None:
    """Make sure that the store is sound and holds all that was told, with its envelopes."""
    conn = database.conn.conn
    assert conn.execute("PRAGMA quick_check").fetchall() == [("ok",)]
    held = {number: outbox.receipt_of(database.conn, number.to_bytes(16, "big")) for number in told}
    assert held == told
    seqs = {seq for (seq,) in conn.execute("SELECT seq FROM outbox")}
    assert seqs >= {receipt.seq for receipt in told.values()}


def stays(database: Database, told: Told) -> None:
    """Make sure of that, and that the chain of the envelopes is unbroken."""
    holds(database, told)
    conn = database.conn.conn
    head_seq, head_hash = outbox.head(database.conn)
    last, count = bytes(8), 0
    for (raw,) in conn.execute("SELECT envelope FROM outbox ORDER BY seq"):
        count += 1
        header = decode_envelope(raw).header
        assert (header.seq, header.prev) == (count, last)
        last = bytes_hash(raw)
    assert (head_seq, head_hash) == (count, last)


def live(database: Database, random: Random, told: Told) -> None:
    """Serve residents until something happens; add to `told` what they were told."""
    # Checkpoints come all 1,000 pages in production; here often, since they are where it hurts.
    database.conn.conn.execute(f"PRAGMA wal_autocheckpoint = {random.choice((7, 40, 1000))}")
    while True:
        number = len(told) + random.randrange(3)  # a transaction that failed is tried again
        pictures = (photo(0, random.randrange(1, 9) * 1000),) if random.random() < 0.1 else ()
        told[number] = submitted(database, KEYS, SEALING, number, pictures)
        if random.random() < 0.05:
            with immediate(database.conn) as db:
                db.conn.execute("UPDATE attachment SET state = 'settled', settled_ms = 1")
                outbox.make_room(db)
            asyncio.run(database.give_back())
        elif random.random() < 0.05:
            database.conn.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def cut(disk: SimDisk, random: Random, told: Told, work: Callable[[], None]) -> None:
    """Let the power go at a call of chance while `work` goes on, then look at what is left."""
    disk.crash_after(random.randrange(1, CALLS_MAX))
    with pytest.raises(Crashed):
        work()
    disk.power_cut() if random.random() < 0.8 else disk.crash()
    database = opened(disk)
    stays(database, told)
    assert database.set_aside == ()
    database.close()


def outlived(seed: int, cuts: int, disk: SimDisk | None = None) -> Told:
    """Let one kiosk live through as many cuts; answer what its residents were told."""
    random = Random(seed)
    disk = disk or SimDisk(random)
    told: Told = {}
    for _ in range(cuts):
        cut(disk, random, told, lambda: live(opened(disk), random, told))
    return told


CUTS_IN_A_LIFE = 5


@pytest.mark.parametrize("first", [0, 10, 20, 30])
def test_no_told_receipt_is_lost_in_any_power_cut(first: int) -> None:
    told = [outlived(seed, CUTS_IN_A_LIFE) for seed in range(first, first + 10)]

    assert sum(map(len, told)) > 200  # else nothing was tried


@pytest.mark.deep
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("first", range(1_000, 5_000, 500))
def test_no_told_receipt_is_lost_in_20000_power_cuts(first: int) -> None:
    told = [outlived(seed, CUTS_IN_A_LIFE) for seed in range(first, first + 500)]

    assert sum(map(len, told)) > 10_000


def fell(run: Callable[[int], object], seeds: range) -> int:
    """Count the seeds in which something that was told was lost."""
    count = 0
    for seed in seeds:
        try:
            run(seed)
        except (AssertionError, sqlite3.DatabaseError, StorageFailed):
            count += 1
    return count


def test_the_search_finds_a_weaker_synchronous(monkeypatch: pytest.MonkeyPatch) -> None:
    """With NORMAL, what tutorials recommend, the same lives lose what was told."""
    careful = opened

    def hasty(disk: SimDisk) -> Database:
        database = careful(disk)
        database.conn.conn.execute("PRAGMA synchronous = NORMAL")
        return database

    monkeypatch.setitem(globals(), "opened", hasty)

    assert fell(lambda seed: outlived(seed, 2), range(20)) >= 3


class Forgetful(SimDisk):
    """A disk on which nobody syncs a directory."""

    def sync_directory(self, path: Path) -> None:
        """Nothing becomes durable."""


def first_receipts(disk: SimDisk, random: Random) -> None:
    """Cut the power soon after a store was made; its first receipts stay."""
    told: Told = {}
    database = opened(disk)
    for number in range(random.randrange(1, 4)):
        told[number] = submitted(database, KEYS, SEALING, number)
        if random.random() < 0.5:
            # What the log held is in the file itself, and the log is empty.
            asyncio.run(database.give_back())
    disk.power_cut()
    stays(opened(disk), told)
    disk.crash()


def test_no_empty_store_comes_back_after_the_first_receipt() -> None:
    for seed in range(40):
        random = Random(seed)
        first_receipts(SimDisk(random, habits=CARELESS), random)


def test_the_search_finds_a_directory_that_was_not_synced() -> None:
    def run(seed: int) -> None:
        random = Random(seed)
        first_receipts(Forgetful(random, habits=CARELESS), random)

    assert fell(run, range(20)) >= 5


def made(habits: Habits, step: int) -> None:
    """Let the making of a store end at each call of so many, then make it again."""
    whole = SimDisk(Random(0), habits=habits)
    opened(whole)
    for call in range(1, whole.calls + 1, step):
        disk = SimDisk(Random(call), habits=habits)
        disk.crash_after(call)
        with pytest.raises(Crashed):
            opened(disk)
        disk.power_cut()

        database = opened(disk)

        assert submitted(database, KEYS, SEALING, 1).seq == 1
        assert database.set_aside == ()
        disk.crash()


@pytest.mark.parametrize("habits", [CARELESS, ORDERLY])
def test_a_store_can_be_made_whatever_call_of_its_making_was_the_last(habits: Habits) -> None:
    made(habits, step=5)


@pytest.mark.deep
@pytest.mark.parametrize("habits", [CARELESS, ORDERLY])
def test_a_store_can_be_made_at_each_call_of_its_making(habits: Habits) -> None:
    made(habits, step=1)


def retried(database: Database, number: int, told: Told) -> None:
    """Submit as the kiosk does: after a failure look the transaction up, then try once more."""
    with contextlib.suppress(StorageFailed):
        told[number] = submitted(database, KEYS, SEALING, number)
        return
    receipt = outbox.receipt_of(database.conn, number.to_bytes(16, "big"))
    with contextlib.suppress(StorageFailed):
        told[number] = receipt or submitted(database, KEYS, SEALING, number)


def faltering(seed: int) -> int:
    """Live with errors of the disk, each once, and two power cuts; answer how many came."""
    random = Random(seed)
    disk = SimDisk(random)
    told: Told = {}
    number = failed = 0
    for _ in range(2):
        database = opened(disk)
        database.conn.conn.execute(f"PRAGMA wal_autocheckpoint = {random.choice((7, 40, 1000))}")
        for _ in range(12):
            kind = random.choice(FAULTS)
            disk.fail(kind, random.randrange(1, 30))  # type: ignore[arg-type]  # one of them
            number += 1
            retried(database, number, told)
            failed += kind not in disk.failures
            if random.random() < 0.3:
                # As after fault 10: let go of everything, by oneself or killed; look again.
                if random.random() < 0.5:
                    disk.crash()
                else:
                    with contextlib.suppress(sqlite3.Error):
                        database.close()
                disk.failures.clear()
                database = opened(disk)
                stays(database, told)
        disk.failures.clear()
        disk.power_cut()
        stays(opened(disk), told)
        disk.crash()
    return failed


def test_a_sync_or_write_that_fails_once_costs_nothing_that_was_told() -> None:
    assert sum(faltering(seed) for seed in range(12)) > 25


@pytest.mark.deep
@pytest.mark.timeout(600)
def test_failing_calls_cost_nothing_that_was_told_in_many_lives() -> None:
    assert sum(faltering(seed) for seed in range(1_000, 2_000)) > 2_000


def test_a_failed_commit_is_not_there_when_it_is_looked_up() -> None:
    """Row 10: told that it was not stored, the resident finds nothing, and may try again."""
    disk = SimDisk(Random(1))
    database = opened(disk)
    submitted(database, KEYS, SEALING, 1)
    disk.fail("sync")

    with pytest.raises(StorageFailed):
        submitted(database, KEYS, SEALING, 2)

    assert outbox.receipt_of(database.conn, (2).to_bytes(16, "big")) is None
    again = submitted(database, KEYS, SEALING, 2)
    assert again.seq == 2
    disk.power_cut()
    stays(opened(disk), {2: again})


def test_nothing_is_told_on_top_of_a_commit_that_is_only_in_memory() -> None:
    """A failed sync drops what it was to write; a new process would read it all the same."""
    for seed in range(12):
        disk = SimDisk(Random(seed))
        database = opened(disk)
        submitted(database, KEYS, SEALING, 1)
        disk.fail("sync")
        with pytest.raises(StorageFailed):
            submitted(database, KEYS, SEALING, 2)
        disk.crash()
        database = opened(disk)
        told = {number: submitted(database, KEYS, SEALING, number) for number in range(100, 103)}

        disk.power_cut()

        holds(opened(disk), told)
        disk.crash()


@pytest.mark.parametrize("end", [SimDisk.crash, SimDisk.power_cut])
async def test_what_was_told_not_to_be_stored_does_not_come_back(
    end: Callable[[SimDisk], None],
) -> None:
    """The log holds the whole commit when its sync fails: a kill would let it be read again."""
    for seed in range(8):
        disk = SimDisk(Random(seed))
        database = opened(disk)
        told = {1: await taken(database, 1)}
        disk.fail("sync")

        with pytest.raises(StorageFailed):
            await taken(database, 2)

        end(disk)
        database = opened(disk)
        stays(database, told)
        assert outbox.receipt_of(database.conn, (2).to_bytes(16, "big")) is None
        disk.crash()


def small(disk: SimDisk) -> Database:
    """Open a store in which ballast, log and pictures are a sixteenth of their size."""
    database = open_database(
        PATH,
        device_public=KEYS.sign_public,
        ballast_bytes=BALLAST_BYTES_REAL // 16,
        is_threaded=False,
        disk=disk,
    )
    database.conn.conn.execute(f"PRAGMA wal_autocheckpoint = {1000 // 16}")
    return database


async def taken(database: Database, number: int) -> Receipt:
    def submit(db: Tables) -> Receipt:
        return outbox.submit(
            db,
            keys=KEYS,
            sealing=SEALING,
            catalogue_version=1,
            body=bytes(96),
            attachments=(photo(0, ATTACHMENT_BYTES_MAX // 16),),
            transaction_id=number.to_bytes(16, "big"),
            service="pension_check",
            kiosk_no=42,
            now_ms=START_MS,
        )

    return await database.write(submit)


async def filled(database: Database, told: Told) -> None:
    """Take transactions until the disk is full."""
    for number in itertools.count(len(told) + 1):
        try:
            told[number] = await taken(database, number)
        except DiskFull:
            return


def settle(db: Tables, first: int, last: int) -> None:
    """Do to the rows what one reply of the centre does."""
    for table, change in (
        ("outbox", "state = 'settled', settled_ms = 1"),
        ("attachment", "state = 'settled', settled_ms = 1"),
        ("receipt", "is_delivered = 1"),
    ):
        sql = f"UPDATE {table} SET {change} WHERE seq BETWEEN ? AND ?"  # noqa: S608 -- ours
        db.conn.execute(sql, (first, last))


async def emptied(database: Database, told: Told) -> None:
    """Do what the agent does at a full disk: settle, then make room until there is some."""
    for first in range(1, len(told) + 1, 20):
        await database.write(settle, first, first + 19)
    while not database.has_room():
        assert await database.write(outbox.make_room)
        await database.give_back()
        database.restore_ballast()


@pytest.mark.parametrize("seed", range(2))
async def test_a_full_disk_takes_acknowledgements_and_is_emptied_by_them(seed: int) -> None:
    random = Random(seed)
    disk = SimDisk(random)
    database = small(disk)
    told: Told = {}
    for _ in range(2):
        disk.capacity_bytes = disk.used_bytes + random.randrange(2_000_000, 2_500_000)
        await filled(database, told)
        assert not database.has_room()
        if random.random() < 0.5:
            disk.power_cut()
            database = small(disk)
            stays(database, told)

        await emptied(database, told)

        told[len(told) + 1] = await taken(database, len(told) + 1)
    disk.power_cut()
    stays(opened(disk), told)


async def test_without_the_ballast_a_full_disk_takes_no_acknowledgement() -> None:
    disk = SimDisk(Random(1))
    database = small(disk)
    disk.unlink(database.ballast_path)
    disk.capacity_bytes = disk.used_bytes + 2_000_000
    told: Told = {}
    await filled(database, told)

    with pytest.raises(DiskFull):
        await emptied(database, told)


@lru_cache(maxsize=1)
def damaged() -> tuple[Snapshot, Told]:
    """Make a store of ten receipts and damage a page on which none of them lies."""
    disk = SimDisk(Random(0))
    database = opened(disk)
    told = {number: submitted(database, KEYS, SEALING, number) for number in range(1, 11)}
    conn = database.conn.conn
    sql = "SELECT rootpage FROM sqlite_master WHERE name = 'notice_case'"
    (page,) = conn.execute(sql).fetchone()
    database.close()
    disk.corrupt(PATH, (page - 1) * 4096, page * 4096)
    return disk.snapshot(), told


def recovering(seed: int, habits: Habits | None = None) -> SimDisk:
    disk = SimDisk(Random(seed), habits=habits)
    disk.restore(damaged()[0])
    return disk


def saved(calls: Iterable[int], seed: int = 0, habits: Habits | None = None) -> None:
    for call in calls:
        disk = recovering(seed + call, habits)
        disk.crash_after(call)
        with pytest.raises(Crashed):
            opened(disk)
        disk.power_cut() if call % 4 else disk.crash()

        database = opened(disk)

        stays(database, damaged()[1])
        assert database.set_aside
        assert submitted(database, KEYS, SEALING, 11).seq == 11
        disk.crash()


def test_damage_is_set_aside_and_read_out_whatever_call_of_that_is_the_last() -> None:
    saved(range(1, recovery_calls(), 13))


def test_names_of_a_damaged_store_are_never_both_gone() -> None:
    """Its second name is durable before the first is taken away."""
    gone = call_of(damaged()[0], f"unlink {PATH}")
    for seed in range(0, 2_000, 100):
        saved((gone + 1,), seed, CARELESS)


@lru_cache(maxsize=1)
def headless() -> tuple[Snapshot, Told]:
    """Make a store whose first bytes are damaged and whose log holds what came last."""
    disk = SimDisk(Random(0))
    database = opened(disk)
    told = {number: submitted(database, KEYS, SEALING, number) for number in range(1, 4)}
    asyncio.run(database.give_back())
    told |= {number: submitted(database, KEYS, SEALING, number) for number in range(4, 8)}
    disk.crash()
    disk.corrupt(PATH, 0, 100)
    return disk.snapshot(), told


def test_a_new_store_never_meets_the_log_of_the_one_that_was_set_aside() -> None:
    """Found by this simulation: the log's name was there again, and its old pages won."""
    snapshot, told = headless()
    made = call_of(snapshot, f"create {PATH}", f"sync {PATH}")
    for seed, call in itertools.product(range(4), (made, made + 1)):
        disk = SimDisk(Random(seed), habits=CARELESS)
        disk.restore(snapshot)
        disk.crash_after(call)
        with pytest.raises(Crashed):
            opened(disk)
        disk.power_cut()

        # Numbers go on after a gap, for the page with the newest one is gone.
        holds(opened(disk), told)
        disk.crash()


@pytest.mark.deep
@pytest.mark.timeout(900)
def test_damage_is_set_aside_and_read_out_at_each_call_of_many_seeds() -> None:
    for seed in range(1_000, 5_000, 1_000):
        saved(range(1, recovery_calls()), seed)


def call_of(snapshot: Snapshot, *steps: str) -> int:
    """Answer the number of the call with which these steps of opening, in order, are done."""
    disk = SimDisk(Random(0), habits=CARELESS, is_traced=True)
    disk.restore(snapshot)
    opened(disk)
    found = 0
    for step in steps:
        found = disk.trace.index(step, found) + 1
    disk.crash()
    return found


def recovery_calls() -> int:
    disk = recovering(0)
    assert opened(disk).set_aside == (PATH.with_name("kiosk.db.damaged-1"),)
    return disk.calls


def test_the_damaged_file_itself_is_never_changed() -> None:
    disk = recovering(1)
    raw = disk.read(PATH)

    (aside,) = opened(disk).set_aside

    assert disk.read(aside) == raw


def test_a_torn_end_of_the_wal_is_dropped_with_what_nobody_was_told() -> None:
    torn = 0
    for seed in range(40):
        disk = SimDisk(Random(seed))
        database = opened(disk)
        told = {1: submitted(database, KEYS, SEALING, 1)}
        # Into the last sync of the commit: its frames are written, none is durable.
        disk.crash_after(13)
        with pytest.raises(Crashed):
            submitted(database, KEYS, SEALING, 2, (photo(0, 40_000),))
        size = len(disk.snapshot().files[f"{PATH}-wal"])
        disk.power_cut()
        torn += len(disk.snapshot().files[f"{PATH}-wal"]) < size

        stays(opened(disk), told)
        disk.crash()
    assert torn > 5


def test_a_read_only_disk_refuses_by_name_and_still_shows_what_waits() -> None:
    disk = SimDisk(Random(1))
    database = opened(disk)
    told = {1: submitted(database, KEYS, SEALING, 1)}
    disk.is_read_only = True

    with pytest.raises(StorageFailed):
        submitted(database, KEYS, SEALING, 2)

    assert outbox.waiting(database.conn).count == 1
    assert outbox.courier_of(database.conn, 1)
    disk.crash()
    with pytest.raises(StorageFailed):
        opened(disk)
    disk.heal()
    database = opened(disk)
    stays(database, told)
    assert submitted(database, KEYS, SEALING, 2).seq == 2


@pytest.mark.parametrize("room", [0, 20_000, 40_000, 90_000])
def test_a_store_that_cannot_be_made_says_so_by_name(room: int) -> None:
    disk = SimDisk(Random(1), capacity_bytes=room)

    with pytest.raises(StorageFailed):
        opened(disk)

    disk.heal()
    assert submitted(opened(disk), KEYS, SEALING, 1).seq == 1


@pytest.mark.parametrize(
    ("kind", "step"), [("read", 2), ("write", 5), ("sync", 1), ("directory", 1), ("unlink", 1)]
)
def test_an_error_while_opening_is_told_by_name_and_lets_go(kind: str, step: int) -> None:
    refusals = 0
    for number in itertools.count(1, step):
        disk = SimDisk(Random(1))
        disk.fail(kind, number)  # type: ignore[arg-type]  # parametrized
        with contextlib.suppress(StorageFailed):
            opened(disk).close()
            refusals -= 1
        refusals += 1
        if kind in disk.failures:
            break  # opened, and the call that was to fail never came
        assert not disk.locks
        assert not disk.connections
        database = opened(disk)
        assert submitted(database, KEYS, SEALING, 1).seq == 1
        database.close()
    assert refusals > 0


# ---- the centre's store


@contextlib.contextmanager
def quiet_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Run a loop in which a process may die inside a callback."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)
    try:
        yield loop
    finally:
        loop.close()


ALL_BLOBS = "SELECT sha256, raw FROM blobs"


def insert(conn: sqlite3.Connection, key: str, value: bytes) -> None:
    # A table of the shipped migrations, wide enough for rows of any size.
    conn.execute("INSERT INTO blobs (sha256, raw) VALUES (?, ?)", (key, value))


async def ingest(store: Store, disk: SimDisk, random: Random, told: dict[str, bytes]) -> None:
    """Write in groups until the process dies."""

    async def one(value: bytes) -> None:
        key = hashlib.sha256(value).hexdigest()
        await store.write(insert, key, value)
        told[key] = value

    while True:
        group = [
            asyncio.ensure_future(one(random.randbytes(random.randrange(1, 900))))
            for _ in range(random.randrange(1, 20))
        ]
        while not all(task.done() for task in group):
            await asyncio.sleep(0)
            if disk.is_dead:
                for task in group:
                    task.cancel()
                await asyncio.gather(*group, return_exceptions=True)
                return


def centre_outlived(seed: int, cuts: int) -> int:
    random = Random(seed)
    disk = SimDisk(random)
    told: dict[str, bytes] = {}
    for _ in range(cuts):
        disk.crash_after(random.randrange(1, 250))
        with quiet_loop() as loop, contextlib.suppress(Crashed):
            store = Store.open(CENTRE, disk=disk, is_threaded=False)
            store._in_place.execute("PRAGMA wal_autocheckpoint = 15")  # type: ignore[union-attr]
            loop.run_until_complete(ingest(store, disk, random, told))
        disk.power_cut() if random.random() < 0.8 else disk.crash()
        with quiet_loop() as loop:
            store = Store.open(CENTRE, disk=disk, is_threaded=False)
            held = loop.run_until_complete(
                store.read(lambda conn: dict(map(tuple, conn.execute(ALL_BLOBS))))
            )
            store.close()
        assert told.items() <= held.items()
    return len(told)


def test_no_acknowledged_write_of_the_centre_is_lost_in_any_power_cut() -> None:
    assert sum(centre_outlived(seed, 5) for seed in range(8)) > 200


@pytest.mark.deep
@pytest.mark.timeout(900)
def test_no_acknowledged_write_of_the_centre_is_lost_in_5000_power_cuts() -> None:
    assert sum(centre_outlived(seed, 5) for seed in range(1_000, 2_000)) > 20_000


def test_the_centre_acknowledges_nothing_on_top_of_a_commit_that_is_only_in_memory() -> None:
    """The vault is back first and reads on, so nobody empties the log in between."""
    for seed in range(12):
        disk = SimDisk(Random(seed))
        with quiet_loop() as loop:
            store = Store.open(CENTRE, disk=disk.process("centre"), is_threaded=False)
            loop.run_until_complete(store.write(insert, "first", b"."))
            disk.fail("sync")
            with pytest.raises(StoreFault):
                loop.run_until_complete(store.write(insert, "lost", b"."))
            disk.crash()
            vault = connect(CENTRE, readonly=True, disk=disk.process("vault"))
            vault.execute(ALL_BLOBS).fetchall()
            store = Store.open(CENTRE, disk=disk.process("centre"), is_threaded=False)
            loop.run_until_complete(store.write(insert, "told", b"."))
            disk.power_cut()
            store = Store.open(CENTRE, disk=disk, is_threaded=False)
            held = loop.run_until_complete(store.read(lambda conn: list(conn.execute(ALL_BLOBS))))
            store.close()
        assert {key for key, _ in held} >= {"first", "told"}


async def ingest_on_a_failing_disk(
    store: Store, disk: SimDisk, random: Random, told: dict[str, bytes]
) -> int:
    """Write in groups while calls of the disk fail, each once; answer how many writes failed."""

    async def one(value: bytes) -> None:
        key = hashlib.sha256(value).hexdigest()
        await store.write(insert, key, value)
        told[key] = value

    failed = 0
    for _ in range(10):
        disk.fail(random.choice(FAULTS), random.randrange(1, 40))  # type: ignore[arg-type]
        values = [random.randbytes(random.randrange(1, 900)) for _ in range(random.randrange(1, 9))]
        outcomes = await asyncio.gather(*map(one, values), return_exceptions=True)
        # Refused as a whole, and by its name.
        assert {type(outcome) for outcome in outcomes} in ({type(None)}, {StoreFault})
        failed += outcomes[0] is not None
    return failed


def centre_faltered(seed: int) -> int:
    random = Random(seed)
    disk = SimDisk(random)
    told: dict[str, bytes] = {}
    failed = 0
    with quiet_loop() as loop:
        for _ in range(2):
            store = Store.open(CENTRE, disk=disk, is_threaded=False)
            store._in_place.execute("PRAGMA wal_autocheckpoint = 15")  # type: ignore[union-attr]
            failed += loop.run_until_complete(ingest_on_a_failing_disk(store, disk, random, told))
            disk.failures.clear()
            disk.power_cut()
        store = Store.open(CENTRE, disk=disk, is_threaded=False)
        held = loop.run_until_complete(
            store.read(lambda conn: dict(map(tuple, conn.execute(ALL_BLOBS))))
        )
        store.close()
    assert told.items() <= held.items()
    return failed


def test_a_call_that_fails_once_costs_the_centre_nothing_acknowledged() -> None:
    assert sum(centre_faltered(seed) for seed in range(8)) > 10


@pytest.mark.deep
@pytest.mark.timeout(600)
def test_failing_calls_cost_the_centre_nothing_acknowledged_in_many_lives() -> None:
    assert sum(centre_faltered(seed) for seed in range(1_000, 2_000)) > 1_000
