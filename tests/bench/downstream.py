"""A new catalogue: what a change of it costs on the link, and the first one over a bad link."""

import asyncio
import tempfile
from pathlib import Path

from bianmin.village import Village
from server.catalogue.publish import Sources, prepared
from sync import catalogues
from sync.agent import Agent
from sync.pieces import packed
from sync.transports.http import HttpLink
from tests import editions
from tests.bench.link import PATIENCE_S
from tests.bench.printing import figure, median, row
from tests.device import Device
from tests.line import Line, is_possible
from tests.village import running_centre
from tests.weather import VALLEY, Weather

ROUNDS = 5
#: In the middle of the catalogue, and longer than a connection is waited for.
CUT = VALLEY.cut(4.5, 12.0)
EDITS = (
    ("text", "one text changed", editions.edited(editions.text_changed), ""),
    ("percent", "1 % of all bytes new", editions.edited(editions.percent_changed), "≤ 3"),
    ("service", "one service more", editions.edited(editions.service_added), ""),
    ("villages", "three villages more", editions.villages_added(), ""),
)


async def measure() -> None:
    """Fetch edits through the real transport, then whole catalogues over the bad link."""
    with tempfile.TemporaryDirectory() as place:
        async with running_centre(Path(place)) as village:
            await _edits(village, Path(place))
            if is_possible():
                await _first_ones(village, Path(place))
            else:
                row("first catalogue", "needs root and /dev/net/tun: a line of packets")


async def _edits(village: Village, place: Path) -> None:
    ready = prepared(editions.shipped())
    parts = (ready.catalogue_raw, ready.dictionary_raw, ready.villages_raw, ready.reasons_raw)
    packed_bytes = sum(len(packed(raw).raw) for raw in parts)
    figure("packed", packed_bytes, "bytes", what="the catalogue we ship, packed", decimals=0)
    device = await Device.enrolled(village, place / "device")
    async with HttpLink(f"http://127.0.0.1:{village.ports.link}") as link:
        agent = device.agent(link)
        # The second one costs what any exchange does: that is not the catalogue's.
        first = await _carried(village, agent)
        idle = await _carried(village, agent)
        figure("first", first - idle, "bytes", what="first fetch, everything above TCP", decimals=0)
        for name, what, sources, target in EDITS:
            await _publish(village, place, editions.shipped())
            await _carried(village, agent)
            await _publish(village, place, sources)
            cost = await _carried(village, agent) - idle
            row(f"{what}: bytes above TCP, both ways, HTTP and manifest", str(cost))
            figure(
                f"{name}_percent",
                100 * cost / packed_bytes,
                "%",
                target=target,
                what=f"{what}: of the packed catalogue",
            )
    device.close()


async def _publish(village: Village, place: Path, sources: Sources) -> None:
    catalogue, villages = place / "catalogue.json", place / "villages.csv"
    catalogue.write_bytes(sources.catalogue)
    villages.write_bytes(sources.villages)
    await village.run("centre", "publish", str(catalogue), "--villages", str(villages))


async def _carried(village: Village, agent: Agent) -> int:
    """Exchange once with what follows from it; answer the bytes above TCP."""
    before = village.link.bytes_up + village.link.bytes_down
    outcome = await agent.exchange_once()
    assert (outcome.error, outcome.detail) == ("", ""), outcome
    return village.link.bytes_up + village.link.bytes_down - before


async def _first_ones(village: Village, place: Path) -> None:
    whole = [await _first(village, place / f"whole{number}", VALLEY) for number in range(ROUNDS)]
    cut = [await _first(village, place / f"cut{number}", CUT) for number in range(ROUNDS)]
    straight = median(whole)
    figure("first_valley", straight, "bytes", what="first catalogue at 32 kbit/s", decimals=0)
    figure(
        "first_cut",
        median(cut) / straight,
        "ratio",
        target="≤ 1.1",
        rounds=[each / straight for each in cut],
        what="the same with a cut of 12 s in its middle: bytes that arrived",
    )


async def _first(village: Village, folder: Path, weather: Weather) -> float:
    device = await Device.enrolled(village, folder)
    async with (
        Line(village.ports.centre, weather) as line,
        HttpLink(line.url, open_socket=line.open_socket) as link,
    ):
        running = asyncio.ensure_future(device.agent(link).run())
        line.change(weather)
        try:
            async with asyncio.timeout(PATIENCE_S):
                while catalogues.load_current(device.database.conn) is None:
                    await asyncio.sleep(0.05)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        arrived = line.up.arrived_bytes + line.down.arrived_bytes
    device.close()
    return float(arrived)
