"""A kiosk that has been without a link for years: its memory, its screens and its way back."""

import asyncio
import contextlib
import tempfile
import time
from pathlib import Path

import aiohttp
import psutil
from sqlite_utils import Database as Tables

from bianmin.village import Village
from sync.clock import SystemClock, SystemEntropy
from sync.database import immediate
from sync.ids import case_number, uuid7
from sync.wire import envelope_bytes, envelope_hash
from tests.bench.fleet import Closed, Sender, opaque
from tests.bench.memory import MIB, pss_mib
from tests.bench.printing import figure, median, row, spread
from tests.device import Device, opened
from tests.village import centre_rows, running_village, status
from tests.visitor import Visitor

QUEUED = 100_000
IN_ONE_COMMIT = 5_000
LOOKS = 15
PATIENCE_S = 600.0


async def measure() -> None:
    """Fill a kiosk's queue, start it without a link, look at its screens, then give it the link."""
    with tempfile.TemporaryDirectory() as place:
        async with running_village(Path(place)) as village:
            assert village.kiosk is not None
            await _has_catalogue(village)
            before_ms = await _looks(village)
            empty_mib = _own_mib(village)
            await village.kiosk.stop()
            with opened(village.directory / "kiosk") as device:
                _queue(device)
            village.link.cut()
            begun_s = time.perf_counter()
            await village.start_kiosk()
            row("start of the kiosk, its store checked", f"{time.perf_counter() - begun_s:.1f} s")
            screens_ms = await _looks(village)
            full_mib = _own_mib(village)
            all_mib = pss_mib(village.kiosk)
            await village.set_link(is_whole=True)
            took_s, most_mib, during_ms = await _delivered(village)
            ((stored,),) = centre_rows(village, "SELECT count(*) FROM envelopes")
            assert stored == QUEUED, stored
    row("kiosk with an empty queue (PSS)", f"{empty_mib:.1f} MiB")
    figure(
        "kiosk_pss_mib",
        max(full_mib, most_mib),
        "MiB",
        target="<= 80",
        what=f"kiosk with {QUEUED:,} queued, without Chromium (PSS, greatest seen)",
        decimals=1,
    )
    row("while it waits, and while it delivers (PSS)", f"{full_mib:.1f}, {most_mib:.1f} MiB")
    row("the same with its voice's process, which holds no queue", f"{all_mib:.1f} MiB")
    figure(
        "kiosk_screen_ratio",
        median(screens_ms) / median(before_ms),
        "ratio",
        what="touch to page with a full queue to that with an empty one",
    )
    row("touch to page, empty queue", spread(before_ms, "ms"))
    row("touch to page, full queue, without a link", spread(screens_ms, "ms"))
    row("touch to page, while it delivers", spread(during_ms, "ms"))
    figure("kiosk_delivered_per_s", QUEUED / took_s, "1/s", decimals=0)


async def _has_catalogue(village: Village) -> None:
    deadline_s = time.perf_counter() + PATIENCE_S
    while not (await status(village))["catalogue"]:
        assert time.perf_counter() < deadline_s
        await asyncio.sleep(0.2)


def _own_mib(village: Village) -> float:
    assert village.kiosk is not None
    return float(psutil.Process(village.kiosk.pid).memory_full_info().pss) / MIB


def _queue(device: Device) -> None:
    """Put envelopes into the store as `outbox.submit` leaves them, many in one commit."""
    sender = Sender(device.identity.kiosk_no, 1)
    sender.keys = device.keys
    closed = opaque(SystemEntropy())
    now_ms = SystemClock().now_ms()
    for start in range(0, QUEUED, IN_ONE_COMMIT):
        with immediate(device.database.conn) as db:
            _put(db, sender, closed, now_ms - (QUEUED - start) * 60_000)
    with immediate(device.database.conn) as db:
        db.conn.execute(
            "UPDATE standing SET head_seq = ?, head_hash = ?", (sender.seq, sender.prev)
        )


def _put(db: Tables, sender: Sender, closed: Closed, at_ms: int) -> None:
    entropy = SystemEntropy()
    receipts: list[tuple[object, ...]] = []
    waiting: list[tuple[object, ...]] = []
    for envelope in sender.confirm(IN_ONE_COMMIT, closed):
        seq, raw = envelope.header.seq, envelope_bytes(envelope)
        case_no = case_number(sender.kiosk_no, seq)
        receipts.append(
            (seq, uuid7(at_ms, entropy), case_no, "helper_request", at_ms, envelope_hash(envelope))
        )
        waiting.append((seq, raw, sender.keys.sign("envelope", raw)))
    db.conn.executemany(
        "INSERT INTO receipt (seq, transaction_id, case_no, service, confirmed_ms, hash)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        receipts,
    )
    db.conn.executemany("INSERT INTO outbox (seq, envelope, signature) VALUES (?, ?, ?)", waiting)


async def _looks(village: Village) -> list[float]:
    times: list[float] = []
    async with aiohttp.ClientSession() as session:
        visitor = await Visitor.arrive(session, village.kiosk_url)
        for _ in range(LOOKS):
            for action in ("help", "back"):
                begun_s = time.perf_counter()
                await visitor.touch(action)
                times.append((time.perf_counter() - begun_s) * 1e3)
    return times


async def _delivered(village: Village) -> tuple[float, float, list[float]]:
    """Wait until nothing waits; answer seconds, greatest PSS in MiB, and screens' times in ms."""
    assert village.kiosk is not None
    begun_s = time.perf_counter()
    most_mib, during_ms = 0.0, list[float]()
    while (waiting := (await status(village))["waiting"]) != 0:
        most_mib = max(most_mib, _own_mib(village))
        with contextlib.suppress(aiohttp.ClientError):
            during_ms += await _looks(village)
        assert time.perf_counter() - begun_s < PATIENCE_S, waiting
        await asyncio.sleep(0.2)
    return time.perf_counter() - begun_s, most_mib, during_ms
