"""Wav to Ogg/Opus and back, by ffmpeg, many files to a run."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from voice_prompts.errors import RenderFailed, ToolMissing
from voice_prompts.limits import (
    ENCODE_TIMEOUT_S,
    OPUS_BITRATE,
    OPUS_SAMPLE_RATE_HZ,
    SAMPLE_RATE_HZ,
)

_QUIET = ("-nostdin", "-hide_banner", "-loglevel", "error", "-y")


def _setting(application: str, bitrate: int, sample_rate_hz: int) -> tuple[str, ...]:
    return ("-ar", str(sample_rate_hz), "-b:a", str(bitrate), "-application", application)


_OPUS = (
    *("-ac", "1", "-c:a", "libopus"),
    # Without encoder names and random serial numbers, equal sound gives equal files.
    *("-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact", "-f", "ogg"),
)
# The first is the rule. libopus 1.3.1 (Debian 12) puts some milliseconds of noise at full
# scale into about one clip in 500, another one with each setting, always the same ones:
# `render` compares what comes out, and takes the next setting for these.
_SETTINGS: tuple[tuple[str, ...], ...] = (
    # Not "voip": that one filters the sound and overshoots by up to 2 dB (measured).
    _setting("audio", OPUS_BITRATE, OPUS_SAMPLE_RATE_HZ),
    _setting("audio", OPUS_BITRATE + 8_000, OPUS_SAMPLE_RATE_HZ),
    _setting("audio", 2 * OPUS_BITRATE, OPUS_SAMPLE_RATE_HZ),
    _setting("audio", 2 * OPUS_BITRATE, 16_000),
)
#: How many encoder settings there are to try.
SETTINGS_COUNT = len(_SETTINGS)

_SAMPLES = (
    *("-ar", str(SAMPLE_RATE_HZ), "-ac", "1", "-c:a", "pcm_s16le"),
    *("-fflags", "+bitexact", "-f", "wav"),
)


def has_ffmpeg() -> bool:
    """Answer whether this machine can encode and decode; a kiosk need not."""
    return shutil.which("ffmpeg") is not None


def encode(pairs: Sequence[tuple[Path, Path]], setting: int = 0) -> None:
    """Encode wav files to Ogg/Opus.

    Args:
        pairs: Wav file, Ogg file to write.
        setting: Which of the `SETTINGS_COUNT` encoder settings; 0 is the rule.

    Raises:
        ToolMissing: No ffmpeg, or one without libopus.
        RenderFailed: ffmpeg refused one of the files.
    """
    _convert(pairs, (*_OPUS, *_SETTINGS[setting]))


def decode(pairs: Sequence[tuple[Path, Path]]) -> None:
    """Decode sound files to 16-bit mono wav files at `SAMPLE_RATE_HZ`.

    Args:
        pairs: Sound file, wav file to write.

    Raises:
        ToolMissing: No ffmpeg.
        RenderFailed: One of the files is no sound.
    """
    _convert(pairs, _SAMPLES)


def decode_each(pairs: Mapping[str, tuple[Path, Path]]) -> list[str]:
    """Decode together; when one file is broken, one by one. Answer the names of the broken ones.

    Args:
        pairs: Any name → sound file, wav file to write.

    Raises:
        ToolMissing: No ffmpeg.
    """
    if not pairs:
        return []
    try:
        decode(list(pairs.values()))
    except RenderFailed:
        broken = []
        for name, pair in pairs.items():
            try:
                decode([pair])
            except RenderFailed:
                broken.append(name)
        return broken
    return []


def _convert(pairs: Sequence[tuple[Path, Path]], options: Sequence[str]) -> None:
    inputs = [argument for source, _ in pairs for argument in ("-i", str(source))]
    outputs = [
        argument
        for index, (_, target) in enumerate(pairs)
        for argument in ("-map", f"{index}:a:0", *options, str(target))
    ]
    command = ["ffmpeg", *_QUIET, *inputs, *outputs]
    try:
        # A list, no shell: the paths are ours.
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, timeout=ENCODE_TIMEOUT_S, check=False
        )
    except FileNotFoundError as error:
        raise ToolMissing("ffmpeg is missing: apt install ffmpeg") from error
    except subprocess.TimeoutExpired as error:
        raise RenderFailed(f"ffmpeg needed more than {ENCODE_TIMEOUT_S:.0f} s") from error
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        message = words[-1] if words else f"it ended with {done.returncode}"
        if "libopus" in message:
            raise ToolMissing("this ffmpeg has no libopus; install Debian's")
        raise RenderFailed(f"ffmpeg could not convert: {message}")
