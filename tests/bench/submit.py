"""What a confirmed transaction costs on the kiosk, beside one bare commit of the same bytes."""

import sqlite3
import tempfile
import time
from itertools import islice
from pathlib import Path

import msgspec

from sync import outbox
from sync.answers import encode_transaction
from sync.clock import SystemClock, SystemEntropy
from sync.database import open_database
from sync.dictionary import build_dictionary
from sync.ids import uuid7
from sync.sealing import SealingPublic, generate_sealing_key
from sync.signing import DeviceKeys
from tests.bench.printing import figure, median, row
from tests.generator import shipped_catalogue, transactions

ROUNDS = 9
EACH = 60


async def measure() -> None:
    """Confirm and commit in turns: the disk's own time is the greater part of both."""
    catalogue = shipped_catalogue()
    dictionary = build_dictionary(catalogue)
    entropy, clock = SystemEntropy(), SystemClock()
    keys = DeviceKeys.generate(entropy)
    sealing = SealingPublic(1, generate_sealing_key(entropy)[1])
    made = transactions(catalogue, 1)
    with tempfile.TemporaryDirectory() as place:
        bare = _bare(Path(place) / "bare.db")
        database = open_database(Path(place) / "kiosk.db", device_public=keys.sign_public)
        rounds: list[tuple[float, float]] = []
        for _ in range(ROUNDS):
            ours: list[float] = []
            theirs: list[float] = []
            for item, _ in islice(made, EACH):
                fresh = msgspec.structs.replace(item, id=uuid7(clock.now_ms(), entropy))
                begun_s = time.perf_counter()
                body = encode_transaction(catalogue, dictionary, fresh)
                receipt = await database.write(
                    outbox.submit,
                    keys=keys,
                    sealing=sealing,
                    catalogue_version=1,
                    body=body,
                    attachments=(),
                    transaction_id=fresh.id,
                    service=fresh.service,
                    kiosk_no=1,
                    now_ms=clock.now_ms(),
                )
                ours.append(time.perf_counter() - begun_s)
                raw, signature = database.conn.conn.execute(
                    "SELECT envelope, signature FROM outbox WHERE seq = ?", (receipt.seq,)
                ).fetchone()
                begun_s = time.perf_counter()
                bare.execute("BEGIN IMMEDIATE")
                bare.execute("INSERT INTO row VALUES (?, ?, ?)", (receipt.seq, raw, signature))
                bare.execute("COMMIT")
                theirs.append(time.perf_counter() - begun_s)
            rounds.append((median(ours) * 1e3, median(theirs) * 1e3))
        bare.close()
        database.close()
    row("transactions", f"{ROUNDS * EACH}, every service in turn, each a commit of its own")
    for place_, name in ((0, "submit_ms"), (1, "bare_commit_ms")):
        times = [each[place_] for each in rounds]
        figure(name, median(times), "ms", rounds=times)
    ratios = [ours_ms / bare_ms for ours_ms, bare_ms in rounds]
    figure(
        "submit_to_bare_commit",
        median(ratios),
        "ratio",
        target="<= 3",
        rounds=ratios,
        what="confirmed (packed, sealed, signed, on disk) to a bare commit",
    )


def _bare(path: Path) -> sqlite3.Connection:
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("PRAGMA synchronous = FULL")
    conn.execute("CREATE TABLE row (seq INTEGER PRIMARY KEY, envelope BLOB, signature BLOB)")
    return conn
