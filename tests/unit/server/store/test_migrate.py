"""Migrations: each once, each whole, never backwards."""

import sqlite3
from pathlib import Path

import pytest

from server.errors import StoreFault
from server.store import migrate


def tables(path: Path) -> set[str]:
    conn = sqlite3.connect(path)
    found = {row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    conn.close()
    return found


def test_scripts_are_numbered_without_repetition() -> None:
    numbers = [number for number, _, _ in migrate.scripts()]

    assert numbers == sorted(set(numbers))
    assert 1 in numbers


def test_second_run_does_nothing(tmp_path: Path) -> None:
    path = tmp_path / "centre.db"

    first = migrate.migrate(path)
    again = migrate.migrate(path)

    assert first == [name for _, name, _ in migrate.scripts()]
    assert again == []
    assert {"kiosks", "envelopes", "cases", "notices"} <= tables(path)


def test_broken_script_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "centre.db"
    broken = [(1, "0001_broken.sql", "CREATE TABLE half (x); CREATE TABLE half (x);")]

    with pytest.raises(StoreFault):
        migrate.migrate(path, broken)

    assert "half" not in tables(path)


def test_database_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "centre.db"
    migrate.migrate(path)
    conn = sqlite3.connect(path)
    conn.execute("INSERT INTO migrations (number, name) VALUES (9999, 'from the future')")
    conn.commit()
    conn.close()

    with pytest.raises(StoreFault, match="newer"):
        migrate.migrate(path)


def test_damaged_file_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "centre.db"
    path.write_bytes(b"this is no database, " * 400)

    with pytest.raises(StoreFault):
        migrate.migrate(path)

    assert path.read_bytes().startswith(b"this is no database")
