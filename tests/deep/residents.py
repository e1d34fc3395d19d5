"""What the deep tests share: kiosks that die again and again, and how all of it is carried."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from random import Random

from bianmin.village import Village
from sync import catalogues
from sync.transports.http import HttpLink
from tests.deep.resident import __name__ as resident_module
from tests.device import Device

LIFE_S = (0.02, 0.5)
#: About how long a press takes, from its word to its receipt.
WORD_S = 0.05
SILENCE_S = 60.0


class Resident:
    """Keeps one kiosk dying and coming back; remembers what residents were told."""

    def __init__(self, directory: Path, url: str, seed: int) -> None:
        self._command: tuple[str, ...] = (
            sys.executable,
            "-X",
            "faulthandler",
            "-m",
            resident_module,
            str(directory),
            url,
            str(seed),
        )
        self._random = Random(seed)
        #: Of the lives to come, beside this process's own.
        self.environment: dict[str, str] = {}
        self.pressed: list[str] = []
        #: Case number by transaction id, as the screen showed it.
        self.receipts: dict[str, str] = {}
        self.kills = 0
        self.resumed = 0
        #: Said in this life.
        self._words = 0

    async def suffer(
        self, kills: int, life_s: tuple[float, float] = LIFE_S, *, words_max: int = 0
    ) -> None:
        """Live and be killed that often; each life is that long.

        With `words_max` every other life dies soon after its first, second … word instead, so
        that a busy machine does not kill all of them while they start.
        """
        process = await self._started()
        for number in range(kills):
            words = self._random.randint(1, words_max) if words_max and number % 2 else 0
            await self._live(process, life_s, words)
        process.kill()
        await process.wait()

    async def _started(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **self.environment},
        )

    async def _live(
        self, process: asyncio.subprocess.Process, life_s: tuple[float, float], words: int
    ) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        left_open = self._left_open()
        process.stdin.write(f"{left_open}\n".encode())
        await process.stdin.drain()
        _, pid = (await process.stdout.readline()).split()
        self._words = 0
        reading = asyncio.ensure_future(self._read_life(process.stdout))
        await self._moment(life_s, words, reading)
        assert not reading.done(), f"the kiosk ended by itself: {await reading}"
        os.kill(int(pid), signal.SIGKILL)
        self.kills += 1
        assert await reading == str(int(signal.SIGKILL)), "the kiosk ended by itself"
        if left_open in self.receipts:
            self.resumed += 1

    async def _moment(
        self, life_s: tuple[float, float], words: int, reading: asyncio.Future[str]
    ) -> None:
        """Wait until this life is to end."""
        if not words:
            await asyncio.sleep(self._random.uniform(*life_s))
            return
        async with asyncio.timeout(SILENCE_S):
            while self._words < words and not reading.done():
                await asyncio.sleep(0.002)
        await asyncio.sleep(self._random.uniform(0, WORD_S))

    def _left_open(self) -> str:
        last = self.pressed[-1] if self.pressed else "-"
        return "-" if last in self.receipts else last

    async def _read_life(self, lines: asyncio.StreamReader) -> str:
        while line := (await lines.readline()).decode():
            word, transaction_id, *case_no = line.split()
            if word == "over":
                return transaction_id  # the process's status
            self._words += 1
            if word == "press":
                self.pressed.append(transaction_id)
            elif word == "receipt":
                assert self.receipts.get(transaction_id, case_no[0]) == case_no[0]
                self.receipts[transaction_id] = case_no[0]
        return "nothing"


async def new_kiosk(village: Village, folder: Path) -> Device:
    """Enrol a kiosk at the running centre, and wait until it has the services."""
    device = await Device.enrolled(village, folder)
    async with HttpLink(village.centre_url) as link:
        agent = device.agent(link)
        for _ in range(40):
            await agent.exchange_once()
            if catalogues.load_current(device.database.conn) is not None:
                return device
            await asyncio.sleep(0.25)
    raise AssertionError("the services did not come")


async def everything_carried(village: Village, folders: Iterable[Path]) -> None:
    """Bring what these kiosks still hold to the centre."""
    for folder in folders:
        device = Device(folder)
        async with HttpLink(village.centre_url) as link:
            agent = device.agent(link)
            for _ in range(400):
                if not device.waiting().count:
                    break
                await agent.exchange_once()
                await asyncio.sleep(0.05)
        assert device.waiting().count == 0
        device.close()
