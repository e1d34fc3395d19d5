"""The stage: who is before the screen, for how long, and what a power cut leaves them."""

from pathlib import Path

import pytest

from kiosk.events import Committed, Submit
from kiosk.places import Asking, AtFault, AtHome, AtReceipt
from kiosk.resume import FILE_NAME, OWED_MS_MAX, Trail
from kiosk.visit import Visit
from sync import outbox
from sync.ids import uuid7_ms
from sync.limits import IDLE_FACTOR, IDLE_S, STILL_THERE_S
from sync.records import Notice
from tests.unit.kiosk.stations import Station, publish, station
from tests.unit.kiosk.test_effects import hand_in, transaction, walk_to_check
from tests.unit.sync.worlds import START_MS, JumpingClock


async def show(kiosk: Station) -> None:
    """Draw the screen, as the page does after each touch."""
    await kiosk.stage.screen()


async def test_visit_whose_page_died_is_asked_and_then_wiped(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        await kiosk.touch("service", "suggestion")
        await kiosk.touch("answer", "road", "topic")
        kiosk.parts.drafts.put("pic", 0, "image/jpeg", b"\xff\xd8\xff")
        await show(kiosk)

        kiosk.clock.pass_ms(IDLE_S * IDLE_FACTOR * 1000 + 600_000)
        await kiosk.stage.expire()
        overlay = kiosk.stage.visit.overlay
        kiosk.clock.pass_ms(STILL_THERE_S * IDLE_FACTOR * 1000 + 1)
        await kiosk.stage.expire()

        assert overlay == "idle"
        assert kiosk.stage.visit == Visit(id=kiosk.stage.visit.id, rev=kiosk.stage.visit.rev)
        assert kiosk.parts.drafts.is_empty
        assert kiosk.parts.live.is_empty


async def test_visit_in_time_is_left_alone(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        await kiosk.touch("service", "suggestion")
        await show(kiosk)
        before = kiosk.stage.visit

        kiosk.clock.pass_ms(IDLE_S * 1000)
        await kiosk.stage.expire()

        assert kiosk.stage.visit == before


async def test_home_stays_for_ever(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        await show(kiosk)
        before = kiosk.stage.visit

        kiosk.clock.pass_ms(10 * 24 * 3600 * 1000)
        await kiosk.stage.expire()

        assert kiosk.stage.visit == before


async def test_next_visit_has_another_id(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        first = kiosk.stage.visit.id
        await kiosk.touch("service", "suggestion")
        await kiosk.touch("home")

        assert kiosk.stage.visit.id != first


# --- a power cut between commit and receipt ---


async def committed_without_receipt(tmp_path: Path, clock: JumpingClock) -> str:
    """Cut the power in the moment after the commit; answer the case number."""
    async with station(tmp_path, clock=clock) as kiosk:
        assert kiosk.stage.loaded is not None
        kiosk.parts.drafts.put("face_photo", 0, "image/jpeg", b"\xff\xd8\xff")
        (event,) = await kiosk.parts.effects.run([Submit(transaction())], kiosk.stage.loaded)
        assert isinstance(event, Committed)
        return event.receipt.case_no


async def test_receipt_that_a_power_cut_kept_back_is_shown_at_the_next_start(
    tmp_path: Path,
) -> None:
    clock = JumpingClock()
    case_no = await committed_without_receipt(tmp_path, clock)

    async with station(tmp_path, clock=clock) as kiosk:
        receipt = kiosk.stage.visit.receipt

        assert kiosk.stage.visit.place == AtReceipt()
        assert receipt is not None
        assert receipt.case_no == case_no
        assert (await kiosk.parts.database.run(outbox.waiting)).count == 1


async def test_receipt_that_was_seen_is_not_shown_again(tmp_path: Path) -> None:
    clock = JumpingClock()
    await committed_without_receipt(tmp_path, clock)
    async with station(tmp_path, clock=clock) as kiosk:
        await kiosk.touch("home")

    async with station(tmp_path, clock=clock) as kiosk:
        assert kiosk.stage.visit.place == AtHome()


async def test_old_receipt_is_nobodys_any_more(tmp_path: Path) -> None:
    clock = JumpingClock()
    await committed_without_receipt(tmp_path, clock)
    clock.pass_ms(OWED_MS_MAX)

    async with station(tmp_path, clock=clock) as kiosk:
        assert kiosk.stage.visit.place == AtHome()
        assert Trail(tmp_path).owed() is None


@pytest.mark.parametrize("raw", [b"", b"{", b'{"id":"zz","language":"zh-CN"}'])
async def test_torn_note_of_a_receipt_does_not_keep_the_kiosk_from_starting(
    tmp_path: Path, raw: bytes
) -> None:
    (tmp_path / FILE_NAME).write_bytes(raw)

    async with station(tmp_path) as kiosk:
        assert kiosk.stage.visit.place == AtHome()


async def test_power_cut_before_the_commit_leaves_nothing(tmp_path: Path) -> None:
    Trail(tmp_path).note(b"0123456789abcdef", "zh-CN")

    async with station(tmp_path) as kiosk:
        assert kiosk.stage.visit.place == AtHome()
        assert (await kiosk.parts.database.run(outbox.waiting)).count == 0


# --- catalogues ---


async def test_kiosk_without_services_waits_and_begins_when_they_come(tmp_path: Path) -> None:
    async with station(tmp_path, has_catalogue=False) as kiosk:
        before = kiosk.stage.visit.place

        await kiosk.exchange()
        await kiosk.stage.renew()

        assert before == AtFault("503")
        assert kiosk.stage.visit.place == AtHome()


async def test_running_visit_keeps_its_catalogue_and_the_next_one_has_the_new(
    tmp_path: Path,
) -> None:
    async with station(tmp_path) as kiosk:
        await kiosk.touch("service", "suggestion")
        await kiosk.touch("answer", "road", "topic")
        publish(kiosk.centre, version=2)

        await kiosk.exchange()
        await kiosk.stage.renew()
        during = kiosk.stage.loaded
        await kiosk.touch("home")
        await kiosk.touch("leave_yes")
        after = kiosk.stage.loaded

        assert during is not None
        assert after is not None
        assert (during.version, after.version) == (1, 2)


# --- what the centre says ---


async def test_receipt_tells_delivery_and_due_day_once_the_centre_has_it(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        await walk_to_check(kiosk)
        await hand_in(kiosk)
        receipt = kiosk.stage.visit.receipt
        assert receipt is not None
        before = (await kiosk.stage.screen())[0].receipt
        kiosk.centre.tell(kiosk.keys, due_notice(receipt.case_no))

        await kiosk.exchange()

        after = (await kiosk.stage.screen())[0].receipt
        assert before is not None
        assert after is not None
        assert (before.is_delivered, after.is_delivered) == (False, True)
        assert after.due == "最晚2026年12月4日答复"


def due_notice(case_no: str) -> Notice:
    return Notice(
        number=1,
        case_no=case_no,
        kind="received",
        service="suggestion",
        at_ms=START_MS,
        due_on="2026-12-04",
    )


async def test_receipts_square_delivers_the_transaction(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        await walk_to_check(kiosk)
        await hand_in(kiosk)

        screen = (await kiosk.stage.screen())[0]

        assert screen.receipt is not None
        assert screen.receipt.qr_svg.startswith("<svg ")


async def test_restart_in_the_middle_of_a_form_begins_at_home(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        await kiosk.touch("service", "suggestion")
        await kiosk.touch("answer", "road", "topic")
        assert kiosk.stage.visit.place == Asking("about_staff")

    async with station(tmp_path) as kiosk:
        assert kiosk.stage.visit.place == AtHome()


async def test_day_is_the_centres_once_it_was_heard(tmp_path: Path) -> None:
    """With a dead clock battery nobody could say that something happened today."""
    ten_years_ms = 10 * 365 * 24 * 3600 * 1000
    async with station(tmp_path, clock=JumpingClock(START_MS - ten_years_ms)) as kiosk:
        await kiosk.exchange()

        await walk_to_check(kiosk)

        draft = kiosk.stage.visit.draft
        assert draft is not None
        assert abs(uuid7_ms(draft.transaction_id) - START_MS) < 60_000
