"""SQLite's file layer in Python, registered in the very library that `sqlite3` uses.

So production code runs unchanged on a simulated disk: the same SQL, locks, WAL and error codes.
A file called `/7/kiosk/kiosk.db` lies on volume 7 under `/kiosk/kiosk.db`; open it with
`connect(number, path)`. Shared memory for the WAL index is memory of this process.

What the layer does around the files (when it syncs directories, what it answers for `access`)
follows `os_unix.c` of SQLite 3.40.
"""
# ruff: noqa: ARG002 -- the signatures are SQLite's

import _sqlite3
import ctypes
import errno
import itertools
import weakref
from collections.abc import Callable
from typing import Any, Protocol

NAME = "simulated"
SECTOR_BYTES = 4096  # what os_unix.c answers; the torn unit of the disk is its own
POWERSAFE_OVERWRITE = 0x1000  # os_unix.c's default: a write changes no byte beside its own
NOW_MS = 1_795_500_000_000  # 24 November 2026; only CURRENT_TIMESTAMP of migrations asks

OK, BUSY, READONLY, IOERR, NOTFOUND, FULL, CANTOPEN = 0, 5, 8, 10, 12, 13, 14
IOERR_READ, IOERR_SHORT_READ, IOERR_WRITE, IOERR_FSYNC = 266, 522, 778, 1034
IOERR_TRUNCATE, IOERR_DELETE, IOERR_SHMSIZE, IOERR_DELETE_NOENT = 1546, 2570, 4874, 5898
OPEN_READONLY, OPEN_CREATE, OPEN_DELETEONCLOSE = 0x1, 0x4, 0x8
OPEN_SYNCS_DIRECTORY = 0x4000 | 0x800 | 0x80000  # super journal, journal, WAL
SHM_UNLOCK, SHM_SHARED = 1, 4
PRNG_SEED = 28  # SQLITE_TESTCTRL_PRNG_SEED


class Gone(BaseException):
    """The power is off or the process dead: whatever is asked of the disk fails."""


class File(Protocol):
    """What a volume gives SQLite for an open file; every method may raise OSError or Gone."""

    def read(self, offset: int, amount: int) -> bytes: ...
    def write(self, offset: int, raw: bytes) -> None: ...
    def truncate(self, size: int) -> None: ...
    def sync(self) -> None: ...
    def size(self) -> int: ...
    def close(self) -> None: ...
    def lock(self, level: int) -> bool: ...
    def unlock(self, level: int) -> None: ...
    def is_reserved(self) -> bool: ...
    def region(self, index: int, size: int, *, is_extending: bool) -> int: ...
    def lock_region(self, first: int, count: int, flags: int) -> bool: ...
    def leave_regions(self) -> None: ...


class Volume(Protocol):
    """What holds the files."""

    def open_file(self, path: str, flags: int) -> tuple[File, bool]: ...
    def delete_file(self, path: str, *, is_synced: bool) -> None: ...
    def can_access(self, path: str, *, is_written: bool) -> bool: ...


class Scratch:
    """A file without a name: SQLite's own for sorting and undoing, gone when it is closed."""

    def __init__(self) -> None:
        self._raw = bytearray()

    def read(self, offset: int, amount: int) -> bytes:
        return bytes(self._raw[offset : offset + amount])

    def write(self, offset: int, raw: bytes) -> None:
        self._raw.extend(bytes(max(0, offset - len(self._raw))))
        self._raw[offset : offset + len(raw)] = raw

    def truncate(self, size: int) -> None:
        del self._raw[size:]

    def sync(self) -> None:
        """Nobody looks for it after a power cut."""

    def size(self) -> int:
        return len(self._raw)

    def close(self) -> None:
        """It ends with this object."""

    def lock(self, level: int) -> bool:
        return True

    def unlock(self, level: int) -> None:
        """Nobody else knows it."""

    def is_reserved(self) -> bool:
        return False

    def region(self, index: int, size: int, *, is_extending: bool) -> int:
        raise OSError(errno.ENOSYS, "a file without a name has no WAL")

    def lock_region(self, first: int, count: int, flags: int) -> bool:
        return True

    def leave_regions(self) -> None:
        """It has none."""


volumes: weakref.WeakValueDictionary[int, Volume] = weakref.WeakValueDictionary()
defects: list[BaseException] = []
"""Errors of the simulation itself: nothing can be raised through SQLite's C code."""

_numbers = itertools.count(1)
_files: dict[int, File] = {}
_library = ctypes.CDLL(_sqlite3.__file__)

_P, _I, _L = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
_memmove, _string_at = ctypes.memmove, ctypes.string_at


def add(volume: Volume) -> int:
    """Make a volume known; answer its number."""
    number = next(_numbers)
    volumes[number] = volume
    return number


def seed_library(seed: int) -> None:
    """Start SQLite's own randomness (salts of the WAL) anew; it is one for the process."""
    _library.sqlite3_test_control(PRNG_SEED, _I(seed & 0x7FFFFFFF or 1), _P(None))


def memory(size: int) -> Any:
    """Answer a piece of memory that SQLite may share between connections, all zeros."""
    return ctypes.create_string_buffer(size)


def address(memory_: Any) -> int:
    """Answer where it lies."""
    return ctypes.addressof(memory_)


def _found(name: bytes) -> tuple[Volume, str]:
    number, _, rest = name[1:].decode().partition("/")
    return volumes[int(number)], "/" + rest


def _code(error: BaseException, otherwise: int) -> int:
    if isinstance(error, Gone):
        return IOERR
    if isinstance(error, OSError):
        return FULL if error.errno == errno.ENOSPC and otherwise == IOERR_WRITE else otherwise
    defects.append(error)
    return IOERR


def _guarded(otherwise: int) -> Callable[[Callable[..., int]], Callable[..., int]]:
    def decorate(fn: Callable[..., int]) -> Callable[..., int]:
        def call(*args: Any) -> int:
            try:
                return fn(*args)
            except BaseException as error:
                return _code(error, otherwise)

        return call

    return decorate


@_guarded(IOERR)
def _close(file: int) -> int:
    _files.pop(file).close()
    return OK


# The three that are called most are guarded in place: a call less each.


def _read(file: int, buffer: int, amount: int, offset: int) -> int:
    try:
        raw = _files[file].read(offset, amount)
        _memmove(buffer, raw, len(raw))
        if len(raw) == amount:
            return OK
        ctypes.memset(buffer + len(raw), 0, amount - len(raw))
    except BaseException as error:
        return _code(error, IOERR_READ)
    return IOERR_SHORT_READ


def _write(file: int, buffer: int, amount: int, offset: int) -> int:
    try:
        _files[file].write(offset, _string_at(buffer, amount))
    except BaseException as error:
        return _code(error, IOERR_WRITE)
    return OK


@_guarded(IOERR_TRUNCATE)
def _truncate(file: int, size: int) -> int:
    _files[file].truncate(size)
    return OK


@_guarded(IOERR_FSYNC)
def _sync(file: int, flags: int) -> int:
    _files[file].sync()
    return OK


@_guarded(IOERR)
def _size(file: int, out: int) -> int:
    _L.from_address(out).value = _files[file].size()
    return OK


@_guarded(IOERR)
def _lock(file: int, level: int) -> int:
    return OK if _files[file].lock(level) else BUSY


@_guarded(IOERR)
def _unlock(file: int, level: int) -> int:
    _files[file].unlock(level)
    return OK


@_guarded(IOERR)
def _is_reserved(file: int, out: int) -> int:
    _I.from_address(out).value = _files[file].is_reserved()
    return OK


def _control(file: int, op: int, argument: int) -> int:
    return NOTFOUND


def _sector(file: int) -> int:
    return SECTOR_BYTES


def _characteristics(file: int) -> int:
    return POWERSAFE_OVERWRITE


@_guarded(IOERR_SHMSIZE)
def _shm_map(file: int, index: int, size: int, is_extending: int, out: int) -> int:
    _P.from_address(out).value = _files[file].region(index, size, is_extending=bool(is_extending))
    return OK


def _shm_lock(file: int, first: int, count: int, flags: int) -> int:
    try:
        return OK if _files[file].lock_region(first, count, flags) else BUSY
    except BaseException as error:
        return _code(error, IOERR)


@_guarded(IOERR)
def _shm_unmap(file: int, is_deleting: int) -> int:
    _files[file].leave_regions()
    return OK


@_guarded(CANTOPEN)
def _open(_vfs: int, name: bytes | None, file: int, flags: int, flags_out: int) -> int:
    # Without methods SQLite does not close a file that could not be opened.
    _P.from_address(file).value = None
    opened: File = Scratch()
    is_readonly = False
    if name:
        volume, path = _found(name)
        opened, is_readonly = volume.open_file(path, flags)
    _files[file] = opened
    if flags_out:
        _I.from_address(flags_out).value = flags & ~7 | OPEN_READONLY if is_readonly else flags
    _P.from_address(file).value = ctypes.addressof(_methods)
    return OK


@_guarded(IOERR_DELETE)
def _delete(_vfs: int, name: bytes, is_synced: int) -> int:
    volume, path = _found(name)
    try:
        volume.delete_file(path, is_synced=bool(is_synced))
    except FileNotFoundError:
        return IOERR_DELETE_NOENT
    return OK


@_guarded(IOERR)
def _access(_vfs: int, name: bytes, flags: int, out: int) -> int:
    volume, path = _found(name)
    _I.from_address(out).value = volume.can_access(path, is_written=flags == 1)
    return OK


def _full_path(_vfs: int, name: bytes, size: int, out: int) -> int:
    ctypes.memmove(out, name + b"\0", len(name) + 1)
    return OK


def _randomness(_vfs: int, size: int, out: int) -> int:
    ctypes.memset(out, 0, size)
    return size


def _sleep(_vfs: int, microseconds: int) -> int:
    return microseconds  # nobody could let go of a lock meanwhile: there is one thread


def _last_error(_vfs: int, size: int, out: int) -> int:
    return 0


def _now_ms(_vfs: int, out: int) -> int:
    _L.from_address(out).value = NOW_MS + 210_866_760_000_000  # since noon of 24.11.4714 BC
    return OK


def _now_days(_vfs: int, out: int) -> int:
    ctypes.c_double.from_address(out).value = (NOW_MS + 210_866_760_000_000) / 86_400_000
    return OK


_S = ctypes.c_char_p
_ON_FILE: tuple[tuple[str, Any, Any], ...] = (
    ("xClose", ctypes.CFUNCTYPE(_I, _P), _close),
    ("xRead", ctypes.CFUNCTYPE(_I, _P, _P, _I, _L), _read),
    ("xWrite", ctypes.CFUNCTYPE(_I, _P, _P, _I, _L), _write),
    ("xTruncate", ctypes.CFUNCTYPE(_I, _P, _L), _truncate),
    ("xSync", ctypes.CFUNCTYPE(_I, _P, _I), _sync),
    ("xFileSize", ctypes.CFUNCTYPE(_I, _P, _P), _size),
    ("xLock", ctypes.CFUNCTYPE(_I, _P, _I), _lock),
    ("xUnlock", ctypes.CFUNCTYPE(_I, _P, _I), _unlock),
    ("xCheckReservedLock", ctypes.CFUNCTYPE(_I, _P, _P), _is_reserved),
    ("xFileControl", ctypes.CFUNCTYPE(_I, _P, _I, _P), _control),
    ("xSectorSize", ctypes.CFUNCTYPE(_I, _P), _sector),
    ("xDeviceCharacteristics", ctypes.CFUNCTYPE(_I, _P), _characteristics),
    ("xShmMap", ctypes.CFUNCTYPE(_I, _P, _I, _I, _I, _P), _shm_map),
    ("xShmLock", ctypes.CFUNCTYPE(_I, _P, _I, _I, _I), _shm_lock),
    # There is one thread: nothing to do. A function that does nothing without coming to Python.
    ("xShmBarrier", _P, ctypes.cast(_library.sqlite3_threadsafe, _P).value),
    ("xShmUnmap", ctypes.CFUNCTYPE(_I, _P, _I), _shm_unmap),
)
_ON_VOLUME: tuple[tuple[str, Any, Any], ...] = (
    ("xOpen", ctypes.CFUNCTYPE(_I, _P, _S, _P, _I, _P), _open),
    ("xDelete", ctypes.CFUNCTYPE(_I, _P, _S, _I), _delete),
    ("xAccess", ctypes.CFUNCTYPE(_I, _P, _S, _I, _P), _access),
    ("xFullPathname", ctypes.CFUNCTYPE(_I, _P, _S, _I, _P), _full_path),
    ("xDlOpen", _P, None),
    ("xDlError", _P, None),
    ("xDlSym", _P, None),
    ("xDlClose", _P, None),
    ("xRandomness", ctypes.CFUNCTYPE(_I, _P, _I, _P), _randomness),
    ("xSleep", ctypes.CFUNCTYPE(_I, _P, _I), _sleep),
    ("xCurrentTime", ctypes.CFUNCTYPE(_I, _P, _P), _now_days),
    ("xGetLastError", ctypes.CFUNCTYPE(_I, _P, _I, _P), _last_error),
    ("xCurrentTimeInt64", ctypes.CFUNCTYPE(_I, _P, _P), _now_ms),
)


class _Methods(ctypes.Structure):
    _fields_ = [("iVersion", _I), *((name, kind) for name, kind, _ in _ON_FILE)]


class _Vfs(ctypes.Structure):
    _fields_ = [
        ("iVersion", _I),
        ("szOsFile", _I),
        ("mxPathname", _I),
        ("pNext", _P),
        ("zName", _S),
        ("pAppData", _P),
        *((name, kind) for name, kind, _ in _ON_VOLUME),
    ]


_methods = _Methods(2, *(kind(fn) for _, kind, fn in _ON_FILE))
_vfs = _Vfs(
    2,
    ctypes.sizeof(_P),
    512,
    None,
    NAME.encode(),
    None,
    *(kind(fn) if fn else None for _, kind, fn in _ON_VOLUME),
)
_library.sqlite3_vfs_register(ctypes.byref(_vfs), 0)
