"""PouchDB and Morango beside us: the same transactions, each by its own programs, in one run.

Their packages are put into .build/peers by their own clients (npm ci, pip) from the lock files in
tests/bench/peers. Each round every one of the three takes the same transactions in: ours sealed,
theirs as JSON documents, from clients in processes of their own.
"""

import asyncio
import json
import os
import shutil
import socket
import tempfile
import time
import venv
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import msgspec
import psutil

from bianmin.village import Village
from sync.clock import SystemEntropy
from tests.bench import fleet, ingest, yardsticks
from tests.bench.printing import figure, median, row
from tests.conftest import ROOT
from tests.generator import shipped_catalogue, transactions
from tests.village import running_centre

SOURCES = Path(__file__).parent / "peers"
BUILT = ROOT / ".build" / "peers"
ROUNDS = 5
POUCH_COUNT = 2000  # documents in one round; 100 in a batch
MORANGO_COUNT = 1000  # 500 in a chunk, its own default
OUR_BATCHES = 25  # of 100, from each of eight kiosks
PATIENCE_S = 300.0


class Peer(msgspec.Struct, frozen=True):
    """How a peer is run."""

    name: str
    count: int
    #: Programs before "PORT FOLDER …".
    server: tuple[str, ...]
    client: tuple[str, ...]


class Told(msgspec.Struct):
    """What a client prints in the end."""

    seconds: float
    #: Documents at the server, where the client can ask.
    held: int = -1


async def measure() -> None:
    """Install what is missing, then take all of them in turns."""
    peers = await _installed()
    costs: dict[str, list[yardsticks.Cost]] = {name: [] for name in ("ours", *peers)}
    with tempfile.TemporaryDirectory() as place:
        async with running_centre(Path(place) / "ours") as village:
            senders = fleet.enrolled(village, ingest.KIOSKS)
            with ingest.held_still(village):
                for number in range(ROUNDS):
                    costs["ours"].append(await _ours(village, senders, number))
                    for name, peer in peers.items():
                        folder = Path(place) / f"{name}{number}"
                        costs[name].append(await _theirs(peer, folder, number))
    for name, each in costs.items():
        rates = [cost.per_second for cost in each]
        figure(f"{name}_per_s", median(rates), "1/s", rounds=rates, decimals=0)
        cpu = [cost.cpu_us for cost in each]
        figure(f"{name}_cpu_us", median(cpu), "us", rounds=cpu, decimals=0)
    for name, target in (("pouchdb", ">= 30"), ("morango", ">= 150")):
        pairs = list(zip(costs["ours"], costs.get(name, ()), strict=False))
        if not pairs:
            row(f"{name}", "not installed here")
            continue
        ratios = [ours.per_second / theirs.per_second for ours, theirs in pairs]
        figure(
            f"ours_to_{name}",
            median(ratios),
            "ratio",
            target=target,
            rounds=ratios,
            what=f"records taken in a second, ours to {name}",
            decimals=0,
        )


async def _ours(village: Village, senders: Sequence[fleet.Sender], number: int) -> yardsticks.Cost:
    closed = fleet.opaque(SystemEntropy(), number)
    queues = [
        [sender.request(sender.confirm(yardsticks.BATCH, closed)) for _ in range(OUR_BATCHES)]
        for sender in senders
    ]
    return await ingest.sent(village, queues, len(senders) * OUR_BATCHES * yardsticks.BATCH)


async def _theirs(peer: Peer, folder: Path, number: int) -> yardsticks.Cost:
    port = _free_port()
    (folder / "server").mkdir(parents=True)
    (folder / "client").mkdir()
    documents = [
        yardsticks.document(item, number + 1, place)
        for place, (item, _) in enumerate(
            islice(transactions(shipped_catalogue(), number), peer.count)
        )
    ]
    file = folder / "documents.json"
    file.write_text(json.dumps(documents, ensure_ascii=False), "utf-8")
    server = await _started(peer.server, port, folder / "server")
    try:
        client = await _started(peer.client, port, folder / "client", str(file), f"k{number}")
        watched = psutil.Process(server.pid)
        cpu_s = _cpu_s(watched)
        assert client.stdin is not None
        client.stdin.write(b"\n")
        told = msgspec.json.decode(await _line(client), type=Told)
        cpu_s = _cpu_s(watched) - cpu_s
        await client.wait()
    finally:
        server.kill()
        await server.wait()
    held = told.held if told.held >= 0 else await _held(peer, folder / "server")
    assert held == peer.count, (peer.name, held)
    shutil.rmtree(folder)
    return yardsticks.Cost(peer.count, told.seconds, cpu_s)


async def _held(peer: Peer, folder: Path) -> int:
    """Ask the peer's own table."""
    command = (*peer.client[:-1], "held", "0", str(folder))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    return int(said)


async def _started(
    command: Sequence[str], port: int, folder: Path, *more: str
) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        *command,
        str(port),
        str(folder),
        *more,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=BUILT,
        limit=1 << 20,
    )
    assert await _line(process) == b"ready\n"
    return process


async def _line(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        return await process.stdout.readline()


async def _installed() -> dict[str, Peer]:
    """Answer the peers that run here; what cannot be installed is said and left out."""
    begun_s = time.perf_counter()
    peers: dict[str, Peer] = {}
    if shutil.which("npm") and await _has_pouchdb():
        server, client = BUILT / "pouchdb" / "pouchdb_server.js", "pouchdb_client.js"
        peers["pouchdb"] = Peer(
            "pouchdb", POUCH_COUNT, ("node", str(server)), ("node", str(server.with_name(client)))
        )
    if await _has_morango():
        program = (str(_morango_python()), str(SOURCES / "morango_peer.py"))
        peers["morango"] = Peer("morango", MORANGO_COUNT, (*program, "serve"), (*program, "push"))
    row("peers installed", f"{', '.join(peers) or 'none'} ({time.perf_counter() - begun_s:.0f} s)")
    return peers


async def _has_pouchdb() -> bool:
    folder = BUILT / "pouchdb"
    folder.mkdir(parents=True, exist_ok=True)
    for source in SOURCES.glob("*.js*"):
        shutil.copy(source, folder)
    if (folder / "node_modules" / "express-pouchdb").is_dir():
        return True
    return await _ran("npm", "ci", "--no-audit", "--no-fund", cwd=folder)


async def _has_morango() -> bool:
    folder = BUILT / "morango"
    if not _morango_python().exists():
        await asyncio.to_thread(venv.create, folder, with_pip=True)
    if await _ran(str(_morango_python()), "-c", "import morango", cwd=BUILT):
        return True
    wanted = str(SOURCES / "requirements.txt")
    return await _ran(str(_morango_python()), "-m", "pip", "install", "-r", wanted, cwd=BUILT)


def _morango_python() -> Path:
    return BUILT / "morango" / "bin" / "python"


async def _ran(*command: str, cwd: Path) -> bool:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    said, _ = await process.communicate()
    if process.returncode:
        row(f"{Path(command[0]).name} failed", said.decode("utf-8", "replace")[-200:])
    return process.returncode == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
