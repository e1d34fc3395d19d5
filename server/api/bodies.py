"""Read a body only after its length is known to fit, and only as it was sent."""

import asyncio

from aiohttp import web

from server.errors import BodyTooLarge, EncodingRefused, LengthMissing, RequestRefused
from sync import limits


async def bounded_body(request: web.Request, bytes_max: int) -> bytes:
    """Answer the body of a machine's request.

    Args:
        request: Not read yet.
        bytes_max: Longest body this address takes.

    Raises:
        EncodingRefused: The body is compressed by HTTP: a small body could become a large one.
        LengthMissing: No length was told.
        BodyTooLarge: It is longer than it may be; nothing of it was read.
        RequestRefused: It ended early, or did not come within `BODY_TIMEOUT_S`.
    """
    size_bytes = size_of(request, bytes_max)
    if size_bytes == 0:
        return b""
    # The declared length bounds what aiohttp reads.
    try:
        async with asyncio.timeout(limits.BODY_TIMEOUT_S):
            return await request.content.readexactly(size_bytes)
    except (asyncio.IncompleteReadError, TimeoutError) as error:
        raise RequestRefused("the body ended early; send it again") from error


def size_of(request: web.Request, bytes_max: int) -> int:
    """Answer the length that a request tells of its body, which is not read here.

    Raises:
        EncodingRefused, LengthMissing, BodyTooLarge: As `bounded_body`.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise EncodingRefused("send the body as it is, without Content-Encoding")
    size_bytes = request.content_length
    if size_bytes is None:
        raise LengthMissing("send Content-Length; the body is not read before it is known to fit")
    if size_bytes > bytes_max:
        raise BodyTooLarge(f"at most {bytes_max} bytes are taken here")
    return size_bytes
