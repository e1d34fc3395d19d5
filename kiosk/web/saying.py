"""Saying what the keypad's focus has come to."""

from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from kiosk.speech import aloud
from kiosk.web.keys import PARTS, STAGE
from sync.limits import SAID_BYTES_MAX, SAID_CHARS_MAX


async def say(request: web.Request) -> web.Response:
    """POST /say : clips of a label, or of what the resident typed; text in the body alone.

    What is asked for another visit's page is answered with silence.
    """
    if (request.content_length or 0) > SAID_BYTES_MAX:
        raise web.HTTPRequestEntityTooLarge(SAID_BYTES_MAX, request.content_length or 0)
    try:
        raw = (await request.read()).decode("ascii")
        fields = dict(parse_qsl(raw, max_num_fields=4))
    except ValueError:
        fields = {}
    stage, parts = request.app[STAGE], request.app[PARTS]
    text = fields.get("text", "")[:SAID_CHARS_MAX]
    is_here = fields.get("visit") == stage.visit.id
    clips = aloud(stage.visit.language, text, parts.library, parts.live) if is_here else ()
    return web.Response(body=msgspec.json.encode(clips), content_type="application/json")


def routes() -> list[web.AbstractRouteDef]:
    """Answer the route of spoken labels."""
    return [web.post("/say", say)]
