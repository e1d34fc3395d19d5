"""A region's kiosks return at the same instant: the centre serves them in turn and loses nothing.

Real processes and HTTP; about a minute and a half on two cores. `deploy/bench herd` does the same
with two thousand kiosks, and prints how long each waited.
"""

import asyncio
import os
import signal
from pathlib import Path

import psutil
import pytest

from sync.limits import ANSWER_OVERDUE_S
from tests.bench.herd import Met, come_back
from tests.village import running_centre

pytestmark = pytest.mark.deep

#: Of the centre's process: sixty are its own, the rest bodies and what is read from them.
RSS_MIB_MAX = 250


def check_exactly_once(met: Met, kiosks: int, queued: int) -> None:
    assert [each for each in met.returns if each.done_s < 0] == []
    whole = [(number, queued, queued, queued) for number in range(1, kiosks + 1)]
    assert sorted(met.held) == whole


async def test_herd_of_real_kiosks_delivers_everything_exactly_once(tmp_path: Path) -> None:
    async with running_centre(tmp_path, {"BIANMIN_CENTRE_RETRY_AFTER_S": "60"}) as village:
        met = await come_back(village, 150, 60, is_light=False)

    check_exactly_once(met, 150, 60)
    assert met.rss_mib < RSS_MIB_MAX


async def test_herd_that_presses_harder_is_served_in_turn(tmp_path: Path) -> None:
    async with running_centre(tmp_path, {"BIANMIN_CENTRE_RETRY_AFTER_S": "60"}) as village:
        met = await come_back(village, 1000, 50, is_light=True)

    check_exactly_once(met, 1000, 50)
    # Next to nobody gave up: whoever could not be answered in time was told so at the door.
    gave_up = sum(count for end, count in met.ends.items() if end not in ("ok", "503"))
    assert gave_up * 20 <= met.ends["ok"]
    assert met.answered_within_s(0.99) < ANSWER_OVERDUE_S
    assert met.rss_mib < RSS_MIB_MAX
    # Fair: the last kiosk of twenty is through soon after the middle one.
    assert met.done_within_s(0.95) < 3 * met.done_within_s(0.5) + 5


async def test_centre_that_stood_still_is_not_buried_by_what_came_meanwhile(
    tmp_path: Path,
) -> None:
    async with running_centre(tmp_path, {"BIANMIN_CENTRE_RETRY_AFTER_S": "60"}) as village:
        assert village.centre is not None
        centre = psutil.Process(village.centre.pid)
        herd = asyncio.create_task(come_back(village, 400, 40, is_light=True))
        while not herd.done() and not _has_callers(centre, 100):
            await asyncio.sleep(0.02)
        os.kill(centre.pid, signal.SIGSTOP)
        await asyncio.sleep(ANSWER_OVERDUE_S + 5)
        os.kill(centre.pid, signal.SIGCONT)

        met = await herd

    check_exactly_once(met, 400, 40)
    # They gave up and called again, more than once: that is what buries a centre.
    assert met.ends.get("TimeoutError", 0) > 100
    assert met.rss_mib < RSS_MIB_MAX


def _has_callers(centre: psutil.Process, count: int) -> bool:
    found = centre.net_connections(kind="tcp")
    return sum(each.status == psutil.CONN_ESTABLISHED for each in found) >= count
