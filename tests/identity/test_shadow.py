"""The second copy of the outbox: row 15, and a card that lies about syncing (N2)."""

import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import limits, outbox
from sync.clock import SeededEntropy
from sync.database import Database, immediate
from sync.sealing import SealingPublic, generate_sealing_key
from sync.shadow import MAGIC, Entry, Restored, Shadow, _read_records, encode_record, shadow_path
from sync.signing import DeviceKeys
from tests.identity.places import Centre, enrolled, started
from tests.unit.server.world import NOW_MS
from tests.unit.sync.test_database import KEYS
from tests.unit.sync.worlds import JumpingClock, opened, photo, submitted

SEALING = SealingPublic(key_id=1, raw=generate_sealing_key(SeededEntropy(1))[1])


def kept(directory: Path) -> Shadow:
    return Shadow(shadow_path(directory, KEYS.sign_public), KEYS.sign_public)


def filled(directory: Path, count: int, first: int = 1) -> list[str]:
    """Confirm some transactions, each followed by its second copy; answer the case numbers."""
    database, shadow = opened(directory, KEYS), kept(directory)
    receipts = [submitted(database, KEYS, SEALING, first + number) for number in range(count)]
    for receipt in receipts:
        shadow.append(database.conn, receipt.seq)
    database.close()
    return [receipt.case_no for receipt in receipts]


def restored(directory: Path) -> tuple[Database, Restored]:
    database = opened(directory, KEYS)
    return database, kept(directory).restore(database.conn)


def without_store(directory: Path) -> None:
    for path in directory.glob("kiosk.db*"):
        path.unlink()


def case_nos(database: Database) -> list[str]:
    rows = database.conn.execute("SELECT case_no FROM receipt ORDER BY seq").fetchall()
    return [row[0] for row in rows]


def test_row_15_store_that_is_gone_is_rebuilt_with_receipts_and_numbers(tmp_path: Path) -> None:
    told = filled(tmp_path, 3)
    without_store(tmp_path)

    database, found = restored(tmp_path)

    assert (found.count, found.rivals) == (3, ())
    assert case_nos(database) == told
    assert outbox.waiting(database.conn).count == 3
    assert submitted(database, KEYS, SEALING, 9).seq == 4


def test_newest_commits_that_a_lying_card_lost_come_back(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    image = (tmp_path / "kiosk.db").read_bytes()
    told = filled(tmp_path, 2, first=3)
    (tmp_path / "kiosk.db").write_bytes(image)

    database, found = restored(tmp_path)

    assert found.count == 2
    assert case_nos(database)[2:] == told
    chain = database.conn.execute("SELECT count(*) FROM outbox").fetchone()
    assert chain == (4,)


def test_whole_store_is_left_alone(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    database = opened(tmp_path, KEYS)
    before = list(database.conn.conn.iterdump())

    found = kept(tmp_path).restore(database.conn)

    assert found == Restored()
    assert list(database.conn.conn.iterdump()) == before


def test_row_15_copy_whose_signature_verifies_wins(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    database = opened(tmp_path, KEYS)
    rows = database.conn.execute("SELECT envelope FROM outbox ORDER BY seq").fetchall()
    sound = [bytes(row[0]) for row in rows]
    rotten = sound[0][:-1] + bytes([sound[0][-1] ^ 1])
    with immediate(database.conn) as db:
        db.conn.execute("UPDATE outbox SET envelope = ? WHERE seq = 1", (rotten,))

    found = kept(tmp_path).restore(database.conn)

    rows = database.conn.execute("SELECT envelope FROM outbox ORDER BY seq").fetchall()
    assert (found.count, [bytes(row[0]) for row in rows]) == (1, sound)


def test_row_15_damaged_second_copy_changes_nothing(tmp_path: Path) -> None:
    filled(tmp_path, 1)
    (entry,) = kept(tmp_path).entries()
    rotten = Entry(
        seq=2,
        transaction_id=b"another sixteen!",
        case_no="x",
        service="",
        confirmed_ms=0,
        envelope=entry.envelope[:-1] + b"?",
        signature=entry.signature,
    )
    with shadow_path(tmp_path, KEYS.sign_public).open("ab") as file:
        file.write(encode_record(rotten))

    database, found = restored(tmp_path)

    assert found == Restored()
    assert len(case_nos(database)) == 1


def test_row_15_two_valid_ones_of_one_number_are_two_residents(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    image = (tmp_path / "kiosk.db").read_bytes()
    filled(tmp_path, 1, first=3)
    (tmp_path / "kiosk.db").write_bytes(image)
    filled(tmp_path, 1, first=30)

    database, found = restored(tmp_path)

    assert [rival.seq for rival in found.rivals] == [3]
    assert found.count == 0
    (envelope,) = database.conn.execute("SELECT envelope FROM outbox WHERE seq = 3").fetchone()
    assert bytes(envelope) != found.rivals[0].envelope


@pytest.mark.deep
async def test_row_15_both_histories_of_a_rolled_back_store_reach_the_centre(
    tmp_path: Path, centre: Centre
) -> None:
    folder, clock = tmp_path / "kiosk", JumpingClock(NOW_MS)
    await enrolled(folder, centre)
    async with started(folder, centre, clock) as kiosk:
        await kiosk.exchange()
        await kiosk.confirm()
        await kiosk.exchange()
    image = (folder / "kiosk.db").read_bytes()
    centre.is_up = False
    async with started(folder, centre, clock, boot=12) as kiosk:
        first = await kiosk.confirm()
    second_copy = next(folder.glob("*.shadow")).read_bytes()
    for path in folder.glob("kiosk.db*"):
        path.unlink()
    (folder / "kiosk.db").write_bytes(image)
    next(folder.glob("*.shadow")).unlink()
    async with started(folder, centre, clock, boot=13) as kiosk:
        other = await kiosk.confirm()
    with next(folder.glob("*.shadow")).open("ab") as file:
        file.write(second_copy)

    centre.is_up = True
    async with started(folder, centre, clock, boot=14) as kiosk:
        waited = (kiosk.waiting(), kiosk.former_waiting())
        await kiosk.exchange()
        left = (kiosk.waiting(), kiosk.former_waiting())
    async with started(folder, centre, clock, boot=15) as kiosk:
        folders = len(kiosk.folder.carried)

    centre.open_all()
    assert first.case_no == other.case_no
    assert (waited, left, folders) == ((1, [1]), (0, [0]), 1)
    assert centre.case_nos() == ["000100000114", first.case_no, f"{first.case_no}-2"]
    assert centre.state_of(1) == "forked"


# --- the file ---


def test_torn_record_is_passed_over_and_those_behind_it_are_read(tmp_path: Path) -> None:
    told = filled(tmp_path, 3)
    path = shadow_path(tmp_path, KEYS.sign_public)
    raw = path.read_bytes()
    second = raw.index(MAGIC, 4)
    third = raw.index(MAGIC, second + 4)
    path.write_bytes(raw[:second] + raw[second : second + 90] + raw[third:])

    found = list(kept(tmp_path).entries())

    assert [entry.case_no for entry in found] == [told[0], told[2]]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 300), st.integers(1, 8))
def test_no_byte_in_the_way_hides_a_whole_record(noise: bytes, cut: int, times: int) -> None:
    entry = Entry(7, b"0123456789abcdef", "000100000114", "x", 1, b"e" * 200, b"s" * 64)
    record = encode_record(entry)
    raw = (record[:cut] + noise).replace(MAGIC, b"BMSx") if cut < len(record) else noise
    found, _ = _read_records(raw + record * times, is_last=True)

    assert found[-times:] == [entry] * times


def test_record_is_what_the_page_says(tmp_path: Path) -> None:
    filled(tmp_path, 1)

    raw = shadow_path(tmp_path, KEYS.sign_public).read_bytes()

    size = int.from_bytes(raw[4:6], "big")
    assert raw[:4] == b"BMS\x01"
    assert len(raw) == 4 + 2 + size + 4
    assert int.from_bytes(raw[-4:], "big") == zlib.crc32(raw[6:-4])
    assert len(raw) < 400


def test_what_the_store_has_dropped_goes_when_the_file_has_grown(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    database, shadow = opened(tmp_path, KEYS), kept(tmp_path)
    with immediate(database.conn) as db:
        db.conn.execute("DELETE FROM outbox WHERE seq = 1")
    is_early = shadow.tidy(database.conn)
    with shadow.path.open("ab") as file:
        file.write(bytes(limits.SHADOW_BYTES_MAX))

    is_grown = shadow.tidy(database.conn)

    assert (is_early, is_grown) == (False, True)
    assert [entry.seq for entry in shadow.entries()] == [2, 3]
    assert shadow.path.stat().st_size < 1000


def test_what_the_medium_missed_is_written_when_it_is_back(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    database, shadow = opened(tmp_path, KEYS), kept(tmp_path)
    submitted(database, KEYS, SEALING, 3)

    assert shadow.tidy(database.conn)
    assert [entry.seq for entry in shadow.entries()] == [1, 2, 3]


def test_each_identity_has_a_file_of_its_own(tmp_path: Path) -> None:
    other = DeviceKeys.generate(SeededEntropy(99))

    paths = {shadow_path(tmp_path, keys.sign_public) for keys in (KEYS, other)}

    assert len(paths) == 2


# --- the kiosk ---


async def test_medium_that_is_not_there_refuses_nobody_and_is_told(
    tmp_path: Path, centre: Centre
) -> None:
    folder = tmp_path / "kiosk"
    await enrolled(folder, centre)
    async with started(folder, centre, shadow_dir=tmp_path / "no-stick") as kiosk:
        await kiosk.exchange()
        receipt = await kiosk.confirm()
        await kiosk.exchange()

    assert receipt.seq == 1
    assert dict(centre.requests[-1].health.devices)["copy"] == "missing"


@pytest.mark.deep
async def test_copy_on_another_medium_brings_back_what_the_card_lost_whole(
    tmp_path: Path, centre: Centre
) -> None:
    folder, stick = tmp_path / "kiosk", tmp_path / "stick"
    stick.mkdir()
    await enrolled(folder, centre)
    async with started(folder, centre, shadow_dir=stick) as kiosk:
        await kiosk.exchange()
        centre.is_up = False
        receipt = await kiosk.confirm()
    (folder / "kiosk.db").write_bytes(b"worn out" * 4000)
    (folder / "kiosk.db-wal").unlink(missing_ok=True)

    centre.is_up = True
    async with started(folder, centre, shadow_dir=stick, boot=12) as kiosk:
        await kiosk.exchange()
        found = await kiosk.look_up(receipt.case_no)

    centre.open_all()
    assert [matter.service for matter in found] == ["helper_request"]
    assert centre.case_nos() == [receipt.case_no]


async def test_store_that_was_rebuilt_whole_is_no_clone_to_the_centre(
    tmp_path: Path, centre: Centre
) -> None:
    folder, clock = tmp_path / "kiosk", JumpingClock(NOW_MS)
    await enrolled(folder, centre)
    async with started(folder, centre, clock) as kiosk:
        await kiosk.exchange()
        receipts = [await kiosk.confirm() for _ in range(2)]
        await kiosk.exchange()
    without_store(folder)

    async with started(folder, centre, clock, boot=12) as kiosk:
        await kiosk.exchange()
        receipts.append(await kiosk.confirm())
        await kiosk.exchange()

    centre.open_all()
    assert centre.case_nos() == [receipt.case_no for receipt in receipts]
    assert (centre.state_of(1), centre.replies[-1].flags) == ("active", frozenset())


async def test_setting_switches_the_second_copy_off(tmp_path: Path, centre: Centre) -> None:
    folder = tmp_path / "kiosk"
    await enrolled(folder, centre)
    async with started(folder, centre, has_shadow=False) as kiosk:
        await kiosk.exchange()
        await kiosk.confirm()

    assert list(folder.glob("*.shadow")) == []


# --- salvage ---


def test_photos_of_a_damaged_store_are_saved_where_their_rows_are_readable(tmp_path: Path) -> None:
    database = opened(tmp_path, KEYS)
    for number in (1, 2):
        submitted(database, KEYS, SEALING, number, (photo(0, 60_000),))
    rows = database.conn.execute("SELECT seq, place, sealed FROM attachment").fetchall()
    before = {(seq, place): bytes(sealed) for seq, place, sealed in rows}
    (index_root,) = database.conn.execute(
        "SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_attachment_1'"
    ).fetchone()
    database.close()
    path = tmp_path / "kiosk.db"
    raw = bytearray(path.read_bytes())
    page = int.from_bytes(raw[16:18], "big")
    # The index by which one would look them up is gone; the rows themselves are not.
    raw[(index_root - 1) * page : index_root * page] = b"\xff" * page
    path.write_bytes(raw)

    again = opened(tmp_path, KEYS)

    assert again.set_aside
    rows = again.conn.execute("SELECT seq, place, sealed FROM attachment").fetchall()
    assert {(seq, place): bytes(sealed) for seq, place, sealed in rows} == before


def test_photo_that_the_centre_has_is_only_asked_about(tmp_path: Path) -> None:
    database = opened(tmp_path, KEYS)
    submitted(database, KEYS, SEALING, 1, (photo(0, 20_000),))
    with immediate(database.conn) as db:
        db.conn.execute("UPDATE attachment SET state = 'settled', received_bytes = size_bytes")
    database.close()
    (tmp_path / "kiosk.db").rename(tmp_path / "kiosk.db.damaged-1")

    again = opened(tmp_path, KEYS)

    row = again.conn.execute("SELECT state, received_bytes = size_bytes FROM attachment")
    assert row.fetchone() == ("pending", 1)
