"""Where the concrete parts of a kiosk meet."""

import asyncio
import contextlib
import importlib.metadata
import shutil
from collections.abc import AsyncIterator, Coroutine

from aiohttp import web

from kiosk.drafts import Drafts
from kiosk.effects import Effects
from kiosk.lifecycle import Parts, Stage
from kiosk.receipt import qr_svg
from kiosk.resume import Trail
from kiosk.settings import Settings
from kiosk.speech import LiveVoice, Speaker
from kiosk.web.guard import guard, no_banner
from kiosk.web.handlers import routes
from kiosk.web.keys import PARTS, STAGE
from sync.agent import Agent
from sync.clock import Clock, Entropy, SystemClock, SystemEntropy
from sync.database import Database, open_database
from sync.device import KioskIdentity, load_identity, load_keys
from sync.limits import ACT_BYTES_MAX, ATTACHMENT_BYTES_MAX
from sync.records import Health
from sync.signing import DeviceKeys
from sync.transports import Link
from sync.transports.http import HttpLink
from voice_prompts.cli import default_cache_dir
from voice_prompts.library import Library
from voice_prompts.live import LiveSpeaker
from voice_prompts.wording import LANGUAGES, Wording

SHUTDOWN_S = 5.0
SEND_AFTER_S = 0.3
_MEGABYTE = 1024 * 1024


def put_together(
    settings: Settings,
    *,
    database: Database,
    keys: DeviceKeys,
    identity: KioskIdentity,
    link: Link,
    clock: Clock,
    entropy: Entropy,
    speaker: Speaker | None,
) -> tuple[Stage, Parts]:
    """Answer a stage and its parts, connected; nothing runs yet.

    Args:
        settings: Of this kiosk.
        database: The open store.
        keys: The device's.
        identity: What the enrolment said.
        link: Way to the centre.
        clock: Time and waiting.
        entropy: Ids, tokens, jitter.
        speaker: Speaks what no clip says; None = nobody does.
    """
    drafts, live = Drafts(), LiveVoice(speaker, entropy)
    trail = Trail(settings.data_dir)

    def health() -> Health:
        devices = {"voice": "missing"} if live.missing_count else {}
        if effects.is_helper_called:
            devices["helper"] = "called"
        free = shutil.disk_usage(settings.data_dir).free // _MEGABYTE
        return Health(version=version(), pending=0, oldest_s=0, disk_free_mb=free, devices=devices)

    def begin(job: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(job)
        begun.add(task)
        task.add_done_callback(begun.discard)

    def renew(_: int) -> None:
        begin(stage.renew())

    async def send_soon() -> None:
        # The receipt is drawn first: signing and sending would take its time on a small board.
        await clock.sleep(SEND_AFTER_S)
        agent.poke()

    begun: set[asyncio.Future[None]] = set()
    agent = Agent(database, link, keys, identity, clock, entropy, health, on_catalogue=renew)
    effects = Effects(
        database, keys, identity, clock, drafts, live, trail, lambda: begin(send_soon())
    )
    parts = Parts(
        settings=settings,
        database=database,
        identity=identity,
        agent=agent,
        effects=effects,
        drafts=drafts,
        live=live,
        trail=trail,
        library=Library(settings.voice_dir or default_cache_dir(), settings.recordings_dir),
        wordings={language: Wording.load(language) for language in LANGUAGES},
        clock=clock,
        entropy=entropy,
    )
    stage = Stage(parts)
    return stage, parts


def version() -> str:
    """Answer the installed version of bianmin."""
    try:
        return importlib.metadata.version("bianmin")
    except importlib.metadata.PackageNotFoundError:
        return "0+source"


def build_app(stage: Stage, parts: Parts) -> web.Application:
    """Answer the app that serves the kiosk's page."""
    largest = max(ACT_BYTES_MAX, ATTACHMENT_BYTES_MAX + 1024)
    app = web.Application(middlewares=[guard], client_max_size=largest)
    app[STAGE] = stage
    app[PARTS] = parts
    app.add_routes(routes())
    app.on_response_prepare.append(no_banner)
    return app


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[tuple[Stage, Parts]]:
    """Open a kiosk's store, keys, voice and link, and close them behind.

    Raises:
        NotEnrolled: It has no identity yet.
        AlreadyRunning: Another program has its store open.
        DiskFull: There is no room even to open the store.
    """
    identity, keys = load_identity(settings.data_dir), load_keys(settings.data_dir)
    database = open_database(settings.database, device_public=keys.sign_public)
    speaker = LiveSpeaker() if settings.has_live_voice else None
    try:
        async with HttpLink(settings.centre_url) as link:
            yield put_together(
                settings,
                database=database,
                keys=keys,
                identity=identity,
                link=link,
                clock=SystemClock(),
                entropy=SystemEntropy(),
                speaker=speaker,
            )
    finally:
        if speaker is not None:
            await speaker.close()
        database.close()


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Show the page and carry envelopes until `stop` is set.

    Args:
        settings: Of this kiosk.
        stop: Set by a signal.
    """
    async with opened(settings) as (stage, parts):
        await stage.start()
        # The first receipt must not wait for the drawing library to load.
        await asyncio.to_thread(qr_svg, settings.centre_url)
        runner = web.AppRunner(
            build_app(stage, parts), access_log=None, shutdown_timeout=SHUTDOWN_S
        )
        await runner.setup()
        jobs = [parts.agent.run(), stage.watch(), parts.live.start()]
        tasks = [asyncio.ensure_future(job) for job in jobs]
        try:
            await web.TCPSite(runner, settings.host, settings.port).start()
            stopping = asyncio.ensure_future(stop.wait())
            await asyncio.wait({stopping, *tasks[:2]}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            for task in tasks[:2]:
                # A loop that ended by itself is a defect: let the supervisor start us afresh.
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await runner.cleanup()
