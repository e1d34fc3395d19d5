"""The command `bianmin centre`: set up, run, publish, enrol, look."""

import asyncio
import contextlib
import functools
import resource
from pathlib import Path
from typing import Any

import click

from server import identity, rotation, settings
from server.catalogue import lost
from server.catalogue.publish import prepared, read_sources
from server.catalogue.publish import publish as sign
from server.enrolment import new_code
from server.main import serve
from server.people.cli import account
from server.settings import Settings
from server.stick_serving import served
from server.store import catalogues, fleet
from server.store import centre as facts
from server.store.migrate import migrate
from server.store.sqlite import connect, write_once
from server.vault.client import VaultClient
from server.vault.daemon import run as run_vault
from sync.clock import SystemClock, SystemEntropy
from sync.commands import data_option, run_until_signal, told
from sync.logs import set_up

_ROOT_WORDS = """
The root key was written to
    {path}
It is what every kiosk of this county will trust for good. Now:
  1. copy that file to two USB sticks and lock them away in two places;
  2. check that both copies read:  sha256sum {path}
  3. delete it here:               shred -u {path}
The centre runs without it. You need it once a year:  bianmin centre certify --root FILE
Back up {vault} as well (stick and safe, not the network):
without the sealing key nothing that residents sent can be opened again.
"""


_DATA = data_option("BIANMIN_CENTRE_DATA_DIR", "centre-data")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def centre() -> None:
    """Run the centre: take kiosks' transactions in, open them, answer them.

    \b
    First day:
      bianmin centre init --data /srv/bianmin      make keys and database
      bianmin centre run --data /srv/bianmin       serve on 127.0.0.1:8420
      bianmin centre publish --data /srv/bianmin   sign the services that we ship
      bianmin centre account add anna --role admin --data /srv/bianmin
      bianmin centre code --name 石桥村便民服务点 --village 522326104205 --data /srv/bianmin

    \b
    Every setting can stand in DATA/centre.toml or in the environment (BIANMIN_CENTRE_PORT=8420 …).
    The centre speaks plain HTTP to this machine only. Put a reverse proxy with a certificate
    before it (nginx, Caddy, HAProxy) and set:
      BIANMIN_CENTRE_PUBLIC_URL=https://centre.example
      BIANMIN_CENTRE_TRUSTED_PROXIES=127.0.0.1
    """  # noqa: D301 -- click keeps the lines after a backspace as they are


def _load(data_dir: Path | None, **given: Any) -> Settings:
    return settings.load(data_dir=data_dir, **given)


@centre.command()
@_DATA
@click.option("--admin", help="Make the first administrator's account; its password is shown once.")
@click.pass_context
@told
def init(context: click.Context, data_dir: Path | None, admin: str | None) -> None:
    """Make a new centre: root and signing key, the vault's keys, an empty database.

    Nothing that exists is touched; run again, it says so and ends well.
    """
    chosen = _load(data_dir)
    clock = SystemClock()
    if identity.is_made(chosen):
        click.echo(f"There is a centre in {chosen.data_dir} already; nothing was changed.")
        return
    chosen.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    root_path = identity.make(chosen, SystemEntropy(), clock.now_ms())
    migrate(chosen.database)
    chosen.database.chmod(0o600)
    epoch = write_once(chosen.database, facts.raise_epoch, clock.now_ms())
    click.echo(f"A new centre was made in {chosen.data_dir} (epoch {epoch}).")
    click.echo(_ROOT_WORDS.format(path=root_path, vault=chosen.vault_dir))
    if admin:
        add = account.get_command(context, "add")
        if add is not None:
            context.invoke(add, name=admin, role="admin", data_dir=data_dir)
    else:
        click.echo("An administrator:  bianmin centre account add NAME --role admin")
    click.echo("Next:              bianmin centre run")


@centre.command()
@_DATA
@click.option("--host", help="Address to listen on (default 127.0.0.1).")
@click.option("--port", type=int, help="Port to listen on (default 8420).")
@told
def run(data_dir: Path | None, host: str | None, port: int | None) -> None:
    """Serve until SIGTERM or Ctrl-C; the vault runs as a process beside it.

    When the vault dies it is started again; envelopes are taken in meanwhile and opened later.
    """
    chosen = _load(data_dir, host=host, port=port)
    raise_file_limit()
    run_until_signal(functools.partial(serve, chosen))


def raise_file_limit() -> None:
    """Let this process hold as many connections as the machine allows: often 1,024 else."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@centre.command()
@_DATA
@told
def vault(data_dir: Path | None) -> None:
    """Serve the vault alone, for a centre whose vault has an account of its own.

    `bianmin centre run` starts one by itself; you need this only to separate the two.
    """
    set_up()
    asyncio.run(run_vault(_load(data_dir), with_parent=False))


@centre.command()
@_DATA
@click.argument(
    "catalogue", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--villages",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV with the columns code, name_zh, name_en (default: the made-up demo county).",
)
@click.option(
    "--reasons",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON: reason code to text by language (default: the list we ship).",
)
@told
def publish(
    data_dir: Path | None, catalogue: Path | None, villages: Path | None, reasons: Path | None
) -> None:
    """Check a catalogue and sign it as the next version; kiosks fetch it by themselves.

    Without CATALOGUE the services that we ship are published. Every fault is named by its place
    (service.question), and nothing is published while there is one. The same content again is
    no new version.
    """
    chosen = _load(data_dir)
    keys = identity.load(chosen)
    ready = prepared(read_sources(chosen.hotline, catalogue, villages, reasons))
    outcome = write_once(chosen.database, sign, keys, ready, SystemClock().now_ms())
    if outcome.is_new:
        click.echo(f"Version {outcome.version} is in force: {outcome.services} services.")
    else:
        click.echo(f"Nothing changed; version {outcome.version} stays in force.")


@centre.command()
@_DATA
@click.option("--name", required=True, help="What the kiosk is called, e.g. 石桥村便民服务点.")
@click.option("--village", required=True, help="Its village's 12-digit division code.")
@click.option("--replaces", type=int, help="Number of the kiosk that it takes the place of.")
@told
def code(data_dir: Path | None, name: str, village: str, replaces: int | None) -> None:
    """Make a one-time code for an installer: one kiosk, 24 hours, five tries.

    The last line is the code. Read it to the installer; it is not stored in readable form.
    """
    if not (len(village) == 12 and village.isascii() and village.isdigit()):
        raise click.BadParameter("a village code has 12 digits", param_hint="--village")
    chosen = _load(data_dir)
    identity.load(chosen)
    made = write_once(
        chosen.database,
        new_code,
        name=name,
        village_code=village,
        entropy=SystemEntropy(),
        now_ms=SystemClock().now_ms(),
        replaces=replaces,
    )
    click.echo(f"On the kiosk, within 24 hours:  bianmin kiosk enrol {made}")
    click.echo(made)


@centre.command()
@_DATA
@click.option(
    "--root",
    "root_path",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The root key, from its stick.",
)
@told
def certify(data_dir: Path | None, root_path: Path) -> None:
    """Replace the signing key with the root's help (once a year, or when it may be stolen).

    Restart the centre and publish afterwards; kiosks take the new key with their next exchange.
    """
    clock = SystemClock()
    made = identity.renew(_load(data_dir), root_path, SystemEntropy(), clock.now_ms())
    click.echo(f"Signing key number {made.serial} is certified. Restart the centre, then publish.")


@centre.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_DATA
@told
def stick(folder: Path, data_dir: Path | None) -> None:
    """Take in what kiosks laid on a stick, and write the replies back on it.

    FOLDER is where the stick is mounted. A stick without the centre's mark gets it: kiosks serve
    such sticks by themselves. Works beside a running centre; again is the same.
    """
    chosen = _load(data_dir)
    keys = identity.load(chosen)
    taken = asyncio.run(served(chosen, keys, folder, click.echo))
    click.echo(
        f"{taken} bundles were taken in; you can pull the stick out."
        if taken
        else "Nothing was on it; it is one of the centre's now. You can pull it out."
    )


_ROTATED_WORDS = """
Back up {vault} again now (stick and safe): what is sealed to key {number} from today on can be
opened with it alone. Kiosks take the key with their next exchange; the old ones stay.
"""


@centre.command()
@_DATA
@told
def rotate(data_dir: Path | None) -> None:
    """Make the next sealing key and publish it: once a year, or when one may be stolen.

    Kiosks seal to it from their next exchange on. The old keys stay in the vault, since kiosks
    may still hold what is sealed to them; `bianmin centre retire` takes one out.
    """
    chosen = _load(data_dir)
    made = rotation.rotate(chosen, SystemEntropy())
    keys, now_ms = identity.load(chosen), SystemClock().now_ms()
    version = write_once(chosen.database, rotation.republished, keys, now_ms)
    said = f"published as version {version}" if version else "published with the first catalogue"
    click.echo(f"Sealing key {made.key_id} is in the vault and {said}.")
    click.echo(_ROTATED_WORDS.format(vault=chosen.vault_dir, number=made.key_id))


@centre.command()
@_DATA
@click.argument("number", type=click.IntRange(1))
@click.option(
    "--unreadable-accepted",
    is_flag=True,
    help="Decided cases sealed to it may become unreadable: their time of keeping is over.",
)
@told
def retire(data_dir: Path | None, number: int, unreadable_accepted: bool) -> None:
    """Take sealing key NUMBER out of the vault, once nothing needs it any more.

    Refused, with figures, while a kiosk may still send something sealed to it, while anything
    sealed to it is unopened or undecided, and for a year after a newer key was published.
    """
    chosen = _load(data_dir)
    now_ms = SystemClock().now_ms()
    conn = connect(chosen.database, readonly=True)
    with contextlib.closing(conn):
        use = rotation.use_of(conn, number)
    rotation.retire(chosen, use, now_ms, is_unreadable_accepted=unreadable_accepted)
    write_once(chosen.database, rotation.republished, identity.load(chosen), now_ms)
    click.echo(f"Sealing key {number} lies in {chosen.vault_dir / 'retired'} now.")
    click.echo("Restart the centre. Shred that file, and its copies in the backups, when sure.")


_RESTORED_WORDS = """
What was done at the centre after the backup is forgotten. Kiosks give back what residents sent;
the rest is yours to do again, from your own records:
  1. kiosks revoked since then are active again: run this again with --revoked NUMBER for each;
  2. kiosks enrolled since then are unknown: a code for each (bianmin centre code), and enrol it
     anew at the kiosk; what it holds is kept and delivered once its former identity is known;
  3. accounts: those made since then are gone, those closed since then are open;
  4. bianmin centre publish, also without a change; then bring lost versions back from a copy of
     a kiosk's store: bianmin centre putback kiosk.db
"""


@centre.command()
@_DATA
@click.option(
    "--revoked",
    type=int,
    multiple=True,
    help="Number of a kiosk that was revoked after the backup was made; again for each.",
)
@told
def restored(data_dir: Path | None, revoked: tuple[int, ...]) -> None:
    """Tell kiosks that the database was restored from a backup; they give back what it lost.

    Run it once after putting the backup in place and before `bianmin centre run`.
    """
    chosen = _load(data_dir)
    identity.load(chosen)
    for number in revoked:
        write_once(chosen.database, fleet.revoke_number, number)
    epoch = write_once(chosen.database, facts.raise_epoch, SystemClock().now_ms())
    click.echo(f"Epoch {epoch} has begun; kiosks send again what this database does not hold.")
    click.echo(_RESTORED_WORDS)


@centre.command()
@_DATA
@click.argument("store", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@told
def putback(data_dir: Path | None, store: Path) -> None:
    """Put back catalogue versions that a restored database has lost, from a kiosk's STORE.

    STORE is a copy of a kiosk's kiosk.db, with kiosk.db-wal beside it when there is one. What
    waits for these versions as a dead letter is retried by itself. Again is the same.
    """
    chosen = _load(data_dir)
    keys = identity.load(chosen)
    back = write_once(chosen.database, lost.put_back, keys, lost.versions_in(store))
    told_back = ", ".join(map(str, back))
    click.echo(f"Put back: version {told_back}." if back else "Nothing in it was missing here.")


@centre.command()
@_DATA
@told
def status(data_dir: Path | None) -> None:
    """Say in a few lines how the centre stands."""
    chosen = _load(data_dir)
    keys = identity.load(chosen)
    now_ms = SystemClock().now_ms()
    conn = connect(chosen.database, readonly=True)
    with contextlib.closing(conn):
        summary = fleet.summary(conn)
        latest = catalogues.latest(conn)
        codes = fleet.open_codes(conn, now_ms)
    is_up = asyncio.run(VaultClient(chosen.vault_socket).is_up())
    days = (keys.certificate.not_after_ms - now_ms) // 86_400_000
    is_root_here = (chosen.keys_dir / "root.key").exists()
    click.echo(
        "\n".join(
            (
                f"data          {chosen.data_dir}",
                f"vault         {'up' if is_up else 'down (start: bianmin centre run)'}",
                f"catalogue     {latest.version if latest else 'none (bianmin centre publish)'}",
                f"kiosks        {summary.kiosks} ({summary.active} active, {summary.forked} forked,"
                f" {summary.revoked} revoked), {codes} open codes",
                f"to come       {summary.pending} envelopes on kiosks, {summary.waiting} to open",
                f"dead letters  {summary.dead_letters}",
                f"certificate   {days} days left (renew: bianmin centre certify)",
                f"root key      {'HERE: move it away' if is_root_here else 'not here (good)'}",
            )
        )
    )


centre.add_command(account)
