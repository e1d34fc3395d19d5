"""Handwriting to characters, in a process that may die without harm and is gone after a visit."""

import asyncio
import contextlib
import logging
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Sequence

import msgspec

from kiosk.entry.ink import Ink
from kiosk.entry.worker import Answer, read_answer
from kiosk.entry.zinnia import is_installed
from kiosk.errors import ReadingUnavailable
from sync.limits import INK_ANSWER_BYTES_MAX, INK_READ_S, INK_START_S
from voice_prompts.worker_client import environment

_log = logging.getLogger(__name__)

#: How a worker is started; the package's own folder is put on its path.
COMMAND: tuple[str, ...] = (sys.executable, "-m", "kiosk.entry.worker")


class HandReader:
    """One worker process behind asyncio, started by the first character of a visit.

    Args:
        is_there: Answers whether handwriting can be read on this machine at all.
        command: How the worker is started.

    Attributes:
        pid: The present worker, or `None`.
    """

    def __init__(
        self,
        is_there: Callable[[], bool] = is_installed,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._command = tuple(command)
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        #: Counts ends of visits, so that what was asked in an earlier one is not asked again.
        self._visits = 0
        # Asked once: packages do not come and go while the kiosk runs.
        self.is_offered = is_there()

    @property
    def pid(self) -> int | None:
        """Answer the present worker's process id."""
        return self._process.pid if self._process else None

    async def read(self, ink: Ink) -> tuple[str, ...]:
        """Answer the characters that a drawing may be, likeliest first.

        Raises:
            ReadingUnavailable: Nothing is installed, or the worker died or hung twice. The
                drawing can be kept all the same.
        """
        if not self.is_offered:
            raise ReadingUnavailable("no handwriting is read on this kiosk")
        line = msgspec.json.encode(ink) + b"\n"
        visit = self._visits
        async with self._turn:
            for is_last in (False, True):
                if visit != self._visits:
                    raise ReadingUnavailable("whoever drew this is gone")
                try:
                    async with asyncio.timeout(INK_START_S):
                        process = await self._ready()
                    async with asyncio.timeout(INK_READ_S):
                        found = (await _asked(process, line)).candidates
                except (TimeoutError, OSError, EOFError, ReadingUnavailable) as error:
                    await self._drop()
                    _log.warning("handwriting lost", extra={"reason": type(error).__name__})
                    if is_last or visit != self._visits:
                        raise ReadingUnavailable("the handwriting worker is gone") from error
                except BaseException:
                    # A cancelled request leaves its answer in the pipe, for the next one to get.
                    await self._drop()
                    raise
                else:
                    if visit != self._visits:
                        await self._drop()
                    return found
        raise AssertionError("unreachable: the last round returns or raises")

    async def rest(self) -> None:
        """End the worker, and with it the memory of what was drawn; `read` starts it again.

        Nobody waits for a character that is being read: whoever asked for it is gone.
        """
        self._visits += 1
        await self._drop()

    async def _ready(self) -> Process:
        if self._process is not None and self._process.returncode is not None:
            await self._drop()
        if self._process is None:
            # Our own module under our own interpreter; no shell.
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env=environment(),
                limit=INK_ANSWER_BYTES_MAX,
            )
            greeting = await _answered(self._process)
            if greeting.failure:
                raise ReadingUnavailable(greeting.failure)
        return self._process

    async def _drop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()


async def _asked(process: Process, line: bytes) -> Answer:
    assert process.stdin  # noqa: S101 -- a pipe
    process.stdin.write(line)
    await process.stdin.drain()
    return await _answered(process)


async def _answered(process: Process) -> Answer:
    assert process.stdout  # noqa: S101 -- a pipe
    try:
        return read_answer(await process.stdout.readline())
    except ValueError as error:
        raise ReadingUnavailable("the handwriting worker answered too much") from error
