"""The process that speaks: one engine, one text at a time, over stdin and stdout.

It is a process of its own because espeak-ng keeps its state per process, may
crash, and is GPL. Requests are JSON lines; an answer is a JSON line followed
by `size` bytes of samples. It ends when its stdin closes.

    python -m voice_prompts.worker
"""

import os
import resource
import sys
from typing import BinaryIO

import msgspec

from voice_prompts.driver import Engine, open_engine
from voice_prompts.errors import RenderFailed, VoiceError
from voice_prompts.limits import WORKER_AUDIO_BYTES_MAX, WORKER_MEMORY_BYTES_MAX
from voice_prompts.sound import Levels, levelled, levels, trimmed
from voice_prompts.voices import utterance, voice_of


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One text to speak."""

    #: "zh-CN" or "en".
    language: str
    #: What to say; see `is_utterance`.
    text: str
    #: `text` is already what the engine gets; else it is free text, made so here.
    is_utterance: bool


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came of a request; the first answer greets, with `version` alone."""

    #: Why there is no sound; "" = there is.
    failure: str = ""
    #: Bytes of samples that follow.
    size: int = 0
    #: How loud they are.
    levels: Levels | None = None
    #: espeak-ng's version, in the greeting.
    version: str = ""


#: Made here and not at the first answer: speakers read in several threads, and a second one that
#: reads while msgspec still learns the type ends the process (sync/shapes.py).
_ANSWERS = msgspec.json.Decoder(Answer)


def request_line(request: Request) -> bytes:
    """Answer a request as one line."""
    return msgspec.json.encode(request) + b"\n"


def read_answer(line: bytes) -> Answer:
    """Read an answer's line.

    Raises:
        RenderFailed: The line is broken or promises too much: the worker is ill.
    """
    try:
        answer = _ANSWERS.decode(line)
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise RenderFailed("the voice worker answered nonsense") from error
    if not 0 <= answer.size <= WORKER_AUDIO_BYTES_MAX:
        raise RenderFailed("the voice worker promised too much sound")
    return answer


def speak(engine: Engine, request: Request) -> tuple[Levels, bytes]:
    """Render a request: trimmed, levelled, measured.

    Raises:
        VoiceError: It cannot be spoken; the message says why.
    """
    text = request.text
    if not request.is_utterance:
        text = utterance(request.language, text, is_free=True)
    samples = trimmed(engine.synthesise(voice_of(request.language), text))
    if not samples:
        raise RenderFailed("espeak-ng gave only silence for this text")
    # Live speech is waited for: fewer passes, a few tenths of a LU beside the clips.
    samples = levelled(samples, passes=5 if request.is_utterance else 3)
    return levels(samples), samples


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until their stream ends."""
    try:
        engine = open_engine()
    except VoiceError as error:
        _send(answers, Answer(failure=str(error)))
        return
    _send(answers, Answer(version=engine.version))
    for line in requests:
        try:
            measured, samples = speak(engine, msgspec.json.decode(line, type=Request))
        except (VoiceError, OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
            _send(answers, Answer(failure=str(error) or type(error).__name__))
        else:
            _send(answers, Answer(size=len(samples), levels=measured), samples)


def _send(answers: BinaryIO, answer: Answer, samples: bytes = b"") -> None:
    answers.write(msgspec.json.encode(answer) + b"\n" + samples)
    answers.flush()


def main() -> None:
    """Serve stdin; whatever libraries print goes to stderr, not between answers."""
    resource.setrlimit(resource.RLIMIT_AS, (WORKER_MEMORY_BYTES_MAX, WORKER_MEMORY_BYTES_MAX))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
