"""The kiosk's routes: one page, what it posts, and the sounds it plays."""

from pathlib import Path
from typing import get_args
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from kiosk.entry import pinyin_path
from kiosk.errors import AttachmentRefused, AttachmentTooLarge
from kiosk.events import Action, Touch
from kiosk.parts import Parts
from kiosk.rest import is_within
from kiosk.web import entering, saying
from kiosk.web.keys import PARTS, STAGE
from kiosk.web.pages import page, profile_of
from kiosk.web.presentation import profile_css
from kiosk.web.status import Status, status_of
from sync.limits import ACT_BYTES_MAX, ATTACHMENT_BYTES_MAX, TEXT_CHARS_MAX
from voice_prompts.errors import VoiceError

#: Clips are named by their content.
FOR_EVER = "public, max-age=31536000, immutable"
#: Files of this release: asked for again, answered 304.
ASK_AGAIN = "no-cache"
STATIC = Path(__file__).parent / "static"
_ACTIONS: frozenset[str] = frozenset(get_args(Action))
_NAME_CHARS_MAX = 64


async def show(request: web.Request) -> web.Response:
    """GET / : the present screen."""
    return await page(request)


async def act(request: web.Request) -> web.Response:
    """POST /act : follow a touch and answer the screen after it.

    A touch of an older screen or another visit, or one that says nothing known, changes
    nothing: whoever posted sees the present screen.
    """
    fields = await _fields(request)

    def text(name: str, most: int) -> str:
        value = fields.get(name, "")
        return value if len(value) <= most else ""

    action, rev = text("action", _NAME_CHARS_MAX), text("rev", 12)
    # One character more than a text may have: the "=" of a typed note.
    value = text("value", TEXT_CHARS_MAX + 1)
    if action in _ACTIONS and rev.isascii() and rev.isdigit():
        touch = Touch(
            action=action,  # type: ignore[arg-type]  # checked above
            value=value,
            question=text("question", _NAME_CHARS_MAX),
        )
        await request.app[STAGE].touch(text("visit", _NAME_CHARS_MAX), int(rev), touch)
    return await page(request)


async def _fields(request: web.Request) -> dict[str, str]:
    """Read a posted form ourselves: whatever stands in it, the answer is a screen."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType
    if (request.content_length or 0) > ACT_BYTES_MAX:
        raise web.HTTPRequestEntityTooLarge(ACT_BYTES_MAX, request.content_length or 0)
    raw = await request.read()
    try:
        return dict(parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=9))
    except ValueError:
        return {}


async def attach(request: web.Request) -> web.Response:
    """POST /attachment?visit=…&question=…&index=… : hold a photo, signature or recording."""
    index = request.query.get("index", "0")
    if not (index.isascii() and index.isdigit() and len(index) <= 2):
        raise AttachmentRefused("the attachment's place is a small number")
    if (request.content_length or 0) > ATTACHMENT_BYTES_MAX:
        raise AttachmentTooLarge("the attachment is too large; take it again")
    content = await request.read()
    await request.app[STAGE].attach(
        request.query.get("visit", ""),
        request.query.get("question", ""),
        int(index),
        request.headers.get("Content-Type", ""),
        content,
    )
    return web.Response(status=204)


async def film(request: web.Request) -> web.Response:
    """GET /carry/film?visit=…&from=…&count=… : codes for a helper's phone, drawn ahead."""
    first, count = request.query.get("from", ""), request.query.get("count", "")
    if not all(text.isascii() and text.isdigit() and len(text) <= 6 for text in (first, count)):
        raise web.HTTPBadRequest
    shown = await request.app[STAGE].film(request.query.get("visit", ""), int(first), int(count))
    return web.Response(body=msgspec.json.encode(shown), content_type="application/json")


async def alive(request: web.Request) -> web.Response:
    """POST /alive?visit=… : somebody is touching the screen without posting anything yet."""
    await request.app[STAGE].alive(request.query.get("visit", ""))
    return web.Response(status=204)


async def pulse(request: web.Request) -> web.Response:
    """GET /pulse?visit=…&rev=… : whether that screen is still shown, a stick's progress, night."""
    query, stage = request.query, request.app[STAGE]
    is_current = (query.get("visit"), query.get("rev")) == (stage.visit.id, str(stage.visit.rev))
    told = {
        "is_current": is_current,
        "percent": stage.stick_percent,
        "is_dark": is_dark(request.app[PARTS]),
    }
    return web.Response(body=msgspec.json.encode(told), content_type="application/json")


def is_dark(parts: Parts) -> bool:
    """Answer whether a screen that nobody uses is to be dark now."""
    settings = parts.settings
    return is_within(settings.screen_off, parts.clock.now_ms(), settings.utc_offset_min)


async def live_voice(request: web.Request) -> web.Response:
    """GET /voice/live/{token} : a piece spoken for this visit alone."""
    sound = await request.app[PARTS].live.sound(request.match_info["token"])
    if sound is None:
        raise web.HTTPNotFound
    return web.Response(body=sound, content_type="audio/wav")


async def voice(request: web.Request) -> web.StreamResponse:
    """GET /voice/{key} : a clip."""
    try:
        clip = request.app[PARTS].library.by_key(request.match_info["key"])
    except VoiceError:
        clip = None
    if clip is None:
        raise web.HTTPNotFound
    headers = {"Content-Type": clip.media_type, "Cache-Control": FOR_EVER}
    return web.FileResponse(clip.path, headers=headers)


async def display(request: web.Request) -> web.Response:
    """GET /profile.css : the screen's real millimetre."""
    return web.Response(
        text=profile_css(profile_of(request.app[PARTS].settings)),
        content_type="text/css",
        headers={"Cache-Control": ASK_AGAIN},
    )


async def pinyin(_: web.Request) -> web.StreamResponse:
    """GET /pinyin.json : the table that names are found in."""
    headers = {"Content-Type": "application/json", "Cache-Control": ASK_AGAIN}
    return web.FileResponse(pinyin_path(), headers=headers)


async def static(request: web.Request) -> web.StreamResponse:
    """GET /static/… : script, style, pictures of this release."""
    try:
        path = (STATIC / request.match_info["path"]).resolve()
        is_ours = path.is_relative_to(STATIC) and path.is_file()
    except (ValueError, OSError) as error:
        # A name that no file can have.
        raise web.HTTPNotFound from error
    if not is_ours:
        raise web.HTTPNotFound
    return web.FileResponse(path, headers={"Cache-Control": ASK_AGAIN})


async def healthz(request: web.Request) -> web.Response:
    """GET /healthz : 200 once the screen can be shown and the store answers."""
    await request.app[PARTS].database.run(lambda db: db.conn.execute("SELECT 1").fetchone())
    return web.Response(text="ok")


async def status(request: web.Request) -> web.Response:
    """GET /status : backlog, last contact, versions; nothing personal."""
    told = await present_status(request)
    return web.Response(body=msgspec.json.encode(told), content_type="application/json")


async def present_status(request: web.Request) -> Status:
    """Answer what this kiosk says of itself now."""
    parts = request.app[PARTS]
    return await parts.database.run(
        status_of,
        identity=parts.identity,
        state=parts.agent.state,
        loaded=request.app[STAGE].loaded,
        voice_missing=parts.live.missing_count,
        has_room=parts.database.has_room(),
        unmet=parts.effects.unmet,
    )


async def send(request: web.Request) -> web.Response:
    """POST /send : exchange with the centre at once."""
    parts = request.app[PARTS]
    for agent in (parts.agent, *parts.formers):
        agent.poke()
    return web.Response(status=204)


def routes() -> list[web.AbstractRouteDef]:
    """Answer all routes of the kiosk."""
    return [
        web.get("/", show),
        web.post("/act", act),
        web.post("/attachment", attach),
        web.post("/alive", alive),
        web.get("/pulse", pulse),
        *entering.routes(),
        web.get("/carry/film", film),
        web.get("/voice/live/{token}", live_voice),
        web.get("/voice/{key}", voice),
        web.get("/profile.css", display),
        web.get("/pinyin.json", pinyin),
        web.get("/static/{path:.+}", static),
        web.get("/healthz", healthz),
        web.get("/status", status),
        web.post("/send", send),
        *saying.routes(),
    ]
