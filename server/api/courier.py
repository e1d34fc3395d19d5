"""An envelope that a phone brings: the digits of the address are the signed envelope."""

import sqlite3

import msgspec
from aiohttp import web

from server.api.metrics import METRICS
from server.errors import CourierRefused, KioskUnknown, TooMany
from server.keys import BROADCAST, CLOCK, PIPELINE, STORE
from server.people.address import client_address, network
from server.people.buckets import Buckets
from server.store import fleet, inbox
from sync import limits, signing
from sync.ids import case_number
from sync.octets import WireError
from sync.records import Envelope
from sync.wire import bytes_hash, courier_raw, decode_courier, envelope_bytes

_BUCKETS: web.AppKey[Buckets] = web.AppKey("courier_buckets", Buckets)


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

    Length, form, kiosk and signature are checked before anything is written, and nothing is
    opened here.

    Raises:
        TooMany: The network delivers more than a village can.
        CourierRefused: The code was damaged, or no kiosk of this centre made it.
        KioskUnknown: The kiosk was never enrolled here.
    """
    app = request.app
    clock, store = app[CLOCK], app[STORE]
    if not app[_BUCKETS].may(network(client_address(request)), clock.monotonic_ms()):
        raise TooMany("too many deliveries from here; wait a minute")
    try:
        envelope, signature = decode_courier(courier_raw(digits))
    except WireError as error:
        raise CourierRefused("the code was damaged; scan the slip again") from error
    kiosk = await store.read(fleet.identity, envelope.header.kiosk_id)
    if kiosk is None:
        raise KioskUnknown("this slip belongs to another centre")
    try:
        signing.verify(kiosk.device_public, "envelope", envelope_bytes(envelope), signature)
    except signing.SignatureRefused as error:
        raise CourierRefused("the code was damaged; scan the slip again") from error
    header = envelope.header
    known = await store.read(
        inbox.case_state, header.kiosk_id, header.seq, bytes_hash(envelope_bytes(envelope))
    )
    if known is None:
        taken = await store.write(_take, envelope, clock.now_ms())
        app[METRICS].envelopes.labels("courier", taken.verdicts[0]).inc()
        app[PIPELINE].poke()
        app[BROADCAST].publish("fleet")
    number = case_number(kiosk.kiosk_no, header.seq)
    return Delivered(case_no=number, state=known or "", was_known=known is not None)


def _take(conn: sqlite3.Connection, envelope: Envelope, now_ms: int) -> inbox.Taken:
    kiosk = fleet.identity(conn, envelope.header.kiosk_id)
    if kiosk is None:
        raise KioskUnknown("this slip belongs to another centre")
    return inbox.take_envelopes(conn, kiosk, [envelope], carrier="courier", now_ms=now_ms)


def setup(app: web.Application) -> None:
    """Keep the allowance; the page itself is `server.phone`'s."""
    app[_BUCKETS] = Buckets(limits.COURIER_PER_MINUTE)
