"""Pages for phones: deliver a slip by scanning it, see how far a matter is, carry for a village."""

from aiohttp import web

from server.people.buckets import Buckets
from server.phone import carry, pages
from sync.limits import STATUS_PER_MINUTE


def setup(app: web.Application) -> None:
    """Add the phone pages; `server.dashboard.setup` has added the guard before."""
    app[pages.LOOKS] = Buckets(STATUS_PER_MINUTE)
    app.add_routes([*pages.routes(), *carry.routes()])
