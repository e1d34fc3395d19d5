"""The ledger of openings: who looked, why, at which case; never what was seen.

A database of its own with `synchronous=FULL`. Each entry's leaf hash covers the hash before it,
so that a changed, removed or inserted entry breaks every later one; the Merkle root over all
leaves is what witnesses keep. `append` returns after the commit: open only then.
"""

import hashlib
import sqlite3
from pathlib import Path

import msgspec

from server.errors import LedgerBroken
from server.store.rows import LedgerEntry, read
from server.vault.merkle import Frontier, leaf_hash
from sync import limits
from sync.disk import SYSTEM_DISK, Disk

_TABLES = """
CREATE TABLE IF NOT EXISTS entries (
  number INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  actor TEXT NOT NULL,
  role TEXT NOT NULL,
  action TEXT NOT NULL,
  purpose TEXT NOT NULL,
  case_no TEXT NOT NULL,
  service TEXT NOT NULL,
  detail TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS entries_of_actor ON entries (actor, at_ms);
CREATE INDEX IF NOT EXISTS entries_of_case ON entries (case_no) WHERE case_no != '';
CREATE TRIGGER IF NOT EXISTS entries_stay BEFORE UPDATE ON entries
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER IF NOT EXISTS entries_stay_there BEFORE DELETE ON entries
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
"""
FIRST = hashlib.sha256(b"bianmin/1/ledger").hexdigest()
_LOOKS = "('open', 'open_attachment', 'find')"


class LedgerState(msgspec.Struct, frozen=True):
    """How long the ledger is, its Merkle root, and whether it follows from itself."""

    size: int
    #: RFC 9162 tree head over the leaf hashes, hexadecimal.
    root: str
    is_intact: bool


def entry_hash(previous: str, entry: LedgerEntry) -> str:
    """Answer the leaf hash of an entry: over its fields in order and the hash before it."""
    fields = msgspec.structs.astuple(entry)[:-1]
    return leaf_hash(msgspec.json.encode((previous, *fields))).hex()


class Ledger:
    """The ledger's file; one thread uses it."""

    def __init__(self, path: Path, *, disk: Disk = SYSTEM_DISK) -> None:
        """Open (or make) the ledger and check that it follows from itself.

        Raises:
            LedgerBroken: An entry was changed, removed or inserted.
        """
        is_new = not disk.exists(path)
        disk.settle(path.with_name(path.name + "-wal"))
        self._conn = disk.connect(path)
        self._conn.row_factory = sqlite3.Row
        if is_new:
            disk.restrict(path)
        self._conn.execute("PRAGMA journal_mode=WAL")
        self._conn.execute("PRAGMA synchronous=FULL")
        self._conn.executescript(_TABLES)
        self._frontier = Frontier()
        self._last = FIRST
        if not self._walk():
            self._conn.close()
            raise LedgerBroken("the ledger was changed; keep the file, call the auditor")
        # Otherwise a power cut may take the names of a new ledger or of its log, and all looks.
        disk.sync_directory(path.parent)

    def _walk(self) -> bool:
        frontier, last = Frontier(), FIRST
        rows = self._conn.execute("SELECT * FROM entries ORDER BY number")
        for number, row in enumerate(rows, start=1):
            entry = read(LedgerEntry, row)
            if entry.number != number or entry_hash(last, entry) != entry.hash:
                return False
            frontier.append(bytes.fromhex(entry.hash))
            last = entry.hash
        self._frontier, self._last = frontier, last
        return True

    def append(
        self,
        *,
        at_ms: int,
        actor: str,
        role: str,
        action: str,
        purpose: str,
        case_no: str = "",
        service: str = "",
        detail: str = "",
    ) -> LedgerEntry:
        """Write one entry and answer it once it is on disk."""
        entry = LedgerEntry(
            number=self._frontier.size + 1,
            at_ms=at_ms,
            actor=actor,
            role=role,
            action=action,
            purpose=purpose,
            case_no=case_no,
            service=service,
            detail=detail,
            hash="",
        )
        entry = msgspec.structs.replace(entry, hash=entry_hash(self._last, entry))
        # Autocommit: the statement is the transaction, and it has been synced when it returns.
        self._conn.execute(
            "INSERT INTO entries (number, at_ms, actor, role, action, purpose, case_no, service, "
            "detail, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            msgspec.structs.astuple(entry),
        )
        self._frontier.append(bytes.fromhex(entry.hash))
        self._last = entry.hash
        return entry

    def entries(self, limit: int, before: int | None = None) -> list[LedgerEntry]:
        """Answer entries, newest first.

        Args:
            limit: At most so many, up to `LEDGER_PAGE_MAX`.
            before: Only entries with a lower number; None = from the newest.
        """
        rows = self._conn.execute(
            "SELECT * FROM entries WHERE ?1 IS NULL OR number < ?1 ORDER BY number DESC LIMIT ?2",
            (before, max(0, min(limit, limits.LEDGER_PAGE_MAX))),
        )
        return [read(LedgerEntry, row) for row in rows]

    def entries_of(self, case_no: str) -> list[LedgerEntry]:
        """Answer who looked at one case, newest first."""
        rows = self._conn.execute(
            "SELECT * FROM entries WHERE case_no = ? AND case_no != '' "
            "ORDER BY number DESC LIMIT ?",
            (case_no, limits.LEDGER_PAGE_MAX),
        )
        return [read(LedgerEntry, row) for row in rows]

    def opened_by(self, actor: str, since_ms: int) -> set[str]:
        """Answer the cases an actor looked at since then; each search counts as one more."""
        rows = self._conn.execute(
            "SELECT DISTINCT CASE case_no WHEN '' THEN '#' || number ELSE case_no END "  # noqa: S608 -- a constant list
            f"FROM entries WHERE actor = ? AND at_ms > ? AND action IN {_LOOKS}",
            (actor, since_ms),
        )
        return {str(row[0]) for row in rows}

    def state(self, *, is_checked: bool = False) -> LedgerState:
        """Answer size and root; with `is_checked` every entry is computed again from the disk."""
        size, root = self._frontier.size, self._frontier.root().hex()
        is_intact = not is_checked or (
            self._walk() and (self._frontier.size, self._frontier.root().hex()) == (size, root)
        )
        return LedgerState(size=size, root=root, is_intact=is_intact)

    def close(self) -> None:
        """Close the file."""
        self._conn.close()
