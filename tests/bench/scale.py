"""What one exchange costs a centre that holds ten thousand to ten million transactions.

Each size is a file of its own with the real tables, filled by SQL; the exchanges are real ones
(read, verified, stored, answered and signed; without HTTP), taken in turns from all sizes.
"""

import gc
import os
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from bianmin.village import KIOSK_VILLAGE
from server import identity
from server.reception import Reception
from server.settings import Settings
from server.store import centre
from server.store import fleet as fleet_rows
from server.store.migrate import apply, scripts
from server.store.sqlite import Store, write_once
from sync.clock import SystemClock, SystemEntropy
from sync.wire import envelope_hash
from tests.bench.fleet import Sender, opaque
from tests.bench.printing import figure, median, row

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
KIOSKS = 2000
ASKED = 40  # kiosks that exchange, spread over the fleet
ROUNDS = 7
_CASES = (("idle", 0), ("one envelope", 1), ("100 envelopes", 100))


class Place(msgspec.Struct):
    """One filled centre."""

    size: int
    folder: Path
    store: Store
    reception: Reception
    senders: list[Sender]
    #: What the check at the start took.
    opened_s: float


class Took(msgspec.Struct, frozen=True):
    """What one exchange took, in microseconds."""

    cpu_us: float
    wall_us: float


async def measure() -> None:
    """Fill, then ask all sizes in turns; the figure is the greatest's cost to the smallest's."""
    sizes = [size for size in SIZES if size <= int(os.environ.get("SCALE_ROWS_MAX", SIZES[-1]))]
    with tempfile.TemporaryDirectory(dir=os.environ.get("SCALE_DIR")) as folder:
        places = [_filled(Path(folder) / str(size), size) for size in sizes]
        for place in places:
            file = place.folder / "centre.db"
            row(
                f"{place.size:,} transactions",
                f"{file.stat().st_size / 1e6:.0f} MB, checked at start in {place.opened_s:.1f} s",
            )
        try:
            await _compare(places)
        finally:
            for place in places:
                place.store.close()


async def _compare(places: list[Place]) -> None:
    for name, count in _CASES:
        took: dict[int, list[Took]] = {place.size: [] for place in places}
        for number in range(ROUNDS + 1):
            for place in places:
                found = await _exchanges(place, count)
                if number:  # the first warms caches
                    took[place.size].append(found)
        base = took[places[0].size]
        for place in places:
            each = took[place.size]
            row(
                f"{name}, {place.size:,} stored",
                f"CPU {median([one.cpu_us for one in each]):.0f} us, "
                f"wall {median([one.wall_us for one in each]):.0f} us",
            )
        last = took[places[-1].size]
        ratios = [late.cpu_us / early.cpu_us for early, late in zip(base, last, strict=True)]
        word = name.replace(" ", "_")
        figure(
            f"exchange_{word}_at_{places[-1].size:.0e}".replace("+", ""),
            median(ratios),
            "ratio",
            target="<= 1.2",
            rounds=ratios,
            what=f"{name}: {places[-1].size:,} to {places[0].size:,} stored, CPU",
        )
    for name, ask in (("fleet summary", fleet_rows.summary), ("fleet page", fleet_rows.kiosks)):
        times = [await _timed_ms(place, ask) for place in places]
        row(name, ", ".join(f"{ms:.1f} ms" for ms in times))


async def _exchanges(place: Place, count: int) -> Took:
    closed = opaque(SystemEntropy())
    requests = [sender.request(sender.confirm(count, closed)) for sender in place.senders]
    gc.collect()
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    for raw in requests:
        answered = await place.reception.answer(raw)
        assert len(answered.taken.reply.verdicts) == count
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    return Took(cpu_s / len(requests) * 1e6, wall_s / len(requests) * 1e6)


async def _timed_ms(place: Place, ask: Callable[[sqlite3.Connection], object]) -> float:
    times = []
    for _ in range(3):
        begun_s = time.perf_counter()
        asked: Awaitable[object] = place.store.read(ask)
        await asked
        times.append((time.perf_counter() - begun_s) * 1e3)
    return min(times)


def _filled(folder: Path, size: int) -> Place:
    settings = Settings(data_dir=folder, port=0)
    identity.make(settings, SystemEntropy(), SystemClock().now_ms())
    _fill(settings.database, size)
    write_once(settings.database, centre.raise_epoch, SystemClock().now_ms())
    senders = [Sender(no, no) for no in range(1, KIOSKS + 1, KIOSKS // ASKED)]
    write_once(settings.database, _adopted, senders, size // KIOSKS)
    begun_s = time.perf_counter()
    store = Store.open(settings.database)
    opened_s = time.perf_counter() - begun_s
    reception = Reception(store, identity.load(settings), settings, SystemClock())
    return Place(size, folder, store, reception, senders, opened_s)


def _fill(path: Path, size: int) -> None:
    """Write kiosks and their old envelopes, ids and notices, as fast as SQLite can."""
    conn = sqlite3.connect(path, isolation_level=None)
    apply(conn, scripts())
    conn.execute("PRAGMA journal_mode = OFF")
    conn.execute("PRAGMA synchronous = OFF")
    conn.execute("PRAGMA cache_size = -400000")
    conn.execute("PRAGMA foreign_keys = OFF")
    conn.execute("BEGIN")
    conn.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) "
        "INSERT INTO kiosks (kiosk_id, kiosk_no, name, village_code, device_public, "
        "notice_public, fingerprint, enrolled_ms, mark_seq, head_seq) "
        "SELECT randomblob(8), i, 'filled', ?2, randomblob(32), randomblob(32), randomblob(16), "
        "1, ?3, ?3 FROM n",
        (KIOSKS, KIOSK_VILLAGE, size // KIOSKS),
    )
    conn.execute(
        # In order of arrival, kiosk after kiosk within each number, as years leave them.
        "WITH RECURSIVE n (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < ?1) "
        "INSERT INTO envelopes (kiosk_id, seq, hash, prev, catalogue, received_ms, carrier, "
        "fate, raw) SELECT kiosk_id, seq, randomblob(8), randomblob(8), 1, "
        "1700000000000 + seq * 3600000, 'exchange', 'case', randomblob(165) "
        "FROM n CROSS JOIN kiosks",
        (size // KIOSKS,),
    )
    conn.execute("INSERT INTO transactions SELECT randomblob(16), id FROM envelopes")
    conn.execute(
        "INSERT INTO notices (kiosk_id, number, case_no, kind, at_ms, sealed) "
        "SELECT kiosk_id, seq, printf('%012d', id), 'received', received_ms, randomblob(150) "
        "FROM envelopes ORDER BY id"
    )
    conn.execute("COMMIT")
    conn.execute("PRAGMA journal_mode = WAL")
    conn.close()


def _adopted(conn: sqlite3.Connection, senders: list[Sender], held: int) -> None:
    """Make some of the filled kiosks ours: with keys that we have and a chain that goes on."""
    conn.execute("PRAGMA defer_foreign_keys = ON")
    closed = opaque(SystemEntropy())
    for sender in senders:
        (old,) = conn.execute(
            "SELECT kiosk_id FROM kiosks WHERE kiosk_no = ?", (sender.kiosk_no,)
        ).fetchone()
        sender.seq, sender.cursor = held - 1, held
        (last,) = sender.confirm(1, closed)
        kiosk_id, hashed = sender.keys.kiosk_id, envelope_hash(last)
        for table in ("envelopes", "notices"):
            conn.execute(
                f"UPDATE {table} SET kiosk_id = ? WHERE kiosk_id = ?",  # noqa: S608 -- two names
                (kiosk_id, old),
            )
        conn.execute(
            "UPDATE kiosks SET kiosk_id = ?1, device_public = ?2, mark_hash = ?3, cursor = ?4 "
            "WHERE kiosk_id = ?5",
            (kiosk_id, sender.keys.sign_public, hashed, held, old),
        )
        conn.execute(
            "UPDATE envelopes SET hash = ? WHERE kiosk_id = ? AND seq = ?", (hashed, kiosk_id, held)
        )
