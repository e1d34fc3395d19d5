"""Say how complete a pack is, service by service, and what of it cannot be used as it is."""

import io
import statistics
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from voice_prompts.check import expected_ms
from voice_prompts.encode import decode_each, has_ffmpeg
from voice_prompts.errors import PackWrong
from voice_prompts.limits import (
    CLIPPED_SAMPLES_MAX,
    ENCODE_BATCH_COUNT,
    LOUDNESS_LUFS,
    LOUDNESS_SPREAD_LU,
    SILENCE_DBFS,
)
from voice_prompts.pack_source import PackSource
from voice_prompts.packs import Manifest, Measured, files_of, measured, says, text_hash
from voice_prompts.prompts import CORE_SECTIONS, Prompt, prompt_key
from voice_prompts.sound import Levels, levels, read_wav

PackProblem = Literal[
    "unusable",
    "stale",
    "obsolete",
    "silent",
    "clipped",
    "too short",
    "too long",
    "too quiet",
    "too loud",
]
#: Groups of the report that are no service.
CORE, INTERFACE, NUMBERS, CATALOGUE = "core", "interface", "numbers", "catalogue"


class PackFault(msgspec.Struct, frozen=True):
    """What is wrong with one recording."""

    #: Its prompt's key in the manifest.
    key: str
    problem: PackProblem
    #: Figures or what to do, in words.
    detail: str = ""


class Group(msgspec.Struct, frozen=True):
    """How much of one group of prompts is recorded."""

    #: A service's id, or "core", "interface", "numbers", "catalogue".
    name: str
    wanted_count: int
    recorded_count: int
    #: Keys that have no recording, in order.
    missing: tuple[str, ...]
    is_service: bool = False

    @property
    def is_whole(self) -> bool:
        """Answer whether nothing is missing."""
        return not self.missing

    @property
    def percent(self) -> float:
        """Answer the share that is recorded, 0 … 100."""
        return 100.0 * self.recorded_count / self.wanted_count if self.wanted_count else 100.0


class PackReport(msgspec.Struct, frozen=True):
    """What a check of a pack found."""

    manifest: Manifest
    groups: tuple[Group, ...]
    faults: tuple[PackFault, ...]
    #: LUFS of the quietest and loudest recording that can be heard; None = none was measured.
    loudness: tuple[float, float] | None
    size_bytes: int
    #: Texts that are spoken in the pack's language, of all that there are.
    recorded_count: int
    wanted_count: int

    @property
    def is_core_whole(self) -> bool:
        """Answer whether the kiosk offers this language."""
        return all(group.is_whole for group in self.groups if group.name == CORE)

    @property
    def spread_lu(self) -> float:
        """Answer how far the loudest and the quietest are apart, in LU."""
        return self.loudness[1] - self.loudness[0] if self.loudness else 0.0


def groups_of(
    interface: Sequence[Prompt], catalogues: Sequence[Prompt], services: Collection[str]
) -> dict[str, list[Prompt]]:
    """Sort prompts into what a report tells apart, most needed first, each text once a group.

    Args:
        interface: Of `prompts.interface_prompts`, one language.
        catalogues: Of `prompts.catalogue_prompts`, the same language.
        services: Ids of the services; other catalogue texts are group "catalogue".
    """
    found: dict[str, dict[str, Prompt]] = {}
    for prompt in interface:
        is_core = prompt.source.partition(".")[0] in CORE_SECTIONS
        name = NUMBERS if prompt.source == "fragment" else CORE if is_core else INTERFACE
        found.setdefault(name, {}).setdefault(prompt.text, prompt)
    for prompt in catalogues:
        head = prompt.source.partition(".")[0]
        name = head if head in services else CATALOGUE
        found.setdefault(name, {}).setdefault(prompt.text, prompt)
    order = [CORE, INTERFACE, NUMBERS, CATALOGUE, *services]
    return {name: list(found[name].values()) for name in order if name in found}


def keyed(groups: Mapping[str, Sequence[Prompt]]) -> dict[str, Prompt]:
    """Answer every text once, by the key that a manifest names it with, most needed first.

    A service and a section of the interface may share a name; the later one gets a number.
    """
    found: dict[str, Prompt] = {}
    seen: set[str] = set()
    for prompt in (prompt for prompts in groups.values() for prompt in prompts):
        if prompt.text in seen:
            continue
        seen.add(prompt.text)
        key, number = prompt_key(prompt), 2
        while key in found:
            key, number = f"{prompt_key(prompt)}~{number}", number + 1
        found[key] = prompt
    return found


def _no_progress(done: int, total: int) -> None:
    del done, total


def check_pack(
    source: PackSource,
    groups: Mapping[str, Sequence[Prompt]],
    services: Collection[str],
    *,
    progress: Callable[[int, int], None] = _no_progress,
) -> PackReport:
    """Measure every recording and compare the manifest with the present texts.

    Args:
        source: An opened pack.
        groups: All present prompts of the language that it is based on; see `groups_of`.
        services: Which groups are services.
        progress: Called with files done and files to do.
    """
    manifest = source.manifest
    faults: list[PackFault] = []
    heard = _heard(source, faults, progress)
    usable = {key: clip for key, clip in manifest.clips.items() if clip.file in heard}
    hashes = frozenset(clip.text_hash for clip in usable.values())
    wanted = keyed(groups)
    by_key = {**wanted, **{key.rpartition(".")[0]: one for key, one in wanted.items() if one.whole}}
    by_hash = {text_hash(text): text for one in wanted.values() for text in (one.whole, one.text)}
    for key, clip in usable.items():
        text = by_hash.get(clip.text_hash)
        if text is None:
            faults.append(_outdated(key, by_key.get(key)))
        else:
            faults += _judged(key, manifest.based_on, text, heard[clip.file])
    faults += _uneven({key: heard[clip.file].loudness for key, clip in usable.items()})
    loud = [one.loudness for one in heard.values() if one.loudness >= SILENCE_DBFS]
    return PackReport(
        manifest=manifest,
        groups=tuple(_group(name, some, services, hashes) for name, some in groups.items()),
        faults=tuple(faults),
        loudness=(min(loud), max(loud)) if loud else None,
        size_bytes=sum(source.size_of(name) or 0 for name in files_of(manifest)),
        recorded_count=sum(says(hashes, prompt) for prompt in wanted.values()),
        wanted_count=len(wanted),
    )


def _outdated(key: str, prompt: Prompt | None) -> PackFault:
    if prompt is None:
        return PackFault(key, "obsolete", "no text says this any more; it is not used")
    return PackFault(key, "stale", f"the text is another now, record it again: {prompt.text}")


def _group(
    name: str, prompts: Sequence[Prompt], services: Collection[str], hashes: frozenset[str]
) -> Group:
    missing = tuple(prompt_key(prompt) for prompt in prompts if not says(hashes, prompt))
    return Group(name, len(prompts), len(prompts) - len(missing), missing, name in services)


def _uneven(loudness: Mapping[str, float]) -> Iterator[PackFault]:
    """Find what jumps in the ear beside its neighbours; an installation with ffmpeg mends it."""
    heard = {key: value for key, value in loudness.items() if value >= SILENCE_DBFS}
    if not heard:
        return
    middle = statistics.median(heard.values())
    for key, value in heard.items():
        if abs(value - middle) > LOUDNESS_SPREAD_LU:
            problem: PackProblem = "too loud" if value > middle else "too quiet"
            yield PackFault(key, problem, f"{value:.1f} LUFS beside {middle:.1f}")


def _heard(
    source: PackSource, faults: list[PackFault], progress: Callable[[int, int], None]
) -> dict[str, Levels]:
    """Measure every file of a pack once; what cannot be used becomes a fault."""
    manifest = source.manifest
    keys = {clip.file: key for key, clip in reversed(manifest.clips.items())}
    names = files_of(manifest)
    found: dict[str, Levels] = {}

    def unusable(name: str, reason: str) -> None:
        faults.append(PackFault(keys.get(name, "name_file"), "unusable", reason))

    for start in range(0, len(names), ENCODE_BATCH_COUNT):
        batch: dict[str, tuple[Measured, bytes]] = {}
        for name in names[start : start + ENCODE_BATCH_COUNT]:
            try:
                content = source.read(name)
                batch[name] = (measured(name, content), content)
            except PackWrong as error:
                unusable(name, str(error))
        heard = _decoded(batch) if has_ffmpeg() else _as_they_are(batch)
        for name in batch:
            if name not in heard:
                unusable(name, "ffmpeg cannot read it")
        found |= heard
        progress(min(start + ENCODE_BATCH_COUNT, len(names)), len(names))
    return found


def _decoded(batch: Mapping[str, tuple[Measured, bytes]]) -> dict[str, Levels]:
    with tempfile.TemporaryDirectory(prefix="bianmin-pack-") as work:
        pairs = {}
        for number, (name, (_, content)) in enumerate(batch.items()):
            path = Path(work) / f"{number}{Path(name).suffix.lower()}"
            path.write_bytes(content)
            pairs[name] = (path, path.with_name(f"{number}-plain.wav"))
        for name in decode_each(pairs):
            del pairs[name]
        return {name: levels(*read_wav(plain)) for name, (_, plain) in pairs.items()}


def _as_they_are(batch: Mapping[str, tuple[Measured, bytes]]) -> dict[str, Levels]:
    """Measure without ffmpeg: a compressed file is judged by its length alone."""
    found = {}
    for name, (known, content) in batch.items():
        if known.channels == 1:
            found[name] = levels(*read_wav(io.BytesIO(content)))
        else:
            found[name] = Levels(known.duration_ms, LOUDNESS_LUFS, peak=0.0)
    return found


def _judged(key: str, language: str, text: str, heard: Levels) -> list[PackFault]:
    if heard.loudness < SILENCE_DBFS:
        return [PackFault(key, "silent", f"{heard.loudness:.0f} LUFS")]
    faults = []
    if heard.clipped_count > CLIPPED_SAMPLES_MAX:
        faults.append(PackFault(key, "clipped", f"{heard.clipped_count} samples at full scale"))
    shortest, longest = expected_ms(language, text)
    if heard.duration_ms < shortest:
        detail = f"{heard.duration_ms} ms, expected at least {shortest:.0f}"
        faults.append(PackFault(key, "too short", detail))
    elif heard.duration_ms > longest:
        detail = f"{heard.duration_ms} ms, expected at most {longest:.0f}"
        faults.append(PackFault(key, "too long", detail))
    return faults
