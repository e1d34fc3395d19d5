"""The agent against a centre in memory, on a clock on which waiting takes no time."""

import asyncio
import shutil
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync import catalogues, outbox, standing
from sync.agent import Agent
from sync.clock import SeededEntropy
from sync.database import immediate, open_database
from sync.limits import FRAME_BYTES_MAX, REFILL_EVERY_MS
from sync.records import Health, Notice
from sync.signing import DeviceKeys
from sync.transports.memory import Fault, MemoryLink
from tests.unit.sync.worlds import (
    EMPTY_CATALOGUE,
    HEALTH,
    START_MS,
    JumpingClock,
    SmallCentre,
    opened,
    photo,
    submitted,
)

FAULTS: tuple[Fault, ...] = (
    "drop_request",
    "drop_reply",
    "truncate",
    "flip",
    "duplicate",
    "replay",
    "portal",
    "stall",
)


class Kiosk:
    """A store, an agent and a link with a script of faults."""

    def __init__(self, directory: Path, faults: list[Fault] | None = None) -> None:
        self.directory = directory
        self.centre = SmallCentre()
        self.clock = JumpingClock()
        self.centre.clock_ms = self.clock.now_ms
        self.keys = DeviceKeys.generate(SeededEntropy(7))
        self.identity = self.centre.enrolled(self.keys)
        self.database = opened(directory, self.keys)
        self.link = MemoryLink(self.centre, faults or [], self.clock)
        self.versions: list[int] = []
        self.agent = self.new_agent()

    def new_agent(self) -> Agent:
        return Agent(
            self.database,
            self.link,
            self.keys,
            self.identity,
            self.clock,
            SeededEntropy(9),
            lambda: HEALTH,
            on_catalogue=self.versions.append,
        )

    def restart(self, *, is_open: bool = True) -> None:
        if is_open:
            self.database.close()
        self.database = opened(self.directory, self.keys)
        self.agent = self.new_agent()

    def submit(self, number: int, *sizes: int) -> str:
        attachments = tuple(photo(index, size) for index, size in enumerate(sizes))
        receipt = submitted(
            self.database,
            self.keys,
            self.centre.sealing,
            number,
            attachments,
            now_ms=self.clock.now_ms(),
        )
        return receipt.case_no

    async def exchange_until_quiet(self, rounds_max: int = 200) -> int:
        for count in range(1, rounds_max):
            outcome = await self.agent.exchange_once()
            self.clock.pass_ms(60_000)
            waiting = outbox.waiting(self.database.conn)
            if outcome.is_ok and not (waiting.count or waiting.attachments or outcome.is_more):
                return count
        raise AssertionError("it never came to rest")


@pytest.fixture
def kiosk(tmp_path: Path) -> Kiosk:
    return Kiosk(tmp_path)


async def test_exchange_delivers_what_waits(kiosk: Kiosk) -> None:
    case_nos = [kiosk.submit(number) for number in range(5)]

    outcome = await kiosk.agent.exchange_once()

    assert (outcome.sent, outcome.settled, outcome.error) == (5, 5, "")
    assert all(outbox.is_delivered(kiosk.database.conn, case_no) for case_no in case_nos)
    assert outbox.waiting(kiosk.database.conn).count == 0
    assert kiosk.centre.transaction_count() == 5
    assert kiosk.agent.state.is_reachable


async def test_exchange_after_lost_reply_stores_once(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path, ["drop_reply"])
    case_no = kiosk.submit(1)

    lost = await kiosk.agent.exchange_once()
    was_delivered = outbox.is_delivered(kiosk.database.conn, case_no)
    again = await kiosk.agent.exchange_once()

    assert (lost.error, was_delivered) == ("link", False)
    assert (again.settled, kiosk.centre.transaction_count()) == (1, 1)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("portal", "portal"),
        ("truncate", "reply"),
        ("flip", "reply"),
        ("drop_request", "link"),
        ("stall", "link"),
    ],
)
async def test_no_answer_of_anybody_else_settles(tmp_path: Path, fault: Fault, error: str) -> None:
    kiosk = Kiosk(tmp_path, [fault])
    kiosk.submit(1)

    outcome = await kiosk.agent.exchange_once()

    assert outcome.error == error
    assert outbox.waiting(kiosk.database.conn).count == 1
    assert not kiosk.agent.state.is_reachable


async def test_replayed_old_reply_settles_nothing(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path, ["", "replay"])
    await kiosk.agent.exchange_once()
    kiosk.submit(1)

    outcome = await kiosk.agent.exchange_once()

    assert (outcome.error, outbox.waiting(kiosk.database.conn).count) == ("reply", 1)


@given(
    script=st.lists(st.sampled_from(FAULTS), max_size=20),
    steps=st.lists(st.sampled_from(["submit", "photo", "exchange", "restart"]), max_size=25),
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_receipt_is_settled_once_faults_stop(
    script: list[Fault], steps: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    kiosk = Kiosk(tmp_path_factory.mktemp("kiosk"), script)
    case_nos = []

    async def story() -> None:
        for number, step in enumerate(steps):
            if step == "submit":
                case_nos.append(kiosk.submit(number))
            elif step == "photo":
                case_nos.append(kiosk.submit(number, 3000))
            elif step == "restart":
                kiosk.restart()
            else:
                await kiosk.agent.exchange_once()
        await kiosk.exchange_until_quiet()

    try:
        asyncio.run(story())

        db = kiosk.database.conn
        assert [outbox.is_delivered(db, case_no) for case_no in case_nos] == [True] * len(case_nos)
        assert kiosk.centre.transaction_count() == len(case_nos)
    finally:
        kiosk.database.close()


class Troubled(Kiosk):
    """A kiosk whose disk goes back to an old image, at a centre that forgets."""

    def __init__(self, directory: Path, image: Path, lost: int) -> None:
        super().__init__(directory)
        self.image = image
        self.lost = lost
        self.number = 0

    async def live(self, step: str) -> None:
        await getattr(self, f"do_{step}")()

    async def do_submit(self) -> None:
        self.number += 1
        self.submit(self.number)

    async def do_exchange(self) -> None:
        await self.agent.exchange_once()

    async def do_image(self) -> None:
        self.database.close()
        copied(self.directory, self.image)
        self.restart(is_open=False)

    async def do_roll_back(self) -> None:
        if any(self.image.iterdir()):
            self.database.close()
            copied(self.image, self.directory)
            self.restart(is_open=False)

    async def do_failover(self) -> None:
        for place in list(self.centre.envelopes)[-self.lost :]:
            del self.centre.envelopes[place]

    async def do_restore(self) -> None:
        await self.do_failover()
        self.centre.epoch += 1

    def hashes(self) -> set[bytes]:
        return {row[0] for row in self.database.conn.conn.execute("SELECT hash FROM receipt")}


def copied(source: Path, target: Path) -> None:
    shutil.rmtree(target)
    shutil.copytree(source, target)


STEPS = ("submit", "submit", "exchange", "exchange", "image", "roll_back", "failover", "restore")


@given(steps=st.lists(st.sampled_from(STEPS), max_size=30), lost=st.integers(1, 4))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_old_images_failovers_and_restored_centres_lose_nothing(
    steps: list[str], lost: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Every receipt that a kiosk still holds is at the centre a day after the last trouble."""
    kiosk = Troubled(tmp_path_factory.mktemp("kiosk"), tmp_path_factory.mktemp("image"), lost)

    async def story() -> None:
        for step in steps:
            await kiosk.live(step)
        await kiosk.exchange_until_quiet()
        kiosk.clock.pass_ms(REFILL_EVERY_MS)
        await kiosk.exchange_until_quiet()
        await kiosk.exchange_until_quiet()

    try:
        asyncio.run(story())

        assert kiosk.hashes() - {place[2] for place in kiosk.centre.envelopes} == set()
    finally:
        kiosk.database.close()


async def test_attachment_arrives_whole_over_small_frames(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path, ["", "drop_reply", "", "drop_request", "truncate"])
    kiosk.submit(1, 50_000, 200)

    await kiosk.exchange_until_quiet()

    sealed = {
        (row[0], row[1]): row[2]
        for row in kiosk.database.conn.conn.execute("SELECT seq, place, sealed FROM attachment")
    }
    held = {place[1:]: raw for place, raw in kiosk.centre.attachments.items()}
    assert held == sealed


async def test_envelopes_go_before_attachments(kiosk: Kiosk) -> None:
    kiosk.submit(1, 100_000)
    for number in range(2, 60):
        kiosk.submit(number)

    await kiosk.exchange_until_quiet()

    first_with_chunks = next(
        place for place, request in enumerate(kiosk.centre.requests) if request.chunks
    )
    sent_before = sum(
        len(request.envelopes) for request in kiosk.centre.requests[: first_with_chunks + 1]
    )
    assert sent_before == 59


async def test_restored_centre_is_refilled(kiosk: Kiosk) -> None:
    for number in range(10):
        kiosk.submit(number, 500)
    await kiosk.exchange_until_quiet()
    for place in list(kiosk.centre.envelopes):
        if place[1] > 4:
            del kiosk.centre.envelopes[place]
    kiosk.centre.attachments.clear()
    kiosk.centre.epoch += 1000

    await kiosk.exchange_until_quiet()

    assert kiosk.centre.transaction_count() == 10
    assert len(kiosk.centre.attachments) == 10


async def test_failover_that_lost_acknowledged_envelopes_is_refilled(kiosk: Kiosk) -> None:
    for number in range(6):
        kiosk.submit(number)
    await kiosk.exchange_until_quiet()
    for place in list(kiosk.centre.envelopes):
        if place[1] > 3:
            del kiosk.centre.envelopes[place]

    await kiosk.exchange_until_quiet()

    assert kiosk.centre.transaction_count() == 6


async def test_old_centre_that_still_answers_settles_nothing(kiosk: Kiosk) -> None:
    await kiosk.agent.exchange_once()
    kiosk.centre.epoch -= 1
    kiosk.submit(1)

    outcome = await kiosk.agent.exchange_once()

    assert (outcome.error, outbox.waiting(kiosk.database.conn).count) == ("old_centre", 1)


async def test_refused_envelope_waits_for_a_person_and_blocks_nobody(kiosk: Kiosk) -> None:
    kiosk.centre.refuses = lambda seq: seq == 2
    for number in range(4):
        kiosk.submit(number)

    await kiosk.agent.exchange_once()

    waiting = outbox.waiting(kiosk.database.conn)
    assert (waiting.count, waiting.refused, kiosk.centre.transaction_count()) == (0, 1, 3)


async def test_notices_are_stored_once_and_in_order(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path, ["", "drop_reply"])
    case_no = kiosk.submit(1)
    await kiosk.agent.exchange_once()
    notices = tuple(
        Notice(number=number, case_no=case_no, kind=kind, service="pension_check", at_ms=number)
        for number, kind in enumerate(("received", "accepted", "completed"), start=1)
    )
    for notice in notices:
        kiosk.centre.tell(kiosk.keys, notice)

    await kiosk.agent.exchange_once()
    await kiosk.agent.exchange_once()
    await kiosk.agent.exchange_once()

    db = kiosk.database.conn
    assert outbox.notices_of(db, case_no) == notices
    assert standing.standing_of(db).cursor == 3
    assert kiosk.centre.requests[-1].cursor == 3


async def test_renumbered_notices_of_a_restored_centre_are_not_told_twice(kiosk: Kiosk) -> None:
    case_no = kiosk.submit(1)
    accepted = Notice(
        number=5, case_no=case_no, kind="accepted", service="pension_check", at_ms=START_MS
    )
    kiosk.centre.tell(kiosk.keys, accepted)
    await kiosk.exchange_until_quiet()
    kiosk.centre.epoch += 1
    kiosk.centre.notices.clear()
    kiosk.centre.tell(kiosk.keys, msgspec.structs.replace(accepted, number=1))

    await kiosk.exchange_until_quiet()

    assert outbox.notices_of(kiosk.database.conn, case_no) == (accepted,)


async def test_unreadable_notice_is_counted_and_passed_over(kiosk: Kiosk) -> None:
    case_no = kiosk.submit(1)
    notice = Notice(number=1, case_no=case_no, kind="received", service="s", at_ms=1)
    stranger = DeviceKeys.generate(SeededEntropy(99))
    kiosk.centre.devices[kiosk.keys.kiosk_id] = DeviceKeys(
        kiosk.keys.sign_private, stranger.notice_private
    )
    kiosk.centre.tell(kiosk.keys, notice)

    await kiosk.agent.exchange_once()

    held = standing.standing_of(kiosk.database.conn)
    assert (held.cursor, held.notices_unreadable) == (1, 1)
    assert outbox.notices_of(kiosk.database.conn, case_no) == ()


async def test_new_catalogue_is_fetched_and_put_in_force(kiosk: Kiosk) -> None:
    kiosk.centre.publish(msgspec.json.encode(EMPTY_CATALOGUE), version=3)

    await kiosk.agent.exchange_once()

    loaded = catalogues.load_current(kiosk.database.conn)
    assert loaded is not None
    assert (loaded.version, loaded.catalogue) == (3, EMPTY_CATALOGUE)
    assert loaded.sealing == kiosk.centre.sealing
    assert kiosk.versions == [3]


async def test_catalogue_that_breaks_off_is_fetched_with_the_next_exchange(
    tmp_path: Path,
) -> None:
    kiosk = Kiosk(tmp_path, ["", "", "", "drop_reply"])
    kiosk.centre.publish(msgspec.json.encode(EMPTY_CATALOGUE), version=3)

    first = await kiosk.agent.exchange_once()
    none_yet = catalogues.load_current(kiosk.database.conn)
    await kiosk.agent.exchange_once()

    assert (first.error, first.detail, none_yet) == ("", "catalogue 503.1", None)
    assert kiosk.versions == [3]


async def test_older_catalogue_is_not_taken(kiosk: Kiosk) -> None:
    kiosk.centre.publish(msgspec.json.encode(EMPTY_CATALOGUE), version=3)
    await kiosk.agent.exchange_once()
    kiosk.centre.publish(msgspec.json.encode(EMPTY_CATALOGUE), version=2)

    await kiosk.agent.exchange_once()

    assert kiosk.versions == [3]


async def test_replaced_certificate_is_learnt_and_the_old_one_refused(kiosk: Kiosk) -> None:
    old = kiosk.centre.certificate
    kiosk.centre.certificate = kiosk.centre.certified(serial=2)
    learnt = await kiosk.agent.exchange_once()
    asked_with = kiosk.centre.requests[-1].certificate
    kiosk.centre.certificate = old

    refused = await kiosk.agent.exchange_once()

    assert (learnt.error, asked_with, refused.error) == ("", 1, "reply")


async def test_clock_skew_is_the_centres_time_minus_ours(kiosk: Kiosk) -> None:
    kiosk.centre.clock_ms = lambda: kiosk.clock.now_ms() + 3_600_000

    await kiosk.agent.exchange_once()

    assert kiosk.agent.state.clock_skew_ms == 3_600_000


async def test_flags_of_the_centre_are_shown(kiosk: Kiosk) -> None:
    kiosk.centre.flags = frozenset({"revoked", "reenrol"})

    await kiosk.agent.exchange_once()

    assert (kiosk.agent.state.is_revoked, kiosk.agent.state.must_reenrol) == (True, True)


async def test_broken_sensor_does_not_stop_the_envelopes(kiosk: Kiosk) -> None:
    def broken() -> Health:
        raise ZeroDivisionError("what nobody should read")

    kiosk.agent._health = broken
    kiosk.submit(1)

    outcome = await kiosk.agent.exchange_once()

    assert (outcome.error, outcome.settled) == ("", 1)
    assert kiosk.centre.requests[-1].health.devices == {"health": "ZeroDivisionError"}


async def test_defect_anywhere_is_an_outcome_and_names_its_class_only(kiosk: Kiosk) -> None:
    def broken() -> int:
        raise ZeroDivisionError("what nobody should read")

    kiosk.clock.now_ms = broken  # type: ignore[method-assign]  # a clock that breaks

    outcome = await kiosk.agent.exchange_once()

    assert (outcome.error, outcome.detail) == ("fault", "ZeroDivisionError")


async def test_fullest_frame_stays_within_its_bound(kiosk: Kiosk) -> None:
    for number in range(6):
        kiosk.submit(number, 120_000)
    devices = {f"device {number:02}": "w" * 40 for number in range(7)}
    kiosk.agent._health = lambda: msgspec.structs.replace(HEALTH, devices=devices)
    kiosk.agent._batch_bytes = FRAME_BYTES_MAX

    outcomes = [await kiosk.agent.exchange_once() for _ in range(3)]

    assert [outcome.error for outcome in outcomes] == ["", "", ""]
    largest = max(outcome.up_bytes for outcome in outcomes)
    assert FRAME_BYTES_MAX - 1500 < largest <= FRAME_BYTES_MAX


async def test_counter_rises_with_every_request_even_across_restarts(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path, ["", "drop_reply", ""])
    for _ in range(3):
        await kiosk.agent.exchange_once()
    kiosk.restart()
    await kiosk.agent.exchange_once()

    assert [request.counter for request in kiosk.centre.requests] == [1, 2, 3, 4]
    assert [request.health.boots for request in kiosk.centre.requests] == [1, 1, 1, 2]


async def test_start_is_counted_even_when_the_first_request_could_not_be_written(
    kiosk: Kiosk,
) -> None:
    """Two starts of one count are two machines to the centre."""
    await kiosk.agent.exchange_once()
    kiosk.restart()
    kiosk.database.conn.conn.execute(
        "CREATE TEMP TRIGGER refuse BEFORE UPDATE OF counter ON main.standing"
        " BEGIN SELECT RAISE(ROLLBACK, 'the disk fails'); END"
    )
    refused = await kiosk.agent.exchange_once()
    kiosk.database.conn.conn.execute("DROP TRIGGER refuse")

    await kiosk.agent.exchange_once()

    assert refused.error == "fault"
    assert [request.health.boots for request in kiosk.centre.requests] == [1, 2]


async def test_loop_waits_longer_after_each_failure_and_a_heartbeat_after_success(
    tmp_path: Path,
) -> None:
    kiosk = Kiosk(tmp_path, ["drop_request"] * 40)
    pauses: list[float] = []

    class RecordingClock(JumpingClock):
        async def sleep(self, seconds: float) -> None:
            pauses.append(seconds)
            await super().sleep(seconds)
            if len(pauses) == 42:
                raise asyncio.CancelledError

    kiosk.clock = RecordingClock()
    kiosk.agent = kiosk.new_agent()
    running = asyncio.create_task(kiosk.agent.run())
    while len(pauses) < 42:
        await asyncio.sleep(0)
    running.cancel()

    assert all(1.0 <= pause < 3.0 for pause in pauses[:5])
    assert all(1.0 <= pause < 900.0 for pause in pauses[:40])
    assert max(pauses[:40]) > 450.0
    assert [54 <= pauses[40] <= 66, 108 <= pauses[41] <= 132] == [True, True]


async def test_poke_wakes_at_once_and_forgets_failures(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path, ["drop_request"] * 3)

    class WaitingClock(JumpingClock):
        async def sleep(self, _seconds: float) -> None:
            await asyncio.Event().wait()

    kiosk.clock = WaitingClock()
    kiosk.agent = kiosk.new_agent()
    running = asyncio.create_task(kiosk.agent.run())
    for _ in range(4):
        for _ in range(20):
            await asyncio.sleep(0)
        kiosk.agent.poke()
    for _ in range(20):
        await asyncio.sleep(0)
    running.cancel()

    assert kiosk.agent.state.is_reachable
    assert kiosk.agent.state.failures == 0


async def test_pruning_follows_the_centres_time_and_keeps_receipts(kiosk: Kiosk) -> None:
    case_no = kiosk.submit(1, 400)
    await kiosk.exchange_until_quiet()
    kiosk.clock.pass_ms(10 * 365 * 86_400_000)
    centre_ms = kiosk.clock.now_ms() - 10 * 365 * 86_400_000
    kiosk.centre.clock_ms = lambda: centre_ms
    await kiosk.agent.exchange_once()
    kept = kiosk.database.conn.conn.execute("SELECT count(*) FROM outbox").fetchone()[0]

    with immediate(kiosk.database.conn) as db:
        gone = outbox.prune(db, START_MS + 31 * 86_400_000)

    assert (kept, gone) == (1, 2)
    assert outbox.is_delivered(kiosk.database.conn, case_no)
    assert outbox.receipt_of_case(kiosk.database.conn, case_no) is not None


async def test_short_disk_gives_up_delivered_photos_and_nothing_else(kiosk: Kiosk) -> None:
    """A kiosk that delivered all must not stay shut for the 30 days that copies are kept."""
    for number in range(1, 4):
        kiosk.submit(number, 50_000)
    await kiosk.exchange_until_quiet()
    kiosk.submit(9, 700)
    kiosk.database.close()
    # So much is never free: to this kiosk the disk looks full.
    kiosk.database = open_database(
        kiosk.directory / "kiosk.db",
        device_public=kiosk.keys.sign_public,
        ballast_bytes=1 << 60,
        is_threaded=False,
    )
    before = kiosk.database.path.stat().st_size
    kiosk.link = MemoryLink(kiosk.centre, ["drop_request"], kiosk.clock)
    kiosk.agent = kiosk.new_agent()

    await kiosk.agent.exchange_once()
    assert rows(kiosk) == (4, 4)
    await kiosk.exchange_until_quiet()

    assert rows(kiosk) == (0, 4)
    assert kiosk.centre.transaction_count() == 4
    assert kiosk.database.path.stat().st_size < before - 100_000


def rows(kiosk: Kiosk) -> tuple[int, int]:
    """Attachments and envelopes that the store holds."""
    query = "SELECT (SELECT count(*) FROM attachment), (SELECT count(*) FROM outbox)"
    attachments, envelopes = kiosk.database.conn.conn.execute(query).fetchone()
    return int(attachments), int(envelopes)
