"""Downstream: only what changed is carried, once, whatever breaks off on the way."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from server.catalogue.downstream import Downstream
from server.catalogue.publish import Sources, prepared, publish
from server.catalogue.shelf import Shelf
from server.errors import BlobUnknown, NotPublished
from server.store import catalogues as centre_catalogues
from server.store import centre
from server.store.sqlite import Store
from sync import catalogues, limits, parts
from sync.database import Database, DiskFull, immediate
from sync.fetching import Fetching
from sync.manifest import Manifest, ManifestRefused, blob_name, stored_manifest, unpack_blob
from sync.pieces import HELD_DIGITS_MIN, Packed, packed, piece_of
from sync.signing import Trust
from sync.transports import BLOB_PATH, MANIFEST_PATH, CentreRefused, LinkDown
from tests.editions import edited, rewritten, service_added, shipped, text_changed, villages_added
from tests.unit.server.world import World
from tests.unit.sync.worlds import JumpingClock, opened

HEAD_BYTES = 300  # of a request and its answer, HTTP and all


class Road:
    """Way from a kiosk to the centre's own code; it breaks when a given byte has come."""

    def __init__(self, downstream: Downstream, clock: JumpingClock) -> None:
        self._downstream = downstream
        self._clock = clock
        self.asked: list[str] = []
        self.down_bytes = 0
        self.bytes_per_s = 4000.0
        #: Byte of all that comes down after which the link breaks, once each.
        self.cuts: list[int] = []
        #: What somebody on the way makes of an answer.
        self.changed: Callable[[str, bytes], bytes] = lambda _, raw: raw

    async def post(self, path: str, body: bytes) -> bytes:
        raise LinkDown(f"nothing is posted here: {path}, {len(body)} bytes")

    async def get(self, path: str) -> bytes:
        self.asked.append(path)
        try:
            raw = await self._downstream.answer(path)
        except (BlobUnknown, NotPublished) as error:
            raise CentreRefused(404, error.code) from error
        raw = self.changed(path, raw)
        if self.cuts and self.cuts[0] < self.down_bytes + len(raw):
            came = raw[: max(0, self.cuts.pop(0) - self.down_bytes)]
            self._carry(came)
            raise LinkDown("cut", came)
        self._carry(raw)
        return raw

    def _carry(self, raw: bytes) -> None:
        self.down_bytes += len(raw)
        self._clock.pass_ms(int(1000 * (HEAD_BYTES + len(raw)) / self.bytes_per_s))


class Valley:
    """A centre that publishes, and one kiosk that fetches."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = folder
        self.store = Store.open(world.settings.database, is_threaded=False)
        self.shelf = Shelf()
        self.clock = JumpingClock()
        self.downstream = Downstream(self.store, self.shelf, is_threaded=False)
        self.road = Road(self.downstream, self.clock)
        self.database: Database = opened(folder)
        self.fetching = self._fetching()

    def _fetching(self) -> Fetching:
        return Fetching(self.road, self.database, self.clock)

    def restart(self) -> None:
        """The kiosk loses its power and starts again."""
        self.database.close()
        self.database = opened(self.folder)
        self.fetching = self._fetching()

    def publish(self, sources: Sources) -> int:
        self.world.write(publish, self.world.keys, prepared(sources), self.clock.now_ms())
        return self.newest.version

    @property
    def newest(self) -> centre_catalogues.CatalogueRow:
        row = centre_catalogues.latest(self.world.conn)
        assert row is not None
        return row

    @property
    def trust(self) -> Trust:
        return Trust(roots=(self.world.keys.root_public,))

    async def fetch_once(self) -> int | None:
        wanted = bytes.fromhex(blob_name(self.newest.manifest))
        return await self.fetching.fetch(self.trust, wanted)

    async def fetch(self) -> int:
        """Fetch as a kiosk does, with every exchange, until it is there."""
        for _ in range(200):
            try:
                version = await self.fetch_once()
            except LinkDown:
                continue
            if version is not None:
                return version
        raise AssertionError("the catalogue never came")

    @property
    def running(self) -> catalogues.Loaded:
        found = catalogues.load_current(self.database.conn)
        assert found is not None
        return found

    def manifest(self) -> Manifest:
        return stored_manifest(self.newest.manifest)

    def close(self) -> None:
        self.database.close()
        self.store.close()


@pytest.fixture
async def valley(world: World, tmp_path: Path) -> AsyncIterator[Valley]:
    made = Valley(world, tmp_path / "kiosk")
    yield made
    made.close()


def rows(valley: Valley, table: str) -> int:
    (count,) = valley.database.conn.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
    return int(count)


# --- what it costs ---


async def test_the_first_catalogue_comes_whole_and_its_dictionary_is_built_here(
    valley: Valley,
) -> None:
    valley.publish(shipped())

    version = await valley.fetch()

    dictionary = valley.manifest().dictionary_sha256
    assert version == valley.running.version == 1
    assert blob_name(valley.running.dictionary) == dictionary
    assert not any(dictionary in path for path in valley.road.asked)


@pytest.mark.parametrize(
    "sources",
    [edited(text_changed), edited(service_added), villages_added()],
    ids=["text", "service", "villages"],
)
async def test_a_small_change_comes_along_with_its_manifest(
    valley: Valley, sources: Sources
) -> None:
    valley.publish(shipped())
    await valley.fetch()
    whole_bytes = valley.road.down_bytes
    valley.publish(sources)
    valley.road.asked.clear()

    version = await valley.fetch()

    assert version == valley.running.version == 2
    assert len(valley.road.asked) == 1
    assert valley.road.down_bytes - whole_bytes < 0.03 * whole_bytes


async def test_a_large_change_comes_as_a_delta_in_pieces(valley: Valley) -> None:
    valley.publish(shipped())
    await valley.fetch()
    whole_bytes = valley.road.down_bytes
    valley.publish(edited(rewritten))
    valley.road.asked.clear()

    version = await valley.fetch()

    assert version == valley.running.version == 2
    name = valley.manifest().catalogue_sha256[:HELD_DIGITS_MIN]
    asked = [path.partition("?")[0] for path in valley.road.asked]
    assert asked == [MANIFEST_PATH, BLOB_PATH + name]
    assert limits.RIDER_BYTES_MAX < valley.road.down_bytes - whole_bytes < 0.5 * whole_bytes


async def test_dictionary_that_this_kiosk_builds_otherwise_is_fetched(valley: Valley) -> None:
    ready = msgspec.structs.replace(prepared(shipped()), dictionary_raw="村\n路\n".encode())
    valley.world.write(publish, valley.world.keys, ready, valley.clock.now_ms())

    await valley.fetch()

    assert valley.running.dictionary == "村\n路\n".encode()


async def test_a_fleet_that_asks_at_once_waits_for_one_packing(valley: Valley) -> None:
    valley.publish(shipped())
    name = valley.manifest().catalogue_sha256

    first = await valley.downstream.blob(name, {})
    kept_bytes = valley.downstream.kept_bytes
    again = await valley.downstream.blob(name, {"from": ""})

    assert first == again
    assert valley.downstream.kept_bytes == kept_bytes > 0


async def test_packed_blobs_stay_within_their_room(valley: Valley) -> None:
    valley.publish(shipped())
    name = valley.manifest().villages_sha256

    for number in range(limits.PACKED_KEPT_MAX + 5):
        await valley.downstream.blob(name, {"from": f"{number:016x}"})

    assert valley.downstream.kept_bytes <= limits.PACKED_KEPT_BYTES
    assert len(valley.downstream._packed) == limits.PACKED_KEPT_MAX


@pytest.mark.parametrize(
    "query",
    [{"at": "-1"}, {"at": "1e3"}, {"size": "x"}, {"at": "9" * 30}, {"size": "٣"}],
)
async def test_a_piece_that_cannot_be_is_refused(valley: Valley, query: dict[str, str]) -> None:
    valley.publish(shipped())

    with pytest.raises(BlobUnknown):
        await valley.downstream.blob(valley.manifest().villages_sha256, query)


async def test_unknown_source_is_answered_by_the_whole(valley: Valley) -> None:
    valley.publish(shipped())
    name = valley.manifest().villages_sha256

    raw = await valley.downstream.blob(name, {"from": "f" * 64})
    manifest = await valley.downstream.manifest({"from": "f" * 16})

    assert blob_name(unpack_blob(raw, name)) == name
    assert manifest == valley.newest.manifest


# --- what breaks off ---


async def test_a_first_catalogue_over_a_cut_link_costs_its_bytes_once(valley: Valley) -> None:
    valley.publish(shipped())
    await valley.fetch()
    straight_bytes = valley.road.down_bytes
    valley.database.close()
    valley.database = opened(valley.folder / "second")
    valley.fetching = valley._fetching()
    begun_bytes = valley.road.down_bytes
    valley.road.cuts = [begun_bytes + straight_bytes // 2]

    version = await valley.fetch()

    carried = valley.road.down_bytes - begun_bytes
    assert version == 1
    assert carried <= 1.1 * straight_bytes


async def test_half_downloaded_54_continues_at_any_byte_after_a_power_cut(valley: Valley) -> None:
    valley.publish(shipped())
    await valley.fetch()
    valley.publish(edited(rewritten))
    begun = valley.road.down_bytes
    # A cut and a power cut at every 97 bytes of manifest and delta; the head of a piece that
    # broke off within its 15 bytes is asked for again.
    valley.road.cuts = list(range(begun + 20, begun + 6000, 97))

    for _ in range(100):
        try:
            version = await valley.fetch_once()
        except LinkDown:
            version = None
        if version is not None:
            break
        assert valley.running.version == 1
        valley.restart()

    assert valley.running.version == 2
    assert (rows(valley, "blob_part"), rows(valley, "fetching")) == (0, 0)


async def test_half_downloaded_54_is_dropped_when_the_target_changes(valley: Valley) -> None:
    valley.publish(shipped())
    valley.road.cuts = [4000]
    assert await valley.fetch_once() is None
    assert rows(valley, "blob_part") == 1
    valley.publish(edited(text_changed))

    version = await valley.fetch()

    assert version == 2
    assert rows(valley, "blob_part") == 0


async def test_link_that_carries_only_small_pieces_still_brings_a_catalogue(
    valley: Valley,
) -> None:
    valley.publish(shipped())
    # Nothing survives of an answer that breaks off: a proxy keeps it until it is whole.
    whole = valley.road.get

    async def get(path: str) -> bytes:
        raw = await whole(path)
        if len(raw) > 3000:
            raise LinkDown("the proxy gave up")
        return raw

    valley.road.get = get  # type: ignore[method-assign]

    assert await valley.fetch() == 1


async def test_envelopes_have_their_turn_while_a_large_catalogue_comes(valley: Valley) -> None:
    valley.publish(shipped())
    valley.road.bytes_per_s = 200.0

    turns = 0
    while await valley.fetch_once() is None:
        turns += 1

    assert turns >= 2


async def test_full_disk_keeps_its_last_room_for_envelopes(valley: Valley) -> None:
    valley.publish(shipped())
    valley.database.release_ballast()

    with pytest.raises(DiskFull):
        await valley.fetch_once()

    assert valley.road.asked == []


# --- what is not believed ---


async def test_old_manifest_51_that_somebody_kept_is_refused(valley: Valley) -> None:
    valley.publish(shipped())
    await valley.fetch()
    old = valley.newest.manifest
    valley.publish(edited(text_changed))
    valley.road.changed = lambda path, raw: old if path.startswith(MANIFEST_PATH) else raw

    with pytest.raises(ManifestRefused):
        await valley.fetch_once()
    valley.restart()

    assert valley.running.version == 1
    assert rows(valley, "fetching") == 0


async def test_older_version_51_is_refused_also_after_a_restart(valley: Valley) -> None:
    valley.publish(shipped())
    old = valley.newest.manifest
    blobs = {
        name: centre_catalogues.blob(valley.world.conn, name) or b""
        for name in valley.manifest().blobs
    }
    valley.publish(edited(text_changed))
    await valley.fetch()
    valley.restart()

    with pytest.raises(ManifestRefused), immediate(valley.database.conn) as db:
        catalogues.put_in_force(db, old, blobs)

    assert valley.running.version == 2


async def test_spoilt_delta_falls_back_to_the_whole(valley: Valley) -> None:
    valley.publish(shipped())
    await valley.fetch()
    valley.publish(edited(rewritten))
    is_delta = [False]

    def spoilt(path: str, raw: bytes) -> bytes:
        if "&from=" not in path:
            return raw
        is_delta[0] = is_delta[0] or raw[3] == 1
        return raw[:-3] + bytes([raw[-3] ^ 1]) + raw[-2:]

    valley.road.changed = spoilt

    version = await valley.fetch()

    assert (version, is_delta) == (2, [True])
    assert valley.running.version == 2


async def test_spoilt_rider_is_fetched_on_its_own(valley: Valley) -> None:
    valley.publish(shipped())
    await valley.fetch()
    valley.publish(edited(text_changed))
    valley.road.asked.clear()
    valley.road.changed = lambda path, raw: (
        raw[:-3] + bytes([raw[-3] ^ 1]) + raw[-2:] if path.startswith(MANIFEST_PATH) else raw
    )

    version = await valley.fetch()

    assert (version, len(valley.road.asked)) == (2, 2)


async def test_spoilt_whole_is_refused_and_fetched_anew(valley: Valley) -> None:
    valley.publish(shipped())
    whole = lambda _, raw: raw  # noqa: E731
    valley.road.changed = lambda path, raw: (
        raw[:-9] + bytes([raw[-9] ^ 1]) + raw[-8:] if BLOB_PATH in path else raw
    )
    with pytest.raises(ManifestRefused):
        await valley.fetch()
    assert catalogues.load_current(valley.database.conn) is None
    valley.road.changed = whole

    assert await valley.fetch() == 1


@pytest.mark.parametrize("stranger", [b"<!DOCTYPE html><title>Sign in</title>", b"", b"BD\x01"])
async def test_page_of_a_stranger_spoils_nothing_that_came(valley: Valley, stranger: bytes) -> None:
    valley.publish(shipped())
    valley.road.cuts = [6000]
    await valley.fetch_once()
    before = rows(valley, "blob_part")
    valley.road.changed = lambda path, raw: stranger if BLOB_PATH in path else raw

    with pytest.raises(ManifestRefused):
        await valley.fetch_once()

    assert rows(valley, "blob_part") == before == 1
    valley.road.changed = lambda _, raw: raw
    assert await valley.fetch() == 1
    begun = [path for path in valley.road.asked if BLOB_PATH in path and "&at=" not in path]
    assert len(begun) == len(set(valley.manifest().blobs)) - 1


async def test_part_that_the_centre_packed_anew_is_fetched_from_the_start(valley: Valley) -> None:
    valley.publish(shipped())
    valley.road.cuts = [6000]
    await valley.fetch_once()
    name = valley.manifest().catalogue_sha256
    # As another version of the compressing library would: other bytes for the same blob.
    key = (name[:HELD_DIGITS_MIN], "")
    again = valley.downstream._packed[key]
    valley.downstream._packed[key] = Packed(is_delta=False, raw=again.raw + b"\0")

    with pytest.raises(ManifestRefused):
        await valley.fetch_once()

    assert rows(valley, "blob_part") == 0
    valley.downstream._packed[key] = again
    assert await valley.fetch() == 1


async def test_bomb_is_refused_before_it_costs_memory(valley: Valley) -> None:
    valley.publish(shipped())
    answer = piece_of(packed(bytes(16 << 20)))
    valley.road.changed = lambda path, raw: answer if BLOB_PATH in path else raw

    with pytest.raises(ManifestRefused):
        await valley.fetch_once()

    assert rows(valley, "blob") == 0


# --- how long versions stay ---


async def test_the_one_before_stays_and_older_ones_go_with_their_blobs(valley: Valley) -> None:
    kept = []
    for sources in (shipped(), edited(text_changed), edited(service_added)):
        valley.publish(sources)
        await valley.fetch()
        kept.append(set(valley.manifest().blobs))

    found = valley.database.conn.execute("SELECT version FROM manifest ORDER BY 1").fetchall()
    names = {name for (name,) in valley.database.conn.execute("SELECT sha256 FROM blob")}
    assert found == [(2,), (3,)]
    assert names == kept[1] | kept[2]


async def test_damaged_catalogue_falls_back_to_the_one_before_and_comes_again(
    valley: Valley,
) -> None:
    valley.publish(shipped())
    await valley.fetch()
    valley.publish(edited(text_changed))
    await valley.fetch()
    name = valley.manifest().catalogue_sha256
    valley.database.conn.execute("UPDATE blob SET raw = x'00' WHERE sha256 = ?", (name,))
    valley.restart()
    fallen = valley.running.version

    with immediate(valley.database.conn) as db:
        catalogues.recheck(db)
    version = await valley.fetch()

    assert (fallen, version, valley.running.version) == (1, 2, 2)


async def test_after_a_restore_the_next_version_skips_those_that_were_lost(
    valley: Valley,
) -> None:
    valley.publish(shipped())
    valley.clock.pass_ms(3_600_000)
    # Version 2 was published and lost with the disk; kiosks hold it.
    valley.world.write(centre.raise_epoch, valley.clock.now_ms())
    valley.clock.pass_ms(3_600_000)

    again = valley.publish(shipped())
    then = valley.publish(edited(text_changed))

    # Two hours have passed since version 1, one number a minute.
    fresh = 1 + 120 + limits.CATALOGUE_VERSION_GAP
    assert (again, then) == (fresh, fresh + 1)


async def test_target_outlives_a_restart_and_is_not_fetched_twice(valley: Valley) -> None:
    valley.publish(shipped())
    valley.road.cuts = [6000]
    await valley.fetch_once()
    valley.restart()
    valley.road.asked.clear()

    await valley.fetch()

    assert parts.target(valley.database.conn) == b""
    assert not any(path.startswith(MANIFEST_PATH) for path in valley.road.asked)
