"""A centre with its pages, vault and worker in this process, kiosks that send, staff that look."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import aiohttp
import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer
from argon2.profiles import RFC_9106_LOW_MEMORY

from server import keys
from server.catalogue.shelf import Published
from server.dashboard.sign_in import PASSWORDS
from server.live import Topic
from server.main import build_app
from server.people.accounts import Account, NewAccount, checked
from server.people.passwords import Passwords
from server.people.sessions import new_token, token_hash
from server.store import people
from server.vault.daemon import VaultProcess
from sync.clock import SeededEntropy
from sync.records import Answers, Attachment
from tests.unit.server.world import HELPER_REQUEST, NOW_MS, Kiosk, World

T = TypeVar("T")

PASSWORD = "four quiet herons walk"
#: The real cost has its own test; hundreds of sign-ins need not pay it.
CHEAP_HASH = replace(RFC_9106_LOW_MEMORY, time_cost=1, memory_cost=64, parallelism=1)
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
#: Department of the service `helper_request`, which `confirm` makes by default.
DEPARTMENT = "村民委员会"
PATIENCE_S = 20


class SteadyClock:
    """Wall time that a test moves; waiting takes real time, so that workers do not spin."""

    def __init__(self) -> None:
        self.ms = NOW_MS

    def now_ms(self) -> int:
        return self.ms

    def monotonic_ms(self) -> int:
        return self.ms

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Browser:
    """One person's browser: keeps cookies, follows nothing by itself, fills in the csrf field."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self.session = session
        self.base = base
        self.csrf = ""

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self.session.get(
            self.base + path, allow_redirects=False, headers=headers
        ) as answer:
            # Some addresses bring files.
            return answer.status, self._seen(await answer.text(errors="replace"))

    async def where(self, path: str) -> str:
        """Where a page sends the browser; "" when it shows something itself."""
        async with self.session.get(self.base + path, allow_redirects=False) as answer:
            return answer.headers.get("Location", "")

    async def post(
        self,
        path: str,
        fields: Sequence[tuple[str, str]] = (),
        *,
        headers: dict[str, str] | None = None,
        csrf: str | None = None,
    ) -> tuple[int, str, str]:
        """Status, text and where it leads."""
        form = aiohttp.FormData([("csrf", self.csrf if csrf is None else csrf), *fields])
        async with self.session.post(
            self.base + path,
            data=form,
            allow_redirects=False,
            headers=SAME_ORIGIN if headers is None else headers,
        ) as answer:
            text = self._seen(await answer.text())
            return answer.status, text, answer.headers.get("Location", "")

    async def sign_in(self, name: str, password: str = PASSWORD) -> int:
        status, _, _ = await self.post("/login", [("name", name), ("password", password)])
        await self.get("/password")
        return status

    def _seen(self, text: str) -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', text)
        if found:
            self.csrf = found[1]
        return text


class Staffed:
    """The running centre of a test."""

    def __init__(self, world: World, app: web.Application, server: TestServer) -> None:
        self.world = world
        self.app = app
        self.server = server
        self.published: Published
        self.clock: SteadyClock = app[keys.CLOCK]  # type: ignore[assignment]
        self._sessions: list[aiohttp.ClientSession] = []
        self._hash = ""

    @property
    def base(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    def browser(self) -> Browser:
        session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self._sessions.append(session)
        return Browser(session, self.base)

    async def close(self) -> None:
        for session in self._sessions:
            await session.close()

    async def account(
        self,
        name: str,
        role: str = "clerk",
        *,
        departments: tuple[str, ...] = (DEPARTMENT,),
        village_prefix: str = "",
        must_change: bool = False,
        shown_name: str = "",
        has_password: bool = True,
    ) -> Account:
        new = checked(NewAccount(name, shown_name, role, departments, village_prefix))
        if has_password and not self._hash:
            self._hash = await self.app[PASSWORDS].hashed(PASSWORD)
        return await self.app[keys.STORE].write(
            people.add_account,
            new,
            password_hash=self._hash if has_password else "!",
            actor="test",
            now_ms=self.clock.ms,
            must_change=must_change,
        )

    async def signed_in(self, name: str, role: str = "clerk", **given: object) -> Browser:
        """Make a session (and the account, when new) without the cost of a password."""
        found = await self.app[keys.STORE].read(people.account_of_name, name)
        account = (
            found[0] if found else await self.account(name, role, has_password=False, **given)  # type: ignore[arg-type]
        )
        token = new_token(self.app[keys.ENTROPY])
        session = await self.app[keys.STORE].write(
            people.start_session, account, token_hash(token), "c0ffee", now_ms=self.clock.ms
        )
        browser = self.browser()
        browser.csrf = session.csrf
        browser.session.cookie_jar.update_cookies({"staff": token}, self.server.make_url("/"))
        return browser

    async def confirm(
        self,
        kiosk: Kiosk,
        answers: Answers = HELPER_REQUEST,
        service: str = "helper_request",
        *,
        attachments: Sequence[Attachment] = (),
        language: str = "zh-CN",
    ) -> str:
        """Have a kiosk send one transaction; answer its case number once it is a case."""
        kiosk.now_ms = self.clock.ms
        envelope = kiosk.confirm(self.published, answers, service, language=language)
        chunks = [chunk for item in attachments for chunk in kiosk.chunks(kiosk.seq, item, 60_000)]
        async with asyncio.timeout(PATIENCE_S):
            await self.during("cases", self.send(kiosk.request([envelope], chunks)))
        return kiosk.case_no

    async def send(self, raw: bytes) -> None:
        """Post one exchange as a kiosk does."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.base}/sync/v1/exchange", data=raw) as answer,
        ):
            assert answer.status == 200, await answer.text()

    async def bury(self, kiosk: Kiosk, plaintext: bytes = bytes(64)) -> None:
        """Have a kiosk send what opens and cannot be read: a dead letter."""
        envelope = kiosk.seal(plaintext, self.published.version)
        async with asyncio.timeout(PATIENCE_S):
            await self.during("letters", self.send(kiosk.request([envelope])))

    async def during(self, topic: Topic, act: Awaitable[T]) -> T:
        """Do something, and wait until the worker has published that topic."""
        topics = self.app[keys.BROADCAST].subscribe()
        upcoming = asyncio.ensure_future(anext(topics))
        result = await act
        while await upcoming != topic:
            upcoming = asyncio.ensure_future(anext(topics))
        await topics.aclose()  # type: ignore[attr-defined]
        return result


@asynccontextmanager
async def staffed(
    folder: Path,
    *,
    is_published: bool = True,
    routes: Sequence[web.AbstractRouteDef] = (),
    seed: int = 1,
    public_url: str = "http://127.0.0.1",
) -> AsyncIterator[Staffed]:
    """Run a centre in this process while the block runs.

    Args:
        folder: Where it lies; short, for the vault's socket.
        is_published: Whether the shipped catalogue is published.
        routes: More routes, to see what the pages' middlewares make of them.
        seed: Of its keys.
        public_url: Where people reach it; https makes the cookie a secure one.
    """
    world = World(folder, seed)
    clock = SteadyClock()
    stop = asyncio.Event()
    vault = asyncio.create_task(VaultProcess(world.settings, clock).serve(stop))
    settings = msgspec.structs.replace(world.settings, public_url=public_url)
    app = build_app(settings, clock=clock, entropy=SeededEntropy(7), with_vault=False)
    app[PASSWORDS].close()
    app[PASSWORDS] = Passwords(CHEAP_HASH)
    app.add_routes(routes)
    server = TestServer(app)
    await server.start_server()
    centre = Staffed(world, app, server)
    if is_published:
        centre.published = world.publish()
    try:
        yield centre
    finally:
        await centre.close()
        await server.close()
        stop.set()
        await vault
