"""Where the concrete parts of a kiosk meet."""

import asyncio
import contextlib
import importlib.metadata
import logging
import shutil
from collections.abc import AsyncIterator, Coroutine, Iterator
from functools import partial
from pathlib import Path

from aiohttp import web

from kiosk.assisted.deeds import Deeds
from kiosk.carry import Carry
from kiosk.devices.hung import Devices, devices_of
from kiosk.drafts import Drafts
from kiosk.effects import Effects
from kiosk.forgetting import settle
from kiosk.installer.handlers import fit_out
from kiosk.installer.log_lines import LogLines, kept
from kiosk.lifecycle import Stage
from kiosk.opening import Keeper, Opened, entered, wait_for_change
from kiosk.parts import Parts
from kiosk.receipt import qr_svg
from kiosk.resume import Trail
from kiosk.settings import Settings
from kiosk.slips import Slips
from kiosk.speech import LiveVoice, Speaker
from kiosk.stick import StickWatch, carriers_of
from kiosk.web.guard import guard, no_banner
from kiosk.web.handlers import routes
from kiosk.web.keys import PARTS, STAGE
from sync.agent import Agent
from sync.clock import BelievedClock, Clock, Entropy, SystemClock, SystemEntropy
from sync.limits import ACT_BYTES_MAX, ATTACHMENT_BYTES_MAX
from sync.records import Health
from sync.standing import Past
from sync.transports import Link
from sync.transports.http import HttpLink
from voice_prompts.cli import default_cache_dir
from voice_prompts.library import Library
from voice_prompts.live import LiveSpeaker
from voice_prompts.pack_shelf import default_packs_dir
from voice_prompts.wording import LANGUAGES, Wording

_log = logging.getLogger(__name__)

SHUTDOWN_S = 5.0
SEND_AFTER_S = 0.3
_MEGABYTE = 1024 * 1024


def put_together(
    settings: Settings,
    folder: Opened,
    *,
    link: Link,
    clock: Clock,
    entropy: Entropy,
    speaker: Speaker | None,
    devices: Devices | None = None,
) -> tuple[Stage, Parts]:
    """Answer a stage and its parts, connected; nothing runs yet.

    Args:
        settings: Of this kiosk.
        folder: The open store, the device's keys and what the enrolment said.
        link: Way to the centre.
        clock: Time and waiting.
        entropy: Ids, tokens, jitter.
        speaker: Speaks what no clip says; None = nobody does.
        devices: What hangs on it; None = what the settings name.
    """
    database, keys, identity = folder.database, folder.keys, folder.identity
    keeper, formers = folder.keeper or Keeper(None, database), folder.carried
    drafts, live = Drafts(), LiveVoice(speaker, entropy)
    devices = devices or devices_of(settings, clock)
    wordings = {language: Wording.load(language) for language in LANGUAGES}
    trail, carry = Trail(settings.data_dir), Carry(database, settings.data_dir)

    def health() -> Health:
        return _report(folder, settings.data_dir, live, effects, keeper, devices)

    def renew(_: int) -> None:
        begin(stage.renew())

    begin = _Begun().begin
    agent = Agent(database, link, keys, identity, clock, entropy, health, on_catalogue=renew)
    believed = _believed(clock, agent, folder.past)
    shown = (database, keys, identity, believed, drafts, live, trail)
    effects = Effects(
        *shown,
        lambda: begin(_sent_soon(agent, clock)),
        formers=[one.register for one in formers],
        keep=keeper.keep,
        carry=carry,
        ring=devices.bell.begin,
        slips=Slips(devices.printing, database, identity, settings, wordings),
        deeds=partial(Deeds, settings.data_dir, settings.utc_offset_min),
    )
    parts = Parts(
        settings=settings,
        database=database,
        identity=identity,
        kiosk_id=keys.kiosk_id,
        agent=agent,
        effects=effects,
        drafts=drafts,
        live=live,
        trail=trail,
        carry=carry,
        library=_library(settings),
        wordings=wordings,
        clock=believed,
        entropy=entropy,
        formers=tuple(one.agent(link, clock, entropy, health) for one in formers),
        keeper=keeper,
        devices=devices,
        is_elsewhere=folder.is_elsewhere,
        carriers=carriers_of(shown[:3], formers, clock, entropy, health, renew),
    )
    stage = _heard(devices, Stage(parts))
    return stage, parts


async def _sent_soon(agent: Agent, clock: Clock) -> None:
    # The receipt is drawn first: signing and sending would take its time on a small board.
    await clock.sleep(SEND_AFTER_S)
    agent.poke()


def _heard(devices: Devices, stage: Stage) -> Stage:
    """Let the stage hear what devices bring."""
    devices.printing.note = stage.note_printer
    devices.reading.is_wanted, devices.reading.came = stage.awaits_card, stage.note_card
    devices.scanner.came = stage.note_scan
    return stage


def _library(settings: Settings) -> Library:
    return Library(
        settings.voice_dir or default_cache_dir(),
        settings.recordings_dir,
        settings.packs_dir or default_packs_dir(),
    )


def _believed(clock: Clock, agent: Agent, past: Past) -> Clock:
    """Answer the clock for what residents see: a board without a battery is years off."""

    def skew_ms() -> int:
        state = agent.state
        return past.clock_skew_ms if state.last_ok_ms is None else state.clock_skew_ms

    return BelievedClock(clock, skew_ms, past.newest_ms)


class _Begun:
    """Work that nobody waits for; held so that it is not forgotten half-way."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Future[None]] = set()

    def begin(self, job: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _report(
    folder: Opened,
    directory: Path,
    live: LiveVoice,
    effects: Effects,
    keeper: Keeper,
    devices: Devices,
) -> Health:
    told = {
        "voice": "missing" if live.missing_count else "",
        "helper": "called" if effects.is_helper_called else "",
        "copy": "missing" if keeper.is_missing else "",
        "board": "other" if folder.is_elsewhere else "",
        "printer": devices.printing.view.told,
    }
    return Health(
        version=version(),
        pending=0,
        oldest_s=0,
        disk_free_mb=shutil.disk_usage(directory).free // _MEGABYTE,
        devices={name: state for name, state in told.items() if state},
    )


def version() -> str:
    """Answer the installed version of bianmin."""
    try:
        return importlib.metadata.version("bianmin")
    except importlib.metadata.PackageNotFoundError:
        return "0+source"


def build_app(stage: Stage, parts: Parts, lines: LogLines | None = None) -> web.Application:
    """Answer the app that serves the kiosk's page, and the installer's."""
    largest = max(ACT_BYTES_MAX, ATTACHMENT_BYTES_MAX + 1024)
    app = web.Application(middlewares=[guard], client_max_size=largest)
    app[STAGE] = stage
    app[PARTS] = parts
    app.add_routes(routes())
    fit_out(app, parts, lines or LogLines(parts.clock), version())
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
    speaker = LiveSpeaker() if settings.has_live_voice else None
    try:
        away = HttpLink(settings.centre_url, fallbacks=settings.centre_fallbacks)
        async with entered(settings) as folder, away as link:
            stage, parts = put_together(
                settings,
                folder,
                link=link,
                clock=SystemClock(),
                entropy=SystemEntropy(),
                speaker=speaker,
            )
            try:
                yield stage, parts
            finally:
                await parts.devices.close()
                await parts.hand.rest()
    finally:
        if speaker is not None:
            await speaker.close()


def _watched(stage: Stage, parts: Parts) -> Iterator[Coroutine[None, None, None]]:
    yield from parts.devices.runs()
    root = parts.settings.stick_dir
    if root is not None:

        def progress(percent: int) -> None:
            stage.stick_percent = percent

        watch = StickWatch(root, parts.carriers, stage.note_stick, progress, parts.clock)
        stage.serve_stick = watch.again
        yield watch.run()


async def serve(settings: Settings, stop: asyncio.Event) -> bool:
    """Show the page and carry envelopes until `stop` is set or another identity waits.

    Args:
        settings: Of this kiosk.
        stop: Set by a signal.

    Returns:
        Whether to serve again, as who this kiosk is then.
    """
    async with opened(settings) as (stage, parts):
        lines = LogLines(parts.clock)
        with kept(lines):
            return await _served(settings, stop, stage, parts, lines)


def _told(task: asyncio.Future[None]) -> None:
    """Tell of a loop that ended by itself: a device would be dead and still be called ready."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("a loop ended", extra={"reason": type(error).__name__})


async def _served(
    settings: Settings, stop: asyncio.Event, stage: Stage, parts: Parts, lines: LogLines
) -> bool:
    await stage.start()
    # The first receipt must not wait for the drawing library to load.
    await asyncio.to_thread(qr_svg, settings.centre_url)
    settle()
    runner = web.AppRunner(
        build_app(stage, parts, lines), access_log=None, shutdown_timeout=SHUTDOWN_S
    )
    await runner.setup()
    jobs = [parts.agent.run(), stage.watch(), parts.live.start(), parts.keeper.run(parts.clock)]
    others = (*(one.run() for one in parts.formers), *_watched(stage, parts))
    tasks = [asyncio.ensure_future(job) for job in (*jobs, *others)]
    for task in tasks:
        task.add_done_callback(_told)
    changing = asyncio.ensure_future(
        wait_for_change(settings.data_dir, lambda: stage.is_free, parts.clock)
    )
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
        stopping = asyncio.ensure_future(stop.wait())
        ends = {stopping, changing, *tasks[:2]}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        is_again = changing.done() and not stopping.done()
        stopping.cancel()
        for task in tasks[:2]:
            # A loop that ended by itself is a defect: let the supervisor start us afresh.
            if task.done():
                task.result()
        return is_again
    finally:
        for task in (changing, *tasks):
            task.cancel()
        await asyncio.gather(changing, *tasks, return_exceptions=True)
        await runner.cleanup()
