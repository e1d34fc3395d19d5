"""The demo's page: it switches the link, and answers only to its own name."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
from aiohttp import ClientSession, web

from bianmin.accounts import Account
from bianmin.page import build_page
from bianmin.processes import free_ports
from bianmin.village import Ports, Village


class Shown(NamedTuple):
    """The page as served."""

    village: Village
    url: str


@pytest.fixture
async def shown(tmp_path: Path) -> AsyncIterator[Shown]:
    page_port, kiosk_port = free_ports(2)
    village = Village(
        tmp_path, Ports(kiosk=kiosk_port, page=page_port), voice_dir=tmp_path / "voice"
    )
    runner = web.AppRunner(
        build_page(village, [Account("clerk", "clerk", "abcd-<&>-efgh")]), access_log=None
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", page_port).start()
    yield Shown(village, f"http://127.0.0.1:{page_port}")
    await runner.cleanup()


async def test_page_shows_accounts_escaped(shown: Shown) -> None:
    async with ClientSession() as session, session.get(shown.url) as answer:
        text = await answer.text()

    assert "abcd-&lt;&amp;&gt;-efgh" in text
    assert f"{shown.village.centre_url}/desk" in text


async def test_switch_cuts_and_restores_the_link(shown: Shown) -> None:
    seen = []

    async with ClientSession() as session:
        for is_whole in (False, True):
            async with session.post(f"{shown.url}/link", json={"is_whole": is_whole}) as answer:
                seen.append(((await answer.json())["is_whole"], shown.village.link.is_whole))

    assert seen == [(False, False), (True, True)]


async def test_state_without_a_kiosk_knows_nothing_and_says_so(shown: Shown) -> None:
    async with ClientSession() as session, session.get(f"{shown.url}/state") as answer:
        state = await answer.json()

    assert state == {
        "is_whole": True,
        "is_kiosk_running": False,
        "is_centre_running": False,
        "waiting": None,
        "oldest_age_ms": None,
        "contact_age_ms": None,
        "bytes_up": 0,
        "bytes_down": 0,
    }


async def test_another_name_is_refused(shown: Shown) -> None:
    async with (
        ClientSession() as session,
        session.get(shown.url, headers={"Host": "evil.example"}) as answer,
    ):
        assert answer.status == 403


async def test_a_form_of_another_page_cannot_switch(shown: Shown) -> None:
    async with (
        ClientSession() as session,
        session.post(f"{shown.url}/link", data={"is_whole": "false"}) as answer,
    ):
        assert answer.status == 415

    assert shown.village.link.is_whole
