"""Catalogue versions in the kiosk's store: what is in force, and what belongs to it."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlite_utils import Database as Tables

from sync import parts
from sync.dictionary import build_dictionary
from sync.errors import MALFORMED
from sync.forms import Catalogue, Text, Village, decode_catalogue
from sync.limits import CATALOGUES_KEPT
from sync.manifest import Manifest, ManifestRefused, blob_name, stored_manifest
from sync.octets import WireError
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
    db.conn.execute("INSERT OR REPLACE INTO blob (sha256, raw) VALUES (?, ?)", (name, raw))


def missing_blobs(db: Tables, manifest: Manifest) -> tuple[str, ...]:
    """Answer the names of what a manifest needs and the store has not, or not undamaged."""
    wanted = dict.fromkeys(manifest.blobs)
    return tuple(name for name in wanted if blob(db, name) is None)


def has_built_dictionary(db: Tables, manifest: Manifest) -> bool:
    """Build a manifest's dictionary from its catalogue; answer whether that is the one it names.

    It always is unless the centre runs another version of this program, and then it is fetched.
    """
    raw = blob(db, manifest.catalogue_sha256)
    if raw is None:
        return False
    try:
        built = build_dictionary(decode_catalogue(raw))
    except MALFORMED:
        return False
    if blob_name(built) != manifest.dictionary_sha256:
        return False
    store_blob(db, manifest.dictionary_sha256, built)
    return True


def held_manifest(db: Tables) -> bytes:
    """Answer the manifest in force as it was signed; b"" when none is."""
    row = db.conn.execute(
        "SELECT raw FROM manifest WHERE version = (SELECT catalogue FROM standing)"
    ).fetchone()
    return b"" if row is None else bytes(row[0])


def put_in_force(db: Tables, manifest_raw: bytes, blobs: Mapping[str, bytes]) -> int:
    """Store a verified manifest with its blobs and use it from now on; answer its version.

    A visit that has begun keeps the version it began with, in memory. Here the one before stays,
    to fall back on when the disk damages this one; what is older goes with its blobs.

    Raises:
        ManifestRefused: It is older than the one in force, or it does not run.
    """
    manifest = stored_manifest(manifest_raw)
    if manifest.version < _in_force(db):
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
    parts.forget(db)
    _drop_old(db)
    return manifest.version


def _drop_old(db: Tables) -> None:
    """Drop what no kept version needs."""
    rows = db.conn.execute("SELECT version, raw FROM manifest ORDER BY version DESC").fetchall()
    kept = [stored_manifest(raw) for _, raw in rows[:CATALOGUES_KEPT]]
    needed = {name for manifest in kept for name in manifest.blobs}
    for version, _ in rows[CATALOGUES_KEPT:]:
        db.conn.execute("DELETE FROM manifest WHERE version = ?", (version,))
    for (name,) in db.conn.execute("SELECT sha256 FROM blob").fetchall():
        if name not in needed:
            db.conn.execute("DELETE FROM blob WHERE sha256 = ?", (name,))


def _in_force(db: Tables) -> int:
    (version,) = db.conn.execute("SELECT catalogue FROM standing").fetchone()
    return int(version)


def loaded(db: Tables, version: int) -> Loaded | None:
    """Answer one catalogue version; None when it is not whole in the store.

    Raises:
        ManifestRefused: What is stored does not decode.
    """
    row = db.conn.execute("SELECT raw FROM manifest WHERE version = ?", (version,)).fetchone()
    if row is None:
        return None
    manifest = stored_manifest(row[0])
    blobs = [raw for name in manifest.blobs if (raw := blob(db, name)) is not None]
    return _decoded(manifest, blobs) if len(blobs) == len(manifest.blobs) else None


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


def blob(db: Tables, name: str) -> bytes | None:
    """Answer a blob by its name; None when it is not there, or damaged."""
    row = db.conn.execute("SELECT raw FROM blob WHERE sha256 = ?", (name,)).fetchone()
    # A blob is checked again after the disk: a damaged form must not be filled in.
    return bytes(row[0]) if row is not None and blob_name(row[0]) == name else None


def load_current(db: Tables) -> Loaded | None:
    """Answer the catalogue in force, or the newest before it that the disk has not damaged.

    None before the first exchange brought one.
    """
    versions = db.conn.execute(
        "SELECT version FROM manifest WHERE version <= ? ORDER BY version DESC", (_in_force(db),)
    ).fetchall()
    found = (_undamaged(db, version) for (version,) in versions)
    return next((each for each in found if each is not None), None)


def _undamaged(db: Tables, version: int) -> Loaded | None:
    try:
        return loaded(db, version)
    except (ManifestRefused, WireError):
        return None


def recheck(db: Tables) -> None:
    """Say with the next request what really runs here, so that what is damaged comes again."""
    running = load_current(db)
    db.conn.execute("UPDATE standing SET catalogue = ?", (running.version if running else 0,))
