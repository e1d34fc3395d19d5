"""What residents were promised: enqueue, receipts, look-ups, pruning; the kiosk app's SQL.

What an exchange reads and writes is in `standing`. Functions take the open store and never
commit; the caller is inside `database.immediate`.
"""

import hashlib
from collections.abc import Sequence

import msgspec
from sqlite_utils import Database as Tables

from sync.errors import BianminError
from sync.frames import DIGEST_BYTES
from sync.ids import case_number
from sync.limits import (
    ATTACHMENTS_MAX,
    ENVELOPE_BYTES_MAX,
    MAKE_ROOM_ROWS,
    PRUNE_ROWS,
    RECEIPT_KEPT_DAYS,
    SETTLED_KEPT_DAYS,
)
from sync.notices import decode_notice
from sync.records import Attachment, Envelope, Header, Notice, Receipt
from sync.sealing import SEAL_BYTES, SealingPublic, seal, seal_attachment
from sync.signing import DeviceKeys
from sync.wire import bytes_hash, decode_envelope, encode_courier, encode_header, envelope_bytes

DAY_MS = 86_400_000


class OutboxRefused(BianminError):
    """A transaction is larger than anything a form can make; nothing was stored."""

    code = "413.2"


class OutboxEmpty(BianminError):
    """The envelope is no longer here: it was delivered and its time is over."""

    code = "404.1"


class Waiting(msgspec.Struct, frozen=True):
    """What this kiosk has not delivered yet."""

    count: int
    #: Kiosk's clock at the oldest one's confirmation, Unix ms; None when nothing waits.
    oldest_ms: int | None
    attachments: int
    #: Refused by the centre; a person must look.
    refused: int = 0


def submit(
    db: Tables,
    *,
    keys: DeviceKeys,
    sealing: SealingPublic,
    catalogue_version: int,
    body: bytes,
    attachments: Sequence[Attachment],
    transaction_id: bytes,
    service: str,
    kiosk_no: int,
    now_ms: int,
) -> Receipt:
    """Take the next number, seal, sign and enqueue; the promise is the caller's commit.

    A transaction that is already here gives its first receipt again and changes nothing.

    Args:
        db: The store, inside `immediate`.
        keys: The device's.
        sealing: The centre's key of the catalogue in use.
        catalogue_version: Version that `body` is positional by.
        body: `answers.encode_transaction`: id and answers, padded; at most about 4,000 bytes.
        attachments: In the order of `handwriting.attachments_of`, indexes 0, 1, 2 …
        transaction_id: 16 bytes, minted when the check page opened.
        service: Id, for look-ups on this kiosk.
        kiosk_no: Number that case numbers begin with.
        now_ms: Kiosk's clock, Unix ms.

    Raises:
        OutboxRefused: Body or attachments exceed their bounds.
    """
    if (receipt := receipt_of(db, transaction_id)) is not None:
        return receipt
    head_seq, head_hash = head(db)
    header = Header(
        kiosk_id=keys.kiosk_id,
        seq=head_seq + 1,
        prev=head_hash,
        key_id=sealing.key_id,
        catalogue=catalogue_version,
    )
    header_bytes = encode_header(header)
    if len(header_bytes) + len(body) + SEAL_BYTES > ENVELOPE_BYTES_MAX:
        raise OutboxRefused("the answers are too long for one envelope")
    if [attachment.index for attachment in attachments] != list(range(len(attachments))):
        raise ValueError("attachments are numbered 0, 1, 2 …")
    if len(attachments) > ATTACHMENTS_MAX:
        raise OutboxRefused("there are too many attachments")
    envelope = Envelope(header=header, sealed=seal(sealing, header_bytes, body))
    receipt = Receipt(
        case_no=case_number(kiosk_no, header.seq),
        seq=header.seq,
        transaction_id=transaction_id,
        service=service,
        confirmed_ms=now_ms,
    )
    raw = envelope_bytes(envelope)
    _enqueue(db, keys, receipt, raw)
    for attachment in attachments:
        sealed = seal_attachment(sealing, raw, attachment.index, attachment)
        _enqueue_attachment(db, header.seq, attachment.index, sealed)
    return receipt


def _enqueue(db: Tables, keys: DeviceKeys, receipt: Receipt, raw: bytes) -> None:
    fresh_hash = bytes_hash(raw)
    db.conn.execute(
        "INSERT INTO receipt (seq, transaction_id, case_no, service, confirmed_ms, hash)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            receipt.seq,
            receipt.transaction_id,
            receipt.case_no,
            receipt.service,
            receipt.confirmed_ms,
            fresh_hash,
        ),
    )
    db.conn.execute(
        "INSERT INTO outbox (seq, envelope, signature) VALUES (?, ?, ?)",
        (receipt.seq, raw, keys.sign("envelope", raw)),
    )
    db.conn.execute("UPDATE standing SET head_seq = ?, head_hash = ?", (receipt.seq, fresh_hash))


def _enqueue_attachment(db: Tables, seq: int, place: int, sealed: bytes) -> None:
    db.conn.execute(
        "INSERT INTO attachment (seq, place, size_bytes, digest, sealed) VALUES (?, ?, ?, ?, ?)",
        (seq, place, len(sealed), hashlib.sha256(sealed).digest()[:DIGEST_BYTES], sealed),
    )


def head(db: Tables) -> tuple[int, bytes]:
    """Answer the newest envelope's number and hash; 0 and zeros before the first."""
    row = db.conn.execute("SELECT head_seq, head_hash FROM standing").fetchone()
    return row[0], row[1]


def _receipt(row: Sequence[object]) -> Receipt:
    names = ("seq", "transaction_id", "case_no", "service", "confirmed_ms")
    return msgspec.convert(dict(zip(names, row, strict=True)), Receipt)


def receipt_of(db: Tables, transaction_id: bytes) -> Receipt | None:
    """Answer the receipt of a transaction, if it was ever committed here."""
    row = db.conn.execute(
        "SELECT seq, transaction_id, case_no, service, confirmed_ms FROM receipt"
        " WHERE transaction_id = ?",
        (transaction_id,),
    ).fetchone()
    return row and _receipt(row)


def receipt_of_case(db: Tables, case_no: str) -> Receipt | None:
    """Answer the receipt of a case from here; None when it is not, or its time is over."""
    row = db.conn.execute(
        "SELECT seq, transaction_id, case_no, service, confirmed_ms FROM receipt WHERE case_no = ?",
        (case_no,),
    ).fetchone()
    return row and _receipt(row)


def waiting(db: Tables) -> Waiting:
    """Answer what has not been delivered yet.

    Each exchange and each status asks, and a hundred thousand may wait: an index is counted, and
    another leads to the oldest (CROSS JOIN keeps that order).
    """
    (count,) = db.conn.execute("SELECT count(*) FROM outbox WHERE state = 'pending'").fetchone()
    oldest = db.conn.execute(
        "SELECT confirmed_ms FROM receipt CROSS JOIN outbox USING (seq)"
        " WHERE is_delivered = 0 AND state = 'pending' ORDER BY confirmed_ms LIMIT 1"
    ).fetchone()
    oldest_ms = oldest[0] if oldest else None
    (attachments,) = db.conn.execute(
        "SELECT count(*) FROM attachment WHERE state = 'pending'"
    ).fetchone()
    (refused,) = db.conn.execute("SELECT count(*) FROM outbox WHERE state = 'refused'").fetchone()
    return Waiting(count=count, oldest_ms=oldest_ms, attachments=attachments, refused=refused)


def is_delivered(db: Tables, case_no: str) -> bool:
    """Answer whether the centre has the case; False for numbers not from here."""
    row = db.conn.execute(
        "SELECT is_delivered FROM receipt WHERE case_no = ?", (case_no,)
    ).fetchone()
    return bool(row and row[0])


def courier_of(db: Tables, seq: int) -> bytes:
    """Answer the signed envelope that a phone or a stick can carry alone.

    Raises:
        OutboxEmpty: It is no longer here.
    """
    row = db.conn.execute("SELECT envelope, signature FROM outbox WHERE seq = ?", (seq,)).fetchone()
    if row is None:
        raise OutboxEmpty("this envelope was delivered long ago and is no longer kept")
    return encode_courier(decode_envelope(row[0]), row[1])


def notices_of(db: Tables, case_no: str) -> tuple[Notice, ...]:
    """Answer what the centre has said of a case, oldest first."""
    rows = db.conn.execute(
        "SELECT raw, number FROM notice WHERE case_no = ? ORDER BY at_ms, epoch, number",
        (case_no,),
    )
    return tuple(decode_notice(raw, number) for raw, number in rows)


def remember_person(db: Tables, tag: bytes, case_no: str) -> None:
    """Note that a case belongs to whoever the kiosk's keyed hash stands for."""
    db.conn.execute("INSERT OR IGNORE INTO person (tag, case_no) VALUES (?, ?)", (tag, case_no))


def cases_of_person(db: Tables, tag: bytes) -> tuple[str, ...]:
    """Answer the cases of that person from this kiosk, newest first."""
    rows = db.conn.execute(
        "SELECT case_no FROM person JOIN receipt USING (case_no) WHERE tag = ? ORDER BY seq DESC",
        (tag,),
    )
    return tuple(row[0] for row in rows)


def prune(db: Tables, centre_ms: int) -> int:
    """Drop what was settled long ago; answer how many envelopes and attachments went.

    Args:
        db: The store, inside `immediate`.
        centre_ms: Newest time that the centre signed, Unix ms: a kiosk's own clock may be years
            ahead, and would drop what a restored centre needs.
    """
    before_ms = centre_ms - SETTLED_KEPT_DAYS * DAY_MS
    count = 0
    for table in ("attachment", "outbox"):
        count += db.conn.execute(
            f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table}"  # noqa: S608
            " WHERE state = 'settled' AND settled_ms < ? LIMIT ?)",
            (before_ms, PRUNE_ROWS),
        ).rowcount
    _prune_receipts(db, centre_ms - RECEIPT_KEPT_DAYS * DAY_MS)
    return count


def make_room(db: Tables) -> int:
    """Drop delivered attachments, the oldest first, before their time; answer how many went.

    For a disk that runs short: they take nearly all the room, and a kiosk that cannot take
    applications does more harm than a restored centre that lacks some photos. Envelopes stay.
    """
    return db.conn.execute(
        "DELETE FROM attachment WHERE rowid IN (SELECT rowid FROM attachment"
        " WHERE state = 'settled' ORDER BY settled_ms, seq LIMIT ?)",
        (MAKE_ROOM_ROWS,),
    ).rowcount


def _prune_receipts(db: Tables, before_ms: int) -> None:
    db.conn.execute(
        "DELETE FROM receipt WHERE seq IN (SELECT seq FROM receipt WHERE confirmed_ms < ?"
        " AND is_delivered AND seq NOT IN (SELECT seq FROM outbox)"
        " AND seq NOT IN (SELECT seq FROM attachment) LIMIT ?)",
        (before_ms, PRUNE_ROWS),
    )
    db.conn.execute("DELETE FROM person WHERE case_no NOT IN (SELECT case_no FROM receipt)")
    db.conn.execute(
        "DELETE FROM notice WHERE at_ms < ? AND case_no NOT IN (SELECT case_no FROM receipt)",
        (before_ms,),
    )
