"""POST /sync/v1/attachment: an exchange whose frame is followed by the rest of one attachment.

What comes is stored as it comes, so that a link that breaks at any byte has not carried it in
vain. The bytes behind the frame are unsigned; the digest in the frame judges the whole.
"""

import asyncio

import msgspec
from aiohttp import StreamReader, web

from server.api.bodies import size_of
from server.api.metrics import METRICS
from server.errors import FrameSignatureRefused, KioskUnknown, RequestRefused, StoreBusy
from server.keys import BROADCAST, CLOCK, PIPELINE, RECEPTION, STORE
from server.store import attachments, fleet
from server.store.sqlite import Store
from sync import limits
from sync.clock import Clock
from sync.frames import Chunk, Request, decode_request, verify_request
from sync.octets import Reader, WireError, uvarint
from sync.signing import SignatureRefused

FRAME_BYTES_MAX = 2048  # an exchange without envelopes, the longest report and extensions
LENGTH_BYTES_MAX = 2  # of that number as a uvarint


class _Stream(msgspec.Struct):
    """One upload that is under way."""

    kiosk_id: bytes
    asked: Request
    chunk: Chunk
    #: Where the bytes that are not stored yet begin.
    at: int
    buffer: bytearray
    #: A newer upload of the same kiosk came: this connection is one that the kiosk gave up.
    is_superseded: bool = False


class Uploads:
    """Those under way, one for each kiosk."""

    def __init__(self) -> None:
        self._streams: dict[bytes, _Stream] = {}

    def enter(self, stream: _Stream) -> None:
        """Take one in; the same kiosk's older one ends.

        Raises:
            StoreBusy: There are as many as may be.
        """
        older = self._streams.pop(stream.kiosk_id, None)
        if older is not None:
            older.is_superseded = True
        if len(self._streams) >= limits.UPLOADS_AT_ONCE:
            raise StoreBusy("many attachments come in at this moment; try again later")
        self._streams[stream.kiosk_id] = stream

    def leave(self, stream: _Stream) -> None:
        """Let one go."""
        if self._streams.get(stream.kiosk_id) is stream:
            del self._streams[stream.kiosk_id]


_UPLOADS: web.AppKey[Uploads] = web.AppKey("uploads", Uploads)


async def take(request: web.Request) -> web.Response:
    """Take one upload in and answer it as an exchange.

    Raises:
        EncodingRefused, LengthMissing, BodyTooLarge: The body was not read.
        RequestRefused: It ended within the frame, or is more than the attachment.
        WireError, KioskUnknown, FrameSignatureRefused, TooMany, StoreBusy: As an exchange.
    """
    app = request.app
    bytes_max = FRAME_BYTES_MAX + LENGTH_BYTES_MAX + limits.SEALED_ATTACHMENT_BYTES_MAX
    size_bytes = size_of(request, bytes_max)
    raw = await _frame(request.content)
    stream = await _opened(app[STORE], raw)
    left = size_bytes - len(uvarint(len(raw))) - len(raw)
    if left > stream.chunk.total - stream.chunk.offset:
        raise RequestRefused("more bytes follow than the attachment has")
    app[_UPLOADS].enter(stream)
    try:
        is_whole = await _taken(request.content, stream, left, app[STORE], app[CLOCK])
    finally:
        app[_UPLOADS].leave(stream)
    # Only now: the answer tells how far the attachment is.
    answered = await app[RECEPTION].answer(raw)
    app[METRICS].bytes.labels("in").inc(stream.at - stream.chunk.offset + len(raw))
    app[METRICS].bytes.labels("out").inc(len(answered.raw))
    app[BROADCAST].publish("fleet")
    if is_whole:
        # The desk shows how many of a case's files are here.
        app[BROADCAST].publish("cases")
    app[PIPELINE].poke()
    response = web.Response(body=answered.raw, content_type="application/octet-stream")
    if not is_whole:
        response.force_close()
    return response


async def _frame(content: StreamReader) -> bytes:
    try:
        async with asyncio.timeout(limits.UPLOAD_QUIET_S):
            head = await content.readexactly(1)
            while head[-1] & 0x80 and len(head) < LENGTH_BYTES_MAX:
                head += await content.readexactly(1)
            return await content.readexactly(Reader(head).uvarint(FRAME_BYTES_MAX))
    except (asyncio.IncompleteReadError, TimeoutError) as error:
        raise RequestRefused("the body ended within its frame; send it again") from error


async def _opened(store: Store, raw: bytes) -> _Stream:
    received = decode_request(raw)
    kiosk = await store.read(fleet.identity, received.request.kiosk_id)
    if kiosk is None:
        raise KioskUnknown("this kiosk was never enrolled here; enrol it with a new code")
    try:
        asked = verify_request(received, kiosk.device_public)
    except SignatureRefused as error:
        raise FrameSignatureRefused("the frame's signature does not fit to its kiosk") from error
    if asked.envelopes or len(asked.chunks) != 1 or asked.chunks[0].data:
        raise WireError("the frame of an upload names one attachment and carries nothing")
    (chunk,) = asked.chunks
    return _Stream(asked.kiosk_id, asked, chunk, at=chunk.offset, buffer=bytearray())


async def _taken(
    content: StreamReader, stream: _Stream, left: int, store: Store, clock: Clock
) -> bool:
    """Store bytes as they come; answer whether all of them came and were taken."""
    quiet_s, is_taken = 0.0, True
    try:
        while left and is_taken and not stream.is_superseded and quiet_s < limits.UPLOAD_QUIET_S:
            try:
                async with asyncio.timeout(limits.UPLOAD_STORED_S):
                    data = await content.readany()
            except TimeoutError:
                quiet_s += limits.UPLOAD_STORED_S
                is_taken = await _stored(stream, store, clock)
                continue
            if not data:
                break
            quiet_s, left = 0.0, left - len(data)
            stream.buffer += data
            if len(stream.buffer) >= limits.UPLOAD_STORED_BYTES or not left:
                is_taken = await _stored(stream, store, clock)
    except OSError:
        # The connection broke: what came is stored below, and nobody hears the answer.
        is_taken = False
    finally:
        await _stored(stream, store, clock)
    return is_taken and not left


async def _stored(stream: _Stream, store: Store, clock: Clock) -> bool:
    """Store what came; answer whether the centre goes on taking this attachment."""
    if not stream.buffer:
        return True
    chunk = msgspec.structs.replace(stream.chunk, offset=stream.at, data=bytes(stream.buffer))
    stream.at += len(stream.buffer)
    stream.buffer.clear()
    head = (stream.asked.head_seq, stream.asked.head_hash)
    received = await store.write(
        attachments.take_piece, stream.kiosk_id, chunk, head=head, now_ms=clock.now_ms()
    )
    return received >= stream.at


def setup(app: web.Application) -> None:
    """Add the route."""
    app[_UPLOADS] = Uploads()
    app.router.add_post("/sync/v1/attachment", take)
