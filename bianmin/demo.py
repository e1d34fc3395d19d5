"""`bianmin demo`: a village on this machine, to try and to show, with a link one can cut."""

import asyncio
import contextlib
import shutil
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click
from aiohttp import web

from bianmin import browser, processes
from bianmin.accounts import Account, ensure_accounts
from bianmin.page import build_page
from bianmin.village import HOST, Ports, Village
from bianmin.words import words
from voice_prompts.cli import default_cache_dir

_DEFAULTS: Final = Ports()
_OPTIONS: Final = {  # what listens → the option that moves it
    "kiosk": "--kiosk-port",
    "centre": "--centre-port",
    "page": "--page-port",
    "link": "--link-port",
}


@click.command()
@click.option("--offline", is_flag=True, help="Start with the link between kiosk and centre cut.")
@click.option("--reset", is_flag=True, help="Forget the data of earlier demos first.")
@click.option(
    "--lan",
    is_flag=True,
    help="Let phones in this network reach the centre, to scan receipts. Say it at every start.",
)
@click.option(
    "--browser",
    "shown",
    type=click.Choice(["kiosk", "window", "none"]),
    default="kiosk",
    show_default=True,
    help="How Chromium shows the kiosk: full-screen, in a window, or not at all.",
)
@click.option(
    "--data",
    "place",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var/demo"),
    show_default=True,
    help="Folder of the demo's data.",
)
@click.option(
    "--voice-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the rendered sentences; by default where `bianmin voice render` puts them.",
)
@click.option("--kiosk-port", type=int, default=_DEFAULTS.kiosk, show_default=True)
@click.option("--centre-port", type=int, default=_DEFAULTS.centre, show_default=True)
@click.option("--page-port", type=int, default=_DEFAULTS.page, show_default=True)
@click.option("--link-port", type=int, default=_DEFAULTS.link, show_default=True)
def demo(
    *,
    offline: bool,
    reset: bool,
    lan: bool,
    shown: browser.Look,
    place: Path,
    voice_dir: Path | None,
    kiosk_port: int,
    centre_port: int,
    page_port: int,
    link_port: int,
) -> None:
    """Start a village kiosk and its centre on this machine, and a page to cut their link.

    The first start makes keys, accounts and spoken sentences; later ones take seconds and keep
    what was entered. Everything runs on this machine only, with made-up data.

    \b
      bianmin demo                       try it
      bianmin demo --offline             begin in a valley without a network
      bianmin demo --browser window      keep the desktop in sight
      bianmin demo --reset --lan         scan receipts with a phone of this network
      bianmin demo --reset               begin anew

    Press Enter to cut or restore the link, Ctrl-C to stop everything.
    """  # noqa: D301 -- click keeps the lines after a backspace as they are
    place, voice_dir = place.absolute(), (voice_dir or default_cache_dir()).absolute()
    ports = Ports(kiosk=kiosk_port, centre=centre_port, page=page_port, link=link_port)
    _check_ports(ports)
    if reset:
        _forget(place)
    village = Village(place, ports, voice_dir=voice_dir, settings=_for_phones(ports) if lan else {})
    try:
        asyncio.run(_Demo(village, is_offline=offline, look=shown).run())
    except processes.ProgramFailed as error:
        raise click.ClickException(str(error)) from error
    except asyncio.CancelledError:
        sys.exit(130)


class _Demo:
    """One run, from the first line in the terminal to the last child's end."""

    def __init__(self, village: Village, *, is_offline: bool, look: browser.Look) -> None:
        self._village = village
        self._is_offline = is_offline
        self._look = look
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Start, wait for a signal or the end of a child, stop.

        Raises:
            ProgramFailed: A child did not start, or ended by itself.
        """
        loop = asyncio.get_running_loop()
        work = asyncio.ensure_future(self._work())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._ask_to_stop, work)
        try:
            await work
        except asyncio.CancelledError:
            if not self._stopping.is_set():
                raise
        finally:
            _say("stopping")
            await self._village.stop()
            _say("stopped", place=self._village.directory)

    def _ask_to_stop(self, work: asyncio.Task[None]) -> None:
        # A second Ctrl-C changes nothing: the children are being stopped already.
        if not self._stopping.is_set():
            self._stopping.set()
            work.cancel()

    async def _work(self) -> None:
        village = self._village
        await self._render_voice()
        _say("centre")
        await village.link.open(village.ports.link)
        await village.start_centre()
        _say("accounts")
        accounts = await ensure_accounts(village)
        _say("kiosk")
        await village.start_kiosk()
        if self._is_offline:
            village.link.cut()
        runner = web.AppRunner(build_page(village, accounts), access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, village.ports.page).start()
            self._announce(accounts)
            async with browser.shown(self._look, village.kiosk_url, village.directory):
                with self._switch_on_enter():
                    await self._first_end()
        finally:
            await runner.cleanup()

    async def _render_voice(self) -> None:
        _say("voice")
        try:
            await self._village.render_voice()
        except processes.ProgramFailed as error:
            # Without espeak-ng a kiosk still serves who can read; the demo says so and goes on.
            _say("voice_failed")
            click.echo(f"    {error}", err=True)

    async def _first_end(self) -> None:
        programs = [p for p in (self._village.centre, self._village.kiosk) if p is not None]
        ends = {asyncio.ensure_future(program.ended()): program for program in programs}
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
        raise ends[done.pop()].failure()

    def _announce(self, accounts: Sequence[Account]) -> None:
        village = self._village
        _say("ready")
        for name, url in (
            ("page", f"http://{HOST}:{village.ports.page}/"),
            ("kiosk_page", f"{village.kiosk_url}/"),
            ("centre_page", f"{village.centre_url}/"),
        ):
            click.echo(f"    {url:<26} {words(name).zh}  {words(name).en}")
        _say("account")
        for account in accounts:
            title = account.title
            click.echo(f"    {account.name:<10} {account.password:<16} {title.zh}  {title.en}")
        _say("link_whole" if village.link.is_whole else "link_cut")
        if sys.stdin.isatty():
            _say("keys")

    @contextlib.contextmanager
    def _switch_on_enter(self) -> Iterator[None]:
        if not sys.stdin.isatty():
            yield
            return
        loop = asyncio.get_running_loop()

        village, pressed = self._village, set[asyncio.Task[None]]()

        async def switch() -> None:
            await village.set_link(is_whole=not village.link.is_whole)
            _say("link_whole" if village.link.is_whole else "link_cut")

        def on_enter() -> None:
            if not sys.stdin.readline():  # the terminal is gone
                loop.remove_reader(sys.stdin)
                return
            task = asyncio.ensure_future(switch())
            pressed.add(task)  # the loop itself keeps no hold on its tasks
            task.add_done_callback(pressed.discard)

        loop.add_reader(sys.stdin, on_enter)
        try:
            yield
        finally:
            loop.remove_reader(sys.stdin)


def _say(name: str, **filled: object) -> None:
    sentence = words(name, **filled)
    click.echo(f"● {sentence.zh}  {sentence.en}")


def _check_ports(ports: Ports) -> None:
    busy = [
        words("port_busy", port=getattr(ports, what), what=what, option=option)
        for what, option in _OPTIONS.items()
        if not processes.is_free(getattr(ports, what))
    ]
    if busy:
        raise click.ClickException("\n".join(f"{line.zh}\n       {line.en}" for line in busy))


def _for_phones(ports: Ports) -> dict[str, str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Sends nothing: it only asks which of our addresses leads out (RFC 5737 address).
            probe.connect(("192.0.2.1", 9))
        except OSError as error:
            raise click.ClickException("--lan: this machine is in no network") from error
        address = probe.getsockname()[0]
    return {
        "BIANMIN_CENTRE_HOST": "0.0.0.0",  # noqa: S104 -- asked for by --lan
        "BIANMIN_CENTRE_PUBLIC_URL": f"http://{address}:{ports.centre}",
    }


def _forget(place: Path) -> None:
    # Only what a demo made: the folder may have been given by hand, and be somebody's home.
    for name in ("centre", "kiosk", "log", "browser"):
        if (place / name).exists():
            shutil.rmtree(place / name)
    (place / "accounts.toml").unlink(missing_ok=True)
