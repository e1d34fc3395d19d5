"""From what a screen says to what its page plays.

A clip is looked up by its text. What has none is spoken live by the kiosk: the page gets a
token, the sound is made when it is fetched, stays in memory and dies with the visit.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Protocol

from kiosk.playlist import Clip, Playlist
from kiosk.screens import Screen, Utterance
from sync.clock import Entropy
from sync.limits import LIVE_BYTES_MAX, LIVE_CLIPS_MAX, PRELOAD_MAX
from voice_prompts import clips
from voice_prompts.compose import Spoken, pieces
from voice_prompts.errors import SpeechUnavailable, VoiceError
from voice_prompts.installed import Dialect
from voice_prompts.limits import SENTENCE_PAUSE_MS

VOICE_PATH = "/voice/"
LIVE_PATH = "/voice/live/"
#: A live piece's length is not known before it is spoken: a third of a second a character.
LIVE_MS_PER_CHAR = 340
_TOKEN_BYTES = 16
_BLANK = re.compile(r"\s")
_BRACES = re.compile(r"[{}$]")


class Library(Protocol):
    """Where clips are found; `voice_prompts.library.Library`."""

    def find(self, language: str, text: str, /) -> clips.Clip | None:
        """Answer the clip that says exactly this text."""
        ...

    def by_key(self, key: str, /) -> clips.Clip | None:
        """Answer the clip of a key."""
        ...


class Voices(Library, Protocol):
    """A library that knows dialects too."""

    def dialects(self) -> tuple[Dialect, ...]:
        """Answer the dialects that may be offered."""
        ...


_NOBODY: Mapping[str, str] = MappingProxyType({})


class InDialect:
    """A library in which one dialect goes first; "" = none does.

    Args:
        library: Of this kiosk.
        tag: The dialect that the visit is spoken in.
        names: Own name of a language or dialect → its tag: each is said in itself.
    """

    def __init__(self, library: Library, tag: str, names: Mapping[str, str] = _NOBODY) -> None:
        self._library = library
        self._tag = tag
        self._names = names

    def find(self, language: str, text: str, /) -> clips.Clip | None:
        """Answer the dialect's clip of a text, else the language's own."""
        own = self._names.get(text, self._tag)
        found = self._library.find(own, text) if own else None
        return found or self._library.find(language, text)

    def by_key(self, key: str, /) -> clips.Clip | None:
        """Answer the clip of a key."""
        return self._library.by_key(key)


class Speaker(Protocol):
    """Who speaks what no clip says; `voice_prompts.live.LiveSpeaker`."""

    async def start(self) -> None:
        """Be ready; whoever cannot speak says so by `speak`."""
        ...

    async def speak(self, language: str, text: str, /) -> bytes:
        """Answer the text as a wav file."""
        ...

    def forget(self) -> None:
        """Keep nothing of what was spoken."""
        ...


class LiveVoice:
    """The live pieces of one visit, in memory only.

    Args:
        speaker: Speaks; None = this kiosk has no live voice.
        entropy: Source of the tokens.
    """

    def __init__(self, speaker: Speaker | None, entropy: Entropy) -> None:
        self._speaker = speaker
        self._entropy = entropy
        self._texts: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._tokens: dict[tuple[str, str], str] = {}
        self._sounds: dict[str, bytes] = {}
        self._has_spoken = False
        # A page of villages asks for all its names at once; the speaker refuses a crowd.
        self._turn = asyncio.Lock()
        self.missing_count = 0
        """Pieces that could not be said at all since the start; never which."""

    async def start(self) -> None:
        """Warm the speaker up, so that the first sentence does not wait."""
        if self._speaker is not None:
            await self._speaker.start()

    def token(self, language: str, text: str) -> str:
        """Answer the token by which the page fetches a text; "" when nothing can speak it."""
        if self._speaker is None:
            self.missing_count += 1
            return ""
        token = self._tokens.get((language, text))
        if token is None:
            token = self._entropy.token_bytes(_TOKEN_BYTES).hex()
            self._tokens[language, text] = token
            self._texts[token] = (language, text)
            while len(self._texts) > LIVE_CLIPS_MAX:
                self._forget_oldest()
        # What the present screen says must outlive what an earlier one said.
        self._texts.move_to_end(token)
        return token

    def _forget_oldest(self) -> None:
        token, spoken = self._texts.popitem(last=False)
        self._tokens.pop(spoken, None)
        self._sounds.pop(token, None)

    async def sound(self, token: str) -> bytes | None:
        """Answer a token's wav; None when the token is not of this visit or nothing can speak."""
        async with self._turn:
            return await self._sound_now(token)

    async def _sound_now(self, token: str) -> bytes | None:
        if token in self._sounds:
            return self._sounds[token]
        if token not in self._texts or self._speaker is None:
            return None
        self._has_spoken = True
        try:
            sound = await self._speaker.speak(*self._texts[token])
        except SpeechUnavailable:
            self.missing_count += 1
            return None
        # The visit may have ended while it was spoken.
        if token not in self._texts:
            return None
        while self._sounds and sum(map(len, self._sounds.values())) > LIVE_BYTES_MAX:
            self._sounds.pop(next(iter(self._sounds)))
        self._sounds[token] = sound
        return sound

    def wipe(self) -> None:
        """Forget every text and sound."""
        if self._has_spoken and self._speaker is not None:
            self._speaker.forget()
        self._has_spoken = False
        self._texts.clear()
        self._tokens.clear()
        self._sounds.clear()

    @property
    def is_empty(self) -> bool:
        """Whether nothing of any visit is held."""
        return not (self._texts or self._tokens or self._sounds)


def playlist(screen: Screen, library: Library, live: LiveVoice) -> tuple[Playlist, int]:
    """Answer what the page plays for a screen, and about how many milliseconds it lasts.

    What cannot be said is left out and counted: the text is on the screen.
    """
    said, said_ms = _said(screen.language, screen.say, library, live)
    silence = tuple(_said(screen.language, some, library, live)[0] for some in screen.silence)
    countdown = tuple(
        (left, _said(screen.language, some, library, live)[0]) for left, some in screen.countdown
    )
    more = _said(screen.language, screen.more, library, live)[0]
    return Playlist(say=said, silence=silence, countdown=countdown, more=more), said_ms


def aloud(language: str, text: str, library: Library, live: LiveVoice) -> tuple[Clip, ...]:
    """Answer the clips of a text of the screen: a label, or what the resident typed.

    Digits are said one by one, as on the pads; all else as it stands.

    Args:
        language: Of the visit.
        text: As the page shows it.
        library: Where prepared clips are.
        live: Speaks what has none.
    """
    bare = _BLANK.sub("", text)
    if bare.isascii() and bare.isdigit():
        utterance = Utterance("{digits}", {"digits": Spoken("digits", bare)})
    else:
        # Braces would be slots; nobody is heard saying them.
        utterance = Utterance(_BRACES.sub(" ", text).strip())
    return _said(language, (utterance,), library, live)[0] if bare else ()


def preload(screens: Iterable[Screen], library: Library) -> tuple[str, ...]:
    """Answer the clips that screens begin with, each once; what is only spoken live has none.

    Two of each: while they sound, the page fetches the rest.
    """
    found: dict[str, None] = {}
    for screen in screens:
        for clip in _openings(screen, library):
            found[VOICE_PATH + clip.key] = None
            if len(found) == PRELOAD_MAX:
                return tuple(found)
    return tuple(found)


def _openings(screen: Screen, library: Library) -> list[clips.Clip]:
    """Answer the clips among the first two pieces of a screen."""
    for utterance in screen.say[:1]:
        try:
            whole = library.find(screen.language, utterance.template)
            if whole and not utterance.slots:
                return [whole]
            parts = pieces(screen.language, utterance.template, utterance.slots)
            found = [library.find(screen.language, part.text) for part in parts if part.text]
        except VoiceError:
            return []
        return [clip for clip in found[:2] if clip is not None]
    return []


def _said(
    language: str, utterances: tuple[Utterance, ...], library: Library, live: LiveVoice
) -> tuple[tuple[Clip, ...], int]:
    row: list[Clip] = []
    total_ms = 0
    for utterance in utterances:
        for clip, duration_ms in _utterance(language, utterance, library, live):
            if clip.url:
                row.append(clip)
            elif row:
                row[-1] = Clip(row[-1].url, row[-1].pause_ms + clip.pause_ms, row[-1].highlight)
            total_ms += duration_ms + clip.pause_ms
        if row:
            row[-1] = Clip(row[-1].url, SENTENCE_PAUSE_MS, row[-1].highlight)
    return tuple(row), total_ms


def _utterance(
    language: str, utterance: Utterance, library: Library, live: LiveVoice
) -> list[tuple[Clip, int]]:
    """Answer the pieces of one utterance; a piece without a url is a rest."""
    try:
        return _pieces(language, utterance, library, live)
    except VoiceError:
        live.missing_count += 1
        return []


def _pieces(
    language: str, utterance: Utterance, library: Library, live: LiveVoice
) -> list[tuple[Clip, int]]:
    if not utterance.slots and (whole := library.find(language, utterance.template)):
        # A recording may say all sentences of a text in one breath.
        return [(Clip(VOICE_PATH + whole.key, 0, utterance.highlight), whole.duration_ms)]
    found: list[tuple[Clip, int]] = []
    for part in pieces(language, utterance.template, utterance.slots):
        if not part.text:
            found.append((Clip("", part.pause_ms), 0))
            continue
        clip = library.find(language, part.text)
        if clip is not None:
            url, duration_ms = VOICE_PATH + clip.key, clip.duration_ms
        else:
            token = live.token(language, part.text)
            url, duration_ms = (LIVE_PATH + token, LIVE_MS_PER_CHAR * len(part.text))
            if not token:
                continue
        found.append((Clip(url, 0, utterance.highlight), duration_ms))
    return found
