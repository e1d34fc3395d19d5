"""Codes, a centre restored from a backup, two centres: rows 44 to 47."""

from pathlib import Path

import pytest

from server.store import centre as facts
from sync import limits
from sync.clock import SeededEntropy
from sync.device import NotEnrolled, load_identity
from sync.enrolling import enrol
from sync.transports import CentreRefused
from sync.transports.memory import MemoryLink
from tests.identity.places import Centre, enrolled, started
from tests.unit.server.world import HOUR_MS, NOW_MS
from tests.unit.sync.worlds import JumpingClock

# --- row 44 ---


async def tried(folder: Path, centre: Centre, code: str, seed: int = 1) -> None:
    await enrol(MemoryLink(centre), folder, code, entropy=SeededEntropy(seed))


async def test_row_44_stolen_code_that_was_used_enrols_nobody_else(
    tmp_path: Path, centre: Centre
) -> None:
    code = centre.code()
    (tmp_path / "kiosk").mkdir()
    await tried(tmp_path / "kiosk", centre, code)

    with pytest.raises(CentreRefused):
        await tried(tmp_path / "thief", centre, code, seed=2)

    assert load_identity(tmp_path / "kiosk").kiosk_no == 1
    with pytest.raises(NotEnrolled):
        load_identity(tmp_path / "thief")


async def test_row_44_guesses_kill_the_code_before_the_installer_comes_too_late(
    tmp_path: Path, centre: Centre
) -> None:
    code = centre.code()
    guesses = [code[:4] + f"-0000-000{number}" for number in range(limits.ENROL_TRIES_MAX)]

    for guess in guesses:
        with pytest.raises(CentreRefused):
            await tried(tmp_path / "thief", centre, guess)

    with pytest.raises(CentreRefused):
        await tried(tmp_path / "kiosk", centre, code)
    await tried(tmp_path / "kiosk", centre, centre.code())
    assert load_identity(tmp_path / "kiosk").kiosk_no == 1


async def test_row_44_code_of_yesterday_is_dead(tmp_path: Path, centre: Centre) -> None:
    code = centre.code()
    centre.world.clock.ms += limits.ENROL_CODE_MS

    with pytest.raises(CentreRefused):
        await tried(tmp_path / "kiosk", centre, code)


# --- rows 45 and 47 ---


async def test_row_45_centre_restored_from_a_backup_gets_back_what_it_lost_and_tells_again(
    tmp_path: Path, centre: Centre
) -> None:
    folder, clock = tmp_path / "kiosk", JumpingClock(NOW_MS)
    await enrolled(folder, centre)
    async with started(folder, centre, clock) as kiosk:
        await kiosk.exchange()
        first = await kiosk.confirm()
        await kiosk.exchange()
        centre.open_all()
        backup = centre.backup(tmp_path / "backup")
        second = await kiosk.confirm()
        await kiosk.exchange()
        centre.open_all()
        centre.accept(second.case_no)
        await kiosk.exchange()
        settled_before = kiosk.waiting()

        centre.restore(backup)
        centre.world.clock.ms += HOUR_MS
        centre.world.write(facts.raise_epoch, centre.world.clock.ms)
        lost = centre.case_nos()
        await kiosk.exchange()
        await kiosk.exchange()
        centre.open_all()
        back = centre.case_nos()
        centre.accept(second.case_no)
        await kiosk.exchange()
        (matter,) = await kiosk.look_up(second.case_no)
        left = kiosk.waiting()

    assert (settled_before, left) == (0, 0)
    assert (lost, back) == ([first.case_no], [first.case_no, second.case_no])
    # Told twice by two histories of the centre; each step of the matter is shown as told.
    assert [notice.kind for notice in matter.notices][-1] == "accepted"


@pytest.mark.deep
async def test_row_45_centre_that_nobody_told_of_its_restoring_is_ignored_and_says_so(
    tmp_path: Path, centre: Centre
) -> None:
    folder = tmp_path / "kiosk"
    await enrolled(folder, centre)
    async with started(folder, centre) as kiosk:
        await kiosk.exchange()
        backup = centre.backup(tmp_path / "backup")
        centre.world.clock.ms += HOUR_MS
        centre.world.write(facts.raise_epoch, centre.world.clock.ms)
        await kiosk.exchange()
        centre.restore(backup)
        await kiosk.confirm()
        outcome = await kiosk.exchange()
        waits = kiosk.waiting()

        centre.world.write(facts.raise_epoch, centre.world.clock.ms + HOUR_MS)
        await kiosk.exchange()
        left = kiosk.waiting()

    assert (outcome.error, waits, left) == ("old_centre", 1, 0)


@pytest.mark.deep
async def test_row_45_restored_centre_that_forgot_the_new_identity_is_given_nothing_wrong(
    tmp_path: Path, centre: Centre
) -> None:
    """The backup is older than the enrolment: the kiosk is unknown, and keeps what it holds."""
    folder = tmp_path / "kiosk"
    await enrolled(folder, centre)
    async with started(folder, centre) as kiosk:
        await kiosk.exchange()
    backup = centre.backup(tmp_path / "backup")
    await enrolled(folder, centre, replaces=1)
    async with started(folder, centre) as kiosk:
        await kiosk.exchange()
        centre.restore(backup)
        centre.world.write(facts.raise_epoch, centre.world.clock.ms + HOUR_MS)
        receipt = await kiosk.confirm()
        outcome = await kiosk.exchange()
        waits = kiosk.waiting()
    await enrolled(folder, centre, replaces=1)
    async with started(folder, centre) as kiosk:
        await kiosk.exchange()
        former_waits = kiosk.former_waiting()
        (matter,) = await kiosk.look_up(receipt.case_no)

    assert (outcome.error, outcome.detail) == ("refused", "404.20")
    assert (waits, former_waits[0]) == (1, 1)
    assert not matter.is_delivered


@pytest.mark.deep
async def test_row_47_failover_that_lost_the_last_commits_is_refilled_without_a_new_epoch(
    tmp_path: Path, centre: Centre
) -> None:
    folder, clock = tmp_path / "kiosk", JumpingClock(NOW_MS)
    await enrolled(folder, centre)
    async with started(folder, centre, clock) as kiosk:
        await kiosk.exchange()
        await kiosk.confirm()
        await kiosk.exchange()
        replica = centre.backup(tmp_path / "replica")
        receipts = [await kiosk.confirm() for _ in range(3)]
        await kiosk.exchange()
        settled_before = kiosk.waiting()
        centre.restore(replica)
        await kiosk.exchange()
        await kiosk.exchange()
        left = kiosk.waiting()

    centre.open_all()
    assert (settled_before, left) == (0, 0)
    assert centre.case_nos()[1:] == [receipt.case_no for receipt in receipts]


# --- row 46 ---


async def test_row_46_kiosk_keeps_to_the_newer_of_two_centres_that_answer(
    tmp_path: Path, centre: Centre
) -> None:
    folder, clock = tmp_path / "kiosk", JumpingClock(NOW_MS)
    await enrolled(folder, centre)
    async with started(folder, centre, clock) as kiosk:
        await kiosk.exchange()
    old = centre.backup(tmp_path / "old-machine")
    centre.world.clock.ms += HOUR_MS
    centre.world.write(facts.raise_epoch, centre.world.clock.ms)
    async with started(folder, centre, clock, boot=12) as kiosk:
        await kiosk.exchange()
    newer = centre.backup(tmp_path / "newer")

    centre.restore(old)
    async with started(folder, centre, clock, boot=13) as kiosk:
        receipt = await kiosk.confirm()
        answered_by_old = await kiosk.exchange()
        waits = kiosk.waiting()
        centre.restore(newer)
        await kiosk.exchange()
        left = kiosk.waiting()

    centre.open_all()
    assert (answered_by_old.error, waits, left) == ("old_centre", 1, 0)
    assert centre.case_nos() == [receipt.case_no]
