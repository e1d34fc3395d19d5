"""What a kiosk that nobody uses costs in a month: every byte above IP, set-up and close too."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sync.clock import SeededEntropy
from sync.limits import HEARTBEAT_S
from sync.transports.http import HttpLink
from sync.transports.memory import MemoryLink
from tests.bench.link import ready
from tests.bench.printing import figure, median, row
from tests.device import Device
from tests.line import Line, is_possible
from tests.unit.sync.test_agent import Kiosk
from tests.unit.sync.worlds import JumpingClock
from tests.village import running_centre
from tests.weather import VALLEY

ROUNDS = 7
MONTH_S = 30 * 86_400
CLOSE_S = 2.0  # both ends say goodbye
TARGET_BYTES = 1_000_000


async def measure() -> None:
    """Count a month's exchanges on a virtual clock, and one exchange's bytes on a real line."""
    with tempfile.TemporaryDirectory() as place:
        exchanges = await month_of_exchanges(Path(place))
    figure("idle_exchanges", exchanges, "a month", what="exchanges of an idle kiosk", decimals=0)
    if not is_possible():
        row("idle", "bytes need root and /dev/net/tun: a line of packets between two namespaces")
        return
    alone: list[float] = []
    kept: list[float] = []
    with tempfile.TemporaryDirectory() as place:
        async with _device(Path(place)) as (device, port):
            for number in range(ROUNDS):
                alone.append(await _bytes(device, port, 1, number))
                # One that finds its connection still open, as within five minutes of another.
                kept.append(await _bytes(device, port, 2, number) - alone[-1])
    figure(
        "idle_exchange_bytes",
        median(alone),
        "bytes",
        rounds=alone,
        what="one exchange above IP, with connecting and closing",
        decimals=0,
    )
    figure(
        "idle_kept_bytes",
        median(kept),
        "bytes",
        rounds=kept,
        what="one exchange above IP, connection kept",
        decimals=0,
    )
    figure(
        "idle_month_bytes",
        exchanges * median(alone),
        "bytes",
        target=f"≤ {TARGET_BYTES}",
        what=f"a month above IP, heartbeat {HEARTBEAT_S / 60:.0f} min",
        decimals=0,
    )


async def month_of_exchanges(directory: Path) -> int:
    """Let the real agent run for a month of virtual time, at a centre that has nothing to say."""
    kiosk = Kiosk(directory)
    ended = asyncio.Event()

    class Month(JumpingClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            if self.monotonic_ms() - began_ms >= MONTH_S * 1000:
                ended.set()
                await asyncio.Event().wait()

    kiosk.clock = Month()
    kiosk.centre.clock_ms = kiosk.clock.now_ms
    kiosk.centre.retry_after_s = 60  # what a quiet centre's setting says
    # Certificates of the made-up centre end later than the month.
    kiosk.link = MemoryLink(kiosk.centre, [], kiosk.clock)
    began_ms = kiosk.clock.monotonic_ms()
    kiosk.agent = kiosk.new_agent()
    kiosk.agent._entropy = SeededEntropy(3)
    running = asyncio.ensure_future(kiosk.agent.run())
    await ended.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    kiosk.database.close()
    return len(kiosk.centre.requests)


@asynccontextmanager
async def _device(place: Path) -> AsyncIterator[tuple[Device, int]]:
    async with running_centre(place) as village:
        device = await ready(village, place / "device")
        yield device, village.ports.centre
        device.close()


async def _bytes(device: Device, port: int, exchanges: int, seed: int) -> float:
    async with Line(port, VALLEY, seed=seed) as line:
        async with HttpLink(line.url, open_socket=line.open_socket) as link:
            agent = device.agent(link)
            for _ in range(exchanges):
                assert (await agent.exchange_once()).is_ok
        await asyncio.sleep(CLOSE_S)
        return float(line.up.above_ip_bytes + line.down.above_ip_bytes)
