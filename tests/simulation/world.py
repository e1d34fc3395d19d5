"""One run: kiosks, a centre, people and misfortune in virtual time, all decided by one seed.

    result = run_seed(17)
    result.broken   "" or what promise was broken, with the story in `result.lines`

First comes misfortune (`Plan.span_s`), then everything heals and nobody comes any more, and
within `HEAL_S` all must have arrived.
"""

import asyncio
import gc
import hashlib
import logging
import sqlite3
from functools import lru_cache
from random import Random
from typing import Any

import msgspec

from server.store import fleet
from server.store.catalogues import CatalogueRow
from sync.agent import ExchangeOutcome
from sync.clock import SeededEntropy
from sync.device import KioskIdentity
from sync.records import Envelope
from sync.signing import DeviceKeys
from tests.simulation import evidence, hpke, invariants, misfortune, past, people, scenery
from tests.simulation.centre import DATABASE, RETRY_AFTER_S, Centre
from tests.simulation.clocks import START_MS, SimClock
from tests.simulation.disk import Crashed, SimDisk, Snapshot
from tests.simulation.history import Broken, History, Press
from tests.simulation.kiosk import STORE, Card, Kiosk, Outside
from tests.simulation.link import Network, SimLink
from tests.simulation.loop import PROCESS, Deadlock, Livelock, VirtualLoop
from tests.simulation.plan import Plan, drawn
from tests.simulation.stick import SimStick
from tests.simulation.trace import Trace

DAY_S = 86_400.0
#: Virtual time within which everything must have arrived once nothing fails any more.
HEAL_S = 2 * DAY_S
HEAL_STEP_S = 1800.0
VILLAGE = "522326104205"


class Result(msgspec.Struct, frozen=True):
    """How a run ended."""

    seed: int
    #: "" or the broken promise.
    broken: str
    lines: tuple[str, ...]
    #: Equal for equal runs, to the byte.
    digest: str
    #: Confirmations that were receipted, and cases at the centre.
    receipted: int
    cases: int
    faults: tuple[str, ...]


class World:
    """Everything of one run."""

    def __init__(self, plan: Plan, loop: VirtualLoop) -> None:
        self.plan = plan
        self.loop = loop
        self.trace = Trace(loop.time)
        self.history = History()
        self.network = Network(plan, self.luck("network"), self.trace, self.far)
        self.defects: list[str] = []
        #: Envelopes that a restored centre had; a reply on its way may still speak of them.
        self.lost_in_restore: set[bytes] = set()
        #: Attachments that it had whole.
        self.lost_photos: set[bytes] = set()
        #: The newest epoch that anybody began.
        self.epoch = START_MS // 1000
        self.kiosks: list[Kiosk] = []
        #: What was published, kept apart from the centre's database as an operator keeps it.
        self.publications: list[tuple[CatalogueRow, dict[str, bytes]]] = []
        #: Sticks by the kiosk that they belong to, and all that ever lay on one.
        self.sticks: dict[str, SimStick] = {}
        self.seen_on_sticks: list[bytes] = []
        #: Which edition the office wants in force.
        self.edition = 0
        #: A kiosk whose key was stolen, and what was signed with it.
        self.rogue: DeviceKeys | None = None
        self.rogue_chain: list[Envelope] = []
        self.rogue_counter = 0
        self.old_centre: Centre | None = None
        self.centre = self._made_centre()
        self.record = evidence.Record()
        self.record.centre_keys = {key.raw for key in self.centre.keys.sealing}
        self.watch(self.centre)
        self.people = people.People(self)
        self.outside = Outside(
            history=self.history,
            trace=self.trace,
            on_receipt=self._on_receipt,
            on_outcome=self._on_outcome,
            on_let_go=self._on_let_go,
            on_defect=self.on_defect,
        )
        self.is_healed = False
        #: A backup was put back, and nobody has run the command for it yet.
        self.is_epoch_due = False

    # --- making

    def luck(self, name: str) -> Random:
        """Answer random numbers of their own for a part of the world."""
        return Random(f"{self.plan.seed}/{name}")

    def far(self) -> Centre:
        """Answer which centre a request reaches."""
        old = self.old_centre
        if old is not None and old.is_on and self.network.random.random() < 0.5:
            return old
        return self.centre

    def _made_centre(self) -> Centre:
        disk = SimDisk(self.luck("centre disk"))
        disk.make_directory(DATABASE.parent / "vault")
        disk.restore(Snapshot({str(DATABASE): scenery.centre_image()}, {str(DATABASE): 0}))
        keys, vault_keys, _ = scenery.keys()
        return Centre(
            "centre",
            disk,
            keys,
            vault_keys,
            SimClock(self.loop.time),
            self.luck("centre"),
            self.trace,
            self.on_defect,
        )

    def watch(self, centre: Centre) -> None:
        """Let the judge see what its vault is asked and answers."""
        centre.is_disk_sick = self.is_disk_sick
        centre.on_ask = self.record.asked
        centre.on_vault = self.record.vault_answered

    async def enrolled(self, name: str, replaces: int | None = None) -> Kiosk:
        """Take a new kiosk in, as an installer does with a code."""
        random = self.luck(name)
        keys = DeviceKeys.generate(SeededEntropy(random.getrandbits(60)))
        number = await self.admit(keys, name, replaces)
        identity = KioskIdentity(
            kiosk_no=number,
            name=name,
            village_code=VILLAGE,
            public_url="https://centre.example",
            root_public=self.centre.keys.root_public.hex(),
            certificate=self.centre.keys.certificate.to_bytes().hex(),
            epoch=0,
        )
        card = SimDisk(self.luck(f"{name} card"))
        card.make_directory(STORE.parent)
        card.restore(Snapshot({str(STORE): scenery.kiosk_image()}, {str(STORE): 0}))
        kiosk = self.machine(name, Card(card, keys, identity), random)
        kiosk.boot()
        return kiosk

    async def admit(self, keys: DeviceKeys, name: str, replaces: int | None = None) -> int:
        """Enrol a device at the centre; answer its number."""
        number: int = await self.centre.store.write(
            _enrolled, keys, name, replaces, self.centre.clock
        )
        return number

    def doubt(self, kiosk_id: bytes) -> None:
        """Note that an identity has two histories from now on."""
        self.record.doubled.add(kiosk_id)
        for kiosk in self.kiosks:
            if kiosk.keys.kiosk_id == kiosk_id:
                kiosk.is_doubted = True
        for press in self.history.presses.values():
            press.is_doubted = press.is_doubted or press.kiosk_id == kiosk_id

    def count_destroyed(self) -> None:
        """After a card or a database was lost: what lay nowhere else is lost with it (N1)."""
        for press in self.history.receipted():
            if not press.is_destroyed and not evidence.is_held_anywhere(self, press):
                press.is_destroyed = True
                self.trace.note("world", f"{press.case_no} is destroyed with its only copy")
            if not self.centre.is_on:
                continue
            for place, sealed in enumerate(press.sealed):
                if not evidence.is_attachment_held(self, sealed):
                    # Delivered attachments may leave a full card before their 30 days are over.
                    press.gone_places.add(place)

    def machine(self, name: str, card: Card, random: Random) -> Kiosk:
        """Put a card into a machine."""
        kiosk = Kiosk(
            name,
            card,
            SimLink(name, self.network),
            SimClock(self.loop.time),
            random,
            self.outside,
            float(RETRY_AFTER_S),
        )
        self.kiosks.append(kiosk)
        return kiosk

    @property
    def conn(self) -> sqlite3.Connection:
        """The present centre's database, for the judge and for whoever sets the scene."""
        conn = self.centre.store._in_place
        assert conn is not None
        return conn

    # --- what happens

    def on_defect(self, place: str, error: BaseException) -> None:
        """Note something that production code must never do."""
        self.trace.note(place, f"raises {type(error).__name__}: {error}")
        name = type(error).__name__
        is_judged = isinstance(error, Broken)
        self.defects.append(
            str(error) if is_judged else f"no_error_escapes: {place} raised {name}: {error}"
        )

    def _on_receipt(self, kiosk: Kiosk, press: Press, url: str) -> None:
        invariants.receipt_is_durable(self, press, kiosk)
        self.people.takes_slip(url)

    def _on_outcome(self, kiosk: Kiosk, outcome: ExchangeOutcome) -> None:
        word = f"{outcome.error} {outcome.detail}".strip() or "ok"
        self.trace.note(
            kiosk.name,
            f"exchange {word}: sent {outcome.sent}, settled {outcome.settled}, "
            f"notices {outcome.notices}",
        )
        if outcome.error == "fault" and not self.is_disk_sick():
            self.defects.append(f"no_error_escapes: {kiosk.name}'s agent met {outcome.detail}")
        if outcome.settled:
            self.checks_settled(kiosk)

    def checks_settled(self, kiosk: Kiosk) -> None:
        """Judge what a kiosk has just taken for delivered."""
        try:
            invariants.settled_is_held(self, kiosk)
        except Broken as broken:
            self._note_broken(broken)

    def _on_let_go(self, kiosk: Kiosk, state: str, sealed: bytes, epoch: int) -> None:
        try:
            invariants.attachment_leaves_when_it_arrived(self, kiosk, state, sealed, epoch)
        except Broken as broken:
            self._note_broken(broken)

    def _note_broken(self, broken: Broken) -> None:
        # Told at once, judged when the run looks next: production code must not feel it.
        self.trace.note("judge", str(broken))
        self.defects.append(str(broken))

    def is_disk_sick(self) -> bool:
        """Answer whether errors of a disk are to be expected now."""
        return not self.is_healed and any(
            self.plan.has(fault) for fault in ("disk_full", "disk_readonly", "disk_error")
        )

    async def run(self) -> None:
        """Live through it all."""
        self.trace.note("world", f"seed {self.plan.seed}: {' '.join(sorted(self.plan.faults))}")
        self.centre.boot()
        for number in range(1, self.plan.kiosks + 1):
            await self.enrolled(f"kiosk {number}")
        watching = [
            asyncio.ensure_future(self._keep_up()),
            *self.people.begin(),
            *misfortune.begin(self),
        ]
        await asyncio.sleep(self.plan.span_s)
        for task in watching:
            task.cancel()
        for outcome in await asyncio.gather(*watching, return_exceptions=True):
            if isinstance(outcome, Exception):
                self.on_defect("the world", outcome)
        invariants.no_receipted_transaction_is_lost(self)
        await self._heal()
        self._judge_defects()
        await invariants.at_the_end(self)

    async def _keep_up(self) -> None:
        """Be the supervisors: start again what is down, after a while."""
        random = self.luck("supervisors")
        while True:
            await asyncio.sleep(30 + random.random() * 900)
            self._all_up(random)

    def _all_up(self, random: Random | None = None) -> None:
        for machine in (self.centre, self.old_centre, *self.kiosks):
            if machine is None or machine.is_on or not machine.is_in_service:
                continue
            if random is None or random.random() < 0.6:
                misfortune.boot(self, machine, random)
        for centre in (self.centre, self.old_centre):
            if centre is not None:
                centre.boot_vault()

    async def _heal(self) -> None:
        """End every misfortune and wait until all has arrived, or for too long."""
        self.trace.note("world", "heals")
        # A failed read leaves its cursor in the traceback's cycle; on a real machine it goes soon.
        gc.collect()
        self.is_healed = True
        self.network.is_bad = False
        misfortune.end(self)
        if self.is_epoch_due:
            self.centre.down(is_power=False)
            await past.restored(self, self.centre)
        deadline_s = self.loop.time() + HEAL_S
        while True:
            self._all_up()
            for kiosk in self.kiosks:
                kiosk.poke()
            if self.centre.is_on:
                self.centre.pipeline.poke()
            await asyncio.sleep(HEAL_STEP_S)
            self._judge_defects()
            past.note_revoked(self)
            left = invariants.left_to_do(self)
            if not left:
                break
            if self.loop.time() > deadline_s:
                raise Broken(f"everything_arrives_after_healing: {left}")
        invariants.letters_come_back_by_themselves(self)
        await self.people.clear_up()

    def _judge_defects(self) -> None:
        if self.defects:
            raise Broken(self.defects[0])

    @property
    def digest(self) -> str:
        """Answer a hash of the story and of every byte that went over a wire."""
        wire = hashlib.sha256()
        for raw in self.network.wire:
            wire.update(raw)
        return hashlib.sha256(self.trace.digest.encode() + wire.digest()).hexdigest()

    def end(self) -> None:
        """Let go of everything."""
        self.network.end()
        for machine in (self.centre, self.old_centre, *self.kiosks):
            if machine is not None and machine.is_on:
                machine.down(is_power=False)

    def press_of(self, transaction_id: bytes) -> Press | None:
        """Answer a confirmation by its id."""
        return self.history.presses.get(transaction_id)


def _enrolled(conn: Any, keys: DeviceKeys, name: str, replaces: int | None, clock: SimClock) -> int:
    number = fleet.next_kiosk_no(conn)
    fleet.add_kiosk(
        conn,
        kiosk_id=keys.kiosk_id,
        kiosk_no=number,
        name=name,
        village_code=VILLAGE,
        device_public=keys.sign_public,
        notice_public=keys.notice_public,
        fingerprint=bytes(16),
        replaces=replaces,
        now_ms=clock.now_ms(),
    )
    return number


def run_seed(seed: int, plan: Plan | None = None) -> Result:
    """Run one seed and answer how it ended; never raises for a broken promise."""
    return run_plan(plan or drawn(seed))


def run_plan(plan: Plan, script: Any = None) -> Result:
    """Run one plan, or a script of its own in such a world."""
    _prepared()
    loop = VirtualLoop(cuts=(Crashed,))
    loop.set_exception_handler(_handled)
    world = World(plan, loop)
    entropy = SeededEntropy(plan.seed)
    broken = ""
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        with (
            hpke.seeded(lambda: entropy.token_bytes(32), world.record.opened),
            _Logs(world),
            scenery.quickened(),
        ):
            loop.run_until_complete(script(world) if script else world.run())
    except (Broken, Deadlock, Livelock) as error:
        broken = str(error)
        world.trace.note("judge", broken)
    finally:
        _closed(loop, world)
        if was_collecting:
            gc.enable()
    return Result(
        seed=plan.seed,
        broken=broken,
        lines=tuple(world.trace.lines),
        digest=world.digest,
        receipted=len(world.history.receipted()),
        cases=world.record.cases,
        faults=tuple(sorted(plan.faults)),
    )


@lru_cache(maxsize=1)
def _prepared() -> None:
    """Make what all runs share, and let the collector never look at it again."""
    scenery.kiosk_image()
    scenery.matters()
    gc.collect()
    gc.freeze()


def _closed(loop: VirtualLoop, world: World) -> None:
    world.end()
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def _handled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A disk that dies under a callback ends the process that the callback belongs to."""
    error = context.get("exception")
    if isinstance(error, Crashed):
        handle = context.get("handle")
        process = handle._context.get(PROCESS) if handle is not None else None
        if process is not None and process.is_alive:
            process.on_cut(error)
        return
    loop.default_exception_handler(context)


class _Logs(logging.Handler):
    """Reads production's logs: errors that a worker outlives are defects all the same."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.ERROR)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0] if record.exc_info else None
        is_excused = kind is not None and (
            issubclass(kind, Crashed)
            or (issubclass(kind, sqlite3.Error | OSError) and self._world.is_disk_sick())
        )
        if kind is not None and not is_excused:
            self._world.defects.append(
                f"no_error_escapes: {record.name}: {record.getMessage()} ({kind.__name__})"
            )

    def __enter__(self) -> None:
        logging.getLogger("server").addHandler(self)

    def __exit__(self, *_: object) -> None:
        logging.getLogger("server").removeHandler(self)
