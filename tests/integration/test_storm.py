"""Hours of bad luck in a minute: kills, cuts and lost replies at moments that a seed decides."""

import asyncio
from pathlib import Path
from random import Random
from typing import Literal

import pytest

from bianmin.village import Village
from tests.integration.delivery import ReplyEater, assert_all_arrived_once, queue, settled
from tests.village import running_village

pytestmark = [pytest.mark.deep, pytest.mark.timeout(900)]

Harm = Literal["kiosk", "centre", "cut", "replies"]
TRANSACTIONS = 500
BLOWS = 12


async def strike(village: Village, link: ReplyEater, random: Random) -> Harm:
    """Do one harm and mend it; answer which."""
    assert village.kiosk is not None
    assert village.centre is not None
    harm: Harm = random.choice(("kiosk", "centre", "cut", "replies"))
    match harm:
        case "kiosk":
            await village.kiosk.kill()
            await village.start_kiosk()
        case "centre":
            await village.centre.kill()
            await village.start_centre()
        case "cut":
            link.cut()
            await asyncio.sleep(random.uniform(0, 0.5))
        case "replies":
            link.is_hungry = True
            await asyncio.sleep(random.uniform(0, 0.5))
            link.is_hungry = False
    await village.set_link(is_whole=True)
    return harm


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_storm_loses_and_doubles_nothing(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    async with running_village(tmp_path / "village") as village:
        await settled(village)
        receipts = await queue(village, TRANSACTIONS, seed=100 + seed)
        await village.link.close()
        village.link = link = ReplyEater(village.ports.centre)
        link.is_hungry = False
        await link.open(village.ports.link)
        await village.set_link(is_whole=True)

        harms = []
        for _ in range(BLOWS):
            await asyncio.sleep(random.uniform(0, 0.3))
            harms.append(await strike(village, link, random))
        print("seed", seed, harms)  # noqa: T201 -- shown when it fails

        await assert_all_arrived_once(village, receipts)
