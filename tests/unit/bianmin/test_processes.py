"""Children are started in groups of their own and stopped to the last one."""

import asyncio
import sys
from pathlib import Path

import psutil
import pytest

from bianmin import processes

#: Starts a child of its own, says both process ids, and ignores a polite request to end.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


async def spawn(code: str, log: Path) -> processes.Program:
    return await processes.spawn(
        "child", (sys.executable, "-c", code), environment={"PYTHONUNBUFFERED": "1"}, log=log
    )


async def first_line(program: processes.Program) -> str:
    while not (text := program.log.read_text()).endswith("\n"):
        assert program.is_running, text
        await asyncio.sleep(0.02)
    return text.splitlines()[0]


def is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


async def test_stop_ends_a_stubborn_child_and_its_child(tmp_path: Path) -> None:
    program = await spawn(STUBBORN, tmp_path / "child.log")
    grandchild = int(await first_line(program))
    assert is_alive(grandchild)

    await program.stop(patience_s=0.2)

    assert not program.is_running
    assert not is_alive(grandchild)


async def test_stop_of_an_ended_child_is_quiet(tmp_path: Path) -> None:
    program = await spawn("pass", tmp_path / "child.log")
    await program.ended()

    await program.stop()

    assert not program.is_running


async def test_failure_names_program_log_and_last_words(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    program = await spawn("print('no room'); raise SystemExit(3)", log)
    await program.ended()

    assert str(program.failure()).splitlines() == [
        "child: ended by itself (status 3).",
        f"child: log: {log}",
        "  no room",
    ]


async def test_ready_fails_at_once_when_the_program_ended(tmp_path: Path) -> None:
    program = await spawn("raise SystemExit(1)", tmp_path / "child.log")
    port = processes.free_ports(1)[0]

    with pytest.raises(processes.ProgramFailed, match="ended by itself"):
        await processes.ready(program, f"http://127.0.0.1:{port}/", patience_s=30)


async def test_run_answers_what_the_command_printed() -> None:
    said = await processes.run(["--version"], environment={})

    assert said.startswith("bianmin, version ")


async def test_run_of_a_refused_command_says_why() -> None:
    with pytest.raises(processes.ProgramFailed, match="No such command 'fly'"):
        await processes.run(["fly"], environment={})


async def test_port_in_use_is_not_free() -> None:
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    assert not processes.is_free(port)
    server.close()


def test_free_ports_differ() -> None:
    assert len(set(processes.free_ports(20))) == 20
