"""Attachments that travel alone: which ones, how far the centre is, and their bytes in turn.

An upload is an exchange whose frame is followed by the rest of one sealed attachment. The centre
keeps what came, at whatever byte the link breaks; after a break the next ordinary exchange asks
how far it is.
"""

import asyncio
from collections.abc import AsyncIterator

from sync import standing
from sync.correspondence import Intake, Place, Turn
from sync.database import Database
from sync.exchange import PendingAttachment
from sync.limits import UPLOAD_PIECE_BYTES
from sync.octets import counted
from sync.transports import UPLOAD_PATH, CentreRefused, Link, LinkDown, Uploads

NOT_TAKEN_STATUSES = (404, 405, 411, 413, 415, 501)
"""A centre of before uploads, or a proxy that takes none: all pieces then ride in frames."""


class Uploading:
    """What one kiosk's uploads know of each other.

    Args:
        link: Way to the centre; without `Uploads`, all pieces ride in frames.
        database: The open store.
    """

    def __init__(self, link: Link, database: Database) -> None:
        self._uploads = link if isinstance(link, Uploads) else None
        self._database = database
        self._known: frozenset[Place] = frozenset()
        self._road = asyncio.Event()
        #: Attachments that the centre does not take now; others go before them.
        self.stuck: frozenset[Place] = frozenset()

    @property
    def known(self) -> frozenset[Place] | None:
        """Attachments that need not be asked for; None when the link takes no uploads."""
        return None if self._uploads is None else self._known | self.stuck

    def pause(self) -> None:
        """Hold the next piece: an envelope wants to go."""
        self._road.clear()

    def go_on(self) -> None:
        """Send pieces: no envelope is on its way."""
        self._road.set()

    def begin_anew(self) -> None:
        """Forget all: the next exchange asks how far the centre is with each, 45 bytes apiece."""
        self._known = self.stuck = frozenset()

    def forget(self, places: frozenset[Place]) -> None:
        """Note that nobody knows how much of these came: the next exchange asks."""
        self._known -= places

    def has_learnt(self, turn: Turn, intake: Intake) -> bool:
        """Note how far the centre is; answer whether that opens a way to go on."""
        if self._uploads is None:
            return False
        if intake.changes.requeue_from:
            self._known = frozenset()
            return True
        news = turn.places - self._known - self.stuck
        if turn.upload is not None and not intake.has_progress:
            news = turn.places - self.stuck
            self.stuck |= turn.places
        self._known = (self._known | turn.places) - self.stuck
        return bool(news)

    async def carried(self, raw: bytes, upload: PendingAttachment) -> bytes:
        """Send a frame and the rest of an attachment behind it; answer what came back.

        Raises:
            LinkDown: No whole answer came.
        """
        head = counted(raw)
        size_bytes = len(head) + upload.size_bytes - upload.received_bytes
        if self._uploads is None:
            raise LinkDown("this link takes no uploads")
        try:
            return await self._uploads.upload(UPLOAD_PATH, size_bytes, self._pieces(head, upload))
        except CentreRefused as error:
            if error.status in NOT_TAKEN_STATUSES:
                self._uploads = None
            raise

    async def _pieces(self, head: bytes, upload: PendingAttachment) -> AsyncIterator[bytes]:
        yield head
        at = upload.received_bytes
        while at < upload.size_bytes:
            await self._road.wait()
            piece = await self._database.run(standing.piece_of, upload, at, UPLOAD_PIECE_BYTES)
            if not piece:
                raise LinkDown("the attachment is gone from here")
            yield piece
            at += len(piece)
