"""How fast the centre takes envelopes in, beside raw SQLite with the same bytes and commits."""

import asyncio
import sqlite3
import tempfile
import time
from functools import partial
from pathlib import Path

from sync import standing
from sync.clock import SystemClock
from sync.exchange import compose
from sync.frames import encode_request
from sync.limits import FRAME_BYTES_MAX
from sync.records import Envelope, Health
from sync.transports import EXCHANGE_PATH
from sync.transports.http import HttpLink
from sync.wire import decode_envelope, envelope_bytes
from tests.bench.printing import row
from tests.device import Device
from tests.village import centre_rows, running_centre

KIOSKS = 8
BATCHES = 12  # of each kiosk
BATCH = 100


async def measure() -> None:
    """Let several kiosks send at once; then raw SQLite commits the same bytes as often."""
    with tempfile.TemporaryDirectory() as place:
        async with running_centre(Path(place)) as village:
            queues = []
            for number in range(KIOSKS):
                device = await Device.enrolled(village, Path(place) / f"device{number}")
                async with HttpLink(village.centre_url) as link:
                    await device.agent(link).exchange_once()
                device.submit(BATCHES * BATCH, seed=number, has_attachments=False)
                queues.append(_requests(device))
                device.close()
            centre_s = await _send(village.centre_url, [raws for raws, _ in queues])
            ((stored,),) = centre_rows(village, "SELECT count(*) FROM envelopes")
            assert stored == KIOSKS * BATCHES * BATCH, stored
        envelopes = [envelope for _, queue in queues for envelope in queue]
        raw_s = _raw_sqlite(Path(place) / "raw.db", envelopes)
    count = len(envelopes)
    row("envelopes", f"{count}, from {KIOSKS} kiosks at once, {BATCH} an exchange")
    row("centre: verified, chained, durable, acknowledged", f"{count / centre_s:.0f} /s")
    row("raw SQLite, one thread, a commit for each 100", f"{count / raw_s:.0f} /s")
    row("centre against raw SQLite", f"{raw_s / centre_s:.2f}")


def _requests(device: Device) -> tuple[list[bytes], list[Envelope]]:
    """Sign the requests beforehand, so that only the centre's work is timed."""
    conn = device.database.conn
    rows = conn.execute("SELECT envelope FROM outbox WHERE state = 'pending' ORDER BY seq")
    envelopes = [decode_envelope(bytes(raw)) for (raw,) in rows]
    clock = SystemClock()
    health = Health(version="0.1.0", pending=0, oldest_s=0, disk_free_mb=9000)
    requests = []
    for start in range(0, len(envelopes), BATCH):
        request = compose(
            standing.begin_request(conn, FRAME_BYTES_MAX),
            kiosk_id=device.keys.kiosk_id,
            envelopes=envelopes[start : start + BATCH],
            chunks=(),
            boot_id=bytes(4),
            now_ms=clock.now_ms(),
            monotonic_ms=clock.monotonic_ms(),
            certificate_serial=1,
            health=health,
        )
        requests.append(encode_request(request, partial(device.keys.sign, "request")))
    return requests, envelopes


async def _send(url: str, queues: list[list[bytes]]) -> float:
    async def one_kiosk(requests: list[bytes]) -> None:
        async with HttpLink(url) as link:
            for raw in requests:
                await link.post(EXCHANGE_PATH, raw)

    started_s = time.perf_counter()
    await asyncio.gather(*(one_kiosk(requests) for requests in queues))
    return time.perf_counter() - started_s


def _raw_sqlite(path: Path, envelopes: list[Envelope]) -> float:
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("PRAGMA synchronous = FULL")
    conn.execute(
        "CREATE TABLE envelope (kiosk BLOB, seq INTEGER, raw BLOB, PRIMARY KEY (kiosk, seq))"
    )
    rows = [(e.header.kiosk_id, e.header.seq, envelope_bytes(e)) for e in envelopes]
    started_s = time.perf_counter()
    for start in range(0, len(rows), BATCH):
        conn.execute("BEGIN IMMEDIATE")
        conn.executemany("INSERT INTO envelope VALUES (?, ?, ?)", rows[start : start + BATCH])
        conn.execute("COMMIT")
    took_s = time.perf_counter() - started_s
    conn.close()
    return took_s
