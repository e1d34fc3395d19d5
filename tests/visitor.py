"""A resident without a browser: touches the kiosk's screens through the page's own requests."""

from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from typing import Self

import aiohttp

from sync.forms import Service
from sync.records import Attachment

STEPS_MAX = 120  # the longest form has fewer questions; more means that it goes in circles


class Screen(HTMLParser):
    """What a screen's HTML says of itself, and the text of elements that have an id."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.body: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.actions: set[tuple[str, str]] = set()
        self._open: list[str] = []
        self._words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "body":
            self.body = {n.removeprefix("data-"): v for n, v in named.items() if "data-" in n}
        if "data-action" in named:
            self.actions.add((named["data-action"], named.get("data-value", "")))
        if tag not in {"meta", "link", "img", "input", "br", "path", "use", "circle"}:
            self._open.append(named.get("id", ""))

    def handle_endtag(self, tag: str) -> None:
        if self._open and tag not in {"path", "use", "circle"}:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if data.strip():
            self._words.append(data.strip())
        for name in self._open:
            if name:
                self.texts[name] = self.texts.get(name, "") + data

    @property
    def text(self) -> str:
        """All words of the screen."""
        return " ".join(self._words)

    @property
    def kind(self) -> str:
        """Which screen it is."""
        return self.body.get("kind", "")


class Visitor:
    """One person at the kiosk; `screen` is what they see."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self.screen = Screen("")

    @classmethod
    async def arrive(cls, session: aiohttp.ClientSession, url: str) -> Self:
        """Step up to the kiosk and begin from its first screen, whoever was there before."""
        visitor = cls(session, url)
        async with session.get(url) as answer:
            visitor.screen = Screen(await answer.text())
        for _ in range(STEPS_MAX):
            if visitor.screen.kind == "home":
                return visitor
            await visitor.touch("leave_yes" if visitor.screen.kind == "leave" else "home")
        raise AssertionError(f"no way home from {visitor.screen.body}")

    async def touch(self, action: str, value: str = "", question: str = "") -> Screen:
        """Post one touch as the page does, and see the screen after it."""
        fields = {
            "visit": self.screen.body.get("visit", ""),
            "rev": self.screen.body.get("rev", ""),
            "action": action,
            "value": value,
            "question": question,
        }
        async with self._session.post(
            f"{self._url}/act", data=fields, headers={"X-Requested-With": "kiosk"}
        ) as answer:
            text = await answer.text()
            assert answer.status == 200, (answer.status, fields, text[:500])
        self.screen = Screen(text)
        return self.screen

    async def apply(
        self, service: Service, answers: Mapping[str, str], attachments: Sequence[Attachment] = ()
    ) -> str:
        """Do a whole matter as these answers say; answer the case number on the receipt."""
        await self.begin(service)
        for _ in range(STEPS_MAX):
            if self.screen.kind == "receipt":
                return "".join(filter(str.isdigit, self.screen.texts["receipt-no"]))
            await self.step(answers, attachments)
        raise AssertionError(f"no receipt in {STEPS_MAX} touches: {self.screen.body}")

    async def begin(self, service: Service) -> None:
        """Find the service from the first screen."""
        await self.touch("open", service.category)
        await self.touch("service", service.id)

    async def step(
        self, answers: Mapping[str, str], attachments: Sequence[Attachment] = ()
    ) -> None:
        """Go on by one screen."""
        match self.screen.kind:
            case "materials" | "warning":
                await self.touch("continue")
            case "check":
                await self.touch("submit")
            case "question":
                await self._answer(answers, attachments)
            case other:
                raise AssertionError(f"unexpected screen {other}: {self.screen.body}")

    async def look_up(self, case_no: str) -> Screen:
        """Ask for one's matter by the number on the slip; see how far it is."""
        await self.touch("matters")
        answers = {"find_by": "slip", "case_no": case_no}
        for _ in range(STEPS_MAX):
            if self.screen.kind != "question":
                return self.screen
            await self._answer(answers, ())
        raise AssertionError(f"no matter in {STEPS_MAX} touches: {self.screen.body}")

    async def _answer(self, answers: Mapping[str, str], attachments: Sequence[Attachment]) -> None:
        question, before = self.screen.body["question"], self.screen.body["rev"]
        mine = [attachment for attachment in attachments if attachment.question == question]
        for index, attachment in enumerate(mine):
            await self._attach(question, index, attachment)
        value = answers.get(question, "")
        await self.touch("answer" if value else "skip", value, question)
        error = self.screen.texts.get("error", "").strip()
        assert not error, f"{question} = {value!r}: {error}"
        assert self.screen.body["rev"] != before, f"{question} = {value!r} changed nothing"

    async def _attach(self, question: str, index: int, attachment: Attachment) -> None:
        query = {
            "visit": self.screen.body["visit"],
            "question": question,
            "index": str(index),
        }
        async with self._session.post(
            f"{self._url}/attachment",
            params=query,
            data=attachment.content,
            headers={"Content-Type": attachment.media_type, "X-Requested-With": "kiosk"},
        ) as answer:
            assert answer.status == 204, (answer.status, await answer.text())
