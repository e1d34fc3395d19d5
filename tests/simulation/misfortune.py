"""What befalls machines, disks, clocks and links, and how it ends."""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from random import Random
from typing import TYPE_CHECKING, Any, cast

from tests.simulation.centre import Centre
from tests.simulation.clocks import YEAR_MS
from tests.simulation.disk import FailingKind, SimDisk
from tests.simulation.kiosk import Kiosk

if TYPE_CHECKING:
    from tests.simulation.world import World

HOUR_S = 3600.0
CALLS_MAX = 60
#: Room that a "full" disk still has: from none to one page less than a commit.
ROOM_MAX = 20_000

Befall = Callable[["World", Random], Coroutine[Any, Any, None]]


def begin(world: "World") -> list["asyncio.Task[Any]"]:
    """Start what this run knows of; each comes again and again until the world heals."""
    from tests.simulation import past, stick

    known = {**_MACHINES, **past.EVENTS, **stick.EVENTS}
    return [
        asyncio.ensure_future(_again_and_again(world, fault, befall))
        for fault, befall in known.items()
        if world.plan.has(fault)
    ]


async def _again_and_again(world: "World", fault: str, befall: Befall) -> None:
    random = world.luck(fault)
    while True:
        await asyncio.sleep(world.plan.span_s * (0.02 + random.random() / 2.5))
        try:
            await befall(world, random)
        except (sqlite3.Error, OSError) as error:
            if not world.is_disk_sick():
                raise
            world.trace.note("world", f"{fault} fails: {type(error).__name__}")


def boot(world: "World", machine: Kiosk | Centre, random: Random | None) -> None:
    """Start a machine; its clock may have forgotten the time, its disk may be writable again."""
    if not isinstance(machine, Kiosk):
        machine.boot()
        return
    is_lost = random is not None and world.plan.has("clock_1970") and random.random() < 0.5
    machine.clock.boot(wall_ms=1000 if is_lost else None)
    if is_lost:
        world.trace.note(machine.name, "starts in 1970")
    machine.boot()


def a_kiosk(world: "World", random: Random) -> Kiosk | None:
    """Choose one that runs."""
    running = [kiosk for kiosk in world.kiosks if kiosk.is_on]
    return random.choice(running) if running else None


async def _kiosk_kill(world: "World", random: Random) -> None:
    if kiosk := a_kiosk(world, random):
        kiosk.down(is_power=False)


async def _kiosk_power_cut(world: "World", random: Random) -> None:
    if kiosk := a_kiosk(world, random):
        kiosk.down(is_power=True)


async def _kiosk_cut_in_write(world: "World", random: Random) -> None:
    if kiosk := a_kiosk(world, random):
        kiosk.is_power_cut_next = random.random() < 0.5
        kiosk.card.crash_after(random.randint(1, CALLS_MAX))


async def _centre_kill(world: "World", random: Random) -> None:
    if world.centre.is_on:
        world.centre.down(is_power=random.random() < 0.5)


async def _centre_cut_in_write(world: "World", random: Random) -> None:
    if world.centre.is_on:
        world.centre.is_power_cut_next = random.random() < 0.5
        world.centre.disk.crash_after(random.randint(1, CALLS_MAX))


async def _vault_kill(world: "World", _: Random) -> None:
    world.centre.kill_vault()


async def _pipeline_kill(world: "World", _: Random) -> None:
    if world.centre.is_on:
        world.centre.kill_pipeline()


def _a_disk(world: "World", random: Random) -> tuple[str, SimDisk] | None:
    if random.random() < 0.2:
        return world.centre.name, world.centre.disk
    kiosk = a_kiosk(world, random)
    return (kiosk.name, kiosk.card) if kiosk else None


async def _disk_full(world: "World", random: Random) -> None:
    if found := _a_disk(world, random):
        name, disk = found
        world.trace.note(name, "has no room left")
        disk.capacity_bytes = disk.used_bytes + random.randrange(ROOM_MAX)
        await asyncio.sleep(random.random() * 6 * HOUR_S)
        disk.capacity_bytes = None
        world.trace.note(name, "has room again")


async def _disk_readonly(world: "World", random: Random) -> None:
    if found := _a_disk(world, random):
        name, disk = found
        world.trace.note(name, "can only be read")
        disk.is_read_only = True
        await asyncio.sleep(random.random() * 6 * HOUR_S)
        disk.is_read_only = False
        world.trace.note(name, "can be written again")


async def _disk_error(world: "World", random: Random) -> None:
    if found := _a_disk(world, random):
        name, disk = found
        kind = random.choice(("sync", "write", "read", "truncate", "unlink", "directory"))
        world.trace.note(name, f"will fail a {kind}")
        disk.fail(cast("FailingKind", kind), random.randint(1, 12))


async def _clock_jump(world: "World", random: Random) -> None:
    if kiosk := a_kiosk(world, random):
        jump_ms = random.choice((-10 * YEAR_MS, 10 * YEAR_MS, -3_600_000, 86_400_000))
        world.trace.note(kiosk.name, f"clock jumps by {jump_ms // 3_600_000} h")
        kiosk.clock.show(max(0, kiosk.clock.now_ms() + jump_ms))


async def _clock_still(world: "World", random: Random) -> None:
    if kiosk := a_kiosk(world, random):
        world.trace.note(kiosk.name, "clock stands still")
        kiosk.clock.stand_still()
        await asyncio.sleep(random.random() * 12 * HOUR_S)
        kiosk.clock.show(kiosk.clock.true_ms())


async def _centre_clock(world: "World", random: Random) -> None:
    clock = world.centre.clock
    clock.show(clock.true_ms() + random.choice((-7_200_000, -60_000, 60_000, 7_200_000)))
    world.trace.note(world.centre.name, f"clock is off by {clock.skew_ms // 60_000} min")


async def _outage(world: "World", random: Random) -> None:
    if kiosk := a_kiosk(world, random):
        world.trace.note(kiosk.name, "has no signal")
        kiosk.link.is_cut = True
        await asyncio.sleep(random.random() * 3 * HOUR_S)
        kiosk.link.is_cut = False


_MACHINES: dict[str, Befall] = {
    "kiosk_kill": _kiosk_kill,
    "kiosk_power_cut": _kiosk_power_cut,
    "kiosk_cut_in_write": _kiosk_cut_in_write,
    "centre_kill": _centre_kill,
    "centre_cut_in_write": _centre_cut_in_write,
    "vault_kill": _vault_kill,
    "pipeline_kill": _pipeline_kill,
    "disk_full": _disk_full,
    "disk_readonly": _disk_readonly,
    "disk_error": _disk_error,
    "clock_jump": _clock_jump,
    "clock_still": _clock_still,
    "centre_clock": _centre_clock,
    "outage": _outage,
}


def end(world: "World") -> None:
    """Let every disk, clock and link be well; a centre that was replaced is switched off."""
    for kiosk in world.kiosks:
        kiosk.card.heal()
        kiosk.link.is_cut = False
        kiosk.clock.show(kiosk.clock.true_ms())
    world.network.is_manifest_replayed = False
    world.centre.disk.heal()
    world.centre.clock.show(world.centre.clock.true_ms())
    old = world.old_centre
    if old is not None:
        old.is_in_service = False
        old.down(is_power=False)
