"""What has come so far of the catalogue that is being fetched; at most one blob at a time.

It outlives a power cut: a link that carries a minute a day still brings a catalogue, once.
"""

import msgspec
from sqlite_utils import Database as Tables

from sync.manifest import checked_blob
from sync.pieces import Piece


class Part(msgspec.Struct, frozen=True):
    """A blob of which some bytes are there."""

    #: SHA-256 (hex) of the blob that it is a delta against; "" when it comes whole.
    source: str
    tag: bytes
    total: int
    received: int


def target(db: Tables) -> bytes:
    """Answer the manifest that is being fetched for; b"" when none is."""
    row = db.conn.execute("SELECT manifest FROM fetching").fetchone()
    return b"" if row is None else bytes(row[0])


def aim_at(db: Tables, manifest_raw: bytes) -> None:
    """Fetch for this verified manifest from now on; what came for another one is dropped."""
    if target(db) != manifest_raw:
        forget(db)
        db.conn.execute("INSERT INTO fetching (id, manifest) VALUES (1, ?)", (manifest_raw,))


def forget(db: Tables) -> None:
    """Drop the target and all that came for it."""
    db.conn.execute("DELETE FROM blob_part")
    db.conn.execute("DELETE FROM fetching")


def part_of(db: Tables, name: str) -> Part | None:
    """Answer how much of a blob is there; None when nothing is."""
    row = db.conn.execute(
        "SELECT source, tag, total, (SELECT coalesce(sum(length(raw)), 0) FROM blob_part)"
        " FROM fetching WHERE name = ?",
        (name,),
    ).fetchone()
    return None if row is None else Part(*row)


def must_come_whole(db: Tables, name: str) -> bool:
    """Answer whether a delta of this blob has failed before."""
    row = db.conn.execute("SELECT 1 FROM fetching WHERE whole = ?", (name,)).fetchone()
    return row is not None


def keep(db: Tables, name: str, source: str, piece: Piece) -> None:
    """Keep a piece that begins where the part ends; one of another blob begins anew.

    Args:
        db: Inside a transaction.
        name: SHA-256 (hex) of the blob.
        source: What it is a delta against, "" for the whole.
        piece: With the tag of those before it.
    """
    if part_of(db, name) is None:
        db.conn.execute("DELETE FROM blob_part")
        db.conn.execute(
            "UPDATE fetching SET name = ?, source = ?, tag = ?, total = ?",
            (name, source, piece.tag, piece.total),
        )
    if piece.data:
        db.conn.execute("INSERT INTO blob_part (at, raw) VALUES (?, ?)", (piece.at, piece.data))


def drop(db: Tables, *, whole: str | None = None) -> None:
    """Drop the pieces.

    Args:
        db: Inside a transaction.
        whole: Name of the blob that no delta is wanted of any more; None leaves that as it is.
    """
    db.conn.execute("DELETE FROM blob_part")
    db.conn.execute("UPDATE fetching SET name = '', whole = coalesce(?, whole)", (whole,))


def finished(db: Tables, name: str, source: bytes | None) -> bytes:
    """Answer the blob whose pieces are all there.

    Args:
        db: The store.
        name: SHA-256 (hex).
        source: The blob that it is a delta against; None when it came whole.

    Raises:
        ManifestRefused: The pieces do not make that blob.
    """
    rows = db.conn.execute("SELECT raw FROM blob_part ORDER BY at").fetchall()
    return checked_blob(b"".join(row[0] for row in rows), source, name)
