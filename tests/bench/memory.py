"""How much memory the kiosk's own process takes, and the centre's."""

import tempfile
from pathlib import Path

import psutil

from bianmin.processes import Program
from tests.bench.printing import row
from tests.village import running_village

MIB = 1024 * 1024


def pss_mib(program: Program | None) -> float:
    """Answer the proportional set size of a program and all that it started."""
    assert program is not None
    parent = psutil.Process(program.pid)
    family = [parent, *parent.children(recursive=True)]
    return float(sum(process.memory_full_info().pss for process in family)) / MIB


async def measure() -> None:
    """Start a village and read what its programs take once they are ready."""
    with tempfile.TemporaryDirectory() as place:
        async with running_village(Path(place)) as village:
            row("kiosk, ready, without Chromium (PSS)", f"{pss_mib(village.kiosk):.0f} MiB")
            row("centre and vault, ready (PSS)", f"{pss_mib(village.centre):.0f} MiB")
