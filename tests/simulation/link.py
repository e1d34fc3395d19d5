"""The way between a kiosk and whatever answers it: slow, lossy, and not always honest."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, Protocol

import msgspec

from sync.limits import QUIET_S
from sync.transports import EXCHANGE_PATH, MANIFEST_PATH, CentreRefused, LinkDown
from tests.simulation.plan import LINK_FAULTS, Plan
from tests.simulation.scenery import first_manifest
from tests.simulation.trace import Trace, short

PORTAL = b"<!DOCTYPE html><title>Sign in to continue</title>"
DAY_S = 86_400.0


class Answer(msgspec.Struct, frozen=True):
    """What HTTP brings back."""

    status: int
    body: bytes


class Far(Protocol):
    """Who stands at the other end."""

    def answer(self, method: str, path: str, body: bytes) -> Awaitable[Answer]:
        """Answer one request; `LinkDown` when nobody is there."""
        ...


class Network:
    """What all links share: whether there is misfortune, and what went over the wires.

    Args:
        plan: Which faults this run knows.
        random: The network's own luck.
        trace: The story.
        far: Answers which centre a kiosk reaches now.
    """

    def __init__(self, plan: Plan, random: Random, trace: Trace, far: Callable[[], Far]) -> None:
        self.is_bad = True
        self._kinds = tuple(kind for kind in LINK_FAULTS if plan.has(kind))
        self._percent = plan.link_percent
        self.random = random
        self.trace = trace
        self.far = far
        #: Every body that any wire carried, for whoever listens.
        self.wire: list[bytes] = []
        #: Requests that somebody may send again, and answers that a proxy may give again.
        self.requests: list[tuple[str, bytes]] = []
        self.replies: list[bytes] = []
        self.is_manifest_replayed = False
        self._late: set[asyncio.Task[Any]] = set()

    def fault(self) -> str:
        """Draw what the next request meets."""
        if not self.is_bad or not self._kinds or self.random.random() * 100 >= self._percent:
            return ""
        return self.random.choice(self._kinds)

    async def reach(self, method: str, path: str, body: bytes) -> Answer:
        """Bring a request to the centre and its answer back, without any fault."""
        self.wire.append(body)
        answer = await self.far().answer(method, path, body)
        self.wire.append(answer.body)
        if path == EXCHANGE_PATH and answer.status == 200:
            self.requests.append((path, body))
            self.replies.append(answer.body)
        return answer

    def later(self, after_s: float, method: str, path: str, body: bytes) -> None:
        """Let a request arrive when its sender has long given up."""

        async def arrive() -> None:
            await asyncio.sleep(after_s)
            try:
                answer = await self.reach(method, path, body)
            except LinkDown:
                self.trace.note("network", f"late request {short(body)}: nobody there")
                return
            self.trace.note("network", f"late request {short(body)}: {answer.status}")

        task = asyncio.ensure_future(arrive())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    def end(self) -> None:
        """Let what is still under way be lost."""
        for task in list(self._late):
            task.cancel()


class SimLink:
    """One kiosk's way to the centre.

    Args:
        name: The kiosk's, for the story.
        network: What it goes over.
    """

    def __init__(self, name: str, network: Network) -> None:
        self._name = name
        self._network = network
        self._random = network.random
        #: No signal at all, until the fault is over.
        self.is_cut = False
        #: Every answer takes so much longer, seconds.
        self.extra_s = 0.0

    async def post(self, path: str, body: bytes) -> bytes:
        """Send a body through the next fault."""
        return await self._carry("POST", path, body)

    async def get(self, path: str) -> bytes:
        """Fetch a path through the next fault."""
        return await self._carry("GET", path, b"")

    async def _carry(self, method: str, path: str, body: bytes) -> bytes:
        if self.is_cut and self._network.is_bad:
            await asyncio.sleep(1.0)
            raise LinkDown("no signal")
        fault = self._network.fault()
        if fault:
            self._network.trace.note(self._name, f"{method} {path[:18]} meets {fault}")
        await asyncio.sleep(0.05 + self._random.random())
        answer = await self._met(fault, method, path, body)
        await asyncio.sleep(0.05 + self._random.random() + self.extra_s)
        if answer.status != 200:
            raise CentreRefused(answer.status, answer.body.decode())
        return answer.body

    async def _met(self, fault: str, method: str, path: str, body: bytes) -> Answer:
        network, random = self._network, self._random
        answer = await self._before(fault, method, path, body)
        if answer is not None:
            return answer
        if fault == "request_cut" and body:
            body = body[: random.randrange(len(body))]
        if fault == "request_flipped" and body:
            body = _flipped(body, random)
        if fault == "request_twice":
            network.later(random.random() * 2, method, path, body)
        return await self._after(fault, method, await network.reach(method, path, body))

    async def _before(self, fault: str, method: str, path: str, body: bytes) -> Answer | None:
        """Answer what somebody else answers instead of the centre; None when nobody does."""
        network, random = self._network, self._random
        if fault == "portal":
            return Answer(200, PORTAL)
        if fault == "unavailable":
            return Answer(503, b"")
        if fault == "cached_reply" and network.replies:
            return Answer(200, random.choice(network.replies))
        if fault in ("stall", "request_lost", "request_delayed"):
            if fault == "request_delayed":
                network.later(random.random() * 3 * DAY_S, method, path, body)
            await asyncio.sleep(QUIET_S)
            raise LinkDown("silence")
        if path.startswith(MANIFEST_PATH) and network.is_manifest_replayed and network.is_bad:
            network.trace.note(self._name, "an old manifest comes instead of the present one")
            return Answer(200, first_manifest())
        return None

    async def _after(self, fault: str, method: str, answer: Answer) -> Answer:
        """Answer what is left of the centre's answer on the way back."""
        random = self._random
        if fault == "reply_lost":
            await asyncio.sleep(QUIET_S)
            raise LinkDown("the answer was lost")
        if fault == "reply_cut":
            cut = answer.body[: random.randrange(len(answer.body) + 1)]
            if method == "GET":
                raise LinkDown("the answer broke off", cut if answer.status == 200 else b"")
            return Answer(answer.status, cut)
        if fault == "reply_flipped" and answer.body:
            return Answer(answer.status, _flipped(answer.body, random))
        return answer


def _flipped(raw: bytes, random: Random) -> bytes:
    place = random.randrange(len(raw))
    return raw[:place] + bytes([raw[place] ^ 1 << random.randrange(8)]) + raw[place + 1 :]
