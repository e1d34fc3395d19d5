"""Disks that fill, tear and rot, as real files: fault rows 11 to 14 and 38."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from sync import exchange, outbox, standing
from sync.database import DiskFull, open_database
from sync.transports.http import HttpLink
from tests.deep.residents import everything_carried, new_kiosk
from tests.device import STORE_NAME
from tests.integration.delivery import until
from tests.village import centre_rows, running_centre

pytestmark = [pytest.mark.deep, pytest.mark.timeout(300)]

TORN = 200
ROTTEN = 120
PAGE_BYTES = 4096


@contextlib.contextmanager
def small_disk(path: Path, size: str) -> Iterator[Path]:
    """A file system of its own; needs root, as the deep suite does."""
    path.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


async def test_full_disk_of_a_kiosk_refuses_in_words_and_still_delivers(tmp_path: Path) -> None:
    async with running_centre(tmp_path / "village") as village:
        with small_disk(tmp_path / "card", "40m") as card:
            device = await new_kiosk(village, card / "kiosk")
            receipts = device.submit(40, seed=1, has_attachments=False)
            stuffing = card / "stuffing"
            with contextlib.suppress(OSError), stuffing.open("wb") as file:
                while True:
                    file.write(bytes(65536))
            told = {receipt.case_no for receipt in receipts}
            assert not device.database.has_room()
            is_full = False
            for seed in range(2, 400):
                try:
                    told |= {receipt.case_no for receipt in device.submit(1, seed=seed)}
                except DiskFull:
                    is_full = True
                    break
            assert is_full, "the disk was never full"
            device.database.release_ballast()  # what `Database.write` does at once

            # The disk is still full, yet acknowledgements and pruning have the ballast's room.
            async with HttpLink(village.centre_url) as link:
                agent = device.agent(link)
                for _ in range(60):
                    outcome = await agent.exchange_once()
                    assert outcome.error in ("", "storage"), outcome
                    if not device.waiting().count:
                        break
            assert device.waiting().count == 0
            stuffing.unlink()
            assert device.database.restore_ballast()
            told |= {receipt.case_no for receipt in device.submit(1, seed=999)}
            device.close()
            await everything_carried(village, [card / "kiosk"])
        await until(
            lambda: not centre_rows(village, "SELECT 1 FROM envelopes WHERE fate = 'waiting'"),
            "every envelope opened",
        )
        cases = [str(row[0]) for row in centre_rows(village, "SELECT case_no FROM cases")]
        assert sorted(cases) == sorted(told)


async def test_full_disk_of_the_centre_acknowledges_nothing_that_it_has_not(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "disk", "24m") as disk:
        async with running_centre(disk / "village") as village:
            device = await new_kiosk(village, tmp_path / "kiosk")
            stuffing = disk / "stuffing"
            with contextlib.suppress(OSError), stuffing.open("wb") as file:
                while True:
                    file.write(bytes(4096))
            receipts = device.submit(120, seed=5)
            async with HttpLink(village.centre_url) as link:
                agent = device.agent(link)
                outcomes = [await agent.exchange_once() for _ in range(12)]
            assert any(outcome.error for outcome in outcomes), "the disk was never full"
            assert device.waiting().count + device.waiting().attachments > 0
            stuffing.unlink()
            device.close()
            await everything_carried(village, [tmp_path / "kiosk"])
            await until(
                lambda: not centre_rows(village, "SELECT 1 FROM envelopes WHERE fate = 'waiting'"),
                "every envelope opened",
            )
            cases = [str(row[0]) for row in centre_rows(village, "SELECT case_no FROM cases")]
            assert sorted(cases) == sorted(receipt.case_no for receipt in receipts)
            assert centre_rows(village, "PRAGMA integrity_check") == [("ok",)]


def _copied(source: Path, target: Path) -> Path:
    target.mkdir()
    for path in source.iterdir():
        if path.is_file():
            shutil.copyfile(path, target / path.name)
    return target


async def test_torn_log_leaves_a_prefix_and_no_damage(tmp_path: Path) -> None:
    random = Random(11)
    async with running_centre(tmp_path / "village") as village:
        device = await new_kiosk(village, tmp_path / "kiosk")
        before = outbox.head(device.database.conn)[0]
        count = len(device.submit(60, seed=2, has_attachments=False))
        frozen = _copied(tmp_path / "kiosk", tmp_path / "frozen")  # the log is not merged yet
        device.close()
        public = device.keys.sign_public
    size = (frozen / f"{STORE_NAME}-wal").stat().st_size
    assert size > 100_000
    kept = []
    for number in range(TORN):
        cut = random.randrange(size + 1)
        folder = _copied(frozen, tmp_path / f"torn{number}")
        with (folder / f"{STORE_NAME}-wal").open("r+b") as log:
            log.truncate(cut)
        database = open_database(folder / STORE_NAME, device_public=public, is_threaded=False)
        seqs = [row[0] for row in database.conn.execute("SELECT seq FROM outbox ORDER BY seq")]
        assert database.set_aside == ()
        assert seqs == list(range(1, len(seqs) + 1)), "a gapless prefix"
        assert outbox.head(database.conn)[0] == len(seqs)
        kept.append((cut, len(seqs)))
        database.close()
        shutil.rmtree(folder)
    kept.sort()
    assert [rows for _, rows in kept] == sorted(rows for _, rows in kept)
    assert kept[-1][1] <= before + count


async def test_rotten_pages_are_set_aside_and_the_rest_is_saved(tmp_path: Path) -> None:
    random = Random(13)
    async with running_centre(tmp_path / "village") as village:
        device = await new_kiosk(village, tmp_path / "kiosk")
        device.submit(400, seed=2, has_attachments=False)
        public = device.keys.sign_public
        device.close()
    sound = _copied(tmp_path / "kiosk", tmp_path / "sound")
    before = dict(_envelopes(sound, public))
    assert len(before) == 400
    pages = (sound / STORE_NAME).stat().st_size // PAGE_BYTES
    found_damage, saved = 0, 0
    for number in range(ROTTEN):
        folder = _copied(sound, tmp_path / f"rotten{number}")
        page = random.randrange(pages)
        with (folder / STORE_NAME).open("r+b") as file:
            file.seek(page * PAGE_BYTES + random.randrange(0, 3500))
            file.write(random.randbytes(random.choice((1, 16, 500))))
        after = dict(_envelopes(folder, public))
        changed = [seq for seq, raw in after.items() if before.get(seq) != raw]
        if changed:
            # SQLite does not see every bit; what no longer fits its receipt is never sent.
            assert _sent_again(folder, public).isdisjoint(changed)
        if list(folder.glob(f"{STORE_NAME}.damaged-*")):
            found_damage += 1
            saved += len(after)
            # Numbers are not given again, whatever was lost.
            database = open_database(folder / STORE_NAME, device_public=public, is_threaded=False)
            assert outbox.head(database.conn)[0] >= 400
            database.close()
        else:
            assert len(after) == 400
        shutil.rmtree(folder)
    assert found_damage >= 10
    assert saved >= found_damage * 400 * 0.9


def _sent_again(folder: Path, public: bytes) -> set[int]:
    """Numbers that an exchange would carry if the centre had lost everything."""
    database = open_database(folder / STORE_NAME, device_public=public, is_threaded=False)
    database.conn.conn.execute("UPDATE outbox SET state = 'pending'")
    seqs = tuple(row[0] for row in database.conn.execute("SELECT seq FROM outbox"))
    envelopes, _ = standing.carried(database.conn, exchange.Plan(seqs=seqs, pieces=()))
    database.close()
    return {envelope.header.seq for envelope in envelopes}


def _envelopes(folder: Path, public: bytes) -> list[tuple[int, bytes]]:
    database = open_database(folder / STORE_NAME, device_public=public, is_threaded=False)
    rows = database.conn.execute("SELECT seq, envelope FROM outbox").fetchall()
    database.close()
    return [(int(seq), bytes(raw)) for seq, raw in rows]
