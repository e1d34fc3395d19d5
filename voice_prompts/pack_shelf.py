"""The packs of a machine: found, listed, taken out.

    <packs>/zh-x-tongren.json       the manifest, its files named by their content; written last
    <packs>/zh-x-tongren/<key>.ogg  what it names

`voice_prompts.pack_install` puts them in.
"""

import logging
import os
import re
import shutil
from pathlib import Path

from voice_prompts.errors import PackWrong
from voice_prompts.limits import PACK_MANIFEST_BYTES_MAX
from voice_prompts.packs import Manifest, files_of, is_tag, read_manifest

_log = logging.getLogger(__name__)

#: An installed file: its content's SHA-256 and its kind.
_INSTALLED = re.compile(r"[0-9a-f]{64}\.(wav|ogg|opus)")


def default_packs_dir() -> Path:
    """Answer where packs are kept: BIANMIN_VOICE_PACKS, else the user's data folder."""
    if configured := os.environ.get("BIANMIN_VOICE_PACKS"):
        return Path(configured)
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "bianmin" / "voices"


def installed(packs_dir: Path) -> list[Manifest]:
    """Answer the packs of a machine by language; a broken one is logged and left out."""
    found = []
    for path in sorted(packs_dir.glob("*.json")):
        if not is_tag(path.stem):
            continue
        try:
            found.append(_read_installed(path))
        except (PackWrong, OSError) as error:
            _log.warning("a voice pack is not used", extra={"reason": str(error)})
    return found


def remove(language: str, packs_dir: Path) -> bool:
    """Take a pack out; answer whether there was one.

    Raises:
        PackWrong: `language` is no language tag.
    """
    if not is_tag(language):
        raise PackWrong(f"{language!r} is no language tag; see: bianmin voice pack list")
    path = packs_dir / f"{language}.json"
    was_there = path.exists()
    path.unlink(missing_ok=True)
    if packs_dir.is_dir():
        sync_folder(packs_dir)
    folder = packs_dir / language
    was_there = was_there or folder.is_dir()
    shutil.rmtree(folder, ignore_errors=True)
    return was_there


def _read_installed(path: Path) -> Manifest:
    with path.open("rb") as file:
        manifest = read_manifest(file.read(PACK_MANIFEST_BYTES_MAX + 1), path.name)
    if manifest.language != path.stem:
        raise PackWrong(f"{path.name} is the manifest of {manifest.language}")
    for name in files_of(manifest):
        if not _INSTALLED.fullmatch(name):
            raise PackWrong(f"{path.name} was not written by an installation; install it again")
    return manifest


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def write_synced(path: Path, content: bytes) -> None:
    """Write a file so that a power cut leaves the old one or this one, whole."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    sync_folder(path.parent)


def missing_files(manifest: Manifest, packs_dir: Path) -> list[str]:
    """Answer files that an installed manifest names and the disk has lost."""
    folder = packs_dir / manifest.language
    return [name for name in files_of(manifest) if not (folder / name).is_file()]
