"""The kiosk killed at its own work: rows 1 to 3, 5, 6 and 19, each against real files."""

import asyncio
import os
import sqlite3
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from kiosk.events import Touch
from kiosk.main import serve
from kiosk.places import AtHome, AtReceipt
from kiosk.settings import Settings
from sync import outbox
from sync.agent import Agent
from sync.clock import SeededEntropy
from sync.database import Database, immediate
from sync.device import load_identity
from sync.enrolling import enrol
from sync.transports.memory import Fault, MemoryLink
from tests.identity.places import Centre, enrolled, started
from tests.unit.kiosk.stations import station
from tests.unit.kiosk.test_cli import first_page
from tests.unit.kiosk.test_effects import walk_to_check
from tests.unit.sync.test_database import KEYS
from tests.unit.sync.worlds import HEALTH, JumpingClock, SmallCentre, opened, submitted

KILLED = 9


def killed_in_statement(count: int, open_store: Callable[[], Database], work: Callable) -> bool:
    """Work in a child that dies before its n-th SQL statement; answer whether it died."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        assert code in (0, KILLED)
        return code == KILLED
    code, left = 1, [count]

    def trace(_: str) -> None:
        left[0] -= 1
        if not left[0]:
            os._exit(KILLED)

    try:
        database = open_store()
        database.conn.conn.set_trace_callback(trace)
        asyncio.run(work(database))
        code = 0
    finally:
        os._exit(code)


# --- rows 1 to 3: around the commit of a receipt ---


@pytest.mark.deep
def test_rows_1_and_2_kill_at_every_statement_of_a_submit_leaves_all_of_it_or_nothing(
    tmp_path: Path,
) -> None:
    centre, seen = SmallCentre(), set()
    count, was_killed = 0, True
    while was_killed:
        count += 1
        directory = tmp_path / str(count)
        opened(directory, KEYS).close()

        async def submit(database: Database) -> None:
            submitted(database, KEYS, centre.sealing, 1)

        was_killed = killed_in_statement(count, lambda d=directory: opened(d, KEYS), submit)  # type: ignore[misc]
        database = opened(directory, KEYS)
        receipt = outbox.receipt_of(database.conn, (1).to_bytes(16, "big"))
        again = submitted(database, KEYS, centre.sealing, 1)

        # Looked up by its id it is the same receipt: never a second envelope, never a gap.
        assert receipt in (None, again)
        assert (again.seq, outbox.waiting(database.conn).count) == (1, 1)
        seen.add(receipt is None)
        database.close()
    assert seen == {True, False}


async def test_row_1_kill_before_the_commit_leaves_no_receipt_and_no_draft(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        await walk_to_check(kiosk)

    async with station(tmp_path) as kiosk:
        assert kiosk.stage.visit.place == AtHome()
        assert (await kiosk.parts.database.run(outbox.waiting)).count == 0


async def test_rows_2_and_3_kill_after_the_commit_shows_the_receipt_once_and_enqueues_nothing(
    tmp_path: Path, centre: Centre
) -> None:
    folder = tmp_path / "kiosk"
    await enrolled(folder, centre)
    async with started(folder, centre) as kiosk:
        await kiosk.exchange()
        receipt = await kiosk.confirm()
        kiosk.parts.trail.note(receipt.transaction_id, "zh-CN")  # nobody has read it

    async with started(folder, centre) as kiosk:
        shown, place = kiosk.stage.visit.receipt, kiosk.stage.visit.place
        visit = kiosk.stage.visit
        await kiosk.stage.touch(visit.id, visit.rev, Touch("home"))
        waits = kiosk.waiting()
    async with started(folder, centre) as kiosk:
        again = kiosk.stage.visit.place

    assert (shown, place, again) == (receipt, AtReceipt(), AtHome())
    assert waits == 1


def agent_of(centre: SmallCentre, database: Database, faults: tuple[Fault, ...] = ()) -> Agent:
    identity, clock = centre.enrolled(KEYS), JumpingClock()
    link = MemoryLink(centre, faults)
    return Agent(database, link, KEYS, identity, clock, SeededEntropy(9), lambda: HEALTH)


# --- rows 5 and 6: around the commits of an exchange ---


@pytest.mark.deep
def test_row_5_kill_at_every_statement_of_an_exchange_settles_each_envelope_once(
    tmp_path: Path,
) -> None:
    count, was_killed = 0, True
    while was_killed:
        count += 1
        directory, centre = tmp_path / str(count), SmallCentre()
        agent = partial(agent_of, centre)
        database = opened(directory, KEYS)
        submitted(database, KEYS, centre.sealing, 1)
        # The centre has it; only the answer did not come.
        asyncio.run(agent(database, ("drop_reply",)).exchange_once())
        database.close()

        async def exchange(database: Database, make: Callable = agent) -> None:
            await make(database).exchange_once()

        was_killed = killed_in_statement(count, lambda d=directory: opened(d, KEYS), exchange)  # type: ignore[misc]
        database = opened(directory, KEYS)
        asyncio.run(agent(database).exchange_once())

        assert outbox.waiting(database.conn).count == 0
        assert centre.transaction_count() == 1
        assert submitted(database, KEYS, centre.sealing, 2).seq == 2
        database.close()
    assert count > 10


@pytest.mark.deep
def test_row_6_kill_at_every_statement_of_pruning_drops_only_what_was_settled_long_ago(
    tmp_path: Path,
) -> None:
    centre = SmallCentre()
    long_after_ms = 1_795_500_000_000 + 40 * outbox.DAY_MS
    count, was_killed, seen = 0, True, set()
    while was_killed:
        count += 1
        directory = tmp_path / str(count)
        database = opened(directory, KEYS)
        for number in (1, 2, 3):
            submitted(database, KEYS, centre.sealing, number)
        with immediate(database.conn) as db:
            db.conn.execute("UPDATE outbox SET state = 'settled', settled_ms = 1 WHERE seq < 3")
            db.conn.execute("UPDATE receipt SET is_delivered = 1 WHERE seq < 3")
        database.close()

        async def prune(database: Database) -> None:
            await database.write(outbox.prune, long_after_ms)

        was_killed = killed_in_statement(count, lambda d=directory: opened(d, KEYS), prune)  # type: ignore[misc]
        rows = sqlite3.connect(directory / "kiosk.db").execute("SELECT seq FROM outbox ORDER BY 1")
        seqs = [row[0] for row in rows]
        assert seqs in ([1, 2, 3], [3])
        seen.add(len(seqs))
    assert seen == {1, 3}


# --- row 19 ---


@pytest.mark.deep
async def test_row_19_second_kiosk_in_the_same_folder_says_so_and_touches_nothing(
    tmp_path: Path, centre: Centre
) -> None:
    folder = tmp_path / "kiosk"
    await enrolled(folder, centre)
    async with started(folder, centre) as kiosk:
        await kiosk.exchange()
        second = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bianmin", "kiosk", "run"),
            *("--data", str(folder), "--port", "0"),
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await second.communicate()
        receipt = await kiosk.confirm()

    assert second.returncode == 1
    assert said.decode().splitlines() == [
        "Error: the kiosk is already running here; stop the other one first [409.1]"
    ]
    assert receipt.seq == 1


# --- the change of identity in a kiosk at work ---


@pytest.mark.deep
async def test_kiosk_at_work_changes_over_by_itself_once_nobody_stands_before_it(
    tmp_path: Path, centre: Centre, unused_tcp_port: int
) -> None:
    folder = tmp_path / "kiosk"
    await enrolled(folder, centre)
    settings = Settings(
        data_dir=folder,
        port=unused_tcp_port,
        centre_url="http://127.0.0.1:9",
        has_live_voice=False,
        voice_dir=tmp_path,
    )
    stop = asyncio.Event()
    serving = asyncio.ensure_future(serve(settings, stop))
    await first_page(f"http://127.0.0.1:{unused_tcp_port}/")
    await enrol(MemoryLink(centre), folder, centre.code(replaces=1), entropy=SeededEntropy(55))
    is_again = await asyncio.wait_for(serving, 20)
    serving = asyncio.ensure_future(serve(settings, stop))
    await first_page(f"http://127.0.0.1:{unused_tcp_port}/")
    number = load_identity(folder).kiosk_no
    stop.set()
    is_stopped = not await serving

    assert (is_again, number, is_stopped) == (True, 2, True)
    assert (folder / "former" / "1" / "kiosk.toml").exists()
