"""From a screen to a playlist: clips by their text, live pieces by tokens, rests between."""

import asyncio
from pathlib import Path

from kiosk.playlist import Clip
from kiosk.screens import Screen, Utterance
from kiosk.speech import LiveVoice, playlist, preload
from sync.clock import SeededEntropy
from sync.limits import LIVE_CLIPS_MAX, PRELOAD_MAX
from tests.unit.kiosk.stations import Voice
from voice_prompts import library
from voice_prompts.compose import Spoken
from voice_prompts.errors import RecordingWrong, SpeechUnavailable
from voice_prompts.limits import LIVE_WAITING_MAX, SENTENCE_PAUSE_MS


class Shelf:
    """A library that holds the texts it is given."""

    def __init__(self, *texts: str) -> None:
        self._texts = texts

    def find(self, _: str, text: str) -> library.Clip | None:
        if text not in self._texts:
            return None
        key = f"{self._texts.index(text):064x}"
        return library.Clip(key, Path(key), "audio/ogg", 1000, "rendered")

    def by_key(self, _: str) -> library.Clip | None:
        return None


class Broken(Shelf):
    """A library whose recordings folder breaks its rules."""

    def find(self, _: str, __: str) -> library.Clip | None:
        raise RecordingWrong("pack.toml")


class Mute(Voice):
    async def speak(self, _: str, __: str) -> bytes:
        raise SpeechUnavailable("no engine")


def live(voice: Voice | None = None) -> LiveVoice:
    return LiveVoice(voice, SeededEntropy(1))


def saying(*said: Utterance, silence: tuple[Utterance, ...] = ()) -> Screen:
    return Screen(kind="home", language="zh-CN", title="x", say=said, silence=(silence,))


def key(number: int) -> str:
    return f"/voice/{number:064x}"


def test_whole_text_is_one_clip() -> None:
    shelf = Shelf("已经收好了。请拿好。")

    spoken, said_ms = playlist(saying(Utterance("已经收好了。请拿好。")), shelf, live())

    assert spoken.say == (Clip(key(0), SENTENCE_PAUSE_MS),)
    assert said_ms == 1000


def test_sentences_are_clips_with_rests_between() -> None:
    shelf = Shelf("已经收好了。", "请拿好。")

    spoken, _ = playlist(saying(Utterance("已经收好了。请拿好。", {}, "title")), shelf, live())

    assert spoken.say == (
        Clip(key(0), SENTENCE_PAUSE_MS, "title"),
        Clip(key(1), SENTENCE_PAUSE_MS, "title"),
    )


def test_missing_clip_is_spoken_live_by_a_token() -> None:
    spoken, _ = playlist(saying(Utterance("没有录过。")), Shelf(), live(Voice()))

    (clip,) = spoken.say
    assert clip.url.startswith("/voice/live/")


def test_same_words_have_one_token() -> None:
    held = live(Voice())

    first, _ = playlist(saying(Utterance("没有录过。")), Shelf(), held)
    second, _ = playlist(saying(Utterance("没有录过。")), Shelf(), held)

    assert first == second


def test_what_cannot_be_said_is_left_out_and_counted() -> None:
    held = live(None)

    spoken, _ = playlist(saying(Utterance("没有录过。")), Shelf(), held)

    assert spoken.say == ()
    assert held.missing_count == 1


def test_value_that_fits_no_kind_is_left_out_and_counted() -> None:
    held = live(Voice())
    wrong = Utterance("号是{case_no}。", {"case_no": Spoken("case_no", "12")})

    spoken, _ = playlist(saying(wrong), Shelf(), held)

    assert (spoken.say, held.missing_count) == ((), 1)


def test_broken_recordings_leave_a_silent_screen() -> None:
    held = live(Voice())

    spoken, _ = playlist(saying(Utterance("你好。")), Broken(), held)

    assert (spoken.say, held.missing_count) == ((), 1)


def test_silence_has_its_own_rows() -> None:
    shelf = Shelf("点图片。")

    spoken, said_ms = playlist(saying(silence=(Utterance("点图片。"),)), shelf, live())

    assert (spoken.say, said_ms) == ((), 0)
    assert spoken.silence == ((Clip(key(0), SENTENCE_PAUSE_MS),),)


async def test_live_piece_is_spoken_once_and_held_in_memory() -> None:
    voice = Voice()
    held = live(voice)
    token = held.token("zh-CN", "王秀兰")

    first = await held.sound(token)
    second = await held.sound(token)

    assert first == second == "zh-CN:王秀兰".encode()
    assert voice.spoken == ["王秀兰"]


async def test_token_dies_with_the_visit() -> None:
    held = live(Voice())
    token = held.token("zh-CN", "王秀兰")
    assert await held.sound(token) is not None

    held.wipe()

    assert await held.sound(token) is None
    assert held.is_empty


async def test_live_pieces_are_bounded() -> None:
    held = live(Voice())
    tokens = [held.token("zh-CN", f"第{number}句") for number in range(LIVE_CLIPS_MAX + 1)]

    assert await held.sound(tokens[0]) is None
    assert await held.sound(tokens[-1]) is not None


async def test_piece_said_again_outlives_older_ones() -> None:
    held = live(Voice())
    again = held.token("zh-CN", "王秀兰")
    for number in range(LIVE_CLIPS_MAX):
        held.token("zh-CN", f"第{number}句")
        held.token("zh-CN", "王秀兰")

    assert await held.sound(again) is not None


def test_first_two_clips_of_each_screen_to_come_are_fetched_ahead() -> None:
    shelf = Shelf("一。", "二。", "三。", "整句。两句。")
    screens = [saying(Utterance("一。二。三。")), saying(Utterance("整句。两句。"))]

    assert preload([*screens, *screens], shelf) == (key(0), key(1), key(3))


def test_no_more_is_fetched_ahead_than_a_screen_has_ways() -> None:
    texts = [f"第{number}句。" for number in range(PRELOAD_MAX + 1)]

    found = preload([saying(Utterance(text)) for text in texts], Shelf(*texts))

    assert found == tuple(key(number) for number in range(PRELOAD_MAX))


def test_what_has_no_clip_is_not_fetched_ahead() -> None:
    wrong = Utterance("号是{case_no}。", {"case_no": Spoken("case_no", "12")})

    assert preload([saying(Utterance("没有。")), saying(wrong), saying()], Shelf("号是")) == ()
    assert preload([saying(Utterance("你好。"))], Broken()) == ()


async def test_voice_that_fails_is_counted() -> None:
    held = live(Mute())

    assert await held.sound(held.token("zh-CN", "你好")) is None
    assert held.missing_count == 1


class Crowded(Voice):
    """A speaker that sends a crowd away, as `LiveSpeaker` does."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = 0

    async def speak(self, language: str, text: str) -> bytes:
        if self.waiting >= LIVE_WAITING_MAX:
            raise SpeechUnavailable("too many")
        self.waiting += 1
        await asyncio.sleep(0)
        self.waiting -= 1
        return await super().speak(language, text)


async def test_page_that_asks_for_all_names_at_once_gets_them_all() -> None:
    held = live(Crowded())
    tokens = [held.token("zh-CN", f"清水{number}村") for number in range(LIVE_WAITING_MAX * 3)]

    sounds = await asyncio.gather(*(held.sound(token) for token in tokens))

    assert None not in sounds
    assert held.missing_count == 0
