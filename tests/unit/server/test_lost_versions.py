"""Versions that a restored database lost: no number is given twice, a kiosk brings them back."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from server.catalogue import lost
from server.cli import centre as command
from server.errors import CatalogueRefused
from server.store import catalogues, fleet, outcomes
from server.store import centre as facts
from server.store.catalogues import CatalogueRow
from sync.catalogues import put_in_force
from sync.database import immediate
from tests.editions import edited, shipped, text_changed
from tests.unit.server.test_pipeline import fates, letters, sent, settled
from tests.unit.server.world import HELPER_REQUEST, World
from tests.unit.sync.worlds import opened


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "c")
    yield made
    made.close()


def in_force(world: World) -> CatalogueRow:
    row = catalogues.latest(world.conn)
    assert row is not None
    return row


def kiosk_store(folder: Path, world: World) -> Path:
    """A kiosk's store that holds the version in force."""
    row = in_force(world)
    names = (row.catalogue_sha256, row.dictionary_sha256, row.villages_sha256, row.reasons_sha256)
    blobs = {name: catalogues.blob(world.conn, name) or b"" for name in names}
    database = opened(folder)
    with immediate(database.conn) as db:
        put_in_force(db, row.manifest, blobs)
    database.close()
    return database.path


def forget_newest(conn: sqlite3.Connection) -> None:
    """What the backup lacks."""
    conn.execute("DELETE FROM catalogues WHERE version = (SELECT max(version) FROM catalogues)")


def test_version_of_an_envelope_that_came_is_not_given_again(world: World) -> None:
    published = world.publish(shipped())
    kiosk = world.enrol()
    lost_version = msgspec.structs.replace(published, version=4)
    sent(world, kiosk, kiosk.confirm(lost_version, HELPER_REQUEST))

    fresh = world.publish(edited(text_changed))

    assert fresh.version == 104
    assert letters(world) == [("unknown_catalogue", 1)]


def test_lost_version_is_put_back_from_a_kiosk_and_what_waited_becomes_a_case(
    world: World, tmp_path: Path
) -> None:
    world.publish(shipped())
    second = world.publish(edited(text_changed))
    store = kiosk_store(tmp_path / "kiosk", world)
    world.write(forget_newest)
    kiosk = world.enrol()
    sent(world, kiosk, kiosk.confirm(second, HELPER_REQUEST))
    before = letters(world)

    back = world.write(lost.put_back, world.keys, lost.versions_in(store))
    again = world.write(lost.put_back, world.keys, lost.versions_in(store))
    world.write(outcomes.release_published)  # as the pipeline does with its next step
    settled(world)

    assert before == [("unknown_catalogue", 1)]
    assert (back, again) == ((2,), ())
    assert (letters(world), fates(world)) == ([], ["case"])


def test_version_of_another_centre_or_with_a_damaged_part_is_not_put_back(
    world: World, tmp_path: Path
) -> None:
    world.publish(shipped())
    (found,) = lost.versions_in(kiosk_store(tmp_path / "kiosk", world))
    stranger = World(tmp_path / "stranger", seed=50)
    damaged = msgspec.structs.replace(
        found, blobs={name: raw + b" " for name, raw in found.blobs.items()}
    )

    with pytest.raises(CatalogueRefused, match="not the centre's"):
        stranger.write(lost.put_back, stranger.keys, (found,))
    with pytest.raises(CatalogueRefused, match="not whole"):
        world.write(lost.put_back, world.keys, (damaged,))
    with pytest.raises(CatalogueRefused, match="no store of a kiosk"):
        lost.versions_in(world.settings.database)

    assert catalogues.latest(stranger.conn) is None
    stranger.close()


def test_command_restored_revokes_begins_an_epoch_and_says_what_is_left_to_do(
    world: World, tmp_path: Path
) -> None:
    world.publish(shipped())
    stolen, honest = world.enrol("被盗的"), world.enrol("石桥村便民服务点")
    epoch = facts.epoch(world.conn)
    store = kiosk_store(tmp_path / "kiosk", world)
    shutil.copy(store, tmp_path / "copy.db")
    world.write(forget_newest)
    data = ["--data", str(world.settings.data_dir)]

    told = CliRunner().invoke(command, ["restored", "--revoked", str(stolen.kiosk_no), *data])
    nobody = CliRunner().invoke(command, ["restored", "--revoked", "999", *data])
    back = CliRunner().invoke(command, ["putback", str(tmp_path / "copy.db"), *data])

    states = [row.state for row in fleet.kiosks(world.conn)]
    assert (told.exit_code, nobody.exit_code, back.exit_code) == (0, 1, 0)
    assert states == ["revoked", "active"]
    assert honest.kiosk_no == 2
    assert facts.epoch(world.conn) > epoch
    assert "bianmin centre publish" in told.output
    assert "no kiosk has the number 999" in nobody.output
    assert back.output == "Put back: version 1.\n"
