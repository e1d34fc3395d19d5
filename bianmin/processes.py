"""Programs as children: started in a group of their own, watched, and stopped to the last one."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import aiohttp

STOP_PATIENCE_S: Final = 10.0  # a centre finishes its commit in far less
READY_PATIENCE_S: Final = 60.0  # first start on a slow board: keys, tables, catalogue
_ASK_AGAIN_S: Final = 0.1
_TAIL_LINES: Final = 12
_GROUP_PATIENCE_S: Final = 2.0
_GROUP_AGAIN_S: Final = 0.02


class ProgramFailed(Exception):
    """A program ended when it should not have; the message names it and where its log is."""


class Program:
    """One running child and all that it started."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @property
    def pid(self) -> int:
        """Answer the process id, which is also the id of its group."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Answer whether it has not ended."""
        return self._process.returncode is None

    async def ended(self) -> int:
        """Wait for its end and answer its exit status (negative: minus the signal)."""
        return await self._process.wait()

    def failure(self) -> ProgramFailed:
        """Describe an end that nobody asked for, with the last lines of the log."""
        lines = self.log.read_text("utf-8", "replace").splitlines()[-_TAIL_LINES:]
        return ProgramFailed(
            "\n".join(
                (
                    f"{self.name}: ended by itself (status {self._process.returncode}).",
                    f"{self.name}: log: {self.log}",
                    *(f"  {line}" for line in lines),
                )
            )
        )

    async def stop(self, patience_s: float = STOP_PATIENCE_S) -> None:
        """Ask the child to end, and end its whole group by force when it does not."""
        if self.is_running:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), patience_s)
        await self.kill()

    async def kill(self) -> None:
        """End the child and all of its group at once, as a power cut would."""
        group = self._process.pid
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
        await self._process.wait()
        # Its own children are not ours to wait for; ask until the group is empty, with a bound,
        # because a zombie that its new parent does not collect stays in it.
        deadline_s = time.monotonic() + _GROUP_PATIENCE_S
        with contextlib.suppress(ProcessLookupError, PermissionError):
            while time.monotonic() < deadline_s:
                os.killpg(group, 0)
                await asyncio.sleep(_GROUP_AGAIN_S)


async def start(
    name: str, arguments: Sequence[str], *, environment: Mapping[str, str], log: Path
) -> Program:
    """Start `bianmin ARGUMENTS` in a group of its own, its words going to a fresh log file.

    Args:
        name: What people call it; used in messages.
        arguments: After `bianmin`.
        environment: Added to this process's own environment.
        log: File that is begun anew.
    """
    return await spawn(name, (*_bianmin(), *arguments), environment=environment, log=log)


async def spawn(
    name: str, command: Sequence[str], *, environment: Mapping[str, str], log: Path
) -> Program:
    """Start any command in a group of its own, its words going to a fresh log file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=sink,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **environment},
            # Ctrl-C at the terminal reaches us alone; we stop the children in order.
            start_new_session=True,
        )
    return Program(name, process, log)


async def run(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    words: str = "",
    is_shown: bool = False,
) -> str:
    """Run `bianmin ARGUMENTS` to its end.

    Args:
        arguments: After `bianmin`.
        environment: Added to this process's own environment.
        words: Given on standard input (a password, so that it is in no process list).
        is_shown: Its words go to the terminal instead of the answer (progress).

    Returns:
        What it printed on standard output; "" when shown.

    Raises:
        ProgramFailed: Its exit status was not 0; the message has what it said.
    """
    process = await asyncio.create_subprocess_exec(
        *_bianmin(),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=None if is_shown else asyncio.subprocess.PIPE,
        stderr=None if is_shown else asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
        start_new_session=True,
    )
    try:
        said, complained = await process.communicate(words.encode())
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    if process.returncode != 0:
        text = b"\n".join(part for part in (said, complained) if part).decode("utf-8", "replace")
        raise ProgramFailed(
            f"bianmin {' '.join(arguments)}: status {process.returncode}\n{text.strip()}"
        )
    return (said or b"").decode("utf-8", "replace")


async def ready(program: Program, url: str, patience_s: float = READY_PATIENCE_S) -> None:
    """Wait until a program answers 200 at an address.

    Raises:
        ProgramFailed: It ended, or did not answer in time.
    """
    deadline_s = time.monotonic() + patience_s
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        while time.monotonic() < deadline_s:
            if not program.is_running:
                raise program.failure()
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with session.get(url) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(_ASK_AGAIN_S)
    raise ProgramFailed(f"{program.name}: did not answer within {patience_s:.0f} s; {program.log}")


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Answer whether nobody listens on that port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Answer ports that nobody uses now; held all at once, so that they differ."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _bianmin() -> tuple[str, ...]:
    # The same Python and the same source as ours, whatever PATH says.
    return (sys.executable, "-m", "bianmin")
