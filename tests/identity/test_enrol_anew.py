"""A kiosk that is enrolled anew loses nothing: row 39, 40 and research 3.7, at the kiosk."""

from pathlib import Path

import pytest

from kiosk.places import AtFault, AtHome
from kiosk.resume import Trail
from sync import former
from sync.clock import SeededEntropy
from sync.database import AlreadyRunning
from sync.device import load_device, load_identity, load_next
from sync.enrolling import enrol
from sync.limits import REENROL_GRACE_MS
from sync.transports import CentreRefused, LinkDown
from sync.transports.memory import MemoryLink
from tests.identity.places import Centre, copied, enrolled, started
from tests.unit.kiosk.parts import OLD_ID, PHONE
from tests.unit.kiosk.test_effects import transaction
from tests.unit.server.world import DAY_MS, HOUR_MS, NOW_MS
from tests.unit.sync.worlds import JumpingClock

# --- what waits under the former identity ---


async def test_row_39_backlog_of_the_former_identity_is_delivered_by_the_new_one(
    tmp_path: Path, centre: Centre
) -> None:
    folder, clock = tmp_path / "kiosk", JumpingClock(NOW_MS)
    await enrolled(folder, centre)
    async with started(folder, centre, clock) as kiosk:
        await kiosk.exchange()
        centre.is_up = False
        before = [await kiosk.confirm() for _ in range(3)]
    centre.is_up = True
    await enrolled(folder, centre, replaces=1)

    async with started(folder, centre, clock) as kiosk:
        waited = kiosk.former_waiting()
        own = await kiosk.confirm()
        await kiosk.exchange()
        left = (kiosk.waiting(), kiosk.former_waiting())
        number = kiosk.kiosk_no

    centre.open_all()
    assert (waited, left, number) == ([3], (0, [0]), 2)
    assert centre.case_nos() == sorted([*(one.case_no for one in before), own.case_no])
    assert own.seq == 1


async def test_matters_of_the_former_identity_are_found_by_slip_and_by_card(
    tmp_path: Path, centre: Centre
) -> None:
    folder, clock = tmp_path / "kiosk", JumpingClock(NOW_MS)
    await enrolled(folder, centre)
    async with started(folder, centre, clock) as kiosk:
        await kiosk.exchange()
        former_receipt = await kiosk.confirm(
            transaction().answers, "pension_auth", photo="face_photo"
        )
        await kiosk.exchange()
    await enrolled(folder, centre, replaces=1)

    async with started(folder, centre, clock) as kiosk:
        receipt = await kiosk.confirm(transaction().answers, "pension_auth", photo="face_photo")
        await kiosk.exchange()
        centre.open_all()
        await kiosk.exchange()
        by_slip = await kiosk.look_up(former_receipt.case_no)
        by_card = await kiosk.look_up(id_number=OLD_ID, phone_tail=PHONE[-4:])

    assert [matter.case_no for matter in by_slip] == [former_receipt.case_no]
    assert [notice.kind for notice in by_slip[0].notices] == ["received"]
    assert [matter.case_no for matter in by_card] == [receipt.case_no, former_receipt.case_no]


async def test_notice_of_a_former_case_reaches_the_screen_once_whoever_brings_it(
    tmp_path: Path, centre: Centre
) -> None:
    folder, clock = tmp_path / "kiosk", JumpingClock(NOW_MS)
    await enrolled(folder, centre)
    async with started(folder, centre, clock) as kiosk:
        await kiosk.exchange()
        receipt = await kiosk.confirm()
        await kiosk.exchange()
        centre.open_all()
    await enrolled(folder, centre, replaces=1)

    async with started(folder, centre, clock) as kiosk:
        centre.world.clock.ms += HOUR_MS
        centre.accept(receipt.case_no)
        await kiosk.exchange()
        counts = [
            database.conn.execute("SELECT count(*) FROM notice").fetchone()[0]
            for database in (kiosk.folder.database.conn, kiosk.folder.carried[0].database.conn)
        ]
        (matter,) = await kiosk.look_up(receipt.case_no)

    # Written before and after the change: the former store has both, the new one the second.
    assert counts == [1, 2]
    assert [notice.kind for notice in matter.notices] == ["received", "accepted"]


async def test_kiosk_that_replaces_a_burnt_one_shows_what_its_cases_became(
    tmp_path: Path, centre: Centre
) -> None:
    await enrolled(tmp_path / "burnt", centre)
    async with started(tmp_path / "burnt", centre) as kiosk:
        await kiosk.exchange()
        receipt = await kiosk.confirm()
        await kiosk.exchange()
        centre.open_all()
    await enrolled(tmp_path / "new", centre, replaces=1)

    centre.accept(receipt.case_no)
    async with started(tmp_path / "new", centre) as kiosk:
        await kiosk.exchange()
        (matter,) = await kiosk.look_up(receipt.case_no)

    assert (matter.service, matter.is_delivered) == ("helper_request", True)
    assert [notice.kind for notice in matter.notices] == ["accepted"]


@pytest.mark.deep
async def test_two_machines_that_took_one_place_are_both_told(
    tmp_path: Path, centre: Centre
) -> None:
    """A copied card: both are enrolled anew in the place of the same identity."""
    folder, clock = tmp_path / "kiosk", JumpingClock(NOW_MS)
    await enrolled(folder, centre)
    async with started(folder, centre, clock) as kiosk:
        await kiosk.exchange()
        receipt = await kiosk.confirm()
        await kiosk.exchange()
        centre.open_all()
    other = copied(folder, tmp_path / "copy")
    for place in (folder, other):
        await enrolled(place, centre, replaces=1)

    centre.accept(receipt.case_no)
    told = []
    for place in (folder, other):
        async with started(place, centre, clock) as kiosk:
            await kiosk.exchange(formers=False)
            (matter,) = await kiosk.look_up(receipt.case_no)
            told.append([notice.kind for notice in matter.notices])

    assert told == [["accepted"], ["accepted"]]


@pytest.mark.deep
async def test_former_identity_is_carried_until_its_notices_time_is_over(
    tmp_path: Path, centre: Centre
) -> None:
    folder, clock = tmp_path / "kiosk", JumpingClock(NOW_MS)
    await enrolled(folder, centre)
    async with started(folder, centre, clock) as kiosk:
        await kiosk.exchange()
        await kiosk.confirm()
        await kiosk.exchange()
    await enrolled(folder, centre, replaces=1)
    async with started(folder, centre, clock) as kiosk:
        carried_first = len(kiosk.folder.carried)
        centre.world.clock.ms += 801 * DAY_MS
        centre.renew_certificate()
        await kiosk.exchange()

    async with started(folder, centre, clock) as kiosk:
        carried_then = len(kiosk.folder.carried)

    assert (carried_first, carried_then) == (1, 0)
    assert (folder / "former" / "1" / "kiosk.db").exists()


# --- the change itself ---


async def test_kiosk_serves_at_once_with_the_catalogue_that_it_had(
    tmp_path: Path, centre: Centre
) -> None:
    folder = tmp_path / "kiosk"
    await enrolled(folder, centre)
    async with started(folder, centre) as kiosk:
        await kiosk.exchange()
    await enrolled(folder, centre, replaces=1)
    centre.is_up = False

    async with started(folder, centre) as kiosk:
        place = kiosk.stage.visit.place
        receipt = await kiosk.confirm()

    assert place == AtHome()
    assert receipt.case_no.startswith("0002")


async def test_running_kiosk_keeps_its_identity_until_it_is_started_again(
    tmp_path: Path, centre: Centre
) -> None:
    folder = tmp_path / "kiosk"
    await enrolled(folder, centre)
    async with started(folder, centre) as kiosk:
        await kiosk.exchange()
        fresh = await enrolled(folder, centre, replaces=1)
        with pytest.raises(AlreadyRunning):
            former.change_over(folder)
        present, waits = load_identity(folder), load_next(folder)
        receipt = await kiosk.confirm()

    assert (present.kiosk_no, waits) == (1, fresh)
    assert receipt.case_no.startswith("0001")


@pytest.mark.deep
async def test_change_waits_for_a_receipt_that_is_owed(tmp_path: Path, centre: Centre) -> None:
    folder = tmp_path / "kiosk"
    await enrolled(folder, centre)
    async with started(folder, centre) as kiosk:
        await kiosk.exchange()
        receipt = await kiosk.confirm()
    await enrolled(folder, centre, replaces=1)
    Trail(folder).note(receipt.transaction_id, "zh-CN")

    async with started(folder, centre) as kiosk:
        owed = kiosk.stage.visit.receipt
        kiosk.parts.trail.clear()
    async with started(folder, centre) as kiosk:
        number = kiosk.kiosk_no

    assert owed == receipt
    assert number == 2


async def test_same_code_again_makes_no_third_identity(tmp_path: Path, centre: Centre) -> None:
    folder, code = tmp_path / "kiosk", centre.code()
    folder.mkdir()
    link = MemoryLink(centre)

    first = await enrol(link, folder, code, entropy=SeededEntropy(1))
    again = await enrol(link, folder, code, entropy=SeededEntropy(2))

    assert (first, load_next(folder)) == (again, None)
    assert len(centre.requests) == 0


async def test_lost_answer_is_asked_for_again_even_after_the_codes_day(
    tmp_path: Path, centre: Centre
) -> None:
    folder = tmp_path / "kiosk"
    await enrolled(folder, centre)
    code = centre.code(replaces=1)

    with pytest.raises(LinkDown):
        await enrol(MemoryLink(centre, ["drop_reply"]), folder, code, entropy=SeededEntropy(3))
    present = load_identity(folder)
    centre.world.clock.ms += 3 * DAY_MS
    identity = await enrol(MemoryLink(centre), folder, code, entropy=SeededEntropy(4))

    assert present.kiosk_no == 1
    assert identity.kiosk_no == 2
    assert former.change_over(folder) == identity
    assert load_device(folder)[0] == identity


async def test_refused_code_leaves_the_kiosk_as_it_was(tmp_path: Path, centre: Centre) -> None:
    folder = tmp_path / "kiosk"
    await enrolled(folder, centre)
    before = load_device(folder)

    with pytest.raises(CentreRefused):
        await enrol(MemoryLink(centre), folder, "0000-0000-0000", entropy=SeededEntropy(3))

    assert load_device(folder) == before
    assert former.change_over(folder) is None


@pytest.mark.deep
async def test_damaged_name_of_the_kiosk_strands_no_backlog(tmp_path: Path, centre: Centre) -> None:
    folder = tmp_path / "kiosk"
    await enrolled(folder, centre)
    async with started(folder, centre) as kiosk:
        await kiosk.exchange()
        centre.is_up = False
        receipt = await kiosk.confirm()
    centre.is_up = True
    (folder / "kiosk.toml").write_bytes(b"\x00" * 40)
    await enrolled(folder, centre)

    async with started(folder, centre):
        pass  # sets the store aside that is not this identity's
    async with started(folder, centre) as kiosk:
        await kiosk.exchange()

    centre.open_all()
    assert centre.case_nos() == [receipt.case_no]


# --- what the centre asks for ---


async def test_kiosk_without_a_code_rests_after_72_hours_of_the_centres_time_and_delivers_on(
    tmp_path: Path, centre: Centre
) -> None:
    folder, clock = tmp_path / "kiosk", JumpingClock(NOW_MS)
    await enrolled(folder, centre)
    async with started(folder, centre, clock) as kiosk:
        await kiosk.exchange()
        centre.world.write(lambda c: c.execute("UPDATE kiosks SET state = 'forked'"))
        await kiosk.exchange()
        centre.world.clock.ms += REENROL_GRACE_MS - 1
        await kiosk.exchange()
        during = kiosk.stage.visit.place
        await kiosk.confirm()
        centre.world.clock.ms += 60_000
        await kiosk.exchange()
        after = kiosk.stage.visit.place
        shown = (await kiosk.stage.screen())[0]

    centre.is_up = False
    async with started(folder, centre, clock) as kiosk:
        restarted = kiosk.stage.visit.place
        left = kiosk.waiting()

    centre.open_all()
    assert (during, after, restarted) == (AtHome(), AtFault("410"), AtFault("410"))
    assert shown.code == "F-410"
    assert "停用" in shown.lines[0]
    assert shown.say
    assert (left, len(centre.case_nos())) == (0, 1)


@pytest.mark.deep
async def test_kiosks_own_clock_does_not_bring_the_72_hours_about(
    tmp_path: Path, centre: Centre
) -> None:
    folder, clock = tmp_path / "kiosk", JumpingClock(NOW_MS)
    await enrolled(folder, centre)
    async with started(folder, centre, clock) as kiosk:
        await kiosk.exchange()
        centre.world.write(lambda c: c.execute("UPDATE kiosks SET state = 'forked'"))
        await kiosk.exchange()
        clock.pass_ms(3650 * DAY_MS)
        await kiosk.stage.heed()
        place = kiosk.stage.visit.place

    assert place == AtHome()


async def test_new_identity_serves_again_while_the_forked_one_rests(
    tmp_path: Path, centre: Centre
) -> None:
    folder, clock = tmp_path / "kiosk", JumpingClock(NOW_MS)
    await enrolled(folder, centre)
    async with started(folder, centre, clock) as kiosk:
        await kiosk.exchange()
        centre.world.write(lambda c: c.execute("UPDATE kiosks SET state = 'forked'"))
        await kiosk.exchange()
        centre.world.clock.ms += REENROL_GRACE_MS
        await kiosk.exchange()
        before = kiosk.stage.visit.place
    await enrolled(folder, centre, replaces=1)

    async with started(folder, centre, clock) as kiosk:
        await kiosk.exchange()
        after = kiosk.stage.visit.place

    assert (before, after) == (AtFault("410"), AtHome())


# --- the board ---


async def test_card_in_another_board_gives_no_number_before_it_is_enrolled_anew(
    tmp_path: Path, centre: Centre
) -> None:
    folder = tmp_path / "kiosk"
    await enrolled(folder, centre, board="tree:aaaa")
    async with started(folder, centre, board="tree:aaaa") as kiosk:
        await kiosk.exchange()
        centre.is_up = False
        await kiosk.confirm()
        at_home = kiosk.stage.visit.place
    centre.is_up = True
    copy = copied(folder, tmp_path / "copy")

    async with started(copy, centre, board="tree:bbbb", boot=12) as kiosk:
        elsewhere = kiosk.stage.visit.place
        await kiosk.exchange()
        left = kiosk.waiting()
    await enrolled(copy, centre, replaces=1, board="tree:bbbb")
    async with started(copy, centre, board="tree:bbbb", boot=13) as kiosk:
        again, number = kiosk.stage.visit.place, kiosk.kiosk_no

    assert (at_home, elsewhere, left) == (AtHome(), AtFault("410"), 0)
    assert (again, number) == (AtHome(), 2)


@pytest.mark.parametrize("board", ["", "net:cccc"])
async def test_board_that_cannot_be_told_keeps_nobody_from_serving(
    tmp_path: Path, centre: Centre, board: str
) -> None:
    folder = tmp_path / "kiosk"
    await enrolled(folder, centre, board="tree:aaaa")
    async with started(folder, centre, board="tree:aaaa") as kiosk:
        await kiosk.exchange()

    async with started(folder, centre, board=board) as kiosk:
        assert kiosk.stage.visit.place == AtHome()
