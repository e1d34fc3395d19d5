"""The command `bianmin centre account`."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from server.people.cli import account
from server.people.passwords import Passwords
from server.store import people
from tests.unit.server.world import World

Run = Callable[..., Result]


@pytest.fixture
def run(world: World) -> Run:
    def run(*arguments: str, typed: str = "") -> Result:
        folder = str(world.settings.data_dir)
        return CliRunner().invoke(account, [*arguments, "--data", folder], input=typed)

    return run


def test_account_made_here_can_sign_in_with_the_given_password(world: World, run: Run) -> None:
    said = run(
        "add", "limin", "--role", "clerk", "--department", "民政局", "--village-prefix", "522326",
        "--shown-name", "李敏", "--password-stdin", typed="four quiet herons walk\n",
    )  # fmt: skip

    found = people.account_of_name(world.conn, "limin")
    assert found is not None
    assert said.output == "Account limin (clerk) was made.\n"
    assert (found[0].shown_name, found[0].departments) == ("李敏", ("民政局",))
    assert (found[0].village_prefix, found[0].must_change) == ("522326", False)
    assert asyncio.run(fits(found[1], "four quiet herons walk"))
    assert not asyncio.run(fits(found[1], "four quiet herons run"))


async def fits(stored: str, password: str) -> bool:
    passwords = Passwords()
    try:
        return await passwords.is_right(stored, password)
    finally:
        passwords.close()


def test_made_password_is_shown_once_and_must_be_replaced(world: World, run: Run) -> None:
    said = run("add", "zhaolan", "--role", "auditor")

    password = said.output.split()[-1]
    found = people.account_of_name(world.conn, "zhaolan")
    assert found is not None
    assert (len(password), found[0].must_change) == (19, True)
    assert password not in "\n".join(world.dump())


@pytest.mark.parametrize(
    ("arguments", "typed", "words"),
    [
        (("add", "limin", "--role", "clerk"), "", "a clerk needs --department"),
        (("add", "李敏", "--role", "admin"), "", "user names have small letters"),
        (("add", "x", "--role", "admin", "--password-stdin"), "short\n", "at least 12 characters"),
        (("add", "x", "--role", "king"), "", "is not one of"),
        (("reset", "nobody"), "", "there is no such account"),
        (("disable", "nobody"), "", "there is no such account"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    run: Run, arguments: tuple[str, ...], typed: str, words: str
) -> None:
    said = run(*arguments, typed=typed)

    assert said.exit_code != 0
    assert words in said.output
    assert "Traceback" not in said.output


def test_accounts_are_listed_with_their_state(run: Run) -> None:
    run("add", "limin", "--role", "clerk", "--department", "民政局")
    run("add", "zhouming", "--role", "operator")
    run("disable", "zhouming")

    said = run("list")

    assert said.output.splitlines() == [
        "limin                clerk     new       never       民政局",
        "zhouming             operator  disabled  never",
    ]


def test_reset_and_disable_are_recorded(world: World, run: Run) -> None:
    run("add", "zhouming", "--role", "operator")
    run("reset", "zhouming")
    run("disable", "zhouming")
    run("disable", "zhouming", "--undo")

    events = people.staff_events(world.conn, limit=9)
    assert [(event.actor, event.action) for event in reversed(events)] == [
        ("command line", "created"),
        ("command line", "reset"),
        ("command line", "disabled"),
        ("command line", "enabled"),
    ]


def test_folder_without_a_centre_is_said(tmp_path: Path) -> None:
    said = CliRunner().invoke(account, ["list", "--data", str(tmp_path)])

    assert said.exit_code == 1
    assert "bianmin centre init" in said.output
