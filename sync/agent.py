"""The loop that carries: asks the store what waits, sends it, takes in what comes back.

It never dies and never hurries: what it does not manage now waits in the store.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Literal

import msgspec
from sqlite_utils import Database as Tables

from sync import catalogues, exchange, outbox, standing
from sync.backoff import delay_s
from sync.batching import next_bytes
from sync.clock import Clock, Entropy
from sync.database import Database, StorageFailed
from sync.device import KioskIdentity
from sync.frames import (
    REPLY_MAGIC,
    Reply,
    ReplyRefused,
    Request,
    decode_reply,
    encode_request,
)
from sync.health import short_health
from sync.limits import BATCH_BYTES_MIN, FRAME_BYTES_MAX, HEARTBEAT_S, NOTICES_SURGE, PRUNE_EVERY_S
from sync.manifest import ManifestRefused, decode_manifest, unpack_blob
from sync.notices import decode_notice
from sync.octets import WireError
from sync.records import Health, Notice
from sync.sealing import SealBroken, open_notice
from sync.signing import Certificate, DeviceKeys, Trust
from sync.transports import (
    BLOB_PATH,
    EXCHANGE_PATH,
    MANIFEST_PATH,
    CentreRefused,
    Link,
    LinkDown,
)

Trouble = Literal["", "link", "refused", "portal", "reply", "old_centre", "storage", "fault"]
"""What kept the last exchange from counting; "" when it counted.

link: nothing came back. refused: an unsigned error. portal: somebody else answered, the network
asks for a sign-in. reply: not the centre's answer to this request. old_centre: a centre that was
replaced still answers. storage: the disk. fault: a defect of ours.
"""


class AgentState(msgspec.Struct, frozen=True):
    """How the carrying goes, for the status line and the operators' page."""

    #: Kiosk's clock at the last verified reply, Unix ms; None before the first.
    last_ok_ms: int | None = None
    last_error: Trouble = ""
    #: A code or class name to the last error, never content.
    detail: str = ""
    is_reachable: bool = False
    is_revoked: bool = False
    #: The centre asks for a new enrolment: this kiosk's numbers were used twice.
    must_reenrol: bool = False
    #: Centre's clock minus the kiosk's, Unix ms.
    clock_skew_ms: int = 0
    #: Failures in a row.
    failures: int = 0


class ExchangeOutcome(msgspec.Struct, frozen=True):
    """What one exchange did."""

    error: Trouble = ""
    detail: str = ""
    #: Envelopes sent, and envelopes settled by the reply.
    sent: int = 0
    settled: int = 0
    notices: int = 0
    up_bytes: int = 0
    down_bytes: int = 0
    #: More waits, and this exchange made progress: come again at once.
    is_more: bool = False
    retry_after_s: int = 0

    @property
    def is_ok(self) -> bool:
        """Whether a verified reply was taken in."""
        return not self.error


class Agent:
    """Carry for one kiosk; all that touches the outside is an argument.

    Args:
        database: The open store.
        link: Way to the centre.
        keys: The device's.
        identity: What the enrolment said.
        clock: Time and waiting.
        entropy: Jitter and boot id.
        health: Answers the kiosk's report; what waits is filled in here.
        on_catalogue: Called with the version once a new catalogue is in force.
        heartbeat_s: Longest silence of a healthy kiosk.
    """

    def __init__(
        self,
        database: Database,
        link: Link,
        keys: DeviceKeys,
        identity: KioskIdentity,
        clock: Clock,
        entropy: Entropy,
        health: Callable[[], Health],
        *,
        on_catalogue: Callable[[int], None] | None = None,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._database = database
        self._link = link
        self._keys = keys
        self._identity = identity
        self._clock = clock
        self._entropy = entropy
        self._health = health
        self._on_catalogue = on_catalogue
        self._heartbeat_s = heartbeat_s
        self._boot_id = entropy.token_bytes(4)
        self._batch_bytes = 0
        self._bytes_max = FRAME_BYTES_MAX
        self._next_prune_ms = 0
        self._wake = asyncio.Event()
        self.state = AgentState()

    def poke(self) -> None:
        """Exchange at once: something was enqueued, or somebody pressed "send now"."""
        self._wake.set()

    async def run(self) -> None:
        """Exchange for ever, until cancelled."""
        while True:
            self._wake.clear()
            outcome = await self.exchange_once()
            await self._wait(self._pause_s(outcome))

    async def exchange_once(self) -> ExchangeOutcome:
        """Do one round trip and answer what it did; whatever goes wrong is an outcome."""
        try:
            outcome = await self._exchange()
        except CentreRefused as error:
            outcome = ExchangeOutcome(error="refused", detail=error.problem or str(error.status))
        except LinkDown as error:
            outcome = ExchangeOutcome(error="link", detail=type(error).__name__)
        except StorageFailed as error:
            outcome = ExchangeOutcome(error="storage", detail=error.code)
        except Exception as error:
            # Only the class: a message may quote what a resident entrusted to us.
            outcome = ExchangeOutcome(error="fault", detail=type(error).__name__)
        if outcome.error:
            self._note_failure(outcome)
        return outcome

    async def _exchange(self) -> ExchangeOutcome:
        request, raw, trust = await self._database.write(self._begun)
        started_ms = self._clock.monotonic_ms()
        reply_raw = await self._link.post(EXCHANGE_PATH, raw)
        took_ms = self._clock.monotonic_ms() - started_ms
        try:
            reply = decode_reply(
                reply_raw, request_raw=raw, kiosk_id=self._keys.kiosk_id, trusted=trust
            )
        except ReplyRefused:
            is_ours = reply_raw.startswith(REPLY_MAGIC[:2])
            return ExchangeOutcome(error="reply" if is_ours else "portal", up_bytes=len(raw))
        batch_bytes = next_bytes(
            self._batch_bytes, sent_bytes=len(raw), took_s=took_ms / 1000, is_ok=True
        )
        changes, outcome = await self._database.write(
            self._taken_in, request, reply, took_ms=took_ms, batch_bytes=batch_bytes
        )
        if outcome.error:
            return outcome
        self._batch_bytes = batch_bytes
        self._bytes_max = max(reply.bytes_max, BATCH_BYTES_MIN)
        self._note_success(changes)
        if changes.is_catalogue_wanted:
            outcome = msgspec.structs.replace(outcome, detail=await self._catalogue_fetched())
        await self._keep_house()
        return msgspec.structs.replace(outcome, up_bytes=len(raw), down_bytes=len(reply_raw))

    def _begun(self, db: Tables) -> tuple[Request, bytes, Trust]:
        if not self._batch_bytes:
            self._batch_bytes = standing.standing_of(db).batch_bytes
            standing.count_boot(db)
        view = standing.begin_request(db, min(self._batch_bytes, self._bytes_max))
        envelopes, chunks = standing.carried(db, exchange.plan(view))
        trust = self._trust(view.standing)
        request = exchange.compose(
            view,
            kiosk_id=self._keys.kiosk_id,
            envelopes=envelopes,
            chunks=chunks,
            boot_id=self._boot_id,
            now_ms=self._clock.now_ms(),
            monotonic_ms=self._clock.monotonic_ms(),
            certificate_serial=trust.certificate.serial if trust.certificate else 0,
            health=self._reported(db, view.standing.boots),
        )
        return request, encode_request(request, partial(self._keys.sign, "request")), trust

    def _trust(self, held: exchange.Standing) -> Trust:
        raw = held.certificate or bytes.fromhex(self._identity.certificate)
        return Trust(
            roots=(bytes.fromhex(self._identity.root_public),),
            certificate=Certificate.from_bytes(raw),
            centre_ms=held.centre_ms,
        )

    def _reported(self, db: Tables, boots: int) -> Health:
        waiting = outbox.waiting(db)
        age_ms = self._clock.now_ms() - waiting.oldest_ms if waiting.oldest_ms else 0
        try:
            report = self._health()
        except Exception as error:
            report = Health(
                version="?",
                pending=0,
                oldest_s=0,
                disk_free_mb=0,
                devices={"health": type(error).__name__},
            )
        report = msgspec.structs.replace(
            report,
            pending=waiting.count,
            oldest_s=max(0, age_ms // 1000),
            attachments_pending=waiting.attachments,
            boots=boots,
        )
        return short_health(report)

    def _taken_in(
        self, db: Tables, request: Request, reply: Reply, *, took_ms: int, batch_bytes: int
    ) -> tuple[exchange.Changes, ExchangeOutcome]:
        held = standing.standing_of(db)
        seqs = [envelope.header.seq for envelope in request.envelopes]
        changes = exchange.apply(
            request,
            reply,
            held,
            own_hash_at_mark=standing.hash_at(db, reply.mark_seq),
            has_pending_left=standing.has_pending_beyond(db, seqs),
            received_ms=self._clock.now_ms(),
            took_ms=took_ms,
        )
        if changes.ignored:
            return changes, ExchangeOutcome(error=changes.ignored, sent=len(seqs))
        notices = self._opened(reply)
        settled = standing.take_in(
            db,
            changes,
            notices=notices,
            unreadable=len(reply.notices) - len(notices),
            cursor=max((notice.number for notice in reply.notices), default=0),
            certificate=reply.certificate.to_bytes() if reply.certificate else held.certificate,
            batch_bytes=batch_bytes,
        )
        is_moving = bool(settled or changes.requeue_from or reply.notices)
        is_moving = is_moving or exchange.has_progress(request, reply)
        left = outbox.waiting(db)
        has_more = bool(left.count or left.attachments) or len(reply.notices) >= NOTICES_SURGE
        return changes, ExchangeOutcome(
            sent=len(seqs),
            settled=settled,
            notices=len(notices),
            is_more=is_moving and has_more and "slow" not in reply.flags,
            retry_after_s=reply.retry_after_s,
        )

    def _opened(self, reply: Reply) -> list[Notice]:
        notices: list[Notice] = []
        for sealed in reply.notices:
            try:
                raw = open_notice(self._keys.notice_private, sealed.number, sealed.sealed)
                notices.append(decode_notice(raw, sealed.number))
            except (SealBroken, WireError):
                # Counted in the store: one bad notice must not hold up those behind it.
                continue
        return notices

    async def _catalogue_fetched(self) -> str:
        """Fetch what the centre has published; what fails now is tried with the next exchange."""
        try:
            held = await self._database.run(standing.standing_of)
            raw = await self._link.get(MANIFEST_PATH)
            manifest = decode_manifest(raw, self._trust(held))
            for name in await self._database.run(catalogues.missing_blobs, manifest):
                blob = unpack_blob(await self._link.get(BLOB_PATH + name), name)
                # One by one, so that a link that breaks has not carried them in vain.
                await self._database.write(catalogues.store_blob, name, blob)
            version = await self._database.write(catalogues.put_in_force, raw, {})
        except (LinkDown, ManifestRefused, StorageFailed) as error:
            return f"catalogue {error.code}"
        if self._on_catalogue is not None:
            self._on_catalogue(version)
        return ""

    async def _keep_house(self) -> None:
        await self._database.run(lambda _: self._database.restore_ballast())
        now_ms = self._clock.monotonic_ms()
        if now_ms >= self._next_prune_ms:
            self._next_prune_ms = now_ms + int(PRUNE_EVERY_S * 1000)
            await self._database.write(
                lambda db: outbox.prune(db, standing.standing_of(db).centre_ms)
            )
            await self._database.give_back()
        while not self._database.has_room():
            gone = await self._database.write(outbox.make_room)
            if not gone:
                break
            await self._database.give_back()
            await self._database.run(lambda _: self._database.restore_ballast())

    def _note_success(self, changes: exchange.Changes) -> None:
        self.state = AgentState(
            last_ok_ms=self._clock.now_ms(),
            is_reachable=True,
            is_revoked="revoked" in changes.flags,
            must_reenrol="reenrol" in changes.flags,
            clock_skew_ms=changes.clock_skew_ms,
        )

    def _note_failure(self, outcome: ExchangeOutcome) -> None:
        if self._batch_bytes and outcome.error in ("link", "refused", "portal", "reply"):
            self._batch_bytes = next_bytes(self._batch_bytes, sent_bytes=0, took_s=0.0, is_ok=False)
        self.state = msgspec.structs.replace(
            self.state,
            last_error=outcome.error,
            detail=outcome.detail,
            is_reachable=False,
            failures=self.state.failures + 1,
        )

    def _pause_s(self, outcome: ExchangeOutcome) -> float:
        if outcome.error:
            return delay_s(self.state.failures, self._entropy.uniform())
        if outcome.retry_after_s:
            # Spread over half as much again: the whole valley was told the same.
            return outcome.retry_after_s * (1 + self._entropy.uniform() / 2)
        return 0.0 if outcome.is_more else self._heartbeat_s

    async def _wait(self, pause_s: float) -> None:
        sleeping = asyncio.ensure_future(self._clock.sleep(pause_s))
        waking = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait((sleeping, waking), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()
        if self._wake.is_set():
            self.state = msgspec.structs.replace(self.state, failures=0)
