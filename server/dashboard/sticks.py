"""What people carry here on sticks: uploading bundles, fetching the replies, marking sticks."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import BodyPartReader, MultipartReader, web

from server.api.metrics import METRICS
from server.dashboard.pages import now_ms, page, see
from server.keys import BROADCAST, CLOCK, KEYS, PIPELINE, RECEPTION, SETTINGS, STORE
from server.people.guard import FILES, UNREADABLE, account_of
from server.people.permission import require, takes_files
from server.sticks import Taking, marker
from server.store import sticks
from server.store.sticks import Delivery
from sync.bundles import MARKER_NAME, name_parts
from sync.limits import (
    PAGE_ROWS,
    STICK_BUNDLES_MAX,
    STICK_PIECE_BYTES,
    STICK_UPLOAD_BYTES_MAX,
    STICK_UPLOAD_QUIET_S,
    STICK_UPLOAD_S,
)
from sync.sticks import StickFailed, StickFolder

_LOCK: web.AppKey[asyncio.Lock] = web.AppKey("stick_lock", asyncio.Lock)


def setup(app: web.Application) -> None:
    """Add the page."""
    app[_LOCK] = asyncio.Lock()
    app.add_routes(
        [
            web.get("/sticks", sticks_page),
            web.post("/sticks", take),
            web.get("/sticks/mark", mark),
            web.get("/sticks/{number:[0-9]{1,12}}/replies", replies),
        ]
    )


@require("operator")
async def sticks_page(request: web.Request) -> web.StreamResponse:
    """Show which kiosks' sticks came and what was on them, newest first."""
    text = request.query.get("page", "1")
    number = max(1, int(text)) if text.isascii() and text.isdigit() and len(text) <= 4 else 1
    found = await request.app[STORE].read(sticks.recent, PAGE_ROWS + 1, (number - 1) * PAGE_ROWS)
    kept = await request.app[STORE].read(sticks.kept_answers)
    return page(
        request,
        "sticks.html",
        deliveries=found[:PAGE_ROWS],
        kept=kept,
        number=number,
        has_next=len(found) > PAGE_ROWS,
        megabytes_max=STICK_UPLOAD_BYTES_MAX // 1024**2,
    )


@require("operator")
@takes_files(STICK_UPLOAD_BYTES_MAX)
async def take(request: web.Request) -> web.StreamResponse:
    """Take the uploaded bundles in, piece by piece as they come.

    Raises:
        web.HTTPBadRequest: The upload broke off; what came is taken in and noted.
    """
    upload = _Upload(request[FILES])
    try:
        async with asyncio.timeout(STICK_UPLOAD_S), request.app[_LOCK]:
            is_whole = await _taken(request, upload)
    except TimeoutError as error:
        raise web.HTTPBadRequest from error
    finally:
        request.app[PIPELINE].poke()
        request.app[BROADCAST].publish("fleet")
    if upload.is_broken:
        raise web.HTTPBadRequest
    if not upload.count:
        return see("/sticks", "sticks.none")
    return see("/sticks", "sticks.taken" if is_whole else "sticks.no_room")


class _Upload:
    """The files of one form; one that breaks off ends like a file that was cut."""

    def __init__(self, reader: MultipartReader) -> None:
        self._reader = reader
        self.count = 0
        self.is_broken = False

    async def files(self) -> AsyncIterator[BodyPartReader]:
        while not self.is_broken and self.count < STICK_BUNDLES_MAX:
            try:
                part = await self._reader.next()
            except UNREADABLE:
                self.is_broken = True
                return
            if part is None:
                return
            # A browser sends an empty file without a name when none was chosen.
            if isinstance(part, BodyPartReader) and part.filename:
                self.count += 1
                yield part

    async def pieces(self, part: BodyPartReader) -> AsyncIterator[bytes]:
        while not part.at_eof():
            try:
                async with asyncio.timeout(STICK_UPLOAD_QUIET_S):
                    piece = await part.read_chunk(STICK_PIECE_BYTES)
            except UNREADABLE:
                self.is_broken = True
                return
            if piece:
                yield piece


async def _taken(request: web.Request, upload: _Upload) -> bool:
    """Answer whether all replies could be kept."""
    app, is_whole = request.app, True
    taking = Taking(app[STORE], app[RECEPTION], app[KEYS], app[CLOCK])
    root = replies_root(app)
    await asyncio.to_thread(root.mkdir, mode=0o700, parents=True, exist_ok=True)
    with StickFolder.opened(root, is_made=True) as folder:
        async for part in upload.files():
            try:
                delivery = await taking.take(
                    upload.pieces(part),
                    part.filename or "",
                    actor=account_of(request).name,
                    fresh=folder.fresh,
                )
                _measure(app, delivery)
            except StickFailed:
                is_whole = False
        kept = await app[STORE].read(sticks.kept_answers)
        await asyncio.to_thread(_tidy, folder, kept)
    return is_whole


def _measure(app: web.Application, delivery: Delivery) -> None:
    counts = {
        "stored": delivery.stored,
        "duplicate": delivery.duplicates,
        "quarantined": delivery.quarantined,
    }
    for verdict, count in counts.items():
        app[METRICS].envelopes.labels("stick", verdict).inc(count)


def _tidy(folder: StickFolder, kept: frozenset[str]) -> None:
    for name in folder.names()[0]:
        if name not in kept:
            folder.remove(name)


def replies_root(app: web.Application) -> Path:
    """Answer where replies to uploaded bundles lie until somebody fetches them."""
    return app[SETTINGS].data_dir / "sticks"


@require("operator")
async def replies(request: web.Request) -> web.StreamResponse:
    """Answer the file of replies to one bundle; signed and sealed, it is nobody's secret.

    Raises:
        web.HTTPNotFound: It is not kept any more.
    """
    number = int(request.match_info["number"])
    delivery = await request.app[STORE].read(sticks.delivery, number)
    if delivery is None or name_parts(delivery.answers) is None:
        raise web.HTTPNotFound
    try:
        with StickFolder.opened(replies_root(request.app)) as folder:
            if not folder.has(delivery.answers):
                raise web.HTTPNotFound
            with folder.reading(delivery.answers) as file:
                response = _download(delivery.answers)
                await response.prepare(request)
                for piece in file.pieces():
                    await response.write(piece)
                await response.write_eof()
                return response
    except StickFailed as error:
        raise web.HTTPNotFound from error


@require("operator")
async def mark(request: web.Request) -> web.StreamResponse:
    """Answer the file that makes a stick one of this centre's."""
    response = _download(MARKER_NAME)
    await response.prepare(request)
    await response.write(marker(request.app[KEYS], now_ms(request)))
    await response.write_eof()
    return response


def _download(name: str) -> web.StreamResponse:
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return web.StreamResponse(headers=headers)
