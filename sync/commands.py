"""What the commands of kiosk and centre share: plain errors, the data folder, a clean stop."""

import asyncio
import functools
import signal
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import ParamSpec, TypeVar

import click

from sync.errors import BianminError
from sync.logs import loop_fault, set_up

P = ParamSpec("P")
T = TypeVar("T")
Command = Callable[P, T]


def told(function: Command[P, T]) -> Command[P, T]:
    """Tell our errors in one line with what to do next, not as a trace."""
    return told_as({})(function)


def told_as(words: Mapping[str, str]) -> Callable[[Command[P, T]], Command[P, T]]:
    """Like `told`; an error whose message is a key is told in these words."""

    def wrapping(function: Command[P, T]) -> Command[P, T]:
        @functools.wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return function(*args, **kwargs)
            except BianminError as error:
                said = words.get(str(error), str(error))
                raise click.ClickException(f"{said} [{error.code}]") from error
            except (sqlite3.Error, OSError) as error:
                raise click.ClickException(f"{type(error).__name__}: {error}") from error

        return wrapped

    return wrapping


def data_option(variable: str, usual: str) -> Callable[[Command[P, T]], Command[P, T]]:
    """Make the option --data, which every command has.

    Args:
        variable: Of the environment, e.g. "BIANMIN_KIOSK_DATA_DIR".
        usual: Folder when nothing is said.
    """
    return click.option(
        "--data",
        "data_dir",
        type=click.Path(file_okay=False, path_type=Path),
        help=f"Data folder (default: {variable}, else ./{usual}).",
    )


def run_until_signal(serving: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Log as JSON lines and serve; SIGTERM and Ctrl-C set the event that ends it."""
    set_up()
    asyncio.run(_until_signal(serving))


async def _until_signal(serving: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    await serving(stop_event())


def stop_event() -> asyncio.Event:
    """Answer an event that SIGTERM and Ctrl-C set; faults of the loop are logged without words."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(loop_fault)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
