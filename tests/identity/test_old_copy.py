"""Old images and copied cards: rows 39 to 41, and research 3.7 at the kiosk.

The rule behind all: a resident is never refused for the machine's fault, and no two residents
get one number when that can be known.
"""

from pathlib import Path

import msgspec
import pytest

from kiosk.places import AtHome
from sync import duty, outbox, standing
from sync.device import load_identity
from sync.duty import Numbers, numbers_after, top_of
from sync.frames import Reply
from sync.ids import case_number
from tests.identity.places import Centre, copied, enrolled, started
from tests.unit.server.world import HOUR_MS, NOW_MS
from tests.unit.sync.worlds import JumpingClock


async def with_image_at(
    tmp_path: Path, centre: Centre, clock: JumpingClock, *, before: int, after: int
) -> tuple[Path, Path]:
    """A kiosk whose card was imaged after so many transactions, and went on for some more."""
    folder = tmp_path / "kiosk"
    await enrolled(folder, centre)
    async with started(folder, centre, clock) as kiosk:
        await kiosk.exchange()
        for _ in range(before):
            await kiosk.confirm()
        await kiosk.exchange()
    image = copied(folder, tmp_path / "image")
    async with started(folder, centre, clock, boot=12) as kiosk:
        for _ in range(after):
            await kiosk.confirm()
        await kiosk.exchange()
    clock.pass_ms(HOUR_MS)
    return folder, image


async def test_row_39_restored_image_goes_on_with_the_next_free_number(
    tmp_path: Path, centre: Centre
) -> None:
    clock = JumpingClock(NOW_MS)
    _, image = await with_image_at(tmp_path, centre, clock, before=3, after=4)

    async with started(image, centre, clock, boot=77) as kiosk:
        await kiosk.exchange()
        place = kiosk.stage.visit.place
        receipt = await kiosk.confirm()
        await kiosk.exchange()
        left = kiosk.waiting()

    centre.open_all()
    assert (place, receipt.seq, left) == (AtHome(), 8, 0)
    assert centre.case_nos() == [case_number(1, seq) for seq in range(1, 9)]
    # The chain is one again: the centre's mark follows to its end.
    assert (centre.replies[-1].mark_seq, centre.replies[-1].flags) == (8, frozenset({"reenrol"}))
    assert centre.state_of(1) == "forked"


@pytest.mark.deep
async def test_row_39_image_that_served_offline_first_loses_nothing_and_skips_then(
    tmp_path: Path, centre: Centre
) -> None:
    clock = JumpingClock(NOW_MS)
    _, image = await with_image_at(tmp_path, centre, clock, before=3, after=4)

    centre.is_up = False
    async with started(image, centre, clock, boot=77) as kiosk:
        offline = [await kiosk.confirm() for _ in range(2)]
        centre.is_up = True
        await kiosk.exchange()
        online = await kiosk.confirm()
        await kiosk.exchange()
        left = kiosk.waiting()

    centre.open_all()
    assert [one.seq for one in offline] == [4, 5]
    assert (online.seq, left) == (8, 0)
    # 3 + 4 of the one history, 2 + 1 of the other: the two doubled numbers have two cases each.
    assert len(centre.case_nos()) == 10
    assert [number for number in centre.case_nos() if "-" in number] == [
        f"{receipt.case_no}-2" for receipt in offline
    ]


async def test_row_40_clones_that_both_call_take_different_numbers(
    tmp_path: Path, centre: Centre
) -> None:
    clock = JumpingClock(NOW_MS)
    folder, image = await with_image_at(tmp_path, centre, clock, before=2, after=0)

    numbers: list[int] = []
    for turn in range(6):
        place, boot = ((folder, 12), (image, 77))[turn % 2]
        async with started(place, centre, clock, boot=boot + 100 * turn) as kiosk:
            await kiosk.exchange()
            numbers.append((await kiosk.confirm()).seq)
            await kiosk.exchange()

    centre.open_all()
    assert numbers == [3, 4, 5, 6, 7, 8]
    assert len(centre.case_nos()) == 8
    assert "reenrol" in centre.replies[-1].flags


@pytest.mark.deep
async def test_row_40_each_clone_needs_a_code_of_its_own(tmp_path: Path, centre: Centre) -> None:
    clock = JumpingClock(NOW_MS)
    folder, image = await with_image_at(tmp_path, centre, clock, before=2, after=1)

    await enrolled(folder, centre, replaces=1)
    async with started(folder, centre, clock, boot=13) as kiosk:
        first = kiosk.kiosk_no
        await kiosk.exchange()
    async with started(image, centre, clock, boot=78) as kiosk:
        await kiosk.exchange()
        without_code = (kiosk.kiosk_no, (await kiosk.confirm()).seq)
        await kiosk.exchange()
        left = kiosk.waiting()

    centre.open_all()
    assert (first, without_code, left) == (2, (1, 4), 0)
    assert len(centre.case_nos()) == 4


async def test_row_41_clone_that_only_reads_finds_no_answer_on_the_card(
    tmp_path: Path, centre: Centre
) -> None:
    folder = tmp_path / "kiosk"
    await enrolled(folder, centre)
    async with started(folder, centre) as kiosk:
        await kiosk.exchange()
        await kiosk.confirm()

    raw = b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
    # A search that finds nothing proves nothing unless it can find something.
    assert b"helper_request" in raw
    for said in ("王秀英", "13812345678", "522326104205"):
        assert said.encode() not in raw.replace(load_village(folder), b"")


def load_village(folder: Path) -> bytes:
    """The kiosk's own village, which stands in its name plate for everybody to read."""
    return load_identity(folder).village_code.encode()


async def test_kiosk_that_lags_behind_settles_nothing_by_the_centres_hash(
    tmp_path: Path, centre: Centre
) -> None:
    """An envelope that still waits must never be settled because numbers were skipped."""
    clock = JumpingClock(NOW_MS)
    _, image = await with_image_at(tmp_path, centre, clock, before=3, after=4)

    async with started(image, centre, clock, boot=77) as kiosk:
        database = kiosk.folder.database
        waiting = await kiosk.confirm()
        (reply,) = centre.replies[-1:]
        await database.write(lambda db: note_skipped(db, reply))
        head = await database.run(outbox.head)
        held = await database.run(standing.hash_at, reply.mark_seq)

    assert waiting.seq == 4
    assert head[0] == reply.mark_seq == 7
    assert held != reply.mark_hash


def note_skipped(db: object, reply: Reply) -> None:
    duty.note(db, reply, is_moving=False)  # type: ignore[arg-type]


def reply_of(centre: Centre, **changes: object) -> Reply:
    return msgspec.structs.replace(centre.replies[-1], **changes)


async def test_numbers_follow_the_centres_chain_only_when_nothing_of_ours_is_unsettled(
    tmp_path: Path, centre: Centre
) -> None:
    await with_image_at(tmp_path, centre, JumpingClock(NOW_MS), before=1, after=0)
    reply = reply_of(centre, mark_seq=7, mark_hash=b"m" * 8)
    own = Numbers(3, b"o" * 8)

    def after(top: int, *, is_all_settled: bool) -> Numbers:
        return numbers_after(own, reply, top=top, is_all_settled=is_all_settled)

    assert after(7, is_all_settled=True) == (7, b"m" * 8)
    assert after(7, is_all_settled=False) == (7, b"o" * 8)
    assert after(9, is_all_settled=True) == (9, b"o" * 8)
    assert after(3, is_all_settled=True) == own
    assert after(2, is_all_settled=False) == own


async def test_highest_number_is_read_from_the_reply_and_never_believed_when_malformed(
    tmp_path: Path, centre: Centre
) -> None:
    await with_image_at(tmp_path, centre, JumpingClock(NOW_MS), before=1, after=0)

    told = [
        top_of(reply_of(centre, mark_seq=7, extensions=extensions))
        for extensions in ((), ((2, b"\x09"),), ((2, b"\x05"),), ((2, b""),), ((4, b"\x09"),))
    ]

    assert told == [7, 9, 7, 7, 7]
