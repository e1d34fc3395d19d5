"""Rendered clips on disk: addressed by what is heard, listed by what is said.

    <cache>/ab/<key>.ogg     the sound; its name is the hash of everything that shapes it
    <cache>/ab/<key>.json    its levels; written last, so that a clip without it is not there
    <cache>/index.json       language → text → key, for players that have no pinyin at hand

A clip is never keyed by a prompt's id, so that changed words cannot play old
sound. Everything is written under a temporary name first. Clips hold interface
words only: what residents typed is spoken live and never comes here.
"""

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from voice_prompts import limits
from voice_prompts.driver import Voice
from voice_prompts.sound import Levels

SCHEMA_VERSION = 3

_KEY = re.compile(r"[0-9a-f]{64}")
_ENCODER = (
    f"opus {limits.OPUS_BITRATE} {limits.OPUS_SAMPLE_RATE_HZ} audio "
    f"{limits.LOUDNESS_LUFS} {limits.PEAK_DBFS} {limits.TRIM_THRESHOLD_DBFS} "
    f"{limits.TRIM_KEEP_MS} {limits.FADE_MS}"
)


class Index(msgspec.Struct, frozen=True):
    """What has been rendered, by what it says."""

    #: Language → text of the clip → key.
    clips: dict[str, dict[str, str]] = {}
    #: Language → id of a prompt ("home.title") → its whole text.
    sources: dict[str, dict[str, str]] = {}


def clip_key(utterance: str, voice: Voice, espeak_version: str) -> str:
    """Answer the name of the clip with this sound: 64 hexadecimal digits.

    Args:
        utterance: What the engine gets (pinyin, or English words).
        voice: How it speaks.
        espeak_version: Such as "1.51"; another one sounds different.
    """
    facts = (SCHEMA_VERSION, utterance, voice, espeak_version, _ENCODER)
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()


def is_key(text: str) -> bool:
    """Answer whether a text has a key's shape, and so is safe in a path."""
    return bool(_KEY.fullmatch(text))


def sound_path(cache_dir: Path, key: str) -> Path:
    """Answer where a key's sound lies."""
    return cache_dir / key[:2] / f"{key}.ogg"


def read_levels(cache_dir: Path, key: str) -> Levels | None:
    """Answer a stored clip's levels; `None` = there is no such whole clip."""
    path = sound_path(cache_dir, key)
    try:
        found = msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=Levels)
    except (OSError, UnicodeDecodeError, msgspec.DecodeError):
        return None
    return found if path.is_file() else None


def store(cache_dir: Path, key: str, sound: Path, measured: Levels) -> None:
    """Move a finished sound into the cache, then say that it is there.

    Args:
        cache_dir: The cache.
        key: The sound's key.
        sound: An Ogg file on the same file system.
        measured: Its levels.
    """
    path = sound_path(cache_dir, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    sound.replace(path)
    _write(path.with_suffix(".json"), msgspec.json.encode(measured))


def read_index(cache_dir: Path) -> Index:
    """Answer the index; an absent or damaged one is empty, and rendering remakes it."""
    try:
        return msgspec.json.decode((cache_dir / "index.json").read_bytes(), type=Index)
    except (OSError, UnicodeDecodeError, msgspec.DecodeError):
        return Index()


def add_to_index(cache_dir: Path, added: Index) -> None:
    """Add entries to the index; two renderings at once do not lose each other's."""
    with _locked(cache_dir):
        known = read_index(cache_dir)
        merged = Index(
            clips=_merged(known.clips, added.clips), sources=_merged(known.sources, added.sources)
        )
        _write(cache_dir / "index.json", msgspec.json.encode(merged))


def _merged(
    known: Mapping[str, dict[str, str]], added: Mapping[str, dict[str, str]]
) -> dict[str, dict[str, str]]:
    return {
        language: {**known.get(language, {}), **added.get(language, {})}
        for language in sorted({*known, *added})
    }


@contextmanager
def _locked(cache_dir: Path) -> Iterator[None]:
    cache_dir.mkdir(parents=True, exist_ok=True)
    with (cache_dir / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_bytes(content)
    partial.replace(path)
