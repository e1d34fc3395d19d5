"""What the kiosk costs its board: memory, time to its first screen, room for its sentences."""

import tempfile
import time
from pathlib import Path

import aiohttp
import psutil

from bianmin.processes import Program
from bianmin.village import Village
from tests.bench.printing import figure, median
from tests.conftest import VOICE_DIR
from tests.village import running_village
from voice_prompts.cache import read_index, sound_path

MIB = 1024 * 1024
STARTS = 5


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
            starts = [await _started_s(village) for _ in range(STARTS)]
            kiosk, centre = pss_mib(village.kiosk), pss_mib(village.centre)
    figure(
        "first_screen_s",
        median(starts),
        "s",
        target="<= 3",
        rounds=starts,
        what="kiosk: from its start to its first screen",
    )
    figure("kiosk_mib", kiosk, "MiB", target="<= 80", what="kiosk, ready, without Chromium (PSS)")
    figure("centre_mib", centre, "MiB", what="centre and vault, ready (PSS)")
    for language, clips in sorted(read_index(VOICE_DIR).clips.items()):
        paths = {sound_path(VOICE_DIR, key) for key in clips.values()}
        figure(
            f"clips_{language}_mib",
            sum(path.stat().st_size for path in paths if path.exists()) / MIB,
            "MiB",
            target="<= 30",
            what=f"all sentences of {language}: {len(paths)} clips",
        )


async def _started_s(village: Village) -> float:
    assert village.kiosk is not None
    await village.kiosk.stop()
    begun = time.perf_counter()
    await village.start_kiosk()
    async with aiohttp.ClientSession() as session, session.get(village.kiosk_url) as answer:
        assert "data-playlist" in await answer.text()
    return time.perf_counter() - begun
