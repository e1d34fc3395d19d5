"""POST /sync/v1/exchange: the one address that kiosks call."""

from collections import Counter

from aiohttp import web

from server.api.bodies import bounded_body
from server.api.metrics import METRICS
from server.keys import BROADCAST, PIPELINE, RECEPTION
from server.reception import Answered
from sync import limits


async def answer(request: web.Request) -> web.Response:
    """Take one exchange in.

    Raises:
        EncodingRefused, LengthMissing, BodyTooLarge: The body was not read.
        WireError, KioskUnknown, FrameSignatureRefused, TooMany, StoreBusy: `Reception.answer`.
    """
    reception = request.app[RECEPTION]
    size_bytes = min(request.content_length or 0, limits.FRAME_BYTES_MAX)
    with reception.admission.carrying(size_bytes):
        raw = await bounded_body(request, limits.FRAME_BYTES_MAX)
        answered = await reception.answer(raw)
    _tell(request.app, answered, len(raw))
    return web.Response(body=answered.raw, content_type="application/octet-stream")


def _tell(app: web.Application, answered: Answered, received: int) -> None:
    metrics = app[METRICS]
    for verdict, count in Counter(answered.taken.reply.verdicts).items():
        metrics.envelopes.labels("exchange", verdict).inc(count)
    metrics.bytes.labels("in").inc(received)
    metrics.bytes.labels("out").inc(len(answered.raw))
    app[BROADCAST].publish("fleet")
    if answered.taken.stored:
        app[PIPELINE].poke()


def setup(app: web.Application) -> None:
    """Add the route."""
    app.router.add_post("/sync/v1/exchange", answer)
