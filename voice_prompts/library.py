"""Find the clip of a text: a recording if there is one, else the rendered one."""

import logging
from pathlib import Path

from voice_prompts.cache import Index, is_key, read_index, read_levels, sound_path
from voice_prompts.clips import Clip
from voice_prompts.errors import RecordingWrong
from voice_prompts.installed import Dialect, Packs
from voice_prompts.recordings import Recording, comparable, load_recordings

__all__ = ["Clip", "Dialect", "Library"]

_log = logging.getLogger(__name__)


class Library:
    """The clips of a machine. Reads only; notices by itself when more were rendered."""

    def __init__(
        self, cache_dir: Path, recordings_dir: Path | None = None, packs_dir: Path | None = None
    ) -> None:
        self._cache_dir = cache_dir
        self._recordings_dir = recordings_dir
        self._packs = Packs(packs_dir)
        self._index = Index()
        self._index_stamp: tuple[int, int] | None = None
        self._clips: dict[str, Clip] = {}
        self._recorded: dict[str, dict[str, Recording]] = {}
        self._recorded_by_key: dict[str, Clip] = {}
        self._problems: dict[str, str] = {}

    def find(self, language: str, text: str) -> Clip | None:
        """Answer the clip that says exactly this text; `None` = there is none.

        A player asks first for a whole text without slots (a recording may
        cover all its sentences), then for each piece.

        Args:
            language: "zh-CN" or "en", or the tag of a dialect that `dialects` names.
            text: A `Piece.text` or a whole prompt.
        """
        self._refresh()
        recorded = self._recordings(language).get(comparable(text))
        if recorded:
            return self._recorded_by_key[recorded.key]
        if spoken := self._packs.find(language, text):
            return spoken
        key = self._index.clips.get(language, {}).get(text.strip())
        return self._rendered(key) if key else None

    def by_key(self, key: str) -> Clip | None:
        """Answer the clip of a key, for a web handler; any text may be asked for."""
        if not is_key(key):
            return None
        self._refresh()
        for language in self._languages():
            self._recordings(language)
        return self._recorded_by_key.get(key) or self._packs.by_key(key) or self._rendered(key)

    def dialects(self) -> tuple[Dialect, ...]:
        """Answer the installed dialects that may be offered, by their tags; empty = none."""
        return self._packs.dialects()

    def recordings_problem(self, language: str) -> str:
        """Answer why a language's recordings are not used; "" = they are, or there are none.

        A broken folder must not silence a kiosk: the machine's voice goes on,
        and `bianmin voice check` shows this.
        """
        self._refresh()
        self._recordings(language)
        return self._problems.get(language, "")

    def _rendered(self, key: str) -> Clip | None:
        clip = self._clips.get(key)
        if clip and clip.path.is_file():
            return clip
        measured = read_levels(self._cache_dir, key) if is_key(key) else None
        if measured is None:
            return None
        path = sound_path(self._cache_dir, key)
        self._clips[key] = Clip(key, path, "audio/ogg", measured.duration_ms, "rendered")
        return self._clips[key]

    def _refresh(self) -> None:
        try:
            status = (self._cache_dir / "index.json").stat()
        except OSError:
            self._index, self._index_stamp = Index(), None
            return
        stamp = (status.st_mtime_ns, status.st_size)
        if stamp != self._index_stamp:
            self._index, self._index_stamp = read_index(self._cache_dir), stamp
            # Files named by a prompt's id mean its present text.
            self._recorded, self._recorded_by_key, self._problems = {}, {}, {}

    def _languages(self) -> list[str]:
        folder = self._recordings_dir
        if folder is None or not folder.is_dir():
            return []
        return sorted(path.name for path in folder.iterdir() if path.is_dir())

    def _recordings(self, language: str) -> dict[str, Recording]:
        if self._recordings_dir is None:
            return {}
        if language not in self._recorded:
            folder = self._recordings_dir / Path(language).name
            try:
                found = load_recordings(folder, self._index.sources.get(language, {}))
            except (RecordingWrong, OSError) as error:
                _log.warning("recordings not used", extra={"reason": str(error)})
                self._problems[language], found = str(error), {}
            self._recorded[language] = found
            for recording in found.values():
                self._recorded_by_key[recording.key] = Clip(
                    recording.key,
                    recording.path,
                    recording.media_type,
                    recording.duration_ms,
                    "recorded",
                )
        return self._recorded[language]
