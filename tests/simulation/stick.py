"""A USB stick and who carries it: pulled out at any byte, copied, late, with anything on it."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from server.identity import CentreKeys
from server.sticks import Taking
from sync.bundles import BUNDLE_SUFFIX, bundle_name, name_parts
from sync.carrying import Carrier
from sync.packing import Packing
from sync.records import Health
from sync.sticks import FRESH_SUFFIX, StickFailed
from tests.simulation.centre import Centre
from tests.simulation.disk import Crashed
from tests.simulation.kiosk import Kiosk
from tests.simulation.misfortune import HOUR_S, Befall, a_kiosk

if TYPE_CHECKING:
    from tests.simulation.world import World

PIECE_BYTES = 700


class SimStick:
    """What `sync.sticks.StickFolder` is, in memory; it may be pulled out at any byte."""

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self.files = dict(files or {})
        #: Bytes that still go through before it is pulled out; None = it stays in.
        self.pulled_after: int | None = None

    def pass_bytes(self, size: int) -> int:
        """Answer how many of these bytes still go through.

        Raises:
            StickFailed: It is out.
        """
        if self.pulled_after is None:
            return size
        if self.pulled_after <= 0:
            raise StickFailed("gone")
        passing = min(size, self.pulled_after)
        self.pulled_after -= max(passing, 1)
        return passing

    def names(self) -> tuple[tuple[str, ...], bool]:
        """Answer the names of our files."""
        self.pass_bytes(1)
        return tuple(sorted(name for name in self.files if name_parts(name))), False

    def sweep(self, kiosk_id: bytes) -> None:
        """Take away what a pulled stick left half written."""
        self.pass_bytes(1)
        own = kiosk_id.hex().upper()
        for name in [n for n in self.files if n.endswith(FRESH_SUFFIX) and own in n.upper()]:
            del self.files[name]

    def has(self, name: str) -> bool:
        """Answer whether there is a file of that name."""
        self.pass_bytes(1)
        return name in self.files

    def open_file(self, name: str) -> "SimStickFile":
        """Open a file."""
        self.pass_bytes(1)
        if name not in self.files:
            raise StickFailed("strange")
        return SimStickFile(self, self.files[name])

    def fresh(self, name: str) -> "SimFreshFile":
        """Begin a file that is there whole or not at all."""
        self.pass_bytes(1)
        return SimFreshFile(self, name)

    def remove(self, name: str) -> None:
        """Take a file away."""
        self.pass_bytes(1)
        self.files.pop(name, None)


class SimStickFile:
    """An open file of a stick."""

    def __init__(self, stick: SimStick, raw: bytes) -> None:
        self._stick, self._raw = stick, raw

    def read_at(self, offset: int, size: int) -> bytes:
        """Read a part."""
        self._stick.pass_bytes(1)
        return self._raw[offset : offset + size]

    def pieces(self) -> Iterator[bytes]:
        """Read it all."""
        for at in range(0, len(self._raw), PIECE_BYTES):
            self._stick.pass_bytes(1)
            yield self._raw[at : at + PIECE_BYTES]

    def close(self) -> None:
        """Let go of it."""


class SimFreshFile:
    """A file that is being written."""

    def __init__(self, stick: SimStick, name: str) -> None:
        self._stick, self._name, self._fresh = stick, name, name + FRESH_SUFFIX
        self.size_bytes = 0
        stick.files[self._fresh] = b""

    def write(self, raw: bytes) -> None:
        """Write on."""
        passing = self._stick.pass_bytes(len(raw))
        self._stick.files[self._fresh] += raw[:passing]
        if passing < len(raw):
            raise StickFailed("gone")
        self.size_bytes += len(raw)

    def finish(self) -> None:
        """Give it its name."""
        self._stick.pass_bytes(1)
        self._stick.files[self._name] = self._stick.files.pop(self._fresh)

    def discard(self) -> None:
        """Leave nothing of it, if the stick still answers."""
        if self._stick.pulled_after is None:
            self._stick.files.pop(self._fresh, None)


async def _aside(fn: Callable[..., Any], /, *args: Any) -> Any:
    await asyncio.sleep(0.002)
    return fn(*args)


async def carried(world: "World", random: Random) -> None:
    """A helper takes a stick from a kiosk to the centre and home again, in days or never."""
    kiosk = a_kiosk(world, random)
    if kiosk is None:
        return
    stick = world.sticks.setdefault(kiosk.name, SimStick())
    await _at_kiosk(world, kiosk, stick, random)
    copy = SimStick(stick.files) if random.random() < 0.3 else None
    await asyncio.sleep(random.random() * 6 * HOUR_S)
    if random.random() < 0.2:
        _spoil(stick, random)
    await _at_centre(world, world.centre, stick, random)
    if random.random() < 0.3:
        await _at_centre(world, world.centre, stick, random)
    world.seen_on_sticks += stick.files.values()
    await asyncio.sleep(random.random() * 6 * HOUR_S)
    if kiosk.is_on:
        await _at_kiosk(world, kiosk, stick, random)
    if copy is not None:
        # The copy comes when everything has changed, with an old way back.
        await _at_centre(world, world.centre, copy, random)
        if kiosk.is_on:
            await _at_kiosk(world, kiosk, copy, random)
        world.seen_on_sticks += copy.files.values()


def _spoil(stick: SimStick, random: Random) -> None:
    """Cut or change a file, or put another one in its place."""
    for name in list(stick.files):
        raw = stick.files[name]
        place = random.randrange(len(raw) + 1)
        stick.files[name] = random.choice(
            (
                raw[:place],
                raw[:place] + random.randbytes(40) + raw[place + 40 :],
                random.randbytes(90),
            )
        )
    stick.files[bundle_name(random.randbytes(8), 7)] = random.randbytes(200)


async def _at_kiosk(world: "World", kiosk: Kiosk, stick: SimStick, random: Random) -> None:
    stick.pulled_after = random.randrange(3000) if random.random() < 0.3 else None
    await carried_home(world, kiosk, stick)


async def carried_home(world: "World", kiosk: Kiosk, stick: SimStick) -> None:
    """Plug a stick into a kiosk: what lies on it is taken in, what waits is laid on it."""
    if kiosk.process is None or kiosk.database is None:
        stick.pulled_after = None
        return
    task = kiosk.process.spawn(_worked_on(world, kiosk, stick), "stick")
    task.add_done_callback(lambda done: _told(world, kiosk, done))
    await asyncio.wait({task})
    stick.pulled_after = None


def _told(world: "World", kiosk: Kiosk, task: "asyncio.Task[Any]") -> None:
    error = None if task.cancelled() else task.exception()
    if error is None or isinstance(error, StickFailed):
        word = "is pulled out" if error else "is done"
        world.trace.note(kiosk.name, f"stick {word}")
    elif isinstance(error, Crashed):
        if kiosk.is_on:
            kiosk._cut(error)
    elif not (isinstance(error, Exception) and world.is_disk_sick()):
        world.on_defect(f"{kiosk.name}/stick", error)


async def _worked_on(world: "World", kiosk: Kiosk, stick: SimStick) -> None:
    assert kiosk.database is not None
    packing = Packing(
        kiosk.keys,
        kiosk.identity,
        kiosk.clock,
        kiosk.boot_id,
        lambda: Health(version="sim", pending=0, oldest_s=0, disk_free_mb=900),
    )
    carrier = Carrier(
        kiosk.database,
        kiosk.keys,
        kiosk.identity,
        packing,
        on_catalogue=kiosk.renewed,
        aside=_aside,
    )
    folder: Any = stick
    brought = await carrier.bring(folder, lambda _: None)
    laid = await carrier.lay(folder, lambda _: None)
    world.trace.note(
        kiosk.name,
        f"stick brings {brought.replies} replies, takes {laid.envelopes} envelopes along",
    )
    world.checks_settled(kiosk)


async def _at_centre(world: "World", centre: Centre, stick: SimStick, random: Random) -> None:
    stick.pulled_after = random.randrange(3000) if random.random() < 0.2 else None
    keys = centre.keys
    if random.random() < 0.1:
        # The stick is plugged into another county's centre.
        keys = msgspec.structs.replace(keys, root_public=hashlib.sha256(b"elsewhere").digest())
    await carried_in(world, centre, stick, keys)
    stick.pulled_after = None


async def carried_in(
    world: "World", centre: Centre, stick: SimStick, keys: CentreKeys | None = None
) -> None:
    """Plug a stick into the centre's machine."""
    keys = keys or centre.keys
    if centre.is_on:
        taking = Taking(centre.store, centre.reception, keys, centre.clock, aside=_aside)
        for name in [n for n in sorted(stick.files) if n.endswith(BUNDLE_SUFFIX)]:
            await world.people.done(centre, _taken(world, taking, stick, name))
        centre_pipeline_poked(centre)


def centre_pipeline_poked(centre: Centre) -> None:
    """Wake the worker, as whoever has taken a stick in does."""
    if centre.is_on:
        centre.pipeline.poke()


async def _taken(world: "World", taking: Taking, stick: SimStick, name: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in stick.open_file(name).pieces():
            await asyncio.sleep(0.001)
            yield piece

    fresh: Any = stick.fresh
    try:
        told = await taking.take(pieces(), name, actor="王经办", fresh=fresh)
    except StickFailed:
        world.trace.note("the centre", "a stick is pulled out")
        return
    world.trace.note(
        "the centre",
        f"takes {told.stored} of a stick, {told.duplicates} known, {told.refused} refused: "
        f"{told.ending}",
    )


EVENTS: dict[str, Befall] = {"stick": carried}
