"""The installed packs as a player sees them: which dialects there are, and their clips."""

import contextlib
from pathlib import Path

import msgspec

from voice_prompts.clips import Clip
from voice_prompts.errors import PackWrong
from voice_prompts.pack_shelf import installed
from voice_prompts.packs import Manifest, is_core_covered, measured, text_hash
from voice_prompts.recordings import MEDIA_TYPES
from voice_prompts.wording import LANGUAGES


class Dialect(msgspec.Struct, frozen=True):
    """A language that is only spoken: its screens show the words of another one."""

    #: "yi", "zh-x-tongren".
    tag: str
    #: As its speakers write it.
    name: str
    #: Whose words the screen shows, and who speaks where a clip is missing.
    based_on: str
    #: Whether its name is recorded in itself.
    has_own_name: bool = False


class Packs:
    """Clips of the installed packs; notices by itself when one is put in or taken out.

    Args:
        folder: Of `bianmin voice pack install`; None or absent = there are none.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._stamp: int | None = None
        self._clips: dict[str, dict[str, Clip]] = {}
        self._by_key: dict[str, Clip] = {}
        self._dialects: tuple[Dialect, ...] = ()

    def find(self, language: str, text: str) -> Clip | None:
        """Answer the clip in which a pack says exactly this text; its own name is one."""
        self._refresh()
        clips = self._clips.get(language)
        return clips.get(text_hash(text)) if clips else None

    def by_key(self, key: str) -> Clip | None:
        """Answer the clip of a key."""
        self._refresh()
        return self._by_key.get(key)

    def dialects(self) -> tuple[Dialect, ...]:
        """Answer the dialects that say at least the core; a human voice of zh-CN is none."""
        self._refresh()
        return self._dialects

    def _refresh(self) -> None:
        # Manifests are replaced by renaming, which the folder's own time tells.
        try:
            stamp = self._folder.stat().st_mtime_ns if self._folder else None
        except OSError:
            stamp = None
        if stamp == self._stamp:
            return
        self._stamp, self._clips, self._by_key, self._dialects = stamp, {}, {}, ()
        if stamp is None or self._folder is None:
            return
        manifests = installed(self._folder)
        for manifest in manifests:
            with contextlib.suppress(PackWrong, OSError):
                self._add(manifest, self._folder / manifest.language)
        self._dialects = tuple(
            Dialect(one.language, one.name, one.based_on, bool(one.name_file))
            for one in manifests
            if one.language not in LANGUAGES and is_core_covered(one)
        )

    def _add(self, manifest: Manifest, folder: Path) -> None:
        found = {clip.text_hash: clip for clip in manifest.clips.values()}
        clips = {
            words: _clip(folder / clip.file, clip.duration_ms) for words, clip in found.items()
        }
        own = folder / manifest.name_file
        if manifest.name_file and own.is_file():
            duration_ms = measured(own.name, own.read_bytes()).duration_ms
            clips.setdefault(text_hash(manifest.name), _clip(own, duration_ms))
        self._clips[manifest.language] = clips
        self._by_key |= {clip.key: clip for clip in clips.values()}


def _clip(path: Path, duration_ms: int) -> Clip:
    return Clip(path.stem, path, MEDIA_TYPES[path.suffix], duration_ms, "recorded")
