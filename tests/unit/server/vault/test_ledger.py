"""The ledger: append only, and every change to it is seen."""

import sqlite3
from pathlib import Path

import pytest

from server.errors import LedgerBroken
from server.vault.ledger import Ledger


def filled(path: Path, count: int = 5) -> Ledger:
    ledger = Ledger(path)
    for number in range(count):
        ledger.append(
            at_ms=number,
            actor="anna",
            role="clerk",
            action="open",
            purpose="check the form",
            case_no=f"{number:012d}",
            service="helper_request",
        )
    return ledger


def test_entries_are_numbered_and_read_newest_first(tmp_path: Path) -> None:
    ledger = filled(tmp_path / "audit.db")

    assert [entry.number for entry in ledger.entries(3)] == [5, 4, 3]
    assert [entry.number for entry in ledger.entries(3, before=3)] == [2, 1]
    assert [entry.case_no for entry in ledger.entries_of("000000000002")] == ["000000000002"]
    assert ledger.entries_of("") == []


def test_state_survives_a_restart(tmp_path: Path) -> None:
    ledger = filled(tmp_path / "audit.db")
    before = ledger.state(is_checked=True)
    ledger.close()

    again = Ledger(tmp_path / "audit.db").state(is_checked=True)

    assert (before.size, before.is_intact) == (5, True)
    assert again == before


def test_rows_cannot_be_changed_through_sql(tmp_path: Path) -> None:
    filled(tmp_path / "audit.db").close()
    conn = sqlite3.connect(tmp_path / "audit.db")

    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        conn.execute("UPDATE entries SET actor = 'nobody'")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        conn.execute("DELETE FROM entries")
    conn.close()


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE entries SET actor = 'somebody else' WHERE number = 2",
        "UPDATE entries SET purpose = '' WHERE number = 5",
        "UPDATE entries SET at_ms = at_ms + 1 WHERE number = 1",
        "DELETE FROM entries WHERE number = 3",
        "DELETE FROM entries WHERE number = 1",
        "INSERT INTO entries SELECT 6, at_ms, actor, role, action, purpose, case_no, service,"
        " detail, hash FROM entries WHERE number = 5",
    ],
)
def test_whoever_drops_the_triggers_is_found_out(tmp_path: Path, edit: str) -> None:
    path = tmp_path / "audit.db"
    running = filled(path)
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("DROP TRIGGER entries_stay")
    conn.execute("DROP TRIGGER entries_stay_there")
    conn.execute(edit)
    conn.close()

    assert running.state(is_checked=True).is_intact is False
    running.close()
    with pytest.raises(LedgerBroken):
        Ledger(path)


def test_truncation_shows_against_a_kept_root(tmp_path: Path) -> None:
    # The chain alone cannot show that its end is missing; whoever keeps size and root can.
    path = tmp_path / "audit.db"
    running = filled(path)
    kept = running.state()
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("DROP TRIGGER entries_stay_there")
    conn.execute("DELETE FROM entries WHERE number = 5")
    conn.close()
    running.close()

    found = Ledger(path).state(is_checked=True)

    assert found.is_intact
    assert (found.size, found.root) != (kept.size, kept.root)


def test_file_is_for_its_owner_only(tmp_path: Path) -> None:
    filled(tmp_path / "audit.db").close()

    assert (tmp_path / "audit.db").stat().st_mode & 0o077 == 0
