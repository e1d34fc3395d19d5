"""Rows 28 to 38 of the list of faults: what a bad network does, and that nothing comes of it.

Source: research/sync-reliability-security.md section 2. Rows whose place is elsewhere: crossing
answers and a lost one of two in test_side_by_side, names and addresses (36) in test_http, a slow
link that drips (35) in test_http, a replayed upload (34) in unit/server/test_attachments, a cut
and a lossy line of real packets in deep/test_bad_link.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sync import outbox
from sync.clock import SeededEntropy
from sync.frames import ReplyRefused, decode_reply, decode_request, encode_reply, request_hash
from sync.limits import HEARTBEAT_S, RETRY_MAX_S
from sync.octets import counted
from sync.signing import generate_signing_key, issue_certificate, sign
from sync.transports import CentreRefused
from sync.transports.http import HttpLink
from sync.transports.memory import Fault, MemoryLink
from tests.shaper import Lie, Shaper
from tests.unit.sync.test_agent import Kiosk
from tests.unit.sync.worlds import CERTIFICATE_END_MS, JumpingClock, SmallCentre

LOST: dict[str, Fault] = {"request": "drop_request", "reply": "drop_reply"}


@asynccontextmanager
async def behind(centre: SmallCentre) -> AsyncIterator[Shaper]:
    """Serve a small centre over HTTP, with a proxy before it."""

    async def answer(request: web.Request) -> web.Response:
        body = await request.read()
        return web.Response(body=await centre(request.method, request.path, body))

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server, Shaper(server.port or 0) as shaper:
        yield shaper


@pytest.fixture
def kiosk(tmp_path: Path) -> Kiosk:
    return Kiosk(tmp_path)


def waiting(kiosk: Kiosk) -> int:
    return outbox.waiting(kiosk.database.conn).count


class Pauses(JumpingClock):
    """Notes how long the loop waits, and stops it after so many waits."""

    def __init__(self, count_max: int) -> None:
        super().__init__()
        self.pauses: list[float] = []
        self.is_over = asyncio.Event()
        self._count_max = count_max

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await super().sleep(seconds)
        if len(self.pauses) >= self._count_max:
            self.is_over.set()
            await asyncio.Event().wait()


async def looped(kiosk: Kiosk, count: int) -> list[float]:
    """Run the carrying loop for so many waits; answer them."""
    clock = kiosk.clock = Pauses(count)
    kiosk.centre.clock_ms = clock.now_ms
    kiosk.agent = kiosk.new_agent()
    running = asyncio.ensure_future(kiosk.agent.run())
    await clock.is_over.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return clock.pauses


@pytest.mark.parametrize("lost", ["request", "reply"])
async def test_row_28_lost_messages_are_sent_again_with_growing_waits(
    tmp_path: Path, lost: str
) -> None:
    kiosk = Kiosk(tmp_path, [LOST[lost]] * 16)
    for number in range(40):
        kiosk.submit(number)

    pauses = await looped(kiosk, 14)

    assert all(1.0 <= pause < 3.0 for pause in pauses[:5])
    assert max(pauses[5:]) > 30.0
    assert (waiting(kiosk), kiosk.centre.transaction_count()) == (0, 40)


async def test_row_28_lost_batch_halves(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path, ["drop_reply"])
    for number in range(40):
        kiosk.submit(number)
    await kiosk.agent.exchange_once()
    await kiosk.agent.exchange_once()

    first, second = (len(request.envelopes) for request in kiosk.centre.requests)
    assert second < 0.6 * first


async def test_row_29_answer_to_an_older_request_is_ignored_and_counted(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path, ["", "replay", "duplicate"])
    await kiosk.agent.exchange_once()
    kiosk.submit(1)

    older = await kiosk.agent.exchange_once()
    failures = kiosk.agent.state.failures
    doubled = await kiosk.agent.exchange_once()

    assert (older.error, failures, waiting(kiosk)) == ("reply", 1, 0)
    assert (doubled.settled, kiosk.centre.transaction_count()) == (1, 1)


def test_row_30_answer_cut_at_any_byte_is_none(kiosk: Kiosk) -> None:
    kiosk.submit(1)
    asked: list[bytes] = []

    async def centre(_method: str, _path: str, body: bytes) -> bytes:
        asked.append(body)
        return kiosk.centre.exchange(body)

    kiosk.link = MemoryLink(centre, ["drop_reply"])
    kiosk.agent = kiosk.new_agent()
    asyncio.run(kiosk.agent.exchange_once())
    reply = kiosk.centre.exchange(asked[0])

    for size in range(len(reply)):
        with pytest.raises(ReplyRefused):
            decode_reply(
                reply[:size],
                request_raw=asked[0],
                kiosk_id=kiosk.keys.kiosk_id,
                trusted=kiosk.centre.trust,
            )


LIES: list[tuple[Lie, str]] = [
    ("portal", "portal"),
    ("empty", "portal"),
    ("error", "refused"),
    ("redirect", "refused"),
    ("cache", "reply"),
    ("rewrite", "reply"),
    ("inject", "reply"),
    ("compress", "portal"),
]


@pytest.mark.parametrize(("lie", "error"), LIES, ids=[lie for lie, _ in LIES])
async def test_rows_31_and_32_what_a_lying_network_says_changes_nothing(
    kiosk: Kiosk, lie: Lie, error: str
) -> None:
    async with behind(kiosk.centre) as shaper, HttpLink(shaper.url) as link:
        kiosk.link = link  # type: ignore[assignment]  # a real one
        kiosk.agent = kiosk.new_agent()
        if lie == "cache":
            # It keeps the answer to this one.
            shaper.lie = "cache"
            await kiosk.agent.exchange_once()
        kiosk.submit(1)
        shaper.lie = lie
        lied = await kiosk.agent.exchange_once()
        left = waiting(kiosk)
        shaper.lie = ""
        honest = await kiosk.agent.exchange_once()

    assert (lied.error, left) == (error, 1)
    assert (honest.error, waiting(kiosk), kiosk.centre.transaction_count()) == ("", 0, 1)


async def test_row_33_man_in_the_middle_sees_sealed_bytes_and_settles_nothing(
    kiosk: Kiosk,
) -> None:
    """He ends TLS with a root of his own, reads all, and signs answers with his own key."""
    marker = (7).to_bytes(16, "big")
    kiosk.submit(7)
    seen: list[bytes] = []
    root_private, _ = generate_signing_key(SeededEntropy(66))
    private, public = generate_signing_key(SeededEntropy(67))
    certificate = issue_certificate(root_private, public, serial=9, not_after_ms=CERTIFICATE_END_MS)

    async def forging(_method: str, _path: str, body: bytes) -> bytes:
        seen.append(body)
        honest = decode_reply(
            SmallCentreOf(kiosk.centre).exchange(body),
            request_raw=body,
            kiosk_id=kiosk.keys.kiosk_id,
            trusted=kiosk.centre.trust,
        )
        forged = msgspec.structs.replace(
            honest, request_hash=request_hash(body), certificate=certificate
        )
        return encode_reply(forged, partial(sign, private, "reply"))

    kiosk.link = MemoryLink(forging)
    kiosk.agent = kiosk.new_agent()

    outcome = await kiosk.agent.exchange_once()

    assert (outcome.error, waiting(kiosk)) == ("reply", 1)
    assert [marker in body for body in seen] == [False]


class SmallCentreOf:
    """A centre whose answers do not count as asked: the man in the middle's copy of it."""

    def __init__(self, centre: SmallCentre) -> None:
        self._centre = centre

    def exchange(self, body: bytes) -> bytes:
        before = dict(self._centre.envelopes)
        try:
            return self._centre.exchange(body)
        finally:
            self._centre.envelopes = before


async def test_row_34_requests_of_one_kiosk_never_repeat_a_counter(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path, ["", "drop_reply", "drop_request", "portal", ""])
    for number in range(5):
        kiosk.submit(number)
        await kiosk.agent.exchange_once()
    kiosk.restart()
    await kiosk.agent.exchange_once()

    counters = [request.counter for request in kiosk.centre.requests]
    assert counters == sorted(set(counters))


async def test_row_35_link_of_one_byte_a_second_is_used_with_small_requests(kiosk: Kiosk) -> None:
    for number in range(30):
        kiosk.submit(number)
    clock = kiosk.clock

    async def slow(method: str, path: str, body: bytes) -> bytes:
        reply = await kiosk.centre(method, path, body)
        clock.pass_ms(1000 * (len(body) + len(reply)))
        return reply

    kiosk.link = MemoryLink(slow)
    kiosk.agent = kiosk.new_agent()

    outcomes = [await kiosk.agent.exchange_once() for _ in range(20)]

    assert [outcome.error for outcome in outcomes] == [""] * 20
    assert outcomes[-1].up_bytes < outcomes[0].up_bytes
    assert (waiting(kiosk), kiosk.agent._batch_bytes) == (0, 512)


async def test_row_37_busy_centre_is_left_alone_even_by_new_applications(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path)
    kiosk.centre.flags, kiosk.centre.retry_after_s = frozenset({"slow"}), 200
    submitted = 0

    class Submitting(Pauses):
        async def sleep(self, seconds: float) -> None:
            nonlocal submitted
            submitted += 1
            kiosk.submit(submitted)
            kiosk.agent.poke()
            await super().sleep(seconds)

    clock = kiosk.clock = Submitting(5)
    kiosk.agent = kiosk.new_agent()
    running = asyncio.ensure_future(kiosk.agent.run())
    await clock.is_over.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert all(200 <= pause <= 300 for pause in clock.pauses)
    assert len(kiosk.centre.requests) == 5


async def test_row_37_person_who_presses_send_now_is_not_held_up(kiosk: Kiosk) -> None:
    kiosk.centre.flags, kiosk.centre.retry_after_s = frozenset({"slow"}), 200

    class Waiting(JumpingClock):
        async def sleep(self, _seconds: float) -> None:
            await asyncio.Event().wait()

    kiosk.clock = Waiting()
    kiosk.agent = kiosk.new_agent()
    running = asyncio.ensure_future(kiosk.agent.run())
    counts = []
    for is_urgent in (False, True):
        for _ in range(20):
            await asyncio.sleep(0)
        kiosk.agent.poke(is_urgent=is_urgent)
        for _ in range(20):
            await asyncio.sleep(0)
        counts.append(len(kiosk.centre.requests))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert counts == [1, 2]


@pytest.mark.parametrize(("asked_s", "least", "most"), [(120, 120, 180), (10**9, 900, 1350)])
async def test_row_37_unsigned_wish_for_patience_is_bounded(
    kiosk: Kiosk, asked_s: int, least: float, most: float
) -> None:
    """A proxy may say 503 too: it can slow a kiosk down, not silence it."""

    async def full(_method: str, _path: str, _body: bytes) -> bytes:
        raise CentreRefused(503, "503.20", asked_s)

    kiosk.link = MemoryLink(full)

    pauses = await looped(kiosk, 3)

    assert all(least <= pause <= most for pause in pauses)
    assert most <= 1.5 * RETRY_MAX_S


async def test_row_37_fleet_of_idle_kiosks_spreads_by_itself(tmp_path: Path) -> None:
    """Switched on together after a power cut, they are apart within two heartbeats."""
    second_calls = []
    for number in range(6):
        directory = tmp_path / str(number)
        directory.mkdir()
        kiosk = Kiosk(directory)
        clock = kiosk.clock = Pauses(9)
        kiosk.centre.clock_ms = clock.now_ms
        kiosk.agent = kiosk.new_agent()
        kiosk.agent._entropy = SeededEntropy(number)
        running = asyncio.ensure_future(kiosk.agent.run())
        await clock.is_over.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        second_calls.append(sum(clock.pauses[:8]))
        kiosk.database.close()

    assert max(second_calls) - min(second_calls) > 0.1 * HEARTBEAT_S
    assert len({round(call / 10) for call in second_calls}) > 4


async def test_row_38_batch_that_the_centre_lost_whole_is_sent_whole_again(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path)
    for number in range(10):
        kiosk.submit(number)
    is_down = True

    async def crashing(method: str, path: str, body: bytes) -> bytes:
        nonlocal is_down
        if is_down:
            # It crashed before its commit: nothing of the batch is there.
            is_down = False
            raise CentreRefused(500)
        return await kiosk.centre(method, path, body)

    kiosk.link = MemoryLink(crashing)
    kiosk.agent = kiosk.new_agent()

    first = await kiosk.agent.exchange_once()
    left = waiting(kiosk)
    settled = sum([(await kiosk.agent.exchange_once()).settled for _ in range(5)])

    assert (first.error, left) == ("refused", 10)
    assert (settled, waiting(kiosk), kiosk.centre.transaction_count()) == (10, 0, 10)


def test_frame_and_upload_head_are_told_apart(kiosk: Kiosk) -> None:
    """An upload's body begins with the length of its frame, an exchange's with the frame."""
    seen: list[bytes] = []

    async def centre(_method: str, _path: str, body: bytes) -> bytes:
        seen.append(body)
        return kiosk.centre.exchange(body)

    kiosk.link = MemoryLink(centre)
    kiosk.agent = kiosk.new_agent()
    asyncio.run(kiosk.agent.exchange_once())

    assert decode_request(seen[0]).request.counter == 1
    assert counted(seen[0])[:2] != seen[0][:2]
