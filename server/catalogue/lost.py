"""Putting back versions that a restored database has lost, from a copy of a kiosk's store.

What was filled in with a lost version waits as a dead letter until the version is here again. A
kiosk keeps the version in force and the one before, with their signed manifests and blobs.
"""

import contextlib
import sqlite3
from pathlib import Path

import msgspec

from server.errors import CatalogueRefused
from server.identity import CentreKeys
from server.store import catalogues
from server.store.catalogues import CatalogueRow
from sync.manifest import Manifest, ManifestRefused, blob_name, decode_manifest
from sync.signing import Trust


class Found(msgspec.Struct, frozen=True):
    """One version as a kiosk holds it."""

    manifest_raw: bytes
    blobs: dict[str, bytes]


def versions_in(path: Path) -> tuple[Found, ...]:
    """Read the versions in a copy of a kiosk's store; nothing in it is believed yet.

    Raises:
        CatalogueRefused: It is no kiosk's store.
    """
    try:
        uri = f"{path.resolve().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as conn:
            manifests = conn.execute("SELECT raw FROM manifest ORDER BY version").fetchall()
            blobs = conn.execute("SELECT sha256, raw FROM blob").fetchall()
    except sqlite3.Error as error:
        raise CatalogueRefused(
            f"{path.name} is no store of a kiosk; copy its kiosk.db and kiosk.db-wal"
        ) from error
    held = {str(name): bytes(raw) for name, raw in blobs}
    return tuple(Found(manifest_raw=bytes(raw), blobs=held) for (raw,) in manifests)


def put_back(
    conn: sqlite3.Connection, keys: CentreKeys, versions: tuple[Found, ...]
) -> tuple[int, ...]:
    """Store the versions that are not here; answer their numbers.

    The pipeline then retries by itself what waits for them.

    Raises:
        CatalogueRefused: One is not this centre's, or not whole; nothing was stored.
    """
    back = []
    for found in versions:
        manifest = _checked(keys, found)
        if catalogues.of_version(conn, manifest.version) is not None:
            continue
        for name in manifest.blobs:
            catalogues.add_blob(conn, name, found.blobs[name])
        catalogues.add_version(
            conn,
            CatalogueRow(
                version=manifest.version,
                manifest=found.manifest_raw,
                catalogue_sha256=manifest.catalogue_sha256,
                dictionary_sha256=manifest.dictionary_sha256,
                villages_sha256=manifest.villages_sha256,
                reasons_sha256=manifest.reasons_sha256,
                hotline=manifest.hotline,
                published_ms=manifest.published_ms,
            ),
        )
        back.append(manifest.version)
    return tuple(back)


def _checked(keys: CentreKeys, found: Found) -> Manifest:
    try:
        # Signed by whatever key the root stood for then.
        manifest = decode_manifest(found.manifest_raw, Trust(roots=(keys.root_public,)))
    except ManifestRefused as error:
        raise CatalogueRefused(str(error)) from error
    for name in manifest.blobs:
        if name not in found.blobs or blob_name(found.blobs[name]) != name:
            raise CatalogueRefused(f"version {manifest.version} is not whole in this copy")
    return manifest
