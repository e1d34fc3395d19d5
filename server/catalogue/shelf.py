"""Published catalogues in memory, read from the database when first asked for."""

import contextlib
import sqlite3
from collections.abc import Mapping

import msgspec

from server.errors import NotPublished
from server.store import catalogues
from sync.forms import Catalogue, Service, Text, Village, decode_catalogue
from sync.manifest import blob_name


class Published(msgspec.Struct, frozen=True):
    """One published version with all that belongs to it."""

    version: int
    catalogue: Catalogue
    #: Preset dictionary of the answers' compression.
    dictionary: bytes
    villages: Mapping[str, Village]
    #: Reasons of corrections and refusals by code.
    reasons: Mapping[str, Text]
    hotline: str
    #: The signed manifest, as kiosks fetch it.
    manifest: bytes

    def service(self, service_id: str) -> Service | None:
        """Answer a service, None when this version has none of that id."""
        try:
            return self.catalogue.service(service_id)
        except KeyError:
            return None

    def village_name(self, code: str) -> Text:
        """Answer a village's name by language; its code when it is not on the list."""
        village = self.villages.get(code)
        return village.name if village else {"zh-CN": code, "en": code}


def load(conn: sqlite3.Connection, version: int | None = None) -> Published | None:
    """Read one version from the database (the newest for None); None when there is none."""
    found = catalogues.latest(conn) if version is None else catalogues.of_version(conn, version)
    if found is None:
        return None
    villages = msgspec.json.decode(_blob(conn, found.villages_sha256), type=tuple[Village, ...])
    return Published(
        version=found.version,
        catalogue=decode_catalogue(_blob(conn, found.catalogue_sha256)),
        dictionary=_blob(conn, found.dictionary_sha256),
        villages={village.code: village for village in villages},
        reasons=msgspec.json.decode(
            _blob(conn, found.reasons_sha256), type=dict[str, dict[str, str]]
        ),
        hotline=found.hotline,
        manifest=found.manifest,
    )


def _blob(conn: sqlite3.Connection, sha256: str) -> bytes:
    raw = catalogues.blob(conn, sha256)
    # Checked again after the disk: answers are read by these bytes.
    if raw is None or blob_name(raw) != sha256:
        raise NotPublished(f"blob {sha256[:16]} is missing or damaged; publish it again")
    return raw


class Shelf:
    """The versions in use. Reading is for the event loop; loading runs on a store's connection.

    `refresh` and `fetch` are given to `Store.read`, e.g. ``await store.read(shelf.refresh)``.
    """

    def __init__(self) -> None:
        self._versions: dict[int, Published] = {}
        self._current: Published | None = None

    @property
    def current(self) -> Published | None:
        """The newest version, None before the first publishing."""
        return self._current

    def version(self, number: int) -> Published | None:
        """Answer a version that is already in memory."""
        return self._versions.get(number)

    def refresh(self, conn: sqlite3.Connection) -> Published | None:
        """Look for a newer version; answer the newest that is whole."""
        row = conn.execute("SELECT max(version) FROM catalogues").fetchone()
        if row[0] is not None and (self._current is None or self._current.version != row[0]):
            # A damaged newest one must not hold up what was made with others.
            with contextlib.suppress(NotPublished):
                self._current = load(conn) or self._current
            if self._current is not None:
                self._versions[self._current.version] = self._current
        return self._current

    def fetch(self, conn: sqlite3.Connection, number: int) -> Published | None:
        """Answer a version, from the database when it is not in memory."""
        if number not in self._versions:
            found = load(conn, number)
            if found is None:
                return None
            self._versions[number] = found
        return self._versions[number]
