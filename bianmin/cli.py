"""The command `bianmin`: one name for all programs, each loaded when it is asked for."""

import importlib
import sys
from importlib.metadata import version
from typing import Final

import click

from bianmin import forgetful

#: Command → module and attribute. Help shows them in this order.
COMMANDS: Final = {
    "demo": ("bianmin.demo", "demo"),
    "kiosk": ("kiosk.cli", "kiosk"),
    "centre": ("server.cli", "centre"),
    "forms": ("server.xlsform.cli", "forms"),
    "voice": ("voice_prompts.cli", "voice"),
}
#: What each is for, so that the list of commands loads none of them.
SUMMARIES: Final = {
    "demo": "Start a village kiosk and its centre on this machine.",
    "kiosk": "Enrol, run and examine a kiosk.",
    "centre": "Set up and run the centre; publish services, add accounts, make kiosk codes.",
    "forms": "Check XLSForms by cell and turn them into services.",
    "voice": "Render the spoken sentences and list which lack a recording.",
}
_OURS: Final = {"bianmin", "kiosk", "server", "sync", "voice_prompts"}


class Programs(click.Group):
    """A group that imports a program's module only when that program is called.

    A kiosk is installed without the centre's packages, and a slow board should not load a
    browser driver to answer `bianmin --version`.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """Answer the names in the order of the help page."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click's signature
        """Load a program.

        Raises:
            click.ClickException: A package that it needs is not installed.
        """
        if cmd_name not in COMMANDS:
            return None
        if sys.argv[1:3] == ["kiosk", "run"]:
            # Before anything is loaded: it starts the program anew (nothing of a visit remains).
            forgetful.begin()
        module, attribute = COMMANDS[cmd_name]
        try:
            command = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            raise click.ClickException(_what_is_missing(cmd_name, error)) from error
        assert isinstance(command, click.Command)  # noqa: S101 -- the table above is ours
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 -- click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the list of programs from `SUMMARIES`."""
        with formatter.section("Programs"):
            formatter.write_dl([(name, SUMMARIES[name]) for name in COMMANDS])


def _what_is_missing(command: str, error: ModuleNotFoundError) -> str:
    package = (error.name or "").partition(".")[0]
    if package in _OURS:
        return f"`bianmin {command}` is not part of this installation: no module {error.name}."
    extra = "[server]" if command in ("centre", "forms") else ""
    return (
        f"`bianmin {command}` needs the Python package {package}, which is not installed.\n"
        f"Install it with:  pip install 'bianmin{extra}'\n"
        "or, in a copy of the source:  deploy/setup"
    )


@click.group(
    cls=Programs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(version("bianmin"), prog_name="bianmin")
def main() -> None:
    """Bianmin 便民: a village service kiosk that works without a network, and its centre.

    \b
    Try it:            bianmin demo
    Set up a centre:   bianmin centre init && bianmin centre run
    Enrol a kiosk:     bianmin centre code --name 石桥村 --village 522326104205
                       bianmin kiosk enrol XXXX-XXXX-XXXX && bianmin kiosk run

    Every program explains itself: bianmin kiosk --help
    """  # noqa: D301 -- click keeps the lines after a backspace as they are
