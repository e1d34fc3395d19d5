"""One kiosk: production's store and agent on a simulated card, and the rule of its app.

The rule: the id is minted when the check page opens; whose receipt is owed is on the disk before
the commit; a number is shown only after it; a start looks the owed id up and enqueues nothing.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Literal

import msgspec
from sqlite_utils import Database as Tables

from sync import duty, outbox
from sync.agent import Agent, ExchangeOutcome
from sync.answers import encode_transaction
from sync.catalogues import Loaded, load_current
from sync.clock import SeededEntropy
from sync.correspondence import Turn
from sync.database import Database, DiskFull, StorageFailed, open_database
from sync.device import KioskIdentity
from sync.errors import BianminError
from sync.ids import uuid7
from sync.records import Health, Receipt
from sync.signing import DeviceKeys
from sync.wire import CourierTooLong, courier_url
from tests.simulation.clocks import SimClock
from tests.simulation.disk import Crashed, SimDisk
from tests.simulation.history import Broken, History, Press
from tests.simulation.link import SimLink
from tests.simulation.loop import Process
from tests.simulation.scenery import BALLAST_BYTES, Matter
from tests.simulation.trace import Trace

STORE = Path("/kiosk/kiosk.db")
OWED = Path("/kiosk/receipt-owed")
PUBLIC_URL = "https://centre.example"
REST_S = 60.0
TRIES = 3


#: Answers that no form reads, or a catalogue that was never published.
Poison = Literal["", "body", "edition"]
UNKNOWN_EDITION = 3_000_000_000  # no centre comes so far


class Visit(msgspec.Struct, frozen=True):
    """What a resident brings to the kiosk."""

    matter: Matter
    #: Bytes that must never be seen in the clear.
    secrets: tuple[bytes, ...]
    #: What makes it unreadable at the centre.
    poison: Poison = ""
    taps: int = 1
    #: The id of a matter that is still on the screen, although the card under it was set back.
    again: bytes = b""


class Outside(msgspec.Struct, frozen=True):
    """What a kiosk's world is told."""

    history: History
    trace: Trace
    #: A number was shown; the address on the slip, "" when it is too long for a QR.
    on_receipt: Callable[["Kiosk", Press, str], None]
    #: An exchange ended.
    on_outcome: Callable[["Kiosk", ExchangeOutcome], None]
    #: An attachment leaves the card: its state, its bytes, and the epoch that the kiosk knows.
    on_let_go: Callable[["Kiosk", str, bytes, int], None]
    #: Something that must not happen did.
    on_defect: Callable[[str, BaseException], None]


class Card(msgspec.Struct, frozen=True):
    """What makes a machine this kiosk; a copied card makes two."""

    disk: SimDisk
    keys: DeviceKeys
    identity: KioskIdentity


class WatchedAgent(Agent):
    """The production agent, of which the world hears each outcome."""

    on_outcome: Callable[[ExchangeOutcome], None]

    async def _carried(self, turn: Turn) -> ExchangeOutcome:
        outcome = await super()._carried(turn)
        self.on_outcome(outcome)
        return outcome


class Kiosk:
    """A machine with its card; it may be off, dead, or one of two with the same identity.

    Args:
        name: In the story.
        card: Its disk, and who it says it is.
        link: Way to the centre.
        clock: Its own, however wrong.
        random: Its own luck.
        outside: Who is told what.
        heartbeat_s: Longest silence of its agent.
    """

    def __init__(
        self,
        name: str,
        card: Card,
        link: SimLink,
        clock: SimClock,
        random: Random,
        outside: Outside,
        heartbeat_s: float,
    ) -> None:
        self.name = name
        self.card = card.disk
        self.keys = card.keys
        self.identity = card.identity
        self.link = link
        self.clock = clock
        self.random = random
        self.outside = outside
        self.heartbeat_s = heartbeat_s
        self.process: Process | None = None
        self.agent: WatchedAgent | None = None
        self.database: Database | None = None
        #: Cleared when the machine is not to come up again by itself (stolen, replaced).
        self.is_in_service = True
        #: Its numbers may be another's too.
        self.is_doubted = False
        self.is_power_cut_next = True
        self.settled: set[bytes] = set()
        self._boots = 0
        self._is_out = False
        self._loaded: Loaded | None = None
        #: Newest catalogue of this start.
        self._in_force = 0
        self._visits: asyncio.Queue[Visit] = asyncio.Queue()
        self._entropy = SeededEntropy(random.getrandbits(60))

    # --- on and off

    @property
    def is_on(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.is_alive

    def boot(self) -> bool:
        """Start as the supervisor does; answer whether it came up."""
        if self.is_on or not self.is_in_service:
            return self.is_on
        self._boots += 1
        self._in_force = 0
        process = Process(self.name, self.random)
        process.on_cut = self._cut
        self.process = process
        try:
            database = open_database(
                STORE,
                device_public=self.keys.sign_public,
                ballast_bytes=BALLAST_BYTES,
                disk=self.card,
            )
            self._watch(database)
        except Crashed as cut:
            self._cut(cut)
            return False
        except (BianminError, sqlite3.Error, OSError) as error:
            self.outside.trace.note(self.name, f"does not come up: {type(error).__name__}")
            process.is_alive = False
            self.card.crash()
            return False
        self.database = database
        self._boot_id = self._entropy.token_bytes(4)
        self._visits = asyncio.Queue()
        self.agent = WatchedAgent(
            database,
            self.link,
            self.keys,
            self.identity,
            self.clock,
            SeededEntropy(self.random.getrandbits(60)),
            lambda: Health(version="sim", pending=0, oldest_s=0, disk_free_mb=900),
            on_catalogue=self.renewed,
            heartbeat_s=self.heartbeat_s,
        )
        self.agent.on_outcome = partial(self.outside.on_outcome, self)
        self.outside.trace.note(self.name, f"is up, start {self._boots}")
        self._start(process, self._serve(database), "app")
        self._start(process, self.agent.run(), "agent")
        return True

    def _watch(self, database: Database) -> None:
        """Tell the judge of each attachment that leaves the card, at that very moment."""
        conn = database.conn.conn
        conn.create_function("let_go", 3, partial(self.outside.on_let_go, self))
        conn.execute(
            "CREATE TEMP TRIGGER let_go AFTER DELETE ON attachment BEGIN"
            " SELECT let_go(old.state, old.sealed, (SELECT epoch FROM standing)); END"
        )

    def _start(self, process: Process, work: Any, name: str) -> None:
        task = process.spawn(work, name)
        task.add_done_callback(partial(self._ended, process))

    def _ended(self, process: Process, task: "asyncio.Task[Any]") -> None:
        if task.cancelled() or not process.is_alive:
            return
        error = task.exception()
        if isinstance(error, Crashed):
            self._cut(error)
        elif error is not None:
            self.outside.on_defect(task.get_name(), error)

    def _cut(self, _: BaseException) -> None:
        """The disk stopped in the middle of a call."""
        self.outside.trace.note(self.name, "is cut off inside a call of its disk")
        self.down(is_power=self.is_power_cut_next)

    def down(self, *, is_power: bool) -> None:
        """Be killed, or lose power and with it what was not synced."""
        if self.process is None:
            return
        self.process.kill()
        self.process = self.agent = self.database = None
        if is_power:
            self.card.power_cut()
        else:
            self.card.crash()
        self.outside.trace.note(self.name, "loses power" if is_power else "is killed")

    def poke(self) -> None:
        """Press "send now"."""
        if self.agent is not None:
            self.agent.poke()

    # --- its app

    def arrive(self, visit: Visit) -> None:
        """Let a resident step up; one who finds it dark walks on."""
        if self.is_on:
            self._visits.put_nowait(visit)

    @property
    def boot_id(self) -> bytes:
        """What this start calls itself in its requests."""
        return self._boot_id

    def renewed(self, version: int) -> None:
        """Take the newest catalogue for the next visit."""
        self.outside.trace.note(self.name, f"catalogue {version} is in force")
        if version < self._in_force:
            self.outside.on_defect(
                self.name, Broken(f"catalogue_never_goes_back: from {self._in_force} to {version}")
            )
        self._in_force = version
        if self.process is not None and self.database is not None:
            self._start(self.process, self._load(self.database), "renew")

    async def _load(self, database: Database) -> None:
        self._loaded = await database.run(load_current)

    async def _serve(self, database: Database) -> None:
        try:
            await self._settle_owed(database)
            await self._load(database)
        except (BianminError, sqlite3.Error, OSError) as error:
            self.outside.trace.note(self.name, f"shows a fault: {type(error).__name__}")
        while True:
            visit = await self._visits.get()
            await self._visited(visit, database)

    async def _settle_owed(self, database: Database) -> None:
        """Show the receipt that a cut kept from somebody, or learn that there is none."""
        owed = await database.run(lambda _: self._owed())
        press = self.outside.history.presses.get(owed)
        if press is None:
            return
        receipt = await database.run(outbox.receipt_of, owed)
        if receipt is not None:
            await self._shown(press, receipt, database)
            return
        if press.state == "under way" and press.kiosk == self.name and not self.is_doubted:
            press.state = "gone"
        await database.run(lambda _: self.card.unlink(OWED))

    def _owed(self) -> bytes:
        return self.card.read(OWED) if self.card.exists(OWED) else b""

    async def _visited(self, visit: Visit, database: Database) -> None:
        loaded = self._loaded
        await self._heed(database)
        if loaded is None or self._is_out:
            self.outside.trace.note(self.name, "takes nobody")
            return
        await self.clock.sleep(60 + self.random.random() * 540)
        skew_ms = self.agent.state.clock_skew_ms if self.agent else 0
        minted = visit.again or uuid7(max(0, self.clock.now_ms() + skew_ms), self._entropy)
        transaction = msgspec.structs.replace(visit.matter.transaction, id=minted)
        press = Press(
            transaction=transaction,
            attachments=visit.matter.attachments,
            kiosk=self.name,
            kiosk_id=self.keys.kiosk_id,
            edition=UNKNOWN_EDITION if visit.poison == "edition" else loaded.version,
            is_poisoned=bool(visit.poison),
            is_doubted=self.is_doubted,
        )
        body = encode_transaction(loaded.catalogue, loaded.dictionary, transaction)
        if visit.poison == "body":
            body = minted + self._entropy.token_bytes(48)
        pieces = (body[16:32], *(a.content[8:24] for a in press.attachments))
        # Padding and a common head of pictures are no secret, and lie everywhere.
        telling = (piece for piece in pieces if len(set(piece)) >= 10)
        if not visit.again:
            self.outside.history.begun(press, (*visit.secrets, *telling))
        await self.clock.sleep(2 + self.random.random() * 20)
        taps = [self._submit(press, loaded, body, database) for _ in range(visit.taps)]
        await asyncio.gather(*taps)

    async def _heed(self, database: Database) -> None:
        """Ask whether the centre wants it to rest; what cannot be read stays as it was."""
        try:
            self._is_out = (await database.run(duty.duty_of)).is_out
        except (BianminError, sqlite3.Error, OSError) as error:
            self.outside.trace.note(self.name, f"cannot read its duty: {type(error).__name__}")

    async def _submit(self, press: Press, loaded: Loaded, body: bytes, database: Database) -> None:
        """Confirm, and once more when told that it failed: the answers are still there."""
        for _ in range(TRIES):
            receipt, word, is_certain = await self._once(press, loaded, body, database)
            if receipt is not None:
                await self._shown(press, receipt, database)
                return
            self.outside.trace.note(self.name, f"{press.id.hex()[-6:]} is not stored: {word}")
            press.is_surely_absent = is_certain
            if self.random.random() < 0.5:
                break
            await self.clock.sleep(REST_S)
        if press.state == "under way":
            press.state = "failed"

    async def _once(
        self, press: Press, loaded: Loaded, body: bytes, database: Database
    ) -> tuple[Receipt | None, str, bool]:
        try:
            if not database.has_room():
                return None, "no room", True
            await database.run(lambda _: self.card.write_whole(OWED, press.id))
            receipt = await database.write(self._enqueued, press, loaded, body, self.clock.now_ms())
        except (BianminError, sqlite3.Error, OSError) as error:
            word = "no room" if isinstance(error, DiskFull) else type(error).__name__
            try:
                return await database.run(outbox.receipt_of, press.id), word, True
            except (StorageFailed, sqlite3.Error, OSError):
                return None, word, False
        self.poke()
        return receipt, "", True

    def _enqueued(
        self, db: Tables, press: Press, loaded: Loaded, body: bytes, now_ms: int
    ) -> Receipt:
        receipt = outbox.submit(
            db,
            keys=self.keys,
            sealing=loaded.sealing,
            catalogue_version=press.edition,
            body=body,
            attachments=press.attachments,
            transaction_id=press.id,
            service=press.transaction.service,
            kiosk_no=self.identity.kiosk_no,
            now_ms=now_ms,
        )
        (envelope,) = db.conn.execute(
            "SELECT envelope FROM outbox WHERE seq = ?", (receipt.seq,)
        ).fetchone()
        pieces = db.conn.execute(
            "SELECT sealed FROM attachment WHERE seq = ? ORDER BY place", (receipt.seq,)
        ).fetchall()
        press.sealed = tuple(piece for (piece,) in pieces)
        press.envelope, press.seq, press.case_no = envelope, receipt.seq, receipt.case_no
        return receipt

    async def _shown(self, press: Press, receipt: Receipt, database: Database) -> None:
        """Draw the receipt: from here on it is promised."""
        if press.state != "receipted":
            self.outside.trace.note(
                self.name, f"shows receipt {receipt.case_no} of {press.id.hex()[-6:]}"
            )
        press.state = "receipted"
        press.seq, press.case_no = receipt.seq, receipt.case_no
        self.outside.on_receipt(self, press, await self._slip(receipt, database))
        await database.run(lambda _: self._forget_owed())

    def _forget_owed(self) -> None:
        try:
            self.card.unlink(OWED)
        except OSError:
            return

    async def _slip(self, receipt: Receipt, database: Database) -> str:
        try:
            raw = await database.run(outbox.courier_of, receipt.seq)
            return courier_url(PUBLIC_URL, raw)
        except (CourierTooLong, BianminError, sqlite3.Error, OSError):
            return ""
