"""Opening a kiosk's folder: the identity in force, its store made whole, the former ones beside.

What a kill or a damaged card left half done is finished or undone here, before anything is
shown.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

from sqlite_utils import Database as Tables

from kiosk.formers import Carried, carried, has_catalogue, take_catalogue
from kiosk.machine import board, is_moved
from kiosk.resume import Trail
from kiosk.settings import Settings
from sync import former
from sync.clock import Clock
from sync.database import AlreadyRunning, Database, StorageFailed, open_database
from sync.device import KioskIdentity, load_device
from sync.errors import BianminError
from sync.limits import SHADOW_TIDY_S
from sync.shadow import Entry, Restored, Shadow, put_in, shadow_path
from sync.signing import DeviceKeys
from sync.standing import Past, past_of

_log = logging.getLogger(__name__)
_TRIES = 3
_LOOK_S = 2.0


class Keeper:
    """Writes each committed envelope to the shadow file; a medium that fails is told, not felt.

    Args:
        shadow: The file; None = the setting is off.
        database: Whose envelopes are kept.
    """

    def __init__(self, shadow: Shadow | None, database: Database) -> None:
        self._shadow = shadow
        self._database = database
        #: Whether the last write failed; goes into the health report.
        self.is_missing = False

    async def keep(self, seq: int) -> None:
        """Write the envelope of that number; its promise stands on the database's commit."""
        if self._shadow is not None:
            await self._tried(self._shadow.append, seq)

    async def run(self, clock: Clock) -> None:
        """Drop what the store has dropped, now and then, until cancelled."""
        while self._shadow is not None:
            await self._tried(self._shadow.tidy)
            await clock.sleep(SHADOW_TIDY_S)

    async def _tried(self, fn: Callable[..., object], *args: object) -> None:
        try:
            await self._database.run(fn, *args)
            self.is_missing = False
        except (OSError, sqlite3.Error, BianminError) as error:
            self.is_missing = True
            _log.error("no second copy is kept", extra={"reason": type(error).__name__})


class Opened(NamedTuple):
    """A kiosk's folder, open."""

    identity: KioskIdentity
    keys: DeviceKeys
    database: Database
    #: Former identities that still have something to deliver or to be told, the newest first.
    carried: tuple[Carried, ...] = ()
    #: Writes the second copy; None = there is none.
    keeper: Keeper | None = None
    #: The card was enrolled on another board: no number is given before it is enrolled anew.
    is_elsewhere: bool = False
    #: What the store knows of the time.
    past: Past = Past()


@contextlib.asynccontextmanager
async def entered(settings: Settings, *, this_board: str | None = None) -> AsyncIterator[Opened]:
    """Open the folder, and close it behind.

    Args:
        settings: Of this kiosk.
        this_board: What marks this board; None looks.

    Raises:
        NotEnrolled: It has no identity yet.
        AlreadyRunning: Another program has its store open.
        DiskFull: There is no room even to open the store.
    """
    change_over(settings.data_dir)
    identity, keys, database = _in_force(settings)
    try:
        shadow = _shadow_of(settings, keys.sign_public)
        if shadow is not None:
            await _restored(settings.data_dir, identity, keys, database, shadow)
        is_new = not await database.run(has_catalogue)
        with carried(former.formers(settings.data_dir), is_catalogue_wanted=is_new) as held:
            await take_catalogue(database, identity, held)
            here = board() if this_board is None else this_board
            yield Opened(
                identity=identity,
                keys=keys,
                database=database,
                carried=held,
                keeper=Keeper(shadow, database),
                is_elsewhere=is_moved(identity.board, here),
                past=await database.run(past_of),
            )
    finally:
        database.close()


def change_over(directory: Path) -> None:
    """Finish what a kill left of a change of identity, and make the change that is due.

    Not while a receipt is owed to somebody: it is of the present identity and is shown first.
    A disk that does not take the change must not keep the kiosk from serving as it is.
    """
    former.settle(directory)
    if Trail(directory).owed() is not None or not former.is_change_due(directory):
        return
    try:
        former.change_over(directory)
    except AlreadyRunning:
        raise
    except (StorageFailed, OSError, sqlite3.Error) as error:
        _log.error("the new identity waits", extra={"reason": type(error).__name__})


async def wait_for_change(directory: Path, is_free: Callable[[], bool], clock: Clock) -> None:
    """Return once a new identity waits and nobody stands before the screen."""
    trail = Trail(directory)
    while not (former.is_change_due(directory) and is_free() and trail.owed() is None):
        await clock.sleep(_LOOK_S)


def _in_force(settings: Settings) -> tuple[KioskIdentity, DeviceKeys, Database]:
    for _ in range(_TRIES):
        identity, keys = load_device(settings.data_dir)
        database = open_database(settings.database, device_public=keys.sign_public)
        # Another program may have changed it before this one had the lock.
        if load_device(settings.data_dir)[0] == identity:
            return identity, keys, database
        database.close()
    raise AlreadyRunning("another program keeps changing who this kiosk is; stop it first")


def _shadow_of(settings: Settings, device_public: bytes) -> Shadow | None:
    if not settings.has_shadow:
        return None
    return Shadow(
        shadow_path(settings.shadow_dir or settings.data_dir, device_public), device_public
    )


async def _restored(
    directory: Path, identity: KioskIdentity, keys: DeviceKeys, database: Database, shadow: Shadow
) -> None:
    """Take back from the shadow what the store lost; a second history gets a store of its own."""
    try:
        found: Restored = await database.run(shadow.restore)
    except (OSError, StorageFailed) as error:
        _log.error("the second copy is not readable", extra={"reason": type(error).__name__})
        return
    if found.count:
        _log.warning("the store had lost envelopes", extra={"count": found.count})
    if found.rivals:
        _log.warning("two histories under one identity", extra={"count": len(found.rivals)})
        await asyncio.to_thread(
            former.split_off, directory, identity, keys, lambda db: _filled(db, found.rivals)
        )
        with contextlib.suppress(OSError):
            await database.run(shadow.rewrite)


def _filled(db: Tables, entries: tuple[Entry, ...]) -> None:
    for entry in entries:
        put_in(db, entry)
