"""A stick's folder: read and written so that nothing on it can lead elsewhere, hang or half stay.

The folder is held open and everything goes through it. Only plain files are read, whatever is
written is written under another name, read back past the cache, and renamed at the end.
"""

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from sync.bundles import MARKER_BYTES, MARKER_NAME, name_parts
from sync.errors import BianminError
from sync.limits import STICK_NAMES_MAX, STICK_PIECE_BYTES

FOLDER_NAME = "BIANMIN"
FRESH_SUFFIX = ".new"
_MARKER_FRESH = "STICK.NEW"

Why = Literal["full", "locked", "gone", "worn", "strange", "bare"]
"""full: no room. locked: it cannot be written. gone: pulled out, or it does not answer. worn:
what was written did not stay. strange: something stands where a plain file or folder belongs.
bare: nobody has made our folder on it."""

_WORDS: dict[Why, str] = {
    "full": "the stick is full; nothing was left on it. Free some room, or take another one",
    "locked": "the stick cannot be written; slide its lock, or take another one",
    "gone": "the stick was pulled out or does not answer; put it in again, nothing is lost",
    "worn": "the stick does not keep what is written on it; take another one",
    "bare": "there is no folder BIANMIN on it; a kiosk's export or the centre makes one",
    "strange": "this stick holds something that no kiosk wrote; take another one",
}
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_LOCKED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_STRANGE = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO, errno.ENAMETOOLONG})


class StickFailed(BianminError):
    """A stick could not be read or written; `why` says which way, the message what to do."""

    code = "507.3"

    def __init__(self, why: Why) -> None:
        super().__init__(_WORDS[why])
        self.why: Why = why


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why: Why = "gone"
        if error.errno in _FULL:
            why = "full"
        elif error.errno in _LOCKED:
            why = "locked"
        elif error.errno in _STRANGE:
            why = "strange"
        raise StickFailed(why) from error


class StickFile:
    """One plain file, open for reading."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def read_at(self, offset: int, size: int) -> bytes:
        """Read a part; shorter where the file ends.

        Raises:
            StickFailed: The stick is gone.
        """
        with _told():
            return os.pread(self._handle, size, offset)

    def pieces(self) -> Iterator[bytes]:
        """Read from the beginning to the end, piece by piece.

        Raises:
            StickFailed: The stick is gone.
        """
        at = 0
        while piece := self.read_at(at, STICK_PIECE_BYTES):
            yield piece
            at += len(piece)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._handle)


class FreshFile:
    """A file that is there whole or not at all."""

    def __init__(self, folder: int, name: str, fresh_name: str) -> None:
        self._folder, self._name, self._fresh = folder, name, fresh_name
        self._sum = hashlib.sha256()
        self.size_bytes = 0
        with _told():
            with contextlib.suppress(FileNotFoundError):
                # Left by a stick that was pulled out while it was written.
                os.unlink(fresh_name, dir_fd=folder)
            flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
            self._handle = os.open(fresh_name, flags, 0o600, dir_fd=folder)

    def write(self, raw: bytes) -> None:
        """Write on.

        Raises:
            StickFailed: The stick is full, gone or locked; call `discard`.
        """
        view = memoryview(raw)
        with _told():
            while view:
                view = view[os.write(self._handle, view) :]
        self._sum.update(raw)
        self.size_bytes += len(raw)

    def finish(self) -> None:
        """Make it durable, read it back from the stick itself, and only then give it its name.

        Raises:
            StickFailed: It is not there as it was written; call `discard`.
        """
        with _told():
            os.fsync(self._handle)
            # Else the cache would answer that all is well.
            os.posix_fadvise(self._handle, 0, 0, os.POSIX_FADV_DONTNEED)
            if self._sum_on_stick() != self._sum.digest():
                raise StickFailed("worn")
            os.rename(self._fresh, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
            os.fsync(self._folder)
            self._closed()

    def _sum_on_stick(self) -> bytes:
        found, at = hashlib.sha256(), 0
        while piece := os.pread(self._handle, STICK_PIECE_BYTES, at):
            found.update(piece)
            at += len(piece)
        return found.digest()

    def discard(self) -> None:
        """Leave nothing of it, as far as the stick still answers."""
        with contextlib.suppress(OSError):
            self._closed()
        with contextlib.suppress(OSError):
            os.unlink(self._fresh, dir_fd=self._folder)
            os.fsync(self._folder)

    def _closed(self) -> None:
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)


class StickFolder:
    """The folder `BIANMIN` of one stick, held open."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    @classmethod
    def at(cls, root: Path, *, is_made: bool = False) -> "StickFolder":
        """Open the folder of a stick; close it afterwards.

        Args:
            root: Where the stick is mounted.
            is_made: Make the folder when it is not there.

        Raises:
            StickFailed: There is none, or it is no plain folder.
        """
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        with _told():
            base = os.open(root, flags)
            try:
                if is_made:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(FOLDER_NAME, 0o700, dir_fd=base)
                        os.fsync(base)
                return cls(os.open(FOLDER_NAME, flags | os.O_NOFOLLOW, dir_fd=base))
            except FileNotFoundError as error:
                raise StickFailed("bare") from error
            finally:
                os.close(base)

    @classmethod
    @contextlib.contextmanager
    def opened(cls, root: Path, *, is_made: bool = False) -> Iterator["StickFolder"]:
        """Open the folder of a stick while the block runs; see `at`.

        Raises:
            StickFailed: There is none, or it is no plain folder.
        """
        folder = cls.at(root, is_made=is_made)
        try:
            yield folder
        finally:
            folder.close()

    def close(self) -> None:
        """Let go of the stick."""
        os.close(self._handle)

    def names(self) -> tuple[tuple[str, ...], bool]:
        """Answer the names that bundles and replies have, oldest first of each kiosk.

        Other names are passed over; the second answer tells whether there were so many that
        not all were looked at.

        Raises:
            StickFailed: The stick is gone.
        """
        found: list[tuple[bytes, int, str, str]] = []
        is_crowded = False
        with _told(), os.scandir(self._handle) as entries:
            for count, entry in enumerate(entries):
                if count == STICK_NAMES_MAX:
                    is_crowded = True
                    break
                parts = name_parts(entry.name)
                if parts is not None:
                    found.append((*parts, entry.name))
        return tuple(name for *_, name in sorted(found)), is_crowded

    def sweep(self, kiosk_id: bytes) -> None:
        """Take away what a pull left half written for that kiosk.

        Raises:
            StickFailed: The stick is gone or locked.
        """
        begin = f"{kiosk_id.hex()}-"
        with _told(), os.scandir(self._handle) as entries:
            halves = [
                entry.name
                for _, entry in zip(range(STICK_NAMES_MAX), entries, strict=False)
                if entry.name.startswith(begin) and entry.name.endswith(FRESH_SUFFIX)
            ]
        for name in halves:
            self.remove(name)

    def has(self, name: str) -> bool:
        """Answer whether anything bears that name.

        Raises:
            StickFailed: The stick is gone.
        """
        with _told():
            try:
                os.stat(name, dir_fd=self._handle, follow_symlinks=False)
            except FileNotFoundError:
                return False
        return True

    def open_file(self, name: str) -> StickFile:
        """Open a plain file; close it afterwards.

        Raises:
            StickFailed: It is gone, or a link, a pipe, a device or a folder.
        """
        with _told():
            # Asked before opening, since opening a device may already do something.
            if not stat.S_ISREG(os.stat(name, dir_fd=self._handle, follow_symlinks=False).st_mode):
                raise StickFailed("strange")
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            handle = os.open(name, flags, dir_fd=self._handle)
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                os.close(handle)
                raise StickFailed("strange")
        return StickFile(handle)

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[StickFile]:
        """Open a plain file while the block runs.

        Raises:
            StickFailed: `open_file`.
        """
        file = self.open_file(name)
        try:
            yield file
        finally:
            file.close()

    def fresh(self, name: str) -> FreshFile:
        """Begin a file; `finish` or `discard` ends it.

        Raises:
            StickFailed: The stick does not take it.
        """
        return FreshFile(self._handle, name, name.rpartition(".")[0] + FRESH_SUFFIX)

    def remove(self, name: str) -> None:
        """Take a file away; one that is not there is no error.

        Raises:
            StickFailed: The stick is gone or locked.
        """
        with _told(), contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._handle)
            os.fsync(self._handle)

    def marker(self) -> bytes:
        """Answer the stick's mark, b"" when it has none; not verified.

        Raises:
            StickFailed: The stick is gone.
        """
        if not self.has(MARKER_NAME):
            return b""
        with self.reading(MARKER_NAME) as file:
            return file.read_at(0, MARKER_BYTES + 1)

    def mark(self, raw: bytes) -> None:
        """Write the stick's mark.

        Raises:
            StickFailed: The stick does not take it.
        """
        file = FreshFile(self._handle, MARKER_NAME, _MARKER_FRESH)
        try:
            file.write(raw)
            file.finish()
        except BaseException:
            file.discard()
            raise
