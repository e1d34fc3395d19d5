"""The speaking process answers every request, and keeps nothing of it."""

from io import BytesIO

import pytest

from voice_prompts.errors import RenderFailed
from voice_prompts.limits import WORKER_AUDIO_BYTES_MAX
from voice_prompts.worker import Answer, Request, read_answer, request_line, serve


def served(*lines: bytes) -> BytesIO:
    """The stream of answers to some requests, after the greeting."""
    answers = BytesIO()
    serve(BytesIO(b"".join(lines)), answers)
    answers.seek(0)
    assert read_answer(answers.readline()).version
    return answers


def test_sound_follows_its_answer() -> None:
    answers = served(request_line(Request("zh-CN", "ni3 hao3", is_utterance=True)))

    answer = read_answer(answers.readline())

    assert answer.levels is not None
    assert answer.size == pytest.approx(answer.levels.duration_ms * 44.1, abs=50)
    assert len(answers.read()) == answer.size


def test_free_text_is_normalised_here() -> None:
    answers = served(request_line(Request("zh-CN", "2026年☺", is_utterance=False)))

    answer = read_answer(answers.readline())

    assert answer.levels is not None
    assert 1200 < answer.levels.duration_ms < 2600


def test_bad_requests_are_answered_and_the_next_is_served() -> None:
    answers = served(
        b"nonsense\n",
        request_line(Request("fr", "x", is_utterance=True)),
        request_line(Request("zh-CN", "☺", is_utterance=False)),
        request_line(Request("en", "six", is_utterance=True)),
    )

    failures = [read_answer(answers.readline()).failure for _ in range(3)]
    last = read_answer(answers.readline())

    assert "malformed" in failures[0]
    assert "'fr'" in failures[1]
    assert failures[2] == "nothing in this text can be spoken"
    assert last.size > 10_000


@pytest.mark.parametrize(
    "line", [b"", b"{", b'{"size": -1}', b'{"size": %d}' % (WORKER_AUDIO_BYTES_MAX + 1), b'{"x":1}']
)
def test_ill_worker_is_recognised(line: bytes) -> None:
    with pytest.raises(RenderFailed):
        read_answer(line)


def test_answer_survives_its_way() -> None:
    assert read_answer(b'{"failure":"no"}') == Answer(failure="no")
