"""Whether the centre serves: for process supervisors and load balancers."""

import msgspec
from aiohttp import web

from server.keys import STORE, VAULT
from server.store import centre


async def show(request: web.Request) -> web.Response:
    """Answer GET /healthz: 200 while envelopes can be taken, with what else is up.

    A vault that is down delays the pipeline only, so the centre still serves.
    """
    epoch = await request.app[STORE].read(centre.epoch)
    body = {
        "status": "ok",
        "epoch": epoch,
        "vault": await request.app[VAULT].is_up(),
    }
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")


def routes() -> list[web.AbstractRouteDef]:
    """Answer this module's routes."""
    return [web.get("/healthz", show)]
