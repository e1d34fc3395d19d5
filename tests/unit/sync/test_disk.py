"""The operating system's disk, seen through what the stores ask of it."""

import sqlite3
from pathlib import Path

import pytest

from sync.disk import SYSTEM_DISK


def test_a_store_is_opened_for_writing_or_for_reading_alone(tmp_path: Path) -> None:
    path = tmp_path / "odd name #1?.db"
    writer = SYSTEM_DISK.connect(path)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("CREATE TABLE note (word)")
    reader = SYSTEM_DISK.connect(path, is_readonly=True)

    writer.execute("INSERT INTO note VALUES ('seen')")

    assert reader.execute("SELECT word FROM note").fetchall() == [("seen",)]
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM note")
    reader.close()
    writer.close()
    assert [found.name for found in SYSTEM_DISK.named(tmp_path, "odd")] == [path.name]


def test_names_are_linked_found_and_taken_away(tmp_path: Path) -> None:
    for name in ("kiosk.db.damaged-2", "kiosk.db.damaged-1", "kiosk.db"):
        SYSTEM_DISK.write_whole(tmp_path / name, name.encode())
    SYSTEM_DISK.link(tmp_path / "kiosk.db", tmp_path / "kiosk.db.damaged-3")
    SYSTEM_DISK.unlink(tmp_path / "kiosk.db")
    SYSTEM_DISK.unlink(tmp_path / "never there")
    SYSTEM_DISK.sync_directory(tmp_path)

    found = SYSTEM_DISK.named(tmp_path, "kiosk.db.damaged-")

    assert [path.name[-1] for path in found] == ["1", "2", "3"]
    assert SYSTEM_DISK.read(found[2]) == b"kiosk.db"
    assert not SYSTEM_DISK.exists(tmp_path / "kiosk.db")
    assert SYSTEM_DISK.named(tmp_path / "no such folder", "") == ()


def test_a_lock_is_held_once_and_released_twice_without_harm(tmp_path: Path) -> None:
    path = tmp_path / "kiosk.db.lock"
    lock = SYSTEM_DISK.lock(path, is_waiting=False)
    with pytest.raises(BlockingIOError):
        SYSTEM_DISK.lock(path, is_waiting=False)

    lock.release()
    again = SYSTEM_DISK.lock(path, is_waiting=True)
    # The number of the first one's handle belongs to the second one now.
    lock.release()

    with pytest.raises(BlockingIOError):
        SYSTEM_DISK.lock(path, is_waiting=False)
    again.release()


def test_room_that_does_not_fit_is_not_taken_in_part(tmp_path: Path) -> None:
    path = tmp_path / "ballast"
    SYSTEM_DISK.allocate(path, 4096)
    assert path.stat().st_blocks * 512 >= 4096
    assert path.stat().st_mode & 0o777 == 0o600

    with pytest.raises(OSError):  # noqa: PT011 -- which one depends on the file system
        SYSTEM_DISK.allocate(path, 2**62)

    assert not path.exists()
