"""Reading what is left of a damaged store; every envelope speaks for itself.

Twice: row by row through SQLite, then through the file's raw bytes, since one damaged page near
the root hides whole tables from SQLite while their rows lie there untouched.
"""

import hashlib
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import msgspec
from sqlite_utils import Database as Tables

from sync.disk import SYSTEM_DISK, Disk
from sync.exchange import Standing
from sync.ids import case_number, case_parts, is_case_number
from sync.limits import ENVELOPE_BYTES_MAX, SALVAGE_PROBE_MAX, SALVAGE_SEQ_GAP, SEQ_MAX
from sync.octets import Reader, WireError
from sync.sealing import SEAL_BYTES
from sync.signing import SIGNATURE_BYTES, SignatureRefused, kiosk_id, verify
from sync.wire import SUITE, bytes_hash, decode_envelope, encode_header, read_header

Row = dict[str, Any]

# Tables whose rows are copied as they are; `outbox` and `attachment` are checked one by one.
_PLAIN = ("notice", "person", "manifest", "blob")
_CASE_NO = re.compile(rb"[0-9]{12}")
# In a receipt's row: transaction id 16, case number 12, service, time 6 or fewer, hash 8.
_BEFORE_HASH_BYTES = 16 + 12 + 64 + 6


def salvage(
    damaged: Path, db: Tables, *, device_public: bytes | None, disk: Disk = SYSTEM_DISK
) -> int:
    """Copy what is readable of a damaged store into a new one; answer how many envelopes.

    Everything that was not pruned is sent again: repeats are harmless, losses are not. When the
    newest number is unreadable, numbering goes on after a gap, so that no case number is given
    to two residents. The damaged file is only read.

    Args:
        damaged: The file that was set aside; its WAL lies beside it.
        db: The new store, inside `immediate`.
        device_public: Only envelopes signed by this Ed25519 key are taken; None takes those
            that SQLite still finds, unsigned or not.
        disk: Where the damaged file lies.
    """
    source = disk.connect(damaged, is_readonly=True)
    try:
        # One look at all of it: thousands of rows are asked for one by one.
        source.execute("BEGIN")
        top = _top(source)
        receipts = _by_seq(source, "SELECT * FROM receipt WHERE seq = ?", top)
        envelopes = {
            seq: row
            for seq, row in _by_seq(source, "SELECT * FROM outbox WHERE seq = ?", top).items()
            if _is_authentic(row, device_public)
        }
        if device_public is not None:
            raw = _raw_bytes(disk, damaged)
            envelopes = _scanned(raw, device_public) | envelopes
            receipts = _scanned_receipts(raw, envelopes) | receipts
        kiosk_no = _kiosk_no(receipts)
        for seq in sorted(receipts.keys() | envelopes.keys()):
            envelope = envelopes.get(seq)
            _insert(db, "receipt", receipts.get(seq) or _unknown_receipt(seq, envelope, kiosk_no))
            if envelope is not None:
                _insert(db, "outbox", envelope)
        _take_attachments(source, db, receipts.keys() | envelopes.keys())
        for table in _PLAIN:
            for row in _rows(source, f"SELECT * FROM {table}"):  # noqa: S608 -- a fixed name
                _insert(db, table, row)
        _take_standing(source, db)
    finally:
        source.close()
    return len(envelopes)


def _rows(source: sqlite3.Connection, sql: str, *values: object) -> Iterator[Row]:
    """Walk rows until the end or the first unreadable one."""
    try:
        cursor = source.execute(sql, values)
        names = [column[0] for column in cursor.description]
        for row in cursor:
            yield dict(zip(names, row, strict=True))
    except sqlite3.DatabaseError:
        return


def _top(source: sqlite3.Connection) -> int:
    tops = [row["head_seq"] for row in _rows(source, "SELECT head_seq FROM standing")]
    for sql in ("SELECT seq FROM receipt", "SELECT seq FROM receipt ORDER BY seq DESC"):
        tops += [row["seq"] for row in _rows(source, sql)]
    return _plausible(tops) + SALVAGE_PROBE_MAX


def _plausible(numbers: Sequence[object]) -> int:
    """Answer the highest number that others stand near: a rotten one may be any at all."""
    known = sorted({one for one in numbers if isinstance(one, int) and 0 < one <= SEQ_MAX})
    pairs = zip(known[:0:-1], known[-2::-1], strict=True)
    near = (high for high, low in pairs if high - low <= SALVAGE_PROBE_MAX)
    return next(near, known[0] if known else 0)


def _by_seq(source: sqlite3.Connection, sql: str, top: int) -> dict[int, Row]:
    """Fetch row by row, since a walk stops at the first damaged page."""
    return {seq: row for seq in range(1, top + 1) for row in _rows(source, sql, seq)}


def _insert(db: Tables, table: str, row: Mapping[str, object]) -> None:
    names = ", ".join(row)
    marks = ", ".join("?" * len(row))
    sql = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 -- own names
    db.conn.execute(sql, list(row.values()))


def _is_authentic(row: Row, device_public: bytes | None) -> bool:
    try:
        envelope = decode_envelope(row["envelope"])
        if device_public is not None:
            verify(device_public, "envelope", row["envelope"], row["signature"])
    except (WireError, SignatureRefused, TypeError):
        return False
    row["state"] = "refused" if row["state"] == "refused" else "pending"
    row["settled_ms"] = None
    return bool(envelope.header.seq == row["seq"])


def _raw_bytes(disk: Disk, damaged: Path) -> bytes:
    wal = damaged.with_name(damaged.name + "-wal")
    return disk.read(damaged) + (disk.read(wal) if disk.exists(wal) else b"")


def _scanned(raw: bytes, device_public: bytes) -> dict[int, Row]:
    """Find envelopes by the first bytes of their header and prove them by their signature."""
    start = bytes([SUITE]) + kiosk_id(device_public)
    found: dict[int, Row] = {}
    place = raw.find(start)
    while place >= 0:
        row = _proved(raw[place : place + ENVELOPE_BYTES_MAX + SIGNATURE_BYTES], device_public)
        if row is not None:
            found[row["seq"]] = row
        place = raw.find(start, place + 1)
    return found


def _proved(raw: bytes, device_public: bytes) -> Row | None:
    try:
        header = read_header(Reader(raw))
    except WireError:
        return None
    # A body is padded to 16 bytes, so few lengths are possible.
    shortest = len(encode_header(header)) + SEAL_BYTES + 16
    for size in range(shortest, len(raw) - SIGNATURE_BYTES + 1, 16):
        envelope, signature = raw[:size], raw[size : size + SIGNATURE_BYTES]
        try:
            verify(device_public, "envelope", envelope, signature)
        except SignatureRefused:
            continue
        return {
            "seq": header.seq,
            "envelope": envelope,
            "signature": signature,
            "state": "pending",
            "settled_ms": None,
        }
    return None


def _scanned_receipts(raw: bytes, envelopes: Mapping[int, Row]) -> dict[int, Row]:
    """Find the receipt of each envelope by its hash, which ends the receipt's row."""
    found: dict[int, Row] = {}
    for seq, envelope in envelopes.items():
        hash_ = bytes_hash(envelope["envelope"])
        place = raw.find(hash_)
        while place >= 0 and seq not in found:
            before = raw[max(0, place - _BEFORE_HASH_BYTES) : place]
            for match in _CASE_NO.finditer(before, 16):
                case_no = match.group().decode()
                if is_case_number(case_no) and int(case_no[4:10]) == seq:
                    found[seq] = {
                        "seq": seq,
                        "transaction_id": before[match.start() - 16 : match.start()],
                        "case_no": case_no,
                        "service": _text(before[match.end() : -6]),
                        "confirmed_ms": int.from_bytes(before[-6:], "big"),
                        "hash": hash_,
                    }
            place = raw.find(hash_, place + 1)
    return found


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _kiosk_no(receipts: Mapping[int, Row]) -> int:
    known = (row["case_no"] for row in receipts.values() if is_case_number(row["case_no"]))
    return next((case_parts(case_no)[0] for case_no in known), 0)


def _unknown_receipt(seq: int, envelope: Row | None, kiosk_no: int) -> Row:
    """Stand in for a receipt that is gone, so that its envelope is still delivered.

    The case number follows from kiosk and seq, so the resident still finds the case here.
    """
    hash_ = bytes_hash(envelope["envelope"]) if envelope else bytes(8)
    return {
        "seq": seq,
        "transaction_id": b"unknown:" + hash_,
        "case_no": case_number(kiosk_no, seq) if kiosk_no else f"?{seq}",
        "service": "",
        "confirmed_ms": 0,
        "hash": hash_,
    }


def _take_attachments(source: sqlite3.Connection, db: Tables, seqs: Set[int]) -> None:
    """Copy attachments that are whole by their digest, each by whatever way still leads to it.

    By their envelope's number; then row by row past the index, whose loss would hide them all.
    Not recovered: one of which any page is unreadable (its pages lie scattered), and one whose
    envelope is lost.
    """
    for seq in sorted(seqs):
        for row in _rows(source, "SELECT * FROM attachment WHERE seq = ?", seq):
            _take_attachment(db, row, seqs)
    ends = [
        row["rowid"]
        for order in ("", " DESC")
        for row in _rows(
            source,
            f"SELECT rowid FROM attachment NOT INDEXED ORDER BY rowid{order} LIMIT 1",  # noqa: S608
        )
    ]
    first = max(1, min(ends, default=1) - SALVAGE_PROBE_MAX)
    for rowid in range(first, max(ends, default=0) + SALVAGE_PROBE_MAX):
        for row in _rows(source, "SELECT * FROM attachment NOT INDEXED WHERE rowid = ?", rowid):
            _take_attachment(db, row, seqs)


def _take_attachment(db: Tables, row: Row, seqs: Set[int]) -> None:
    try:
        digest = hashlib.sha256(row["sealed"]).digest()[: len(row["digest"])]
    except TypeError:
        return
    if digest == row["digest"] and row["seq"] in seqs:
        asked = {"state": "pending", "received_bytes": row["size_bytes"], "settled_ms": None}
        _insert(db, "attachment", {**row, **asked})


def _take_standing(source: sqlite3.Connection, db: Tables) -> None:
    newest = db.conn.execute(
        "SELECT seq, hash, confirmed_ms FROM receipt ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    seq, hash_, confirmed_ms = newest or (0, bytes(8), 0)
    for row in _rows(source, "SELECT * FROM standing"):
        if _is_believable(row, seq):
            _set_standing(db, {**row, "mark_seq": 0, "refilled_mark": -1})
            return
    _set_standing(
        db,
        {
            "head_seq": seq + SALVAGE_SEQ_GAP,
            "head_hash": hash_,
            # The centre takes counts that fall for a clone's; milliseconds are above any.
            "counter": confirmed_ms,
            "boots": confirmed_ms,
        },
    )


def _is_believable(row: Row, newest_seq: int) -> bool:
    """Answer whether a standing fits its types and the numbers that were given."""
    try:
        held = msgspec.convert({name: row[name] for name in Standing.__struct_fields__}, Standing)
    except (KeyError, msgspec.ValidationError):
        return False
    room = SALVAGE_PROBE_MAX if newest_seq else SEQ_MAX
    return newest_seq <= held.head_seq <= newest_seq + room


def _set_standing(db: Tables, values: Mapping[str, object]) -> None:
    fields = ", ".join(f"{name} = ?" for name in values)
    db.conn.execute(f"UPDATE standing SET {fields}", list(values.values()))  # noqa: S608
