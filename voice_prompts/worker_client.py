"""The rendering side of a speaking process: start, ask, give up, start again."""

import os
import select
import subprocess
import sys
from pathlib import Path
from typing import IO, Self

from voice_prompts.errors import RenderFailed, ToolMissing
from voice_prompts.limits import (
    SPEECH_TIMEOUT_PER_CHAR_S,
    SPEECH_TIMEOUT_S,
    WORKER_START_TIMEOUT_S,
)
from voice_prompts.sound import Levels
from voice_prompts.worker import Answer, Request, read_answer, request_line

#: How a worker is started; the package's own folder is put on its path.
COMMAND = (sys.executable, "-m", "voice_prompts.worker")


def environment() -> dict[str, str]:
    """Answer the worker's environment: ours, able to import this package."""
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}


def timeout_s(text: str) -> float:
    """Answer how long a text may take, generously for slow boards.

    >>> timeout_s("你好")
    3.04
    """
    return SPEECH_TIMEOUT_S + SPEECH_TIMEOUT_PER_CHAR_S * len(text)


class WorkerLost(RenderFailed):
    """The worker died or hung; another one may manage."""

    code = "460.10"


class WorkerClient:
    """One worker process, used by one thread; a context manager.

    Attributes:
        version: espeak-ng's version.
        pid: The process, so that tests can kill exactly this one.
    """

    def __init__(self) -> None:
        # A list, no shell: our own module under our own interpreter.
        self._process = subprocess.Popen(  # noqa: S603
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            bufsize=0,
        )
        self.pid = self._process.pid
        self._pending = b""
        try:
            greeting = self._answer(WORKER_START_TIMEOUT_S)
        except BaseException:
            self.close()
            raise
        if greeting.failure:
            self.close()
            raise ToolMissing(greeting.failure)
        self.version = greeting.version

    def render(self, language: str, utterance: str) -> tuple[Levels, bytes]:
        """Speak one utterance.

        Args:
            language: "zh-CN" or "en".
            utterance: What the engine gets, from `voices.utterance`.

        Raises:
            WorkerLost: The process died or hung; it is of no more use.
            RenderFailed: The engine refused the text.
        """
        patience_s = timeout_s(utterance)
        request = Request(language=language, text=utterance, is_utterance=True)
        try:
            self._stream_in.write(request_line(request))
        except OSError as error:
            raise WorkerLost("the voice worker died") from error
        answer = self._answer(patience_s)
        if answer.failure or answer.levels is None:
            raise RenderFailed(answer.failure or "the voice worker answered nonsense")
        return answer.levels, self._exactly(answer.size, patience_s)

    def close(self) -> None:
        """End the process; a hung one is killed."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _stream_in(self) -> IO[bytes]:
        assert self._process.stdin  # noqa: S101 -- asked for above
        return self._process.stdin

    def _answer(self, patience_s: float) -> Answer:
        while b"\n" not in self._pending:
            self._receive(patience_s)
        line, _, self._pending = self._pending.partition(b"\n")
        return read_answer(line)

    def _exactly(self, size: int, patience_s: float) -> bytes:
        parts = [self._pending]
        missing = size - len(self._pending)
        while missing > 0:
            self._pending = b""
            self._receive(patience_s)
            parts.append(self._pending)
            missing -= len(self._pending)
        whole = b"".join(parts)
        self._pending = whole[size:]
        return whole[:size]

    def _receive(self, patience_s: float) -> None:
        assert self._process.stdout  # noqa: S101 -- asked for above
        stream = self._process.stdout
        # Counted from the last byte: a worker answers in one go, or it hangs.
        if not select.select([stream], [], [], patience_s)[0]:
            raise WorkerLost("the voice worker did not answer in time")
        received = os.read(stream.fileno(), 1 << 20)
        if not received:
            raise WorkerLost("the voice worker died")
        self._pending += received
