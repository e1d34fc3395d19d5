"""A real village for tests: processes on free ports, in a folder that goes away."""

import contextlib
import sqlite3
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import aiohttp

from bianmin import processes
from bianmin.village import Ports, Village
from tests.conftest import VOICE_DIR

#: Long enough for two CPU cores that run other tests at the same time.
PATIENCE_S = 60.0


def new_village(directory: Path, settings: Mapping[str, str] | None = None) -> Village:
    """A village that is not started yet."""
    kiosk, centre, page, link = processes.free_ports(4)
    ports = Ports(kiosk=kiosk, centre=centre, page=page, link=link)
    VOICE_DIR.mkdir(parents=True, exist_ok=True)
    # The developer's own dialects must not stand on the screens of tests.
    alone = {"BIANMIN_VOICE_PACKS": str(directory / "voices"), **(settings or {})}
    return Village(directory, ports, voice_dir=VOICE_DIR, settings=alone)


@contextlib.asynccontextmanager
async def running_centre(
    directory: Path, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Village]:
    """A centre and its link, without a kiosk, while the block runs."""
    village = new_village(directory, settings)
    async with _told_when_failing(village):
        await village.link.open(village.ports.link)
        await village.start_centre()
        yield village


@contextlib.asynccontextmanager
async def running_village(
    directory: Path, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Village]:
    """A whole village while the block runs; its programs' logs are shown when it fails."""
    village = new_village(directory, settings)
    async with _told_when_failing(village):
        await village.start()
        yield village


@contextlib.asynccontextmanager
async def _told_when_failing(village: Village) -> AsyncIterator[None]:
    try:
        yield
    except BaseException:
        for log in sorted((village.directory / "log").glob("*.log")):
            print(f"--- {log.name}\n{log.read_text('utf-8', 'replace')[-4000:]}")  # noqa: T201 -- pytest shows it
        raise
    finally:
        await village.stop()


def centre_rows(village: Village, query: str, *values: object) -> list[tuple[object, ...]]:
    """Ask the centre's own file, past all of its code."""
    path = village.directory / "centre" / "centre.db"
    conn = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        return conn.execute(query, values).fetchall()
    finally:
        conn.close()


async def status(village: Village) -> dict[str, object]:
    """What the kiosk says about its queue."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{village.kiosk_url}/status") as answer,
    ):
        found: dict[str, object] = await answer.json()
        return found
