"""Links for the tests of carrying: one that a test opens by hand, one that takes uploads."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable

from sync.frames import Chunk, decode_request
from sync.octets import Reader
from sync.transports import UPLOAD_PATH, CentreRefused, LinkDown
from sync.transports.memory import Fault, MemoryLink
from tests.unit.sync.worlds import JumpingClock, SmallCentre


class HeldLink:
    """Each request waits until the test answers it, in any order; none for `patience` turns."""

    def __init__(self, centre: SmallCentre) -> None:
        self.centre = centre
        self.asked: list[bytes] = []
        self._answers: list[asyncio.Future[bytes]] = []

    async def post(self, _path: str, body: bytes) -> bytes:
        self.asked.append(body)
        self._answers.append(asyncio.get_running_loop().create_future())
        return await self._answers[-1]

    async def get(self, path: str) -> bytes:
        return await self.centre("GET", path, b"")

    def taken(self, number: int) -> bytes:
        """Let the centre take the request of that number; answer its reply."""
        return self.centre.exchange(self.asked[number])

    def answer(self, number: int, reply: bytes) -> None:
        """Bring a reply home."""
        self._answers[number].set_result(reply)

    def lose(self, number: int) -> None:
        """Let the link break under that request."""
        self._answers[number].set_exception(LinkDown("lost"))

    def seqs(self, number: int) -> set[int]:
        """Which envelopes the request of that number carries."""
        request = decode_request(self.asked[number]).request
        return {envelope.header.seq for envelope in request.envelopes}


async def settled_down() -> None:
    """Let everything run that can."""
    for _ in range(30):
        await asyncio.sleep(0)


class UploadCentre(SmallCentre):
    """Keeps of an upload what came, as the real one does; `tests.unit.server` holds it to that."""

    def keep(self, body: bytes) -> bytes:
        """Take the part of an upload that came; answer its frame."""
        reader = Reader(body)
        frame = reader.counted(2048)
        (chunk,) = decode_request(frame).request.chunks
        place = (decode_request(frame).request.kiosk_id, chunk.seq, chunk.index)
        held = self.attachments.get(place, b"")
        data, start = reader.rest(), chunk.offset
        if start <= len(held):
            self.attachments[place] = held + data[len(held) - start :]
        return frame

    async def __call__(self, method: str, path: str, body: bytes) -> bytes:
        if path == UPLOAD_PATH:
            return self.exchange(self.keep(body))
        return await super().__call__(method, path, body)


class UploadLink(MemoryLink):
    """A link in memory that takes uploads, and breaks them where the script says.

    Args:
        centre: Stands at the far end.
        breaks: For each upload in turn, after how many bytes of its body the link breaks; None
            carries it whole.
        on_piece: Called after each piece with how many bytes were carried.
    """

    def __init__(
        self,
        centre: UploadCentre,
        breaks: Iterable[int | None] = (),
        *,
        faults: Iterable[Fault] = (),
        clock: JumpingClock | None = None,
        on_piece: Callable[[int], None] | None = None,
    ) -> None:
        super().__init__(centre, faults, clock)
        self._breaks = iter(breaks)
        self._uploads_to = centre
        self._on_piece = on_piece
        self.uploads: list[Chunk] = []
        self.upload_bytes = 0
        self.takes_uploads = True

    async def upload(self, path: str, size_bytes: int, pieces: AsyncIterator[bytes]) -> bytes:
        if not self.takes_uploads:
            raise CentreRefused(404)
        broken_at, body = next(self._breaks, None), b""
        async for piece in pieces:
            body += piece
            await asyncio.sleep(0)
            if self._on_piece is not None:
                self._on_piece(len(body))
            if broken_at is not None and len(body) >= broken_at:
                body = body[:broken_at]
                break
        frame = Reader(body).counted(2048)
        (chunk,) = decode_request(frame).request.chunks
        self.uploads.append(chunk)
        self.upload_bytes += len(body)
        if broken_at is not None:
            self._uploads_to.keep(body)
            raise LinkDown("the link broke")
        assert len(body) == size_bytes, "the length that was told is not the length that came"
        return await self._uploads_to("POST", path, body)
