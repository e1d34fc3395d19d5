"""Real processes over real HTTP: what a kiosk confirmed reaches the centre once and in order.

The link is cut, replies are lost, kiosk and centre are killed in the middle of their work; what
was confirmed before must arrive, each transaction once.
"""

from collections.abc import AsyncIterator

import pytest

from bianmin.village import Village
from tests.integration.delivery import (
    ReplyEater,
    arrived,
    assert_all_arrived_once,
    queue,
    settled,
    until,
)
from tests.village import running_village, status

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
async def village(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Village]:
    async with running_village(tmp_path_factory.mktemp("village")) as village:
        await settled(village)  # the kiosk has the catalogue
        yield village


async def test_what_waited_behind_a_cut_link_arrives_once(village: Village) -> None:
    receipts = await queue(village, 30, seed=1)
    assert (await status(village))["waiting"] == 30

    await village.set_link(is_whole=True)

    await assert_all_arrived_once(village, receipts)


@pytest.mark.deep
async def test_kiosk_killed_while_it_sends_loses_and_doubles_nothing(village: Village) -> None:
    receipts = await queue(village, 240, seed=2)
    assert village.kiosk is not None

    await village.set_link(is_whole=True)
    for threshold in (1, 80, 160):
        await until(
            lambda least=threshold: len(arrived(village, receipts[0].seq)) >= least,  # type: ignore[misc]
            f"{threshold} envelopes at the centre",
            every_s=0.002,
        )
        await village.kiosk.kill()
        await village.start_kiosk()

    await assert_all_arrived_once(village, receipts)


@pytest.mark.deep
async def test_centre_killed_while_it_takes_in_keeps_what_it_acknowledged(
    village: Village,
) -> None:
    receipts = await queue(village, 240, seed=3)
    assert village.centre is not None

    await village.set_link(is_whole=True)
    for threshold in (1, 120):
        await until(
            lambda least=threshold: len(arrived(village, receipts[0].seq)) >= least,  # type: ignore[misc]
            f"{threshold} envelopes at the centre",
            every_s=0.002,
        )
        await village.centre.kill()
        acknowledged = 240 - int(str((await status(village))["waiting"]))
        assert acknowledged <= len(arrived(village, receipts[0].seq))
        await village.start_centre()
        await village.set_link(is_whole=True)

    await assert_all_arrived_once(village, receipts)


async def test_lost_replies_make_no_doubles(village: Village) -> None:
    receipts = await queue(village, 40, seed=4)
    await village.link.close()
    village.link = eater = ReplyEater(village.ports.centre)
    await eater.open(village.ports.link)

    await village.set_link(is_whole=True)
    await until(
        lambda: eater.eaten > 0 and arrived(village, receipts[0].seq) != [], "an eaten reply"
    )
    assert int(str((await status(village))["waiting"])) == 40
    eater.is_hungry = False
    await village.set_link(is_whole=True)

    await assert_all_arrived_once(village, receipts)
