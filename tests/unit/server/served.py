"""A centre that is served over HTTP in this process, its vault in the same loop."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from server.main import build_app
from server.vault.daemon import VaultProcess
from tests.unit.server.world import World

Client = TestClient[web.Request, web.Application]


@contextlib.asynccontextmanager
async def serving(world: World, *, with_vault: bool = True) -> AsyncIterator[Client]:
    """Serve the world; the vault's socket is served beside it unless told otherwise."""
    stop = asyncio.Event()
    vault = None
    if with_vault:
        daemon = VaultProcess(world.settings, world.clock)
        vault = asyncio.create_task(daemon.serve(stop))
    app = build_app(world.settings, clock=world.clock, entropy=world.entropy, with_vault=False)
    server = TestServer(app)
    # As `server.main.serve` does.
    await server.start_server(access_log=None, auto_decompress=False)
    async with TestClient(server) as client:
        yield client
    stop.set()
    if vault is not None:
        await vault


def problem_code(body: bytes) -> str:
    code: str = msgspec.json.decode(body)["code"]
    return code
