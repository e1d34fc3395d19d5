"""Enrolment: a kiosk shows its one-time code and is taken in."""

from aiohttp import web

from server import enrolment
from server.api.bodies import bounded_body
from server.errors import CodeRefused, TooMany
from server.keys import BROADCAST, CLOCK, KEYS, SETTINGS, STORE
from server.people.address import client_address, network
from server.people.buckets import Buckets
from sync import limits
from sync.enrolment import decode_enrol_request

_BUCKETS: web.AppKey[Buckets] = web.AppKey("enrol_buckets", Buckets)


async def enrol(request: web.Request) -> web.Response:
    """Answer POST /sync/v1/enrol.

    Raises:
        TooMany: The network asked too often.
        WireError: The body is no enrolment request.
        CodeRefused: The code is wrong, used, expired or spent.
    """
    app = request.app
    now_ms = app[CLOCK].now_ms()
    if not app[_BUCKETS].may(network(client_address(request)), app[CLOCK].monotonic_ms()):
        raise TooMany("too many enrolments from here; wait a minute")
    raw = await bounded_body(request, limits.ENROL_REQUEST_BYTES_MAX)
    locator = decode_enrol_request(raw).locator
    settings = app[SETTINGS]
    reply = await app[STORE].write(
        enrolment.enrol, app[KEYS], settings.public_url, raw, locator, now_ms
    )
    if reply is None:
        raise CodeRefused("this code is not valid (any more); ask the centre for a new one")
    app[BROADCAST].publish("fleet")
    return web.Response(body=reply, content_type="application/octet-stream")


def setup(app: web.Application) -> None:
    """Add the route and its allowance."""
    app[_BUCKETS] = Buckets(limits.ENROL_PER_MINUTE)
    app.router.add_post("/sync/v1/enrol", enrol)
