"""The centre as real processes: its vault dies and comes back, it is killed, it is searched."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Sequence
from itertools import islice
from pathlib import Path

import aiohttp
import psutil
import pytest

from bianmin import processes
from server.store import cases, inbox
from server.store.sqlite import connect
from server.vault.client import VaultClient
from sync import frames
from sync.enrolment import plain_code
from sync.records import Attachment, Transaction
from sync.signing import Trust
from tests.generator import transactions
from tests.unit.server.world import HELPER_REQUEST, VILLAGE, Kiosk, World

PATIENCE_S = 60.0


class Centre:
    """One `bianmin centre run` in a temporary folder, and what speaks to it."""

    def __init__(self, folder: Path) -> None:
        (port,) = processes.free_ports(1)
        self.folder = folder
        self.environment = {
            "BIANMIN_CENTRE_DATA_DIR": str(folder / "centre"),
            "BIANMIN_CENTRE_PORT": str(port),
        }
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "centre.log"
        self.world = World(folder / "centre")
        self.published = self.world.publish()
        self.settings = self.world.settings
        self.starts = 0

    async def bianmin(self, *arguments: str) -> str:
        return await processes.run(("centre", *arguments), environment=self.environment)

    async def start(self) -> None:
        self.starts += 1
        self.log = self.folder / f"centre-{self.starts}.log"
        self.program = await processes.start(
            "centre", ("centre", "run"), environment=self.environment, log=self.log
        )
        await processes.ready(self.program, f"{self.url}/healthz")

    def vault(self) -> psutil.Process:
        (child,) = psutil.Process(self.program.pid).children()
        return child

    async def vault_is_up(self) -> None:
        client = VaultClient(self.settings.vault_socket)
        async with asyncio.timeout(PATIENCE_S):
            while not await client.is_up():
                await asyncio.sleep(0.05)

    async def post(self, path: str, raw: bytes) -> bytes:
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url + path, data=raw) as response,
        ):
            assert response.status == 200, await response.text()
            return await response.read()

    async def exchange(self, kiosk: Kiosk, raw: bytes) -> frames.Reply:
        keys = self.world.keys
        return frames.decode_reply(
            await self.post("/sync/v1/exchange", raw),
            request_raw=raw,
            kiosk_id=kiosk.keys.kiosk_id,
            trusted=Trust(roots=(keys.root_public,), certificate=keys.certificate),
        )

    async def worked_off(self) -> None:
        """Wait until nothing waits for the pipeline."""
        conn = connect(self.settings.database, readonly=True)
        async with asyncio.timeout(PATIENCE_S):
            while inbox.waiting(conn, 1):
                await asyncio.sleep(0.05)
        conn.close()

    def fates(self) -> list[str]:
        conn = connect(self.settings.database, readonly=True)
        found = [row[0] for row in conn.execute("SELECT fate FROM envelopes ORDER BY id")]
        conn.close()
        return found


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncIterator[Centre]:
    made = Centre(tmp_path)
    await made.start()
    yield made
    await made.program.stop()
    made.world.close()


async def test_vault_that_dies_is_started_again_and_nothing_is_lost(centre: Centre) -> None:
    kiosk, published = centre.world.enrol(), centre.published
    await centre.vault_is_up()
    first = centre.vault()
    first.kill()
    envelopes = [kiosk.confirm(published, HELPER_REQUEST) for _ in range(20)]

    reply = await centre.exchange(kiosk, kiosk.request(envelopes))
    await centre.worked_off()

    assert reply.verdicts == ("stored",) * 20
    assert centre.fates() == ["case"] * 20
    assert centre.vault().pid != first.pid


async def test_centre_that_is_killed_keeps_what_it_acknowledged(centre: Centre) -> None:
    kiosk, published = centre.world.enrol(), centre.published
    envelopes = [kiosk.confirm(published, HELPER_REQUEST) for _ in range(30)]
    await centre.vault_is_up()
    vault = centre.vault()
    acknowledged = 0

    async def send() -> None:
        nonlocal acknowledged
        for envelope in envelopes:
            await centre.exchange(kiosk, kiosk.request([envelope]))
            acknowledged += 1

    sending = asyncio.create_task(send())
    while acknowledged < 10:
        await asyncio.sleep(0.005)
    os.kill(centre.program.pid, signal.SIGKILL)
    await asyncio.gather(sending, return_exceptions=True)
    await centre.program.ended()
    # Its stdin has ended, so that no vault outlives its centre.
    await asyncio.to_thread(psutil.wait_procs, [vault], PATIENCE_S)
    assert not vault.is_running()

    await centre.start()
    reply = await centre.exchange(kiosk, kiosk.request(envelopes))
    await centre.worked_off()

    assert set(reply.verdicts[:acknowledged]) == {"duplicate"}
    assert reply.mark_seq == 30
    assert centre.fates() == ["case"] * 30


async def test_sigterm_ends_both_processes_cleanly(centre: Centre) -> None:
    await centre.vault_is_up()
    vault = centre.vault()

    os.kill(centre.program.pid, signal.SIGTERM)
    status = await asyncio.wait_for(centre.program.ended(), PATIENCE_S)

    assert status == 0
    assert not vault.is_running()
    assert not centre.settings.vault_socket.exists()


async def test_commands_work_beside_a_running_centre(centre: Centre) -> None:
    code = (await centre.bianmin("code", "--name", "石桥村", "--village", VILLAGE)).split()[-1]

    assert len(plain_code(code)) == 12
    assert "Nothing changed" in await centre.bianmin("publish")
    assert "already" in await centre.bianmin("init")
    assert "catalogue     1" in await centre.bianmin("status")


# --- nothing of any person is anywhere ---


def planted(transaction: Transaction, attachments: Sequence[Attachment]) -> set[bytes]:
    """What must be found nowhere: names, numbers, texts and pieces of attachments."""
    telling = {
        "name", "agent_name", "baby_name", "id_number", "mother_id", "phone", "agent_phone",
        "bank_card", "text_or_voice", "story", "note", "say", "where", "birth_cert_no",
        "other_city", "to_whom", "factory_number",
    }  # fmt: skip
    words = {
        value.removeprefix("=")
        for name, value in transaction.answers.items()
        if name in telling and len(value.removeprefix("=").encode()) >= 6
    }
    pieces = {item.content[-24:] for item in attachments if len(item.content) >= 64}
    return {word.encode() for word in words} | pieces


def found_in(folder: Path, values: set[bytes]) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [
        path.name for path in files for raw in [path.read_bytes()] if any(v in raw for v in values)
    ]


async def test_planted_answers_are_found_nowhere_after_a_full_run(
    centre: Centre, tmp_path: Path
) -> None:
    kiosk, published = centre.world.enrol(), centre.published
    values: set[bytes] = set()
    services: set[str] = set()
    for transaction, attachments in islice(transactions(published.catalogue, 3), 40):
        envelope = kiosk.confirm_transaction(published, transaction)
        chunks = [c for item in attachments for c in kiosk.chunks(kiosk.seq, item, 16_000)]
        await centre.exchange(kiosk, kiosk.request([envelope], chunks[:8]))
        for start in range(8, len(chunks), 8):
            await centre.exchange(kiosk, kiosk.request([], chunks[start : start + 8]))
        values |= planted(transaction, attachments)
        services.add(transaction.service)
    await centre.vault_is_up()
    await centre.worked_off()
    conn = connect(centre.settings.database, readonly=True)
    case = cases.queue(conn, limit=1)[0]
    reasons = {letter.reason for letter in cases.dead_letters(conn)}
    conn.close()
    opened = await VaultClient(centre.settings.vault_socket).open(
        case.case_no, actor="anna", role="clerk", purpose="check the form", fields=("name",)
    )

    # The search finds what is there: a file beside the data, and the vault's own answer.
    (tmp_path / "bait").write_bytes(b"..." + max(values) + b"...")
    assert found_in(tmp_path, values) == ["bait"]
    assert opened.answers["name"].encode() in values
    assert len(services) >= 17
    # Some ratings name a case that no kiosk of this test made.
    assert reasons <= {"unknown_case"}


async def test_ledger_and_database_agree_on_the_number_of_looks(centre: Centre) -> None:
    kiosk, published = centre.world.enrol(), centre.published
    await centre.exchange(kiosk, kiosk.request([kiosk.confirm(published, HELPER_REQUEST)]))
    await centre.vault_is_up()
    await centre.worked_off()
    client = VaultClient(centre.settings.vault_socket)
    for _ in range(3):
        await client.open(
            kiosk.case_no, actor="anna", role="clerk", purpose="check", fields=("name",)
        )

    entries = await client.ledger(10)
    state = await client.ledger_state(is_checked=True)

    assert [entry.action for entry in entries] == ["open", "open", "open", "route"]
    assert (state.size, state.is_intact) == (4, True)
    conn = sqlite3.connect(centre.settings.vault_dir / "audit.db")
    assert conn.execute("SELECT count(*) FROM entries").fetchone()[0] == 4
    conn.close()
