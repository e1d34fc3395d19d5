"""Histories that once lost something, told step by step; they stay for ever.

The first two lost records in the drafts of the design (research/sync-reliability-security.md,
decision 10); the others were found by the simulation in this code. Each is a script for
`world.run_plan`. A seed alone is no memory: once the simulation itself changes, it tells another
story. So what a seed finds is written down here before it is repaired.
"""

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from server import ingest
from server.store import fleet
from sync.transports import EXCHANGE_PATH
from tests.simulation import invariants, past, scenery
from tests.simulation.clocks import YEAR_MS
from tests.simulation.disk import CARELESS
from tests.simulation.history import Broken
from tests.simulation.kiosk import Card, Kiosk, Visit
from tests.simulation.plan import Plan
from tests.simulation.world import World

Script = Callable[[World], Coroutine[Any, Any, None]]
LinkAt = Callable[[int], "ingest.Links | None"]

HOUR_S = 3600.0
VISIT_S = 700.0

#: A world without chance misfortune.
CALM = Plan(seed=1, kiosks=1, visits=0, span_s=HOUR_S, faults=frozenset(), link_percent=0)


async def begun(world: World) -> Kiosk:
    """Start the centre and one kiosk that holds the catalogue."""
    world.centre.boot()
    kiosk = await world.enrolled("kiosk 1")
    await asyncio.sleep(60)
    return kiosk


async def visited(kiosk: Kiosk, *, number: int = 1) -> None:
    """Let somebody hand in the matter of that number, and wait until the receipt is shown."""
    matter = [m for m in scenery.matters() if m.transaction.service == "medical_registration"]
    kiosk.arrive(Visit(matter=matter[number], secrets=()))
    await asyncio.sleep(VISIT_S)


async def judged(world: World, *, is_counted: bool = True) -> None:
    """Let all heal and judge; what is nowhere any more is forgiven, unless nothing may be."""
    if is_counted:
        world.count_destroyed()
    await world._heal()
    world._judge_defects()
    await invariants.at_the_end(world)


async def acknowledged_by_number(world: World) -> None:
    """A kiosk set back to an old image gives number 2 again, while an answer is on its way that
    speaks of the centre's own number 2: by number alone the new one would count as delivered."""
    kiosk = await begun(world)
    await visited(kiosk, number=1)
    image = kiosk.card.snapshot()
    await visited(kiosk, number=2)
    kiosk.down(is_power=False)
    kiosk.card.restore(image)
    world.doubt(kiosk.keys.kiosk_id)
    kiosk.link.extra_s = 2 * VISIT_S
    kiosk.boot()
    await asyncio.sleep(10)
    # The answer is on its way; what is handed in now goes nowhere yet.
    kiosk.link.is_cut = True
    await visited(kiosk, number=3)
    await asyncio.sleep(2 * VISIT_S)
    kiosk.link.extra_s, kiosk.link.is_cut = 0.0, False
    await judged(world)


async def counted_instead_of_walked(world: World) -> None:
    """Two cards of one identity and a restored centre: 1 to 4 of both, 5 of one, 6 of the other
    look like an unbroken row when they are counted, and the other's 5 is never asked for."""
    kiosk = await begun(world)
    for number in range(4):
        await visited(kiosk, number=number)
    backup = world.centre.disk.snapshot()
    copy = kiosk.card.clone(world.luck("twin card"))
    card = Card(copy, kiosk.keys, kiosk.identity)
    twin = world.machine("kiosk 1 twin", card, world.luck("twin"))
    world.doubt(kiosk.keys.kiosk_id)
    kiosk.link.is_cut = True
    twin.boot()
    await visited(kiosk, number=5)
    await visited(twin, number=6)
    past.put_back(world, world.centre, backup)
    await past.restored(world, world.centre)
    twin.link.is_cut = True
    kiosk.link.is_cut = False
    kiosk.poke()
    await asyncio.sleep(HOUR_S)
    await visited(twin, number=7)
    twin.link.is_cut = False
    twin.poke()
    await asyncio.sleep(HOUR_S)
    await judged(world)


async def confirmed_again_on_an_old_image(world: World) -> None:
    """The very same confirmation comes in two envelopes, since the card under the screen was set
    back: only the transaction's id, kept for ever at the centre, says that it is one."""
    kiosk = await begun(world)
    image = kiosk.card.snapshot()
    await visited(kiosk, number=1)
    (press,) = world.history.receipted()
    kiosk.down(is_power=False)
    kiosk.card.restore(image)
    world.doubt(kiosk.keys.kiosk_id)
    kiosk.boot()
    kiosk.link.is_cut = True
    await asyncio.sleep(60)
    matter = scenery.Matter(press.transaction, press.attachments)
    kiosk.arrive(Visit(matter=matter, secrets=(), again=press.id))
    await asyncio.sleep(VISIT_S)
    kiosk.link.is_cut = False
    await judged(world)


async def pipeline_started_on_a_sick_disk(world: World) -> None:
    """The worker's first write failed, and nothing was ever opened again until a restart."""
    kiosk = await begun(world)
    world.centre.disk.is_read_only = True
    world.centre.kill_pipeline()
    await asyncio.sleep(60)
    world.centre.disk.is_read_only = False
    await visited(kiosk)
    await judged(world)


class Unlucky(Random):
    """Of what may be lost with the power, all is."""

    def random(self) -> float:
        """Answer what keeps no change of a name."""
        return 0.999


async def ledger_began_anew(world: World) -> None:
    """The ledger's journal came back with the power cut after the first opening, since nobody had
    synced the directory, and rolled the ledger back to nothing: the next entry was number 1."""
    world.centre.disk.habits = CARELESS
    kiosk = await begun(world)
    await visited(kiosk)
    world.centre.disk.random = Unlucky(1)
    world.centre.down(is_power=True)
    await asyncio.sleep(60)
    world.centre.boot()
    await judged(world)


async def requests_of_a_forgotten_start_came_again(world: World) -> None:
    """A kiosk's clock ran nine years ahead during one start. A restored centre has forgotten that
    start, and somebody sends its requests again: by the clock they are later than the newest one,
    from a start never heard of. The honest kiosk was marked as a clone's, and rested after 72 h."""
    kiosk = await begun(world)
    backup = world.centre.disk.snapshot()
    kiosk.down(is_power=False)
    kiosk.clock.boot(wall_ms=kiosk.clock.true_ms() + 9 * YEAR_MS)
    first = len(world.network.requests)
    kiosk.boot()
    await visited(kiosk, number=1)
    kiosk.down(is_power=False)
    old = [one for one in world.network.requests[first:] if one[0] == EXCHANGE_PATH]
    kiosk.clock.boot(wall_ms=kiosk.clock.true_ms())
    past.put_back(world, world.centre, backup)
    await past.restored(world, world.centre)
    kiosk.boot()
    await visited(kiosk, number=2)
    for path, body in old:
        await past._sent(world, "a stranger", path, body)
    (row,) = await world.centre.store.read(fleet.kiosks)
    if not old or row.state != "active":
        raise Broken(f"an_honest_kiosk_serves_on: it is {row.state}")
    await judged(world)


async def number_of_an_edition_was_given_twice(world: World) -> None:
    """A backup was put back that lacks edition 2, nobody had said so yet, and the office published
    another one: it got number 2 too, and what was filled in with the lost one was read by it."""
    kiosk = await begun(world)
    backup = world.centre.disk.snapshot()
    await world.people.done(world.centre, world.people.publish(world.centre, 1))
    kiosk.poke()
    await asyncio.sleep(HOUR_S)
    kiosk.link.is_cut = True
    await visited(kiosk, number=1)
    past.put_back(world, world.centre, backup)
    world.centre.boot()
    kiosk.link.is_cut = False
    kiosk.poke()
    await asyncio.sleep(HOUR_S)
    await world.people.done(world.centre, world.people.publish(world.centre, 2))
    world.centre.down(is_power=False)
    await past.restored(world, world.centre)
    await judged(world)


async def number_of_an_edition_was_given_again_before_anybody_spoke(world: World) -> None:
    """A backup was put back that lacks an edition, and the office published another one before any
    kiosk had called: nothing in the database could tell that the number had been given."""
    kiosk = await begun(world)
    backup = world.centre.disk.snapshot()
    await asyncio.sleep(HOUR_S)
    await world.people.done(world.centre, world.people.publish(world.centre, 1))
    kiosk.poke()
    await asyncio.sleep(HOUR_S)
    kiosk.link.is_cut = True
    await visited(kiosk, number=1)
    past.put_back(world, world.centre, backup)
    world.centre.boot()
    await world.people.done(world.centre, world.people.publish(world.centre, 2))
    world.centre.down(is_power=False)
    await past.restored(world, world.centre)
    first, second = (row.version for row, _ in world.publications)
    if first >= second:
        raise Broken(f"a_number_is_given_once: {second} comes after {first}")
    kiosk.link.is_cut = False
    await judged(world)


async def photo_left_a_full_card_by_the_word_of_a_replaced_centre(world: World) -> None:
    """A restored centre lacks a photo that the old one had acknowledged, and the old one still
    answers: a kiosk that hears only that one lets the photo go when its card is full. No kiosk can
    know; the judge forgave it only what was gone when the backup was put back."""
    kiosk = await begun(world)
    backup = world.centre.disk.snapshot()
    photo = next(m for m in scenery.matters() if m.attachments and not m.transaction.corrects)
    kiosk.arrive(Visit(matter=photo, secrets=()))
    await asyncio.sleep(VISIT_S)
    (press,) = world.history.receipted()
    world.old_centre = old = past._second(world, world.centre)
    past.put_back(world, world.centre, backup)
    await past.restored(world, world.centre)
    old.boot()
    world.network.far = lambda: old
    kiosk.card.capacity_bytes = kiosk.card.used_bytes
    for _ in range(3):
        kiosk.poke()
        await asyncio.sleep(HOUR_S)
    if not press.gone_places:
        raise Broken("a_full_card_takes_people: the photo still lies on the card")
    kiosk.card.capacity_bytes = None
    world.network.far = world.far
    await judged(world, is_counted=False)


async def card_failed_to_read_as_somebody_stepped_up(world: World) -> None:
    """The kiosk asks its store whether it is in service, and the card does not answer: it goes by
    what it knew. Here it was the simulated app that did not, unlike `kiosk.lifecycle`."""
    kiosk = await begun(world)
    assert kiosk.database is not None
    kiosk.database.conn.execute("PRAGMA shrink_memory")
    kiosk.card.fail("read")
    await visited(kiosk)
    if kiosk.card.failures:
        raise Broken("a_card_fails_to_read: nothing was read")
    await judged(world)


SCRIPTS: tuple[Script, ...] = (
    acknowledged_by_number,
    counted_instead_of_walked,
    confirmed_again_on_an_old_image,
    pipeline_started_on_a_sick_disk,
    ledger_began_anew,
    requests_of_a_forgotten_start_came_again,
    number_of_an_edition_was_given_twice,
    number_of_an_edition_was_given_again_before_anybody_spoke,
    photo_left_a_full_card_by_the_word_of_a_replaced_centre,
    card_failed_to_read_as_somebody_stepped_up,
)
