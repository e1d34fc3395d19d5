"""The outbox: a receipt is never lost, numbers have no gaps, only hash or verdict settles."""

import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sync import exchange, outbox, standing
from sync.clock import SeededEntropy
from sync.database import Database, immediate
from sync.frames import Chunk, ChunkMark, Reply, ReplyRefused, Request
from sync.limits import ATTACHMENT_BYTES_MAX, SETTLED_KEPT_DAYS
from sync.records import Receipt
from sync.runs import VERDICTS, Verdict
from sync.sealing import SealingPublic, generate_sealing_key, open_attachment, open_sealed
from sync.signing import DeviceKeys, verify
from sync.wire import decode_courier, encode_header, envelope_bytes, envelope_hash
from tests.unit.sync.worlds import HEALTH, START_MS, opened, photo, submitted

KEYS = DeviceKeys.generate(SeededEntropy(7))
SEALING_PRIVATE, _PUBLIC = generate_sealing_key(SeededEntropy(8))
SEALING = SealingPublic(key_id=1, raw=_PUBLIC)
DAY_MS = 86_400_000


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return opened(tmp_path, KEYS)


def test_submit_seals_signs_and_chains(database: Database) -> None:
    first = submitted(database, KEYS, SEALING, 1)
    second = submitted(database, KEYS, SEALING, 2)

    first_envelope, _ = decode_courier(outbox.courier_of(database.conn, first.seq))
    envelope, signature = decode_courier(outbox.courier_of(database.conn, second.seq))
    verify(KEYS.sign_public, "envelope", envelope_bytes(envelope), signature)
    assert (first.case_no, second.case_no) == ("004200000188", "004200000285")
    assert envelope.header.prev == envelope_hash(first_envelope)
    body = open_sealed(SEALING_PRIVATE, encode_header(envelope.header), envelope.sealed)
    assert body == (2).to_bytes(16, "big").ljust(96, b".")


def test_submit_twice_gives_the_first_receipt_again(database: Database) -> None:
    first = submitted(database, KEYS, SEALING, 1)

    again = submitted(database, KEYS, SEALING, 1, now_ms=START_MS + 99)

    assert again == first
    assert outbox.waiting(database.conn).count == 1


def test_submit_after_crash_before_commit_leaves_nothing(database: Database) -> None:
    def cut_off() -> None:
        with immediate(database.conn) as db:
            outbox.submit(
                db,
                keys=KEYS,
                sealing=SEALING,
                catalogue_version=1,
                body=bytes(96),
                attachments=(photo(0, 100),),
                transaction_id=bytes(16),
                service="s",
                kiosk_no=42,
                now_ms=1,
            )
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        cut_off()

    assert outbox.receipt_of(database.conn, bytes(16)) is None
    assert outbox.head(database.conn) == (0, bytes(8))
    assert submitted(database, KEYS, SEALING, 2).seq == 1


def test_attachments_are_sealed_to_their_place(database: Database) -> None:
    receipt = submitted(database, KEYS, SEALING, 1, (photo(0, 10), photo(1, 20)))

    rows = database.conn.conn.execute(
        "SELECT envelope, place, attachment.sealed FROM attachment JOIN outbox USING (seq)"
        " WHERE seq = ?",
        (receipt.seq,),
    ).fetchall()
    read = [
        open_attachment(SEALING_PRIVATE, envelope, place, sealed)
        for envelope, place, sealed in rows
    ]
    assert read == [photo(0, 10), photo(1, 20)]


def test_too_long_answers_are_refused_before_a_number_is_taken(database: Database) -> None:
    with pytest.raises(outbox.OutboxRefused):
        submitted(database, KEYS, SEALING, 1, body_bytes=4096)

    assert outbox.head(database.conn)[0] == 0


def test_too_many_or_too_long_attachments_are_refused(database: Database) -> None:
    with pytest.raises(outbox.OutboxRefused):
        submitted(database, KEYS, SEALING, 1, tuple(photo(place, 1) for place in range(10)))
    with pytest.raises(ValueError, match="too long"):
        submitted(database, KEYS, SEALING, 1, (photo(0, ATTACHMENT_BYTES_MAX + 1),))

    assert outbox.head(database.conn)[0] == 0


def test_waiting_tells_count_and_oldest(database: Database) -> None:
    submitted(database, KEYS, SEALING, 1, (photo(0, 9),), now_ms=500)
    submitted(database, KEYS, SEALING, 2, now_ms=400)

    assert outbox.waiting(database.conn) == outbox.Waiting(count=2, oldest_ms=400, attachments=1)


def test_person_finds_own_cases_only(database: Database) -> None:
    mine = [submitted(database, KEYS, SEALING, number).case_no for number in (1, 2)]
    other = submitted(database, KEYS, SEALING, 3).case_no
    with immediate(database.conn) as db:
        for case_no in mine:
            outbox.remember_person(db, b"tag of one", case_no)
        outbox.remember_person(db, b"tag of two", other)

    assert outbox.cases_of_person(database.conn, b"tag of one") == tuple(reversed(mine))
    assert outbox.cases_of_person(database.conn, b"nobody") == ()


def test_look_ups_of_strange_cases(database: Database) -> None:
    assert outbox.receipt_of_case(database.conn, "004200000188") is None
    assert not outbox.is_delivered(database.conn, "004200000188")
    with pytest.raises(outbox.OutboxEmpty):
        outbox.courier_of(database.conn, 1)


class OutboxLife(RuleBasedStateMachine):
    """A kiosk and a centre that judges, loses, restores; kept beside it: what must be true."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.receipts: list[Receipt] = []
        self.held: dict[int, bytes] = {}  # what the centre holds durably: seq → hash
        self.refused: set[int] = set()
        self.epoch = 5
        self.centre_ms = START_MS

    @initialize()
    def open(self) -> None:
        self.database = opened(self.directory, KEYS)

    @rule(has_photo=st.booleans())
    def submit(self, has_photo: bool) -> None:
        attachments = (photo(0, 700),) if has_photo else ()
        number = len(self.receipts) + 1
        self.receipts.append(submitted(self.database, KEYS, SEALING, number, attachments))

    @precondition(lambda self: self.receipts)
    @rule(data=st.data())
    def submit_again(self, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(self.receipts) - 1))
        assert submitted(self.database, KEYS, SEALING, place + 1) == self.receipts[place]

    @rule()
    def crash(self) -> None:
        self.database.close()
        self.database = opened(self.directory, KEYS)

    @rule(
        bytes_max=st.integers(600, 5000),
        verdicts=st.lists(st.sampled_from(VERDICTS), min_size=30, max_size=30),
        is_lost=st.booleans(),
        is_fork=st.booleans(),
    )
    def exchange(
        self, bytes_max: int, verdicts: list[Verdict], is_lost: bool, is_fork: bool
    ) -> None:
        with immediate(self.database.conn) as db:
            view = standing.counted(db, standing.view_of(db, bytes_max))
            plan = exchange.plan(view)
            envelopes, chunks = standing.carried(db, plan)
        request = exchange.compose(
            view,
            kiosk_id=KEYS.kiosk_id,
            envelopes=envelopes,
            chunks=chunks,
            boot_id=bytes(4),
            now_ms=START_MS,
            monotonic_ms=1,
            certificate_serial=1,
            health=HEALTH,
        )
        judged: list[Verdict] = []
        for envelope, verdict in zip(envelopes, verdicts, strict=False):
            seq, own = envelope.header.seq, envelope_hash(envelope)
            judged.append("duplicate" if self.held.get(seq) == own else verdict)
            if judged[-1] != "refused":
                self.held[seq] = own
        judged += ["stored"] * (len(envelopes) - len(judged))
        self.held |= {
            envelope.header.seq: envelope_hash(envelope)
            for envelope, verdict in zip(envelopes, judged, strict=True)
            if verdict != "refused"
        }
        if is_lost:
            return
        self._take_in(request, tuple(judged), chunks, is_fork)

    def _take_in(
        self,
        request: Request,
        judged: tuple[Verdict, ...],
        chunks: tuple[Chunk, ...],
        is_fork: bool,
    ) -> None:
        mark = 0
        while mark + 1 in self.held:
            mark += 1
        reply = Reply(
            request_hash=bytes(16),
            kiosk_id=KEYS.kiosk_id,
            epoch=self.epoch,
            durability="D0",
            centre_ms=self.centre_ms,
            mark_seq=mark,
            mark_hash=b"stranger" if is_fork else self.held.get(mark, bytes(8)),
            catalogue_version=0,
            verdicts=judged,
            chunk_marks=tuple(
                ChunkMark(
                    seq=chunk.seq,
                    index=chunk.index,
                    received_bytes=chunk.offset + len(chunk.data),
                )
                for chunk in chunks
            ),
        )
        with immediate(self.database.conn) as db:
            held = standing.standing_of(db)
            changes = exchange.apply(
                request,
                reply,
                held,
                own_hash_at_mark=standing.hash_at(db, reply.mark_seq),
                has_pending_left=standing.has_pending_beyond(
                    db, [envelope.header.seq for envelope in request.envelopes]
                ),
                received_ms=START_MS,
                took_ms=0,
            )
            standing.take_in(
                db,
                changes,
                notices=(),
                unreadable=0,
                cursor=0,
                certificate=b"",
                batch_bytes=2048,
            )

    @rule(lost=st.integers(1, 5))
    def restore_centre(self, lost: int) -> None:
        self.epoch += 1
        for seq in sorted(self.held)[-lost:]:
            del self.held[seq]

    @rule()
    def prune(self) -> None:
        self.centre_ms += (SETTLED_KEPT_DAYS - 1) * DAY_MS
        with immediate(self.database.conn) as db:
            outbox.prune(db, self.centre_ms)

    def rows(self) -> dict[int, tuple[str, bytes]]:
        sql = "SELECT seq, state, envelope FROM outbox"
        return {row[0]: (row[1], row[2]) for row in self.database.conn.conn.execute(sql)}

    @invariant()
    def receipts_are_here_or_were_held_by_the_centre(self) -> None:
        db, rows = self.database.conn, self.rows()
        for receipt in self.receipts:
            assert outbox.receipt_of(db, receipt.transaction_id) == receipt
            # A centre that lost it after the 30 days is the one loss that is not promised away.
            assert receipt.seq in rows or outbox.is_delivered(db, receipt.case_no)

    @invariant()
    def numbers_have_no_gap(self) -> None:
        assert [receipt.seq for receipt in self.receipts] == list(range(1, len(self.receipts) + 1))

    @invariant()
    def only_what_this_epoch_of_the_centre_holds_is_settled(self) -> None:
        if standing.standing_of(self.database.conn).epoch != self.epoch:
            return
        settled = {seq for seq, (state, _) in self.rows().items() if state == "settled"}
        assert settled <= self.held.keys()

    def teardown(self) -> None:
        self.database.close()


OutboxLife.TestCase.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
TestOutboxLife = OutboxLife.TestCase


def test_restored_image_does_not_settle_its_new_envelope_by_an_old_number(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    before = opened(tmp_path / "old", KEYS)
    old_first = submitted(before, KEYS, SEALING, 1)
    hash_held = standing.hash_at(before.conn, old_first.seq)
    restored = opened(tmp_path / "new", KEYS)
    fresh = submitted(restored, KEYS, SEALING, 2)
    view = standing.view_of(restored.conn, 600)
    request = exchange.compose(
        view,
        kiosk_id=KEYS.kiosk_id,
        envelopes=(),
        chunks=(),
        boot_id=bytes(4),
        now_ms=0,
        monotonic_ms=0,
        certificate_serial=1,
        health=HEALTH,
    )
    assert hash_held is not None
    reply = Reply(
        request_hash=bytes(16),
        kiosk_id=KEYS.kiosk_id,
        epoch=1,
        durability="D0",
        centre_ms=0,
        mark_seq=1,
        mark_hash=hash_held,
        catalogue_version=0,
    )

    changes = exchange.apply(
        request,
        reply,
        view.standing,
        own_hash_at_mark=standing.hash_at(restored.conn, 1),
        has_pending_left=True,
        received_ms=0,
        took_ms=0,
    )

    assert fresh.seq == reply.mark_seq
    assert (changes.settle_upto, changes.settled) == (0, ())


def test_plan_gives_a_quarter_to_the_newest() -> None:
    held = exchange.Standing(**dict.fromkeys(exchange.Standing.__struct_fields__, 0))  # type: ignore[arg-type]  # only sizes matter here
    view = exchange.View(
        standing=held,
        pending=tuple((seq, 250) for seq in range(1, 101)),
        attachments=(),
        bytes_max=2200,
    )

    planned = exchange.plan(view)

    assert planned.seqs == (1, 2, 3, 4, 5, 6, 99, 100)


def test_plan_sends_one_envelope_however_small_the_frame() -> None:
    held = exchange.Standing(**dict.fromkeys(exchange.Standing.__struct_fields__, 0))  # type: ignore[arg-type]  # only sizes matter here
    view = exchange.View(standing=held, pending=((7, 4000),), attachments=(), bytes_max=512)

    assert exchange.plan(view).seqs == (7,)


def test_reply_that_does_not_judge_each_envelope_is_refused(tmp_path: Path) -> None:
    database = opened(tmp_path, KEYS)
    submitted(database, KEYS, SEALING, 1)
    view = standing.view_of(database.conn, 2000)
    envelopes, _ = standing.carried(database.conn, exchange.plan(view))
    request = exchange.compose(
        view,
        kiosk_id=KEYS.kiosk_id,
        envelopes=envelopes,
        chunks=(),
        boot_id=bytes(4),
        now_ms=0,
        monotonic_ms=0,
        certificate_serial=1,
        health=HEALTH,
    )
    reply = Reply(
        request_hash=bytes(16),
        kiosk_id=KEYS.kiosk_id,
        epoch=1,
        durability="D0",
        centre_ms=0,
        mark_seq=0,
        mark_hash=bytes(8),
        catalogue_version=0,
    )
    with pytest.raises(ReplyRefused):
        exchange.apply(
            request,
            msgspec.structs.replace(reply, verdicts=("stored", "stored")),
            view.standing,
            own_hash_at_mark=None,
            has_pending_left=False,
            received_ms=0,
            took_ms=0,
        )
