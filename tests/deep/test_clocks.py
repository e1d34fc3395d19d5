"""Kiosks whose clock is years off, by libfaketime on real processes: fault rows 22 to 24.

The clock may be wrong from the start, stand still, or differ from start to start.
"""

import os
import sysconfig
import time
from pathlib import Path

import pytest

from tests.deep.residents import Resident, everything_carried, new_kiosk
from tests.integration.delivery import until
from tests.village import centre_rows, running_centre

pytestmark = [pytest.mark.deep, pytest.mark.timeout(300)]

LIBRARY = Path("/usr/lib") / sysconfig.get_config_var("MULTIARCH") / "faketime/libfaketime.so.1"
YEAR_S = 365 * 86_400


def faked(setting: str) -> dict[str, str]:
    """Environment of a process whose wall clock is shifted, or stands still at a date.

    One setting for each life: libfaketime that reads its setting anew at every call does not
    survive threads. Jumps within a life are the simulation's.
    """
    assert LIBRARY.exists(), "libfaketime is missing: run deploy/setup as root"
    return {
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME": setting,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(("+3650d",), id="ten years ahead"),
        pytest.param(("-3650d",), id="ten years behind"),
        pytest.param(("1970-01-01 00:00:00",), id="stands still in 1970"),
        pytest.param(("+0", "+3650d", "-3650d", "+1d", "1970-01-01 00:00:00", "+0"), id="jumps"),
    ],
)
async def test_wrong_clock_loses_doubles_and_delays_nothing(
    tmp_path: Path, settings: tuple[str, ...]
) -> None:
    async with running_centre(tmp_path / "village") as village:
        (await new_kiosk(village, tmp_path / "kiosk")).close()
        began_ms = int(time.time() * 1000)
        kiosk = Resident(tmp_path / "kiosk", village.centre_url, seed=3)
        for setting in settings:
            kiosk.environment = {**os.environ, **faked(setting)}
            await kiosk.suffer(3, life_s=(1.5, 3.0), is_fresh=True)
        told = set(kiosk.receipts.values())
        assert len(told) > 5
        await everything_carried(village, [tmp_path / "kiosk"])
        await until(
            lambda: not centre_rows(village, "SELECT 1 FROM envelopes WHERE fate = 'waiting'"),
            "every envelope opened",
        )

        rows = centre_rows(village, "SELECT case_no, received_ms, due_on FROM cases")
        cases = [str(row[0]) for row in rows]
        assert told <= set(cases)
        assert len(cases) == len(set(cases))
        assert len(set(cases) - told) <= 1
        # Deadlines count from the centre's clock, whatever the kiosk's says.
        now_ms = int(time.time() * 1000)
        assert all(began_ms <= int(str(row[1])) <= now_ms for row in rows)
        years = {int(str(row[2])[:4]) for row in rows if row[2]}
        assert max(years) - time.gmtime().tm_year <= 1
        assert min(years) >= time.gmtime().tm_year
        assert centre_rows(village, "SELECT reason FROM dead_letters") == []
        assert centre_rows(village, "SELECT state FROM kiosks") == [("active",)]
