"""What the two stores need from a disk, so that a simulated one can stand in for the real one."""

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from sync import files

BUSY_S = 5.0
"""Default of `sqlite3.connect`: how long to wait for another connection's lock."""


class Lock(Protocol):
    """A lock that is held."""

    def release(self) -> None:
        """Let others take it; ends by itself with the process."""


class Disk(Protocol):
    """A disk with files of SQLite and others. Every method but `connect` may raise `OSError`."""

    def connect(
        self, path: Path, *, busy_s: float = BUSY_S, is_readonly: bool = False
    ) -> sqlite3.Connection:
        """Open a SQLite file without implicit transactions, for use from any thread.

        Raises:
            sqlite3.OperationalError: It cannot be opened.
        """

    def exists(self, path: Path) -> bool:
        """Answer whether there is something of this name."""

    def named(self, directory: Path, prefix: str) -> tuple[Path, ...]:
        """Answer what lies in a directory under names that begin so, sorted."""

    def make_directory(self, path: Path) -> None:
        """Make a directory and those above it, unless it is there."""

    def restrict(self, path: Path) -> None:
        """Let only this user read and write the file."""

    def link(self, source: Path, target: Path) -> None:
        """Give a file a second name."""

    def unlink(self, path: Path) -> None:
        """Take a name away; one that is not there is no error."""

    def sync_directory(self, path: Path) -> None:
        """Make names created, renamed or removed in a directory durable."""

    def settle(self, path: Path) -> None:
        """Make durable what a file shows now; one that is not there is no error.

        A failed sync drops what it was to write, and goes on showing it. SQLite would read a
        commit that failed so, and all that is committed behind it would be lost with the power.
        """

    def free_bytes(self, directory: Path) -> int:
        """Answer how much room this user still has where the directory lies."""

    def allocate(self, path: Path, size_bytes: int) -> None:
        """Make a file that only takes room, durably; when it does not fit, leave none."""

    def lock(self, path: Path, *, is_waiting: bool) -> Lock:
        """Take the lock that is bound to a file, which is made when it is not there.

        Raises:
            BlockingIOError: Another holds it and `is_waiting` is False.
        """

    def read(self, path: Path) -> bytes:
        """Answer a file's bytes."""

    def write_whole(self, path: Path, raw: bytes) -> None:
        """Replace a file in one step, durably; only this user can read it."""


class SystemDisk:
    """The operating system's disk."""

    def connect(
        self, path: Path, *, busy_s: float = BUSY_S, is_readonly: bool = False
    ) -> sqlite3.Connection:
        """See `Disk.connect`."""
        # The thread that uses a store's connection is not the one that opens it.
        if is_readonly:
            uri = f"file:{quote(str(path))}?mode=ro"
            return sqlite3.connect(
                uri, uri=True, isolation_level=None, timeout=busy_s, check_same_thread=False
            )
        return sqlite3.connect(path, isolation_level=None, timeout=busy_s, check_same_thread=False)

    def exists(self, path: Path) -> bool:
        """See `Disk.exists`."""
        return path.exists()

    def named(self, directory: Path, prefix: str) -> tuple[Path, ...]:
        """See `Disk.named`."""
        if not directory.is_dir():
            return ()
        return tuple(sorted(path for path in directory.iterdir() if path.name.startswith(prefix)))

    def make_directory(self, path: Path) -> None:
        """See `Disk.make_directory`."""
        path.mkdir(parents=True, exist_ok=True)

    def restrict(self, path: Path) -> None:
        """See `Disk.restrict`."""
        path.chmod(0o600)

    def link(self, source: Path, target: Path) -> None:
        """See `Disk.link`."""
        os.link(source, target)

    def unlink(self, path: Path) -> None:
        """See `Disk.unlink`."""
        path.unlink(missing_ok=True)

    def sync_directory(self, path: Path) -> None:
        """See `Disk.sync_directory`."""
        files.sync_directory(path)

    def settle(self, path: Path) -> None:
        """See `Disk.settle`."""
        if not path.exists():
            return
        with path.open("r+b", buffering=0) as file:
            raw = file.read()
            file.seek(0)
            file.write(raw)
            os.fsync(file.fileno())

    def free_bytes(self, directory: Path) -> int:
        """See `Disk.free_bytes`."""
        state = os.statvfs(directory)
        return state.f_bavail * state.f_frsize

    def allocate(self, path: Path, size_bytes: int) -> None:
        """See `Disk.allocate`."""
        handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        try:
            os.posix_fallocate(handle, 0, size_bytes)
            os.fsync(handle)
        except OSError:
            # Half of it would only be in the way.
            path.unlink()
            raise
        finally:
            os.close(handle)

    def lock(self, path: Path, *, is_waiting: bool) -> Lock:
        """See `Disk.lock`."""
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if is_waiting else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException:
            os.close(handle)
            raise
        return _FileLock(handle)

    def read(self, path: Path) -> bytes:
        """See `Disk.read`."""
        return path.read_bytes()

    def write_whole(self, path: Path, raw: bytes) -> None:
        """See `Disk.write_whole`."""
        files.write_whole(path, raw)


class _FileLock:
    def __init__(self, handle: int) -> None:
        self._handle = handle

    def release(self) -> None:
        # Twice would close whatever got the same number meanwhile.
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


SYSTEM_DISK = SystemDisk()
"""The one that every program uses; stateless."""
