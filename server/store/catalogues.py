"""Published catalogues and their blobs; a version is never deleted."""

import sqlite3

from server.store.rows import Row, read


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


def of_version(conn: sqlite3.Connection, version: int) -> CatalogueRow | None:
    """Answer one version, None when it was never published here."""
    row = conn.execute("SELECT * FROM catalogues WHERE version = ?", (version,)).fetchone()
    return None if row is None else read(CatalogueRow, row)


def blob(conn: sqlite3.Connection, sha256: str) -> bytes | None:
    """Answer a blob by its hash in lower-case hexadecimal."""
    row = conn.execute("SELECT raw FROM blobs WHERE sha256 = ?", (sha256,)).fetchone()
    return None if row is None else bytes(row[0])


def add_blob(conn: sqlite3.Connection, sha256: str, raw: bytes) -> None:
    """Keep a blob; again is the same."""
    conn.execute("INSERT OR IGNORE INTO blobs (sha256, raw) VALUES (?, ?)", (sha256, raw))


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
