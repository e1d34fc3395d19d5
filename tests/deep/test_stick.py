"""Sticks for real: processes, mounted file systems, kills at any moment, 100,000 bad files.

Fault rows 59 to 62 of research/sync-reliability-security.md. What needs root (mounting) is
skipped without it.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from random import Random

import aiohttp
import psutil
import pytest

from bianmin.village import Village
from kiosk.stick import is_stick
from server.reception import Reception
from server.sticks import Taking
from server.store.sqlite import Store
from sync.bundles import (
    ANSWER_MAGIC,
    BUNDLE_MAGIC,
    REQUEST,
    BundleReader,
    BundleWriter,
    Head,
    centre_id,
)
from sync.catalogues import load_current
from sync.limits import FRAME_BYTES_MAX, STICK_NAMES_MAX
from sync.sticks import FOLDER_NAME, StickFailed, StickFolder
from tests.device import Device, opened
from tests.unit.server.test_sticks import pieces
from tests.unit.server.world import HELPER_REQUEST, World
from tests.unit.sync.sticksworld import Carrying, Stick, deliver, inline
from tests.unit.sync.worlds import SmallCentre, photo, submitted
from tests.village import centre_rows, running_centre, status
from tests.visitor import Screen

pytestmark = [pytest.mark.deep, pytest.mark.timeout(900)]

needs_mount = pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/sbin/mkfs.vfat").exists(), reason="mounting needs root"
)
MEGABYTE = 1024 * 1024


#: What a kernel may know, the stick's own first.
SYSTEMS = (("vfat", ("mkfs.vfat", "-n", "BIANMIN")), ("ext4", ("mkfs.ext4", "-q")))


@contextlib.contextmanager
def mounted(folder: Path, megabytes: int) -> Iterator[Path]:
    """A stick of that size, mounted as deploy/udev does it: FAT where the kernel knows it."""
    image, root = folder / "stick.img", folder / "stick"
    image.touch()
    os.truncate(image, megabytes * MEGABYTE)
    root.mkdir()
    for system, making in SYSTEMS:
        subprocess.run([*making, str(image)], check=True, capture_output=True)
        if mount(image, root, system):
            break
    else:
        pytest.skip("this machine mounts no files")
    try:
        yield root
    finally:
        subprocess.run(["umount", root], check=True)


def mount(image: Path, root: Path, system: str = "auto") -> bool:
    flags = "loop,nosuid,nodev,noexec" + (",flush" if system == "vfat" else "")
    line = ["mount", "-t", system, "-o", flags, str(image), str(root)]
    return subprocess.run(line, check=False, capture_output=True).returncode == 0


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run one `bianmin` command as a process of its own."""
    words = [sys.executable, "-m", "bianmin", *map(str, arguments)]
    return subprocess.run(words, check=False, capture_output=True, text=True)


def done(*arguments: str | Path) -> str:
    found = command(*arguments)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


async def kiosk_with_services(village: Village, data: Path, stick: Path) -> None:
    """Enrol a kiosk and give it its services by stick alone."""
    (await Device.enrolled(village, data)).close()
    centre = village.directory / "centre"
    done("kiosk", "export", stick, "--data", data)
    done("centre", "stick", stick, "--data", centre)
    assert "are in force" in done("kiosk", "import", stick, "--data", data)


def confirm(data: Path, count: int, photos: int) -> None:
    with opened(data) as device:
        device.submit(count - photos, seed=3, has_attachments=False)
        loaded = load_current(device.database.conn)
        assert loaded is not None
        for number in range(photos):
            submitted(
                device.database,
                device.keys,
                loaded.sealing,
                number + 1,
                (photo(0, 200_000),),
            )


async def test_hundred_applications_and_five_photos_go_there_and_back_by_processes(
    tmp_path: Path,
) -> None:
    stick, data = tmp_path / "stick", tmp_path / "kiosk"
    stick.mkdir()
    async with running_centre(tmp_path / "village") as village:
        await kiosk_with_services(village, data, stick)
        confirm(data, 100, 5)
        centre = village.directory / "centre"

        begun = time.perf_counter()
        exported = done("kiosk", "export", stick, "--data", data)
        size = sum(path.stat().st_size for path in (stick / FOLDER_NAME).glob("*.bmb"))
        taken = done("centre", "stick", stick, "--data", centre)
        imported = done("kiosk", "import", stick, "--data", data)
        took_s = time.perf_counter() - begun

        with opened(data) as device:
            waiting = device.waiting()
        stored = centre_rows(village, "SELECT count(*), count(DISTINCT seq) FROM envelopes")
        photos = centre_rows(
            village, "SELECT count(*), sum(completed_ms IS NOT NULL) FROM attachments"
        )

    print(f"{size} bytes, {took_s:.1f} s for three processes")  # noqa: T201 -- the figure
    assert "100 envelopes and 5 attachments" in exported
    assert "100 new, 0 known before, 5 attachments" in taken
    assert "100 envelopes settled" in imported
    assert (waiting.count, waiting.attachments) == (0, 0)
    assert (stored, photos) == ([(100, 100)], [(5, 5)])
    # The photos are 1,000,280 bytes; the rest is a hundred applications.
    assert size < 1_000_280 + 100 * 200


async def test_running_kiosk_serves_a_marked_stick_by_itself(tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    async with running_centre(
        tmp_path / "village", {"BIANMIN_KIOSK_STICK_DIR": str(stick)}
    ) as village:
        data, centre = village.directory / "kiosk", village.directory / "centre"
        await kiosk_with_services(village, data, stick)
        confirm(data, 10, 2)
        # From here on the kiosk has no way but the stick.
        village.link.cut()
        away = (stick / FOLDER_NAME).rename(tmp_path / "away")
        await village.start_kiosk()
        away.rename(stick / FOLDER_NAME)
        await comes(lambda: has_bundle(stick))
        taken = done("centre", "stick", stick, "--data", centre)
        # Out and in again: a stick is served once for each time.
        (stick / FOLDER_NAME).rename(away)
        await comes(lambda: says(village, "home"))
        away.rename(stick / FOLDER_NAME)
        await comes(lambda: nothing_waits(village))

    assert "10 new, 0 known before, 2 attachments" in taken


async def comes(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(60):
        while not await is_so():
            await asyncio.sleep(0.2)


async def has_bundle(stick: Path) -> bool:
    return bool(list((stick / FOLDER_NAME).glob("*.bmb")))


async def nothing_waits(village: Village) -> bool:
    found = await status(village)
    return (found["waiting"], found["attachments"]) == (0, 0)


async def says(village: Village, kind: str) -> bool:
    async with aiohttp.ClientSession() as session, session.get(village.kiosk_url) as answer:
        return Screen(await answer.text()).kind == kind


@needs_mount
async def test_mounted_stick_carries_there_and_back(tmp_path: Path) -> None:
    data = tmp_path / "kiosk"
    async with running_centre(tmp_path / "village") as village:
        with mounted(tmp_path, 40) as root:
            assert is_stick(root)
            await kiosk_with_services(village, data, root)
            confirm(data, 20, 5)
            done("kiosk", "export", root, "--data", data)
        assert mount(tmp_path / "stick.img", tmp_path / "stick")
        try:
            taken = done(
                "centre", "stick", tmp_path / "stick", "--data", village.directory / "centre"
            )
            imported = done("kiosk", "import", tmp_path / "stick", "--data", data)
        finally:
            subprocess.run(["umount", tmp_path / "stick"], check=True)

    assert "20 new, 0 known before, 5 attachments" in taken
    assert "20 envelopes settled" in imported


@needs_mount
@pytest.mark.parametrize(("is_locked", "why"), [(False, "full"), (True, "locked")])
async def test_full_or_locked_stick_is_told_and_keeps_nothing_half(
    tmp_path: Path, is_locked: bool, why: str
) -> None:
    centre = SmallCentre()
    kiosk = Carrying(tmp_path / "kiosk", centre)
    for number in range(1, 21):
        submitted(kiosk.database, kiosk.keys, centre.sealing, number, (photo(0, 200_000),))
    with mounted(tmp_path, 3) as root:
        (root / FOLDER_NAME).mkdir()
        if is_locked:
            subprocess.run(["mount", "-o", "remount,ro", root], check=True)
        with pytest.raises(StickFailed) as failed, StickFolder.opened(root) as folder:
            await kiosk.carrier.lay(folder, kiosk.told.append)
        left = [path.name for path in (root / FOLDER_NAME).iterdir()]

    assert (failed.value.why, left) == (why, [])
    assert set(kiosk.states().values()) == {"pending"}


async def exported_s(stick: Path, data: Path, after_s: float) -> float | None:
    """Export by a process that is killed after that long; how long it took, None when killed."""
    began_s = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bianmin", "kiosk", "export", str(stick), "--data", str(data)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), after_s)
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    code = await process.wait()
    assert code in (0, -signal.SIGKILL)
    return None if code else time.perf_counter() - began_s


async def test_exports_killed_at_any_moment_leave_whole_files_or_none(tmp_path: Path) -> None:
    stick, data = tmp_path / "stick", tmp_path / "kiosk"
    stick.mkdir()
    random = Random(11)
    async with running_centre(tmp_path / "village") as village:
        await kiosk_with_services(village, data, stick)
        confirm(data, 60, 5)
        whole_s = await exported_s(stick, data, after_s=60)
        assert whole_s is not None, "an export takes more than a minute"
        killed = 0
        for number in range(30):
            # Most of a run is its start; every other kill meets the work, near its end.
            least = 0.8 if number % 2 else 0.2
            after_s = whole_s * random.uniform(least, 1.0)
            killed += await exported_s(stick, data, after_s) is None
            for path in (stick / FOLDER_NAME).glob("*.bmb"):
                reader = BundleReader(BUNDLE_MAGIC)
                reader.feed(path.read_bytes())
                assert reader.ending == "whole"
        done("kiosk", "export", stick, "--data", data)
        done("centre", "stick", stick, "--data", village.directory / "centre")
        done("kiosk", "import", stick, "--data", data)
        with opened(data) as device:
            waiting = device.waiting()
        stored = centre_rows(village, "SELECT count(*), count(DISTINCT seq) FROM envelopes")

    assert killed > 15
    assert (waiting.count, waiting.attachments, stored) == (0, 0, [(60, 60)])
    assert not list((stick / FOLDER_NAME).glob("*.new"))


# --- a hundred thousand bad files ---


def mutated(raw: bytes, random: Random) -> bytes:
    """Change a file as a bad stick or a bad person does."""
    found = bytearray(raw)
    for _ in range(random.choice((1, 1, 2, 8))):
        place = random.randrange(len(found)) if found else 0
        match random.randrange(7):
            case 0 if found:
                found[place] ^= 1 << random.randrange(8)
            case 1:
                del found[place:]
            case 2:
                del found[place : place + random.randrange(1, 300)]
            case 3:
                found[place:place] = random.randbytes(random.randrange(1, 40))
            case 4:
                found[place : place + 4] = random.choice((b"\xff" * 4, bytes(4), b"\0\4\0\0"))
            case 5:
                other = random.randrange(len(found) or 1)
                found[place:place] = found[other : other + random.randrange(1, 300)]
            case _:
                found[place : place + 64] = bytes(64)
    return bytes(found)


def test_hundred_thousand_changed_files_cost_no_more_than_their_size() -> None:
    random, whole = Random(5), bytearray()
    writer = BundleWriter(whole.extend, BUNDLE_MAGIC, Head(b"a centre", b"a kiosk."))
    for size in (300, 0, 900):
        writer.add(REQUEST, random.randbytes(size))
    writer.end()

    tracemalloc.start()
    for number in range(60_000):
        raw = mutated(bytes(whole), random)
        for magic in (BUNDLE_MAGIC, ANSWER_MAGIC):
            reader = BundleReader(magic)
            items = [item for item in reader.feed(raw) if item.raw]
            assert sum(len(item.raw) for item in items) <= len(raw), number
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < MEGABYTE


async def test_changed_bundles_never_store_what_no_kiosk_signed(tmp_path: Path) -> None:
    world = World(tmp_path / "c")
    published = world.publish()
    kiosk = world.enrol()
    store = Store.open(world.settings.database)
    taking = Taking(
        store,
        Reception(store, world.keys, world.settings, world.clock),
        world.keys,
        world.clock,
        aside=inline,
    )
    raw = bytearray()
    writer = BundleWriter(
        raw.extend, BUNDLE_MAGIC, Head(centre_id(world.keys.root_public), kiosk.keys.kiosk_id)
    )
    for _ in range(3):
        writer.add(REQUEST, kiosk.request([kiosk.confirm(published, HELPER_REQUEST)]))
    writer.end()
    random = Random(6)

    with StickFolder.opened(tmp_path, is_made=True) as folder:
        for _ in range(800):
            changed = mutated(bytes(raw), random)
            await taking.take(pieces(changed, 700), "", actor="x", fresh=folder.fresh)
    seqs = [row[0] for row in world.conn.execute("SELECT seq FROM envelopes ORDER BY seq")]
    kinds = world.conn.execute(
        "SELECT count(*), count(DISTINCT kiosk_id) FROM envelopes"
    ).fetchone()
    store.close()
    world.close()

    assert seqs == [1, 2, 3]
    assert tuple(kinds) == (3, 1)


async def test_changed_replies_never_settle_what_the_centre_did_not_say(tmp_path: Path) -> None:
    centre, stick = SmallCentre(), Stick(tmp_path / "stick")
    kiosk = Carrying(tmp_path / "kiosk", centre)
    for number in range(1, 4):
        submitted(kiosk.database, kiosk.keys, centre.sealing, number)
    await kiosk.lay(stick)
    bundle = stick.bundles()[0]
    centre.refuses = lambda _: True  # no change of its word may make a yes of it
    deliver(centre, stick)
    answers = bundle.with_suffix(".bmr")
    parts = bundle.read_bytes(), answers.read_bytes()
    random = Random(7)

    for number in range(4_000):
        bundle.write_bytes(mutated(parts[0], random) if number % 2 else parts[0])
        answers.write_bytes(parts[1] if number % 2 else mutated(parts[1], random))
        await kiosk.bring(stick)
        assert "settled" not in kiosk.states().values()


@pytest.mark.parametrize("is_own", [True, False], ids=["our next names", "other names"])
async def test_hostile_stick_of_a_hundred_thousand_names_takes_bounded_time(
    tmp_path: Path, is_own: bool
) -> None:
    centre, stick = SmallCentre(), Stick(tmp_path / "stick")
    kiosk = Carrying(tmp_path / "kiosk", centre)
    submitted(kiosk.database, kiosk.keys, centre.sealing, 1)
    stem = kiosk.keys.kiosk_id.hex()
    begin = 1 if is_own else 10_000_000
    for number in range(begin, begin + 100_000):
        (stick.folder / f"{stem}-{number}.bmr").touch()
    with (stick.folder / f"{stem}-900000.bmb").open("wb") as file:
        file.write(BUNDLE_MAGIC + bytes(16) + b"\x01\xff\xff\xff\xff")
        file.truncate(1 << 40)

    begun = time.perf_counter()
    brought = await kiosk.bring(stick)
    if is_own:
        with pytest.raises(StickFailed) as failed:
            await kiosk.lay(stick)
        assert failed.value.why == "strange"
    else:
        assert (await kiosk.lay(stick)).envelopes == 1
    took_s = time.perf_counter() - begun

    assert brought.is_crowded
    assert brought.orphans <= STICK_NAMES_MAX
    assert took_s < 30


async def test_endless_file_is_left_at_its_bound_within_the_memory_of_a_frame(
    tmp_path: Path,
) -> None:
    frame = bytes([REQUEST]) + FRAME_BYTES_MAX.to_bytes(4, "big") + bytes(FRAME_BYTES_MAX)
    reader, count = BundleReader(BUNDLE_MAGIC), 0
    reader.feed(BUNDLE_MAGIC + bytes(16))
    before = psutil.Process().memory_info().rss

    while not reader.is_over:
        reader.feed(frame)
        count += 1

    assert reader.ending == "too_long"
    assert count == 1024
    assert psutil.Process().memory_info().rss - before < 32 * MEGABYTE
