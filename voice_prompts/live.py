"""Speak free text at once, in a process that may die without harm.

What residents typed and what clerks wrote is never rendered ahead and never
touches the disk: it goes to the worker and comes back through pipes.
"""

import asyncio
import contextlib
import logging
from asyncio.subprocess import DEVNULL, PIPE, Process

from voice_prompts.errors import RenderFailed, SpeechUnavailable
from voice_prompts.limits import (
    LIVE_TEXT_CHARS_MAX,
    LIVE_WAITING_MAX,
    WORKER_RENDERS_MAX,
    WORKER_START_TIMEOUT_S,
)
from voice_prompts.sound import wav_bytes
from voice_prompts.worker import Answer, Request, read_answer, request_line
from voice_prompts.worker_client import COMMAND, environment, timeout_s

_log = logging.getLogger(__name__)


class LiveSpeaker:
    """One worker process behind asyncio; texts are spoken one after the other.

    espeak-ng's state belongs to its process, so there is never more than one
    engine in one, and never a thread pool.

    Attributes:
        pid: The present worker, or `None`.
    """

    def __init__(self) -> None:
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._count = 0
        self._is_closed = False
        self._renewal: asyncio.Task[None] | None = None
        # Counts what was forgotten: a text from before is not spoken after it.
        self._generation = 0

    @property
    def pid(self) -> int | None:
        """Answer the present worker's process id."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Warm the worker up, so that the first sentence does not wait for imports.

        A machine that cannot speak still serves: this only logs, `speak` raises.
        """
        self._is_closed = False
        async with self._turn:
            try:
                # A real word, because the tables of readings load with the first one.
                greeting = Request("zh-CN", "好", is_utterance=False)
                await self._speak_now(greeting, self._generation)
            except SpeechUnavailable as error:
                _log.warning("live voice unavailable", extra={"reason": str(error)})

    def forget(self) -> None:
        """End the worker, in whose memory the last texts still stand, and warm up another one.

        What is being spoken is given up. Whoever speaks meanwhile waits for the new one.
        """
        self._generation += 1
        if self._process is None or self._is_closed:
            return
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        self._renewal = asyncio.ensure_future(self.start())

    async def close(self) -> None:
        """End the worker; what was being spoken is given up, nothing starts again."""
        self._is_closed = True
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.wait({self._renewal})
        await self._drop()

    async def speak(self, language: str, text: str) -> bytes:
        """Answer a text as a wav file (16-bit mono, 22 050 Hz), trimmed and levelled.

        Characters that no rule knows are left out.

        Args:
            language: "zh-CN" or "en".
            text: At most `LIVE_TEXT_CHARS_MAX` characters; sentence by sentence
                sounds soonest (`compose.sentences`).

        Raises:
            SpeechUnavailable: Too long, nothing speakable in it, too many
                waiting, or the worker died or hung twice. Show the text.
        """
        if len(text) > LIVE_TEXT_CHARS_MAX:
            raise SpeechUnavailable(f"longer than {LIVE_TEXT_CHARS_MAX} characters; cut it")
        if self._waiting >= LIVE_WAITING_MAX:
            raise SpeechUnavailable("too many texts are waiting to be spoken")
        self._waiting += 1
        generation = self._generation
        try:
            async with self._turn:
                request = Request(language, text, is_utterance=False)
                return await self._speak_now(request, generation)
        finally:
            self._waiting -= 1

    async def _speak_now(self, request: Request, generation: int) -> bytes:
        for is_last in (False, True):
            if generation != self._generation:
                raise SpeechUnavailable("whoever wanted this spoken is gone")
            try:
                async with asyncio.timeout(WORKER_START_TIMEOUT_S):
                    process = await self._ready()
                async with asyncio.timeout(timeout_s(request.text)):
                    answer, samples = await self._ask(process, request)
            except (TimeoutError, OSError, EOFError, RenderFailed) as error:
                await self._drop()
                _log.warning("voice worker lost", extra={"reason": type(error).__name__})
                if is_last:
                    raise SpeechUnavailable("the voice worker died or hung twice") from error
            except BaseException:
                # A cancelled request leaves half an answer in the pipe.
                await self._drop()
                raise
            else:
                if answer.failure:
                    raise SpeechUnavailable(answer.failure)
                return wav_bytes(samples)
        raise AssertionError("unreachable: the last round returns or raises")

    async def _ask(self, process: Process, request: Request) -> tuple[Answer, bytes]:
        assert process.stdin and process.stdout  # noqa: S101, PT018 -- both are pipes
        process.stdin.write(request_line(request))
        await process.stdin.drain()
        answer = read_answer(await process.stdout.readline())
        self._count += 1
        return answer, await process.stdout.readexactly(answer.size)

    async def _ready(self) -> Process:
        if self._is_closed:
            raise SpeechUnavailable("the live voice was closed")
        if self._process and (
            self._process.returncode is not None or self._count >= WORKER_RENDERS_MAX
        ):
            await self._drop()
        if self._process is None:
            # Our own module under our own interpreter; no shell, no text on the command line.
            self._process = await asyncio.create_subprocess_exec(
                *COMMAND, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment()
            )
            await self._greet(self._process)
        return self._process

    async def _greet(self, process: Process) -> None:
        assert process.stdout  # noqa: S101 -- a pipe
        try:
            async with asyncio.timeout(WORKER_START_TIMEOUT_S):
                answer = read_answer(await process.stdout.readline())
        except (TimeoutError, RenderFailed) as error:
            await self._drop()
            raise SpeechUnavailable("the voice worker did not start") from error
        if answer.failure:
            await self._drop()
            raise SpeechUnavailable(answer.failure)

    async def _drop(self) -> None:
        process, self._process, self._count = self._process, None, 0
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()
