"""What a transaction costs on the link, everything above TCP counted, both ways."""

import tempfile
from pathlib import Path

from bianmin.link import Link
from sync.limits import FRAME_BYTES_MAX
from sync.transports.http import HttpLink
from tests.bench.printing import row
from tests.device import Device
from tests.village import running_centre

BATCHES = (1, 10, 100)


async def measure() -> None:
    """Send batches through the real transport to a real centre and count at the socket."""
    with tempfile.TemporaryDirectory() as place:
        async with running_centre(Path(place)) as village:
            device = await Device.enrolled(village, Path(place) / "device")
            async with HttpLink(f"http://127.0.0.1:{village.ports.link}") as link:
                agent = device.agent(link)
                await agent.exchange_once()  # fetches the catalogue, learns the certificate
                for batch in BATCHES:
                    await _one(device, village.link, batch, seed=batch, link=link)
            device.close()


async def _one(device: Device, wire: Link, batch: int, *, seed: int, link: HttpLink) -> None:
    device.submit(batch, seed=seed, has_attachments=False)
    # A kiosk grows its batches by itself on a fast link; here the whole goes at once.
    device.database.conn.conn.execute("UPDATE standing SET batch_bytes = ?", (FRAME_BYTES_MAX,))
    agent = device.agent(link)
    up, down = wire.bytes_up, wire.bytes_down
    outcome = await agent.exchange_once()
    assert (outcome.error, outcome.settled) == ("", batch), outcome
    sent, got = wire.bytes_up - up, wire.bytes_down - down
    row(
        f"batch {batch}: bytes per transaction",
        f"{(sent + got) / batch:.1f} (up {sent / batch:.1f}, down {got / batch:.1f}"
        f"; HTTP headers {sent - outcome.up_bytes} + {got - outcome.down_bytes} in all)",
    )
