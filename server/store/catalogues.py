"""Published catalogues and their blobs; a version is never deleted."""

import sqlite3

from server.store.rows import Row, read
from sync.limits import CATALOGUE_AHEAD_MAX


class CatalogueRow(Row, frozen=True):
    """One published version."""

    version: int
    manifest: bytes
    catalogue_sha256: str
    dictionary_sha256: str
    villages_sha256: str
    reasons_sha256: str
    hotline: str
    published_ms: int


def latest(conn: sqlite3.Connection) -> CatalogueRow | None:
    """Answer the newest version, None before the first publishing."""
    row = conn.execute("SELECT * FROM catalogues ORDER BY version DESC LIMIT 1").fetchone()
    return None if row is None else read(CatalogueRow, row)


def highest_known(conn: sqlite3.Connection) -> int:
    """Answer the highest version that anything here speaks of, 0 when nothing does.

    After a restore kiosks, and envelopes that were filled in with them, know versions that the
    database has lost. A stolen kiosk may speak of any: what is far above the newest here counts
    as `CATALOGUE_AHEAD_MAX` above it.
    """
    published, told = conn.execute(
        "SELECT coalesce((SELECT max(version) FROM catalogues), 0),"
        " max(coalesce((SELECT max(catalogue) FROM kiosks), 0),"
        " coalesce((SELECT max(catalogue) FROM envelopes), 0))"
    ).fetchone()
    return max(int(published), min(int(told), int(published) + CATALOGUE_AHEAD_MAX))


def of_version(conn: sqlite3.Connection, version: int) -> CatalogueRow | None:
    """Answer one version, None when it was never published here."""
    row = conn.execute("SELECT * FROM catalogues WHERE version = ?", (version,)).fetchone()
    return None if row is None else read(CatalogueRow, row)


def blob(conn: sqlite3.Connection, sha256: str) -> bytes | None:
    """Answer a blob by its hash in lower-case hexadecimal."""
    row = conn.execute("SELECT raw FROM blobs WHERE sha256 = ?", (sha256,)).fetchone()
    return None if row is None else bytes(row[0])


def blob_beginning(conn: sqlite3.Connection, digits: str) -> bytes | None:
    """Answer the blob whose hash begins with these hexadecimal digits; None when none does."""
    row = conn.execute(
        # "g" comes after every digit.
        "SELECT raw FROM blobs WHERE sha256 >= ?1 AND sha256 < ?1 || 'g' LIMIT 1",
        (digits,),
    ).fetchone()
    return None if row is None else bytes(row[0])


def newest_manifests(conn: sqlite3.Connection, count: int) -> list[bytes]:
    """Answer the signed manifests of the newest versions, newest first."""
    rows = conn.execute("SELECT manifest FROM catalogues ORDER BY version DESC LIMIT ?", (count,))
    return [bytes(row[0]) for row in rows]


def add_blob(conn: sqlite3.Connection, sha256: str, raw: bytes) -> bool:
    """Keep a blob; answer whether it was not there, or damaged. Again is the same."""
    changed = conn.execute(
        "INSERT INTO blobs (sha256, raw) VALUES (?, ?)"
        " ON CONFLICT (sha256) DO UPDATE SET raw = excluded.raw WHERE raw <> excluded.raw",
        (sha256, raw),
    )
    return changed.rowcount > 0


def add_version(conn: sqlite3.Connection, row: CatalogueRow) -> None:
    """Publish a version; its blobs are there already.

    Raises:
        sqlite3.IntegrityError: The version exists, or a blob is missing.
    """
    conn.execute(
        "INSERT INTO catalogues (version, manifest, catalogue_sha256, dictionary_sha256, "
        "villages_sha256, reasons_sha256, hotline, published_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            row.version,
            row.manifest,
            row.catalogue_sha256,
            row.dictionary_sha256,
            row.villages_sha256,
            row.reasons_sha256,
            row.hotline,
            row.published_ms,
        ),
    )
