"""Killed at any instruction, a kiosk is its old or its new self, with all that it held.

The child is killed at the n-th thing that it does to the file system, for every n: opening,
making, linking, renaming, removing. What follows is done by a process that was never told.
"""

import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from sqlite_utils import Database as Tables

from sync import former, schema, shadow
from sync.clock import SeededEntropy
from sync.database import immediate, open_database
from sync.device import KEYS_FILE, load_device, save_identity, save_keys
from sync.sealing import SealingPublic, generate_sealing_key
from sync.signing import DeviceKeys
from tests.identity.places import waiting_envelopes
from tests.unit.sync.test_database import KEYS
from tests.unit.sync.worlds import SmallCentre, opened, submitted

KILLED = 9
TOUCHES = frozenset({"open", "os.link", "os.rename", "os.remove", "os.mkdir", "os.rmdir"})
FRESH = DeviceKeys.generate(SeededEntropy(78))
SEALING = SealingPublic(key_id=1, raw=generate_sealing_key(SeededEntropy(1))[1])


def killed_at(count: int, directory: Path, work: Callable[[], object]) -> bool:
    """Do the work in a child that dies at its n-th touch of the directory; answer if it died."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        assert code in (0, KILLED)
        return code == KILLED
    left = [count]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in TOUCHES and str(directory) in str(arguments[0]):
            left[0] -= 1
            if not left[0]:
                os._exit(KILLED)

    sys.addaudithook(hook)
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def due_for_a_change(directory: Path) -> set[bytes]:
    """A kiosk with a backlog, a damaged store set aside, and a new identity that waits."""
    directory.mkdir()
    centre = SmallCentre()
    identity = centre.enrolled(KEYS)
    save_keys(directory, KEYS)
    save_identity(directory, identity)
    database = opened(directory, KEYS)
    for number in range(1, 4):
        submitted(database, KEYS, SEALING, number)
    database.close()
    (directory / "kiosk.db.damaged-1").write_bytes(b"not a database" * 100)
    save_keys(directory, FRESH, name="device-FRSH.key")
    fresh = msgspec.structs.replace(identity, kiosk_no=43, keys_file="device-FRSH.key")
    save_identity(directory, fresh, name="kiosk-next.toml")
    return waiting_envelopes(directory)


@pytest.mark.deep
def test_kill_at_every_step_of_a_change_leaves_one_whole_identity_and_every_envelope(
    tmp_path: Path,
) -> None:
    seen: list[int] = []
    for count in range(1, 400):
        directory = tmp_path / str(count)
        held = due_for_a_change(directory)

        was_killed = killed_at(count, directory, lambda d=directory: former.change_over(d))  # type: ignore[misc]
        identity, keys = load_device(directory)
        seen.append(identity.kiosk_no)
        is_fresh = identity.kiosk_no == 43
        former.settle(directory)
        after_settling = load_device(directory)
        former.change_over(directory)

        assert keys == (FRESH if is_fresh else KEYS)
        assert after_settling == (identity, keys)
        assert load_device(directory)[1] == FRESH
        assert [one.keys for one in former.formers(directory)] == [KEYS]
        assert not list((directory / "former").glob("*.part"))
        assert not (directory / KEYS_FILE).exists()
        assert waiting_envelopes(directory) == held
        if not was_killed:
            break
    assert seen == sorted(seen)
    assert set(seen) == {42, 43}
    assert len(seen) > 20


@pytest.mark.deep
def test_kill_while_a_second_history_is_split_off_loses_none_of_it(tmp_path: Path) -> None:
    for count in range(1, 400):
        directory = tmp_path / str(count)
        directory.mkdir()
        save_keys(directory, KEYS)
        save_identity(directory, SmallCentre().enrolled(KEYS))
        elsewhere = tmp_path / f"{count}-other"
        database = opened(elsewhere, KEYS)
        submitted(database, KEYS, SEALING, 7)
        kept = shadow.Shadow(directory / "copy", KEYS.sign_public)
        kept.append(database.conn, 1)
        entries = tuple(kept.entries())
        database.close()

        def fill(db: object, found: tuple[shadow.Entry, ...] = entries) -> None:
            for entry in found:
                shadow.put_in(db, entry)  # type: ignore[arg-type]

        identity, keys = load_device(directory)
        was_killed = killed_at(
            count,
            directory / "former",
            lambda d=directory, i=identity, k=keys: former.split_off(d, i, k, fill),  # type: ignore[misc]
        )
        former.settle(directory)
        found = former.formers(directory)

        # Not whole is not there: the shadow still has it and is asked again.
        assert len(found) == 1 or (was_killed and tuple(kept.entries()) == entries)
        if not was_killed:
            assert waiting_envelopes(directory) == {entries[0].envelope}
            break


# --- row 7 ---


@pytest.mark.deep
def test_row_7_kill_between_two_statements_of_a_migration_leaves_no_half_of_it(
    tmp_path: Path,
) -> None:
    """All migrations of a start are one transaction: the store is as it was, or up to date."""
    whole = tables_of(migrated(tmp_path / "whole.db"))
    was_killed, count = True, 0
    while was_killed:
        count += 1
        path = tmp_path / f"{count}.db"
        sqlite3.connect(path).close()

        was_killed = killed_in_statement(count, path)
        found = tables_of(path)

        assert found in ([], whole)
        assert found == whole or was_killed
        assert tables_of(migrated(path)) == whole
    assert count > 20


def migrated(path: Path) -> Path:
    open_database(path, ballast_bytes=4096, is_threaded=False).close()
    return path


def tables_of(path: Path) -> list[tuple[str, str]]:
    conn = sqlite3.connect(path)
    rows = conn.execute("SELECT type, name FROM sqlite_master ORDER BY type, name").fetchall()
    conn.close()
    return rows


def killed_in_statement(count: int, path: Path) -> bool:
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) == KILLED
    left = [count]

    def trace(_: str) -> None:
        left[0] -= 1
        if not left[0]:
            os._exit(KILLED)

    code = 1
    try:
        conn = sqlite3.connect(path, isolation_level=None)
        conn.execute("PRAGMA journal_mode = WAL")
        db = Tables(conn, execute_plugins=False)
        conn.set_trace_callback(trace)
        with immediate(db):
            schema.migrations.apply(db)
        code = 0
    finally:
        os._exit(code)


def test_row_7_store_of_the_version_before_is_brought_up_to_date(tmp_path: Path) -> None:
    conn = sqlite3.connect(tmp_path / "kiosk.db", isolation_level=None)
    old = Tables(conn, execute_plugins=False)
    with immediate(old):
        schema.migrations.apply(old, stop_before="m010_duty")
    conn.close()

    database = opened(tmp_path, KEYS)
    receipt = submitted(database, KEYS, SEALING, 1)
    database.close()

    assert receipt.seq == 1
