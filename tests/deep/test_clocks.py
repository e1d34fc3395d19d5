"""Kiosks whose clock is years off, stands still or jumps, by libfaketime: fault rows 22 to 25.

Real processes; they die too, so that each start meets a clock of its own.
"""

import asyncio
import contextlib
import sysconfig
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest

from tests.deep.residents import Resident, everything_carried, new_kiosk
from tests.integration.delivery import until
from tests.village import centre_rows, running_centre

pytestmark = [pytest.mark.deep, pytest.mark.timeout(300)]

#: The one with locks: our programs have threads.
LIBRARY = (
    Path("/usr/lib") / str(sysconfig.get_config_var("MULTIARCH")) / "faketime/libfaketimeMT.so.1"
)
RIGHT, AHEAD, BEHIND, STILL = "+0d", "+3650d", "-3650d", "1970-01-02 00:00:00"
DAY_S = 86_400
JUMP_S = 0.35
LIVES = 8


@pytest.fixture
def setting(tmp_path: Path) -> Path:
    """The file that says what the faked clocks show; as if by somebody who sets the clock."""
    assert LIBRARY.exists(), "libfaketime is missing: run deploy/setup as root"
    return tmp_path / "clock"


def show(setting: Path, clock: str) -> None:
    """Let the faked clocks show something else, at once and whole."""
    fresh = setting.with_suffix(".new")
    fresh.write_text(clock + "\n")
    fresh.replace(setting)


def faked(setting: Path) -> dict[str, str]:
    """Environment of a process whose wall clock shows what a file says, read at every look."""
    return {
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(setting),
        "FAKETIME_NO_CACHE": "1",
        # Python and asyncio wait by the monotonic clock; a board's does not jump either.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # Made for an old glibc's fault; with this one threads wait for ever (libfaketime 0.9.10).
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
    }


async def jump(setting: Path, clocks: Iterator[str]) -> None:
    """Set the clock anew several times in each life."""
    for clock in clocks:
        show(setting, clock)
        await asyncio.sleep(JUMP_S)


def year_of(clock: str) -> int:
    """The year that a clock of this setting shows."""
    if clock == STILL:
        return 1970
    return time.gmtime(time.time() + int(clock.removesuffix("d")) * DAY_S).tm_year


@pytest.mark.parametrize(
    "clocks",
    [
        pytest.param((AHEAD,), id="ten years ahead"),
        pytest.param((BEHIND,), id="ten years behind"),
        pytest.param((STILL,), id="stands still in 1970"),
        pytest.param((RIGHT, AHEAD, BEHIND, STILL), id="jumps"),
    ],
)
async def test_wrong_clock_loses_doubles_and_delays_nothing(
    tmp_path: Path, setting: Path, clocks: tuple[str, ...]
) -> None:
    async with running_centre(tmp_path / "village") as village:
        (await new_kiosk(village, tmp_path / "kiosk")).close()
        began_ms = int(time.time() * 1000)
        kiosk = Resident(tmp_path / "kiosk", village.centre_url, seed=3)
        kiosk.environment = faked(setting)
        show(setting, clocks[0])
        jumping = asyncio.ensure_future(jump(setting, cycle(clocks)))
        try:
            await kiosk.suffer(LIVES, life_s=(1.0, 2.0))
        finally:
            jumping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await jumping
        told = set(kiosk.receipts.values())
        carried = centre_rows(village, "SELECT count(*) FROM envelopes")
        assert len(told) == len(kiosk.receipts) > 20
        # The wrong clock keeps nothing from being carried at once.
        assert int(str(carried[0][0])) > len(told) // 2

        await everything_carried(village, [tmp_path / "kiosk"])
        await until(
            lambda: not centre_rows(village, "SELECT 1 FROM envelopes WHERE fate = 'waiting'"),
            "every envelope opened",
        )
        rows = centre_rows(village, "SELECT case_no, received_ms, due_on, claimed_ms FROM cases")
        cases = [str(row[0]) for row in rows]
        assert told <= set(cases)
        assert len(cases) == len(set(cases))
        assert len(set(cases) - told) <= 1
        # The clocks really were wrong.
        claimed = {time.gmtime(int(str(row[3])) / 1000).tm_year for row in rows}
        assert claimed == {year_of(clock) for clock in clocks}
        # Deadlines count from the centre's clock, whatever the kiosk's says.
        now_ms = int(time.time() * 1000)
        assert all(began_ms <= int(str(row[1])) <= now_ms for row in rows)
        years = {int(str(row[2])[:4]) for row in rows if row[2]}
        assert years <= {time.gmtime().tm_year, time.gmtime().tm_year + 1}
        assert centre_rows(village, "SELECT reason FROM dead_letters") == []
        assert centre_rows(village, "SELECT state FROM kiosks") == [("active",)]
