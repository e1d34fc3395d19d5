"""A kiosk's stick on its way: out, lost, cut, home again, late, copied, mixed with others."""

import os
from pathlib import Path

import msgspec
import pytest

from sync import catalogues, limits, outbox
from sync.bundles import (
    ANSWER,
    ANSWER_MAGIC,
    BUNDLE_MAGIC,
    BundleWriter,
    Head,
    answer_name,
    centre_id,
)
from sync.carrying import Brought
from sync.clock import SeededEntropy
from sync.database import immediate
from sync.frames import decode_request
from sync.limits import CHUNK_BYTES_MAX, FRAME_BYTES_MAX, STICK_CLOSING_FRAMES
from sync.records import Notice
from sync.signing import DeviceKeys
from sync.sticks import FOLDER_NAME, FreshFile, StickFailed, StickFolder
from tests.unit.sync.sticksworld import Carrying, Stick, deliver, read
from tests.unit.sync.worlds import EMPTY_CATALOGUE, START_MS, SmallCentre, photo, submitted

PHOTO_BYTES = 100_000


class World:
    """A centre, a kiosk with some applications and photos, a stick."""

    def __init__(self, tmp_path: Path, count: int = 5, photos: int = 2) -> None:
        self.centre = SmallCentre()
        self.now_ms = START_MS
        self.centre.clock_ms = lambda: self.now_ms
        self.kiosk = Carrying(tmp_path / "kiosk", self.centre)
        self.stick = Stick(tmp_path / "stick")
        self.confirm(1, count, photos)

    def confirm(self, first: int, last: int, photos: int = 0) -> None:
        """Hundreds in one commit: each in its own is the business of other tests."""
        with immediate(self.kiosk.database.conn) as db:
            for number in range(first, last + 1):
                transaction_id = number.to_bytes(16, "big")
                outbox.submit(
                    db,
                    keys=self.kiosk.keys,
                    sealing=self.centre.sealing,
                    catalogue_version=1,
                    body=transaction_id.ljust(96, b"."),
                    attachments=(photo(0, PHOTO_BYTES),) if number < first + photos else (),
                    transaction_id=transaction_id,
                    service="pension_check",
                    kiosk_no=42,
                    now_ms=START_MS,
                )

    async def laid(self) -> list[Path]:
        await self.kiosk.lay(self.stick)
        return self.stick.bundles()

    def delivered(self, hours: int = 1, **how: object) -> None:
        self.now_ms += hours * 3_600_000
        deliver(self.centre, self.stick, **how)  # type: ignore[arg-type]

    def pending(self) -> list[int]:
        return [seq for seq, state in self.kiosk.states().items() if state == "pending"]

    def photos_waiting(self) -> int:
        return len(self.kiosk.rows("SELECT 1 FROM attachment WHERE state = 'pending'"))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


# --- the round trip ---


async def test_stick_brings_everything_to_the_centre_and_the_word_home(world: World) -> None:
    laid = await world.kiosk.lay(world.stick)
    still_waiting = world.pending()
    world.delivered()
    brought = await world.kiosk.bring(world.stick)

    assert (laid.envelopes, laid.attachments, len(laid.files)) == (5, 2, 1)
    assert still_waiting == [1, 2, 3, 4, 5]
    assert world.centre.transaction_count() == 5
    assert [len(raw) for raw in world.centre.attachments.values()] == [
        row[0] for row in world.kiosk.rows("SELECT size_bytes FROM attachment")
    ]
    assert (brought.settled, brought.removed, brought.refused) == (5, 1, 0)
    assert (world.pending(), world.photos_waiting()) == ([], 0)
    assert world.stick.names() == []


async def test_frames_are_full_in_order_and_end_with_empty_ones(world: World) -> None:
    path = (await world.laid())[0]
    requests = [decode_request(item.raw).request for item in world.stick.items(path)]

    assert [request.counter for request in requests] == list(range(1, len(requests) + 1))
    assert [e.header.seq for e in requests[0].envelopes] == [1, 2, 3, 4, 5]
    assert all(not (r.envelopes or r.chunks) for r in requests[-STICK_CLOSING_FRAMES:])
    places = [(c.seq, c.index, c.offset, len(c.data)) for r in requests for c in r.chunks]
    assert places == sorted(places)
    assert all(size <= CHUNK_BYTES_MAX for *_, size in places)
    # What each frame says waits is what it and those after it carry.
    assert (requests[0].health.pending, requests[0].health.attachments_pending) == (5, 2)
    assert (requests[-1].health.pending, requests[-1].health.attachments_pending) == (0, 0)


async def test_large_backlog_goes_into_several_files_none_above_the_bound(tmp_path: Path) -> None:
    centre = SmallCentre()
    kiosk = Carrying(tmp_path / "kiosk", centre, bytes_max=3 * FRAME_BYTES_MAX)
    stick = Stick(tmp_path / "stick")
    for number in range(1, 9):
        submitted(kiosk.database, kiosk.keys, centre.sealing, number, (photo(0, 200_000),))

    laid = await kiosk.lay(stick)
    deliver(centre, stick)
    brought = await kiosk.bring(stick)

    assert len(laid.files) == 3
    assert all(path.stat().st_size <= 3 * FRAME_BYTES_MAX for path in stick.bundles())
    assert (laid.envelopes, laid.attachments) == (8, 8)
    assert (brought.settled, brought.removed) == (8, 3)
    assert kiosk.rows("SELECT count(*) FROM attachment WHERE state = 'pending'") == [(0,)]


async def test_stick_of_a_kiosk_without_work_still_brings_news(tmp_path: Path) -> None:
    world = World(tmp_path, count=0, photos=0)
    tell(world, 3)

    await world.laid()
    world.delivered()
    brought = await world.kiosk.bring(world.stick)

    assert (brought.notices, world.kiosk.rows("SELECT cursor FROM standing")) == (3, [(3,)])


# --- nothing is settled before the word is back ---


async def test_lost_stick_loses_nothing(world: World, tmp_path: Path) -> None:
    await world.laid()
    other = Stick(tmp_path / "other")

    await world.kiosk.lay(other)
    deliver(world.centre, other)
    await world.kiosk.bring(other)

    assert (world.centre.transaction_count(), world.pending()) == (5, [])


async def test_stick_delivered_twice_and_a_copy_of_it_store_once(
    world: World, tmp_path: Path
) -> None:
    path = (await world.laid())[0]
    copy = Stick(tmp_path / "copy")
    (copy.folder / path.name).write_bytes(path.read_bytes())

    world.delivered()
    world.delivered()
    deliver(world.centre, copy)
    first = await world.kiosk.bring(world.stick)
    second = await world.kiosk.bring(copy)

    assert world.centre.transaction_count() == 5
    assert (first.settled, second.settled, second.removed) == (5, 0, 1)


async def test_replies_that_were_lost_in_part_settle_what_they_judge(world: World) -> None:
    world.confirm(6, 520)
    await world.laid()
    world.delivered(drop=lambda number: number != 0)

    brought = await world.kiosk.bring(world.stick)

    # The mark in the one reply that is there was given before the rest arrived.
    assert (brought.replies, brought.removed) == (1, 0)
    assert world.pending() == list(range(513, 521))


async def test_bundle_that_is_cut_at_the_centre_costs_its_tail_only(world: World) -> None:
    path = (await world.laid())[0]
    world_items = world.stick.items(path)
    path.write_bytes(path.read_bytes()[: world_items[0].offset + len(world_items[0].raw) + 99])

    world.delivered()
    await world.kiosk.bring(world.stick)
    await world.laid()
    world.delivered()
    await world.kiosk.bring(world.stick)

    assert (world.centre.transaction_count(), world.pending(), world.photos_waiting()) == (5, [], 0)


async def test_replies_cut_at_any_byte_never_settle_more_than_they_say(tmp_path: Path) -> None:
    world = World(tmp_path, count=3, photos=0)
    path = (await world.laid())[0]
    world.delivered()
    answers = world.stick.folder / answer_name(path.name)
    whole = answers.read_bytes()
    first = read(whole, ANSWER_MAGIC)[0][0]
    end = first.offset + len(first.raw)

    for size in [*range(0, end, 7), end - 1]:
        answers.write_bytes(whole[:size])
        await world.kiosk.bring(world.stick)
        assert world.pending() == [1, 2, 3], size
    answers.write_bytes(whole[:end])
    await world.kiosk.bring(world.stick)

    assert world.pending() == []


# --- late and foreign words ---


async def test_old_stick_after_a_newer_one_moves_nothing_back(world: World, tmp_path: Path) -> None:
    await world.laid()
    world.delivered()
    world.confirm(6, 8)
    newer = Stick(tmp_path / "newer")
    await world.kiosk.lay(newer)
    world.now_ms += 86_400_000
    deliver(world.centre, newer)
    await world.kiosk.bring(newer)
    before = world.kiosk.rows("SELECT * FROM standing")

    late = await world.kiosk.bring(world.stick)

    assert (late.late, late.settled, late.removed) == (late.replies, 0, 1)
    assert world.kiosk.rows("SELECT * FROM standing") == before
    assert world.pending() == []


async def test_old_stick_does_not_settle_what_the_centre_has_lost_since(
    world: World, tmp_path: Path
) -> None:
    await world.laid()
    world.delivered()
    # A failover lost 4 and 5; another stick told the kiosk so.
    for place in [place for place in world.centre.envelopes if place[1] > 3]:
        del world.centre.envelopes[place]
    world.now_ms += 3_600_000
    newer = Stick(tmp_path / "newer")
    await world.kiosk.lay(newer)
    deliver(world.centre, newer, drop=lambda number: number == 0)
    for place in [place for place in world.centre.envelopes if place[1] > 3]:
        del world.centre.envelopes[place]
    told = Stick(tmp_path / "told")
    raw = bytearray()
    idle = newer.items(newer.bundles()[0])[-1]
    writer = BundleWriter(raw.extend, ANSWER_MAGIC, head(world))
    writer.add(ANSWER, world.centre.exchange(idle.raw))
    writer.end()
    (told.folder / newer.bundles()[0].name).write_bytes(newer.bundles()[0].read_bytes())
    (told.folder / answer_name(newer.bundles()[0].name)).write_bytes(raw)
    await world.kiosk.bring(told)

    late = await world.kiosk.bring(world.stick)

    assert late.late == late.replies
    assert world.pending() == [4, 5]


async def test_word_from_before_a_restore_is_ignored(world: World, tmp_path: Path) -> None:
    await world.laid()
    world.delivered()
    world.centre.epoch += 100
    newer = Stick(tmp_path / "newer")
    await world.kiosk.lay(newer)
    deliver(world.centre, newer)
    await world.kiosk.bring(newer)
    before = world.kiosk.rows("SELECT * FROM standing")

    old = await world.kiosk.bring(world.stick)

    assert (old.replies, old.late) == (0, len(world.stick.items(world.stick.bundles()[0])))
    assert world.kiosk.rows("SELECT * FROM standing") == before


def head(world: World) -> Head:
    return Head(centre_id(world.centre.root_public), world.kiosk.keys.kiosk_id)


async def test_replies_of_another_centre_another_kiosk_and_of_nobody_change_nothing(
    world: World, tmp_path: Path
) -> None:
    path = (await world.laid())[0]
    items = world.stick.items(path)
    impostor = SmallCentre(seed=9)
    impostor.enrolled(world.kiosk.keys)
    neighbour = Carrying(
        tmp_path / "neighbour", world.centre, keys=DeviceKeys.generate(SeededEntropy(77))
    )
    other = Stick(tmp_path / "other")
    await neighbour.lay(other)
    foreign = other.items(other.bundles()[0])[0]
    raw = bytearray()
    writer = BundleWriter(raw.extend, ANSWER_MAGIC, head(world))
    writer.add(ANSWER, impostor.exchange(items[0].raw))
    writer.add(ANSWER, world.centre.exchange(foreign.raw))
    writer.add(ANSWER, b"BY\x01" + bytes(200))
    writer.add(ANSWER, b"")
    good = bytearray(world.centre.exchange(items[0].raw))
    good[60] ^= 1
    writer.add(ANSWER, bytes(good))
    writer.end()
    (world.stick.folder / answer_name(path.name)).write_bytes(raw)

    brought = await world.kiosk.bring(world.stick)

    assert brought == Brought(refused=5)
    assert (world.pending(), path.exists()) == ([1, 2, 3, 4, 5], True)


async def test_other_kiosks_files_are_left_alone(world: World, tmp_path: Path) -> None:
    neighbour = Carrying(
        tmp_path / "neighbour", world.centre, keys=DeviceKeys.generate(SeededEntropy(77))
    )
    await neighbour.lay(world.stick)
    await world.laid()
    world.delivered()

    brought = await world.kiosk.bring(world.stick)

    assert brought.refused == 0
    assert [name.split("-")[0] for name in world.stick.names()] == [
        neighbour.keys.kiosk_id.hex()
    ] * 2


async def test_hostile_files_under_our_own_names_cost_those_names_only(world: World) -> None:
    path = (await world.laid())[0]
    world.delivered()
    stem = world.kiosk.keys.kiosk_id.hex()
    for number, make in enumerate(
        (os.mkfifo, Path.mkdir, lambda p: Path.symlink_to(p, "/dev/zero"))
    ):
        for suffix in (".bmb", ".bmr"):
            make(world.stick.folder / f"{stem}-{900 + number}{suffix}")  # type: ignore[operator]
    (world.stick.folder / "AUTORUN.INF").write_text("[autorun]")
    (world.stick.folder / f"{stem}-990.bmr").write_bytes(b"no bundle beside it")

    brought = await world.kiosk.bring(world.stick)
    laid = await world.kiosk.lay(world.stick)

    assert (brought.settled, brought.refused, brought.orphans) == (5, 3, 1)
    assert (len(laid.files), path.exists()) == (1, False)


# --- a kiosk that was put back to an old image ---


async def test_old_image_takes_no_verdict_on_what_it_never_made(tmp_path: Path) -> None:
    world = World(tmp_path, count=5, photos=1)
    await world.laid()
    world.delivered()
    # The card died; an image of the day before knows nothing of 4 and 5, and gives them anew.
    image = Carrying(tmp_path / "image", world.centre, keys=world.kiosk.keys)
    for number in (1, 2, 3):
        copy_of(world, image, number)
    for number in (14, 15):
        submitted(image.database, image.keys, world.centre.sealing, number)

    brought = await image.bring(world.stick)

    assert image.states() == {1: "settled", 2: "settled", 3: "settled", 4: "pending", 5: "pending"}
    assert brought.settled == 3


def copy_of(world: World, image: Carrying, seq: int) -> None:
    for table in ("receipt", "outbox"):
        rows = world.kiosk.database.conn.execute(
            f"SELECT * FROM {table} WHERE seq = ?",  # noqa: S608 -- the test's own words
            (seq,),
        ).fetchall()
        marks = ", ".join("?" * len(rows[0]))
        insert = f"INSERT INTO {table} VALUES ({marks})"  # noqa: S608 -- as above
        image.database.conn.execute(insert, tuple(rows[0]))
    image.database.conn.execute(
        "UPDATE outbox SET state = 'pending', settled_ms = NULL WHERE seq = ?", (seq,)
    )
    image.database.conn.execute(
        "UPDATE standing SET head_seq = ?, head_hash = (SELECT hash FROM receipt WHERE seq = ?)",
        (seq, seq),
    )


@pytest.mark.parametrize("photos", [0, 1])
async def test_only_copy_of_what_an_old_image_lost_stays_on_the_stick(
    tmp_path: Path, photos: int
) -> None:
    world = World(tmp_path, count=3, photos=photos)
    lost = (await world.laid())[0]
    image = Carrying(tmp_path / "image", world.centre, keys=world.kiosk.keys)
    submitted(image.database, image.keys, world.centre.sealing, 11)

    laid = await image.lay(world.stick)
    after_laying = lost.exists()
    world.delivered()
    await image.bring(world.stick)

    assert laid.files[0] != lost.name
    assert after_laying
    assert {place[1] for place in world.centre.envelopes} == {1, 2, 3}
    assert len(world.centre.envelopes) == 4
    assert not lost.exists()


async def test_only_copy_of_a_photo_stays_on_the_stick(tmp_path: Path) -> None:
    world = World(tmp_path, count=2, photos=1)
    kept = (await world.laid())[0]
    image = Carrying(tmp_path / "image", world.centre, keys=world.kiosk.keys)
    for number in (1, 2):
        copy_of(world, image, number)

    await image.lay(world.stick)
    after_laying = kept.exists()
    world.delivered()
    await image.bring(world.stick)

    assert after_laying
    assert len(world.centre.attachments) == 1
    assert not kept.exists()


async def test_older_bundle_goes_once_the_new_one_holds_all_of_it(world: World) -> None:
    first = (await world.laid())[0]
    world.confirm(6, 7)

    second = await world.laid()

    assert [path.name for path in second] != [first.name]
    assert len(second) == 1


# --- notices in turn ---


def tell(world: World, count: int) -> None:
    for number in range(1, count + 1):
        world.centre.tell(
            world.kiosk.keys,
            Notice(number=number, case_no="004200000118", kind="accepted",
                   service="pension_check", at_ms=START_MS + number),
        )  # fmt: skip


async def test_cursor_never_passes_a_notice_that_did_not_come(world: World) -> None:
    tell(world, 4)
    path = (await world.laid())[0]
    raw, items = bytearray(), world.stick.items(path)
    writer = BundleWriter(raw.extend, ANSWER_MAGIC, head(world))
    told = world.centre.notices[world.kiosk.keys.kiosk_id]
    # As the real centre does, the replies share the notices out; the first reply is lost.
    for item, share in zip(items[1:3], (told[2:3], told[3:]), strict=True):
        world.centre.notices[world.kiosk.keys.kiosk_id] = share
        writer.add(ANSWER, world.centre.exchange(item.raw))
    writer.end()
    (world.stick.folder / answer_name(path.name)).write_bytes(raw)

    brought = await world.kiosk.bring(world.stick)

    assert (brought.replies, brought.notices) == (2, 0)
    assert world.kiosk.rows("SELECT cursor FROM standing") == [(0,)]


# --- services come along ---


async def test_services_come_along_for_a_kiosk_that_has_no_link(world: World) -> None:
    world.centre.publish(msgspec.json.encode(EMPTY_CATALOGUE), version=4)
    await world.laid()
    world.delivered(with_catalogue=True)

    brought = await world.kiosk.bring(world.stick)

    assert (brought.catalogue, world.kiosk.catalogues) == (4, [4])
    found = catalogues.load_current(world.kiosk.database.conn)
    assert found is not None
    assert found.version == 4


async def test_older_services_and_forged_ones_are_not_put_in_force(
    world: World, tmp_path: Path
) -> None:
    world.centre.publish(msgspec.json.encode(EMPTY_CATALOGUE), version=4)
    await world.laid()
    world.delivered(with_catalogue=True)
    await world.kiosk.bring(world.stick)
    world.centre.publish(msgspec.json.encode(EMPTY_CATALOGUE), version=3)
    await world.laid()
    world.delivered(with_catalogue=True)

    older = await world.kiosk.bring(world.stick)
    forger = SmallCentre(seed=9)
    forger.publish(msgspec.json.encode(EMPTY_CATALOGUE), version=9)
    world.centre.manifest_raw = forger.manifest_raw
    await world.laid()
    world.delivered(with_catalogue=True)
    forged = await world.kiosk.bring(world.stick)

    assert (older.catalogue, older.is_catalogue_refused) == (0, False)
    assert (forged.catalogue, forged.is_catalogue_refused) == (0, True)
    assert world.kiosk.rows("SELECT catalogue FROM standing") == [(4,)]


async def test_services_that_came_in_part_are_not_in_force(world: World) -> None:
    world.centre.publish(msgspec.json.encode(EMPTY_CATALOGUE), version=4)
    await world.laid()
    missing = world.centre.blobs.popitem()
    world.delivered(with_catalogue=True)

    in_part = await world.kiosk.bring(world.stick)
    world.centre.blobs[missing[0]] = missing[1]
    await world.laid()
    world.delivered(with_catalogue=True)
    whole = await world.kiosk.bring(world.stick)

    assert (in_part.catalogue, in_part.is_catalogue_refused) == (0, True)
    assert whole.catalogue == 4


async def test_bomb_among_the_services_is_refused_before_it_costs_anything(world: World) -> None:
    world.centre.publish(msgspec.json.encode(EMPTY_CATALOGUE), version=4)
    name = next(iter(world.centre.blobs))
    world.centre.blobs[name] = bytes(limits.BLOB_BYTES_MAX + 1)
    await world.laid()
    world.delivered(with_catalogue=True)

    brought = await world.kiosk.bring(world.stick)

    assert (brought.settled, brought.is_catalogue_refused) == (5, True)


# --- sticks that fail ---


class Giving(FreshFile):
    """A file on a stick that has room for so many bytes."""

    room_bytes = 60_000

    def write(self, raw: bytes) -> None:
        if self.size_bytes + len(raw) > self.room_bytes:
            raise StickFailed("full")
        super().write(raw)


class Small(StickFolder):
    """A stick that has room for so many bytes."""

    def fresh(self, name: str) -> FreshFile:
        return Giving(self._handle, name, "half.new")


async def test_full_stick_costs_nothing_but_a_message(world: World, tmp_path: Path) -> None:
    with Small.opened(world.stick.root) as folder, pytest.raises(StickFailed) as failed:
        await world.kiosk.carrier.lay(folder, world.kiosk.told.append)

    assert failed.value.why == "full"
    assert world.stick.names() == []
    assert world.pending() == [1, 2, 3, 4, 5]


async def test_half_files_of_a_pull_are_swept_with_the_next_stick(world: World) -> None:
    half = world.stick.folder / f"{world.kiosk.keys.kiosk_id.hex()}-1.new"
    half.write_bytes(b"BMB\x01half")

    await world.laid()

    assert not half.exists()
    assert FOLDER_NAME == "BIANMIN"
    assert world.stick.bundles()[0].read_bytes().startswith(BUNDLE_MAGIC)


async def test_progress_is_told_and_ends_with_the_reading_back(world: World) -> None:
    await world.laid()

    parts = [progress.part for progress in world.kiosk.told]
    assert parts[-1] == "checking"
    assert world.kiosk.told[-2].percent == 100
    assert all(0 <= progress.percent <= 100 for progress in world.kiosk.told)
