"""Going on for identities that this kiosk had: what waits under them is delivered as them."""

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from sqlite_utils import Database as Tables

from kiosk.lookup import kiosk_salt
from kiosk.matters import Register
from sync import former
from sync.agent import Agent
from sync.clock import Clock, Entropy
from sync.database import AlreadyRunning, Database, StorageFailed
from sync.device import KioskIdentity
from sync.limits import FORMER_HEARTBEAT_S
from sync.records import Health
from sync.transports import Link

_log = logging.getLogger(__name__)


class Carried(NamedTuple):
    """One former identity with its open store."""

    former: former.Former
    database: Database

    @property
    def register(self) -> Register:
        """Where its matters are looked up."""
        return Register(self.database, kiosk_salt(self.former.keys.to_bytes()))

    def agent(
        self, link: Link, clock: Clock, entropy: Entropy, health: Callable[[], Health]
    ) -> Agent:
        """Answer its own carrier: own keys, own numbers, no catalogue, few calls."""
        return Agent(
            self.database,
            former.CarriedLink(link),
            self.former.keys,
            self.former.identity,
            clock,
            entropy,
            health,
            heartbeat_s=FORMER_HEARTBEAT_S,
        )


@contextlib.contextmanager
def carried(
    formers: Sequence[former.Former], *, is_catalogue_wanted: bool = False
) -> Iterator[tuple[Carried, ...]]:
    """Open the stores of former identities that are not finished, the newest first.

    One that does not open is passed over: the present identity must serve all the same. It is
    tried again at the next start.

    Args:
        formers: The oldest first.
        is_catalogue_wanted: Open the newest one even if it is finished: the present identity
            goes on with its services.
    """
    opened: list[Carried] = []
    try:
        for item in reversed(formers):
            try:
                database = former.opened_former(item, is_threaded=False)
            except (StorageFailed, AlreadyRunning, OSError) as error:
                _log.error(
                    "a former identity does not open", extra={"reason": type(error).__name__}
                )
                continue
            is_wanted = is_catalogue_wanted and not opened
            if former.is_finished(database.conn) and not is_wanted:
                database.close()
                continue
            database.start_thread()
            opened.append(Carried(item, database))
        yield tuple(opened)
    finally:
        for one in opened:
            one.database.close()


class _Catalogue(NamedTuple):
    version: int
    manifests: tuple[tuple[int, bytes], ...]
    blobs: tuple[tuple[str, bytes], ...]


def has_catalogue(db: Tables) -> bool:
    """Answer whether a catalogue is in force in this store."""
    return bool(db.conn.execute("SELECT catalogue FROM standing").fetchone()[0])


async def take_catalogue(
    database: Database, identity: KioskIdentity, held: Sequence[Carried]
) -> bool:
    """Go on with the catalogue of a former identity until the centre is heard; answer if so.

    It was verified when it came, against the same root.
    """
    if await database.run(has_catalogue):
        return False
    for one in held:
        if one.former.identity.root_public == identity.root_public:
            found = await one.database.run(_catalogue_of)
            if found.version:
                await database.write(_copy, found)
                return True
    return False


def _catalogue_of(db: Tables) -> _Catalogue:
    (version,) = db.conn.execute("SELECT catalogue FROM standing").fetchone()
    if not version:
        return _Catalogue(0, (), ())
    manifests = db.conn.execute("SELECT version, raw FROM manifest").fetchall()
    blobs = db.conn.execute("SELECT sha256, raw FROM blob").fetchall()
    return _Catalogue(version, tuple(manifests), tuple(blobs))


def _copy(db: Tables, found: _Catalogue) -> None:
    db.conn.executemany(
        "INSERT OR IGNORE INTO manifest (version, raw) VALUES (?, ?)", found.manifests
    )
    db.conn.executemany("INSERT OR IGNORE INTO blob (sha256, raw) VALUES (?, ?)", found.blobs)
    db.conn.execute("UPDATE standing SET catalogue = ?", (found.version,))
