"""A new catalogue comes while somebody stands at the kiosk: what was begun keeps the old one."""

from pathlib import Path

from kiosk.places import AtReceipt, Checking
from sync import catalogues
from sync.wire import decode_envelope
from tests.unit.kiosk.stations import Station, publish, station
from tests.unit.kiosk.test_effects import hand_in, walk_to_check


def sealed_under(kiosk: Station) -> list[int]:
    """Catalogue versions in the headers of what waits, oldest first."""
    rows = kiosk.parts.database.conn.execute("SELECT envelope FROM outbox ORDER BY seq").fetchall()
    return [decode_envelope(raw).header.catalogue for (raw,) in rows]


async def test_what_was_begun_before_the_switch_is_sealed_under_the_old_version(
    tmp_path: Path,
) -> None:
    async with station(tmp_path) as kiosk:
        await walk_to_check(kiosk)
        # Several in a row: the store no longer holds the version of this visit.
        for version in (2, 3, 4):
            publish(kiosk.centre, version=version)
            await kiosk.exchange()
            await kiosk.stage.renew()
        in_force = catalogues.load_current(kiosk.parts.database.conn)
        during = kiosk.stage.visit.place
        await hand_in(kiosk)
        receipt = kiosk.stage.visit.place

        assert in_force is not None
        assert (in_force.version, during, receipt) == (4, Checking(), AtReceipt())
        assert sealed_under(kiosk) == [1]


async def test_next_visit_is_sealed_under_the_new_version(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        publish(kiosk.centre, version=2)
        await kiosk.exchange()
        await kiosk.stage.renew()

        await walk_to_check(kiosk)
        await hand_in(kiosk)

        assert sealed_under(kiosk) == [2]
