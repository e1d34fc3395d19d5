"""Routes that answer while something is put in: what was written, what an answer says.

What they take stands in the body, never in an address, and is forgotten with the answer.
"""

import msgspec
from aiohttp import web

from kiosk.entry.ink import read_ink
from kiosk.errors import InkRefused, OtherScreen
from kiosk.places import Asking
from kiosk.web.keys import PARTS, STAGE
from sync.limits import ECHO_BYTES_MAX, INK_BYTES_MAX


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the page wants to know of an answer on it."""

    question: str
    value: str
    is_read: bool = False


_ASKED = msgspec.json.Decoder(Asked)


async def handwriting(request: web.Request) -> web.Response:
    """POST /handwriting?visit=… : the characters that a drawing may be, likeliest first."""
    raw = await _body(request, INK_BYTES_MAX)
    if request.query.get("visit", "") != request.app[STAGE].visit.id:
        raise OtherScreen("the screen shows something else by now")
    found = await request.app[PARTS].hand.read(read_ink(raw))
    return _json({"candidates": found})


async def echo(request: web.Request) -> web.Response:
    """POST /echo?visit=… : what an answer says, in words and clips, before it is given."""
    raw = await _body(request, ECHO_BYTES_MAX)
    try:
        asked = _ASKED.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise web.HTTPBadRequest from error
    told, said = await request.app[STAGE].echo(
        request.query.get("visit", ""),
        asked.question,
        asked.value,
        "read" if asked.is_read else "look",
    )
    return _json({"lines": told.lines, "is_wrong": told.is_wrong, "say": said.say})


async def held(request: web.Request) -> web.Response:
    """GET /attachment?visit=…&question=…&index=… : what the question on the screen holds."""
    visit, index = request.app[STAGE].visit, request.query.get("index", "0")
    question = request.query.get("question", "")
    is_here = isinstance(visit.place, Asking) and visit.place.question == question
    if request.query.get("visit", "") != visit.id or not is_here:
        raise OtherScreen("the screen shows something else by now")
    is_place = index.isascii() and index.isdigit() and len(index) <= 2
    found = request.app[PARTS].drafts.held(question, int(index)) if is_place else None
    if found is None:
        raise web.HTTPNotFound
    return web.Response(body=found[1], content_type=found[0])


async def _body(request: web.Request, bytes_max: int) -> bytes:
    if (request.content_length or 0) > bytes_max:
        raise InkRefused("this is more than one answer")
    return await request.read()


def _json(answer: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json")


def routes() -> list[web.AbstractRouteDef]:
    """Answer the routes that help putting in."""
    return [
        web.post("/handwriting", handwriting),
        web.post("/echo", echo),
        web.get("/attachment", held),
    ]
