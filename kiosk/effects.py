"""Doing what the visit asks: seal and commit, look up, forget, call the helper.

A receipt exists only once its commit is on the disk. Whatever fails is answered as `Failed`,
with a code for the helper; nothing was promised then, and the answers are still on the screen.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from sqlite_utils import Database as Tables

from kiosk.ahead import Ahead
from kiosk.assisted.deeds import Maker
from kiosk.assisted.marks import marks_of
from kiosk.carry import Carry
from kiosk.drafts import Drafts
from kiosk.events import (
    Carried,
    CheckHelper,
    Committed,
    CountUnmet,
    Discard,
    Effect,
    Event,
    Failed,
    Found,
    ListDay,
    LookUp,
    Prepare,
    PrintSlip,
    Ring,
    Submit,
    Tally,
    Wipe,
)
from kiosk.lookup import Person, kiosk_salt, people_of, tags_of
from kiosk.matters import Matters, Register
from kiosk.resume import Trail
from kiosk.slips import Slips
from kiosk.speech import LiveVoice
from sync import outbox
from sync.answers import encode_transaction
from sync.catalogues import Loaded
from sync.clock import Clock
from sync.database import Database, DiskFull, StorageFailed
from sync.device import KioskIdentity
from sync.errors import BianminError
from sync.limits import HELPER_CALLED_S
from sync.records import Attachment, Receipt, Transaction
from sync.sealing import SealingPublic
from sync.signing import DeviceKeys
from sync.withdrawal import is_withdrawal

_log = logging.getLogger(__name__)

#: Code of the fault screen when there is no room for a transaction.
NO_ROOM = "507"
#: Code when the store cannot be written at all (read-only card, damage).
NO_STORE = "500"


class Effects:
    """Runs effects against the store.

    Args:
        database: The open store.
        keys: The device's.
        identity: Kiosk number.
        clock: Kiosk's time.
        drafts: Attachments of the running visit.
        live: Spoken pieces of the running visit.
        trail: Remembers the transaction under way across a power cut.
        poke: Wakes the agent.
        formers: Stores of former identities, for look-ups.
        keep: Writes a committed envelope, by its number, where a damaged store cannot take it
            along (`sync.shadow`); it never fails. None = nothing does.
        carry: Shows what waits to a phone; None = nothing does.
        ring: Rings the bell.
        slips: Prints; None = nothing does.
        deeds: Makes what does a helper's deeds; None = no helper is known here.
    """

    def __init__(
        self,
        database: Database,
        keys: DeviceKeys,
        identity: KioskIdentity,
        clock: Clock,
        drafts: Drafts,
        live: LiveVoice,
        trail: Trail,
        poke: Callable[[], None],
        *,
        formers: Sequence[Register] = (),
        keep: Callable[[int], Awaitable[None]] | None = None,
        carry: Carry | None = None,
        ring: Callable[[], None] = lambda: None,
        slips: Slips | None = None,
        deeds: Maker | None = None,
    ) -> None:
        self._database = database
        self._keys = keys
        self._identity = identity
        self._clock = clock
        self._drafts = drafts
        self._live = live
        self._trail = trail
        self._poke = poke
        self._salt = kiosk_salt(keys.to_bytes())
        self._matters = Matters((Register(database, self._salt), *formers))
        self._keep = keep
        self._carry = carry
        self._ring = ring
        self._slips = slips
        self._deeds = deeds(database, clock, self._salt, self._matters) if deeds else None
        self._called_ms: int | None = None
        self._tags: Ahead[tuple[Person, ...], tuple[bytes, ...]] = Ahead()
        self._notes: Ahead[tuple[bytes, str], None] = Ahead()

    async def run(  # noqa: C901, PLR0912 -- one case an effect
        self, effects: Sequence[Effect], loaded: Loaded
    ) -> tuple[Event, ...]:
        """Run effects in order and answer what they bring."""
        events: list[Event] = []
        for effect in effects:
            match effect:
                case Submit(transaction=transaction):
                    events.append(await self._submit(transaction, loaded))
                case Prepare(transaction=transaction):
                    self._tagged(transaction)
                    self._noted(transaction)
                case LookUp():
                    events.append(await self._look_up(effect))
                case Wipe():
                    self._drafts.wipe()
                    self._live.wipe()
                    self._tags.forget()
                    self._notes.forget()
                    if self._slips is not None:
                        self._slips.forget()
                case Carried(visit=visit):
                    if self._carry is not None:
                        await self._carry.taken(visit)
                case PrintSlip():
                    if self._slips is not None:
                        await self._slips.print(effect, loaded)
                case CheckHelper() | ListDay() | Tally() | CountUnmet():
                    events.extend(await self._deeds.run(effect) if self._deeds else ())
                case Discard(question=question):
                    self._drafts.discard(question)
                case Ring():
                    self._called_ms = self._clock.monotonic_ms()
                    self._ring()
                    self._poke()
        return tuple(events)

    @property
    def is_preparing(self) -> bool:
        """Whether anything of a visit's answers is held."""
        return not (self._tags.is_empty and self._notes.is_empty)

    @property
    def unmet(self) -> Mapping[str, int]:
        """How many people did not find what they need, by day."""
        return self._deeds.unmet.days if self._deeds else {}

    @property
    def is_helper_called(self) -> bool:
        """Whether somebody called the helper lately; goes into the health report."""
        if self._called_ms is None:
            return False
        return self._clock.monotonic_ms() - self._called_ms < HELPER_CALLED_S * 1000

    async def _submit(self, transaction: Transaction, loaded: Loaded) -> Committed | Failed:
        if not self._database.has_room():
            return Failed(NO_ROOM)
        try:
            body = encode_transaction(loaded.catalogue, loaded.dictionary, transaction)
            service = loaded.catalogue.service(transaction.service)
            attachments = self._drafts.attachments(transaction, service)
            tags = (*await self._tagged(transaction), *self._marked(transaction))
            # A rating's and a withdrawal's end is no receipt that somebody waits for.
            if service.case_kind != "rating" and not is_withdrawal(transaction):
                await self._noted(transaction)
            receipt = await self._database.write(
                _enqueued,
                keys=self._keys,
                sealing=loaded.sealing,
                catalogue_version=loaded.version,
                body=body,
                attachments=attachments,
                transaction=transaction,
                kiosk_no=self._identity.kiosk_no,
                now_ms=self._clock.now_ms(),
                tags=tags,
            )
        except (BianminError, sqlite3.Error, OSError) as error:
            return await self._after_fault(transaction, error)
        if self._keep is not None:
            await self._keep(receipt.seq)
        self._poke()
        return Committed(receipt)

    def _tagged(self, transaction: Transaction) -> asyncio.Future[tuple[bytes, ...]]:
        people = people_of(transaction.answers)
        return self._tags.begin(people, partial(tags_of, people, self._salt))

    def _marked(self, transaction: Transaction) -> tuple[bytes, ...]:
        return marks_of(transaction, self._deeds.today, self._salt) if self._deeds else ()

    def _noted(self, transaction: Transaction) -> asyncio.Future[None]:
        owed = (transaction.id, transaction.language)
        return self._notes.begin(owed, partial(self._trail.note, *owed))

    async def _after_fault(self, transaction: Transaction, error: Exception) -> Committed | Failed:
        """Look whether it was committed all the same: a fault after COMMIT is no failure."""
        _log.error(
            "a transaction could not be stored",
            extra={"service": transaction.service, "reason": type(error).__name__},
        )
        try:
            receipt = await self._database.run(outbox.receipt_of, transaction.id)
        except (StorageFailed, sqlite3.Error, OSError):
            receipt = None
        if receipt is not None:
            return Committed(receipt)
        match error:
            case DiskFull():
                return Failed(NO_ROOM)
            case BianminError() if not isinstance(error, StorageFailed):
                return Failed(error.code.split(".", 1)[0])
            case _:
                return Failed(NO_STORE)

    async def _look_up(self, effect: LookUp) -> Found | Failed:
        try:
            if effect.case_no:
                found = await self._matters.of_case(effect.case_no)
            else:
                found = await self._matters.of_person(effect.id_number, effect.phone_tail)
        except (StorageFailed, sqlite3.Error, OSError) as error:
            _log.error("a look-up failed", extra={"reason": type(error).__name__})
            return Failed(NO_STORE)
        # Somebody is asking: what the centre has said meanwhile is fetched now.
        self._poke()
        return Found(found)


def _enqueued(
    db: Tables,
    *,
    keys: DeviceKeys,
    sealing: SealingPublic,
    catalogue_version: int,
    body: bytes,
    attachments: Sequence[Attachment],
    transaction: Transaction,
    kiosk_no: int,
    now_ms: int,
    tags: Sequence[bytes],
) -> Receipt:
    """Store a transaction and by which tags it is found again; the caller commits."""
    receipt = outbox.submit(
        db,
        keys=keys,
        sealing=sealing,
        catalogue_version=catalogue_version,
        body=body,
        attachments=attachments,
        transaction_id=transaction.id,
        service=transaction.service,
        kiosk_no=kiosk_no,
        now_ms=now_ms,
    )
    for tag in tags:
        outbox.remember_person(db, tag, receipt.case_no)
    return receipt
