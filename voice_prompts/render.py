"""Render prompts ahead of time into the cache: only what is missing, in parallel."""

import os
import queue
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import msgspec

from voice_prompts.cache import Index, add_to_index, clip_key, read_levels, store
from voice_prompts.encode import SETTINGS_COUNT, decode, encode
from voice_prompts.errors import RenderFailed, ToolMissing, VoiceError
from voice_prompts.limits import (
    CODING_EXCESS_DB_MAX,
    DECODED_PEAK_DBFS_MAX,
    ENCODE_BATCH_COUNT,
    PROMPT_CHARS_MAX,
    WORKER_RENDERS_MAX,
)
from voice_prompts.prompts import Prompt
from voice_prompts.sound import Levels, excess_db, peak_dbfs, read_wav, wav_bytes
from voice_prompts.voices import utterance, voice_of
from voice_prompts.worker_client import WorkerClient, WorkerLost


class Failure(msgspec.Struct, frozen=True):
    """A prompt that has no clip, and why."""

    prompt: Prompt
    #: In words, for who has to mend it.
    reason: str


class RenderReport(msgspec.Struct, frozen=True):
    """What a rendering did; counts are of distinct clips."""

    rendered_count: int
    #: Already there, untouched.
    present_count: int
    failed: tuple[Failure, ...]


class _Task(msgspec.Struct, frozen=True):
    prompt: Prompt
    utterance: str
    key: str


def _no_progress(done: int, total: int) -> None:
    del done, total


def render(
    prompts: Sequence[Prompt],
    cache_dir: Path,
    *,
    progress: Callable[[int, int], None] = _no_progress,
    jobs: int = 2,
) -> RenderReport:
    """Make the clips that are missing.

    An interrupted rendering loses nothing: the next one finds what was
    finished. One text that the engine dies of is tried once more with a fresh
    engine, then reported; the others are not touched by it.

    Args:
        prompts: Any prompts; the same text is rendered once.
        cache_dir: Made if absent.
        progress: Called with clips done and clips to do, from any thread, one
            call at a time.
        jobs: Engines (and encoders) at a time, at least 1.

    Returns:
        Counts, and every prompt that failed with its reason.

    Raises:
        ToolMissing: espeak-ng or ffmpeg is missing: nothing can be rendered.
    """
    cache_dir.mkdir(parents=True, exist_ok=True)
    _sweep(cache_dir)
    with _Speaker() as speaker:
        return _render(prompts, cache_dir, speaker, progress, jobs)


def _render(
    prompts: Sequence[Prompt],
    cache_dir: Path,
    speaker: "_Speaker",
    progress: Callable[[int, int], None],
    jobs: int,
) -> RenderReport:
    tasks, failures = _planned(prompts, speaker.version())
    wanted = {task.key: task for task in tasks}
    missing = [task for key, task in wanted.items() if read_levels(cache_dir, key) is None]
    rendering = _Rendering(cache_dir, len(missing), progress)
    try:
        rendering.run(missing, speaker, jobs)
    finally:
        done = {key for key in wanted if key not in rendering.failed_keys}
        finished = [task for task in tasks if task.key in done and _is_stored(cache_dir, task.key)]
        add_to_index(cache_dir, _index(finished, prompts))
    failures += [
        Failure(task.prompt, rendering.failed_keys[task.key])
        for task in tasks
        if task.key in rendering.failed_keys
    ]
    return RenderReport(
        rendered_count=len(missing) - len(rendering.failed_keys),
        present_count=len(wanted) - len(missing),
        failed=tuple(failures),
    )


def _work_prefix(pid: int) -> str:
    return f".render-{pid}-"


def _sweep(cache_dir: Path) -> None:
    """Remove the working folders of renderings that were killed."""
    for folder in cache_dir.glob(".render-*"):
        pid = folder.name.split("-")[1]
        if not Path(f"/proc/{pid}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def _is_stored(cache_dir: Path, key: str) -> bool:
    return read_levels(cache_dir, key) is not None


def _planned(prompts: Iterable[Prompt], espeak_version: str) -> tuple[list[_Task], list[Failure]]:
    """Answer a task per distinct text, and those that no rule can say."""
    tasks: list[_Task] = []
    failures: list[Failure] = []
    for prompt in {(prompt.language, prompt.text): prompt for prompt in prompts}.values():
        try:
            if len(prompt.text) > PROMPT_CHARS_MAX:
                raise RenderFailed(f"longer than {PROMPT_CHARS_MAX} characters; cut the sentence")
            said = utterance(prompt.language, prompt.text)
            key = clip_key(said, voice_of(prompt.language), espeak_version)
        except VoiceError as error:
            failures.append(Failure(prompt, str(error)))
        else:
            tasks.append(_Task(prompt, said, key))
    return tasks, failures


def _index(finished: Iterable[_Task], prompts: Iterable[Prompt]) -> Index:
    index = Index(clips={}, sources={})
    for task in finished:
        index.clips.setdefault(task.prompt.language, {})[task.prompt.text] = task.key
    for prompt in prompts:
        if prompt.source == "fragment":
            continue
        sources = index.sources.setdefault(prompt.language, {})
        sources[prompt.source] = prompt.text
        if prompt.whole:
            sources[prompt.source.rpartition(".")[0]] = prompt.whole
    return index


class _Rendering:
    """The threads of one rendering; each has its own engine process."""

    def __init__(self, cache_dir: Path, total: int, progress: Callable[[int, int], None]) -> None:
        self.failed_keys: dict[str, str] = {}
        self._cache_dir = cache_dir
        self._total = total
        self._done = 0
        self._progress = progress
        self._lock = threading.Lock()
        self._is_stopping = threading.Event()
        self._batches: queue.SimpleQueue[list[_Task]] = queue.SimpleQueue()

    def run(self, tasks: Sequence[_Task], speaker: "_Speaker", jobs: int) -> None:
        speakers = [speaker, *(_Speaker() for _ in range(jobs - 1))]
        for start in range(0, len(tasks), ENCODE_BATCH_COUNT):
            self._batches.put(list(tasks[start : start + ENCODE_BATCH_COUNT]))
        with ThreadPoolExecutor(max_workers=len(speakers)) as threads:
            try:
                for future in [threads.submit(self._work, each) for each in speakers]:
                    future.result()
            except BaseException:
                self._is_stopping.set()
                raise

    def _work(self, speaker: "_Speaker") -> None:
        with speaker:
            while not self._is_stopping.is_set():
                try:
                    batch = self._batches.get_nowait()
                except queue.Empty:
                    return
                self._render_batch(speaker, batch)

    def _render_batch(self, speaker: "_Speaker", batch: Sequence[_Task]) -> None:
        with tempfile.TemporaryDirectory(
            dir=self._cache_dir, prefix=_work_prefix(os.getpid())
        ) as folder:
            spoken: list[tuple[_Task, Levels, Path]] = []
            for task in batch:
                if self._is_stopping.is_set():
                    return
                try:
                    measured, samples = speaker.speak(task)
                except RenderFailed as error:
                    self._finish(task, failure=str(error))
                else:
                    wav = Path(folder) / f"{task.key}.wav"
                    wav.write_bytes(wav_bytes(samples))
                    spoken.append((task, measured, wav))
            for task, measured, sound, reason in _encoded(spoken):
                if not reason:
                    store(self._cache_dir, task.key, sound, measured)
                self._finish(task, failure=reason)

    def _finish(self, task: _Task, failure: str) -> None:
        with self._lock:
            if failure:
                self.failed_keys[task.key] = failure
            self._done += 1
            self._progress(self._done, self._total)


def _encoded(
    spoken: Sequence[tuple[_Task, Levels, Path]],
) -> list[tuple[_Task, Levels, Path, str]]:
    """Encode a batch, and say of each clip why it failed ("" = it did not)."""
    reasons = coded([wav for _, _, wav in spoken])
    return [
        (task, measured, wav.with_suffix(".ogg"), reasons[wav]) for task, measured, wav in spoken
    ]


def coded(wavs: Sequence[Path]) -> dict[Path, str]:
    """Encode wav files to .ogg beside them, each with the first setting that leaves it clean.

    Args:
        wavs: 16-bit mono at `SAMPLE_RATE_HZ`.

    Returns:
        Why each failed; "" = it did not.

    Raises:
        ToolMissing: No ffmpeg, or one without libopus.
    """
    reasons = dict.fromkeys(wavs, "not encoded")
    for setting in range(SETTINGS_COUNT):
        left = [wav for wav, reason in reasons.items() if reason]
        reasons.update(_tried(left, setting))
    return reasons


def _tried(wavs: Sequence[Path], setting: int) -> dict[Path, str]:
    """Encode together; when ffmpeg refuses, one by one, to blame the right clip."""
    if not wavs:
        return {}
    try:
        encode([(wav, wav.with_suffix(".ogg")) for wav in wavs], setting)
        decode([(wav.with_suffix(".ogg"), wav.with_suffix(".heard")) for wav in wavs])
    except RenderFailed as error:
        if len(wavs) == 1:
            return {wavs[0]: str(error)}
        return {wav: reason for each in wavs for wav, reason in _tried([each], setting).items()}
    return {wav: _coding_fault(wav) for wav in wavs}


def _coding_fault(wav: Path) -> str:
    heard = read_wav(wav.with_suffix(".heard"))[0]
    excess, peak = excess_db(read_wav(wav)[0], heard), peak_dbfs(heard)
    if excess > CODING_EXCESS_DB_MAX:
        return f"the encoder adds a burst of {excess:.0f} dB"
    return f"the encoder lifts a peak to {peak:.1f} dBFS" if peak > DECODED_PEAK_DBFS_MAX else ""


class _Speaker:
    """A worker that is replaced when it dies, and after `WORKER_RENDERS_MAX` texts."""

    def __init__(self) -> None:
        self._client: WorkerClient | None = None
        self._count = 0

    def version(self) -> str:
        """Answer espeak-ng's version.

        Raises:
            ToolMissing: espeak-ng cannot be started.
        """
        self._client = self._client or WorkerClient()
        return self._client.version

    def speak(self, task: _Task) -> tuple[Levels, bytes]:
        """Speak a text, with one more try when the worker dies.

        Raises:
            RenderFailed: The engine refused it, or died twice.
        """
        try:
            return self._speak_once(task)
        except WorkerLost:
            return self._speak_once(task)

    def close(self) -> None:
        """End the worker."""
        if self._client:
            self._client.close()
        self._client, self._count = None, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _speak_once(self, task: _Task) -> tuple[Levels, bytes]:
        if self._count >= WORKER_RENDERS_MAX:
            self.close()
        try:
            self._client = self._client or WorkerClient()
            self._count += 1
            return self._client.render(task.prompt.language, task.utterance)
        except (WorkerLost, ToolMissing):
            self.close()
            raise
