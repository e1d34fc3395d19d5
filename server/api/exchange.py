"""POST /sync/v1/exchange: the one address that kiosks call."""

from aiohttp import web

from server import exchange
from server.api.bodies import bounded_body
from server.api.metrics import METRICS
from server.errors import FrameSignatureRefused, KioskUnknown, TooMany
from server.keys import BROADCAST, CLOCK, KEYS, PIPELINE, SETTINGS, STORE
from server.people.buckets import Buckets
from server.store import fleet
from sync import frames, limits
from sync.signing import SignatureRefused

_BUCKETS: web.AppKey[Buckets] = web.AppKey("exchange_buckets", Buckets)
#: Bytes of the last reply by kiosk, not counted in the database yet.
_SENT: web.AppKey[dict[bytes, int]] = web.AppKey("exchange_sent", dict)


async def answer(request: web.Request) -> web.Response:
    """Take one exchange in. Cheap checks first; nothing is written before the signature fits.

    Raises:
        EncodingRefused, LengthMissing, BodyTooLarge: The body was not read.
        WireError: It is no request of this protocol.
        KioskUnknown: Nobody enrolled that kiosk here.
        FrameSignatureRefused: Another key signed it, or it was changed.
        TooMany: The kiosk calls more often than any agent does.
        StoreBusy: Come back later.
    """
    app = request.app
    raw = await bounded_body(request, limits.FRAME_BYTES_MAX)
    received = frames.decode_request(raw)
    store, keys, clock = app[STORE], app[KEYS], app[CLOCK]
    kiosk = await store.read(fleet.identity, received.request.kiosk_id)
    if kiosk is None:
        raise KioskUnknown("this kiosk was never enrolled here; enrol it with a new code")
    try:
        asked = frames.verify_request(received, kiosk.device_public)
    except SignatureRefused as error:
        raise FrameSignatureRefused("the frame's signature does not fit to its kiosk") from error
    if not app[_BUCKETS].may(asked.kiosk_id.hex(), clock.monotonic_ms()):
        raise TooMany("this kiosk calls too often; wait a minute")
    taken = await store.write(
        exchange.take,
        app[SETTINGS],
        keys,
        asked,
        request_hash=frames.request_hash(raw),
        now_ms=clock.now_ms(),
        load=exchange.Load(queue=store.load),
        received_bytes=len(raw),
        sent_bytes=app[_SENT].pop(asked.kiosk_id, 0),
    )
    body = frames.encode_reply(taken.reply, lambda part: keys.sign("reply", part))
    # Counted with the next exchange: a commit of its own would double the cost of each.
    app[_SENT][asked.kiosk_id] = len(body)
    _tell(app, taken, len(raw), len(body))
    return web.Response(body=body, content_type="application/octet-stream")


def _tell(app: web.Application, taken: exchange.Taken, received: int, sent: int) -> None:
    metrics = app[METRICS]
    for verdict in taken.reply.verdicts:
        metrics.envelopes.labels("exchange", verdict).inc()
    metrics.bytes.labels("in").inc(received)
    metrics.bytes.labels("out").inc(sent)
    app[BROADCAST].publish("fleet")
    if taken.stored:
        app[PIPELINE].poke()


def setup(app: web.Application) -> None:
    """Add the route and its allowance."""
    app[_BUCKETS] = Buckets(limits.EXCHANGES_PER_MINUTE)
    app[_SENT] = {}
    app.router.add_post("/sync/v1/exchange", answer)
