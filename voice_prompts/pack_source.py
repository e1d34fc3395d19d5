"""Where a pack is read from: a folder, or a zip of one. Nothing leaves it but what is asked for.

The manifest alone decides which files are opened, and only by plain names: what else a stick or a
zip holds (links, devices, paths with "..", a bomb) is never touched.
"""

import lzma
import os
import stat
import zipfile
import zlib
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from voice_prompts.errors import PackWrong
from voice_prompts.limits import (
    PACK_BYTES_MAX,
    PACK_ENTRIES_MAX,
    PACK_MANIFEST_BYTES_MAX,
    RECORDING_BYTES_MAX,
)
from voice_prompts.packs import MANIFEST, Manifest, is_file_name, read_manifest

_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    ValueError,
    NotImplementedError,
    EOFError,
)
"""What a zip on a dying stick brings."""


class Source(Protocol):
    """A pack as it came."""

    def size_of(self, name: str, /) -> int | None:
        """Answer a file's size in bytes; None = there is no ordinary file of that name."""
        ...

    def read(self, name: str, bytes_max: int, /) -> bytes:
        """Answer a file's content.

        Raises:
            PackWrong: It is absent, no ordinary file, larger than allowed, or damaged.
        """
        ...


class PackSource:
    """An opened pack; a context manager.

    Args:
        path: A folder with a `pack.json`, or a zip of such a folder.

    Raises:
        PackWrong: It is neither, or its manifest breaks a rule.
    """

    def __init__(self, path: Path) -> None:
        self._zip: zipfile.ZipFile | None = None
        self.name = path.name or str(path)
        if path.is_dir():
            self._source: Source = _Folder(path)
        else:
            self._zip = _opened_zip(path)
            self._source = _Zip(self._zip, self.name)
        try:
            content = self._source.read(MANIFEST, PACK_MANIFEST_BYTES_MAX)
            self.manifest: Manifest = read_manifest(content, self.name)
        except BaseException:
            self.close()
            raise
        self._read_bytes = 0

    def size_of(self, name: str) -> int | None:
        """Answer a clip's size in bytes; None = the file is not there."""
        return self._source.size_of(name) if is_file_name(name) else None

    def read(self, name: str) -> bytes:
        """Answer a clip's content.

        Raises:
            PackWrong: It is absent, no ordinary file, too large, or the pack as a whole is.
        """
        if not is_file_name(name):
            raise PackWrong(f"{name!r} is no plain file name")
        content = self._source.read(name, RECORDING_BYTES_MAX)
        self._read_bytes += len(content)
        if self._read_bytes > PACK_BYTES_MAX:
            raise PackWrong(f"{self.name} holds more than {PACK_BYTES_MAX // 1024**2} MiB of sound")
        return content

    def close(self) -> None:
        """Close the zip."""
        if self._zip is not None:
            self._zip.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path

    def size_of(self, name: str) -> int | None:
        try:
            status = (self._path / name).lstat()
        except OSError:
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def read(self, name: str, bytes_max: int) -> bytes:
        # Never through a link; a pipe or a device must not keep us waiting.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            number = os.open(self._path / name, flags)
        except FileNotFoundError as error:
            raise PackWrong(f"{self._path.name} has no {name}") from error
        except OSError as error:
            raise PackWrong(f"{name} is a link or cannot be read ({error.strerror})") from error
        if not stat.S_ISREG(os.fstat(number).st_mode):
            os.close(number)
            raise PackWrong(f"{name} is no ordinary file")
        with os.fdopen(number, "rb") as file:
            try:
                content = file.read(bytes_max + 1)
            except OSError as error:
                raise PackWrong(f"{name} cannot be read ({error.strerror})") from error
        if len(content) > bytes_max:
            raise PackWrong(f"{name} is larger than {bytes_max} bytes; shorten it")
        return content


def _opened_zip(path: Path) -> zipfile.ZipFile:
    try:
        opened = zipfile.ZipFile(path)
    except FileNotFoundError as error:
        raise PackWrong(f"{path} is not there") from error
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError) as error:
        raise PackWrong(f"{path.name} is neither a folder nor a zip with a {MANIFEST}") from error
    if len(opened.infolist()) > PACK_ENTRIES_MAX:
        opened.close()
        raise PackWrong(f"{path.name} holds more than {PACK_ENTRIES_MAX} files")
    return opened


class _Zip:
    """Files beside the one manifest of a zip; a folder around them does not matter."""

    def __init__(self, opened: zipfile.ZipFile, name: str) -> None:
        self._opened = opened
        self._name = name
        found = [
            entry.filename.removesuffix(MANIFEST)
            for entry in opened.infolist()
            if entry.filename.rpartition("/")[2] == MANIFEST and entry.filename.count("/") <= 1
        ]
        if len(found) != 1:
            raise PackWrong(f"{name} must hold one {MANIFEST}, at its top or in one folder")
        self._prefix = found[0]

    def size_of(self, name: str) -> int | None:
        entry = self._entry(name)
        return entry.file_size if entry is not None and _is_ordinary(entry) else None

    def read(self, name: str, bytes_max: int) -> bytes:
        entry = self._entry(name)
        if entry is None:
            raise PackWrong(f"{self._name} has no {name}")
        if not _is_ordinary(entry):
            raise PackWrong(f"{name} is a link or locked, no ordinary file")
        if entry.file_size > bytes_max:
            raise PackWrong(f"{name} is larger than {bytes_max} bytes; shorten it")
        try:
            with self._opened.open(entry) as file:
                # The size that the zip tells may be a lie.
                content = file.read(bytes_max + 1)
        except _DAMAGED as error:
            raise PackWrong(f"{name} is damaged in {self._name}") from error
        except RuntimeError as error:
            raise PackWrong(f"{name} is locked by a password") from error
        if len(content) > bytes_max:
            raise PackWrong(f"{name} is larger than {bytes_max} bytes; shorten it")
        return content

    def _entry(self, name: str) -> zipfile.ZipInfo | None:
        try:
            return self._opened.getinfo(self._prefix + name)
        except KeyError:
            return None


def _is_ordinary(entry: zipfile.ZipInfo) -> bool:
    mode = entry.external_attr >> 16
    is_locked = bool(entry.flag_bits & 0x1)
    return (
        not entry.is_dir() and not is_locked and (not mode or stat.S_ISREG(mode) or mode < 0o10000)
    )
