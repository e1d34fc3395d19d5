"""Files that were carried here: which kiosk's, when, and what was in them."""

import sqlite3

import msgspec

from server.store.rows import Row, read
from sync.limits import STICK_DELIVERIES_KEPT, STICK_REPLIES_KEPT

_FIELDS = (
    "d.id, d.at_ms, d.actor, lower(hex(d.kiosk_id)) AS kiosk_id, d.answers, d.ending, "
    "d.written_ms, d.frames, d.stored, d.duplicates, d.quarantined, d.refused, d.attachments, "
    "d.notices, d.size_bytes, d.is_contact, coalesce(k.kiosk_no, 0) AS kiosk_no, "
    "coalesce(k.name, '') AS kiosk_name"
)


class Delivery(Row, frozen=True):
    """One file, as the page and the command tell of it."""

    at_ms: int
    #: Account, or "command line".
    actor: str
    #: 16 hexadecimal digits, as the file claims; "" when it has no head.
    kiosk_id: str
    #: Name of the file of replies; "" when nothing in it was good.
    answers: str
    #: `bundles.Ending`, "elsewhere" for another centre's, "unknown" for a kiosk that nobody
    #: enrolled here, "busy" when the centre could not take the rest.
    ending: str
    #: Kiosk's clock in its newest frame, Unix ms, a claim.
    written_ms: int
    #: Items of the file, and what became of the envelopes in them.
    frames: int
    stored: int
    duplicates: int
    quarantined: int
    #: Items that prove nothing: changed, another kiosk's, or no frames at all.
    refused: int
    #: Attachments that are whole here now.
    attachments: int
    #: Notices that go back.
    notices: int
    size_bytes: int
    is_contact: bool
    id: int = 0
    #: 0 and "" when no kiosk of ours has that identity.
    kiosk_no: int = 0
    kiosk_name: str = ""


def add(conn: sqlite3.Connection, delivery: Delivery) -> int:
    """Keep a delivery; the oldest beyond the kept number go. Answer its number."""
    values = msgspec.structs.asdict(delivery)
    values["kiosk_id"] = bytes.fromhex(delivery.kiosk_id)
    cursor = conn.execute(
        "INSERT INTO stick_deliveries (at_ms, actor, kiosk_id, answers, ending, written_ms, "
        "frames, stored, duplicates, quarantined, refused, attachments, notices, size_bytes, "
        "is_contact) VALUES (:at_ms, :actor, :kiosk_id, :answers, :ending, :written_ms, :frames, "
        ":stored, :duplicates, :quarantined, :refused, :attachments, :notices, :size_bytes, "
        ":is_contact)",
        values,
    )
    conn.execute(
        "DELETE FROM stick_deliveries WHERE id <= (SELECT max(id) FROM stick_deliveries) - ?",
        (STICK_DELIVERIES_KEPT,),
    )
    return int(cursor.lastrowid or 0)


def recent(conn: sqlite3.Connection, limit: int, offset: int = 0) -> list[Delivery]:
    """Answer the latest deliveries, newest first."""
    rows = conn.execute(
        f"SELECT {_FIELDS} FROM stick_deliveries d LEFT JOIN kiosks k USING (kiosk_id) "  # noqa: S608 -- constants
        "ORDER BY d.id DESC LIMIT ? OFFSET ?",
        (limit, offset),
    )
    return [read(Delivery, row) for row in rows]


def delivery(conn: sqlite3.Connection, number: int) -> Delivery | None:
    """Answer one delivery; None when it is not kept any more."""
    row = conn.execute(
        f"SELECT {_FIELDS} FROM stick_deliveries d LEFT JOIN kiosks k USING (kiosk_id) "  # noqa: S608 -- constants
        "WHERE d.id = ?",
        (number,),
    ).fetchone()
    return None if row is None else read(Delivery, row)


def kept_answers(conn: sqlite3.Connection) -> frozenset[str]:
    """Answer the names of those files of replies that are kept: of the latest deliveries."""
    rows = conn.execute(
        "SELECT answers FROM stick_deliveries WHERE answers != '' ORDER BY id DESC LIMIT ?",
        (STICK_REPLIES_KEPT,),
    )
    return frozenset(str(row[0]) for row in rows)
