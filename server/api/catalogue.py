"""The signed manifest and its blobs, for kiosks."""

import re

from aiohttp import web

from server.errors import BlobUnknown, NotPublished
from server.keys import CATALOGUES, STORE
from server.store import catalogues
from sync.manifest import pack_blob

_SHA256 = re.compile(r"[0-9a-f]{64}")


async def manifest(request: web.Request) -> web.Response:
    """Answer GET /sync/v1/manifest: the newest signed manifest."""
    store, shelf = request.app[STORE], request.app[CATALOGUES]
    published = await store.read(shelf.refresh)
    if published is None:
        raise NotPublished("nothing was published yet; run `bianmin centre publish`")
    return web.Response(body=published.manifest, content_type="application/octet-stream")


async def blob(request: web.Request) -> web.Response:
    """Answer GET /sync/v1/blobs/{sha256}: a blob, packed; its name is the hash of its content."""
    name = request.match_info["sha256"]
    raw = None
    if _SHA256.fullmatch(name):
        raw = await request.app[STORE].read(catalogues.blob, name)
    if raw is None:
        raise BlobUnknown("no blob has that hash")
    return web.Response(
        body=pack_blob(raw),
        content_type="application/octet-stream",
        # Named by its content, it never changes; a proxy in the county may keep it.
        headers={"Cache-Control": "public, max-age=31536000, immutable"},
    )


def routes() -> list[web.AbstractRouteDef]:
    """Answer this module's routes."""
    return [
        web.get("/sync/v1/manifest", manifest),
        web.get("/sync/v1/blobs/{sha256}", blob),
    ]
