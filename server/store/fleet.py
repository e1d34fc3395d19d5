"""Kiosks: enrolment codes, identities, health. Functions take the connection, never commit."""

import sqlite3

import msgspec

from server.errors import FleetFull, KioskRowUnknown
from server.store import centre
from server.store.rows import EnrolmentCode, FleetSummary, HealthPoint, KioskRow, Row, read
from sync import limits

# Up to the mark nothing is missing: only what lies beyond it is counted, so that the fleet's page
# grows no slower with each year.
_KIOSK = """
SELECT lower(hex(k.kiosk_id)) AS kiosk_id, k.kiosk_no, k.name, k.village_code, k.enrolled_ms,
  k.replaced_by IS NOT NULL AS is_replaced,
  k.last_seen_ms, k.pending, k.oldest_s, k.head_seq, k.mark_seq, k.disk_free_mb, k.version,
  k.catalogue, k.clock_skew_ms, k.state, k.attachments_pending, k.devices, k.bytes_in,
  k.bytes_out, max(0, k.head_seq - k.mark_seq - (SELECT count(DISTINCT e.seq) FROM envelopes e
    WHERE e.kiosk_id = k.kiosk_id AND e.seq > k.mark_seq AND e.seq <= k.head_seq)
  ) AS missing_count,
  coalesce((SELECT max(d.at_ms) FROM stick_deliveries d
    WHERE d.kiosk_id = k.kiosk_id AND d.is_contact), 0) AS stick_ms
FROM kiosks k
"""


class KioskIdentityRow(Row, frozen=True):
    """What ingest needs of a kiosk: keys, state and where its chain stands."""

    kiosk_id: bytes
    kiosk_no: int
    name: str
    village_code: str
    device_public: bytes
    notice_public: bytes
    state: str
    counter: int
    request_hash: bytes
    boots: int
    boot_id: bytes
    head_seq: int
    cursor: int
    mark_seq: int
    mark_hash: bytes
    fork_seq: int | None
    clock_skew_ms: int


def kiosks(conn: sqlite3.Connection) -> list[KioskRow]:
    """Answer every kiosk by number."""
    return [read(KioskRow, row) for row in conn.execute(f"{_KIOSK} ORDER BY k.kiosk_no")]


def kiosk(conn: sqlite3.Connection, kiosk_id: str) -> KioskRow | None:
    """Answer one kiosk by its hexadecimal id; None when unknown or no such text."""
    try:
        raw = bytes.fromhex(kiosk_id)
    except ValueError:
        return None
    row = conn.execute(f"{_KIOSK} WHERE k.kiosk_id = ?", (raw,)).fetchone()
    return None if row is None else read(KioskRow, row)


def identity(conn: sqlite3.Connection, kiosk_id: bytes) -> KioskIdentityRow | None:
    """Answer a kiosk's keys and chain, None when it was never enrolled."""
    row = conn.execute("SELECT * FROM kiosks WHERE kiosk_id = ?", (kiosk_id,)).fetchone()
    return None if row is None else read(KioskIdentityRow, row)


def summary(conn: sqlite3.Connection) -> FleetSummary:
    """Answer the whole fleet in one line."""
    row = conn.execute(
        "SELECT count(*) AS kiosks, coalesce(sum(state = 'active'), 0) AS active, "
        "coalesce(sum(state = 'revoked'), 0) AS revoked, "
        "coalesce(sum(state = 'forked'), 0) AS forked, coalesce(sum(pending), 0) AS pending, "
        "(SELECT count(*) FROM envelopes WHERE fate = 'waiting') AS waiting, "
        "(SELECT count(*) FROM dead_letters) AS dead_letters, "
        "coalesce(sum(state != 'revoked' AND epoch > ?), 0) AS ahead FROM kiosks",
        (centre.epoch(conn),),
    ).fetchone()
    return read(FleetSummary, row)


def health(conn: sqlite3.Connection, kiosk_id: str, limit: int = 500) -> list[HealthPoint]:
    """Answer the latest points of one kiosk's health, newest first."""
    rows = conn.execute(
        "SELECT at_ms, pending, oldest_s, disk_free_mb FROM health WHERE kiosk_id = ? "
        "ORDER BY at_ms DESC, id DESC LIMIT ?",
        (bytes.fromhex(kiosk_id), limit),
    )
    return [read(HealthPoint, row) for row in rows]


def revoke(conn: sqlite3.Connection, kiosk_id: str) -> None:
    """Take a stolen or broken kiosk out of service; what it still sends goes to quarantine.

    Raises:
        KioskRowUnknown: There is no such kiosk.
    """
    changed = conn.execute(
        "UPDATE kiosks SET state = 'revoked' WHERE lower(hex(kiosk_id)) = ?", (kiosk_id.lower(),)
    )
    if changed.rowcount == 0:
        raise KioskRowUnknown("no kiosk has that identity")


def revoke_number(conn: sqlite3.Connection, kiosk_no: int) -> None:
    """Take the kiosk of that number out of service.

    Raises:
        KioskRowUnknown: There is no such kiosk.
    """
    row = conn.execute("SELECT kiosk_id FROM kiosks WHERE kiosk_no = ?", (kiosk_no,)).fetchone()
    if row is None:
        raise KioskRowUnknown(f"no kiosk has the number {kiosk_no}")
    revoke(conn, bytes(row[0]).hex())


def add_code(
    conn: sqlite3.Connection,
    *,
    locator: str,
    key: bytes,
    name: str,
    village_code: str,
    now_ms: int,
    replaces: int | None = None,
) -> None:
    """Keep a new enrolment code: its locator and the key made of its secret, not the secret.

    Raises:
        KioskRowUnknown: `replaces` is no kiosk's number.
        sqlite3.IntegrityError: The locator is in use; draw again.
    """
    if replaces is not None:
        row = conn.execute("SELECT 1 FROM kiosks WHERE kiosk_no = ?", (replaces,)).fetchone()
        if row is None:
            raise KioskRowUnknown(f"no kiosk has the number {replaces}")
    # A locator has 20 bits; codes that are dead for a week make room.
    conn.execute(
        "DELETE FROM enrolment_codes WHERE used_ms IS NULL AND expires_ms < ?",
        (now_ms - 7 * limits.ENROL_CODE_MS,),
    )
    conn.execute(
        "INSERT INTO enrolment_codes (locator, key, name, village_code, replaces, created_ms, "
        "expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (locator, key, name, village_code, replaces, now_ms, now_ms + limits.ENROL_CODE_MS),
    )


def codes(conn: sqlite3.Connection) -> list[EnrolmentCode]:
    """Answer the codes handed out, newest first."""
    rows = conn.execute("SELECT * FROM enrolment_codes ORDER BY created_ms DESC LIMIT 200")
    return [read(EnrolmentCode, row) for row in rows]


class CodeRow(Row, frozen=True):
    """A code as enrolment needs it."""

    locator: str
    key: bytes
    name: str
    village_code: str
    replaces: int | None
    expires_ms: int
    tries: int
    used_ms: int | None
    request_hash: bytes | None
    reply: bytes | None


def code(conn: sqlite3.Connection, locator: str) -> CodeRow | None:
    """Answer a code by its open part, None when unknown."""
    row = conn.execute("SELECT * FROM enrolment_codes WHERE locator = ?", (locator,)).fetchone()
    return None if row is None else read(CodeRow, row)


def count_try(conn: sqlite3.Connection, locator: str) -> None:
    """Note a wrong secret."""
    conn.execute("UPDATE enrolment_codes SET tries = tries + 1 WHERE locator = ?", (locator,))


def next_kiosk_no(conn: sqlite3.Connection) -> int:
    """Answer the next number, never one that was given before.

    Raises:
        FleetFull: All four-digit numbers were given.
    """
    number = int(conn.execute("SELECT coalesce(max(kiosk_no), 0) + 1 FROM kiosks").fetchone()[0])
    if number > limits.KIOSKS_MAX:
        raise FleetFull("all 9999 kiosk numbers were given out")
    return number


def add_kiosk(
    conn: sqlite3.Connection,
    *,
    kiosk_id: bytes,
    kiosk_no: int,
    name: str,
    village_code: str,
    device_public: bytes,
    notice_public: bytes,
    fingerprint: bytes,
    replaces: int | None,
    now_ms: int,
) -> None:
    """Enrol a kiosk; what is told to the one that it replaces is told to it as well."""
    conn.execute(
        "INSERT INTO kiosks (kiosk_id, kiosk_no, name, village_code, device_public, "
        "notice_public, fingerprint, enrolled_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            kiosk_id,
            kiosk_no,
            name,
            village_code,
            device_public,
            notice_public,
            fingerprint,
            now_ms,
        ),
    )
    if replaces is not None:
        conn.execute("UPDATE kiosks SET replaced_by = ? WHERE kiosk_no = ?", (kiosk_id, replaces))
        conn.execute(
            "UPDATE kiosks SET replaces = (SELECT kiosk_id FROM kiosks WHERE kiosk_no = ?) "
            "WHERE kiosk_id = ?",
            (replaces, kiosk_id),
        )


def use_code(
    conn: sqlite3.Connection, locator: str, *, request_hash: bytes, reply: bytes, now_ms: int
) -> None:
    """Spend a code; the reply is kept so that a lost one can be asked for again."""
    conn.execute(
        "UPDATE enrolment_codes SET used_ms = ?, request_hash = ?, reply = ? WHERE locator = ?",
        (now_ms, request_hash, reply, locator),
    )


class Seen(Row, frozen=True):
    """What one exchange says of a kiosk."""

    counter: int
    request_hash: bytes
    claimed_ms: int
    boots: int
    boot_id: bytes
    #: Which start of the kiosk the boot id stands for; 0 = not said.
    boot_number: int
    cursor: int
    epoch: int
    head_seq: int
    catalogue: int
    pending: int
    oldest_s: int
    disk_free_mb: int
    attachments_pending: int
    version: str
    clock_skew_ms: int
    devices: str


def note_seen(conn: sqlite3.Connection, kiosk_id: bytes, seen: Seen, now_ms: int) -> None:
    """Write what a fresh request says; the cursor and the counter never move back."""
    values = msgspec.structs.asdict(seen)
    conn.execute(
        "UPDATE kiosks SET boots = iif(:counter > counter, :boots, boots), "
        "request_hash = iif(:counter > counter, :request_hash, request_hash), "
        "counter = max(counter, :counter), claimed_ms = :claimed_ms, "
        "boot_id = :boot_id, cursor = max(cursor, :cursor), epoch = max(epoch, :epoch), "
        "head_seq = :head_seq, catalogue = :catalogue, pending = :pending, oldest_s = :oldest_s, "
        "disk_free_mb = :disk_free_mb, attachments_pending = :attachments_pending, "
        "version = :version, clock_skew_ms = :clock_skew_ms, devices = :devices, "
        "last_seen_ms = :now_ms WHERE kiosk_id = :kiosk_id",
        {**values, "kiosk_id": kiosk_id, "now_ms": now_ms},
    )
    conn.execute(
        "INSERT OR IGNORE INTO boots (kiosk_id, boot_id, number) VALUES (?, ?, ?)",
        (kiosk_id, seen.boot_id, seen.boot_number),
    )
    conn.execute(
        "INSERT INTO health (kiosk_id, at_ms, pending, oldest_s, disk_free_mb) "
        "SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS "
        "(SELECT 1 FROM health WHERE kiosk_id = ?1 AND at_ms > ?2 - ?6)",
        (
            kiosk_id,
            now_ms,
            seen.pending,
            seen.oldest_s,
            seen.disk_free_mb,
            limits.HEALTH_EVERY_MS,
        ),
    )


def boots_like(
    conn: sqlite3.Connection, kiosk_id: bytes, boot_id: bytes, number: int
) -> frozenset[bytes]:
    """Answer the boot ids on record that are this one, or stand for this start of the kiosk."""
    rows = conn.execute(
        "SELECT boot_id FROM boots WHERE kiosk_id = ?1 AND boot_id = ?2 UNION "
        "SELECT boot_id FROM boots WHERE kiosk_id = ?1 AND number = ?3 AND number > 0",
        (kiosk_id, boot_id, number),
    )
    return frozenset(bytes(row[0]) for row in rows)


def trim_health(conn: sqlite3.Connection) -> None:
    """Drop each kiosk's points beyond the kept number; run once a day."""
    conn.execute(
        "DELETE FROM health WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER "
        "(PARTITION BY kiosk_id ORDER BY id DESC) AS place FROM health) WHERE place > ?)",
        (limits.HEALTH_POINTS_KEPT,),
    )


def add_bytes(conn: sqlite3.Connection, kiosk_id: bytes, *, received: int, sent: int) -> None:
    """Count the bytes of one exchange, both ways, heads of HTTP not included."""
    conn.execute(
        "UPDATE kiosks SET bytes_in = bytes_in + ?, bytes_out = bytes_out + ? WHERE kiosk_id = ?",
        (received, sent, kiosk_id),
    )


def mark_forked(conn: sqlite3.Connection, kiosk_id: bytes) -> None:
    """Note that two histories live under one identity; a revoked kiosk stays revoked."""
    conn.execute(
        "UPDATE kiosks SET state = 'forked' WHERE kiosk_id = ? AND state = 'active'", (kiosk_id,)
    )


def open_codes(conn: sqlite3.Connection, now_ms: int) -> int:
    """Answer how many codes can still be used."""
    row = conn.execute(
        "SELECT count(*) FROM enrolment_codes WHERE used_ms IS NULL AND expires_ms > ? "
        "AND tries < ?",
        (now_ms, limits.ENROL_TRIES_MAX),
    ).fetchone()
    return int(row[0])
