"""The command `bianmin centre account`: accounts made and closed on the centre's machine."""

import asyncio
import contextlib
import datetime as dt
import sys
from pathlib import Path

import click

from server import settings
from server.people.accounts import ROLES, NewAccount, checked, one_time_password, password_problem
from server.people.passwords import Passwords
from server.settings import Settings
from server.store import people
from server.store.sqlite import connect, write_once
from sync.clock import SystemClock, SystemEntropy
from sync.commands import data_option, told_as

#: Who did it, in the record of staff acts.
ACTOR = "command line"
_WORDS = {
    "password_short": "too short: at least 12 characters",
    "password_long": "too long: at most 128 characters",
    "password_is_name": "it holds the user name",
    "password_common": "it is common and easily guessed",
    "account_name": "user names have small letters, digits, dots and dashes, at most 40",
    "account_department": "a clerk needs --department",
    "account_village": "--village-prefix has 2, 4, 6, 9 or 12 digits",
    "account_exists": "this user name has been used before and cannot be used again",
    "account_unknown": "there is no such account",
    "account_many": "there are too many accounts",
}

_DATA = data_option("BIANMIN_CENTRE_DATA_DIR", "centre-data")
_STDIN = click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from standard input; without it one is made and shown once.",
)


_told = told_as(_WORDS)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def account() -> None:
    """Make, list, reset and close the accounts of staff.

    Auditors' accounts are made here only: on the pages an administrator cannot make or close
    the accounts of who watches administrators.
    """


@account.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--department", "departments", multiple=True, help="Of a clerk; may be repeated.")
@click.option("--village-prefix", default="", help="First digits of a clerk's village codes.")
@click.option("--shown-name", default="", help="Name as colleagues say it; NAME by default.")
@_STDIN
@_DATA
@_told
def add(
    name: str,
    role: str,
    departments: tuple[str, ...],
    village_prefix: str,
    shown_name: str,
    password_stdin: bool,
    data_dir: Path | None,
) -> None:
    """Make an account. One role only; a made password must be replaced at the first sign-in."""
    new = checked(NewAccount(name, shown_name, role, departments, village_prefix))
    password = _password(new.name, is_given=password_stdin)
    made = write_once(
        _database(data_dir),
        people.add_account,
        new,
        password_hash=_hashed(password),
        actor=ACTOR,
        now_ms=SystemClock().now_ms(),
        must_change=not password_stdin,
    )
    click.echo(f"Account {made.name} ({made.role}) was made.")
    _show(password, is_given=password_stdin)


@account.command("list")
@_DATA
@_told
def list_accounts(data_dir: Path | None) -> None:
    """List the accounts: name, role, state, last sign-in, departments and area."""
    with contextlib.closing(connect(_database(data_dir), readonly=True)) as conn:
        found = people.accounts(conn)
    for item in found:
        state = "disabled" if item.is_disabled else "new" if item.must_change else "active"
        seen = (
            dt.datetime.fromtimestamp(item.signed_in_ms / 1000, dt.UTC).strftime("%Y-%m-%d")
            if item.signed_in_ms
            else "never"
        )
        area = ", ".join(item.departments)
        if item.village_prefix:
            area += f" [{item.village_prefix}…]"
        click.echo(f"{item.name:<20} {item.role:<9} {state:<9} {seen:<11} {area}".rstrip())


@account.command()
@click.argument("name")
@_STDIN
@_DATA
@_told
def reset(name: str, password_stdin: bool, data_dir: Path | None) -> None:
    """Give an account a new password and end its sessions."""
    password = _password(name, is_given=password_stdin)
    write_once(
        _database(data_dir),
        people.set_password,
        name,
        _hashed(password),
        actor=ACTOR,
        now_ms=SystemClock().now_ms(),
        must_change=True,
    )
    click.echo(f"The password of {name} was replaced; its sessions are over.")
    _show(password, is_given=password_stdin)


@account.command()
@click.argument("name")
@click.option("--undo", is_flag=True, help="Open it again.")
@_DATA
@_told
def disable(name: str, undo: bool, data_dir: Path | None) -> None:
    """Close an account and end its sessions; names are never deleted or given again."""
    write_once(
        _database(data_dir),
        people.set_disabled,
        name,
        is_disabled=not undo,
        actor=ACTOR,
        now_ms=SystemClock().now_ms(),
    )
    click.echo(f"Account {name} is {'open again' if undo else 'closed'}.")


def _database(data_dir: Path | None) -> Path:
    chosen: Settings = settings.load(data_dir=data_dir)
    if not chosen.database.exists():
        raise click.ClickException(
            f"there is no centre in {chosen.data_dir}; make one: bianmin centre init"
        )
    return chosen.database


def _password(name: str, *, is_given: bool) -> str:
    if not is_given:
        return one_time_password(SystemEntropy())
    password = sys.stdin.readline().rstrip("\r\n")
    problem = password_problem(password, name)
    if problem:
        raise click.ClickException(f"this password cannot be used: {_WORDS[problem]}")
    return password


def _hashed(password: str) -> str:
    async def once() -> str:
        hasher = Passwords()
        try:
            return await hasher.hashed(password)
        finally:
            hasher.close()

    return asyncio.run(once())


def _show(password: str, *, is_given: bool) -> None:
    if not is_given:
        click.echo(f"Password for the first sign-in, shown once: {password}")
