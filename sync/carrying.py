"""A kiosk and a stick: replies and a catalogue are taken in, what waits is laid on it.

Nothing is settled by writing: the stick may be lost. A stick may be pulled out at any byte, and
whatever lies on it may come from anybody.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal

import msgspec

from sync.bundles import (
    ANSWER,
    ANSWER_MAGIC,
    ANSWER_SUFFIX,
    BUNDLE_MAGIC,
    BUNDLE_SUFFIX,
    REQUEST,
    BundleReader,
    BundleWriter,
    Head,
    Item,
    answer_name,
    bundle_name,
    centre_id,
    name_parts,
)
from sync.database import Database
from sync.device import KioskIdentity
from sync.frames import REPLY_MAGIC, REQUEST_HASH_BYTES, request_hash
from sync.limits import BUNDLE_BYTES_MAX, BUNDLE_ITEMS_MAX, FRAME_BYTES_MAX, STICK_BUNDLES_MAX
from sync.packing import Packed, Packing, waiting_bytes
from sync.shipment import Aside, Shipment
from sync.signing import DeviceKeys
from sync.sticks import FreshFile, StickFailed, StickFile, StickFolder
from sync.unpacking import Unpacked, Unpacking

_END_ROOM = 1024  # of a file, for what its end and one item's head take
_NAMES_TRIED = 1000  # counters that an old image may have used on this stick already


class Progress(msgspec.Struct, frozen=True):
    """How far the work on a stick is, about."""

    part: Literal["reading", "writing", "checking"]
    done_bytes: int = 0
    total_bytes: int = 0

    @property
    def percent(self) -> int:
        """Of this part, 0 to 100."""
        return min(100, 100 * self.done_bytes // self.total_bytes) if self.total_bytes else 0


Tell = Callable[[Progress], None]


class Brought(msgspec.Struct, frozen=True):
    """What a stick brought home."""

    #: Verified replies that were taken in, and what they settled.
    replies: int = 0
    settled: int = 0
    notices: int = 0
    #: Replies that are not the centre's to a request of ours, and outdated ones.
    refused: int = 0
    late: int = 0
    #: Version of a catalogue that is in force now and was not before; 0 = none.
    catalogue: int = 0
    #: A catalogue came along and could not be used.
    is_catalogue_refused: bool = False
    is_revoked: bool = False
    must_reenrol: bool = False
    #: Bundles taken off the stick: all that they carried is at the centre or here.
    removed: int = 0
    #: Files of replies whose bundle is not on the stick any more, so that nothing proves them.
    orphans: int = 0
    #: The stick holds more files than were looked at.
    is_crowded: bool = False


class Laid(msgspec.Struct, frozen=True):
    """What was laid on a stick."""

    files: tuple[str, ...] = ()
    envelopes: int = 0
    attachments: int = 0
    size_bytes: int = 0


class Carrier:
    """Works on sticks for one kiosk; all that touches the outside is an argument.

    Args:
        database: The open store.
        keys: The device's.
        identity: What the enrolment said.
        packing: Writes the frames.
        on_catalogue: Called with the version once a new catalogue is in force.
        takes_catalogues: Whether a catalogue that comes along is put in force.
        aside: Runs reading and writing of the stick; a thread by default.
        bytes_max: Longest bundle; what does not fit begins another.
    """

    def __init__(
        self,
        database: Database,
        keys: DeviceKeys,
        identity: KioskIdentity,
        packing: Packing,
        *,
        on_catalogue: Callable[[int], None] | None = None,
        takes_catalogues: bool = True,
        aside: Aside = asyncio.to_thread,
        bytes_max: int = BUNDLE_BYTES_MAX,
    ) -> None:
        self._database = database
        self._kiosk_id = keys.kiosk_id
        self.roots = (bytes.fromhex(identity.root_public),)
        self._head = Head(centre_id(self.roots[0]), keys.kiosk_id)
        self._packing = packing
        self._unpacking = Unpacking(keys, packing.trust)
        self._on_catalogue = on_catalogue
        self._takes_catalogues = takes_catalogues
        self._aside = aside
        self._bytes_max = bytes_max

    @asynccontextmanager
    async def _reading(self, folder: StickFolder, name: str) -> AsyncIterator[StickFile]:
        file: StickFile = await self._aside(folder.open_file, name)
        try:
            yield file
        finally:
            await self._aside(file.close)

    # --- home ---

    async def bring(self, folder: StickFolder, tell: Tell) -> Brought:
        """Take in the replies that wait on a stick, oldest first; drop what is done with.

        Raises:
            StickFailed: The stick is gone; what was taken in stays taken in.
            StorageFailed: The kiosk's own disk does not take it.
        """
        names, is_crowded = await self._aside(folder.names)
        brought = Brought(is_crowded=is_crowded)
        answers = [name for name in self._own(names) if name.endswith(ANSWER_SUFFIX)]
        for number, name in enumerate(answers[:STICK_BUNDLES_MAX]):
            tell(Progress("reading", number, len(answers)))
            bundle = name.removesuffix(ANSWER_SUFFIX) + BUNDLE_SUFFIX
            if bundle not in names:
                brought = _more(brought, orphans=1)
                continue
            try:
                brought, is_spare = await self._bring_file(folder, bundle, name, brought)
                if is_spare:
                    await self._drop(folder, bundle)
                    brought = _more(brought, removed=1)
            except StickFailed as error:
                # A pipe or a link under one of our names costs that name only.
                if error.why not in ("strange", "locked"):
                    raise
                brought = _more(brought, refused=1)
        return brought

    def _own(self, names: tuple[str, ...]) -> list[str]:
        return [
            name
            for name in names
            if (parts := name_parts(name)) is not None and parts[0] == self._kiosk_id
        ]

    async def _drop(self, folder: StickFolder, bundle: str) -> None:
        # First the bundle: replies without it are inert, a bundle without them is sent again.
        await self._aside(folder.remove, bundle)
        await self._aside(folder.remove, answer_name(bundle))

    async def _bring_file(
        self, folder: StickFolder, bundle: str, answers: str, brought: Brought
    ) -> tuple[Brought, bool]:
        async with self._reading(folder, bundle) as asked, self._reading(folder, answers) as told:
            places = await self._aside(_places, asked)
            waiting = set(places)
            shipment = Shipment(self._database, self._packing, self._aside)
            reader, pieces = BundleReader(ANSWER_MAGIC), told.pieces()
            while piece := await self._aside(next, pieces, b""):
                for item in reader.feed(piece):
                    if item.kind == ANSWER:
                        found = await self._bring_reply(asked, places, item)
                        brought = _counted(brought, found)
                        if found.is_spare:
                            waiting.discard(_hash_in(item.raw))
                    elif self._takes_catalogues:
                        await shipment.take_in(item)
                if reader.is_over:
                    break
        version = await shipment.put_in_force()
        if version and self._on_catalogue is not None:
            self._on_catalogue(version)
        brought = _more(brought, catalogue=version)
        if shipment.is_refused:
            brought = msgspec.structs.replace(brought, is_catalogue_refused=True)
        return brought, bool(places) and not waiting

    async def _bring_reply(
        self, asked: StickFile, places: dict[bytes, tuple[int, int]], item: Item
    ) -> Unpacked:
        place = places.get(_hash_in(item.raw))
        if place is None:
            return Unpacked(ignored="refused")
        request_raw = await self._aside(asked.read_at, *place)
        return await self._database.write(self._unpacking.take_in, request_raw, item.raw)

    # --- out ---

    async def lay(self, folder: StickFolder, tell: Tell) -> Laid:
        """Write all that waits into one or more bundles; each is there whole or not at all.

        Older bundles of this kiosk go, when the store still holds all that is in them.

        Raises:
            StickFailed: The stick is full, locked or gone; no half file stays.
            StorageFailed: The kiosk's own disk does not take the count.
        """
        await self._aside(folder.sweep, self._kiosk_id)
        before, _ = await self._aside(folder.names)
        total = await self._database.run(waiting_bytes)
        past, laid = Packed(), Laid()
        is_all_in = False
        while not is_all_in:
            past, laid, is_all_in = await self._lay_file(folder, past, laid, total, tell)
        for name in self._own(before)[:STICK_BUNDLES_MAX]:
            if name.endswith(BUNDLE_SUFFIX) and await self._is_spare(folder, name):
                await self._drop(folder, name)
        return laid

    async def _lay_file(
        self, folder: StickFolder, past: Packed, laid: Laid, total: int, tell: Tell
    ) -> tuple[Packed, Laid, bool]:
        name, file, writer = "", None, None
        is_all_in = False
        try:
            while True:
                frame = await self._database.write(self._packing.next_frame, past)
                if frame is None:
                    is_all_in = True
                    break
                if file is None or writer is None:
                    name = await self._free_name(folder, frame.counter)
                    file = await self._aside(folder.fresh, name)
                    writer = await self._aside(BundleWriter, file.write, BUNDLE_MAGIC, self._head)
                await self._aside(writer.add, REQUEST, frame.raw)
                past = frame.packed
                tell(Progress("writing", laid.size_bytes + writer.size_bytes, total))
                if self._is_full(writer):
                    break
            if file is not None and writer is not None:
                tell(Progress("checking"))
                await self._aside(_ended, writer, file)
        except BaseException:
            if file is not None:
                await self._aside(file.discard)
            raise
        laid = Laid(
            files=(*laid.files, *([name] if name else [])),
            envelopes=past.envelopes,
            attachments=past.attachments,
            size_bytes=laid.size_bytes + (file.size_bytes if file is not None else 0),
        )
        return past, laid, is_all_in

    def _is_full(self, writer: BundleWriter) -> bool:
        """Answer whether another frame might not fit."""
        is_long = writer.size_bytes + FRAME_BYTES_MAX + _END_ROOM > self._bytes_max
        return is_long or writer.count == BUNDLE_ITEMS_MAX

    async def _free_name(self, folder: StickFolder, counter: int) -> str:
        for number in range(counter, counter + _NAMES_TRIED):
            name = bundle_name(self._kiosk_id, number)
            # Taken when this kiosk was put back to an old image: that bundle is another's.
            taken = await self._aside(folder.has, name)
            if not taken and not await self._aside(folder.has, answer_name(name)):
                return name
        raise StickFailed("strange")

    async def _is_spare(self, folder: StickFolder, name: str) -> bool:
        try:
            async with self._reading(folder, name) as file:
                places = await self._aside(_places, file)
                for place in places.values():
                    raw = await self._aside(file.read_at, *place)
                    if not await self._database.run(self._unpacking.is_spare, raw):
                        return False
                return bool(places)
        except StickFailed as error:
            if error.why == "gone":
                raise
            return False


def _hash_in(reply_raw: bytes) -> bytes:
    """Answer which request a reply claims to answer."""
    return reply_raw[len(REPLY_MAGIC) : len(REPLY_MAGIC) + REQUEST_HASH_BYTES]


def _places(file: StickFile) -> dict[bytes, tuple[int, int]]:
    """Answer where the requests of a bundle stand, by their hash: offset and size."""
    found: dict[bytes, tuple[int, int]] = {}
    reader = BundleReader(BUNDLE_MAGIC)
    for piece in file.pieces():
        for item in reader.feed(piece):
            if item.kind == REQUEST:
                found[request_hash(item.raw)] = (item.offset, len(item.raw))
        if reader.is_over:
            break
    return found


def _ended(writer: BundleWriter, file: FreshFile) -> None:
    writer.end()
    file.finish()


def _more(brought: Brought, **counts: int) -> Brought:
    grown = {name: getattr(brought, name) + count for name, count in counts.items()}
    return msgspec.structs.replace(brought, **grown)


def _counted(brought: Brought, found: Unpacked) -> Brought:
    if found.ignored:
        is_refused = found.ignored == "refused"
        return _more(brought, refused=int(is_refused), late=int(not is_refused))
    brought = _more(
        brought,
        replies=1,
        settled=found.settled,
        notices=found.notices,
        late=int(found.is_late),
    )
    return msgspec.structs.replace(
        brought,
        is_revoked=brought.is_revoked or found.is_revoked,
        must_reenrol=brought.must_reenrol or found.must_reenrol,
    )
