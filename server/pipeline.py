"""From the inbox to cases: open by machine, decide, store; nothing is ever dropped.

Every envelope ends in exactly one fate: case, correction, rating, query, duplicate, or dead
letter with its reason. The worker reacts to nothing from outside but a nudge, and works through
what waits at its own pace, in batches.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable, Sequence
from typing import Protocol, assert_never

from server.catalogue.shelf import Shelf
from server.errors import NotPublished, StoreBusy, StoreFault, VaultUnavailable
from server.live import Broadcast
from server.store import assisted, cases, inbox, outcomes, withdrawals
from server.store.rows import StoredEnvelope
from server.store.sqlite import Store
from server.vault.protocol import Failed, Routed
from sync import limits
from sync.clock import Clock

LOG = logging.getLogger(__name__)


class Opener(Protocol):
    """What the worker needs of the vault."""

    async def route(self, envelopes: Sequence[StoredEnvelope]) -> list[Routed | Failed]:
        """Answer what decides the envelopes' way; `VaultUnavailable` when nobody answers."""
        ...

    async def is_up(self) -> bool:
        """Answer whether the vault answers at all."""
        ...


class Unfinished(Exception):
    """A routed transaction that cannot become anything yet."""

    def __init__(self, reason: str, *, awaits: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.awaits = awaits


def _seen(conn: sqlite3.Connection, shelf: Shelf) -> tuple[bool, list[StoredEnvelope]]:
    """Look for a newer catalogue; answer whether letters awaited one, and what waits."""
    shelf.refresh(conn)
    return outcomes.has_published(conn), inbox.waiting(conn, limits.PIPELINE_BATCH)


def settle(
    conn: sqlite3.Connection,
    shelf: Shelf,
    envelopes: Sequence[StoredEnvelope],
    items: Sequence[Routed | Failed],
    now_ms: int,
) -> int:
    """Store what became of a batch; answer how many envelopes found their fate.

    Each envelope has a savepoint of its own: one that fails is buried, the others stand.
    """
    by_id = {envelope.id: envelope for envelope in envelopes}
    done = 0
    for item in items:
        envelope = by_id[item.envelope_id]
        if not outcomes.is_waiting(conn, envelope.id):
            continue
        conn.execute("SAVEPOINT item")
        try:
            _settle_one(conn, shelf, envelope, item, now_ms)
        except Unfinished as unfinished:
            conn.execute("ROLLBACK TO item")
            outcomes.bury(
                conn,
                envelope.id,
                reason=unfinished.reason,
                detail_code="",
                awaits=unfinished.awaits,
                now_ms=now_ms,
            )
        conn.execute("RELEASE item")
        done += 1
    return done


def _settle_one(
    conn: sqlite3.Connection,
    shelf: Shelf,
    envelope: StoredEnvelope,
    item: Routed | Failed,
    now_ms: int,
) -> None:
    match item:
        case Failed(awaits=awaits) if outcomes.has_come(conn, awaits):
            # It came within this very batch, and would release nobody later: asked once more.
            return
        case Failed(reason=reason, detail_code=code, awaits=awaits):
            outcomes.bury(
                conn, envelope.id, reason=reason, detail_code=code, awaits=awaits, now_ms=now_ms
            )
        case Routed():
            _settle_routed(conn, shelf, envelope, item, now_ms)
        case _:
            assert_never(item)


def _settle_routed(
    conn: sqlite3.Connection, shelf: Shelf, envelope: StoredEnvelope, routed: Routed, now_ms: int
) -> None:
    try:
        published = shelf.fetch(conn, envelope.catalogue)
    except NotPublished as error:
        raise Unfinished("unknown_catalogue", awaits=outcomes.AWAITS_BLOBS) from error
    service = outcomes.service_of(published, routed.service)
    if service is None:
        raise Unfinished("unknown_service")
    if not outcomes.remember(conn, routed.transaction_id, envelope.id):
        outcomes.set_fate(conn, envelope.id, "duplicate")
        return
    if routed.corrects:
        _settle_further(conn, envelope, routed, now_ms)
    elif service.case_kind == "rating":
        if routed.rating_level is None:
            raise Unfinished("invalid_answers")
        case = cases.get(conn, routed.rating_case_no)
        if case is None:
            raise Unfinished("unknown_case", awaits=f"case:{routed.rating_case_no}")
        outcomes.add_rating(conn, envelope, routed, case, routed.rating_level, now_ms)
    elif service.case_kind == "query":
        outcomes.answer_query(conn, envelope, routed, now_ms)
    else:
        opened = outcomes.open_case(conn, envelope, routed, service, now_ms)
        if opened is not None:
            assisted.note(conn, opened.case_no, routed.helper, now_ms)


def _settle_further(
    conn: sqlite3.Connection, envelope: StoredEnvelope, routed: Routed, now_ms: int
) -> None:
    """Lay a correction or a withdrawal to its case."""
    case = cases.get(conn, routed.corrects)
    if case is None:
        raise Unfinished("unknown_case", awaits=f"case:{routed.corrects}")
    follow = withdrawals.withdraw if routed.is_withdrawal else outcomes.attach_correction
    follow(conn, envelope, routed, case, now_ms)
    assisted.note(conn, case.case_no, routed.helper, now_ms)


class Pipeline:
    """The worker: looks at what waits whenever it is nudged, and now and then by itself."""

    def __init__(
        self,
        store: Store,
        vault: Opener,
        shelf: Shelf,
        broadcast: Broadcast,
        clock: Clock,
        *,
        idle_s: float = limits.PIPELINE_IDLE_S,
        is_crowded: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._vault = vault
        self._shelf = shelf
        self._broadcast = broadcast
        self._clock = clock
        self._idle_s = idle_s
        self._is_crowded = is_crowded
        self._nudge = asyncio.Event()
        self._tries: dict[int, int] = {}

    def poke(self) -> None:
        """Wake the worker: envelopes came, a letter is to be replayed, a catalogue is new."""
        self._nudge.set()

    async def run(self) -> None:
        """Work until cancelled; a fault of the store or the vault only delays it."""
        is_begun = False
        while True:
            self._nudge.clear()
            try:
                if not is_begun:
                    # A restart may have brought a key that letters wait for.
                    await self._store.write(outcomes.release, "key")
                    is_begun = True
                while await self.step():
                    await self._give_way()
            except (VaultUnavailable, StoreBusy, StoreFault) as error:
                LOG.warning("pipeline waits", extra={"code": error.code})
                await self._clock.sleep(limits.VAULT_RESTART_S)
            except Exception:
                # The worker must outlive any fault; what caused it is found by its place.
                LOG.exception("pipeline fault")
                await self._clock.sleep(self._idle_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._idle_s):
                    await self._nudge.wait()

    async def _give_way(self) -> None:
        """Let kiosks that stand at the door go first, for a while; what they bring is kept.

        Cases cost the store's one writer twenty times what taking in does, and can wait.
        """
        for _ in range(limits.PIPELINE_GIVES_WAY):
            if not self._is_crowded():
                return
            await self._clock.sleep(limits.PIPELINE_LOOK_S)

    async def step(self) -> int:
        """Take one batch to its fate; answer how many envelopes were settled.

        Raises:
            VaultUnavailable: Nothing was opened; the batch waits.
        """
        is_due, envelopes = await self._store.read(_seen, self._shelf)
        if is_due:
            await self._store.write(outcomes.release_published)
            envelopes = await self._store.read(inbox.waiting, limits.PIPELINE_BATCH)
        if not envelopes:
            return 0
        items = await self._route(envelopes)
        done = await self._store.write(settle, self._shelf, envelopes, items, self._clock.now_ms())
        for item in items:
            self._tries.pop(item.envelope_id, None)
        self._broadcast.publish("cases")
        self._broadcast.publish("ledger")
        if any(isinstance(item, Failed) for item in items):
            self._broadcast.publish("letters")
        return done

    async def _route(self, envelopes: Sequence[StoredEnvelope]) -> list[Routed | Failed]:
        """Ask the vault; when a batch kills it, find the one that does and bury that one."""
        suspects = [item for item in envelopes if item.id in self._tries]
        if not suspects:
            try:
                return await self._vault.route(envelopes)
            except VaultUnavailable:
                if await self._vault.is_up():
                    self._tries.update({item.id: 0 for item in envelopes})
                raise
        suspect = suspects[0]
        if not await self._vault.is_up():
            raise VaultUnavailable("the vault is down")
        try:
            return await self._vault.route([suspect])
        except VaultUnavailable:
            self._tries[suspect.id] += 1
            if self._tries[suspect.id] < limits.PIPELINE_TRIES_MAX:
                raise
            return [Failed(envelope_id=suspect.id, reason="fault", detail_code="vault")]
