"""The signed manifest and its blobs, for kiosks."""

from aiohttp import web

from server.catalogue.downstream import Downstream
from server.keys import CATALOGUES, STORE

DOWNSTREAM: web.AppKey[Downstream] = web.AppKey("downstream", Downstream)


async def manifest(request: web.Request) -> web.Response:
    """Answer GET /sync/v1/manifest: the newest signed manifest."""
    return _octets(await request.app[DOWNSTREAM].manifest(request.query))


async def blob(request: web.Request) -> web.Response:
    """Answer GET /sync/v1/blobs/{sha256}: a piece of a blob, named by its content's hash."""
    name = request.match_info["sha256"]
    return _octets(await request.app[DOWNSTREAM].blob(name, request.query))


def _octets(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/octet-stream")


def setup(app: web.Application) -> None:
    """Add this module's routes, and what answers them."""
    app[DOWNSTREAM] = Downstream(app[STORE], app[CATALOGUES])
    app.router.add_get("/sync/v1/manifest", manifest)
    app.router.add_get("/sync/v1/blobs/{sha256}", blob)
