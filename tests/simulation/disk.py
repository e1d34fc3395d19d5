"""A simulated disk: everything a power cut, a full or a failing card can do, from one seed.

`SimDisk(random)` implements `sync.disk.Disk`, so production code opens its stores on it:
`open_database(path, disk=disk, is_threaded=False)`, `Store.open(path, disk=disk,
is_threaded=False)`. SQLite itself runs on it (`tests.simulation.vfs`). One process may have many.

What it keeps apart: the live image (what the operating system shows), the durable image (what a
power cut leaves for certain) and, between them, writes that were not synced and names that were
not. A name is durable after `sync_directory`, or, as on ext4, after a sync of its file; whether an
unlink is then durable too, and whether SQLite syncs directories by itself, are `Habits`.

    disk = SimDisk(Random(7), capacity_bytes=…, is_traced=…, habits=…)
    disk.calls                  changing calls so far: writes, syncs, truncations, names, locks not
    disk.trace                  their descriptions, when `is_traced`

    disk.crash_after(n)         the n-th changing call from now does not happen (a write perhaps
                                in part): `Crashed` comes out of the production code, the disk is
                                dead, `on_death()` was called (inside SQLite: only take a note)
    disk.crash()                the process dies: live image kept, connections and locks gone
    disk.power_cut()            the same, and the image is the durable one plus any part of what
                                was not synced, torn at 512 bytes; both end `is_dead`
    disk.process("vault")       the same disk for another process; `crash("vault")` kills it alone

    disk.capacity_bytes = n     full at n bytes (None: never); `used_bytes`
    disk.is_read_only = True    as after an error of the file system
    disk.fail("sync", n)        EIO once, at the n-th "sync", "write", "read", "truncate",
                                "unlink" or "directory" (sync of one) from now; a failed sync
                                loses what it was to make durable, as Linux does
    disk.corrupt(path, first, last)   flip every bit of these bytes at rest
    disk.heal()                 no fault is due any more, room and writing are back

    disk.snapshot()             the live image, as a card reader would copy it
    disk.restore(snapshot)      an old image comes back: like a power cut, then this content
    disk.clone(random)          a second card with the same content
    disk.contents()             all bytes anywhere on it, freed ones too (for the search for
                                what must not be readable)

Calls happen in the same order for the same seed. Everything outside `fail`, `crash_after` and
the cuts themselves draws nothing from the random numbers.

Exceptions cannot cross SQLite's C code: there SQLite is told of an I/O error, and the connection
raises `Crashed` in place of `sqlite3.OperationalError`. It is no `Exception`; in an asyncio task
it ends the task, in a callback it goes to the loop's exception handler. A connection of a process
that is dead raises `Crashed` for ever.
"""

import atexit
import dataclasses
import errno
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any, Literal
from urllib.parse import quote

from sync.disk import BUSY_S
from tests.simulation import vfs

SECTOR = 512  # bytes that a card writes whole or not
REGION_BYTES = 32_768  # of the WAL index; takes room on the disk like a file

FailingKind = Literal["sync", "write", "read", "truncate", "unlink", "directory"]


class Crashed(vfs.Gone):
    """The process that asked is dead; let it out, nothing may catch it but the world."""


@dataclasses.dataclass(frozen=True)
class Habits:
    """What file systems and builds of SQLite do differently."""

    #: A sync of one file makes all earlier changes of names durable, in order (ext4's journal).
    #: Else only those of this file: an unlink waits for the directory's sync (f2fs, FAT).
    orders_names: bool
    #: SQLite syncs the directory of a new WAL or journal (else SQLITE_DISABLE_DIRSYNC).
    library_syncs_directories: bool


ORDERLY = Habits(orders_names=True, library_syncs_directories=True)
CARELESS = Habits(orders_names=False, library_syncs_directories=False)


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """What a card held: bytes by path, and the room of files that only take room."""

    files: Mapping[str, bytes]
    reserved: Mapping[str, int]


Change = tuple[int, bytes]
"""Where and what; a truncation has no bytes and the new size, negative, less one."""


class Inode:
    """A file without its names."""

    def __init__(self, raw: bytes = b"", reserved: int = 0) -> None:
        self.live = bytearray(raw)
        self.durable = bytearray(raw)
        self.pending: list[Change] = []
        #: Room taken by a file without content.
        self.reserved = reserved
        self.locks = Locks()

    def put(self, offset: int, raw: bytes) -> None:
        """Write to the live image and note whole sectors: so a card writes them back."""
        live = self.live
        if offset > len(live):
            live.extend(bytes(offset - len(live)))
        end = offset + len(raw)
        live[offset:end] = raw
        if (offset | end) % SECTOR:
            first = offset & -SECTOR
            self.pending.append((first, bytes(live[first : (end + SECTOR - 1) & -SECTOR])))
        else:
            self.pending.append((offset, raw))

    def cut(self, size: int) -> None:
        del self.live[size:]
        self.pending.append((-1 - size, b""))

    def settle(self) -> None:
        """Make everything durable."""
        for change in self.pending:
            apply(self.durable, change)
        self.pending.clear()

    def lose(self, random: Random) -> None:
        """Make durable what a power cut leaves."""
        survive(self.durable, self.pending, random)
        if len(self.durable) < len(self.live) and random.random() < 0.2:
            # The size is on disk and the bytes are not: they read as zeros.
            self.durable.extend(bytes(len(self.live) - len(self.durable)))
        self.pending.clear()


def apply(image: bytearray, change: Change) -> None:
    offset, raw = change
    if offset < 0:
        del image[-1 - offset :]
        return
    if offset > len(image):
        image.extend(bytes(offset - len(image)))
    image[offset : offset + len(raw)] = raw


def survive(image: bytearray, pending: list[Change], random: Random) -> None:
    """Apply a part of the changes: none, all, the first ones, or sectors here and there.

    Of each sector the changes count in their order: what is on disk is what the page cache held
    at one moment.
    """
    match random.choice(("none", "all", "first", "scattered", "scattered")):
        case "all":
            for change in pending:
                apply(image, change)
        case "first":
            last = random.randrange(len(pending) + 1)
            for change in pending[:last]:
                apply(image, change)
            _scatter(image, pending[last : last + 1], random)
        case "scattered":
            _scatter(image, pending, random)
        case "none":
            pass


def _scatter(image: bytearray, pending: list[Change], random: Random) -> None:
    share = random.random()
    stopped: set[int] = set()  # -1 stands for truncations
    for offset, raw in pending:
        if offset < 0:
            if -1 not in stopped and random.random() < share:
                apply(image, (offset, raw))
            else:
                stopped.add(-1)
            continue
        for place in range(0, len(raw), SECTOR):
            sector = offset + place
            if sector in stopped or random.random() >= share:
                stopped.add(sector)
            else:
                apply(image, (sector, raw[place : place + SECTOR]))


class Locks:
    """Who holds what of one SQLite file; the rules of os_unix.c within one machine."""

    def __init__(self) -> None:
        self.shared: set[Handle] = set()
        self.reserved: Handle | None = None
        self.pending: Handle | None = None
        self.regions: list[Any] = []
        self.users: set[Handle] = set()
        self.slots: list[set[Handle]] = [set() for _ in range(8)]
        self.exclusive: list[Handle | None] = [None] * 8

    def drop(self, handle: "Handle") -> None:
        self.shared.discard(handle)
        self.reserved = None if self.reserved is handle else self.reserved
        self.pending = None if self.pending is handle else self.pending
        for slot in self.slots:
            slot.discard(handle)
        self.exclusive = [None if owner is handle else owner for owner in self.exclusive]
        self.users.discard(handle)
        if not self.users:
            # The first process to come empties the index and reads the WAL anew.
            self.regions = []


class Handle:
    """An open file of one connection; what `vfs.File` asks for."""

    def __init__(self, disk: "SimDisk", inode: Inode, path: str, process: str) -> None:
        self.disk = disk
        self.inode = inode
        self.path = path
        self.process = process
        self.level = 0
        self.is_lost = False
        self.syncs_directory = False
        self.is_deleted_on_close = False
        self.regions: list[Any] = []

    def read(self, offset: int, amount: int) -> bytes:
        disk = self.disk
        if self.is_lost or disk.is_dead:
            raise Crashed
        if disk.failures:
            disk.may_fail("read")
        return bytes(self.inode.live[offset : offset + amount])

    def write(self, offset: int, raw: bytes) -> None:
        disk = self.disk
        if self.is_lost or disk.is_dead:
            raise Crashed
        if disk.calls + 1 == disk.crash_at:
            # A process may be killed in the middle of a write.
            part = disk.random.choice((0, disk.random.randrange(len(raw) + 1), len(raw)))
            if part:
                self.inode.put(offset, raw[:part])
        disk.step("write", self.path, f"{offset}+{len(raw)}" if disk.is_traced else "")
        if disk.capacity_bytes is not None:
            raw_fitting = disk.fitting(self.inode, offset, raw)
            if len(raw_fitting) < len(raw):
                if raw_fitting:
                    self.inode.put(offset, raw_fitting)
                raise OSError(errno.ENOSPC, "no room left")
        self.inode.put(offset, raw)

    def truncate(self, size: int) -> None:
        self._need()
        self.disk.step("truncate", self.path, str(size))
        self.disk.remains.append(bytes(self.inode.live[size:]))
        self.inode.cut(size)

    def sync(self) -> None:
        self._need()
        try:
            self.disk.step("sync", self.path)
        except OSError:
            self.inode.lose(self.disk.random)
            raise
        self.inode.settle()
        self.disk.settle_names(self.inode)
        if self.syncs_directory:
            self.syncs_directory = False
            self.disk.sync_directory(Path(self.path).parent)

    def size(self) -> int:
        self._need()
        return len(self.inode.live)

    def close(self) -> None:
        self.inode.locks.drop(self)
        self.disk.handles.pop(self, None)
        if self.is_deleted_on_close and not (self.is_lost or self.disk.is_dead):
            self.disk.unlink(Path(self.path))

    def lock(self, level: int) -> bool:
        self._need()
        locks = self.inode.locks
        if level <= self.level:
            return True
        if level == 1:
            if locks.pending not in (None, self):
                return False
            locks.shared.add(self)
        elif locks.reserved not in (None, self):
            return False
        elif level == 2:
            locks.reserved = self
        else:
            if locks.pending not in (None, self):
                return False
            locks.pending = self
            if locks.shared - {self}:
                self.level = 3
                return False
        self.level = level
        return True

    def unlock(self, level: int) -> None:
        locks = self.inode.locks
        if level <= 1:
            locks.reserved = None if locks.reserved is self else locks.reserved
            locks.pending = None if locks.pending is self else locks.pending
        if level == 0:
            locks.shared.discard(self)
        self.level = min(self.level, level)

    def is_reserved(self) -> bool:
        self._need()
        return self.inode.locks.reserved is not None

    def region(self, index: int, size: int, *, is_extending: bool) -> int:
        self._need()
        locks = self.inode.locks
        locks.users.add(self)
        while is_extending and len(locks.regions) <= index:
            if self.disk.capacity_bytes is not None and self.disk.free < size:
                raise OSError(errno.ENOSPC, "no room left for the WAL index")
            locks.regions.append(vfs.memory(size))
        # Lives as long as this handle: SQLite may look at it until the file is closed.
        self.regions = locks.regions
        return vfs.address(locks.regions[index]) if index < len(locks.regions) else 0

    def lock_region(self, first: int, count: int, flags: int) -> bool:
        if self.is_lost or self.disk.is_dead:
            raise Crashed
        if flags & vfs.SHM_SHARED:
            return self._share(first, is_ended=bool(flags & vfs.SHM_UNLOCK))
        exclusive, slots = self.inode.locks.exclusive, self.inode.locks.slots
        places = range(first, first + count)
        if flags & vfs.SHM_UNLOCK:
            for place in places:
                slots[place].discard(self)
                if exclusive[place] is self:
                    exclusive[place] = None
            return True
        for place in places:
            if exclusive[place] not in (None, self) or slots[place] - {self}:
                return False
        for place in places:
            exclusive[place] = self
        return True

    def _share(self, place: int, *, is_ended: bool) -> bool:
        """Take or leave a place that others may have too; every SELECT does both."""
        locks = self.inode.locks
        if is_ended:
            locks.slots[place].discard(self)
            if locks.exclusive[place] is self:
                locks.exclusive[place] = None
        elif locks.exclusive[place] in (None, self):
            locks.slots[place].add(self)
        else:
            return False
        return True

    def leave_regions(self) -> None:
        locks = self.inode.locks
        locks.users.discard(self)
        if not locks.users:
            locks.regions = []

    def _need(self) -> None:
        if self.is_lost or self.disk.is_dead:
            raise Crashed


_execute, _fetchone = sqlite3.Cursor.execute, sqlite3.Cursor.fetchone


class Cursor(sqlite3.Cursor):
    """A cursor that knows when its process is dead."""

    connection: "Connection"

    def execute(self, *args: Any) -> "Cursor":
        # What nearly all calls are: as `with guard`, without its two calls.
        guard = self.connection.guard
        disk = guard.disk
        if guard.is_lost or disk.is_dead:
            raise Crashed
        disk.running = guard.process
        try:
            _execute(self, *args)
        except BaseException as error:
            guard.__exit__(type(error), error, None)
            raise
        if not guard.is_well():
            guard.__exit__(None, None, None)
        return self

    def executemany(self, *args: Any) -> "Cursor":
        with self.connection.guard:
            super().executemany(*args)
        return self

    def executescript(self, *args: Any) -> "Cursor":
        with self.connection.guard:
            super().executescript(*args)
        return self

    def fetchone(self) -> Any:
        guard = self.connection.guard
        disk = guard.disk
        if guard.is_lost or disk.is_dead:
            raise Crashed
        disk.running = guard.process
        try:
            row = _fetchone(self)
        except BaseException as error:
            guard.__exit__(type(error), error, None)
            raise
        if not guard.is_well():
            guard.__exit__(None, None, None)
        return row

    def fetchmany(self, *args: Any, **kwargs: Any) -> list[Any]:
        with self.connection.guard:
            return super().fetchmany(*args, **kwargs)

    def fetchall(self) -> list[Any]:
        with self.connection.guard:
            return super().fetchall()

    def __next__(self) -> Any:
        with self.connection.guard:
            return super().__next__()


class Guard:
    """Around each use of a connection: the dead do not come back with an error or an answer."""

    def __init__(self, disk: "SimDisk", process: str) -> None:
        self.disk = disk
        self.process = process
        self.is_lost = False

    def is_well(self) -> bool:
        """Answer whether nothing is to be raised."""
        return not (self.is_lost or self.disk.is_dead or vfs.defects)

    def __enter__(self) -> None:
        if self.is_lost or self.disk.is_dead:
            raise Crashed
        self.disk.running = self.process

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self.is_lost or self.disk.is_dead:
            raise Crashed from error
        if vfs.defects:
            raise AssertionError("the simulated disk is broken") from vfs.defects.pop()


class Connection(sqlite3.Connection):
    """A connection that knows when its process is dead."""

    guard: Guard
    process: str

    def cursor(self, factory: Any = Cursor) -> Any:
        with self.guard:
            return super().cursor(factory)

    def execute(self, *args: Any) -> Cursor:
        if self.guard.is_lost:
            raise Crashed
        return sqlite3.Connection.cursor(self, Cursor).execute(*args)

    def executemany(self, *args: Any) -> Cursor:
        cursor: Cursor = self.cursor()
        return cursor.executemany(*args)

    def executescript(self, *args: Any) -> Cursor:
        cursor: Cursor = self.cursor()
        return cursor.executescript(*args)

    def commit(self) -> None:
        with self.guard:
            super().commit()

    def rollback(self) -> None:
        with self.guard:
            super().rollback()

    def close(self) -> None:
        if self.guard.is_lost:
            return
        with self.guard:
            super().close()
        self.guard.disk.connections.pop(self, None)

    def abandon(self) -> None:
        """Free the memory of a connection whose process is dead."""
        self.guard.is_lost = True
        super().close()


class SimLock:
    """A lock on the whole store that one process holds."""

    def __init__(self, disk: "SimDisk", path: str, process: str) -> None:
        self._disk = disk
        self._path = path
        self.process = process

    def release(self) -> None:
        if self._disk.locks.get(self._path) is self:
            del self._disk.locks[self._path]


@dataclasses.dataclass(frozen=True, eq=False)
class NameChange:
    """A change of names that may not be durable yet."""

    #: The name that goes, "" for none.
    old: str
    #: The name that comes, "" for none.
    new: str
    #: The file that the new name stands for.
    inode: Inode | None

    @property
    def names(self) -> set[str]:
        return {self.old, self.new} - {""}

    def apply(self, names: dict[str, Inode]) -> None:
        names.pop(self.old, None)
        if self.inode is not None:
            names[self.new] = self.inode


class SimDisk:
    """See the module."""

    def __init__(
        self,
        random: Random,
        *,
        capacity_bytes: int | None = None,
        habits: Habits | None = None,
        is_traced: bool = False,
    ) -> None:
        self.random = random
        self.capacity_bytes = capacity_bytes
        self.habits = habits or Habits(random.random() < 0.5, random.random() < 0.5)
        self.is_traced = is_traced
        self.trace: list[str] = []
        self.calls = 0
        self.crash_at: int | None = None
        self.is_dead = False
        self.is_read_only = False
        self.on_death: Callable[[], None] = lambda: None
        self.failures: dict[str, int] = {}
        self.remains: list[bytes] = []
        self.handles: dict[Handle, None] = {}
        self.connections: dict[Connection, None] = {}
        self.locks: dict[str, SimLock] = {}
        self.running = ""
        """The process that uses a connection now."""
        self._names: dict[str, Inode] = {}
        self._durable_names: dict[str, Inode] = {}
        self._changes: list[NameChange] = []
        self._directories = {"/"}
        self._number = vfs.add(self)
        vfs.seed_library(random.getrandbits(30))

    # ---- what production code asks of a disk (`sync.disk.Disk`)

    def connect(
        self, path: Path, *, busy_s: float = BUSY_S, is_readonly: bool = False
    ) -> sqlite3.Connection:
        return self.connected(path, busy_s=busy_s, is_readonly=is_readonly, process="")

    def exists(self, path: Path) -> bool:
        self._need()
        return str(path) in self._names or str(path) in self._directories

    def named(self, directory: Path, prefix: str) -> tuple[Path, ...]:
        self._need()
        start = f"{directory}/{prefix}"
        return tuple(
            Path(name)
            for name in sorted(self._names)
            if name.startswith(start) and "/" not in name[len(start) :]
        )

    def make_directory(self, path: Path) -> None:
        self._need()
        # Made once, before anything of worth is stored; taken as durable.
        self._directories |= {str(path), *map(str, path.parents)}

    def restrict(self, path: Path) -> None:
        self._need()
        self._inode(path)
        self._may_write()

    def link(self, source: Path, target: Path) -> None:
        inode = self._inode(source)
        self.step("link", str(target))
        if str(target) in self._names:
            raise FileExistsError(errno.EEXIST, "the name is taken")
        self._change("", str(target), inode)

    def unlink(self, path: Path) -> None:
        self._need()
        if str(path) in self._names:
            self.step("unlink", str(path))
            self._change(str(path), "", None)

    def sync_directory(self, path: Path) -> None:
        self.step("directory", str(path))
        start = str(path)
        self._settle(
            [
                change
                for change in self._changes
                if any(_parent(name) == start for name in change.names)
            ]
        )

    def settle(self, path: Path) -> None:
        self._need()
        inode = self._names.get(str(path))
        if inode is not None:
            handle = Handle(self, inode, str(path), "")
            handle.write(0, bytes(inode.live))
            handle.sync()

    def free_bytes(self, directory: Path) -> int:  # noqa: ARG002 -- it is all one disk
        self._need()
        return self.free

    def allocate(self, path: Path, size_bytes: int) -> None:
        self.step("allocate", str(path), str(size_bytes))
        if self.free < size_bytes:
            raise OSError(errno.ENOSPC, "no room left")
        inode = Inode(reserved=size_bytes)
        self._change("", str(path), inode)
        self.settle_names(inode)

    def lock(self, path: Path, *, is_waiting: bool) -> SimLock:
        return self.locked(path, is_waiting=is_waiting, process="")

    def read(self, path: Path) -> bytes:
        self._need()
        self.may_fail("read")
        return bytes(self._inode(path).live)

    def write_whole(self, path: Path, raw: bytes) -> None:
        self.make_directory(path.parent)
        fresh = str(path) + ".new"
        self.step("create", fresh)
        inode = Inode()
        self._change("", fresh, inode)
        handle = Handle(self, inode, fresh, "")
        handle.write(0, raw)
        handle.sync()
        self.step("rename", str(path))
        self._change(fresh, str(path), inode)
        self.sync_directory(path.parent)

    # ---- faults and their end

    def crash_after(self, calls: int) -> None:
        """Let the changing call of this number, counted from now (from 1), not happen."""
        self.crash_at = self.calls + calls

    def fail(self, kind: FailingKind, calls: int = 1) -> None:
        """Answer EIO once, to the call of this kind and number from now (from 1)."""
        self.failures[kind] = calls

    def heal(self) -> None:
        """Let no fault be due any more."""
        self.failures.clear()
        self.crash_at = None
        self.capacity_bytes = None
        self.is_read_only = False

    def corrupt(self, path: Path, first: int, last: int) -> None:
        """Flip every bit of the bytes `first` to `last` (not included) of a file at rest."""
        inode = self._inode(path)
        for image in (inode.live, inode.durable):
            image[first:last] = bytes(255 - octet for octet in image[first:last])

    def crash(self, process: str | None = None) -> None:
        """End the processes, or the one of this name, as `kill -9` does."""
        was_dead, self.is_dead = self.is_dead, True
        for handle in [h for h in self.handles if process in (None, h.process)]:
            handle.is_lost = True
            handle.inode.locks.drop(handle)
            del self.handles[handle]
        for connection in [c for c in self.connections if process in (None, c.process)]:
            del self.connections[connection]
            connection.abandon()
        self.locks = {
            path: lock for path, lock in self.locks.items() if process not in (None, lock.process)
        }
        self.is_dead = was_dead and process is not None
        if process is None:
            self.crash_at = None

    def power_cut(self) -> None:
        """End all processes and leave what is durable, with any part of what was on its way."""
        self.crash()
        if self.habits.orders_names:
            kept = self._changes[: self.random.randrange(len(self._changes) + 1)]
        else:
            share = self.random.random()
            kept = [change for change in self._changes if self.random.random() < share]
        self._settle(kept)
        before = self._inodes()
        self._names = dict(self._durable_names)
        self._changes = []
        for inode in self._inodes():
            inode.lose(self.random)
            inode.live = bytearray(inode.durable)
            inode.locks = Locks()
        self.remains += [bytes(inode.live) for inode in before if inode not in self._inodes()]

    def snapshot(self) -> Snapshot:
        """Answer the live image."""
        return Snapshot(
            files={name: bytes(inode.live) for name, inode in self._names.items()},
            reserved={name: inode.reserved for name, inode in self._names.items()},
        )

    def restore(self, snapshot: Snapshot) -> None:
        """End all processes and put an image in the place of what there is."""
        self.crash()
        self._names = {
            name: Inode(raw, snapshot.reserved[name]) for name, raw in snapshot.files.items()
        }
        self._durable_names = dict(self._names)
        self._changes = []
        self._directories |= {_parent(name) for name in self._names}

    def clone(self, random: Random) -> "SimDisk":
        """Answer a second card with the same content, its own random numbers and no faults."""
        other = SimDisk(random, capacity_bytes=self.capacity_bytes, habits=self.habits)
        other.restore(self.snapshot())
        other._directories = set(self._directories)
        return other

    # ---- what tests look at

    def contents(self) -> Iterator[bytes]:
        """Answer all bytes that lie anywhere on the card, freed and unsynced ones too."""
        for inode in _unique([*self._names.values(), *self._durable_names.values()]):
            yield bytes(inode.live)
            yield bytes(inode.durable)
            yield from (raw for _, raw in inode.pending)
        yield from self.remains

    def size(self, path: Path) -> int:
        """Answer how many bytes a file has."""
        return len(self._inode(path).live)

    @property
    def used_bytes(self) -> int:
        """Answer the room that files and WAL indexes take."""
        return sum(
            len(inode.live) + inode.reserved + len(inode.locks.regions) * REGION_BYTES
            for inode in _unique([*self._names.values(), *(h.inode for h in self.handles)])
        )

    @property
    def free(self) -> int:
        """Answer the room that is left."""
        room = 2**36 if self.capacity_bytes is None else self.capacity_bytes
        return max(0, room - self.used_bytes)

    def process(self, name: str) -> "Process":
        """Answer the same disk as another process uses it, which can die alone."""
        return Process(self, name)

    # ---- what SQLite asks of a volume (`vfs.Volume`)

    def open_file(self, path: str, flags: int) -> tuple[Handle, bool]:
        self._need()
        inode = self._names.get(path)
        if inode is None:
            if not flags & vfs.OPEN_CREATE or self.is_read_only:
                raise FileNotFoundError(errno.ENOENT, "no such file")
            self.step("create", path)
            inode = Inode()
            self._change("", path, inode)
        handle = Handle(self, inode, path, self.running)
        handle.syncs_directory = (
            bool(flags & vfs.OPEN_SYNCS_DIRECTORY) and self.habits.library_syncs_directories
        )
        handle.is_deleted_on_close = bool(flags & vfs.OPEN_DELETEONCLOSE)
        self.handles[handle] = None
        return handle, bool(flags & vfs.OPEN_READONLY) or self.is_read_only

    def delete_file(self, path: str, *, is_synced: bool) -> None:
        self._need()
        self._inode(Path(path))
        self.unlink(Path(path))
        if is_synced and self.habits.library_syncs_directories:
            self.sync_directory(Path(path).parent)

    def can_access(self, path: str, *, is_written: bool) -> bool:
        self._need()
        inode = self._names.get(path)
        if inode is None:
            return False
        # os_unix.c: an empty file does not count as there.
        return not self.is_read_only if is_written else bool(inode.live)

    # ---- within this package

    def connected(
        self, path: Path, *, busy_s: float, is_readonly: bool, process: str
    ) -> Connection:
        self._need()
        self.running = process
        mode = "&mode=ro" if is_readonly else ""
        try:
            connection: Connection = sqlite3.connect(
                f"file:/{self._number}{quote(str(path))}?vfs={vfs.NAME}{mode}",
                uri=True,
                isolation_level=None,
                timeout=busy_s,
                check_same_thread=False,
                factory=Connection,
            )
        except sqlite3.Error as error:
            if self.is_dead:
                raise Crashed from error
            raise
        connection.guard = Guard(self, process)
        connection.process = process
        self.connections[connection] = None
        return connection

    def locked(self, path: Path, *, is_waiting: bool, process: str) -> SimLock:
        self._need()
        self._may_write()
        name = str(path)
        if name not in self._names:
            self.step("create", name)
            self._change("", name, Inode())
        if name in self.locks:
            if is_waiting:
                raise AssertionError(f"{name} is locked for ever: there is one thread")
            raise BlockingIOError(errno.EWOULDBLOCK, "another holds the lock")
        self.locks[name] = SimLock(self, name, process)
        return self.locks[name]

    def step(self, kind: str, path: str, detail: str = "") -> None:
        """Count a changing call and let the fault that is due happen in its place."""
        if self.is_dead:
            raise Crashed
        self.calls += 1
        if self.is_traced:
            self.trace.append(f"{kind} {path} {detail}".rstrip())
        if self.calls == self.crash_at:
            self.is_dead = True
            self.on_death()
            raise Crashed
        if self.is_read_only:
            self._may_write()
        if self.failures:
            self.may_fail(kind)

    def may_fail(self, kind: str) -> None:
        """Fail when this is the call that shall."""
        due = self.failures.get(kind)
        if due is None:
            return
        if due > 1:
            self.failures[kind] = due - 1
            return
        del self.failures[kind]
        raise OSError(errno.EIO, "the card does not answer")

    def fitting(self, inode: Inode, offset: int, raw: bytes) -> bytes:
        """Answer the part of a write for which there is room."""
        growth = offset + len(raw) - len(inode.live)
        lacking = growth - self.free
        return raw if growth <= 0 or lacking <= 0 else raw[: max(0, len(raw) - lacking)]

    def settle_names(self, inode: Inode) -> None:
        """Make durable the names that a sync of this file makes durable."""
        if self.habits.orders_names:
            self._settle(list(self._changes))
        else:
            self._settle([change for change in self._changes if change.inode is inode])

    def _settle(self, settled: list[NameChange]) -> None:
        if not settled:
            return
        for change in settled:
            change.apply(self._durable_names)
        waiting = []
        overtaken: set[str] = set()
        for change in reversed(self._changes):
            if change in settled:
                # What happened to these names before does not come back.
                overtaken |= change.names
            elif not change.names & overtaken:
                waiting.append(change)
        self._changes = waiting[::-1]

    def _change(self, old: str, new: str, inode: Inode | None) -> None:
        before = self._inodes()
        change = NameChange(old, new, inode)
        change.apply(self._names)
        self._changes.append(change)
        after = self._inodes()
        self.remains += [bytes(gone.live) for gone in before if gone not in after]

    def _inodes(self) -> list[Inode]:
        return _unique(self._names.values())

    def _inode(self, path: Path) -> Inode:
        self._need()
        inode = self._names.get(str(path))
        if inode is None:
            raise FileNotFoundError(errno.ENOENT, "no such file")
        return inode

    def _need(self) -> None:
        if self.is_dead:
            raise Crashed

    def _may_write(self) -> None:
        if self.is_read_only:
            raise OSError(errno.EROFS, "the file system is read-only")


@atexit.register
def _end_all() -> None:
    """Close what is open while SQLite can still ask Python for anything."""
    for disk in list(vfs.volumes.values()):
        if isinstance(disk, SimDisk):
            disk.crash()


class Process:
    """A `SimDisk` as one process of several uses it."""

    def __init__(self, disk: SimDisk, name: str) -> None:
        self.disk = disk
        self.name = name
        self.exists = disk.exists
        self.named = disk.named
        self.make_directory = disk.make_directory
        self.restrict = disk.restrict
        self.link = disk.link
        self.unlink = disk.unlink
        self.sync_directory = disk.sync_directory
        self.settle = disk.settle
        self.free_bytes = disk.free_bytes
        self.allocate = disk.allocate
        self.read = disk.read
        self.write_whole = disk.write_whole

    def connect(
        self, path: Path, *, busy_s: float = BUSY_S, is_readonly: bool = False
    ) -> sqlite3.Connection:
        return self.disk.connected(path, busy_s=busy_s, is_readonly=is_readonly, process=self.name)

    def lock(self, path: Path, *, is_waiting: bool) -> SimLock:
        return self.disk.locked(path, is_waiting=is_waiting, process=self.name)


def _unique(inodes: Iterable[Inode]) -> list[Inode]:
    return list({id(inode): inode for inode in inodes}.values())


def _parent(name: str) -> str:
    return name.rpartition("/")[0] or "/" if name else ""
