"""Free text is spoken at once; a dead engine costs a moment, never the kiosk."""

import asyncio
import os
import signal
import wave
from collections.abc import AsyncIterator
from io import BytesIO

import psutil
import pytest

from voice_prompts.errors import SpeechUnavailable
from voice_prompts.limits import (
    LIVE_TEXT_CHARS_MAX,
    LIVE_WAITING_MAX,
    WORKER_MEMORY_BYTES_MAX,
)
from voice_prompts.live import LiveSpeaker
from voice_prompts.sound import levels


@pytest.fixture(scope="module")
async def speaker() -> AsyncIterator[LiveSpeaker]:
    """A warm speaker for all tests; whoever kills its worker gets it a new one."""
    speaker = LiveSpeaker()
    await speaker.start()
    yield speaker
    await speaker.close()


def seconds(wav: bytes) -> float:
    with wave.open(BytesIO(wav)) as file:
        return float(file.getnframes() / file.getframerate())


async def test_chinese_is_spoken(speaker: LiveSpeaker) -> None:
    wav = await speaker.speak("zh-CN", "您的医保登记还差：户口簿。")

    assert 2.5 < seconds(wav) < 6


async def test_english_is_spoken_with_chinese_names(speaker: LiveSpeaker) -> None:
    with_name = await speaker.speak("en", "For 王小明.")
    without = await speaker.speak("en", "For.")

    assert seconds(with_name) > seconds(without) + 0.5


async def test_live_speech_is_as_loud_as_the_clips(speaker: LiveSpeaker) -> None:
    wav = await speaker.speak("zh-CN", "请工作人员帮您读一读。")

    assert levels(wav[44:]).loudness == pytest.approx(-16, abs=1.2)


async def test_killed_worker_is_replaced(speaker: LiveSpeaker) -> None:
    first = speaker.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)

    wav = await speaker.speak("zh-CN", "您好。")

    assert seconds(wav) > 0.5
    assert speaker.pid not in {None, first}


async def test_worker_killed_while_speaking_is_replaced(speaker: LiveSpeaker) -> None:
    long_text = "我们只把您的信息用来办这件事，" * 15
    speaking = asyncio.create_task(speaker.speak("zh-CN", long_text))
    await asyncio.wait({speaking}, timeout=0)
    assert speaker.pid is not None
    os.kill(speaker.pid, signal.SIGKILL)

    assert seconds(await speaking) > 40


async def test_texts_are_spoken_one_after_the_other(speaker: LiveSpeaker) -> None:
    texts = ("一", "一二三四", "一二三四五六七八")

    wavs = await asyncio.gather(*(speaker.speak("zh-CN", text) for text in texts))

    lengths = [seconds(wav) for wav in wavs]
    assert lengths == sorted(lengths)
    assert len(set(lengths)) == 3


async def test_given_up_request_does_not_spoil_the_next(speaker: LiveSpeaker) -> None:
    speaking = asyncio.create_task(speaker.speak("zh-CN", "好，" * 500))
    await asyncio.wait({speaking}, timeout=0)
    speaking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await speaking

    assert 0.2 < seconds(await speaker.speak("zh-CN", "好。")) < 1


async def test_too_many_waiting_are_refused(speaker: LiveSpeaker) -> None:
    results = await asyncio.gather(
        *(speaker.speak("zh-CN", "好。") for _ in range(LIVE_WAITING_MAX + 2)),
        return_exceptions=True,
    )

    refused = [result for result in results if isinstance(result, SpeechUnavailable)]
    assert len(refused) == 2


@pytest.mark.parametrize("text", ["", "☺", "好" * (LIVE_TEXT_CHARS_MAX + 1)])
async def test_what_cannot_be_spoken_is_refused(speaker: LiveSpeaker, text: str) -> None:
    with pytest.raises(SpeechUnavailable):
        await speaker.speak("zh-CN", text)


async def test_unknown_language_is_refused(speaker: LiveSpeaker) -> None:
    with pytest.raises(SpeechUnavailable, match="fr"):
        await speaker.speak("fr", "Bonjour.")


async def test_closed_speaker_starts_nothing() -> None:
    speaker = LiveSpeaker()
    await speaker.start()
    await speaker.close()

    with pytest.raises(SpeechUnavailable):
        await speaker.speak("zh-CN", "好。")

    assert speaker.pid is None


async def test_speaker_starts_by_itself() -> None:
    speaker = LiveSpeaker()

    wav = await speaker.speak("zh-CN", "好。")
    await speaker.close()

    assert seconds(wav) > 0.2


async def test_forgotten_worker_is_gone_and_another_one_speaks(speaker: LiveSpeaker) -> None:
    await speaker.speak("zh-CN", "王秀兰。")
    first = speaker.pid
    assert first is not None

    speaker.forget()
    wav = await speaker.speak("zh-CN", "您好。")

    assert seconds(wav) > 0.5
    assert speaker.pid not in {None, first}
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


async def test_text_from_before_is_not_spoken_after_it_was_forgotten(speaker: LiveSpeaker) -> None:
    await speaker.speak("zh-CN", "好。")
    speaking = asyncio.create_task(speaker.speak("zh-CN", "王秀兰，" * 300))
    waiting = asyncio.create_task(speaker.speak("zh-CN", "王秀兰。"))
    await asyncio.wait({speaking, waiting}, timeout=0)

    speaker.forget()
    results = await asyncio.gather(speaking, waiting, return_exceptions=True)

    assert [type(result) for result in results] == [SpeechUnavailable, SpeechUnavailable]


async def test_worker_has_a_bound_of_memory(speaker: LiveSpeaker) -> None:
    await speaker.speak("zh-CN", "好。")
    assert speaker.pid is not None

    limit, _ = psutil.Process(speaker.pid).rlimit(psutil.RLIMIT_AS)

    assert limit == WORKER_MEMORY_BYTES_MAX
