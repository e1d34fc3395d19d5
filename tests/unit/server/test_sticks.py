"""Sticks at the centre: every kind of file, the way back, what the fleet page makes of it."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.catalogue.shelf import Published
from server.reception import Reception
from server.stick_serving import served, told
from server.sticks import Taking, marker
from server.store import fleet, notices, people, sticks
from server.store.sqlite import Store
from server.store.sticks import Delivery
from sync import frames
from sync.bundles import (
    ANSWER,
    ANSWER_MAGIC,
    BLOB,
    BUNDLE_MAGIC,
    MANIFEST,
    REQUEST,
    BundleReader,
    BundleWriter,
    Head,
    Item,
    bundle_name,
    centre_id,
    verify_marker,
)
from sync.clock import SeededEntropy
from sync.manifest import decode_manifest
from sync.records import Notice
from sync.signing import DeviceKeys, Trust
from sync.sticks import FOLDER_NAME, FreshFile, StickFailed, StickFolder
from tests.unit.server.world import DAY_MS, HELPER_REQUEST, HOUR_MS, NOW_MS, Kiosk, World
from tests.unit.sync.sticksworld import inline
from tests.unit.sync.worlds import photo


class Desk:
    """A centre that takes files in, in this process."""

    def __init__(self, world: World, folder: StickFolder) -> None:
        self.world = world
        self.folder = folder
        self.store = Store.open(world.settings.database)
        reception = Reception(self.store, world.keys, world.settings, world.clock)
        self.taking = Taking(self.store, reception, world.keys, world.clock, aside=inline)

    def head(self, kiosk: Kiosk) -> Head:
        return Head(centre_id(self.world.keys.root_public), kiosk.keys.kiosk_id)

    def bundle(self, kiosk: Kiosk, *requests: bytes, head: Head | None = None) -> bytes:
        raw = bytearray()
        writer = BundleWriter(raw.extend, BUNDLE_MAGIC, head or self.head(kiosk))
        for request in requests:
            writer.add(REQUEST, request)
        writer.end()
        return bytes(raw)

    async def take(self, raw: bytes, name: str = "", *, size: int = 1000) -> Delivery:
        return await self.taking.take(
            pieces(raw, size), name, actor="zhouming", fresh=self.folder.fresh
        )

    def answers(self, delivery: Delivery) -> tuple[list[Item], str]:
        with self.folder.reading(delivery.answers) as file:
            reader = BundleReader(ANSWER_MAGIC)
            found = [item for piece in file.pieces() for item in reader.feed(piece)]
        return found, reader.ending

    def replies(self, delivery: Delivery, kiosk: Kiosk, *requests: bytes) -> list[frames.Reply]:
        """Read the replies as the kiosk does."""
        items = [item for item in self.answers(delivery)[0] if item.kind == ANSWER]
        return [
            frames.decode_reply(
                item.raw,
                request_raw=request,
                kiosk_id=kiosk.keys.kiosk_id,
                trusted=Trust((self.world.keys.root_public,), self.world.keys.certificate),
            )
            for item, request in zip(items, requests, strict=True)
        ]

    def stored(self) -> int:
        return int(self.world.conn.execute("SELECT count(*) FROM envelopes").fetchone()[0])


async def pieces(raw: bytes, size: int) -> AsyncIterator[bytes]:
    for at in range(0, len(raw), size):
        yield raw[at : at + size]


@pytest.fixture
def desk(world: World, tmp_path: Path) -> Iterator[Desk]:
    with StickFolder.opened(tmp_path, is_made=True) as folder:
        made = Desk(world, folder)
        yield made
        made.store.close()


def stranger_to(world: World) -> Kiosk:
    """A kiosk that nobody enrolled here."""
    return Kiosk(DeviceKeys.generate(SeededEntropy(404)), 9, world.keys.sealing[0], 404)


def counts(delivery: Delivery) -> tuple[int, int, int, int, str]:
    found = (delivery.stored, delivery.duplicates, delivery.refused, delivery.attachments)
    return (*found, delivery.ending)


async def test_bundle_is_taken_in_and_its_replies_verify_at_the_kiosk(
    desk: Desk, published: Published
) -> None:
    kiosk = desk.world.enrol()
    envelopes = [kiosk.confirm(published, HELPER_REQUEST) for _ in range(3)]
    requests = [
        kiosk.request(envelopes[:2], pending=3),
        kiosk.request(envelopes[2:], kiosk.chunks(3, photo(0, 9_000), 5000), pending=1),
        kiosk.request(pending=0),
    ]

    delivery = await desk.take(desk.bundle(kiosk, *requests), bundle_name(kiosk.keys.kiosk_id, 77))
    replies = desk.replies(delivery, kiosk, *requests)

    assert counts(delivery) == (3, 0, 0, 1, "whole")
    assert delivery.answers == f"{kiosk.keys.kiosk_id.hex()}-77.bmr"
    assert (delivery.kiosk_no, delivery.kiosk_name) == (kiosk.kiosk_no, "石桥村便民服务点")
    assert [reply.verdicts for reply in replies] == [("stored",) * 2, ("stored",), ()]
    assert [reply.mark_seq for reply in replies] == [2, 3, 3]


async def test_same_file_again_and_any_order_store_once(desk: Desk, published: Published) -> None:
    kiosk = desk.world.enrol()
    requests = [kiosk.request([kiosk.confirm(published, HELPER_REQUEST)]) for _ in range(3)]
    raw = desk.bundle(kiosk, *reversed(requests))

    first = await desk.take(raw)
    second = await desk.take(raw)

    assert (counts(first), counts(second)) == ((3, 0, 0, 0, "whole"), (0, 3, 0, 0, "whole"))
    assert desk.stored() == 3
    assert desk.world.conn.execute("SELECT state FROM kiosks").fetchone()[0] == "active"


async def test_file_cut_anywhere_brings_what_was_whole(desk: Desk, published: Published) -> None:
    kiosk = desk.world.enrol()
    requests = [kiosk.request([kiosk.confirm(published, HELPER_REQUEST)]) for _ in range(2)]
    raw = desk.bundle(kiosk, *requests)

    half = await desk.take(raw[: len(raw) // 2])
    rest = await desk.take(raw)

    assert (counts(half), counts(rest)) == ((1, 0, 0, 0, "cut"), (1, 1, 0, 0, "whole"))


async def test_each_item_stands_for_itself(desk: Desk, published: Published) -> None:
    kiosk, stranger = desk.world.enrol(), stranger_to(desk.world)
    neighbour = desk.world.enrol("清水村便民点")
    good = kiosk.request([kiosk.confirm(published, HELPER_REQUEST)])
    changed = bytearray(kiosk.request([kiosk.confirm(published, HELPER_REQUEST)]))
    changed[-100] ^= 1
    theirs = neighbour.request([neighbour.confirm(published, HELPER_REQUEST)])
    raw = desk.bundle(kiosk, b"", b"BX\x01junk", bytes(changed), theirs, stranger.request(), good)

    delivery = await desk.take(raw)

    assert counts(delivery) == (1, 0, 5, 0, "whole")
    assert desk.stored() == 1


async def test_file_for_another_centre_stores_nothing(desk: Desk, published: Published) -> None:
    kiosk = desk.world.enrol()
    good = kiosk.request([kiosk.confirm(published, HELPER_REQUEST)])
    before = desk.world.conn.execute("SELECT * FROM kiosks").fetchall()

    delivery = await desk.take(
        desk.bundle(kiosk, good, head=Head(b"another.", kiosk.keys.kiosk_id))
    )

    assert (counts(delivery), delivery.answers) == ((0, 0, 0, 0, "elsewhere"), "")
    assert [tuple(row) for row in desk.world.conn.execute("SELECT * FROM kiosks")] == [
        tuple(row) for row in before
    ]
    assert desk.stored() == 0


async def test_file_of_a_kiosk_that_nobody_enrolled_stores_nothing(desk: Desk) -> None:
    stranger = stranger_to(desk.world)

    delivery = await desk.take(desk.bundle(stranger, stranger.request()))

    assert (counts(delivery), delivery.answers, desk.stored()) == ((0, 0, 1, 0, "unknown"), "", 0)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(raw=st.binary(max_size=300), size=st.integers(1, 64), is_headed=st.booleans())
async def test_no_file_at_all_breaks_the_desk(
    desk: Desk, raw: bytes, size: int, is_headed: bool
) -> None:
    head = BUNDLE_MAGIC + centre_id(desk.world.keys.root_public) + bytes(8)

    delivery = await desk.take(head + raw if is_headed else raw, size=size)

    assert (delivery.stored, delivery.answers, desk.stored()) == (0, "", 0)


async def test_name_of_the_replies_is_never_the_uploader_s_own(
    desk: Desk, published: Published
) -> None:
    kiosk, neighbour = desk.world.enrol(), desk.world.enrol("清水村便民点")
    request = kiosk.request([kiosk.confirm(published, HELPER_REQUEST)])
    raw = desk.bundle(kiosk, request)
    own = f"{kiosk.keys.kiosk_id.hex()}-{kiosk.counter}.bmr"

    for name in ("../../centre.db", bundle_name(neighbour.keys.kiosk_id, 5), "x.bmb", own):
        assert (await desk.take(raw, name)).answers == own


# --- what the fleet makes of it ---


async def test_stick_counts_as_contact_and_leaves_the_clock_s_judgement_alone(
    desk: Desk, published: Published
) -> None:
    kiosk = desk.world.enrol()
    requests = [
        kiosk.request([kiosk.confirm(published, HELPER_REQUEST)], pending=1),
        kiosk.request(pending=0),
    ]
    desk.world.clock.ms += 3 * DAY_MS

    delivery = await desk.take(desk.bundle(kiosk, *requests))
    row = fleet.kiosk(desk.world.conn, kiosk.keys.kiosk_id.hex())

    assert row is not None
    assert delivery.is_contact
    assert (row.last_seen_ms, row.stick_ms) == (NOW_MS + 3 * DAY_MS, NOW_MS + 3 * DAY_MS)
    assert (row.pending, row.clock_skew_ms, row.missing_count) == (0, 0, 0)


async def test_stick_older_than_the_last_call_is_no_contact_and_no_clone(
    desk: Desk, published: Published
) -> None:
    kiosk = desk.world.enrol()
    kiosk.now_ms = NOW_MS + 400 * DAY_MS  # its clock was ahead when it wrote the stick
    kiosk.boot_id = b"old!"
    carried = kiosk.request([kiosk.confirm(published, HELPER_REQUEST)])
    kiosk.now_ms, kiosk.boot_id = NOW_MS, b"new!"
    desk.world.exchange(kiosk, kiosk.request())
    desk.world.clock.ms += HOUR_MS

    delivery = await desk.take(desk.bundle(kiosk, carried))
    row = fleet.kiosk(desk.world.conn, kiosk.keys.kiosk_id.hex())

    assert row is not None
    assert (delivery.stored, delivery.is_contact) == (1, False)
    assert (row.state, row.last_seen_ms, row.stick_ms) == ("active", NOW_MS, 0)


async def test_clone_is_still_found_by_its_envelopes(desk: Desk, published: Published) -> None:
    kiosk = desk.world.enrol()
    seq, prev = kiosk.seq, kiosk.prev
    first = kiosk.request([kiosk.confirm(published, HELPER_REQUEST)])
    kiosk.seq, kiosk.prev = seq, prev
    second = kiosk.request([kiosk.confirm(published, HELPER_REQUEST)])

    delivery = await desk.take(desk.bundle(kiosk, first, second))
    replies = desk.replies(delivery, kiosk, first, second)

    assert delivery.stored == 2
    assert "reenrol" in replies[1].flags


async def test_revoked_kiosk_s_stick_goes_to_quarantine(desk: Desk, published: Published) -> None:
    kiosk = desk.world.enrol()
    desk.world.write(fleet.revoke, kiosk.keys.kiosk_id.hex())
    request = kiosk.request([kiosk.confirm(published, HELPER_REQUEST)])

    delivery = await desk.take(desk.bundle(kiosk, request))

    assert (delivery.stored, delivery.quarantined) == (0, 1)
    assert desk.replies(delivery, kiosk, request)[0].verdicts == ("quarantined",)


async def test_every_delivery_is_on_record(desk: Desk, published: Published) -> None:
    kiosk = desk.world.enrol()
    await desk.take(desk.bundle(kiosk, kiosk.request([kiosk.confirm(published, HELPER_REQUEST)])))
    await desk.take(b"[autorun]")

    rows = sticks.recent(desk.world.conn, 9)
    event = people.staff_events(desk.world.conn, limit=2)[1]

    assert [(row.ending, row.stored, row.kiosk_no) for row in rows] == [
        ("not_ours", 0, 0),
        ("whole", 1, kiosk.kiosk_no),
    ]
    assert (event.actor, event.action, event.detail) == ("zhouming", "took_stick", "1/0/0")


# --- the way back ---


async def test_notices_are_shared_out_between_the_replies_each_once(
    desk: Desk, published: Published
) -> None:
    kiosk = desk.world.enrol()
    desk.world.write(write_notices, kiosk.keys.kiosk_id, 420)
    requests = [kiosk.request() for _ in range(4)]

    delivery = await desk.take(desk.bundle(kiosk, *requests))
    numbers = [
        [notice.number for notice in reply.notices]
        for reply in desk.replies(delivery, kiosk, *requests)
    ]

    assert [number for share in numbers for number in share] == list(range(1, 421))
    assert [len(share) for share in numbers] == [200, 200, 20, 0]
    assert delivery.notices == 420


def write_notices(conn: sqlite3.Connection, kiosk_id: bytes, count: int) -> None:
    notice = Notice(
        number=0, case_no="000100000114", kind="accepted", service="helper_request", at_ms=NOW_MS
    )
    for _ in range(count):
        notices.write(conn, kiosk_id, notice)


async def test_kiosk_without_the_services_gets_them_on_the_stick(
    desk: Desk, published: Published
) -> None:
    kiosk = desk.world.enrol()

    items, ending = desk.answers(await desk.take(desk.bundle(kiosk, kiosk.request())))
    manifest = next(item.raw for item in items if item.kind == MANIFEST)
    trust = Trust((desk.world.keys.root_public,))

    assert ending == "whole"
    assert decode_manifest(manifest, trust).version == published.version
    assert sum(item.kind == BLOB for item in items) == 4


class Full(FreshFile):
    """A file on a stick that is full."""

    def write(self, raw: bytes) -> None:
        if self.size_bytes > 50:
            raise StickFailed("full")
        super().write(raw)


async def test_replies_that_do_not_fit_leave_nothing_half_and_what_came_is_stored(
    desk: Desk, published: Published, tmp_path: Path
) -> None:
    kiosk = desk.world.enrol()
    raw = desk.bundle(kiosk, kiosk.request([kiosk.confirm(published, HELPER_REQUEST)]))

    with pytest.raises(StickFailed) as failed:
        await desk.taking.take(
            pieces(raw, 900), "", actor="x", fresh=lambda _: Full(desk.folder._handle, "a", "a.new")
        )

    assert (failed.value.why, desk.stored()) == ("full", 1)
    assert list((tmp_path / FOLDER_NAME).iterdir()) == []
    assert [(row.stored, row.answers) for row in sticks.recent(desk.world.conn, 9)] == [(1, "")]


# --- the command ---


async def test_command_serves_a_stick_and_marks_it(
    world: World, published: Published, tmp_path: Path
) -> None:
    kiosk, root = world.enrol(), tmp_path / "stick"
    root.mkdir()
    said: list[str] = []
    first = await served(world.settings, world.keys, root, said.append)
    raw = bytearray()
    head = Head(centre_id(world.keys.root_public), kiosk.keys.kiosk_id)
    writer = BundleWriter(raw.extend, BUNDLE_MAGIC, head)
    writer.add(REQUEST, kiosk.request([kiosk.confirm(published, HELPER_REQUEST)]))
    writer.end()
    name = bundle_name(kiosk.keys.kiosk_id, 1)
    (root / FOLDER_NAME / name).write_bytes(raw)
    (root / FOLDER_NAME / bundle_name(b"8 octets", 1)).symlink_to("/etc/hostname")

    second = await served(world.settings, world.keys, root, said.append)

    assert (first, second) == (0, 2)
    assert sorted(path.name for path in (root / FOLDER_NAME).iterdir()) == sorted(
        ["STICK.BMS", name, name.replace("bmb", "bmr"), bundle_name(b"8 octets", 1)]
    )
    assert said[0].endswith("take another one")
    assert said[1].startswith(f"{name}: kiosk 0001 石桥村便民服务点, written ")
    assert said[1].endswith("1 new, 0 known before, 0 attachments, 0 notices back")


def test_mark_of_the_centre_is_what_its_kiosks_know(world: World) -> None:
    raw = marker(world.keys, NOW_MS)

    assert verify_marker(raw, (world.keys.root_public,)) == NOW_MS


def test_report_says_what_to_do_with_each_kind_of_file() -> None:
    endings = "cut damaged too_long newer not_ours elsewhere unknown busy"
    for ending in endings.split():
        delivery = Delivery(
            at_ms=0, actor="", kiosk_id="", answers="", ending=ending, written_ms=0, frames=0,
            stored=0, duplicates=0, quarantined=2, refused=1, attachments=0, notices=0,
            size_bytes=0, is_contact=False,
        )  # fmt: skip

        assert "; " in told("x", delivery)
        assert "1 refused" in told("x", delivery)
        assert "2 in quarantine" in told("x", delivery)
