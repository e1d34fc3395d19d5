"""How fast the centre takes envelopes in, beside raw SQLite in the same run."""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec
import psutil

from bianmin.village import Village
from sync.clock import SystemEntropy
from sync.records import Envelope
from tests.bench import fleet, yardsticks
from tests.bench.printing import figure, median, row
from tests.bench.senders import Sent
from tests.bench.yardsticks import BATCH, Cost
from tests.conftest import ROOT
from tests.generator import shipped_catalogue, transactions
from tests.village import centre_rows, running_centre

KIOSKS = 8
BATCHES = 25  # of each kiosk, in one round
ROUNDS = 7


async def measure() -> None:
    """Let several kiosks send at once, raw SQLite before and after; then once with the vault."""
    with tempfile.TemporaryDirectory() as place:
        async with running_centre(Path(place)) as village:
            senders = fleet.enrolled(village, KIOSKS)
            with held_still(village):
                costs = [await _round(village, senders, number) for number in range(ROUNDS)]
            ((stored,),) = centre_rows(village, "SELECT count(*) FROM envelopes")
            assert stored == ROUNDS * KIOSKS * BATCHES * BATCH, stored
        async with running_centre(Path(place) / "whole") as village:
            senders = fleet.enrolled(village, KIOSKS)
            whole = await _with_vault(village, senders)
    _tell(costs, whole)


def _tell(costs: list[tuple[Cost, Cost, Cost]], whole: Cost) -> None:
    ours = [ours for ours, _, _ in costs]
    row("records in a round", f"{ours[0].count}, from {KIOSKS} kiosks, {BATCH} an exchange")
    for name, what, place in (
        ("ingest_to_sqlite_json", "JSON documents, the peers' yardstick", 2),
        ("ingest_to_sqlite_bytes", "the same sealed bytes, bare table", 1),
    ):
        ratios = [each[0].per_second / each[place].per_second for each in costs]
        target = ">= 0.8" if place == 2 else ""
        figure(
            name,
            median(ratios),
            "ratio",
            target=target,
            rounds=ratios,
            what=f"centre to raw SQLite-100: {what}",
        )
    cpu = [cost.cpu_us for cost in ours]
    figure(
        "ingest_cpu_us",
        median(cpu),
        "us",
        target="<= 25",
        rounds=cpu,
        what="centre's processor time a record",
        decimals=1,
    )
    for name, what, place in (
        ("ingest_per_s", "centre: verified, chained, durable, acknowledged", 0),
        ("sqlite_bytes_per_s", "raw SQLite, the same sealed bytes", 1),
        ("sqlite_json_per_s", "raw SQLite, JSON documents", 2),
    ):
        rates = [each[place].per_second for each in costs]
        figure(name, median(rates), "1/s", rounds=rates, what=what, decimals=0)
    for name, place in (("sqlite_bytes_cpu_us", 1), ("sqlite_json_cpu_us", 2)):
        cpu = [each[place].cpu_us for each in costs]
        figure(name, median(cpu), "us", rounds=cpu, decimals=1)
    figure(
        "ingest_whole_per_s",
        whole.per_second,
        "1/s",
        what="centre while its vault and pipeline open what came",
        decimals=0,
    )
    figure("ingest_whole_cpu_us", whole.cpu_us, "us", decimals=1)


async def _round(
    village: Village, senders: list[fleet.Sender], number: int
) -> tuple[Cost, Cost, Cost]:
    closed = fleet.opaque(SystemEntropy(), number)
    batches = [[sender.confirm(BATCH, closed) for _ in range(BATCHES)] for sender in senders]
    queues = [
        [sender.request(batch) for batch in queue]
        for sender, queue in zip(senders, batches, strict=True)
    ]
    envelopes = [envelope for queue in batches for batch in queue for envelope in batch]
    documents = _documents(len(envelopes), number)
    place = village.directory
    # In another order each time: a disk that grows slower must not favour one of them.
    costs: dict[str, Cost] = {}
    order = ("ours", "bytes", "json")
    for name in order[number % 3 :] + order[: number % 3]:
        match name:
            case "ours":
                costs[name] = await sent(village, queues, len(envelopes))
            case "bytes":
                costs[name] = yardsticks.store_envelopes(place / "bytes.db", envelopes)
            case _:
                costs[name] = yardsticks.store_documents(place / "json.db", documents)
    return costs["ours"], costs["bytes"], costs["json"]


def _documents(count: int, seed: int) -> list[dict[str, object]]:
    made = [item for item, _ in islice(transactions(shipped_catalogue(), seed), 500)]
    return [yardsticks.document(made[place % len(made)], seed + 1, place) for place in range(count)]


async def _with_vault(village: Village, senders: list[fleet.Sender]) -> Cost:
    closed = fleet.sealed_to(village, SystemEntropy())
    queues: list[list[bytes]] = []
    count = 0
    for sender in senders:
        batches: list[list[Envelope]] = [sender.confirm(BATCH, closed) for _ in range(BATCHES // 2)]
        queues.append([sender.request(batch) for batch in batches])
        count += sum(map(len, batches))
    return await sent(village, queues, count)


async def sent(village: Village, queues: list[list[bytes]], count: int) -> Cost:
    """Send signed requests from a process of its own; answer what it took the centre."""
    assert village.centre is not None
    centre = psutil.Process(village.centre.pid)
    path = fleet.written_queues(village.directory / "queues", queues)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bench.senders",
        str(village.ports.centre),
        str(path),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    before_s = _cpu_s(centre)
    process.stdin.write(b"\n")
    await process.stdin.drain()
    line = await process.stdout.readline()
    cpu_s = _cpu_s(centre) - before_s
    await process.wait()
    sent = msgspec.json.decode(line, type=Sent)
    assert sent.errors == 0, sent.errors
    return Cost(count, sent.seconds, cpu_s)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextlib.contextmanager
def held_still(village: Village) -> Iterator[None]:
    """Stop the vault while the block runs, so that nothing is opened: that is another figure."""
    assert village.centre is not None
    (vault,) = psutil.Process(village.centre.pid).children()
    os.kill(vault.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(vault.pid, signal.SIGCONT)
