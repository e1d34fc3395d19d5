"""Live pages: a stream of newly drawn fragments (server-sent events)."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress

from aiohttp import web

from server.dashboard import desk, fleet
from server.dashboard.pages import now_ms
from server.keys import BROADCAST, CLOCK, STORE
from server.live import Broadcast, Topic
from server.people.guard import SESSION
from server.people.permission import require
from server.people.sessions import is_alive
from server.store import people as store
from sync.limits import LIVE_PAUSE_S, LIVE_QUIET_S, LIVE_STREAMS_MAX

#: Open streams of this process, so that there is a bound.
STREAMS = web.AppKey("streams", set[asyncio.Task[None]])


def routes() -> list[web.AbstractRouteDef]:
    """Answer the routes of the live streams."""
    return [web.get("/live/fleet", live_fleet), web.get("/live/desk", live_desk)]


@require("operator")
async def live_fleet(request: web.Request) -> web.StreamResponse:
    """Stream the fleet page's changing part as it changes."""
    return await stream(request, {"fleet", "letters"}, fleet.fragment)


@require("clerk")
async def live_desk(request: web.Request) -> web.StreamResponse:
    """Stream the clerk's queue as it changes."""
    return await stream(request, {"cases"}, desk.fragment)


async def stream(
    request: web.Request,
    topics: set[Topic],
    draw: Callable[[web.Request], Awaitable[str]],
) -> web.StreamResponse:
    """Send a fragment now and after each change, until the page closes or the session ends.

    A stream does not keep a session alive: nobody may be sitting in front of it.

    Raises:
        web.HTTPServiceUnavailable: Too many streams are open.
    """
    streams = request.app[STREAMS]
    task = asyncio.current_task()
    if task is None or len(streams) >= LIVE_STREAMS_MAX:
        raise web.HTTPServiceUnavailable
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-store",
            # Asks nginx not to hold events back.
            "X-Accel-Buffering": "no",
        }
    )
    streams.add(task)
    try:
        await response.prepare(request)
        async with aclosing(beats(request.app[BROADCAST], topics)) as ticks:
            async for _ in ticks:
                if not await _is_signed_in(request):
                    await response.write(b"event: end\ndata:\n\n")
                    break
                await response.write(event(await draw(request)))
                await request.app[CLOCK].sleep(LIVE_PAUSE_S)
    except ConnectionError:
        # The page was closed; there is nobody left to tell.
        pass
    finally:
        streams.discard(task)
    return response


async def beats(broadcast: Broadcast, topics: set[Topic]) -> AsyncGenerator[None, None]:
    """Yield when a page should be drawn: at once, after each change, and after a time of quiet.

    Ages ("3 minutes ago") grow without any news; drawing them also keeps proxies from closing
    a silent stream.
    """
    changes = broadcast.subscribe()
    # Begun before the first drawing, so that a change during it is not missed.
    upcoming = asyncio.ensure_future(anext(changes))
    try:
        yield
        while True:
            done, _ = await asyncio.wait({upcoming}, timeout=LIVE_QUIET_S)
            topic = upcoming.result() if done else None
            if done:
                upcoming = asyncio.ensure_future(anext(changes))
            if topic is None or topic in topics:
                yield
    finally:
        upcoming.cancel()
        with suppress(asyncio.CancelledError):
            await upcoming


def event(fragment: str) -> bytes:
    r"""Write a fragment as one event.

    >>> event("<p>\n1</p>")
    b'data: <p>\ndata: 1</p>\n\n'
    """
    lines = "".join(f"data: {line}\n" for line in fragment.splitlines())
    return f"{lines}\n".encode()


async def close_streams(app: web.Application) -> None:
    """End all streams at shutdown, so that the centre need not wait for open pages."""
    streams = app[STREAMS]
    for task in tuple(streams):
        task.cancel()


async def _is_signed_in(request: web.Request) -> bool:
    held = request[SESSION]
    session = await request.app[STORE].read(store.session, held.token_hash)
    return session is not None and is_alive(session, now_ms(request))
