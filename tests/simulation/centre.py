"""The centre: production's reception, store, pipeline and vault, put together without HTTP."""

import asyncio
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, ParamSpec, TypeVar

from server.api import courier
from server.catalogue.downstream import Downstream
from server.catalogue.shelf import Shelf
from server.identity import CentreKeys
from server.live import Broadcast
from server.pipeline import Pipeline
from server.reception import Reception
from server.settings import Settings
from server.store.sqlite import Store, connect
from server.vault import client, daemon, protocol
from server.vault.keys import VaultKeys
from server.vault.ledger import Ledger
from server.vault.service import Vault
from sync import limits
from sync.errors import BianminError
from sync.transports import EXCHANGE_PATH, LinkDown
from tests.simulation.clocks import SimClock
from tests.simulation.disk import Crashed, SimDisk
from tests.simulation.link import Answer
from tests.simulation.loop import PROCESS, Process
from tests.simulation.trace import Trace

P = ParamSpec("P")
T = TypeVar("T")

DATABASE = Path("/centre/centre.db")
LEDGER = Path("/centre/vault/audit.db")
COURIER = "/C/"
#: Kiosks come by themselves twice a day, so that a run holds days and not heartbeats.
RETRY_AFTER_S = 12 * 3600
IDLE_S = 2 * 3600.0


class SlowStore(Store):
    """The production store; a kill may fall between a commit and its caller's learning of it."""

    async def write(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        """Write after a moment, and answer after another."""
        await _moment()
        result = await super().write(fn, *args, **kwargs)
        await _moment()
        return result

    async def read(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        """Read after a moment."""
        await _moment()
        return await super().read(fn, *args, **kwargs)


async def _moment() -> None:
    process = PROCESS.get()
    if process is not None:
        await asyncio.sleep(process.random.random() * process.job_s / 4)


class InProcessClient(client.VaultClient):
    """The production client; its connection is a call that a kill of the vault breaks."""

    def __init__(self, ask: Callable[[bytes], Any]) -> None:
        super().__init__(Path("vault.sock"))
        self._ask_vault = ask

    async def _exchange(self, request: protocol.Request) -> protocol.Answer:
        raw = await self._ask_vault(protocol.encode(request)[4:])
        return client._DECODER.decode(raw[4:])


class Centre:
    """One machine with the centre's two processes.

    Args:
        name: In the story.
        disk: Of the machine.
        keys: What it signs with.
        vault_keys: What its vault opens with.
        clock: Its own.
        random: Its own luck.
        trace: The story.
        on_defect: Told what must not happen.
    """

    def __init__(
        self,
        name: str,
        disk: SimDisk,
        keys: CentreKeys,
        vault_keys: VaultKeys,
        clock: SimClock,
        random: Random,
        trace: Trace,
        on_defect: Callable[[str, BaseException], None],
    ) -> None:
        self.name = name
        self.disk = disk
        self.keys = keys
        self.vault_keys = vault_keys
        self.clock = clock
        self.random = random
        self.trace = trace
        self.on_defect = on_defect
        self.settings = Settings(data_dir=DATABASE.parent, retry_after_s=RETRY_AFTER_S)
        self.process: Process | None = None
        self.vault_process: Process | None = None
        self.is_in_service = True
        self.is_power_cut_next = True
        self.ledger: Ledger | None = None
        self.on_vault: Callable[[protocol.Request, protocol.Answer], None] = lambda *_: None
        #: Called with the ledger when a question is before the vault, and with None after it.
        self.on_ask: Callable[[Ledger | None], None] = lambda _: None
        #: Whether errors of the disk are part of this run.
        self.is_disk_sick: Callable[[], bool] = lambda: False
        self.client = InProcessClient(self._asked)
        self._vault: Vault | None = None
        self._pipeline_task: asyncio.Task[Any] | None = None

    # --- on and off

    @property
    def is_on(self) -> bool:
        """Whether it answers."""
        return self.process is not None and self.process.is_alive

    def boot(self) -> bool:
        """Start as systemd does; answer whether it came up."""
        if self.is_on or not self.is_in_service:
            return self.is_on
        process = Process(self.name, self.random)
        process.on_cut = self._cut
        self.process = process
        try:
            self.store = SlowStore.open(
                DATABASE, disk=self.disk.process("centre"), is_threaded=False
            )
        except Crashed as cut:
            self._cut(cut)
            return False
        except (BianminError, sqlite3.Error, OSError) as error:
            self.trace.note(self.name, f"does not come up: {type(error).__name__}")
            process.is_alive = False
            self.disk.crash("centre")
            return False
        self.shelf = Shelf()
        self.downstream = Downstream(self.store, self.shelf, is_threaded=False)
        self.reception = Reception(self.store, self.keys, self.settings, self.clock)
        self.trace.note(self.name, "is up")
        self.start_pipeline()
        self.boot_vault()
        return self.is_on

    def start_pipeline(self) -> None:
        """Start the worker, or start it anew after it was killed alone."""
        if self.process is None or not self.process.is_alive:
            return
        if self._pipeline_task is not None:
            self._pipeline_task.cancel()
        self.pipeline = Pipeline(
            self.store, self.client, self.shelf, Broadcast(), self.clock, idle_s=IDLE_S
        )
        self._pipeline_task = self.process.spawn(self.pipeline.run(), "pipeline")
        self._pipeline_task.add_done_callback(partial(self._ended, self.process))

    def boot_vault(self) -> None:
        """Start the vault's process, as the centre does when it has ended."""
        if not self.is_on or (self.vault_process is not None and self.vault_process.is_alive):
            return
        process = Process(f"{self.name} vault", self.random)
        process.on_cut = self._cut
        disk = self.disk.process("vault")
        try:
            self.ledger = Ledger(LEDGER, disk=disk)
            conn = connect(DATABASE, readonly=True, disk=disk)
        except Crashed as cut:
            self._cut(cut)
            return
        except (BianminError, sqlite3.Error, OSError) as error:
            self.trace.note(self.name, f"vault does not open: {type(error).__name__}")
            self.disk.crash("vault")
            return
        self._vault = Vault(self.vault_keys, self.ledger, conn, self.clock)
        self.vault_process = process
        self.trace.note(self.name, "vault is open")

    def kill_vault(self) -> None:
        """Kill the vault alone."""
        if self.vault_process is not None and self.vault_process.is_alive:
            self.vault_process.kill()
            self._vault = self.ledger = None
            self.disk.crash("vault")
            self.trace.note(self.name, "vault is killed")
            if self.process is not None and self.process.is_alive:
                self.process.spawn(self._keep_vault(), "vault keeper")

    async def _keep_vault(self) -> None:
        """Start the vault again as `server.main` does."""
        await self.clock.sleep(limits.VAULT_RESTART_S + 2 * self.random.random())
        self.boot_vault()

    def kill_pipeline(self) -> None:
        """Let the worker die and be started anew."""
        self.trace.note(self.name, "pipeline is killed")
        self.start_pipeline()

    def _ended(self, process: Process, task: "asyncio.Task[Any]") -> None:
        if task.cancelled() or not process.is_alive:
            return
        error = task.exception()
        if isinstance(error, Crashed):
            self._cut(error)
        elif error is not None:
            self.on_defect(task.get_name(), error)

    def _cut(self, _: BaseException) -> None:
        self.trace.note(self.name, "is cut off inside a call of its disk")
        self.down(is_power=self.is_power_cut_next)

    def down(self, *, is_power: bool) -> None:
        """Lose both processes, and with the power what was not synced."""
        for process in (self.process, self.vault_process):
            if process is not None:
                process.kill()
        self.process = self.vault_process = self._pipeline_task = None
        self._vault = self.ledger = None
        if is_power:
            self.disk.power_cut()
        else:
            self.disk.crash()
        self.trace.note(self.name, "loses power" if is_power else "is killed")

    # --- what reaches it

    async def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Answer a request as the listener does; `LinkDown` when it dies over it."""
        process = self.process
        if process is None or not process.is_alive:
            raise LinkDown("nobody listens")
        task = process.spawn(self._answered(method, path, body), "answer")
        await asyncio.wait({task})
        if task.cancelled() or not process.is_alive:
            raise LinkDown("the connection broke")
        error = task.exception()
        if isinstance(error, Crashed):
            self._cut(error)
            raise LinkDown("the connection broke")
        if error is not None:
            self.on_defect("answer", error)
            return Answer(500, b"")
        answer: Answer = task.result()
        return answer

    async def _answered(self, method: str, path: str, body: bytes) -> Answer:
        try:
            if (method, path) == ("POST", EXCHANGE_PATH):
                return await self._exchanged(body)
            if path.startswith(COURIER):
                delivered, taken = await courier.take_in(
                    self.store, self.clock, path.removeprefix(COURIER)
                )
                if taken is not None:
                    self.pipeline.poke()
                return Answer(200, delivered.case_no.encode())
            return Answer(200, await self.downstream.answer(path))
        except BianminError as error:
            return Answer(int(error.code.split(".", 1)[0]), error.code.encode())
        except sqlite3.Error:
            if not self.is_disk_sick():
                raise
            return Answer(500, b"")

    async def _exchanged(self, body: bytes) -> Answer:
        if len(body) > limits.FRAME_BYTES_MAX:
            return Answer(413, b"")
        answered = await self.reception.answer(body)
        if answered.taken.stored:
            self.pipeline.poke()
        return Answer(200, answered.raw)

    async def _asked(self, raw: bytes) -> bytes:
        """Bring a question to the vault and its answer back, unless it dies between."""
        process = self.vault_process
        if process is None or not process.is_alive:
            raise ConnectionRefusedError("nobody listens")
        await asyncio.sleep(0.001 + self.random.random() * 0.05)
        if self._vault is None or not process.is_alive:
            raise ConnectionResetError("the vault died")
        request = daemon._DECODER.decode(raw)
        try:
            self.on_ask(self.ledger)
            answer = self._vault.answer(request)
        except Crashed as cut:
            self._cut(cut)
            raise ConnectionResetError("the machine died") from cut
        except sqlite3.Error as error:
            if not self.is_disk_sick():
                raise
            raise ConnectionResetError("the vault could not") from error
        finally:
            self.on_ask(None)
        self.on_vault(request, answer)
        await asyncio.sleep(0.001 + self.random.random() * 0.05)
        if not process.is_alive:
            raise ConnectionResetError("the vault died")
        return protocol.encode(answer)
