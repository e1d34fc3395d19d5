"""The loop that carries: asks the store what waits, sends it, takes in what comes back.

It never dies and never hurries: what it does not manage now waits in the store.
"""

import asyncio
from collections.abc import Callable

import msgspec
from sqlite_utils import Database as Tables

from sync import catalogues, exchange, outbox, standing
from sync.backoff import away_s, delay_s, rhythm_s
from sync.batching import next_bytes
from sync.clock import Clock, Entropy
from sync.correspondence import Correspondence, Turn
from sync.database import Database, StorageFailed
from sync.device import KioskIdentity
from sync.fetching import Fetching
from sync.frames import REPLY_MAGIC, Reply, ReplyRefused, decode_reply
from sync.limits import (
    BATCH_BYTES_MIN,
    EXCHANGES_AT_ONCE,
    FRAME_BYTES_MAX,
    HEARTBEAT_S,
    PRUNE_EVERY_S,
    RETRIES_QUICK,
    RETRY_MAX_S,
)
from sync.manifest import ManifestRefused
from sync.outcomes import AgentState, ExchangeOutcome, Trouble, outcome_of
from sync.records import Health
from sync.signing import DeviceKeys
from sync.transports import EXCHANGE_PATH, Link, LinkDown, NotConnected, Paced
from sync.uploading import Uploading

__all__ = ["Agent", "AgentState", "ExchangeOutcome"]

_SHRINKING: frozenset[Trouble] = frozenset({"link", "refused", "portal", "reply"})


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
        self._correspondence = Correspondence(
            keys, identity, clock, entropy.token_bytes(4), self._reported
        )
        self._fetching = Fetching(link, database, clock)
        self._is_fetching = False
        self._batch_bytes = 0
        self._bytes_max = FRAME_BYTES_MAX
        self._next_prune_ms = 0
        self._calm = 0
        self._has_failed = False
        self._is_bursting = False
        self._wake = asyncio.Event()
        self._urge = asyncio.Event()
        self._composing = asyncio.Lock()
        self._flying: list[Turn] = []
        self._uploading = Uploading(link, database)
        self.state = AgentState()

    def poke(self, *, is_urgent: bool = False) -> None:
        """Exchange at once: something was enqueued, or somebody asks.

        Args:
            is_urgent: A person pressed "send now": not even a busy centre's wish holds it up.
        """
        if self._is_bursting:
            self._uploading.pause()
        self._wake.set()
        if is_urgent:
            self._urge.set()

    async def run(self) -> None:
        """Exchange for ever, until cancelled."""
        while True:
            self._wake.clear()
            self._urge.clear()
            outcome = await self._burst()
            await self._wait(self._pause_s(outcome), self._urge if outcome.is_slow else self._wake)

    async def exchange_once(self) -> ExchangeOutcome:
        """Do one round trip and answer what it did; whatever goes wrong is an outcome.

        Once only an attachment is left, and the link takes uploads, it is sent whole.
        """
        self._has_failed = False
        begun = await self._begun(is_needed=True, may_upload=True)
        if not isinstance(begun, Turn):
            return begun or ExchangeOutcome()
        self._uploading.go_on()
        return await self._carried(begun)

    async def _burst(self) -> ExchangeOutcome:
        """Carry what is there, two requests at a time, until nothing is or something goes wrong.

        While one answer comes back, the other request fills the link. An attachment goes alone
        beside them, and stops between two pieces whenever an envelope wants to go.
        """
        self._uploading.begin_anew()
        self._has_failed, self._is_bursting, is_first = False, True, True
        last, is_ended = ExchangeOutcome(is_more=True), False
        flights: list[asyncio.Task[ExchangeOutcome]] = []
        waking = asyncio.ensure_future(self._wake.wait())
        try:
            while True:
                while not is_ended and len(flights) < EXCHANGES_AT_ONCE:
                    begun = await self._next(last, is_first=is_first)
                    is_first = False
                    if isinstance(begun, ExchangeOutcome):
                        last, is_ended = begun, True
                        break
                    # What is left, if anything is, no request of now can carry.
                    last = msgspec.structs.replace(
                        last,
                        is_more=begun is not None and not begun.is_all,
                        is_catalogue_left=False,
                    )
                    if begun is None:
                        break
                    flights.append(asyncio.ensure_future(self._carried(begun)))
                if is_ended or not self._wake.is_set():
                    self._let_uploads_go_on()
                if not flights:
                    return last
                if waking.done():
                    waking = asyncio.ensure_future(self._wake.wait())
                is_open = not is_ended and len(flights) < EXCHANGES_AT_ONCE
                await asyncio.wait(
                    [*flights, waking] if is_open else flights, return_when=asyncio.FIRST_COMPLETED
                )
                # In the order of their beginning: a set would give another one each run.
                for flight in [flight for flight in flights if flight.done()]:
                    flights.remove(flight)
                    last = flight.result()
                    is_ended = is_ended or bool(last.error or last.retry_after_s)
        finally:
            self._is_bursting = False
            for task in (*flights, waking):
                task.cancel()
            await asyncio.gather(*flights, waking, return_exceptions=True)

    async def _next(
        self, last: ExchangeOutcome, *, is_first: bool
    ) -> Turn | ExchangeOutcome | None:
        is_needed = is_first or self._wake.is_set() or last.is_catalogue_left
        if not (is_needed or last.is_more):
            return None
        self._wake.clear()
        return await self._begun(is_needed=is_needed, may_upload=not is_first)

    def _let_uploads_go_on(self) -> None:
        if all(turn.upload is not None for turn in self._flying):
            self._uploading.go_on()

    async def _begun(self, *, is_needed: bool, may_upload: bool) -> Turn | ExchangeOutcome | None:
        """Write the next request; None when there is nothing to carry and it is not needed."""
        try:
            async with self._composing:
                # Only once it is on disk: two starts of one count are two machines to the centre.
                if not self._batch_bytes:
                    self._batch_bytes = await self._database.write(_started)
                turn = await self._database.write(
                    self._written, is_needed=is_needed, may_upload=may_upload
                )
                if turn is not None:
                    self._flying.append(turn)
                    if turn.upload is None:
                        self._uploading.pause()
                return turn
        except Exception as error:
            return self._failed(error, sent_bytes=0)

    def _written(self, db: Tables, *, is_needed: bool, may_upload: bool) -> Turn | None:
        return self._correspondence.begun(
            db,
            min(self._batch_bytes, self._bytes_max),
            flying=frozenset().union(*(turn.seqs for turn in self._flying)),
            known=self._uploading.known,
            stuck=self._uploading.stuck,
            is_needed=is_needed,
            may_upload=may_upload,
        )

    async def _carried(self, turn: Turn) -> ExchangeOutcome:
        try:
            outcome = await self._exchange(turn)
            if outcome.error:
                self._note_failure(outcome, len(turn.raw))
        except Exception as error:
            outcome = self._failed(error, sent_bytes=len(turn.raw))
        finally:
            self._flying.remove(turn)
        if outcome.error and turn.upload is not None:
            self._uploading.forget(turn.places)
        return outcome

    def _failed(self, error: Exception, *, sent_bytes: int) -> ExchangeOutcome:
        outcome = outcome_of(error)
        self._note_failure(outcome, 0 if isinstance(error, NotConnected) else sent_bytes)
        return outcome

    async def _exchange(self, turn: Turn) -> ExchangeOutcome:
        started_ms = self._clock.monotonic_ms()
        if turn.upload is None:
            reply_raw = await self._link.post(EXCHANGE_PATH, turn.raw)
        else:
            reply_raw = await self._uploading.carried(turn.raw, turn.upload)
        waited_s = self._link.waited_s if isinstance(self._link, Paced) else 0.0
        took_ms = self._clock.monotonic_ms() - started_ms
        try:
            reply = decode_reply(
                reply_raw, request_raw=turn.raw, kiosk_id=self._keys.kiosk_id, trusted=turn.trust
            )
        except ReplyRefused:
            is_ours = reply_raw.startswith(REPLY_MAGIC[:2])
            return ExchangeOutcome(error="reply" if is_ours else "portal", up_bytes=len(turn.raw))
        batch_bytes = self._batch_bytes
        if turn.upload is None:
            batch_bytes = next_bytes(
                batch_bytes,
                sent_bytes=len(turn.raw),
                took_s=max(0.0, took_ms / 1000 - waited_s),
                is_ok=True,
            )
        intake = await self._database.write(
            self._correspondence.taken_in,
            turn,
            reply,
            took_ms=0 if turn.upload else took_ms,
            batch_bytes=batch_bytes,
        )
        sent = len(turn.request.envelopes)
        if intake.changes.ignored:
            return ExchangeOutcome(error=intake.changes.ignored, sent=sent)
        self._batch_bytes = batch_bytes
        self._bytes_max = max(reply.bytes_max, BATCH_BYTES_MIN)
        self._note_success(intake.changes)
        is_moving = self._uploading.has_learnt(turn, intake) or intake.is_moving
        outcome = ExchangeOutcome(
            sent=sent,
            settled=intake.settled,
            notices=intake.notices,
            up_bytes=len(turn.raw),
            down_bytes=len(reply_raw),
            is_more=is_moving and intake.has_more and "slow" not in reply.flags,
            retry_after_s=reply.retry_after_s,
            is_slow="slow" in reply.flags and reply.retry_after_s > 0,
        )
        if intake.changes.is_catalogue_wanted and not self._is_fetching:
            outcome = await self._catalogue_fetched(outcome, reply)
        await self._keep_house()
        return outcome

    def _reported(self) -> Health:
        try:
            return self._health()
        except Exception as error:
            return Health(
                version="?",
                pending=0,
                oldest_s=0,
                disk_free_mb=0,
                devices={"health": type(error).__name__},
            )

    async def _catalogue_fetched(self, outcome: ExchangeOutcome, reply: Reply) -> ExchangeOutcome:
        """Fetch what the centre has published; what fails now is tried with the next exchange."""
        self._is_fetching = True
        try:
            held = await self._database.run(standing.standing_of)
            trust = self._correspondence.trust(held)
            version = await self._fetching.fetch(trust, reply.manifest_hash)
        except (LinkDown, ManifestRefused, StorageFailed) as error:
            return msgspec.structs.replace(outcome, detail=f"catalogue {error.code}")
        finally:
            self._is_fetching = False
        if version is None:
            # The rest comes with the next exchanges, so that no envelope waits for it.
            is_more = outcome.is_more or "slow" not in reply.flags
            return msgspec.structs.replace(outcome, is_more=is_more, is_catalogue_left=is_more)
        if self._on_catalogue is not None:
            self._on_catalogue(version)
        return outcome

    async def _keep_house(self) -> None:
        if not self._database.has_room():
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
            last_ok_ms=self._clock.now_ms() + changes.clock_skew_ms,
            is_reachable=True,
            is_revoked="revoked" in changes.flags,
            must_reenrol="reenrol" in changes.flags,
            clock_skew_ms=changes.clock_skew_ms,
        )

    def _note_failure(self, outcome: ExchangeOutcome, sent_bytes: int) -> None:
        if sent_bytes and self._batch_bytes and outcome.error in _SHRINKING:
            self._batch_bytes = next_bytes(
                self._batch_bytes, sent_bytes=sent_bytes, took_s=0.0, is_ok=False
            )
        self.state = msgspec.structs.replace(
            self.state,
            last_error=outcome.error,
            detail=outcome.detail,
            is_reachable=False,
            # Two that were lost together are one failure of the link.
            failures=self.state.failures + (0 if self._has_failed else 1),
        )
        self._has_failed = True

    def _pause_s(self, outcome: ExchangeOutcome) -> float:
        spread = self._entropy.uniform()
        if outcome.error:
            # Quick tries find a link that was cut; a portal or a refusal stays for a while.
            skipped = 0 if outcome.error == "link" else RETRIES_QUICK
            pause_s = delay_s(self.state.failures + skipped, spread)
            # Unsigned: a stranger's word may not silence a kiosk for long.
            return max(pause_s, away_s(min(outcome.retry_after_s, RETRY_MAX_S), spread))
        away = away_s(outcome.retry_after_s, spread)
        if outcome.is_more:
            return away
        calm = 0 if outcome.settled or outcome.notices else self._calm
        self._calm = calm + 1
        return max(away, rhythm_s(calm, spread, self._heartbeat_s))

    async def _wait(self, pause_s: float, waker: asyncio.Event) -> None:
        sleeping = asyncio.ensure_future(self._clock.sleep(pause_s))
        waking = asyncio.ensure_future(waker.wait())
        try:
            await asyncio.wait((sleeping, waking), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()
        if self._wake.is_set():
            self._calm = 0
            self.state = msgspec.structs.replace(self.state, failures=0)


def _started(db: Tables) -> int:
    """Count this start, look at the catalogue; answer the bound of the first request."""
    standing.count_boot(db)
    catalogues.recheck(db)
    return standing.standing_of(db).batch_bytes
