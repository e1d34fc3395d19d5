"""What waits, over the bad link: against the time that the bare bytes take on it."""

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bianmin.village import Village
from sync import catalogues
from sync.transports.http import HttpLink
from tests.bench.printing import figure, median, row
from tests.device import Device
from tests.line import Line, is_possible
from tests.village import running_centre
from tests.weather import VALLEY, Weather

TRANSACTIONS = 200
ROUNDS = 5
CUT = (5.0, 20.0)
WEATHERS = {"whole": VALLEY, "cut": VALLEY.cut(*CUT)}
NAMES = {"whole": "no cut", "cut": "a cut of 20 s at 5 s"}
TARGETS = {"whole": "≤ 1.35", "cut": "≤ 1.3"}
START_BATCH_BYTES = 2048  # a new kiosk's, so that no run knows what the one before it learnt
PATIENCE_S = 180.0


@dataclass(frozen=True)
class Run:
    """One delivery of all that waited."""

    took_s: float
    limit_s: float
    payload_bytes: int
    up_bytes: int
    down_bytes: int

    @property
    def ratio(self) -> float:
        """Times the physical limit."""
        return self.took_s / self.limit_s

    @property
    def cost(self) -> float:
        """Bytes above TCP, both ways, times the payload."""
        return (self.up_bytes + self.down_bytes) / self.payload_bytes


async def measure() -> None:
    """Deliver 200 transactions several times in each weather, in turns."""
    if not is_possible():
        row("link", "needs root and /dev/net/tun: a line of packets between two namespaces")
        return
    runs: dict[str, list[Run]] = {name: [] for name in WEATHERS}
    with tempfile.TemporaryDirectory() as place:
        async with running_centre(Path(place)) as village:
            device = await ready(village, Path(place) / "device")
            for number in range(ROUNDS):
                for name, weather in WEATHERS.items():
                    seed = number * len(WEATHERS) + len(runs[name]) + 1
                    runs[name].append(await delivered(device, village.ports.centre, weather, seed))
            device.close()
    for key, found in runs.items():
        limit_s = median([run.limit_s for run in found])
        said = f"{TRANSACTIONS} transactions, {NAMES[key]}"
        row(f"{said}: physical limit", f"{limit_s:.1f} s")
        figure(
            f"link_{key}_time",
            median([run.ratio for run in found]),
            "ratio",
            target=TARGETS[key],
            rounds=[run.ratio for run in found],
            what=f"{said}: times the limit",
        )
        figure(
            f"link_{key}_bytes",
            median([run.cost for run in found]),
            "ratio",
            rounds=[run.cost for run in found],
            what=f"{said}: bytes above TCP, times the payload",
        )


async def ready(village: Village, directory: Path) -> Device:
    """Enrol one more kiosk and let it have the catalogue, past the link."""
    device = await Device.enrolled(village, directory)
    async with HttpLink(village.centre_url) as link:
        for _ in range(20):
            await device.agent(link).exchange_once()
            if catalogues.load_current(device.database.conn) is not None:
                return device
    raise AssertionError("the kiosk gets no catalogue")


async def delivered(device: Device, centre_port: int, weather: Weather, seed: int) -> Run:
    """Queue transactions, then let a kiosk that just started carry them; connecting counts too."""
    device.submit(TRANSACTIONS, seed=seed, has_attachments=False)
    conn = device.database.conn.conn
    conn.execute("UPDATE standing SET batch_bytes = ?", (START_BATCH_BYTES,))
    (payload_bytes,) = conn.execute(
        "SELECT sum(length(envelope)) FROM outbox WHERE state = 'pending'"
    ).fetchone()
    loop = asyncio.get_running_loop()
    async with (
        Line(centre_port, weather, seed=seed) as line,
        HttpLink(line.url, open_socket=line.open_socket) as link,
    ):
        running = asyncio.ensure_future(device.agent(link).run())
        began_s = loop.time()
        try:
            async with asyncio.timeout(PATIENCE_S):
                while device.waiting().count:
                    await asyncio.sleep(0.02)
            took_s = loop.time() - began_s
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        up_bytes, down_bytes = line.up.above_tcp_bytes, line.down.above_tcp_bytes
    limit_s = payload_bytes / weather.bytes_s + weather.round_trip_s
    limit_s += sum(length for _, length in weather.cuts)
    return Run(took_s, limit_s, payload_bytes, up_bytes, down_bytes)
