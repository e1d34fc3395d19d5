"""Where the centre's concrete parts meet: the application, its vault and its worker."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator

from aiohttp import web

import server.dashboard
import server.phone
from server import identity, keys
from server.api import (
    attachments,
    catalogue,
    courier,
    enrol,
    exchange,
    health,
    metrics,
    middleware,
)
from server.api.listener import Listener
from server.catalogue.shelf import Shelf
from server.live import Broadcast
from server.pipeline import Pipeline
from server.reception import Reception
from server.settings import Settings
from server.store import fleet
from server.store.sqlite import Store
from server.vault.client import VaultClient
from sync import limits
from sync.clock import Clock, Entropy, SystemClock, SystemEntropy

LOG = logging.getLogger(__name__)
_DAY_S = 86_400.0


def build_app(
    settings: Settings,
    *,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
    with_vault: bool = True,
) -> web.Application:
    """Put the application together.

    Args:
        settings: A data folder that `bianmin centre init` made.
        clock: The system's by default.
        entropy: The system's by default.
        with_vault: Start and watch the vault's process; without it somebody else serves the
            socket (tests, a vault on its own account).

    Raises:
        SettingRefused: The data folder was not set up.
        StoreFault: The database cannot be used.
    """
    app = web.Application(
        middlewares=[middleware.access_log, middleware.headers, middleware.problems],
        client_max_size=limits.FRAME_BYTES_MAX,
    )
    app[keys.SETTINGS] = settings
    app[keys.KEYS] = identity.load(settings)
    app[keys.CLOCK] = clock or SystemClock()
    app[keys.ENTROPY] = entropy or SystemEntropy()
    app[keys.STORE] = Store.open(settings.database)
    app[keys.VAULT] = VaultClient(settings.vault_socket)
    app[keys.BROADCAST] = Broadcast()
    app[keys.CATALOGUES] = Shelf()
    app[metrics.METRICS] = metrics.Metrics()
    app[keys.RECEPTION] = Reception(app[keys.STORE], app[keys.KEYS], settings, app[keys.CLOCK])
    app[keys.PIPELINE] = Pipeline(
        app[keys.STORE],
        app[keys.VAULT],
        app[keys.CATALOGUES],
        app[keys.BROADCAST],
        app[keys.CLOCK],
        is_crowded=lambda: app[keys.RECEPTION].admission.is_crowded,
    )
    for part in (exchange, attachments, enrol, courier, catalogue):
        part.setup(app)
    for module in (health, metrics):
        app.router.add_routes(module.routes())
    server.dashboard.setup(app)
    server.phone.setup(app)
    app.on_response_prepare.append(middleware.no_banner)
    app.cleanup_ctx.append(_store)
    if with_vault:
        app.cleanup_ctx.append(_vault)
    app.cleanup_ctx.append(_workers)
    return app


async def _store(app: web.Application) -> AsyncIterator[None]:
    await app[keys.STORE].read(app[keys.CATALOGUES].refresh)
    yield
    app[keys.STORE].close()


async def _vault(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(_keep_vault(app), name="vault keeper")
    yield
    await _stopped(task)


async def _workers(app: web.Application) -> AsyncIterator[None]:
    tasks = [
        asyncio.create_task(app[keys.PIPELINE].run(), name="pipeline"),
        asyncio.create_task(_daily(app), name="daily"),
    ]
    yield
    for task in tasks:
        await _stopped(task)


async def _stopped(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _keep_vault(app: web.Application) -> None:
    """Start the vault's process, and again whenever it dies."""
    folder = str(app[keys.SETTINGS].data_dir)
    while True:
        # Its stdin is our pipe: when we end, even by kill -9, it reads the end and stops.
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "server.vault", folder, stdin=asyncio.subprocess.PIPE
        )
        try:
            status = await process.wait()
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
        LOG.warning("the vault ended and is started again", extra={"status": status})
        await app[keys.CLOCK].sleep(limits.VAULT_RESTART_S)


async def _daily(app: web.Application) -> None:
    """Trim what only trends need."""
    while True:
        await app[keys.STORE].write(fleet.trim_health)
        await app[keys.CLOCK].sleep(_DAY_S)


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Serve until `stop` is set.

    Bodies are never unpacked by HTTP's own compression: a small one could become a huge one.
    """
    app = build_app(settings)
    runner = Listener(
        app, access_log=None, auto_decompress=False, keepalive_timeout=limits.CENTRE_KEEP_ALIVE_S
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port, backlog=limits.CONNECTIONS_BACKLOG)
        await site.start()
        LOG.info("centre serves", extra={"host": settings.host, "port": settings.port})
        await stop.wait()
    finally:
        await runner.cleanup()
