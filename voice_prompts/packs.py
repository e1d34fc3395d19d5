"""Dialect packs: one person's recordings in one folder or zip, with a manifest.

    tongren/
      pack.json            who speaks what language, with whose consent, and what each file says
      home.title.1.wav     .wav (16-bit PCM), .ogg or .opus

A pack comes from a stick, from somebody we do not know. Nothing in it is believed before it was
looked at: names are plain, files are ordinary files of bounded size, and each is the kind of sound
that its name says. What a clip says is known by the hash of the words that it was recorded for,
so that changed words are never spoken by an old recording.
"""

import datetime as dt
import hashlib
import io
import re
import wave
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from voice_prompts.errors import PackWrong
from voice_prompts.limits import (
    PACK_MANIFEST_BYTES_MAX,
    PACK_NAME_CHARS_MAX,
    PACK_NOTE_CHARS_MAX,
    RECORDING_BYTES_MAX,
    RECORDING_MS_MAX,
    RECORDINGS_COUNT_MAX,
)
from voice_prompts.prompts import Prompt, core_prompts
from voice_prompts.recordings import MEDIA_TYPES, comparable, ogg_ms
from voice_prompts.wording import LANGUAGES

MANIFEST = "pack.json"
FORMAT = "bianmin-voice-pack-1"

_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}")
#: A first character that is no point: no hidden file, no "..".
_FILE = re.compile(r"[A-Za-z0-9一-鿿][A-Za-z0-9一-鿿._-]{0,119}")
_HASH = re.compile(r"[0-9a-f]{32}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_WAV_RATES_HZ = range(8_000, 48_001)


class Recorded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One recording of a pack."""

    #: Its file beside the manifest, a plain name.
    file: str
    #: `text_hash` of the words that were read aloud.
    text_hash: str
    #: Milliseconds; 0 = not measured yet.
    duration_ms: int = 0


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a pack says of itself, and what each of its files says."""

    #: BCP 47: "yi", or "zh-x-tongren" for a dialect without a tag of its own.
    language: str
    #: The language's own name as its speakers write it; stands on the switch of the kiosk.
    name: str
    #: Who speaks.
    author: str
    #: How the speaker agreed, and where the signed paper lies.
    consent: str
    #: SPDX name or words: who may use it.
    licence: str
    #: Day of the (last) recording.
    recorded_on: dt.date
    format: str = FORMAT
    #: Whose texts were translated by the speaker; also what is spoken where a clip is missing.
    based_on: str = LANGUAGES[0]
    #: File in which the language's own name is said in itself; "" = none.
    name_file: str = ""
    #: Prompt key → recording; see `prompts.prompt_key`.
    clips: dict[str, Recorded] = {}


class Measured(msgspec.Struct, frozen=True):
    """A sound that is what its name says."""

    media_type: str
    #: Milliseconds, at least 1.
    duration_ms: int
    #: Of a wav file; 0 = not known.
    channels: int = 0


def text_hash(text: str) -> str:
    """Answer 32 hexadecimal digits for the words of a text; white space does not count.

    >>> text_hash("您好。") == text_hash(" 您好。 ")
    True
    """
    return hashlib.sha256(comparable(text).encode()).hexdigest()[:32]


def is_tag(text: str) -> bool:
    """Answer whether a text has a language tag's shape, and so is safe in a path.

    >>> is_tag("zh-x-tongren"), is_tag("yi"), is_tag("../etc")
    (True, True, False)
    """
    return bool(_TAG.fullmatch(text))


def is_file_name(text: str) -> bool:
    """Answer whether a text is a plain name of a sound file."""
    return bool(_FILE.fullmatch(text)) and Path(text).suffix.lower() in MEDIA_TYPES


def read_manifest(content: bytes, origin: str) -> Manifest:
    """Read and check a manifest.

    Args:
        content: Of pack.json.
        origin: The pack's name, for messages.

    Raises:
        PackWrong: It breaks a rule; the message says which, and in which entry.
    """
    if len(content) > PACK_MANIFEST_BYTES_MAX:
        raise PackWrong(f"{origin}: {MANIFEST} is larger than {PACK_MANIFEST_BYTES_MAX} bytes")
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as error:
        raise PackWrong(f"{origin}: {MANIFEST}: {error}") from error
    for fault in _faults(manifest):
        raise PackWrong(f"{origin}: {MANIFEST}: {fault}")
    return manifest


def _faults(manifest: Manifest) -> Iterator[str]:
    yield from _head_faults(manifest)
    if manifest.name_file and not is_file_name(manifest.name_file):
        yield "name_file must be a plain file name ending in .wav, .ogg or .opus"
    if len(manifest.clips) > RECORDINGS_COUNT_MAX:
        yield f"more than {RECORDINGS_COUNT_MAX} clips"
    for key, clip in manifest.clips.items():
        if not is_file_name(clip.file):
            yield f"{key[:60]!r} needs a plain file name ending in .wav, .ogg or .opus"
        if not _HASH.fullmatch(clip.text_hash):
            yield f"{key[:60]!r} needs the hash of its text (32 hexadecimal digits)"


def _head_faults(manifest: Manifest) -> Iterator[str]:
    if manifest.format != FORMAT:
        yield f'format must be "{FORMAT}"'
    if not is_tag(manifest.language):
        yield 'language must be a tag such as "yi" or "zh-x-tongren"'
    if manifest.based_on not in LANGUAGES:
        yield f"based_on must be one of {', '.join(LANGUAGES)}"
    if len(manifest.name) > PACK_NAME_CHARS_MAX:
        yield f"name must fit a button: at most {PACK_NAME_CHARS_MAX} characters"
    for field in ("name", "author", "consent", "licence"):
        words = getattr(manifest, field)
        if not words.strip() or len(words) > PACK_NOTE_CHARS_MAX or _CONTROL.search(words):
            yield f"{field} must be one line of 1 to {PACK_NOTE_CHARS_MAX} characters"


def manifest_bytes(manifest: Manifest) -> bytes:
    """Answer a manifest as people can read it."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def files_of(manifest: Manifest) -> list[str]:
    """Answer every file that a manifest names, each once, in its order."""
    names = [manifest.name_file, *(clip.file for clip in manifest.clips.values())]
    return list(dict.fromkeys(name for name in names if name))


def measured(name: str, content: bytes) -> Measured:
    """Look whether a file is the kind of sound that its name says, and how long.

    Raises:
        PackWrong: It is not, or it is longer than any prompt.
    """
    if len(content) > RECORDING_BYTES_MAX:
        raise PackWrong(f"{name} is larger than {RECORDING_BYTES_MAX} bytes; shorten it")
    suffix = Path(name).suffix.lower()
    is_wav = suffix == ".wav"
    duration_ms, channels = _wav_ms(name, content) if is_wav else (_ogg_ms(name, content), 0)
    if not 0 < duration_ms <= RECORDING_MS_MAX:
        raise PackWrong(f"{name} must last between 1 ms and {RECORDING_MS_MAX // 1000} s")
    return Measured(MEDIA_TYPES[suffix], duration_ms, channels)


def _wav_ms(name: str, content: bytes) -> tuple[int, int]:
    try:
        with wave.open(io.BytesIO(content), "rb") as wav:
            rate_hz, count = wav.getframerate(), wav.getnframes()
            width, channels = wav.getsampwidth(), wav.getnchannels()
            held = len(wav.readframes(count))
    except (wave.Error, EOFError, ZeroDivisionError, RuntimeError) as error:
        raise PackWrong(f"{name} is no whole wav file {error}".rstrip()) from error
    if width != 2 or channels not in (1, 2) or rate_hz not in _WAV_RATES_HZ:
        raise PackWrong(f"{name} must be 16-bit PCM, one or two channels, 8 to 48 kHz")
    if held != count * width * channels:
        raise PackWrong(f"{name} is cut off: it holds less sound than it says")
    return round(count * 1000 / rate_hz), channels


def _ogg_ms(name: str, content: bytes) -> int:
    if not content.startswith(b"OggS"):
        raise PackWrong(f"{name} is no Ogg file")
    return ogg_ms(content)


def says(hashes: Mapping[str, object] | frozenset[str], prompt: Prompt) -> bool:
    """Answer whether recordings of these texts say a prompt, alone or within its whole."""
    if text_hash(prompt.text) in hashes:
        return True
    return bool(prompt.whole) and text_hash(prompt.whole) in hashes


def is_core_covered(manifest: Manifest) -> bool:
    """Answer whether a pack says at least what the kiosk asks of a language that it offers."""
    hashes = frozenset(clip.text_hash for clip in manifest.clips.values())
    return all(says(hashes, prompt) for prompt in core_prompts(manifest.based_on))
