"""The routes of the installer's screen: one page, and what it posts."""

import asyncio
import logging
from typing import get_args
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from kiosk.devices.bell import BellFailed
from kiosk.devices.slip import Slip, SlipLine
from kiosk.doctor import examine
from kiosk.finding import Finding
from kiosk.installer.door import Door
from kiosk.installer.gathering import facts_of
from kiosk.installer.log_lines import LogLines
from kiosk.installer.page import Inside, Outside, Tab, drawn
from kiosk.parts import Parts
from kiosk.visit import DEFAULT_LANGUAGE
from kiosk.web.handlers import present_status
from kiosk.web.keys import PARTS, STAGE
from sync.limits import ADMIN_BODY_BYTES_MAX, ADMIN_DOCTOR_S, ADMIN_LOG_SHOWN
from voice_prompts.errors import VoiceError

_log = logging.getLogger(__name__)

DOOR: web.AppKey[Door] = web.AppKey("door", Door)
LINES: web.AppKey[LogLines] = web.AppKey("lines", LogLines)
VERSION: web.AppKey[str] = web.AppKey("version", str)
_TABS: frozenset[str] = frozenset(get_args(Tab))
_CLIP_KEY = "home.title"


async def show(request: web.Request) -> web.Response:
    """GET /installer : the code, please; whoever was inside before is not any more."""
    door = request.app[DOOR]
    door.close()
    wait_s = door.wait_s()
    kind = "no_code" if not door.has_code else ("wait" if wait_s else "ask")
    language = request.app[STAGE].visit.language
    return _answer(request, Outside(_known(request, language), kind, wait_s))  # type: ignore[arg-type]  # one of the three


async def act(request: web.Request) -> web.Response:
    """POST /installer : the code, a page, or something to do."""
    fields = await _fields(request)
    language = _known(request, fields.get("language", ""))
    door, action = request.app[DOOR], fields.get("action", "")
    if action == "code":
        knock = await asyncio.to_thread(door.knock, fields.get("value", ""))
        if knock.kind != "open":
            return _answer(request, Outside(language, knock.kind, knock.wait_s))
        return await _inside(request, language, knock.token, "state", "")
    token = fields.get("token", "")
    if not door.is_inside(token):
        return _answer(request, Outside(language))
    if action == "leave":
        door.close()
        return _answer(request, Outside(language))
    wanted = fields.get("value", "") if action == "tab" else fields.get("tab", "")
    tab: Tab = wanted if wanted in _TABS else "state"  # type: ignore[assignment]  # one of them
    done = "" if action == "tab" else await _done(request, action)
    return await _inside(request, language, token, tab, done)


async def _done(request: web.Request, action: str) -> str:
    """Do what was asked; answer the key of what to say."""
    parts = request.app[PARTS]
    match action:
        case "send":
            for agent in (parts.agent, *parts.formers):
                agent.poke()
            return "installer.done.send"
        case "bell":
            return await _rung(parts)
        case "slip":
            parts.devices.printing.begin(_trial_slip(parts))
            return "installer.done.slip"
        case "stick":
            again = request.app[STAGE].serve_stick
            if again is not None:
                again()
            return "installer.done.stick" if again else "installer.done.no_stick"
        case _:
            return ""


async def _rung(parts: Parts) -> str:
    try:
        await parts.devices.bell.ring()
    except BellFailed as error:
        _log.warning("the bell did not ring", extra={"reason": str(error)})
        return "installer.done.bell_failed"
    return "installer.done.bell"


def _trial_slip(parts: Parts) -> Slip:
    words = parts.wordings[DEFAULT_LANGUAGE].screen
    lines = (SlipLine(words("installer.trial"), is_centred=True), SlipLine(parts.identity.name))
    width = 576 if parts.settings.slip_width_mm == 80 else 384
    return Slip(head=lines, qr=parts.identity.public_url.upper(), width_dots=width)


async def _inside(
    request: web.Request, language: str, token: str, tab: Tab, done: str
) -> web.Response:
    parts = request.app[PARTS]
    page = Inside(
        language,
        token,
        tab,
        clip=_clip(parts, language),
        has_bell=parts.devices.bell.is_there,
        has_printer=bool(parts.devices.printing.view.state),
        has_stick=request.app[STAGE].serve_stick is not None,
        utc_offset_min=parts.settings.utc_offset_min,
        done=done,
    )
    match tab:
        case "doctor":
            page = msgspec.structs.replace(page, findings=await _findings(parts))
        case "log":
            page = msgspec.structs.replace(page, lines=request.app[LINES].newest(ADMIN_LOG_SHOWN))
        case "state":
            status = await present_status(request)
            facts = facts_of(parts, status, request.app[VERSION], parts.wordings[language])
            page = msgspec.structs.replace(page, facts=facts)
        case "tests":
            pass
    return _answer(request, page)


async def _findings(parts: Parts) -> tuple[Finding, ...]:
    try:
        work = asyncio.to_thread(examine, parts.settings, parts.clock)
        findings = await asyncio.wait_for(work, ADMIN_DOCTOR_S)
    except TimeoutError:
        findings = (Finding("doctor", False, "it took too long", "look again"),)
    state = parts.agent.state
    said = "answers" if state.is_reachable else state.last_error or "no answer yet"
    todo = "cable, router, BIANMIN_KIOSK_CENTRE_URL"
    return (*findings, Finding("centre", state.is_reachable, said, todo, is_slight=True))


def _clip(parts: Parts, language: str) -> str:
    try:
        clip = parts.library.find(language, parts.wordings[language].voice(_CLIP_KEY))
    except VoiceError:
        return ""
    return f"/voice/{clip.key}" if clip is not None else ""


def _answer(request: web.Request, page: Inside | Outside) -> web.Response:
    wording = request.app[PARTS].wordings[page.language]
    return web.Response(text=drawn(page, wording), content_type="text/html")


def _known(request: web.Request, language: str) -> str:
    return language if language in request.app[PARTS].wordings else DEFAULT_LANGUAGE


async def _fields(request: web.Request) -> dict[str, str]:
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType
    if (request.content_length or 0) > ADMIN_BODY_BYTES_MAX:
        raise web.HTTPRequestEntityTooLarge(ADMIN_BODY_BYTES_MAX, request.content_length or 0)
    raw = await request.read()
    try:
        return dict(parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=6))
    except ValueError:
        return {}


def routes() -> list[web.AbstractRouteDef]:
    """Answer the installer's routes."""
    return [web.get("/installer", show), web.post("/installer", act)]


def fit_out(app: web.Application, parts: Parts, lines: LogLines, version: str) -> None:
    """Give an app what these routes need."""
    app[DOOR] = Door(parts.settings.data_dir, parts.clock, parts.entropy)
    app[LINES] = lines
    app[VERSION] = version
    app.add_routes(routes())
