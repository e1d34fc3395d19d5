"""The command `bianmin kiosk helper`: who may help at this kiosk."""

from pathlib import Path

import click

from kiosk import settings as kiosk_settings
from kiosk.assisted.roster import Account, Roster
from kiosk.assisted.signing_in import BADGE
from kiosk.receipt import qr_svg
from sync.clock import SystemClock, SystemEntropy
from sync.commands import data_option, told
from sync.files import write_whole

_DATA = data_option("BIANMIN_KIOSK_DATA_DIR", "kiosk-data")


@click.group()
def helper() -> None:
    """Say who may help residents at this kiosk (帮办员); it may run meanwhile, without a link.

    \b
      bianmin kiosk helper add 张婷 --badge badge.svg    the PIN is told once
      bianmin kiosk helper list
      bianmin kiosk helper pin 12                        another PIN
      bianmin kiosk helper revoke 12
    """  # noqa: D301 -- click keeps the lines after a backspace as they are


@helper.command()
@click.argument("name", default="")
@click.option("--number", default="", help="1 to 4 digits (default: the next free one).")
@click.option("--badge", type=click.Path(dir_okay=False, path_type=Path), help="Write its QR here.")
@_DATA
@told
def add(name: str, number: str, badge: Path | None, data_dir: Path | None) -> None:
    """Add a helper; NAME is what residents read on the screen, and may be left out.

    The PIN is drawn and told once. It is kept nowhere: only its slow hash is, on this kiosk.
    """
    account, pin = _roster(data_dir).add(name, number, SystemClock().now_ms(), SystemEntropy())
    click.echo(f"Helper {_named(account)} signs in with number {account.number} and PIN {pin}.")
    click.echo("Write the PIN down for them now; it is not shown again.")
    if badge is not None:
        write_whole(badge, qr_svg(BADGE + account.number).encode())
        click.echo(f"{badge} holds the code of the badge; it stands for the number alone.")


@helper.command("list")
@_DATA
@told
def show(data_dir: Path | None) -> None:
    """List the helpers of this kiosk."""
    for account in _roster(data_dir).accounts():
        click.echo(f"{account.number:<5} {account.name or '-'}{'  revoked' * account.is_revoked}")


@helper.command()
@click.argument("number")
@_DATA
@told
def pin(number: str, data_dir: Path | None) -> None:
    """Give helper NUMBER another PIN; one who was revoked may help again."""
    click.echo(f"The PIN of helper {number} is {_roster(data_dir).renew(number, SystemEntropy())}.")


@helper.command()
@click.argument("number")
@_DATA
@told
def revoke(number: str, data_dir: Path | None) -> None:
    """Take helper NUMBER off from the next sign-in on; the number is never given again."""
    _roster(data_dir).revoke(number)
    click.echo(f"Helper {number} cannot sign in any more.")


def _roster(data_dir: Path | None) -> Roster:
    return Roster(kiosk_settings.load(data_dir=data_dir).data_dir)


def _named(account: Account) -> str:
    return account.name or account.number
