"""`python -m tests.bench.herding FILE`: be many real kiosks in one process.

Each has a real store, a real agent and a real connection of its own; only their screens are
missing. Or they are light (`tests.bench.light`), to press harder than two processors could with
real ones. Prints "ready", waits for a line, lets all of them return at the same instant, and prints
what they met as JSON once nothing waits on any of them.
"""

import asyncio
import resource
import shutil
import sys
import time
from collections import Counter
from itertools import cycle
from pathlib import Path

import msgspec

from bianmin.village import KIOSK_VILLAGE
from sync import outbox
from sync.agent import Agent
from sync.clock import SystemClock, SystemEntropy
from sync.database import Database, immediate, open_database
from sync.device import KioskIdentity
from sync.ids import uuid7
from sync.records import Health
from sync.sealing import SealingPublic, seal
from sync.transports import CentreRefused, LinkDown
from sync.transports.http import HttpLink
from tests.bench.fleet import ID_BYTES, Sender, bodies
from tests.bench.light import LightKiosk, trust_of

DAY_MS = 86_400_000


class Order(msgspec.Struct):
    """What a herding process is to do."""

    url: str
    folder: str
    #: `Sender`s of these kiosk numbers and seeds were enrolled.
    kiosks: list[tuple[int, int]]
    queued: int
    root_public: str
    certificate: str
    sealing: bytes
    epoch: int
    patience_s: float
    is_light: bool


class Return(msgspec.Struct):
    """How one kiosk came back."""

    kiosk_no: int
    #: Age of what it brought, in days.
    age_days: int
    #: Seconds from the start to the first verified answer, and until nothing waited; -1 never.
    first_s: float
    done_s: float


class Herd(msgspec.Struct):
    """What the kiosks of one process met."""

    returns: list[Return]
    #: Seconds of each answer that came, and how requests ended: "ok", "503", "LinkDown", …
    waits_s: list[float]
    ends: dict[str, int]


class WatchedLink(HttpLink):
    """The real way to the centre, with a stop-watch."""

    def __init__(self, url: str, waits_s: list[float], ends: Counter[str]) -> None:
        super().__init__(url)
        self._waits_s = waits_s
        self._ends = ends

    async def post(self, path: str, body: bytes) -> bytes:
        """Send, and note how long it took and how it ended."""
        begun_s = time.perf_counter()
        try:
            raw = await super().post(path, body)
        except CentreRefused as error:
            self._ends[str(error.status)] += 1
            raise
        except LinkDown as error:
            self._ends[type(error).__name__] += 1
            raise
        self._waits_s.append(time.perf_counter() - begun_s)
        self._ends["ok"] += 1
        return raw


class Kiosk:
    """One kiosk of the herd."""

    def __init__(self, order: Order, place: int, herd: tuple[list[float], Counter[str]]) -> None:
        kiosk_no, seed = order.kiosks[place]
        self.no = kiosk_no
        self.age_days = kiosk_no % 30
        self.keys = Sender(kiosk_no, seed).keys
        path = Path(order.folder) / f"{kiosk_no}.db"
        shutil.copyfile(Path(order.folder) / "empty.db", path)
        self.database: Database = open_database(
            path, device_public=self.keys.sign_public, ballast_bytes=0, is_threaded=False
        )
        self.link = WatchedLink(order.url, *herd)
        self._order = order

    def queue(self, packed: list[bytes]) -> None:
        """Confirm made-up transactions, as many as are ordered."""
        entropy, order = SystemEntropy(), self._order
        now_ms = SystemClock().now_ms() - self.age_days * DAY_MS
        sealing = SealingPublic(1, order.sealing)
        with immediate(self.database.conn) as db:
            for number in range(order.queued):
                transaction_id = uuid7(now_ms + number, entropy)
                outbox.submit(
                    db,
                    keys=self.keys,
                    sealing=sealing,
                    catalogue_version=1,
                    body=transaction_id + packed[(self.no + number) % len(packed)][ID_BYTES:],
                    attachments=(),
                    transaction_id=transaction_id,
                    service="helper_request",
                    kiosk_no=self.no,
                    now_ms=now_ms + number,
                )

    async def come_back(self, begun_s: float) -> Return:
        """Run the real agent until nothing waits."""
        order = self._order
        identity = KioskIdentity(
            kiosk_no=self.no,
            name=f"测点{self.no}",
            village_code=KIOSK_VILLAGE,
            public_url="",
            root_public=order.root_public,
            certificate=order.certificate,
            epoch=order.epoch,
        )
        health = Health(version="0.1.0", pending=0, oldest_s=0, disk_free_mb=9000)
        agent = Agent(
            self.database,
            self.link,
            self.keys,
            identity,
            SystemClock(),
            SystemEntropy(),
            lambda: health,
        )
        task = asyncio.create_task(agent.run())
        first_s = done_s = -1.0
        deadline_s = begun_s + order.patience_s
        while done_s < 0 and time.perf_counter() < deadline_s:
            await asyncio.sleep(0.25)
            if first_s < 0 and agent.state.last_ok_ms is not None:
                first_s = time.perf_counter() - begun_s
            if first_s >= 0 and not outbox.waiting(self.database.conn).count:
                done_s = time.perf_counter() - begun_s
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await self.link.close()
        self.database.close()
        return Return(self.no, self.age_days, first_s, done_s)


async def _all_light(order: Order) -> Herd:
    trust = trust_of(order.root_public, order.certificate)
    entropy, turn = SystemEntropy(), cycle(bodies())
    sealing = SealingPublic(1, order.sealing)

    def closed(header: bytes) -> bytes:
        now_ms = SystemClock().now_ms()
        return seal(sealing, header, uuid7(now_ms, entropy) + next(turn)[ID_BYTES:])

    kiosks = []
    for kiosk_no, seed in order.kiosks:
        sender = Sender(kiosk_no, seed)
        envelopes = sender.confirm(order.queued, closed)
        kiosks.append((sender, LightKiosk(sender, envelopes, order.url, trust)))
    begun_s = await _begun()
    until_s = begun_s + order.patience_s

    async def one(sender: Sender, kiosk: LightKiosk) -> Return:
        age_days = sender.kiosk_no % 30
        await kiosk.come_back(
            begun_s, epoch=order.epoch, oldest_s=age_days * 86_400, until_s=until_s
        )
        done_s = time.perf_counter() - begun_s
        return Return(sender.kiosk_no, age_days, kiosk.first_s, done_s if kiosk.is_done else -1)

    returns = await asyncio.gather(*(one(*each) for each in kiosks))
    ends = sum((kiosk.ends for _, kiosk in kiosks), Counter[str]())
    return Herd(list(returns), [s for _, kiosk in kiosks for s in kiosk.waits_s], dict(ends))


async def _begun() -> float:
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    return time.perf_counter()


async def _all(order: Order) -> Herd:
    waits_s, ends = list[float](), Counter[str]()
    packed = bodies()
    template = open_database(
        Path(order.folder) / "empty.db", ballast_bytes=0, is_threaded=False, device_public=None
    )
    # They had the catalogue before the link broke.
    template.conn.conn.execute("UPDATE standing SET catalogue = 1, epoch = ?", (order.epoch,))
    template.close()
    kiosks = [Kiosk(order, place, (waits_s, ends)) for place in range(len(order.kiosks))]
    for kiosk in kiosks:
        kiosk.queue(packed)
    begun_s = await _begun()
    returns = await asyncio.gather(*(kiosk.come_back(begun_s) for kiosk in kiosks))
    return Herd(list(returns), waits_s, dict(ends))


def main() -> None:
    """Come back, and tell."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    order = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Order)
    herd = asyncio.run(_all_light(order) if order.is_light else _all(order))
    print(msgspec.json.encode(herd).decode(), flush=True)


if __name__ == "__main__":
    main()
