"""The command `bianmin kiosk`: enrol, run, look, examine."""

import asyncio
import contextlib
import functools
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec

from kiosk import settings as kiosk_settings
from kiosk.doctor import Finding, check_centre, examine
from kiosk.machine import fingerprint
from kiosk.main import opened, serve
from kiosk.settings import Settings
from kiosk.web.unenrolled import wait_until_enrolled
from sync.clock import SystemClock, SystemEntropy
from sync.commands import data_option, run_until_signal, told
from sync.database import AlreadyRunning
from sync.device import KioskIdentity, NotEnrolled, load_identity
from sync.enrolling import enrol as enrol_kiosk
from sync.errors import MALFORMED
from sync.transports import CentreRefused
from sync.transports.http import HttpLink

STATUS_S = 3.0
#: Code by which the centre refuses an enrolment.
WRONG_CODE = "403.1"


_DATA = data_option("BIANMIN_KIOSK_DATA_DIR", "kiosk-data")
_CENTRE = click.option("--centre", "centre_url", help="Scheme and host of the centre.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def kiosk() -> None:
    """Enrol, run and examine a kiosk.

    \b
    First day:
      bianmin kiosk enrol XXXX-XXXX-XXXX --centre https://centre.example --data /srv/kiosk
      bianmin kiosk run --data /srv/kiosk          serve its page on 127.0.0.1:8420
      bianmin kiosk doctor --data /srv/kiosk       what is wrong, and what to do

    Every setting can stand in DATA/settings.toml or in the environment:

    \b
      BIANMIN_KIOSK_DATA_DIR, HOST, PORT, CENTRE_URL, VOICE_DIR, RECORDINGS_DIR,
      HAS_LIVE_VOICE, WIDTH_PX, HEIGHT_PX, DIAGONAL_IN, IDLE_S, UTC_OFFSET_MIN, HAS_PRINTER
    """  # noqa: D301 -- click keeps the lines after a backspace as they are


def _load(data_dir: Path | None, **given: Any) -> Settings:
    return kiosk_settings.load(data_dir=data_dir, **given)


@kiosk.command()
@click.argument("code")
@_CENTRE
@_DATA
@told
def enrol(code: str, centre_url: str | None, data_dir: Path | None) -> None:
    """Make this machine a kiosk with the one-time CODE of the centre (`bianmin centre code`)."""
    chosen = _load(data_dir, centre_url=centre_url)
    try:
        identity = load_identity(chosen.data_dir)
    except NotEnrolled:
        chosen.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    else:
        click.echo(f"This is kiosk {identity.kiosk_no}, {identity.name}, already.")
        return
    identity = asyncio.run(_enrolled(chosen, code))
    click.echo(f"This is kiosk {identity.kiosk_no} now: {identity.name} ({identity.village_code}).")
    click.echo(f"Next:  bianmin kiosk run --data {chosen.data_dir}")


async def _enrolled(chosen: Settings, code: str) -> KioskIdentity:
    async with HttpLink(chosen.centre_url) as link:
        try:
            identity = await enrol_kiosk(
                link,
                chosen.data_dir,
                code,
                entropy=SystemEntropy(),
                fingerprint=fingerprint(),
            )
        except CentreRefused as error:
            if error.problem != WRONG_CODE:
                raise
            raise click.ClickException(
                "the centre does not take this code: it is wrong, used or too old; "
                "ask for a new one (`bianmin centre code`)"
            ) from error
    _keep_centre(chosen)
    # The services come along at once, so that the first start can do without a link.
    # A kiosk that waited for its enrolment may be quicker; then it fetches them.
    with contextlib.suppress(AlreadyRunning):
        async with opened(msgspec.structs.replace(chosen, has_live_voice=False)) as (_, parts):
            outcome = await parts.agent.exchange_once()
        if outcome.error or outcome.detail:
            click.echo("The services could not be fetched yet; the kiosk fetches them by itself.")
    return identity


def _keep_centre(chosen: Settings) -> None:
    """Write the centre's address down, unless the installer has a settings file already."""
    path = chosen.data_dir / kiosk_settings.FILE_NAME
    if not path.exists():
        path.write_text(f"centre_url = {json.dumps(chosen.centre_url)}\n", "utf-8")


@kiosk.command()
@_DATA
@_CENTRE
@click.option("--host", help="Address to listen on (default 127.0.0.1).")
@click.option("--port", type=int, help="Port to listen on (default 8420).")
@told
def run(data_dir: Path | None, centre_url: str | None, host: str | None, port: int | None) -> None:
    """Serve the page and carry envelopes until SIGTERM or Ctrl-C.

    Before the kiosk is enrolled the page says what the installer has to do.
    """
    load = functools.partial(_load, data_dir, centre_url=centre_url, host=host, port=port)
    load()  # what is wrong is told before anything is shown
    run_until_signal(functools.partial(_served, load))


async def _served(load: Callable[[], Settings], stop: asyncio.Event) -> None:
    if await wait_until_enrolled(load(), stop, SystemClock()):
        # The enrolment has written the centre's address down meanwhile.
        await serve(load(), stop)


@kiosk.command()
@_DATA
@click.option("--port", type=int, help="Port that the kiosk listens on (default 8420).")
@told
def status(data_dir: Path | None, port: int | None) -> None:
    """Say what waits, when the centre last answered, and which versions run."""
    chosen = _load(data_dir, port=port)
    url = f"http://127.0.0.1:{chosen.port}/status"
    try:
        with urllib.request.urlopen(url, timeout=STATUS_S) as answer:
            found: dict[str, object] = msgspec.json.decode(answer.read())
    except (urllib.error.URLError, OSError, *MALFORMED) as error:
        raise click.ClickException(
            f"no kiosk answers at {url}; start it with `bianmin kiosk run`, or see `doctor`"
        ) from error
    for name, value in found.items():
        click.echo(f"{name:<14} {value}")


@kiosk.command()
@_DATA
@_CENTRE
@told
def doctor(data_dir: Path | None, centre_url: str | None) -> None:
    """Examine folder, identity, disk, clock, store, catalogue, voice and centre; say what to do."""
    chosen = _load(data_dir, centre_url=centre_url)
    findings = (*examine(chosen, SystemClock()), asyncio.run(_centre(chosen)))
    for finding in findings:
        click.echo(_line(finding))
    if not all(finding.is_good for finding in findings):
        raise click.exceptions.Exit(1)


async def _centre(chosen: Settings) -> Finding:
    async with HttpLink(chosen.centre_url) as link:
        return await check_centre(link)


def _line(finding: Finding) -> str:
    mark = "ok  " if finding.is_good else "look"
    todo = f"\n      → {finding.todo}" if finding.todo and not finding.is_good else ""
    return f"{mark}  {finding.name:<12} {finding.said}{todo}"
