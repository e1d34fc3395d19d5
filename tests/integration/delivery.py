"""What the tests of delivery share: a queue to deliver, and how to see what has arrived."""

import asyncio
import datetime as dt
from collections.abc import Callable

from bianmin.link import Link
from bianmin.village import Village
from sync.records import Receipt
from tests.device import opened
from tests.village import PATIENCE_S, centre_rows, status


def local_today() -> dt.date:
    """The day at the kiosk, whatever zone the machine is in."""
    return dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).date()


def arrived(village: Village, since: int = 1) -> list[int]:
    """Numbers of the envelopes at the centre from one number on, as they came."""
    rows = centre_rows(village, "SELECT seq FROM envelopes WHERE seq >= ? ORDER BY id", since)
    return [int(str(row[0])) for row in rows]


async def until(is_so: Callable[[], bool], what: str, *, every_s: float = 0.05) -> None:
    """Wait for something; fail with its name when it does not come."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + PATIENCE_S
    while not is_so():
        assert loop.time() < deadline_s, f"did not come within {PATIENCE_S:.0f} s: {what}"
        await asyncio.sleep(every_s)


async def settled(village: Village) -> None:
    """Wait until the kiosk says that nothing waits and the centre is in reach."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + PATIENCE_S
    while True:
        found = await status(village)
        if found["is_reachable"] and found["waiting"] == 0 and found["attachments"] == 0:
            return
        assert loop.time() < deadline_s, f"the kiosk still waits: {found}"
        await asyncio.sleep(0.1)


async def queue(village: Village, number: int, *, seed: int) -> list[Receipt]:
    """Confirm transactions while the kiosk is down and the link cut, then start it again."""
    assert village.kiosk is not None
    await village.kiosk.stop()
    village.link.cut()
    with opened(village.directory / "kiosk") as device:
        receipts = device.submit(number, seed=seed)
    await village.start_kiosk()
    return receipts


async def assert_all_arrived_once(village: Village, receipts: list[Receipt]) -> None:
    """Each confirmed transaction is at the centre once, in an unbroken chain, and opened.

    They may come out of order (the newest do not wait behind what no route carries); the order
    in which they were confirmed is in the chain of hashes, which the centre walks up to its mark.
    """
    await settled(village)
    assert sorted(arrived(village, receipts[0].seq)) == [receipt.seq for receipt in receipts]
    assert centre_rows(village, "SELECT mark_seq, state FROM kiosks") == [
        (receipts[-1].seq, "active")
    ]
    await until(
        lambda: not centre_rows(village, "SELECT 1 FROM envelopes WHERE fate = 'waiting'"),
        "every envelope opened",
    )
    assert centre_rows(village, "SELECT * FROM dead_letters") == []
    cases = centre_rows(village, "SELECT case_no FROM cases ORDER BY case_no")
    assert [row[0] for row in cases][-len(receipts) :] == [receipt.case_no for receipt in receipts]
    assert len(cases) == receipts[-1].seq


class ReplyEater(Link):
    """A link that carries requests and loses every answer, as long as it is hungry."""

    is_hungry = True
    eaten = 0

    async def _pump_down(self, centre: asyncio.StreamReader, kiosk: asyncio.StreamWriter) -> None:
        if not self.is_hungry:
            await super()._pump_down(centre, kiosk)
            return
        # The centre has answered, so it has stored what the request carried.
        self.eaten += len(await centre.read(65536))
