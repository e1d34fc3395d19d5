"""A recording booth for an installer: one sentence after the other becomes a dialect pack.

The pack is a folder that grows with every sentence. A recording is on the disk before the page
says so: first the sound, then the manifest, each written whole and synced; what is recorded again
takes the earlier one's place in the same way. Pulling the plug loses the sentence being spoken.
"""

import contextlib
import errno
import io
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from voice_prompts.check import expected_ms
from voice_prompts.clips import Clip
from voice_prompts.errors import PackWrong
from voice_prompts.library import Library
from voice_prompts.limits import CLIPPED_SAMPLES_MAX, SAMPLE_RATE_HZ, SILENCE_DBFS
from voice_prompts.pack_shelf import write_synced
from voice_prompts.packs import (
    MANIFEST,
    Manifest,
    Recorded,
    manifest_bytes,
    measured,
    read_manifest,
    text_hash,
)
from voice_prompts.prompts import Prompt
from voice_prompts.sound import levels, read_wav, trimmed, wav_bytes

#: Key of the item in which the language says its own name; its file is the manifest's name_file.
OWN_NAME = "own-name"
#: Beside speaking: to read the sentence, hear the example and the recording, and go on.
HANDLING_S = 8.0
_WORDS = "booth_page/words.toml"

#: What the page is told of a recording; a key of words.toml.
Told = Literal["saved", "silent", "clipped", "too_short", "too_long", "not_sound", "disk_full"]
#: The recording is not kept: the earlier one stays.
REFUSED: frozenset[Told] = frozenset({"silent", "clipped", "not_sound", "disk_full"})


class Item(msgspec.Struct, frozen=True):
    """One sentence to record."""

    key: str
    text: str
    #: Seconds that this sentence will probably take, handling included.
    expected_s: float
    is_recorded: bool = False
    has_reference: bool = False
    is_name: bool = False


class State(msgspec.Struct, frozen=True):
    """What the page needs to begin."""

    language: str
    name: str
    items: tuple[Item, ...]
    #: Language of the page → name → words.
    words: Mapping[str, Mapping[str, str]]


class Booth:
    """A pack in the making.

    Args:
        folder: Of the pack; made when absent.
        head: Of a new pack; a manifest that is there goes first, with its clips. Its day is today.
        prompts: Key → prompt, in the order of recording.
        library: Where the examples are.

    Raises:
        PackWrong: There is a manifest that breaks a rule, or one of another language.
    """

    def __init__(
        self, folder: Path, head: Manifest, prompts: Mapping[str, Prompt], library: Library
    ) -> None:
        self._folder = folder
        self._library = library
        self._keys = [OWN_NAME, *prompts]
        self._prompts = prompts
        self._today = head.recorded_on
        folder.mkdir(parents=True, exist_ok=True)
        self._manifest = opened(folder) or head
        if self._manifest.language != head.language:
            raise PackWrong(f"{folder} is a pack of {self._manifest.language}; choose another one")
        content = manifest_bytes(self._manifest)
        # What could not be opened again is refused now, and not after a day of recording.
        read_manifest(content, folder.name)
        write_synced(folder / MANIFEST, content)

    @property
    def manifest(self) -> Manifest:
        """Answer the pack as it stands on the disk."""
        return self._manifest

    def state(self) -> State:
        """Answer all sentences, and which are recorded as they read now."""
        words = tomllib.loads((resources.files("voice_prompts") / _WORDS).read_text("utf-8"))
        items = tuple(self._item(index) for index in range(len(self._keys)))
        return State(self._manifest.language, self._manifest.name, items, words)

    def reference(self, index: int) -> Clip | None:
        """Answer how the machine says a sentence in the language that the pack is based on."""
        prompt = self._prompt(index)
        return self._library.find(prompt.language, prompt.text) if prompt else None

    def recording(self, index: int) -> Path | None:
        """Answer the file of a sentence's recording; None = it is not recorded."""
        if not 0 <= index < len(self._keys):
            return None
        name = self._file(self._keys[index])
        path = self._folder / name
        return path if name and path.is_file() else None

    def keep(self, index: int, content: bytes) -> Told:
        """Judge a recording and keep it, unless nobody could use it.

        Args:
            index: Of the sentence.
            content: A wav file, 16-bit mono at `SAMPLE_RATE_HZ`.

        Raises:
            IndexError: There is no such sentence.
            OSError: The disk does not take it (a full one is answered).
        """
        key = self._keys[index]
        try:
            known = measured("recording.wav", content)
            samples, rate_hz = read_wav(io.BytesIO(content))
        except PackWrong:
            return "not_sound"
        if known.channels != 1 or rate_hz != SAMPLE_RATE_HZ:
            return "not_sound"
        heard = levels(samples)
        cut = trimmed(samples)
        if heard.loudness < SILENCE_DBFS or not cut:
            return "silent"
        if heard.clipped_count > CLIPPED_SAMPLES_MAX:
            return "clipped"
        try:
            self._store(key, wav_bytes(cut), levels(cut).duration_ms)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                return "disk_full"
            raise
        return self._length_told(key, levels(cut).duration_ms)

    def _store(self, key: str, content: bytes, duration_ms: int) -> None:
        # Another take has another name: the manifest never names a half of one and one of another.
        before, name = self._file(key), _next_name(key, self._file(key))
        write_synced(self._folder / name, content)
        if key == OWN_NAME:
            changed = replace(self._manifest, name_file=name)
        else:
            clip = Recorded(name, text_hash(self._prompts[key].text), duration_ms)
            changed = replace(self._manifest, clips={**self._manifest.clips, key: clip})
        changed = replace(changed, recorded_on=self._today)
        write_synced(self._folder / MANIFEST, manifest_bytes(changed))
        self._manifest = changed
        if before and before != name:
            with contextlib.suppress(OSError):
                (self._folder / before).unlink()

    def _length_told(self, key: str, duration_ms: int) -> Told:
        if key == OWN_NAME:
            return "saved"
        shortest, longest = expected_ms(self._manifest.based_on, self._prompts[key].text)
        if duration_ms < shortest:
            return "too_short"
        return "too_long" if duration_ms > longest else "saved"

    def _item(self, index: int) -> Item:
        key = self._keys[index]
        if key == OWN_NAME:
            is_recorded = self.recording(index) is not None
            return Item(key, self._manifest.name, HANDLING_S, is_recorded, is_name=True)
        prompt = self._prompts[key]
        clip = self._manifest.clips.get(key)
        is_recorded = clip is not None and clip.text_hash == text_hash(prompt.text)
        shortest, longest = expected_ms(prompt.language, prompt.text)
        expected_s = HANDLING_S + 2 * (shortest + longest) / 2 / 1000
        has_reference = self.reference(index) is not None
        return Item(key, prompt.text, expected_s, is_recorded, has_reference)

    def _prompt(self, index: int) -> Prompt | None:
        if not 0 < index < len(self._keys):
            return None
        return self._prompts[self._keys[index]]

    def _file(self, key: str) -> str:
        if key == OWN_NAME:
            return self._manifest.name_file
        clip = self._manifest.clips.get(key)
        return clip.file if clip else ""


def opened(folder: Path) -> Manifest | None:
    """Answer the manifest of a pack in the making; None = it is a new one.

    Raises:
        PackWrong: It breaks a rule.
    """
    try:
        content = (folder / MANIFEST).read_bytes()
    except FileNotFoundError:
        return None
    return read_manifest(content, folder.name)


def _next_name(key: str, before: str) -> str:
    # Keys may hold what file names may not: the hash tells them apart.
    stem = f"{text_hash(key)[:16]}"
    return f"{stem}-b.wav" if before == f"{stem}-a.wav" else f"{stem}-a.wav"


def build_app(booth: Booth) -> Any:
    """Answer the aiohttp app of a booth; only this machine's own page may use it."""
    from voice_prompts.booth_web import app_of  # noqa: PLC0415 -- aiohttp takes 0.2 s

    return app_of(booth)
