"""A photo over the bad link with cuts: what it costs against its own bytes."""

import asyncio
import tempfile
from pathlib import Path

from sync.transports.http import HttpLink
from tests.bench.link import PATIENCE_S, ready
from tests.bench.printing import figure, median, row
from tests.device import Device
from tests.line import Line, is_possible
from tests.village import running_centre
from tests.weather import VALLEY, Weather

PHOTO_BYTES = 60_000
ROUNDS = 5
#: Each is longer than a connection is waited for, so that it must be opened anew.
CUTS = VALLEY.cut(4.0, 8.0).cut(18.0, 8.0).cut(32.0, 8.0)


async def measure() -> None:
    """Upload a photo several times, without and with cuts, in turns."""
    if not is_possible():
        row("attachment", "needs root and /dev/net/tun: a line of packets between two namespaces")
        return
    whole: list[tuple[float, float, float]] = []
    cut: list[tuple[float, float, float]] = []
    with tempfile.TemporaryDirectory() as place:
        async with running_centre(Path(place)) as village:
            device = await ready(village, Path(place) / "device")
            for number in range(ROUNDS):
                whole.append(await uploaded(device, village.ports.centre, VALLEY, number))
                cut.append(await uploaded(device, village.ports.centre, CUTS, number))
            device.close()
    for name, what, runs in (("whole", "no cut", whole), ("cuts", "three cuts of 8 s", cut)):
        for column, (key, said, target) in enumerate(
            (
                ("arrived", "bytes above TCP that arrived, both ways", "1.1"),
                ("sent", "bytes above TCP that were sent, both ways", ""),
                ("time", "time, bytes ÷ rate + cuts", ""),
            )
        ):
            values = [run[column] for run in runs]
            figure(
                f"attachment_{name}_{key}",
                median(values),
                "ratio",
                target=f"≤ {target}" if target else "",
                rounds=values,
                what=f"photo of {PHOTO_BYTES // 1000} kB, {what}: {said}",
                decimals=3,
            )


async def uploaded(
    device: Device, centre_port: int, weather: Weather, seed: int
) -> tuple[float, float, float]:
    """Deliver the envelope first, then measure its photo: arrived, sent, time, as ratios."""
    device.submit(1, seed=seed, has_attachments=False, photo_bytes=PHOTO_BYTES)
    loop = asyncio.get_running_loop()
    async with (
        Line(centre_port, VALLEY, seed=seed) as line,
        HttpLink(line.url, open_socket=line.open_socket) as link,
    ):
        agent = device.agent(link)
        assert (await agent.exchange_once()).is_ok
        assert (device.waiting().count, device.waiting().attachments) == (0, 1)
        line.change(weather)
        before = _counts(line)
        running = asyncio.ensure_future(agent.run())
        began_s = loop.time()
        try:
            async with asyncio.timeout(PATIENCE_S):
                while device.waiting().attachments:
                    await asyncio.sleep(0.02)
            took_s = loop.time() - began_s
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        arrived, sent = (
            (after - start) / PHOTO_BYTES
            for after, start in zip(_counts(line), before, strict=True)
        )
    limit_s = PHOTO_BYTES / weather.bytes_s + sum(length for _, length in weather.cuts)
    return arrived, sent, took_s / limit_s


def _counts(line: Line) -> tuple[int, int]:
    return (
        line.up.arrived_bytes + line.down.arrived_bytes,
        line.up.above_tcp_bytes + line.down.above_tcp_bytes,
    )
