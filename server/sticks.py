"""Files from sticks: taken in frame by frame as if a link had brought them, and answered.

A file proves nothing; each frame in it does. So the same file may come twice, late, cut, mixed
with others or made by anybody, and what is good in it is taken once.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable

import msgspec

from server.errors import FrameSignatureRefused, KioskUnknown, StoreBusy
from server.exchange import Carried
from server.identity import CentreKeys
from server.reception import Answered, Reception
from server.store import catalogues, fleet, people, sticks
from server.store.sqlite import Store
from server.store.sticks import Delivery
from sync import bundles
from sync.bundles import ANSWER, ANSWER_MAGIC, BLOB, BUNDLE_MAGIC, MANIFEST, REQUEST, Head
from sync.clock import Clock
from sync.frames import REQUEST_MAGIC, decode_request
from sync.limits import STICK_BUSY_TRIES
from sync.manifest import pack_blob
from sync.octets import WireError
from sync.shipment import Aside
from sync.sticks import FreshFile, StickFailed
from sync.wire import KIOSK_ID_BYTES

NOBODY = Head(centre_id=b"", kiosk_id=b"")


class _Tally(msgspec.Struct):
    """What became of one file so far; grows with each frame."""

    frames: int = 0
    stored: int = 0
    duplicates: int = 0
    quarantined: int = 0
    refused: int = 0
    notices: int = 0
    size_bytes: int = 0
    written_ms: int = 0
    catalogue: int = 0
    is_contact: bool = False
    is_unknown: bool = False
    is_busy: bool = False
    whole: set[tuple[int, int]] = msgspec.field(default_factory=set)
    notices_after: int = 0


class Taking:
    """Takes files in; all that touches the outside is an argument.

    Args:
        store: Of the centre.
        reception: Answers frames.
        keys: Of the centre.
        clock: Time and waiting.
        aside: Runs what takes long or waits for a stick; a thread by default.
    """

    def __init__(
        self,
        store: Store,
        reception: Reception,
        keys: CentreKeys,
        clock: Clock,
        *,
        aside: Aside = asyncio.to_thread,
    ) -> None:
        self._store = store
        self._reception = reception
        self._keys = keys
        self._clock = clock
        self._aside = aside
        self._centre_id = bundles.centre_id(keys.root_public)

    async def take(
        self,
        pieces: AsyncIterator[bytes],
        name: str,
        *,
        actor: str,
        fresh: Callable[[str], FreshFile],
    ) -> Delivery:
        """Take one file in, write its replies, and note that it came.

        Args:
            pieces: The file, however it is cut; anything at all.
            name: What it was called; followed only when it is a name of ours.
            actor: Who brought it.
            fresh: Begins the file of replies of that name.

        Raises:
            StickFailed: The replies could not be written; what the file brought is stored.
        """
        reader, tally = bundles.BundleReader(BUNDLE_MAGIC), _Tally()
        answers = _Answers(fresh, self._aside)
        failed: StickFailed | None = None
        async for piece in pieces:
            tally.size_bytes += len(piece)
            for item in reader.feed(piece):
                try:
                    await self._take_item(item, reader.head or NOBODY, name, tally, answers)
                except StickFailed as error:
                    # What it brought counts all the same; only the way back is not there.
                    failed = failed or error
            if reader.is_over or tally.is_busy or not self._is_for_us(reader):
                break
        if failed is None:
            try:
                await self._finish(answers, tally)
            except StickFailed as error:
                failed = error
        delivery = self._told(reader, tally, actor, answers.name if failed is None else "")
        kiosk = await self._store.read(fleet.kiosk, delivery.kiosk_id)
        if kiosk is not None:
            delivery = msgspec.structs.replace(
                delivery, kiosk_no=kiosk.kiosk_no, kiosk_name=kiosk.name
            )
        await self._store.write(_note, delivery)
        if failed is not None:
            await answers.discard()
            raise failed
        return delivery

    def _is_for_us(self, reader: bundles.BundleReader) -> bool:
        return reader.head is None or reader.head.centre_id == self._centre_id

    async def _take_item(
        self, item: bundles.Item, head: Head, name: str, tally: _Tally, answers: "_Answers"
    ) -> None:
        if head.centre_id != self._centre_id:
            return
        tally.frames += 1
        # The kiosk of the head is the only one that this file may speak for.
        is_its_own = item.raw[len(REQUEST_MAGIC) :][:KIOSK_ID_BYTES] == head.kiosk_id
        if item.kind != REQUEST or not is_its_own or tally.is_busy:
            tally.refused += 1
            return
        try:
            answered = await self._answered(item.raw, Carried(tally.notices_after))
        except KioskUnknown:
            tally.is_unknown = True
            tally.refused += 1
            return
        except (WireError, FrameSignatureRefused):
            tally.refused += 1
            return
        if answered is None:
            tally.is_busy = True
            return
        request = decode_request(item.raw).request
        tally.written_ms, tally.catalogue = request.now_ms, request.catalogue
        _count(tally, answered, {(c.seq, c.index): c.total for c in request.chunks})
        await answers.add(ANSWER, answered.raw, head, _stem(name, head, request.counter))

    async def _answered(self, raw: bytes, carried: Carried) -> Answered | None:
        for _ in range(STICK_BUSY_TRIES):
            try:
                return await self._reception.answer(raw, carried)
            except StoreBusy:
                # Kiosks on a link come first; somebody with a stick can wait a little.
                await self._clock.sleep(1.0)
        return None

    async def _finish(self, answers: "_Answers", tally: _Tally) -> None:
        if not answers.name:
            return
        latest = await self._store.read(catalogues.latest)
        if latest is not None and latest.version > tally.catalogue:
            await answers.add(MANIFEST, latest.manifest)
            names = (
                latest.catalogue_sha256,
                latest.dictionary_sha256,
                latest.villages_sha256,
                latest.reasons_sha256,
            )
            for name in dict.fromkeys(names):
                blob = await self._store.read(catalogues.blob, name)
                if blob is not None:
                    packed = await self._aside(pack_blob, blob)
                    await answers.add(BLOB, bundles.blob_item(name, packed))
        await answers.finish()

    def _told(
        self, reader: bundles.BundleReader, tally: _Tally, actor: str, answers: str
    ) -> Delivery:
        ending: str = reader.ending
        if not self._is_for_us(reader):
            ending = "elsewhere"
        elif tally.is_busy:
            ending = "busy"
        elif tally.is_unknown:
            ending = "unknown"
        return Delivery(
            at_ms=self._clock.now_ms(),
            actor=actor,
            kiosk_id=reader.head.kiosk_id.hex() if reader.head else "",
            answers=answers,
            ending=ending,
            written_ms=tally.written_ms,
            frames=tally.frames,
            stored=tally.stored,
            duplicates=tally.duplicates,
            quarantined=tally.quarantined,
            refused=tally.refused,
            attachments=len(tally.whole),
            notices=tally.notices,
            size_bytes=tally.size_bytes,
            is_contact=tally.is_contact,
        )


class _Answers:
    """The file of replies; begun with the first one."""

    def __init__(self, fresh: Callable[[str], FreshFile], aside: Aside) -> None:
        self._fresh = fresh
        self._aside = aside
        self._file: FreshFile | None = None
        self._writer: bundles.BundleWriter | None = None
        self.name = ""

    async def add(self, kind: int, raw: bytes, head: Head = NOBODY, name: str = "") -> None:
        if self._writer is None:
            self._file = await self._aside(self._fresh, name)
            self._writer = await self._aside(
                bundles.BundleWriter, self._file.write, ANSWER_MAGIC, head
            )
            self.name = name
        await self._aside(self._writer.add, kind, raw)

    async def finish(self) -> None:
        assert self._writer is not None  # noqa: S101 -- asked when there is a name only
        assert self._file is not None  # noqa: S101 -- as above
        await self._aside(self._writer.end)
        await self._aside(self._file.finish)

    async def discard(self) -> None:
        if self._file is not None:
            await self._aside(self._file.discard)


def _stem(name: str, head: Head, counter: int) -> str:
    """Answer the name of the replies: the bundle's own, or one made of what is in it."""
    parts = bundles.name_parts(name)
    if parts is None or parts[0] != head.kiosk_id or parts[2] != bundles.BUNDLE_SUFFIX:
        name = bundles.bundle_name(head.kiosk_id, counter)
    return bundles.answer_name(name)


def _count(tally: _Tally, answered: Answered, totals: dict[tuple[int, int], int]) -> None:
    reply = answered.taken.reply
    tally.stored += reply.verdicts.count("stored")
    tally.duplicates += reply.verdicts.count("duplicate")
    tally.quarantined += reply.verdicts.count("quarantined")
    tally.notices += len(reply.notices)
    tally.notices_after = max([tally.notices_after, *(item.number for item in reply.notices)])
    tally.is_contact = tally.is_contact or answered.taken.is_fresh
    tally.whole |= {
        (mark.seq, mark.index)
        for mark in reply.chunk_marks
        if mark.received_bytes == totals.get((mark.seq, mark.index))
    }


def _note(conn: sqlite3.Connection, delivery: Delivery) -> None:
    sticks.add(conn, delivery)
    people.record(
        conn,
        actor=delivery.actor,
        action="took_stick",
        subject=delivery.kiosk_id or "-",
        detail=f"{delivery.stored}/{delivery.duplicates}/{delivery.refused}",
        now_ms=delivery.at_ms,
    )


def marker(keys: CentreKeys, now_ms: int) -> bytes:
    """Answer the file that makes a stick one of this centre's."""
    return bundles.encode_marker(keys.certificate, now_ms, lambda part: keys.sign("stick", part))
