"""The real centre and real kiosks in temporary folders, joined by a link in memory.

Everything that is tested here is production code on real files; only time and the wire are
made. A machine can be copied like a card: its folder is all that it is.
"""

import contextlib
import shutil
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path

from kiosk.events import Committed, Found, LookUp, Submit
from kiosk.lifecycle import Stage
from kiosk.main import put_together
from kiosk.opening import Opened, entered
from kiosk.parts import Parts
from kiosk.settings import Settings
from kiosk.visit import Matter
from server import enrolment, identity
from server.errors import CodeRefused
from server.exchange import Load, take
from server.store import cases, catalogues, fleet
from server.store.rows import CaseRow, Decision
from sync import frames, manifest, outbox
from sync.agent import ExchangeOutcome
from sync.clock import SeededEntropy
from sync.database import Database, open_database
from sync.device import KioskIdentity, load_device
from sync.enrolling import enrol
from sync.enrolment import decode_enrol_request
from sync.frames import Reply, Request
from sync.ids import uuid7
from sync.records import Answers, Receipt, Transaction
from sync.transports import (
    BLOB_PATH,
    ENROL_PATH,
    EXCHANGE_PATH,
    MANIFEST_PATH,
    CentreRefused,
    LinkDown,
)
from sync.transports.memory import Fault, MemoryLink
from tests.unit.server.test_pipeline import settled
from tests.unit.server.world import HELPER_REQUEST, NOW_MS, VILLAGE, World
from tests.unit.sync.worlds import JumpingClock

JPEG = b"\xff\xd8\xff\xe0 a small picture"
PUBLIC_URL = "https://centre.example"


class Centre:
    """The real centre, called without HTTP; `__call__` is the far end of a `MemoryLink`."""

    def __init__(self, folder: Path, *, is_published: bool = True) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.world = World(folder)
        self.is_up = True
        self._seed = 100
        self.requests: list[Request] = []
        self.replies: list[Reply] = []
        if is_published:
            self.world.publish()

    async def __call__(self, method: str, path: str, body: bytes) -> bytes:
        if not self.is_up:
            raise LinkDown("the valley has no link")
        if path == EXCHANGE_PATH:
            return self.exchange(body)
        if path == ENROL_PATH:
            return self._enrol(body)
        if "?" in path:
            # No pieces and no differences here: a kiosk then asks for the whole.
            raise CentreRefused(404)
        if path == MANIFEST_PATH:
            row = catalogues.latest(self.world.conn)
            assert row is not None
            return row.manifest
        if path.startswith(BLOB_PATH):
            raw = catalogues.blob(self.world.conn, path.removeprefix(BLOB_PATH))
            assert raw is not None
            return manifest.pack_blob(raw)
        raise LinkDown(f"{method} {path}")

    def exchange(self, raw: bytes) -> bytes:
        world = self.world
        received = frames.decode_request(raw)
        row = fleet.identity(world.conn, received.request.kiosk_id)
        if row is None:
            raise CentreRefused(404, "404.20")
        request = frames.verify_request(received, row.device_public)
        taken = world.write(
            take,
            world.settings,
            world.keys,
            request,
            request_hash=frames.request_hash(raw),
            now_ms=world.clock.now_ms(),
            load=Load(),
        )
        self.requests.append(request)
        self.replies.append(taken.reply)
        return frames.encode_reply(taken.reply, partial(world.keys.sign, "reply"))

    def _enrol(self, raw: bytes) -> bytes:
        world, locator = self.world, decode_enrol_request(raw).locator
        try:
            reply = world.write(
                enrolment.enrol, world.keys, PUBLIC_URL, raw, locator, world.clock.now_ms()
            )
        except CodeRefused as error:
            raise CentreRefused(403, error.code) from error
        if reply is None:
            raise CentreRefused(403, "403.1")
        return bytes(reply)

    def next_seed(self) -> int:
        self._seed += 1
        return self._seed

    def code(self, *, replaces: int | None = None, name: str = "石桥村便民服务点") -> str:
        made: str = self.world.write(
            enrolment.new_code,
            name=name,
            village_code=VILLAGE,
            entropy=self.world.entropy,
            now_ms=self.world.clock.now_ms(),
            replaces=replaces,
        )
        return made

    def open_all(self) -> None:
        """Let the vault and the pipeline work until nothing waits."""
        settled(self.world)

    def accept(self, case_no: str) -> None:
        """A clerk takes a case, which tells the kiosk."""
        self.world.write(
            cases.decide,
            case_no,
            Decision(action="accept"),
            actor="anna",
            now_ms=self.world.clock.now_ms(),
        )

    def case(self, case_no: str) -> CaseRow | None:
        return cases.get(self.world.conn, case_no)

    def case_nos(self) -> list[str]:
        rows = self.world.conn.execute("SELECT case_no FROM cases ORDER BY case_no")
        return [row[0] for row in rows]

    def fates(self) -> list[str]:
        return [row[0] for row in self.world.conn.execute("SELECT fate FROM envelopes ORDER BY id")]

    def state_of(self, kiosk_no: int) -> str:
        row = self.world.conn.execute(
            "SELECT state FROM kiosks WHERE kiosk_no = ?", (kiosk_no,)
        ).fetchone()
        return str(row[0])

    def revoke(self, kiosk_no: int) -> None:
        self.world.write(fleet.revoke, self.id_of(kiosk_no).hex())

    def id_of(self, kiosk_no: int) -> bytes:
        row = self.world.conn.execute(
            "SELECT kiosk_id FROM kiosks WHERE kiosk_no = ?", (kiosk_no,)
        ).fetchone()
        return bytes(row[0])

    def renew_certificate(self) -> None:
        """Certify a new signing key with the root, as an operator does once a year."""
        world = self.world
        root = world.settings.keys_dir / "root.key"
        identity.renew(world.settings, root, world.entropy, world.clock.ms)
        world.keys = identity.load(world.settings)

    def backup(self, folder: Path) -> Path:
        """Copy the database as a nightly backup does."""
        folder.mkdir()
        self._shut()
        source = self.world.settings.database
        shutil.copy2(source, folder / source.name)
        return folder / source.name

    def restore(self, backup: Path) -> None:
        """Put a backup in the database's place; who forgets `restored` is another test."""
        self._shut()
        source = self.world.settings.database
        for suffix in ("-wal", "-shm"):
            source.with_name(source.name + suffix).unlink(missing_ok=True)
        shutil.copy2(backup, source)

    def _shut(self) -> None:
        if self.world._vault is not None:
            self.world._vault._conn.close()
        self.world.close()
        self.world._reader = self.world._writer = self.world._vault = None

    def close(self) -> None:
        self._shut()


class Machine:
    """A kiosk at work, without its page."""

    def __init__(self, stage: Stage, parts: Parts, folder: Opened, clock: JumpingClock) -> None:
        self.stage, self.parts, self.folder, self.clock = stage, parts, folder, clock
        self._entropy = SeededEntropy(int.from_bytes(folder.keys.kiosk_id, "big"))

    @property
    def kiosk_no(self) -> int:
        return self.folder.identity.kiosk_no

    async def confirm(
        self,
        answers: Answers = HELPER_REQUEST,
        service: str = "helper_request",
        *,
        photo: str = "",
        transaction_id: bytes = b"",
    ) -> Receipt:
        """A resident hands something in, and holds the slip."""
        self.clock.pass_ms(1000)
        assert self.stage.loaded is not None, "the kiosk has no catalogue"
        said = Transaction(
            id=transaction_id or uuid7(self.clock.now_ms(), self._entropy),
            service=service,
            language="zh-CN",
            answers=answers,
        )
        if photo:
            self.parts.drafts.put(photo, 0, "image/jpeg", JPEG)
        (event,) = await self.parts.effects.run([Submit(said)], self.stage.loaded)
        assert isinstance(event, Committed), event
        self.parts.trail.clear()  # read, and taken along
        return event.receipt

    async def exchange(self, *, formers: bool = True) -> ExchangeOutcome:
        """Let the agents reach the centre as often as they want to come again at once."""
        outcome = await self._exchanged(0)
        for index in range(len(self.parts.formers) if formers else 0):
            await self._exchanged(index + 1)
        await self.stage.renew()
        await self.stage.heed()
        return outcome

    async def _exchanged(self, index: int) -> ExchangeOutcome:
        agent = (self.parts.agent, *self.parts.formers)[index]
        outcome = await agent.exchange_once()
        while outcome.is_more:
            self.clock.pass_ms(1000)
            outcome = await agent.exchange_once()
        return outcome

    async def look_up(self, case_no: str = "", **asked: str) -> tuple[Matter, ...]:
        assert self.stage.loaded is not None
        effect = LookUp(case_no=case_no, **asked)
        (event,) = await self.parts.effects.run([effect], self.stage.loaded)
        assert isinstance(event, Found)
        return event.matters

    def waiting(self) -> int:
        return waiting_in(self.folder.database)

    def former_waiting(self) -> list[int]:
        return [waiting_in(one.database) for one in self.folder.carried]


def waiting_in(database: Database) -> int:
    found = outbox.waiting(database.conn)
    return found.count + found.attachments


@contextlib.asynccontextmanager
async def started(
    directory: Path,
    centre: Centre,
    clock: JumpingClock | None = None,
    *,
    faults: Sequence[Fault] = (),
    boot: int = 11,
    board: str = "",
    shadow_dir: Path | None = None,
    has_shadow: bool = True,
) -> AsyncIterator[Machine]:
    """Start the kiosk of a folder; again in the same folder is the same kiosk after a restart."""
    clock = clock or JumpingClock(NOW_MS)
    settings = Settings(
        data_dir=directory,
        voice_dir=directory / "no-voice",
        shadow_dir=shadow_dir,
        has_shadow=has_shadow,
    )
    async with entered(settings, this_board=board) as folder:
        stage, parts = put_together(
            settings,
            folder,
            link=MemoryLink(centre, faults),
            clock=clock,
            entropy=SeededEntropy(boot),
            speaker=None,
        )
        await stage.start()
        yield Machine(stage, parts, folder, clock)


async def enrolled(
    directory: Path, centre: Centre, *, replaces: int | None = None, board: str = ""
) -> KioskIdentity:
    """Enrol the kiosk of a folder with a fresh code, as `bianmin kiosk enrol` does."""
    directory.mkdir(exist_ok=True)
    return await enrol(
        MemoryLink(centre),
        directory,
        centre.code(replaces=replaces),
        entropy=SeededEntropy(centre.next_seed()),
        board=board,
    )


def copied(directory: Path, target: Path) -> Path:
    """Copy a card."""
    shutil.copytree(directory, target)
    return target


def waiting_envelopes(directory: Path) -> set[bytes]:
    """Every envelope that waits anywhere in a kiosk's folder, the former identities' included."""
    found: set[bytes] = set()
    folders = [directory, *sorted((directory / "former").glob("[0-9]*"))]
    for folder in folders:
        _, keys = load_device(folder)
        database = open_database(
            folder / "kiosk.db", device_public=keys.sign_public, is_threaded=False
        )
        rows = database.conn.conn.execute("SELECT envelope FROM outbox WHERE state = 'pending'")
        found |= {bytes(row[0]) for row in rows}
        database.close()
    return found
