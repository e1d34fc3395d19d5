"""Raw SQLite in the same run: what everything durable is held against.

Two yardsticks, since they differ by half and the peers' figures were taken with the second:
the very bytes of our envelopes in a bare table, and the same transactions as JSON documents with
their id as unique key (research/peer-figures.md, "SQLite-100").
"""

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from sync.records import Envelope, Transaction
from sync.wire import envelope_bytes

BATCH = 100


class Cost(msgspec.Struct, frozen=True):
    """What a number of records took."""

    count: int
    seconds: float
    cpu_s: float

    @property
    def per_second(self) -> float:
        """Records a second by the wall's clock."""
        return self.count / self.seconds

    @property
    def cpu_us(self) -> float:
        """Microseconds of processor time a record."""
        return self.cpu_s / self.count * 1e6


def document(transaction: Transaction, kiosk_no: int, seq: int) -> dict[str, object]:
    """Answer a transaction as the JSON document that a peer would store and replicate.

    With what an ODK submission says beside the answers, since ours says it, too: 767 bytes was
    the mean in research/peer-figures.md.
    """
    return {
        "_id": f"{transaction.id.hex()}{kiosk_no:04d}{seq:08d}",
        "type": "transaction",
        "kiosk": {"number": kiosk_no, "village": "522326104205", "version": "2026.11.3"},
        "seq": seq,
        "form": {"id": transaction.service, "version": 1, "language": transaction.language},
        "meta": {
            "instance_id": f"uuid:{transaction.id.hex()}",
            "started_at": "2026-11-24T09:12:31.114+08:00",
            "confirmed_at": "2026-11-24T09:15:02.870+08:00",
            "device_id": f"kiosk-{kiosk_no:04d}",
            "assisted_by": transaction.helper,
        },
        "answers": dict(transaction.answers),
        "corrects": transaction.corrects,
    }


def store_envelopes(path: Path, envelopes: Sequence[Envelope]) -> Cost:
    """Store envelopes by number in a bare table, a commit for each 100."""
    rows = [(e.header.kiosk_id, e.header.seq, envelope_bytes(e)) for e in envelopes]
    table = "CREATE TABLE row (kiosk BLOB, seq INTEGER, raw BLOB, PRIMARY KEY (kiosk, seq))"
    return _stored(path, table, "INSERT INTO row VALUES (?, ?, ?)", rows)


def store_documents(path: Path, documents: Sequence[dict[str, object]]) -> Cost:
    """Store JSON documents by id, a commit for each 100; encoding them is not counted."""
    rows = [(item["_id"], msgspec.json.encode(item)) for item in documents]
    table = "CREATE TABLE row (id TEXT PRIMARY KEY, body BLOB)"
    return _stored(path, table, "INSERT INTO row VALUES (?, ?)", rows)


def _stored(path: Path, table: str, insert: str, rows: Sequence[tuple[object, ...]]) -> Cost:
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("PRAGMA synchronous = FULL")
    conn.execute(table)
    begun_s, cpu_s = time.perf_counter(), time.process_time()
    for start in range(0, len(rows), BATCH):
        conn.execute("BEGIN IMMEDIATE")
        conn.executemany(insert, rows[start : start + BATCH])
        conn.execute("COMMIT")
    cost = Cost(len(rows), time.perf_counter() - begun_s, time.process_time() - cpu_s)
    conn.close()
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return cost
