"""The pages of the centre: clerks' desk, fleet, dead letters, records, accounts."""

import asyncio

from aiohttp import web

from server.dashboard import (
    audit,
    case,
    codes,
    decide,
    desk,
    fleet,
    home,
    letters,
    live,
    quarantine,
    sign_in,
    staff,
    sticks,
)
from server.dashboard.errors import error_pages, safe_headers
from server.keys import ENTROPY
from server.people.buckets import Buckets
from server.people.guard import guard
from server.people.passwords import Passwords
from sync.limits import LOGIN_PER_MINUTE


def setup(app: web.Application) -> None:
    """Add the pages to the centre's application, whose keys (`server.keys`) are set already."""
    app[sign_in.PASSWORDS] = Passwords()
    app[sign_in.TYPED_KEY] = app[ENTROPY].token_bytes(32)
    app[sign_in.LOGINS] = Buckets(LOGIN_PER_MINUTE)
    streams: set[asyncio.Task[None]] = set()
    app[live.STREAMS] = streams
    app.middlewares.extend((safe_headers, error_pages, guard))
    watched = (fleet, codes, quarantine, live, letters, audit, staff)
    for part in (home, sign_in, desk, case, decide, *watched):
        app.add_routes(part.routes())
    sticks.setup(app)
    app.on_shutdown.append(live.close_streams)
    app.on_cleanup.append(_close)


async def _close(app: web.Application) -> None:
    app[sign_in.PASSWORDS].close()
