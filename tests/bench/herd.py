"""Two thousand kiosks return at the same instant after a regional outage."""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

import msgspec
import psutil

from bianmin.village import Village
from server import identity
from server.settings import Settings
from server.store import centre
from server.store.sqlite import connect
from tests.bench import fleet
from tests.bench.herding import Herd, Order, Return
from tests.bench.memory import MIB
from tests.bench.printing import figure, row, spread
from tests.conftest import ROOT
from tests.village import centre_rows, running_centre

KIOSKS = 2000
QUEUED = 100
PROCESSES = 2
PATIENCE_S = 600.0
RSS_MIB_MAX = 320
ANSWER_S_MAX = 10.0
_LINE_BYTES_MAX = 64 * 1024 * 1024


class Met(msgspec.Struct, frozen=True):
    """How a herd was received."""

    returns: tuple[Return, ...]
    waits_s: tuple[float, ...]
    ends: dict[str, int]
    #: Greatest resident memory of the centre's process in MiB, and before the herd.
    rss_mib: float
    calm_mib: float
    #: Processor time of the centre's process, seconds.
    cpu_s: float
    #: (kiosk number, envelopes, distinct numbers, mark) at the centre.
    held: tuple[tuple[int, int, int, int], ...]

    @property
    def took_s(self) -> float:
        """Seconds until the last had delivered all."""
        return max(each.done_s for each in self.returns)

    def answered_within_s(self, part: float) -> float:
        """Answer within how many seconds that part of the answers came."""
        return sorted(self.waits_s)[int((len(self.waits_s) - 1) * part)]

    def done_within_s(self, part: float) -> float:
        """Answer within how many seconds that part of the kiosks had delivered all."""
        return sorted(each.done_s for each in self.returns)[int((len(self.returns) - 1) * part)]


async def measure() -> None:
    """Let them come, and tell how each was served."""
    with tempfile.TemporaryDirectory() as place:
        async with running_centre(Path(place), {"BIANMIN_CENTRE_RETRY_AFTER_S": "60"}) as village:
            met = await come_back(village, KIOSKS, QUEUED, is_light=True)
    count = KIOSKS * QUEUED
    assert sum(stored for _, stored, _, _ in met.held) == count
    row("kiosks, each with so many queued", f"{KIOSKS} x {QUEUED}, in {PROCESSES} processes")
    row("how requests ended", ", ".join(f"{end}: {n}" for end, n in sorted(met.ends.items())))
    row("an answer took", spread(met.waits_s, "s", 2))
    figure("herd_answer_p99_s", met.answered_within_s(0.99), "s", target=f"<= {ANSWER_S_MAX:.0f}")
    row("first answer after", spread([each.first_s for each in met.returns], "s", 1))
    row("a kiosk had delivered all after", spread([each.done_s for each in met.returns], "s", 1))
    figure("herd_last_to_median", met.took_s / met.done_within_s(0.5), "ratio", what="last/median")
    figure("herd_per_s", count / met.took_s, "1/s", what="records a second, to the last kiosk")
    figure("herd_cpu_us", met.cpu_s / count * 1e6, "us", decimals=1, what="centre's CPU a record")
    figure(
        "herd_rss_mib",
        met.rss_mib,
        "MiB",
        target=f"<= {RSS_MIB_MAX}",
        what=f"centre's memory at most (RSS; before: {met.calm_mib:.0f})",
        decimals=0,
    )


async def come_back(village: Village, kiosks: int, queued: int, *, is_light: bool) -> Met:
    """Enrol kiosks with full queues and let all of them return at once.

    Args:
        village: Whose centre runs.
        kiosks: How many.
        queued: Envelopes on each.
        is_light: Without stores and agents of their own; see `tests.bench.light`.
    """
    assert village.centre is not None
    senders = fleet.enrolled(village, kiosks)
    process = psutil.Process(village.centre.pid)
    # In memory, so that the kiosks' own disks do not slow the centre's.
    shm = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, S108 -- tmpfs
    with tempfile.TemporaryDirectory(dir=shm) as folder:
        herds = await asyncio.gather(
            *(
                _started(
                    _order(
                        village,
                        Path(folder) / str(part),
                        senders[part::PROCESSES],
                        queued,
                        is_light,
                    )
                )
                for part in range(PROCESSES)
            )
        )
        calm_mib, cpu_s = _rss_mib(process), _cpu_s(process)
        watching = asyncio.create_task(_greatest_rss(process))
        for herd in herds:
            assert herd.stdin is not None
            herd.stdin.write(b"\n")
        lines = await asyncio.gather(*(_line(herd) for herd in herds))
        cpu_s = _cpu_s(process) - cpu_s
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
    met = [msgspec.json.decode(line, type=Herd) for line in lines]
    rows = centre_rows(
        village,
        "SELECT kiosk_no, count(e.id), count(DISTINCT e.seq), mark_seq FROM kiosks k "
        "LEFT JOIN envelopes e USING (kiosk_id) GROUP BY kiosk_no",
    )
    ends = sum((Counter(herd.ends) for herd in met), Counter[str]())
    return Met(
        returns=tuple(each for herd in met for each in herd.returns),
        waits_s=tuple(wait_s for herd in met for wait_s in herd.waits_s),
        ends=dict(ends),
        rss_mib=_WORST.pop(process.pid, calm_mib),
        calm_mib=calm_mib,
        cpu_s=cpu_s,
        held=msgspec.convert(rows, tuple[tuple[int, int, int, int], ...]),
    )


_WORST: dict[int, float] = {}


async def _greatest_rss(process: psutil.Process) -> None:
    while True:
        _WORST[process.pid] = max(_WORST.get(process.pid, 0.0), _rss_mib(process))
        await asyncio.sleep(0.1)


def _order(
    village: Village, folder: Path, senders: list[fleet.Sender], queued: int, is_light: bool
) -> Path:
    folder.mkdir()
    keys = identity.load(Settings(data_dir=village.directory / "centre"))
    conn = connect(fleet.database_of(village), readonly=True)
    epoch = centre.epoch(conn)
    conn.close()
    order = Order(
        url=village.centre_url,
        folder=str(folder),
        kiosks=[(sender.kiosk_no, sender.seed) for sender in senders],
        queued=queued,
        root_public=keys.root_public.hex(),
        certificate=keys.certificate.to_bytes().hex(),
        sealing=keys.sealing[0].raw,
        epoch=epoch,
        patience_s=PATIENCE_S,
        is_light=is_light,
    )
    path = folder / "order.json"
    path.write_bytes(msgspec.json.encode(order))
    return path


async def _started(path: Path) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bench.herding",
        str(path),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        limit=_LINE_BYTES_MAX,
    )
    assert await _line(process) == b"ready\n"
    return process


async def _line(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    return await process.stdout.readline()


def _rss_mib(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / MIB


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
