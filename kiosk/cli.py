"""The command `bianmin kiosk`: enrol, run, look, examine."""

import asyncio
import contextlib
import functools
import json
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from kiosk import settings as kiosk_settings
from kiosk.assisted.cli import helper
from kiosk.devices.cli import simulate
from kiosk.doctor import check_centre, examine
from kiosk.finding import Finding, as_json, as_text, exit_code
from kiosk.installer.door import drawn_code, is_code, set_code
from kiosk.machine import board, fingerprint
from kiosk.main import opened, serve
from kiosk.settings import Settings
from kiosk.web.unenrolled import wait_until_enrolled
from sync.carrying import Brought, Carrier, Progress
from sync.clock import SystemClock, SystemEntropy
from sync.commands import data_option, run_until_signal, told
from sync.database import AlreadyRunning
from sync.device import KioskIdentity, NotEnrolled, load_identity, save_identity
from sync.enrolling import enrol as enrol_kiosk
from sync.errors import MALFORMED
from sync.former import settle
from sync.sticks import StickFolder
from sync.transports import CentreRefused
from sync.transports.http import HttpLink

STATUS_S = 3.0
#: Codes by which a centre refuses an enrolment: ours, and the one of docs/protocol.md.
WRONG_CODES = frozenset({"403.20", "403.1"})


_DATA = data_option("BIANMIN_KIOSK_DATA_DIR", "kiosk-data")
_STICK = click.Path(exists=True, file_okay=False, path_type=Path)
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
      HAS_LIVE_VOICE, WIDTH_PX, HEIGHT_PX, DIAGONAL_IN, IDLE_S, UTC_OFFSET_MIN, PRINTER,
      SLIP_WIDTH_MM, IS_QR_BY_PRINTER, CARD_READER,
      SCANNER, BELL, SCREEN_OFF, QUIET_HOURS, HAS_SHADOW, SHADOW_DIR, STICK_DIR, KEYPAD
    """  # noqa: D301 -- click keeps the lines after a backspace as they are


kiosk.add_command(helper)
kiosk.add_command(simulate)


def _load(data_dir: Path | None, **given: Any) -> Settings:
    return kiosk_settings.load(data_dir=data_dir, **given)


@kiosk.command()
@click.argument("code")
@_CENTRE
@_DATA
@told
def enrol(code: str, centre_url: str | None, data_dir: Path | None) -> None:
    """Make this machine a kiosk with the one-time CODE of the centre (`bianmin centre code`).

    A kiosk that is enrolled gets a new number. What waits under its former one is still
    delivered under that, and residents still find their matters; a kiosk at work changes over
    by itself as soon as nobody stands before it.
    """
    chosen = _load(data_dir, centre_url=centre_url)
    chosen.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    former = _present(chosen)
    identity = asyncio.run(_enrolled(chosen, code))
    named = f"kiosk {identity.kiosk_no}"
    if former is not None and former.keys_file == identity.keys_file:
        click.echo(f"This is {named}, {identity.name}, already.")
        return
    if _present(chosen) != identity:
        click.echo(f"It becomes {named} as soon as nobody stands before it.")
        return
    click.echo(f"This is {named} now: {identity.name} ({identity.village_code}).")
    if former is not None:
        click.echo(f"What waits under number {former.kiosk_no} is delivered under that number.")
    click.echo(f"Next:  bianmin kiosk run --data {chosen.data_dir}")


def _present(chosen: Settings) -> KioskIdentity | None:
    try:
        return load_identity(chosen.data_dir)
    except NotEnrolled:
        return None


@kiosk.command()
@_DATA
@told
def moved(data_dir: Path | None) -> None:
    """Say that the card was put into this board on purpose, and that the other one is gone.

    A card that finds itself on another board takes no transactions, since it may be a copy.
    When the board was broken and replaced, say so with this; is the other one still at work,
    enrol this one anew (`bianmin kiosk enrol CODE`).
    """
    chosen = _load(data_dir)
    settle(chosen.data_dir)
    identity = load_identity(chosen.data_dir)
    save_identity(chosen.data_dir, msgspec.structs.replace(identity, board=board()))
    click.echo(f"Kiosk {identity.kiosk_no} belongs to this board now.")


async def _enrolled(chosen: Settings, code: str) -> KioskIdentity:
    async with HttpLink(chosen.centre_url) as link:
        try:
            identity = await enrol_kiosk(
                link,
                chosen.data_dir,
                code,
                entropy=SystemEntropy(),
                fingerprint=fingerprint(),
                board=board(),
            )
        except CentreRefused as error:
            if error.problem not in WRONG_CODES:
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
        # The enrolment has written the centre's address down meanwhile; another one may come.
        while await serve(load(), stop):
            pass


@kiosk.command()
@click.argument("stick", type=_STICK)
@_DATA
@told
def export(stick: Path, data_dir: Path | None) -> None:
    """Lay all that waits on a STICK (the folder where it is mounted), sealed and signed.

    Nothing counts as delivered before the centre's replies are back (`bianmin kiosk import`).
    A running kiosk does both by itself for sticks that the centre marked.
    """
    asyncio.run(_exported(_load(data_dir, has_live_voice=False), stick))


async def _exported(chosen: Settings, stick: Path) -> None:
    async with _at_stick(chosen) as carriers:
        with StickFolder.opened(stick, is_made=True) as folder:
            for carrier in carriers:
                laid = await carrier.lay(folder, _bar())
                click.echo(
                    f"{laid.envelopes} envelopes and {laid.attachments} attachments are on the"
                    f" stick, {laid.size_bytes} bytes: {', '.join(laid.files)}"
                )
    click.echo("You can pull the stick out. At the centre:  bianmin centre stick DIR")


@kiosk.command("import")
@click.argument("stick", type=_STICK)
@_DATA
@told
def import_replies(stick: Path, data_dir: Path | None) -> None:
    """Take in the centre's replies, notices and services from a STICK; each proves itself."""
    asyncio.run(_imported(_load(data_dir, has_live_voice=False), stick))


async def _imported(chosen: Settings, stick: Path) -> None:
    async with _at_stick(chosen) as carriers:
        with StickFolder.opened(stick) as folder:
            for carrier in carriers:
                for line in _said(await carrier.bring(folder, _bar())):
                    click.echo(line)


@contextlib.asynccontextmanager
async def _at_stick(chosen: Settings) -> AsyncIterator[tuple[Carrier, ...]]:
    try:
        async with opened(chosen) as (_, parts):
            yield parts.carriers
    except AlreadyRunning as error:
        raise click.ClickException(
            "the kiosk is running: with STICK_DIR set it serves the centre's sticks by itself;"
            " else stop it for so long"
        ) from error


def _bar() -> Callable[[Progress], None]:
    """Answer who tells on a terminal how far the work is; elsewhere nobody does."""
    shown: set[str] = set()

    def tell(progress: Progress) -> None:
        line = f"{progress.part} {progress.percent // 10 * 10:3d} %"
        if sys.stderr.isatty() and line not in shown:
            shown.add(line)
            click.echo(f"\r{line:<20}", nl=False, err=True)
            if progress.part == "checking":
                click.echo(err=True)

    return tell


def _said(brought: Brought) -> Iterator[str]:
    yield (
        f"{brought.replies} replies taken in: {brought.settled} envelopes settled,"
        f" {brought.notices} notices; {brought.removed} bundles taken off the stick"
    )
    if brought.late:
        yield f"{brought.late} replies are older than what was heard since; they move nothing back"
    if brought.refused:
        yield f"{brought.refused} items are not the centre's answer to this kiosk; nothing changed"
    if brought.orphans:
        yield f"{brought.orphans} files of replies are of no use without their bundles"
    if brought.catalogue:
        yield f"services of version {brought.catalogue} are in force"
    if brought.is_catalogue_refused:
        yield "services came along that cannot be used; the present ones stay"
    if brought.is_revoked or brought.must_reenrol:
        yield "the centre asks for a new enrolment:  bianmin kiosk enrol CODE"
    if brought.is_crowded:
        yield "the stick holds more files than any kiosk wrote; not all were looked at"


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
@click.option("--admin", is_flag=True, help="The code of the installer's screen.")
@click.option("--set", "chosen_code", help="Take this code of 8 to 12 digits; else one is drawn.")
@_DATA
@told
def code(data_dir: Path | None, chosen_code: str | None, *, admin: bool) -> None:
    """Set the code of the installer's screen (five quick touches on the home screen's heading).

    It is told this once and kept hashed; a running kiosk takes it at once.
    """
    if not admin:
        raise click.UsageError("say which code:  bianmin kiosk code --admin")
    entropy = SystemEntropy()
    digits = chosen_code or drawn_code(entropy)
    if not is_code(digits):
        raise click.BadParameter("a code is 8 to 12 digits", param_hint="--set")
    set_code(_load(data_dir).data_dir, digits, entropy)
    click.echo(f"The installer's code is {digits}. Write it down: nobody can look it up.")


@kiosk.command()
@_DATA
@_CENTRE
@click.option("--json", "is_json", is_flag=True, help="Answer JSON, for another program.")
@told
def doctor(data_dir: Path | None, centre_url: str | None, *, is_json: bool) -> None:
    """Examine folder, store, voice, machine, devices and centre; say what to do.

    Each line has a number that can be told by phone. Ends with 0 when all is well, 1 when
    somebody should come by, 2 when residents cannot be served.
    """
    chosen = _load(data_dir, centre_url=centre_url)
    findings = (*examine(chosen, SystemClock()), asyncio.run(_centre(chosen)))
    click.echo(as_json(findings) if is_json else as_text(findings))
    if code := exit_code(findings):
        raise click.exceptions.Exit(code)


async def _centre(chosen: Settings) -> Finding:
    async with HttpLink(chosen.centre_url) as link:
        return await check_centre(link)
