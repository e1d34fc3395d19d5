"""The vault's socket and key files: for its own user, for well-formed questions only."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator

import pytest

from server.errors import CaseUnknown, VaultRefused, VaultUnavailable
from server.vault import keys
from server.vault.client import VaultClient
from server.vault.daemon import VaultProcess
from sync import limits
from tests.unit.server.world import World


@pytest.fixture
async def client(world: World) -> AsyncIterator[VaultClient]:
    stop = asyncio.Event()
    serving = asyncio.create_task(VaultProcess(world.settings, world.clock).serve(stop))
    client = VaultClient(world.settings.vault_socket)
    async with asyncio.timeout(5):
        while not await client.is_up():
            await asyncio.sleep(0.01)
    yield client
    stop.set()
    await serving


async def said(world: World, raw: bytes) -> bytes:
    """Write raw bytes to the socket, answer whatever comes until the end."""
    reader, writer = await asyncio.open_unix_connection(world.settings.vault_socket)
    writer.write(raw)
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return answer


async def test_socket_is_for_its_own_user(client: VaultClient, world: World) -> None:
    assert world.settings.vault_socket.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"\xc1", b"\x81\xa4kind\xa4fly!", b"\x80", bytes(1000)])
async def test_nonsense_is_refused_and_opens_nothing(
    client: VaultClient, world: World, content: bytes
) -> None:
    answer = await said(world, len(content).to_bytes(4, "big") + content)

    assert b"refusal" in answer
    assert b"400.20" in answer
    assert await client.ledger() == []


async def test_frame_that_is_too_long_ends_the_talk(client: VaultClient, world: World) -> None:
    answer = await said(world, (limits.VAULT_FRAME_BYTES_MAX + 1).to_bytes(4, "big") + b"x")

    assert answer == b""
    assert await client.is_up()


async def test_refusals_come_back_as_errors(client: VaultClient) -> None:
    with pytest.raises(VaultRefused):
        await client.open("000100000114", actor="", role="clerk", purpose="check", fields=("a",))
    with pytest.raises(CaseUnknown):
        await client.open("000100000114", actor="a", role="clerk", purpose="check", fields=("a",))


async def test_vault_that_is_down_is_told_as_such(world: World) -> None:
    client = VaultClient(world.settings.vault_socket)

    assert not await client.is_up()
    with pytest.raises(VaultUnavailable):
        await client.ledger()


async def test_many_talks_at_once_are_all_answered(client: VaultClient) -> None:
    states = await asyncio.gather(*(client.ledger_state() for _ in range(50)))

    assert {state.size for state in states} == {0}


def test_key_file_that_others_can_read_keeps_the_vault_shut(world: World) -> None:
    (world.settings.vault_dir / keys.INDEX_NAME).chmod(0o640)

    with pytest.raises(VaultUnavailable, match="others can read"):
        keys.load(world.settings.vault_dir)


def test_damaged_or_missing_key_keeps_the_vault_shut(world: World) -> None:
    path = world.settings.vault_dir / "sealing-0001.key"
    path.write_bytes(b"short")
    with pytest.raises(VaultUnavailable, match="damaged"):
        keys.load(world.settings.vault_dir)
    path.unlink()
    with pytest.raises(VaultUnavailable, match="init"):
        keys.load(world.settings.vault_dir)


def test_keys_are_never_overwritten(world: World) -> None:
    before = keys.load(world.settings.vault_dir)

    with pytest.raises(FileExistsError):
        keys.make(world.settings.vault_dir, world.entropy)

    assert keys.load(world.settings.vault_dir) == before


def test_keys_do_not_print_themselves(world: World) -> None:
    text = f"{world.vault_keys!r} {world.keys!r}"

    assert world.vault_keys.sealing[1].hex() not in text
    assert "index" not in text


async def test_second_vault_waits_until_the_first_is_gone(world: World) -> None:
    """A vault whose centre was killed may still be at work when the next centre starts one."""
    client = VaultClient(world.settings.vault_socket)
    first = await vault_process(world)
    await up(client)
    second = await vault_process(world)
    try:
        assert second.stderr is not None
        assert b"waits" in await asyncio.wait_for(second.stderr.readline(), 20)
        first.terminate()
        await first.wait()

        await up(client)
        assert second.returncode is None
    finally:
        for process in (first, second):
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def vault_process(world: World) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "server.vault",
        str(world.settings.data_dir),
        stdin=PIPE,
        stderr=PIPE,
    )


async def up(client: VaultClient) -> None:
    async with asyncio.timeout(20):
        while not await client.is_up():
            await asyncio.sleep(0.05)
