"""Put a dialect pack into a machine: whole, or not at all.

A power cut at any moment leaves the earlier pack or the new one, whole: files are added under the
names of their content, then the manifest is replaced, then what nothing names any more goes.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from voice_prompts.encode import decode_each, has_ffmpeg
from voice_prompts.errors import PackWrong
from voice_prompts.limits import (
    CLIPPED_SAMPLES_MAX,
    ENCODE_BATCH_COUNT,
    PACK_BYTES_MAX,
    PACK_SPARE_BYTES,
    PACKS_MAX,
    SILENCE_DBFS,
)
from voice_prompts.pack_shelf import installed, sync_folder, write_synced
from voice_prompts.pack_source import PackSource
from voice_prompts.packs import (
    Manifest,
    Recorded,
    files_of,
    manifest_bytes,
    measured,
)
from voice_prompts.render import coded
from voice_prompts.sound import levelled, levels, read_wav, trimmed, wav_bytes


class Installed(msgspec.Struct, frozen=True):
    """What an installation did."""

    manifest: Manifest
    #: Bytes of sound on the disk now.
    size_bytes: int
    #: File → why it was left out: the machine's voice speaks there.
    left_out: Mapping[str, str]


def _no_progress(done: int, total: int) -> None:
    del done, total


def install(
    path: Path,
    packs_dir: Path,
    *,
    as_recorded: bool = False,
    progress: Callable[[int, int], None] = _no_progress,
) -> Installed:
    """Put a pack in, or in place of the one of the same language.

    Where ffmpeg is at hand, wav files are trimmed, brought to one loudness and compressed (to a
    sixteenth), each with its own file; .ogg and .opus stay as they are.

    Args:
        path: A folder or a zip.
        packs_dir: Where packs are; made when absent.
        as_recorded: Neither trim nor compress.
        progress: Called with files done and files to do.

    Raises:
        PackWrong: It breaks a rule, nothing of it can be heard, or the disk is too full. The
            earlier pack of that language stays.
    """
    with PackSource(path) as source:
        manifest = source.manifest
        _room_for(source, packs_dir)
        folder = packs_dir / manifest.language
        folder.mkdir(parents=True, exist_ok=True)
        others = [one for one in installed(packs_dir) if one.language != manifest.language]
        if len(others) >= PACKS_MAX:
            raise PackWrong(f"there are {PACKS_MAX} packs already; remove one first")
        with tempfile.TemporaryDirectory(prefix=f".incoming-{os.getpid()}-", dir=packs_dir) as work:
            taken, left_out = _taken(source, Path(work), folder, as_recorded, progress)
    kept = _renamed(manifest, taken)
    if not kept.clips:
        reasons = next(iter(left_out.values()), "it names no clip")
        raise PackWrong(f"{source.name} holds nothing that can be heard: {reasons}")
    sync_folder(folder)
    write_synced(packs_dir / f"{manifest.language}.json", manifest_bytes(kept))
    _sweep(packs_dir, kept)
    size_bytes = sum((folder / name).stat().st_size for name in files_of(kept))
    return Installed(kept, size_bytes, left_out)


def _room_for(source: PackSource, packs_dir: Path) -> None:
    size_bytes = sum(source.size_of(name) or 0 for name in files_of(source.manifest))
    if size_bytes > PACK_BYTES_MAX:
        raise PackWrong(f"{source.name} is larger than {PACK_BYTES_MAX // 1024**2} MiB")
    packs_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(packs_dir).free
    if free < size_bytes + PACK_SPARE_BYTES:
        raise PackWrong(
            f"the disk has {free // 1024**2} MiB left and the pack needs "
            f"{(size_bytes + PACK_SPARE_BYTES) // 1024**2} MiB; make room first"
        )


_Taken = dict[str, Recorded]


def _taken(
    source: PackSource,
    work: Path,
    folder: Path,
    as_recorded: bool,
    progress: Callable[[int, int], None],
) -> tuple[_Taken, dict[str, str]]:
    """Bring every file that can be heard into the folder, under the name of its content."""
    names = files_of(source.manifest)
    is_coded = has_ffmpeg() and not as_recorded
    taken: _Taken = {}
    left_out: dict[str, str] = {}
    for start in range(0, len(names), ENCODE_BATCH_COUNT):
        batch: dict[str, Path] = {}
        for name in names[start : start + ENCODE_BATCH_COUNT]:
            try:
                content = source.read(name)
                measured(name, content)
            except PackWrong as error:
                left_out[name] = str(error)
                continue
            batch[name] = work / f"{len(batch)}{Path(name).suffix.lower()}"
            batch[name].write_bytes(content)
        for name, path in _made_ready(batch, left_out, is_coded=is_coded):
            taken[name] = _moved(path, folder)
        progress(min(start + ENCODE_BATCH_COUNT, len(names)), len(names))
    return taken, left_out


def _made_ready(
    batch: Mapping[str, Path], left_out: dict[str, str], *, is_coded: bool
) -> Iterator[tuple[str, Path]]:
    wavs = {name: path for name, path in batch.items() if path.suffix == ".wav"}
    if not is_coded:
        yield from batch.items()
        return
    yield from ((name, path) for name, path in batch.items() if name not in wavs)
    pairs = {name: (path, path.with_name(f"{path.stem}-plain.wav")) for name, path in wavs.items()}
    broken = decode_each(pairs)
    left_out |= dict.fromkeys(broken, "ffmpeg cannot read it; record it again")
    ready: dict[str, Path] = {}
    for name, (_, plain) in pairs.items():
        if name in broken:
            continue
        try:
            _level(plain)
        except PackWrong as error:
            left_out[name] = f"{name}: {error}"
        else:
            ready[name] = plain
    faults = coded(list(ready.values()))
    for name, path in ready.items():
        # What the encoder spoils is kept as it was recorded: loud, whole, larger.
        yield name, path if faults[path] else path.with_suffix(".ogg")


def _level(plain: Path) -> None:
    """Trim a recording and bring it to the loudness of all clips, in its place."""
    heard = levels(*read_wav(plain))
    if heard.loudness < SILENCE_DBFS:
        raise PackWrong("nothing can be heard; record it again")
    if heard.clipped_count > CLIPPED_SAMPLES_MAX:
        raise PackWrong(f"distorted, {heard.clipped_count} samples at full scale; record it again")
    samples = levelled(trimmed(read_wav(plain)[0]))
    if not samples:
        raise PackWrong("nothing can be heard; record it again")
    plain.write_bytes(wav_bytes(samples))


def _moved(path: Path, folder: Path) -> Recorded:
    content = path.read_bytes()
    name = f"{hashlib.sha256(content).hexdigest()}{path.suffix}"
    duration_ms = measured(name, content).duration_ms
    if not (folder / name).is_file():
        with path.open("rb") as file:
            os.fsync(file.fileno())
        path.replace(folder / name)
    return Recorded(file=name, text_hash="", duration_ms=duration_ms)


def _renamed(manifest: Manifest, taken: _Taken) -> Manifest:
    clips = {
        key: replace(taken[clip.file], text_hash=clip.text_hash)
        for key, clip in manifest.clips.items()
        if clip.file in taken
    }
    own = taken.get(manifest.name_file)
    return replace(manifest, clips=clips, name_file=own.file if own else "")


def _sweep(packs_dir: Path, manifest: Manifest) -> None:
    """Remove the files of the earlier pack, and what broken installations left."""
    named = set(files_of(manifest))
    for path in (packs_dir / manifest.language).iterdir():
        if path.name not in named:
            with contextlib.suppress(OSError):
                path.unlink()
    for path in packs_dir.glob(".incoming-*"):
        if not Path(f"/proc/{path.name.split('-')[1]}").exists():
            shutil.rmtree(path, ignore_errors=True)
