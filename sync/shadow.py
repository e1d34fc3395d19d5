"""A second copy of the outbox: a flat file that only grows, for the day the database is damaged.

Each record is written and synced after the database's commit and before the receipt is shown,
on the same card or, better, on another one. It holds the envelope with its signature, and what
the resident's slip says; not the photos. When the store was damaged, or a card that lies about
syncing has lost its newest commits, what is missing is taken from here. The copy whose signature
verifies wins; two that verify and differ are two residents' (a fork), and both are delivered.

A record: "BMS" 1, length (u16), MessagePack array, CRC-32 of the array. A torn record is passed
over; the next one is found by its first bytes.

Source: research/sync-reliability-security.md section 3.10; fault 15.
"""

import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from sqlite_utils import Database as Tables

from sync.database import immediate
from sync.errors import MALFORMED
from sync.files import FRESH_SUFFIX, sync_directory
from sync.limits import PRUNE_ROWS, SHADOW_BYTES_MAX, SHADOW_RECORD_BYTES_MAX
from sync.octets import WireError
from sync.outbox import OutboxEmpty
from sync.signing import SignatureRefused, kiosk_id, verify
from sync.wire import bytes_hash, decode_envelope

MAGIC = b"BMS\x01"
_HEAD_BYTES = len(MAGIC) + 2
_CRC_BYTES = 4
_BLOCK_BYTES = 64 * 1024


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One envelope with what its receipt says."""

    seq: int
    transaction_id: bytes
    case_no: str
    service: str
    #: Kiosk's clock, Unix ms.
    confirmed_ms: int
    envelope: bytes
    signature: bytes
    #: Keyed hashes under which it is found again without the slip.
    tags: tuple[bytes, ...] = ()

    @property
    def hash(self) -> bytes:
        """What the next envelope's header names."""
        return bytes_hash(self.envelope)


class Restored(msgspec.Struct, frozen=True):
    """What the shadow gave back."""

    #: Envelopes that the database had lost, or held damaged.
    count: int = 0
    #: Valid envelopes whose number the database gave to another valid one.
    rivals: tuple[Entry, ...] = ()


def shadow_path(directory: Path, device_public: bytes) -> Path:
    """Answer the file of one identity; each has its own, so that none is taken for another's."""
    return directory / f"kiosk-{kiosk_id(device_public).hex()}.shadow"


def encode_record(entry: Entry) -> bytes:
    """Write one record."""
    raw = msgspec.msgpack.encode(entry)
    return MAGIC + len(raw).to_bytes(2, "big") + raw + zlib.crc32(raw).to_bytes(_CRC_BYTES, "big")


class Shadow:
    """The file of one identity.

    Args:
        path: From `shadow_path`; its directory may be missing (a stick that is not in).
        device_public: Only envelopes signed by this Ed25519 key are taken back.
    """

    def __init__(self, path: Path, device_public: bytes) -> None:
        self.path = path
        self._device_public = device_public

    def append(self, db: Tables, seq: int) -> None:
        """Write a committed envelope; it is on the disk when this returns.

        Raises:
            OutboxEmpty: No envelope of that number is held.
            OSError: The medium is not there, full, or fails; the database has the envelope.
        """
        entry = _entry_of(db, seq)
        if entry is None:
            raise OutboxEmpty("no envelope of that number is held")
        is_new = not self.path.exists()
        handle = os.open(self.path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        try:
            _write(handle, encode_record(entry))
            os.fdatasync(handle)
        finally:
            os.close(handle)
        if is_new:
            sync_directory(self.path.parent)

    def entries(self) -> Iterator[Entry]:
        """Walk the records that are whole, in the order they were written.

        Raises:
            OSError: The file cannot be read.
        """
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            held, is_last = b"", False
            while not is_last:
                block = file.read(_BLOCK_BYTES)
                held, is_last = held + block, not block
                # A record that is cut by the block's end is looked at with the next block.
                entries, used = _read_records(held, is_last=is_last)
                yield from entries
                held = held[used:]

    def restore(self, db: Tables) -> Restored:
        """Give the store back what it lost; answer what that was. Commits by itself.

        Raises:
            OSError: The file cannot be read.
        """
        count, rivals = 0, list[Entry]()
        batch: list[Entry] = []
        for entry in self.entries():
            match _judged(db, entry, self._device_public):
                case "take":
                    batch.append(entry)
                case "rival":
                    rivals.append(entry)
                case _:
                    pass
            if len(batch) == PRUNE_ROWS:
                count += _given_back(db, batch)
                batch.clear()
        count += _given_back(db, batch)
        return Restored(count=count, rivals=tuple(rivals))

    def tidy(self, db: Tables) -> bool:
        """Write the file anew from the store when it lacks something or has grown; answer if so.

        What was settled long ago is gone from the store (`outbox.prune`), and with this from
        here. Call it after `restore`.

        Raises:
            OSError: The medium is not there, full, or fails; the old file stays.
        """
        if not self.path.parent.is_dir():
            raise FileNotFoundError(self.path.parent)
        size = self.path.stat().st_size if self.path.exists() else 0
        if size <= SHADOW_BYTES_MAX and not self._is_lacking(db):
            return False
        self.rewrite(db)
        return True

    def rewrite(self, db: Tables) -> None:
        """Write the file anew from the store, in one step.

        Raises:
            OSError: The medium is not there, full, or fails; the old file stays.
        """
        fresh = self.path.with_name(self.path.name + FRESH_SUFFIX)
        handle = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        try:
            for (seq,) in db.conn.execute("SELECT seq FROM outbox ORDER BY seq").fetchall():
                entry = _entry_of(db, seq)
                if entry is not None:
                    _write(handle, encode_record(entry))
            os.fsync(handle)
        finally:
            os.close(handle)
        fresh.replace(self.path)
        sync_directory(self.path.parent)

    def _is_lacking(self, db: Tables) -> bool:
        held = {entry.seq for entry in self.entries()}
        return any(
            seq not in held
            for (seq,) in db.conn.execute("SELECT seq FROM outbox WHERE state != 'settled'")
        )


def _write(handle: int, raw: bytes) -> None:
    # A full disk may take a part only; the torn record is passed over when read.
    while raw:
        raw = raw[os.write(handle, raw) :]


def _read_records(held: bytes, *, is_last: bool) -> tuple[list[Entry], int]:
    """Read whole records; answer them and how many bytes are done with."""
    found: list[Entry] = []
    at = 0
    while (at := held.find(MAGIC, at)) >= 0:
        size = int.from_bytes(held[at + len(MAGIC) : at + _HEAD_BYTES], "big")
        end = at + _HEAD_BYTES + size + _CRC_BYTES
        if len(held) < at + _HEAD_BYTES or (end > len(held) and size <= SHADOW_RECORD_BYTES_MAX):
            if not is_last:
                return found, at
            at += 1
            continue
        entry = _entry(held[at + _HEAD_BYTES : end]) if size <= SHADOW_RECORD_BYTES_MAX else None
        if entry is None:
            at += 1
            continue
        found.append(entry)
        at = end
    # The first bytes of a record's mark may stand at the end.
    return found, max(0, len(held) - len(MAGIC) + 1)


def _entry(raw: bytes) -> Entry | None:
    part, crc = raw[:-_CRC_BYTES], raw[-_CRC_BYTES:]
    if zlib.crc32(part).to_bytes(_CRC_BYTES, "big") != crc:
        return None
    try:
        return msgspec.msgpack.decode(part, type=Entry)
    except MALFORMED:
        return None


def _entry_of(db: Tables, seq: int) -> Entry | None:
    row = db.conn.execute(
        "SELECT seq, transaction_id, case_no, service, confirmed_ms, envelope, signature"
        " FROM outbox JOIN receipt USING (seq) WHERE seq = ?",
        (seq,),
    ).fetchone()
    if row is None:
        return None
    tags = db.conn.execute("SELECT tag FROM person WHERE case_no = ?", (row[2],)).fetchall()
    return msgspec.convert((*row, [tag for (tag,) in tags]), Entry)


def _judged(db: Tables, entry: Entry, device_public: bytes) -> str:
    """Answer "take", "rival" or "" (the store has it, or it is nobody's)."""
    row = db.conn.execute(
        "SELECT transaction_id, hash, envelope, signature FROM receipt"
        " LEFT JOIN outbox USING (seq) WHERE seq = ?",
        (entry.seq,),
    ).fetchone()
    if row is not None and _is_held(entry, *row):
        return ""
    if not _is_authentic(entry.seq, entry.envelope, entry.signature, device_public):
        return ""
    if row is None:
        known = db.conn.execute(
            "SELECT 1 FROM receipt WHERE transaction_id = ? OR case_no = ?",
            (entry.transaction_id, entry.case_no),
        ).fetchone()
        return "take" if known is None else "rival"
    _, hash_, envelope, signature = row
    if hash_ == entry.hash:
        return "take"
    if envelope is None or _is_authentic(entry.seq, envelope, signature, device_public):
        return "rival"
    return "take"


def _is_held(
    entry: Entry, transaction_id: bytes, hash_: bytes, envelope: bytes | None, signature: bytes
) -> bool:
    """Answer whether the store has the very same, with its receipt; a pruned envelope counts."""
    is_told = not transaction_id.startswith(b"unknown:")
    is_same = envelope is None or (envelope, signature) == (entry.envelope, entry.signature)
    return hash_ == entry.hash and is_told and is_same


def _is_authentic(seq: int, envelope: bytes, signature: bytes, device_public: bytes) -> bool:
    try:
        verify(device_public, "envelope", envelope, signature)
        header = decode_envelope(envelope).header
    except (SignatureRefused, WireError, TypeError):
        return False
    return header.seq == seq and header.kiosk_id == kiosk_id(device_public)


def _given_back(db: Tables, batch: Sequence[Entry]) -> int:
    if not batch:
        return 0
    with immediate(db):
        for entry in batch:
            put_in(db, entry)
    return len(batch)


def put_in(db: Tables, entry: Entry) -> None:
    """Store an entry as an envelope that waits; the caller commits.

    It replaces a damaged one of its number. Numbering goes on after the highest, and so do the
    counts of requests and starts, which this file does not know: the centre takes counts that
    fall for a clone's, and milliseconds are above any.
    """
    db.conn.execute(
        "INSERT INTO receipt (seq, transaction_id, case_no, service, confirmed_ms, hash)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (seq) DO UPDATE SET"
        " transaction_id = ?2, case_no = ?3, service = ?4, confirmed_ms = ?5, hash = ?6",
        (
            entry.seq,
            entry.transaction_id,
            entry.case_no,
            entry.service,
            entry.confirmed_ms,
            entry.hash,
        ),
    )
    db.conn.execute(
        "INSERT INTO outbox (seq, envelope, signature) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (seq) DO UPDATE SET envelope = ?2, signature = ?3,"
        " state = iif(envelope = ?2, state, 'pending'),"
        " settled_ms = iif(envelope = ?2, settled_ms, NULL)",
        (entry.seq, entry.envelope, entry.signature),
    )
    for tag in entry.tags:
        db.conn.execute(
            "INSERT OR IGNORE INTO person (tag, case_no) VALUES (?, ?)", (tag, entry.case_no)
        )
    db.conn.execute(
        "UPDATE standing SET counter = max(counter, ?2), boots = max(boots, ?2)"
        " WHERE head_seq < ?1",
        (entry.seq, entry.confirmed_ms),
    )
    db.conn.execute(
        "UPDATE standing SET head_seq = ?1, head_hash = ?2 WHERE head_seq <= ?1",
        (entry.seq, entry.hash),
    )
