"""Catalogues that the centre lost, or that its disk damaged: nothing sent is lost with them."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from server.catalogue.publish import prepared, publish
from server.catalogue.shelf import Published, Shelf
from server.errors import CatalogueRefused
from server.store import cases, catalogues, outcomes
from sync import limits
from tests.editions import edited, shipped, text_changed
from tests.unit.server.test_pipeline import fates, letters, sent, settled
from tests.unit.server.world import HELPER_REQUEST, World


class Centre:
    """A centre that can be stopped and started on its folder."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)

    def restart(self) -> None:
        """Forget what is in memory: the vault, its shelf and every connection."""
        world = self.world
        world.close()
        world._reader = world._writer = world._vault = world.ledger = None

    def publish(self, sources=None) -> Published:  # type: ignore[no-untyped-def]
        return self.world.publish(sources or shipped())

    def damage(self, name: str) -> bytes:
        """What a bad block does to a blob; answer what it was."""
        raw = catalogues.blob(self.world.conn, name)
        assert raw is not None

        def write(conn: sqlite3.Connection) -> None:
            conn.execute("UPDATE blobs SET raw = zeroblob(9) WHERE sha256 = ?", (name,))

        self.world.write(write)
        return raw


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    made = Centre(tmp_path / "c")
    yield made
    made.world.close()


def newest(centre: Centre) -> catalogues.CatalogueRow:
    row = catalogues.latest(centre.world.conn)
    assert row is not None
    return row


def test_unknown_version_52_is_a_dead_letter_and_a_case_once_it_is_there(centre: Centre) -> None:
    published = centre.publish()
    kiosk = centre.world.enrol()
    later = msgspec.structs.replace(published, version=2)
    first, second = (
        kiosk.confirm(later, HELPER_REQUEST),
        kiosk.confirm(published, HELPER_REQUEST),
    )
    sent(centre.world, kiosk, first, second)
    before = (letters(centre.world), fates(centre.world))
    centre.restart()

    def brought_back(conn: sqlite3.Connection) -> None:
        catalogues.add_version(conn, msgspec.structs.replace(newest(centre), version=2))

    centre.world.write(brought_back)
    released = centre.world.write(outcomes.release_published)
    settled(centre.world)

    assert before == ([("unknown_catalogue", 1)], ["dead", "case"])
    assert released == 1
    assert (letters(centre.world), fates(centre.world)) == ([], ["case", "case"])


def test_dictionary_missing_53_is_a_dead_letter_until_it_is_published_again(
    centre: Centre,
) -> None:
    published = centre.publish()
    kiosk = centre.world.enrol()
    centre.damage(newest(centre).dictionary_sha256)
    sent(centre.world, kiosk, kiosk.confirm(published, HELPER_REQUEST))
    before = letters(centre.world)
    centre.restart()

    outcome = centre.world.write(publish, centre.world.keys, prepared(shipped()), 0)
    settled(centre.world)

    assert before == [("unknown_catalogue", 1)]
    assert (outcome.version, outcome.is_new) == (1, False)
    assert (letters(centre.world), fates(centre.world)) == ([], ["case"])


def test_dictionary_missing_53_is_not_tried_again_and_again(centre: Centre) -> None:
    published = centre.publish()
    kiosk = centre.world.enrol()
    centre.damage(newest(centre).dictionary_sha256)

    sent(centre.world, kiosk, kiosk.confirm(published, HELPER_REQUEST))

    assert not outcomes.has_published(centre.world.conn)
    assert cases.dead_letters(centre.world.conn)[0].tries == 1


def test_version_that_kiosks_run_and_the_centre_has_lost_is_not_given_again(
    centre: Centre,
) -> None:
    # The backup was put back, and nobody has said so yet.
    centre.publish()
    centre.world.enrol()
    centre.world.write(lambda conn: conn.execute("UPDATE kiosks SET catalogue = 5"))

    again = centre.publish()
    then = centre.publish(edited(text_changed))

    assert (again.version, then.version) == (105, 106)


def test_kiosk_that_lies_of_its_version_wastes_few_numbers(centre: Centre) -> None:
    centre.publish()
    centre.world.enrol()
    centre.world.write(lambda conn: conn.execute("UPDATE kiosks SET catalogue = 2000000000"))

    assert centre.publish().version == 1 + limits.CATALOGUE_AHEAD_MAX + 100


def test_damaged_newest_version_holds_up_nothing_of_the_others(centre: Centre) -> None:
    old = centre.publish()
    kiosk = centre.world.enrol()
    centre.publish(edited(text_changed))
    centre.damage(newest(centre).catalogue_sha256)
    centre.restart()
    shelf = Shelf()

    newest_whole = shelf.refresh(centre.world.conn)
    sent(centre.world, kiosk, kiosk.confirm(old, HELPER_REQUEST))

    assert newest_whole is None
    assert fates(centre.world) == ["case"]


def test_catalogue_that_no_kiosk_would_take_is_not_published() -> None:
    texts = "字" * (limits.BLOB_BYTES_MAX // 3 // 200)

    def swollen(catalogue: dict) -> None:
        for service in catalogue["services"]:
            for question in service["questions"]:
                question["label"]["zh-CN"] += texts

    with pytest.raises(CatalogueRefused, match="catalogue: more than"):
        prepared(edited(swollen))
