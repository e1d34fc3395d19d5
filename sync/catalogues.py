"""Catalogue versions in the kiosk's store: what is in force, and what belongs to it."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlite_utils import Database as Tables

from sync.errors import MALFORMED
from sync.forms import Catalogue, Text, Village, decode_catalogue
from sync.manifest import Manifest, ManifestRefused, blob_name, stored_manifest
from sync.sealing import SealingPublic


class Loaded(msgspec.Struct, frozen=True):
    """One catalogue version, ready to run."""

    version: int
    catalogue: Catalogue
    dictionary: bytes
    villages: tuple[Village, ...]
    #: Reason code → text by language.
    reasons: Mapping[str, Text]
    hotline: str
    #: Key that new transactions are sealed to.
    sealing: SealingPublic


def store_blob(db: Tables, name: str, raw: bytes) -> None:
    """Keep a blob under its name (SHA-256, hex), already checked against it."""
    db.conn.execute("INSERT OR IGNORE INTO blob (sha256, raw) VALUES (?, ?)", (name, raw))


def missing_blobs(db: Tables, manifest: Manifest) -> tuple[str, ...]:
    """Answer the names of what a manifest needs and the store has not."""
    wanted = dict.fromkeys(manifest.blobs)
    return tuple(
        name
        for name in wanted
        if db.conn.execute("SELECT 1 FROM blob WHERE sha256 = ?", (name,)).fetchone() is None
    )


def put_in_force(db: Tables, manifest_raw: bytes, blobs: Mapping[str, bytes]) -> int:
    """Store a verified manifest with its blobs and use it from now on; answer its version.

    Older versions stay, for transactions begun with them; blobs that none names go.

    Raises:
        ManifestRefused: It is older than the one in force, or it does not run.
    """
    manifest = stored_manifest(manifest_raw)
    (current,) = db.conn.execute("SELECT catalogue FROM standing").fetchone()
    if manifest.version < current:
        raise ManifestRefused("the centre offers an older catalogue; the present one stays")
    for name, raw in blobs.items():
        store_blob(db, name, raw)
    db.conn.execute(
        "INSERT OR REPLACE INTO manifest (version, raw) VALUES (?, ?)",
        (manifest.version, manifest_raw),
    )
    if loaded(db, manifest.version) is None:
        raise ManifestRefused("a part of the catalogue is missing; it is fetched again")
    db.conn.execute("UPDATE standing SET catalogue = ?", (manifest.version,))
    return manifest.version


def loaded(db: Tables, version: int) -> Loaded | None:
    """Answer one catalogue version; None when it is not whole in the store.

    Raises:
        ManifestRefused: What is stored does not decode.
    """
    row = db.conn.execute("SELECT raw FROM manifest WHERE version = ?", (version,)).fetchone()
    if row is None:
        return None
    manifest = stored_manifest(row[0])
    blobs = [_blob(db, name) for name in manifest.blobs]
    if None in blobs:
        return None
    return _decoded(manifest, [blob for blob in blobs if blob is not None])


def _decoded(manifest: Manifest, blobs: Sequence[bytes]) -> Loaded:
    catalogue, dictionary, villages, reasons = blobs
    try:
        return Loaded(
            version=manifest.version,
            catalogue=decode_catalogue(catalogue),
            dictionary=dictionary,
            villages=msgspec.json.decode(villages, type=tuple[Village, ...]),
            reasons=msgspec.json.decode(reasons, type=dict[str, dict[str, str]]),
            hotline=manifest.hotline,
            sealing=max(manifest.sealing_keys, key=lambda key: key.key_id),
        )
    except MALFORMED as error:
        raise ManifestRefused("the catalogue needs a newer kiosk; update this one") from error


def _blob(db: Tables, name: str) -> bytes | None:
    row = db.conn.execute("SELECT raw FROM blob WHERE sha256 = ?", (name,)).fetchone()
    # A blob is checked again after the disk: a damaged form must not be filled in.
    return bytes(row[0]) if row is not None and blob_name(row[0]) == name else None


def load_current(db: Tables) -> Loaded | None:
    """Answer the catalogue in force; None before the first exchange brought one."""
    (version,) = db.conn.execute("SELECT catalogue FROM standing").fetchone()
    return loaded(db, version)
