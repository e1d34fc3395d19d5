"""A revoked kiosk: rows 42 and 43. What it sends waits for a person; it rests, and asks little."""

from pathlib import Path

import pytest

from kiosk.events import Touch
from kiosk.places import AtFault, AtHome
from server.store import reviews
from sync.limits import REVOKED_PIECE_EVERY_MS
from tests.identity.places import Centre, enrolled, started
from tests.unit.kiosk.test_effects import transaction
from tests.unit.server.world import NOW_MS
from tests.unit.sync.worlds import JumpingClock


async def test_row_43_revoked_kiosk_rests_keeps_its_outbox_and_goes_on_delivering(
    tmp_path: Path, centre: Centre
) -> None:
    folder, clock = tmp_path / "kiosk", JumpingClock(NOW_MS)
    await enrolled(folder, centre)
    async with started(folder, centre, clock) as kiosk:
        await kiosk.exchange()
        centre.is_up = False
        await kiosk.confirm()
        centre.revoke(1)
        centre.is_up = True
        before = kiosk.stage.visit.place
        await kiosk.exchange()
        after = kiosk.stage.visit.place
        held = kiosk.folder.database.conn.conn.execute("SELECT count(*) FROM outbox").fetchone()
    centre.is_up = False
    async with started(folder, centre, clock) as kiosk:
        restarted = kiosk.stage.visit.place

    assert (before, after, restarted) == (AtHome(), AtFault("410"), AtFault("410"))
    assert held == (1,)
    assert centre.fates() == ["quarantined"]


async def test_row_43_visit_that_has_begun_is_finished_before_the_kiosk_rests(
    tmp_path: Path, centre: Centre
) -> None:
    folder = tmp_path / "kiosk"
    await enrolled(folder, centre)
    async with started(folder, centre) as kiosk:
        await kiosk.exchange()
        visit = kiosk.stage.visit
        await kiosk.stage.touch(visit.id, visit.rev, Touch("service", "suggestion"))
        begun = kiosk.stage.visit.place
        centre.revoke(1)
        await kiosk.exchange()
        during = kiosk.stage.visit.place
        visit = kiosk.stage.visit
        await kiosk.stage.touch(visit.id, visit.rev, Touch("home"))
        after = kiosk.stage.visit.place

    assert begun == during != AtHome()
    assert after == AtFault("410")


async def test_row_43_same_piece_of_a_photo_is_offered_once_a_day_not_with_each_heartbeat(
    tmp_path: Path, centre: Centre
) -> None:
    folder, clock = tmp_path / "kiosk", JumpingClock(NOW_MS)
    await enrolled(folder, centre)
    async with started(folder, centre, clock) as kiosk:
        await kiosk.exchange()
        await kiosk.confirm(transaction().answers, "pension_auth", photo="face_photo")
        centre.revoke(1)
        await kiosk.exchange()
        centre.requests.clear()
        for _ in range(30):
            centre.world.clock.ms += 60_000
            await kiosk.parts.agent.exchange_once()
        in_half_an_hour = [len(request.chunks) for request in centre.requests]
        centre.requests.clear()
        for _ in range(3):
            centre.world.clock.ms += REVOKED_PIECE_EVERY_MS
            await kiosk.parts.agent.exchange_once()
            await kiosk.parts.agent.exchange_once()
        in_three_days = sum(len(request.chunks) for request in centre.requests)

    assert sum(in_half_an_hour) <= 1
    assert in_three_days == 3


async def test_row_42_accepted_backlog_becomes_cases_with_their_photos(
    tmp_path: Path, centre: Centre
) -> None:
    folder, clock = tmp_path / "kiosk", JumpingClock(NOW_MS)
    await enrolled(folder, centre)
    async with started(folder, centre, clock) as kiosk:
        await kiosk.exchange()
        receipt = await kiosk.confirm(transaction().answers, "pension_auth", photo="face_photo")
        later = await kiosk.confirm()
        centre.revoke(1)
        await kiosk.exchange()
        centre.open_all()
        quarantined = centre.case_nos()

        accept_up_to(centre, receipt.seq)
        centre.open_all()
        accepted = centre.case_nos()
        centre.world.clock.ms += REVOKED_PIECE_EVERY_MS
        await kiosk.exchange()
        case = centre.case(receipt.case_no)
        left = kiosk.waiting()

    assert (quarantined, accepted) == ([], [receipt.case_no])
    assert later.case_no not in accepted
    assert case is not None
    assert (case.attachments_received, left) == (1, 0)


def accept_up_to(centre: Centre, seq: int) -> None:
    world, kiosk_id = centre.world, centre.id_of(1)
    chosen = reviews.up_to(world.conn, kiosk_id, seq)
    world.write(
        reviews.decide,
        kiosk_id,
        chosen,
        "accepted",
        reason="slips were shown at the office",
        actor="zhouming",
        now_ms=world.clock.ms,
    )


async def test_row_42_refused_envelope_stays_and_can_still_be_accepted(
    tmp_path: Path, centre: Centre
) -> None:
    folder = tmp_path / "kiosk"
    await enrolled(folder, centre)
    async with started(folder, centre) as kiosk:
        await kiosk.exchange()
        receipt = await kiosk.confirm()
        centre.revoke(1)
        await kiosk.exchange()
    world, kiosk_id = centre.world, centre.id_of(1)
    said = {"reason": "made after the theft", "actor": "zhouming", "now_ms": NOW_MS}

    refused = world.write(reviews.decide, kiosk_id, [1], "refused", **said)
    shown = reviews.quarantined(world.conn, kiosk_id, limit=9)
    open_count = reviews.count(world.conn, kiosk_id)
    centre.open_all()
    after_refusal = (centre.fates(), centre.case_nos())
    world.write(reviews.decide, kiosk_id, [1], "accepted", **said)
    again = world.write(reviews.decide, kiosk_id, [1], "accepted", **said)
    centre.open_all()

    assert (refused, again, open_count) == (1, 0, 0)
    assert [(row.seq, row.verdict, row.reason) for row in shown] == [
        (receipt.seq, "refused", "made after the theft")
    ]
    assert after_refusal == (["quarantined"], [])
    assert centre.case_nos() == [receipt.case_no]


@pytest.mark.deep
async def test_row_42_list_says_what_fits_the_kiosks_own_chain(
    tmp_path: Path, centre: Centre
) -> None:
    folder = tmp_path / "kiosk"
    await enrolled(folder, centre)
    async with started(folder, centre) as kiosk:
        await kiosk.exchange()
        await kiosk.confirm()
        await kiosk.exchange()
        centre.revoke(1)
        await kiosk.confirm()
        await kiosk.exchange()

    found = reviews.quarantined(centre.world.conn, centre.id_of(1), limit=9)

    assert [(row.seq, row.is_linked, row.is_doubled, row.carrier) for row in found] == [
        (2, True, False, "exchange")
    ]
    assert not hasattr(found[0], "raw")
