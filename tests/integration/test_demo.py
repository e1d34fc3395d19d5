"""`bianmin demo` as people start it: ready, switched, stopped, and started again."""

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import psutil
import pytest
from aiohttp import ClientSession

from bianmin.processes import free_ports, is_free
from tests.conftest import ROOT, VOICE_DIR

pytestmark = pytest.mark.timeout(600)


class Demo:
    """One run of the command, its words read as they come."""

    def __init__(self, place: Path, ports: list[int]) -> None:
        self.place = place
        self.ports = ports
        self.words = ""
        self._process: asyncio.subprocess.Process | None = None

    @property
    def page_url(self) -> str:
        return f"http://127.0.0.1:{self.ports[2]}"

    async def start(self, *options: str) -> None:
        names = ("--kiosk-port", "--centre-port", "--page-port", "--link-port")
        ports = [part for pair in zip(names, map(str, self.ports), strict=True) for part in pair]
        self.words = ""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bianmin", "demo", "--browser", "none", *ports),
            *("--data", str(self.place), "--voice-dir", str(VOICE_DIR), *options),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )

    async def ready(self) -> None:
        """Read its words up to the line on the link, which is the last."""
        assert self._process is not None
        assert self._process.stdout is not None
        while not re.search("The link is (up|cut)", self.words):
            line = await self._process.stdout.readline()
            assert line, self.words
            self.words += line.decode()

    async def stop(self, number: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        rest, _ = await asyncio.wait_for(self._process.communicate(), 30)
        self.words += rest.decode()
        assert self._process.returncode is not None
        return self._process.returncode

    def family(self) -> list[psutil.Process]:
        assert self._process is not None
        return psutil.Process(self._process.pid).children(recursive=True)

    async def state(self) -> dict[str, object]:
        async with ClientSession() as session, session.get(f"{self.page_url}/state") as answer:
            found: dict[str, object] = await answer.json()
            return found

    async def switch(self, *, is_whole: bool) -> None:
        async with (
            ClientSession() as session,
            session.post(f"{self.page_url}/link", json={"is_whole": is_whole}) as answer,
        ):
            assert answer.status == 200


def passwords(words: str) -> list[str]:
    return re.findall(r"[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}", words)


async def test_demo_starts_switches_stops_and_starts_again(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "demo", free_ports(4))

    await demo.start()
    await demo.ready()
    state = await demo.state()
    assert (state["is_whole"], state["is_kiosk_running"], state["is_centre_running"]) == (
        True,
        True,
        True,
    )
    assert state["waiting"] == 0
    for port in demo.ports[:3]:
        async with ClientSession() as session, session.get(f"http://127.0.0.1:{port}/") as page:
            assert page.status == 200, port
    await demo.switch(is_whole=False)
    assert (await demo.state())["is_whole"] is False
    await demo.switch(is_whole=True)
    assert (await demo.state())["is_whole"] is True
    first = passwords(demo.words)
    assert len(set(first)) == 4
    assert (tmp_path / "demo" / "accounts.toml").stat().st_mode & 0o777 == 0o600

    family = demo.family()
    assert len(family) >= 2
    assert await demo.stop(signal.SIGINT) == 0
    assert [process for process in family if process.is_running()] == []
    assert all(is_free(port) for port in demo.ports)

    await demo.start("--offline")
    await demo.ready()
    assert (await demo.state())["is_whole"] is False
    assert passwords(demo.words) == first
    family = demo.family()
    assert await demo.stop(signal.SIGTERM) == 0
    assert [process for process in family if process.is_running()] == []


async def test_demo_names_the_busy_port_and_the_option(tmp_path: Path) -> None:
    ports = free_ports(4)
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", ports[1])
    demo = Demo(tmp_path / "demo", ports)

    await demo.start()
    assert demo._process is not None
    said, _ = await demo._process.communicate()
    server.close()

    assert demo._process.returncode == 1
    assert f"Port {ports[1]} is in use (centre)" in said.decode()
    assert "--centre-port NUMBER" in said.decode()
    assert not (tmp_path / "demo").exists()


@pytest.mark.deep
async def test_demo_whose_child_dies_says_which_and_where_its_log_is(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "demo", free_ports(4))
    await demo.start()
    await demo.ready()
    kiosk = next(p for p in demo.family() if p.cmdline()[-2:] == ["kiosk", "run"])

    kiosk.kill()
    assert demo._process is not None
    rest, _ = await asyncio.wait_for(demo._process.communicate(), 30)

    assert demo._process.returncode == 1
    assert "kiosk: ended by itself" in rest.decode()
    assert str(tmp_path / "demo" / "log" / "kiosk.log") in rest.decode()
    assert all(is_free(port) for port in demo.ports)
