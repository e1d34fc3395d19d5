"""Envelopes that a phone brings: one in the digits of an address, or many that it carried."""

import sqlite3
from collections.abc import Sequence
from typing import Literal

import msgspec
from aiohttp import web

from server import ingest
from server.api.bodies import bounded_body
from server.api.metrics import METRICS
from server.errors import CourierRefused, KioskUnknown, TooMany
from server.keys import BROADCAST, CLOCK, PIPELINE, STORE
from server.people.address import client_address, network
from server.people.buckets import Buckets
from server.store import fleet, inbox
from server.store.sqlite import Store
from sync import limits, signing
from sync.clock import Clock
from sync.fountain import unpack
from sync.ids import case_number
from sync.octets import WireError
from sync.records import Envelope
from sync.wire import bytes_hash, courier_raw, decode_courier, envelope_bytes

_BUCKETS: web.AppKey[Buckets] = web.AppKey("courier_buckets", Buckets)
_BATCHES: web.AppKey[Buckets] = web.AppKey("courier_batches", Buckets)

BATCH_PATH = "/sync/v1/courier"
#: What a phone is told of an envelope: it is here now, it was before, scan it again, it belongs
#: to another centre. Whether the kiosk was revoked is none of the phone's business.
Word = Literal["stored", "duplicate", "damaged", "unknown"]


class Delivered(msgspec.Struct, frozen=True):
    """What a phone is told. Nothing of the content: the phone may be anybody's."""

    #: The number on the slip.
    case_no: str
    #: State of the case; "" while the pipeline has not opened it.
    state: str
    #: It had arrived before, by whatever way.
    was_known: bool


async def deliver(request: web.Request, digits: str) -> Delivered:
    """Take in the envelope of a courier address; again is the same.

    Raises:
        TooMany: The network delivers more than a village can.
        CourierRefused: The code was damaged, or no kiosk of this centre made it.
        KioskUnknown: The kiosk was never enrolled here.
    """
    app = request.app
    clock = app[CLOCK]
    if not app[_BUCKETS].may(network(client_address(request)), clock.monotonic_ms()):
        raise TooMany("too many deliveries from here; wait a minute")
    delivered, taken = await take_in(app[STORE], clock, digits)
    if taken is not None:
        app[METRICS].envelopes.labels("courier", taken.verdicts[0]).inc()
        app[PIPELINE].poke()
        app[BROADCAST].publish("fleet")
    return delivered


async def take_in(store: Store, clock: Clock, digits: str) -> tuple[Delivered, inbox.Taken | None]:
    """Take in what a courier address carries; answer also what was stored, None when known.

    Length, form, kiosk and signature are checked before anything is written, and nothing is
    opened here.

    Raises:
        CourierRefused: The code was damaged, or no kiosk of this centre made it.
        KioskUnknown: The kiosk was never enrolled here.
    """
    try:
        raw = courier_raw(digits)
    except WireError as error:
        raise CourierRefused("the code was damaged; scan the slip again") from error
    envelope, kiosk = await _checked(store, raw)
    header = envelope.header
    known = await store.read(
        inbox.case_state, header.kiosk_id, header.seq, bytes_hash(envelope_bytes(envelope))
    )
    taken = None
    if known is None:
        taken = await store.write(_take, envelope, clock.now_ms())
    number = case_number(kiosk.kiosk_no, header.seq)
    return Delivered(case_no=number, state=known or "", was_known=known is not None), taken


def _take(conn: sqlite3.Connection, envelope: Envelope, now_ms: int) -> inbox.Taken:
    kiosk = fleet.identity(conn, envelope.header.kiosk_id)
    if kiosk is None:
        raise KioskUnknown("this slip belongs to another centre")
    return inbox.take_envelopes(conn, kiosk, [envelope], carrier="courier", now_ms=now_ms)


async def deliver_batch(request: web.Request) -> web.Response:
    """Answer POST /sync/v1/courier: what a phone carried for a village.

    Raises:
        TooMany: The network delivers more than a village can.
        EncodingRefused, LengthMissing, BodyTooLarge: The body was not read.
        WireError: It is no bundle of envelopes.
        StoreBusy: Come back later.
    """
    app = request.app
    if not app[_BATCHES].may(network(client_address(request)), app[CLOCK].monotonic_ms()):
        raise TooMany("too many deliveries from here; wait a minute")
    raws = unpack(await bounded_body(request, limits.COURIER_BATCH_BYTES_MAX))
    words, verdicts = await take_in_batch(app[STORE], app[CLOCK], raws)
    for verdict in verdicts:
        app[METRICS].envelopes.labels("courier", verdict).inc()
    if any(verdict != "duplicate" for verdict in verdicts):
        app[PIPELINE].poke()
        app[BROADCAST].publish("fleet")
    return web.json_response({"verdicts": words})


async def take_in_batch(
    store: Store, clock: Clock, raws: Sequence[bytes]
) -> tuple[list[Word], Sequence[ingest.Verdict]]:
    """Take in envelopes that travelled together, each judged by itself.

    Those whose signature fits go into one commit; when none does, nothing is written.

    Args:
        store: The centre's.
        clock: Time of arrival.
        raws: Each as `wire.encode_courier` wrote it, from anybody.

    Returns:
        A word for each, in order, and the verdicts on those that were taken.
    """
    words: list[Word] = []
    fitting: list[Envelope] = []
    places: list[int] = []
    for place, raw in enumerate(raws):
        try:
            envelope, _ = await _checked(store, raw)
        except CourierRefused:
            words.append("damaged")
        except KioskUnknown:
            words.append("unknown")
        else:
            words.append("stored")
            fitting.append(envelope)
            places.append(place)
    if not fitting:
        return words, ()
    verdicts = await store.write(_take_all, fitting, clock.now_ms())
    for place, verdict in zip(places, verdicts, strict=True):
        words[place] = "duplicate" if verdict == "duplicate" else "stored"
    return words, verdicts


async def _checked(store: Store, raw: bytes) -> tuple[Envelope, fleet.KioskIdentityRow]:
    """Answer an envelope whose signature fits, and whose it is.

    Raises:
        CourierRefused: It was damaged, or no kiosk of this centre made it.
        KioskUnknown: The kiosk was never enrolled here.
    """
    try:
        envelope, signature = decode_courier(raw)
    except WireError as error:
        raise CourierRefused("the code was damaged; scan the slip again") from error
    kiosk = await store.read(fleet.identity, envelope.header.kiosk_id)
    if kiosk is None:
        raise KioskUnknown("this slip belongs to another centre")
    try:
        signing.verify(kiosk.device_public, "envelope", envelope_bytes(envelope), signature)
    except signing.SignatureRefused as error:
        raise CourierRefused("the code was damaged; scan the slip again") from error
    return envelope, kiosk


def _take_all(
    conn: sqlite3.Connection, envelopes: Sequence[Envelope], now_ms: int
) -> list[ingest.Verdict]:
    return [_take(conn, envelope, now_ms).verdicts[0] for envelope in envelopes]


def setup(app: web.Application) -> None:
    """Add the route for phones that carry, and the allowances; the pages are `server.phone`'s."""
    app[_BUCKETS] = Buckets(limits.COURIER_PER_MINUTE)
    app[_BATCHES] = Buckets(limits.COURIER_BATCHES_PER_MINUTE)
    app.router.add_post(BATCH_PATH, deliver_batch)
