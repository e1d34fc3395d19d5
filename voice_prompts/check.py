"""Listen to every clip by machine: is it there, audible, undistorted, as long as its words?"""

import re
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

import msgspec

from voice_prompts.cache import read_levels
from voice_prompts.encode import decode_each, has_ffmpeg
from voice_prompts.errors import TextUnspeakable
from voice_prompts.library import Clip, Library
from voice_prompts.limits import (
    CLIP_MS_MIN,
    CLIPPED_SAMPLES_MAX,
    ENCODE_BATCH_COUNT,
    LOUDNESS_LUFS,
    LOUDNESS_SPREAD_LU,
    SILENCE_DBFS,
)
from voice_prompts.normalise import normalise
from voice_prompts.prompts import Prompt
from voice_prompts.sound import Levels, levels, read_wav

Problem = Literal[
    "missing", "unreadable", "silent", "clipped", "too short", "too long", "too quiet", "too loud"
]


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a prompt's clip."""

    prompt: Prompt
    problem: Problem
    #: Figures or what to do, in words.
    detail: str = ""


class Coverage(msgspec.Struct, frozen=True):
    """How many of a language's clips there are."""

    language: str
    wanted_count: int
    recorded_count: int
    rendered_count: int
    #: What all clips take on the disk, each once, with their levels; a kiosk has 30 MB for it.
    size_bytes: int = 0

    @property
    def percent(self) -> float:
        """Answer the share of clips that are there, 0 … 100."""
        found = self.recorded_count + self.rendered_count
        return 100.0 * found / self.wanted_count if self.wanted_count else 100.0


def coverage(prompts: Iterable[Prompt], library: Library) -> list[Coverage]:
    """Answer how complete each language is, in the order of their names."""
    wanted = _distinct(prompts)
    found = [(prompt.language, _clip_of(prompt, library)) for prompt in wanted]
    return [
        Coverage(
            language=language,
            wanted_count=sum(name == language for name, _ in found),
            recorded_count=sum(
                name == language and clip is not None and clip.source == "recorded"
                for name, clip in found
            ),
            rendered_count=sum(
                name == language and clip is not None and clip.source == "rendered"
                for name, clip in found
            ),
            size_bytes=_size_bytes(clip for name, clip in found if name == language),
        )
        for language in sorted({prompt.language for prompt in wanted})
    ]


def _size_bytes(clips: Iterable[Clip | None]) -> int:
    sounds = {clip.path for clip in clips if clip}
    files = [file for path in sounds for file in (path, path.with_suffix(".json"))]
    # Blocks, not bytes: a clip of 5 kB and its levels take 12 kB of an ext4 disk.
    return sum(file.stat().st_blocks * 512 for file in files if file.is_file())


def _no_progress(done: int, total: int) -> None:
    del done, total


def check(
    prompts: Iterable[Prompt],
    library: Library,
    *,
    progress: Callable[[int, int], None] = _no_progress,
) -> list[Fault]:
    """Find what is wrong with the clips of these prompts.

    The sound itself is decoded and measured where ffmpeg is at hand; on a
    kiosk without it, rendered clips are judged by what was measured when they
    were made, and recordings by their length.

    Args:
        prompts: Any prompts; the same text is checked once.
        library: Where their clips are.
        progress: Called with prompts done and prompts to do.

    Returns:
        Faults in the prompts' order; empty = all is well.
    """
    wanted = _distinct(prompts)
    is_deep = has_ffmpeg()
    faults: list[Fault] = []
    for start in range(0, len(wanted), ENCODE_BATCH_COUNT):
        batch = wanted[start : start + ENCODE_BATCH_COUNT]
        found = [(prompt, _clip_of(prompt, library)) for prompt in batch]
        clips = {clip.key: clip for _, clip in found if clip}
        heard = _heard(clips.values()) if is_deep else _noted(clips.values())
        for prompt, clip in found:
            if clip is None:
                faults.append(Fault(prompt, "missing", "run: bianmin voice render"))
            else:
                faults += _judged(prompt, clip, heard.get(clip.key))
        progress(start + len(batch), len(wanted))
    return faults


def expected_ms(language: str, text: str) -> tuple[float, float]:
    """Answer the shortest and longest plausible length of a text's clip.

    A line through the shipped catalogue's clips (Mandarin 260 ms a hanzi,
    English 165 ms a vowel group, 350 and 300 ms a pause), with room for people,
    who speak faster and slower than the machine.

    Source: measured on 2446 clips, ratios 0.51 … 1.45 and 0.69 … 2.2.
    """
    try:
        words = normalise(language, text, is_strict=False)
    except TextUnspeakable:
        words = text
    pause_count = len(re.findall(r"[，。？！；,.;:?!]", words[:-1]))
    if language == "zh-CN":
        count = len(re.findall(r"[一-鿿]", words))
        middle = 200 + 260 * count + 350 * pause_count
    else:
        count = len(re.findall(r"[aeiouy]+", words.lower())) + 2 * len(re.findall(r"\d", words))
        middle = 200 + 165 * max(1, count) + 300 * pause_count
    shortest, longest = (0.45, 2.5) if count < 5 else (0.65, 2.0)
    return max(CLIP_MS_MIN, middle * shortest), middle * longest


def _distinct(prompts: Iterable[Prompt]) -> list[Prompt]:
    return list({(prompt.language, prompt.text): prompt for prompt in prompts}.values())


def _clip_of(prompt: Prompt, library: Library) -> Clip | None:
    """Answer the part's own clip, or the recording of the whole that it belongs to."""
    clip = library.find(prompt.language, prompt.text)
    if clip is None and prompt.whole:
        return library.find(prompt.language, prompt.whole)
    return clip


def _judged(prompt: Prompt, clip: Clip, heard: Levels | None) -> list[Fault]:
    if heard is None:
        return [Fault(prompt, "unreadable", "not a sound file; render or record it again")]
    if heard.loudness < SILENCE_DBFS:
        return [Fault(prompt, "silent", f"{heard.loudness:.0f} LUFS")]
    faults = []
    if heard.clipped_count > CLIPPED_SAMPLES_MAX:
        faults.append(Fault(prompt, "clipped", f"{heard.clipped_count} samples at full scale"))
    # A recording of a whole is as long as all its parts together.
    text = prompt.whole if clip.source == "recorded" and prompt.whole else prompt.text
    shortest = expected_ms(prompt.language, prompt.text)[0]
    longest = expected_ms(prompt.language, text)[1]
    if heard.duration_ms < shortest:
        detail = f"{heard.duration_ms} ms, expected at least {shortest:.0f}"
        faults.append(Fault(prompt, "too short", detail))
    elif heard.duration_ms > longest:
        detail = f"{heard.duration_ms} ms, expected at most {longest:.0f}"
        faults.append(Fault(prompt, "too long", detail))
    difference = heard.loudness - LOUDNESS_LUFS
    if abs(difference) > LOUDNESS_SPREAD_LU:
        problem: Problem = "too loud" if difference > 0 else "too quiet"
        faults.append(Fault(prompt, problem, f"{heard.loudness:.1f} LUFS"))
    return faults


def _noted(clips: Iterable[Clip]) -> dict[str, Levels]:
    """Answer what is known without decoding: the levels noted at rendering."""
    found = {}
    for clip in clips:
        if clip.source == "rendered":
            noted = read_levels(clip.path.parent.parent, clip.key)
        elif clip.duration_ms:
            noted = Levels(duration_ms=clip.duration_ms, loudness=LOUDNESS_LUFS, peak=0.0)
        else:
            noted = None
        if noted:
            found[clip.key] = noted
    return found


def _heard(clips: Iterable[Clip]) -> dict[str, Levels]:
    """Decode and measure; what cannot be decoded is not in the answer."""
    with tempfile.TemporaryDirectory(prefix="bianmin-voice-") as folder:
        pairs = {clip.key: (clip.path, Path(folder) / f"{clip.key}.wav") for clip in clips}
        for key in decode_each(pairs):
            del pairs[key]
        return {key: _measured(wav) for key, (_, wav) in pairs.items()}


def _measured(path: Path) -> Levels:
    return levels(*read_wav(path))
