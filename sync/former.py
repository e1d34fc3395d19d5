"""Who this kiosk was before: identities that were replaced, kept whole until all is delivered.

A kiosk that is enrolled anew has new keys and numbers from 1. What waits under the former
identity can only be delivered under it, so its keys, its name and its store stay together in
`former/N/` and are carried from there. Who the kiosk is changes in one step, the renaming of
one file; whatever is killed before it leaves the old identity, whatever is killed after it the
new one.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from sqlite_utils import Database as Tables

from sync.database import AlreadyRunning, Database, immediate, is_in_use, open_database
from sync.device import (
    IDENTITY_FILE,
    NEXT_FILE,
    KioskIdentity,
    NotEnrolled,
    load_device,
    load_identity,
    load_next,
    read_keys,
    save_identity,
    save_keys,
)
from sync.disk import SYSTEM_DISK
from sync.files import sync_directory
from sync.limits import FORMER_BALLAST_BYTES, RECEIPT_KEPT_DAYS
from sync.signing import DeviceKeys
from sync.transports import Link, LinkDown

FOLDER = "former"
STORE_NAME = "kiosk.db"
_UNFINISHED = ".part"
_DAY_MS = 86_400_000
_TRIES = 3


class Former(msgspec.Struct, frozen=True):
    """An identity that this kiosk had."""

    directory: Path
    identity: KioskIdentity
    keys: DeviceKeys

    @property
    def store(self) -> Path:
        """Its outbox, receipts and notices."""
        return self.directory / STORE_NAME


def formers(directory: Path) -> tuple[Former, ...]:
    """Answer the identities that this kiosk had, the oldest first.

    A folder without readable identity or keys is passed over; nothing of it is deleted.
    """
    found = []
    for folder in _folders(directory):
        with contextlib.suppress(NotEnrolled):
            identity, keys = load_device(folder)
            found.append(Former(directory=folder, identity=identity, keys=keys))
    return tuple(found)


def opened_former(former: Former, *, is_threaded: bool = True) -> Database:
    """Open the store of a former identity.

    Raises:
        AlreadyRunning: Another program has it open.
        DiskFull: There is no room even to open it.
    """
    return open_database(
        former.store,
        device_public=former.keys.sign_public,
        ballast_bytes=FORMER_BALLAST_BYTES,
        is_threaded=is_threaded,
    )


def is_finished(db: Tables) -> bool:
    """Answer whether a former store has nothing to deliver and nothing to be told any more.

    Counted in the centre's time: as long as a receipt may still be asked for, its notices come.
    """
    (waiting,) = db.conn.execute(
        "SELECT (SELECT count(*) FROM outbox WHERE state = 'pending')"
        " + (SELECT count(*) FROM attachment WHERE state = 'pending')"
    ).fetchone()
    newest_ms, centre_ms = db.conn.execute(
        "SELECT coalesce(max(confirmed_ms), 0), (SELECT centre_ms FROM standing) FROM receipt"
    ).fetchone()
    is_told = centre_ms > 0 and centre_ms - newest_ms > RECEIPT_KEPT_DAYS * _DAY_MS
    return not waiting and (not newest_ms or bool(is_told))


class CarriedLink:
    """The way of a former identity: envelopes and notices, no catalogue.

    Args:
        link: The kiosk's own.
    """

    def __init__(self, link: Link) -> None:
        self._link = link

    async def post(self, path: str, body: bytes) -> bytes:
        """Send a body and answer the reply's."""
        return await self._link.post(path, body)

    async def get(self, path: str) -> bytes:
        """Refuse: nobody fills in a form of a former identity."""
        raise LinkDown(f"a former identity needs nothing of {path}")


def is_change_due(directory: Path) -> bool:
    """Answer whether a new identity waits to be put in force."""
    return load_next(directory) is not None


def settle(directory: Path) -> None:
    """Finish or undo what a kill left of a change; call before anything is opened.

    An attempt that had not reached its one step is undone (the old identity is in force and
    its store lies where it was); after the step the rest is put away.

    Raises:
        AlreadyRunning: The kiosk is at work here; nothing was touched.
    """
    if not directory.is_dir():
        return
    if is_in_use(directory / STORE_NAME):
        raise AlreadyRunning("the kiosk is already running here; stop the other one first")
    _settle(directory)


def _settle(directory: Path) -> None:
    root = directory / FOLDER
    if root.is_dir():
        for folder in _folders(directory):
            if _is_attempt(directory, folder):
                folder.rename(folder.with_name(folder.name + _UNFINISHED))
        for part in root.glob(f"*{_UNFINISHED}"):
            shutil.rmtree(part)
        sync_directory(root)
    for folder in _folders(directory):
        _put_away(directory, folder)
    _take_orphans(directory)


def change_over(directory: Path) -> KioskIdentity | None:
    """Put the waiting identity in force; answer it, None when none waits.

    Call it while nothing of this kiosk is open. The former identity with its store is in
    `former/N/` afterwards; the new one begins with an empty store.

    Raises:
        AlreadyRunning: The kiosk is at work here; the identity goes on waiting.
        StorageFailed, OSError: The disk does not take it; the old identity stays in force.
    """
    settle(directory)
    fresh = load_next(directory)
    if fresh is None:
        return None
    # The keys were written before the centre was asked; without them the name is worth nothing.
    read_keys(directory / fresh.keys_file)
    _, keys = load_device(directory)
    for _ in range(_TRIES):
        _closed_cleanly(directory / STORE_NAME, keys)
        lock = SYSTEM_DISK.lock(directory / f"{STORE_NAME}.lock", is_waiting=False)
        try:
            if (directory / f"{STORE_NAME}-wal").exists():
                # Somebody opened the store between the two locks and was killed.
                continue
            folder = _kept_together(directory)
            (directory / NEXT_FILE).replace(directory / IDENTITY_FILE)
            sync_directory(directory)
            _put_away(directory, folder)
            return fresh
        finally:
            lock.release()
    raise AlreadyRunning("another program keeps opening the kiosk's store; stop it first")


def split_off(
    directory: Path, identity: KioskIdentity, keys: DeviceKeys, fill: Callable[[Tables], None]
) -> Path:
    """Give a second history of the present identity a store of its own; answer its folder.

    Two envelopes of one number cannot lie in one outbox, and neither resident's may be lost: it
    is carried like a former identity's, under the same keys, and the centre keeps both.

    Args:
        directory: The kiosk's folder.
        identity: The present one.
        keys: Its keys.
        fill: Puts the envelopes into the new store; runs inside `immediate`.
    """
    part = _new_part(directory)
    save_identity(part, identity)
    save_keys(part, keys, name=identity.keys_file)
    database = open_database(
        part / STORE_NAME,
        device_public=keys.sign_public,
        ballast_bytes=FORMER_BALLAST_BYTES,
        is_threaded=False,
    )
    try:
        with immediate(database.conn) as db:
            fill(db)
    finally:
        database.close()
    return _named(part)


def _closed_cleanly(store: Path, keys: DeviceKeys) -> None:
    """Heal, salvage and check-point the store, so that it is one file without a log."""
    database = open_database(store, device_public=keys.sign_public, is_threaded=False)
    try:
        database.conn.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        database.close()


def _kept_together(directory: Path) -> Path:
    """Link the present identity into a folder of its own; both names are the same files."""
    part = _new_part(directory)
    for name in _own_names(directory):
        os.link(directory / name, part / name)
    return _named(part)


def _new_part(directory: Path) -> Path:
    root = directory / FOLDER
    number = max((int(folder.name) for folder in _folders(directory)), default=0) + 1
    part = root / f"{number}{_UNFINISHED}"
    root.mkdir(mode=0o700, exist_ok=True)
    sync_directory(directory)
    if part.exists():
        shutil.rmtree(part)
    part.mkdir(mode=0o700)
    return part


def _named(part: Path) -> Path:
    """Let a folder count that is whole."""
    sync_directory(part)
    folder = part.with_name(part.name.removesuffix(_UNFINISHED))
    part.rename(folder)
    sync_directory(folder.parent)
    return folder


def _own_names(directory: Path) -> Iterator[str]:
    """Answer the names of the files that belong to the present identity."""
    yield IDENTITY_FILE
    yield load_identity(directory).keys_file
    for path in sorted(directory.glob(f"{STORE_NAME}*")):
        # The lock and the ballast belong to the folder, not to whoever uses it.
        if path.is_file() and not path.name.endswith((".lock", ".ballast", "-shm")):
            yield path.name


def _folders(directory: Path) -> list[Path]:
    root = directory / FOLDER
    found = [path for path in root.glob("*") if path.name.isdigit()] if root.is_dir() else []
    return sorted(found, key=lambda path: int(path.name))


def _is_attempt(directory: Path, folder: Path) -> bool:
    """Answer whether the folder holds the identity that is still in force."""
    return _is_same(folder / IDENTITY_FILE, directory / IDENTITY_FILE)


def _is_same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _put_away(directory: Path, folder: Path) -> None:
    """Take away the names that a kept folder's files still have beside it."""
    is_any = False
    for path in folder.iterdir():
        beside = directory / path.name
        if _is_same(path, beside):
            beside.unlink()
            is_any = True
    if is_any:
        sync_directory(directory)


def _take_orphans(directory: Path) -> None:
    """Give stores that were set aside without their identity a folder, if their keys are here.

    That happens when the file that says who the kiosk is was damaged and it was enrolled anew:
    the centre is the same, so the present identity says how to speak to it.
    """
    try:
        present = load_identity(directory)
    except NotEnrolled:
        return
    for store in sorted(directory.glob(f"{STORE_NAME}.former-*")):
        if not store.suffix.rpartition("-")[2].isdigit():
            continue
        key = _key_of(directory, _owner_of(store))
        if key is not None:
            _adopt(directory, store, msgspec.structs.replace(present, keys_file=key.name), key)


def _owner_of(store: Path) -> bytes:
    conn = SYSTEM_DISK.connect(store, is_readonly=True)
    try:
        row = conn.execute("SELECT kiosk_id FROM standing").fetchone()
    except sqlite3.Error:
        # Too damaged to tell; it stays where it is, for a person to look at.
        return b""
    finally:
        conn.close()
    return bytes(row[0]) if row is not None else b""


def _key_of(directory: Path, owner: bytes) -> Path | None:
    for path in sorted(directory.glob("device*.key")):
        with contextlib.suppress(NotEnrolled):
            if owner and read_keys(path).kiosk_id == owner:
                return path
    return None


def _adopt(directory: Path, store: Path, identity: KioskIdentity, key: Path) -> None:
    part = _new_part(directory)
    save_identity(part, identity)
    os.link(key, part / key.name)
    for suffix in ("", "-wal"):
        source = store.with_name(store.name + suffix)
        if source.exists():
            os.link(source, part / (STORE_NAME + suffix))
    _named(part)
    for suffix in ("", "-wal", "-shm"):
        store.with_name(store.name + suffix).unlink(missing_ok=True)
    sync_directory(directory)
