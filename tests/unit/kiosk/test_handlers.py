"""The kiosk's page over HTTP: who may act, what a double tap does, what is kept by whom."""

import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from kiosk.main import build_app
from kiosk.places import Asking, AtFault, AtHome, AtReceipt, Checking, InCategory
from kiosk.web.guard import HEADERS
from sync import outbox
from sync.limits import ATTACHMENT_BYTES_MAX
from tests.unit.kiosk.parts import FITTING, answer_to, catalogue
from tests.unit.kiosk.stations import Station, station

JPEG = b"\xff\xd8\xff\xe0 a small picture"
DRAWING = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 200">'
    b'<path d="M10 10 L20 20" fill="none" stroke="#000" stroke-width="3"/></svg>'
)


class Page:
    """A browser on the kiosk's own screen, seen from its requests."""

    def __init__(self, kiosk: Station, client: TestClient) -> None:
        self.kiosk, self.client = kiosk, client

    @property
    def origin(self) -> str:
        return f"http://{self.client.host}:{self.client.port}"

    async def act(
        self,
        action: str,
        value: str = "",
        question: str = "",
        *,
        visit: str | None = None,
        rev: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> ClientResponse:
        now = self.kiosk.stage.visit
        fields = {
            "visit": now.id if visit is None else visit,
            "rev": str(now.rev) if rev is None else rev,
            "action": action,
            "value": value,
            "question": question,
        }
        return await self.client.post(
            "/act", data=fields, headers={"Origin": self.origin} if headers is None else headers
        )

    async def attach(
        self, content: bytes, media_type: str, *, question: str = "", index: str = "0"
    ) -> ClientResponse:
        visit = self.kiosk.stage.visit
        place = visit.place
        asked = question or (place.question if isinstance(place, Asking) else "")
        return await self.client.post(
            f"/attachment?visit={visit.id}&question={quote(asked)}&index={index}",
            data=content,
            headers={"Content-Type": media_type, "Origin": self.origin},
        )


@contextlib.asynccontextmanager
async def page(directory: Path, **changes: object) -> AsyncIterator[Page]:
    async with (
        station(directory, **changes) as kiosk,  # type: ignore[arg-type]
        TestClient(TestServer(build_app(kiosk.stage, kiosk.parts))) as client,
    ):
        yield Page(kiosk, client)


async def fill(browser: Page, service: str) -> None:
    """Post what somebody would touch, until the check page."""
    await browser.act("service", service)
    for _ in range(60):
        place = browser.kiosk.stage.visit.place
        if isinstance(place, Checking):
            return
        if not isinstance(place, Asking):
            await browser.act("continue")
            continue
        question = catalogue().service(service).question(place.question)
        value = answer_to(question, FITTING)
        if question.type == "photo":
            assert (await browser.attach(JPEG, "image/jpeg")).status == 204
        if question.type == "signature":
            assert (await browser.attach(DRAWING, "image/svg+xml")).status == 204
        await browser.act("answer", value, question.id)
    raise AssertionError("no check page")


async def hand_in(browser: Page) -> ClientResponse:
    """Turn all check pages and submit."""
    answer = None
    for page_number in range(2, 12):
        answer = await browser.act("more", str(page_number))
        if b'data-next="submit"' in await answer.read():
            break
    assert answer is not None
    return await browser.act("submit")


@pytest.mark.parametrize(
    "service",
    ["pension_auth", "medical_registration", "senior_allowance", "proof_letter", "suggestion"],
)
async def test_service_by_http_ends_with_a_receipt(tmp_path: Path, service: str) -> None:
    async with page(tmp_path) as browser:
        await fill(browser, service)

        answer = await hand_in(browser)

        held = browser.kiosk.stage.visit.receipt
        assert held is not None
        assert browser.kiosk.stage.visit.place == AtReceipt()
        assert f"{held.case_no[:4]} {held.case_no[4:8]} {held.case_no[8:]}" in await answer.text()
        assert (await browser.kiosk.parts.database.run(outbox.waiting)).count == 1


async def test_present_screen_is_drawn_in_chinese_first(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        answer = await browser.client.get("/")

        assert answer.status == 200
        assert '<html lang="zh-CN">' in await answer.text()


async def test_touch_answers_the_next_screen(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        answer = await browser.act("open", "money")

        assert browser.kiosk.stage.visit.place == InCategory("money")
        assert "领养老钱认证" in await answer.text()


async def test_double_tap_is_one_touch(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        await browser.act("service", "suggestion")
        visit = browser.kiosk.stage.visit

        for _ in range(2):
            await browser.act("answer", "road", "topic", visit=visit.id, rev=str(visit.rev))

        assert browser.kiosk.stage.visit.place == Asking("about_staff")


async def test_two_submits_at_once_are_one_transaction(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        await fill(browser, "suggestion")
        await browser.act("more", "2")
        visit = browser.kiosk.stage.visit

        for _ in range(3):
            await browser.act("submit", visit=visit.id, rev=str(visit.rev))

        assert (await browser.kiosk.parts.database.run(outbox.waiting)).count == 1


async def test_page_of_another_visit_cannot_act(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        answer = await browser.act("open", "money", visit="somebody else's")

        assert answer.status == 200
        assert browser.kiosk.stage.visit.place == AtHome()


@pytest.mark.parametrize(
    "fields",
    [
        {"action": ""},
        {"action": "rm", "rev": "0"},
        {"action": "open", "rev": "-1"},
        {"action": "open", "rev": "99999999999999999999"},
        {"action": "open", "rev": "٣"},
        {"action": "answer", "rev": "0", "value": "长" * 3000},
    ],
)
async def test_nonsense_shows_the_present_screen(tmp_path: Path, fields: dict[str, str]) -> None:
    async with page(tmp_path) as browser:
        answer = await browser.client.post("/act", data=fields, headers={"Origin": browser.origin})

        assert (answer.status, browser.kiosk.stage.visit.place) == (200, AtHome())


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"action=open&rev=0&value=%ff%fe", "application/x-www-form-urlencoded"),
        (b"\xff\xfe\x00", "application/x-www-form-urlencoded"),
        (b"action=open&rev=0", "application/x-www-form-urlencoded; charset=no-such"),
        (b"not a form", "multipart/form-data; boundary=x"),
        (b"{}", "application/json"),
        (b"a=" + b"b" * 900_000, "application/x-www-form-urlencoded"),
    ],
)
async def test_broken_bodies_change_nothing(tmp_path: Path, body: bytes, media_type: str) -> None:
    async with page(tmp_path) as browser:
        answer = await browser.client.post(
            "/act", data=body, headers={"Origin": browser.origin, "Content-Type": media_type}
        )

        assert answer.status in (200, 413, 415)
        assert browser.kiosk.stage.visit.place == AtHome()


# --- who may act ---


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example"},
        {"Host": "kiosk.evil.example:8420"},
    ],
)
async def test_other_pages_cannot_act(tmp_path: Path, headers: dict[str, str]) -> None:
    async with page(tmp_path) as browser:
        answer = await browser.act("open", "money", headers=headers)

        assert (answer.status, browser.kiosk.stage.visit.place) == (403, AtHome())


async def test_other_names_of_this_machine_cannot_even_read(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        answer = await browser.client.get("/", headers={"Host": "rebound.example"})

        assert (answer.status, await answer.read()) == (403, b"")


async def test_every_answer_carries_the_policy(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        for path in ("/", "/profile.css", "/status", "/nowhere", "/static/../main.py"):
            answer = await browser.client.get(path)

            assert HEADERS.items() <= dict(answer.headers).items(), path
            assert "Server" not in answer.headers, path


async def test_pages_are_kept_by_nobody(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        answer = await browser.client.get("/")

        assert answer.headers["Cache-Control"] == "no-store"


async def test_files_outside_static_are_not_served(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        found = await browser.client.get("/static/kiosk.js")
        odd = ("/static/%00", "/static/" + "a" * 4000)
        for path in (
            "/static/..%2fhandlers.py",
            "/static/%2e%2e/%2e%2e/main.py",
            "/static/",
            *odd,
        ):
            assert (await browser.client.get(path)).status == 404, path

        assert found.status == 200


# --- attachments ---


async def at_question(browser: Page, service: str, question: str) -> None:
    await browser.act("service", service)
    for _ in range(40):
        place = browser.kiosk.stage.visit.place
        if isinstance(place, Asking) and place.question == question:
            return
        if isinstance(place, Asking):
            asked = catalogue().service(service).question(place.question)
            await browser.act("answer", answer_to(asked, FITTING), asked.id)
        else:
            await browser.act("continue")


async def test_photo_is_held_in_memory_for_its_question(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        await at_question(browser, "pension_auth", "face_photo")

        answer = await browser.attach(JPEG, "image/jpeg")

        draft = browser.kiosk.stage.visit.draft
        assert answer.status == 204
        assert draft is not None
        assert draft.held == {"face_photo": 1}


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (JPEG, "image/png", 415),
        (JPEG, "text/html", 415),
        (b"<html>", "image/jpeg", 415),
        (DRAWING, "image/svg+xml", 415),
        (b"", "image/jpeg", 415),
        (JPEG + bytes(ATTACHMENT_BYTES_MAX), "image/jpeg", 413),
    ],
)
async def test_photo_question_takes_photos_only(
    tmp_path: Path, content: bytes, media_type: str, status: int
) -> None:
    async with page(tmp_path) as browser:
        await at_question(browser, "pension_auth", "face_photo")

        answer = await browser.attach(content, media_type)

        assert answer.status == status
        assert browser.kiosk.parts.drafts.is_empty


async def test_photo_for_another_screen_is_refused(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        answer = await browser.attach(JPEG, "image/jpeg", question="face_photo")

        assert answer.status == 409
        assert browser.kiosk.parts.drafts.is_empty


async def test_photo_again_at_its_place_replaces(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        await at_question(browser, "pension_auth", "face_photo")

        await browser.attach(JPEG, "image/jpeg")
        await browser.attach(JPEG + b" second", "image/jpeg")
        gap = await browser.attach(JPEG, "image/jpeg", index="5")

        draft = browser.kiosk.stage.visit.draft
        assert draft is not None
        assert draft.held == {"face_photo": 1}
        assert gap.status == 415


async def test_leaving_forgets_photos_and_spoken_words(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        await at_question(browser, "pension_auth", "face_photo")
        await browser.attach(JPEG, "image/jpeg")
        token = await live_token(browser)
        assert (await browser.client.get(token)).status == 200

        await browser.act("home")
        await browser.act("leave_yes")

        assert browser.kiosk.parts.drafts.is_empty
        assert (await browser.client.get(token)).status == 404


# --- voice ---


async def live_token(browser: Page) -> str:
    html = await (await browser.client.get("/")).text()
    found = re.search(r"/voice/live/[0-9a-f]{32}", html)
    assert found is not None
    return found[0]


async def test_spoken_piece_is_kept_by_nobody(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        answer = await browser.client.get(await live_token(browser))

        assert (answer.status, answer.content_type) == (200, "audio/wav")
        assert answer.headers["Cache-Control"] == "no-store"


async def test_unknown_sounds_are_not_there(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        for path in ("/voice/live/" + "0" * 32, "/voice/" + "0" * 64, "/voice/..%2f..%2fetc"):
            assert (await browser.client.get(path)).status == 404, path


# --- faults ---


async def test_fault_of_ours_is_told_in_the_residents_words(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        await browser.act("language", "en")
        # A catalogue that was damaged under a running visit: its services are gone.
        await browser.act("service", "suggestion")
        browser.kiosk.stage._loaded = None

        answer = await browser.act("answer", "road", "topic")

        html = await answer.text()
        assert browser.kiosk.stage.visit.place == AtFault("500")
        assert "This machine needs a rest" in html
        assert "Traceback" not in html
        assert "KeyError" not in html


async def test_kiosk_without_services_says_so(tmp_path: Path) -> None:
    async with page(tmp_path, has_catalogue=False) as browser:
        answer = await browser.client.get("/")

        assert answer.status == 200
        assert "这台机子还没有装好" in await answer.text()


# --- for installers ---


async def test_status_tells_the_backlog_and_nothing_personal(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        await fill(browser, "suggestion")
        await hand_in(browser)

        answer = await (await browser.client.get("/status")).json()

        assert answer == {
            "kiosk_no": 42,
            "name": "试验村便民服务站",
            "waiting": 1,
            "oldest_ms": 1_795_500_000_000,
            "attachments": 1,
            "refused": 0,
            "catalogue": 1,
            "is_reachable": False,
            "last_ok_ms": None,
            "last_error": "",
            "clock_skew_ms": 0,
            "must_reenrol": False,
            "is_revoked": False,
            "voice_missing": 0,
            "has_room": True,
            "unmet": {},
        }


async def test_programs_of_this_machine_may_ask_to_send(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        assert (await browser.client.post("/send")).status == 204
        assert (await browser.client.get("/healthz")).status == 200


async def test_typing_keeps_the_visit(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        await browser.act("service", "suggestion")
        await browser.act("answer", "road", "topic")
        visit = browser.kiosk.stage.visit

        for _ in range(9):
            browser.kiosk.clock.pass_ms(200_000)
            await browser.client.post(f"/alive?visit={visit.id}")
            await browser.kiosk.stage.expire()

        assert browser.kiosk.stage.visit == visit


async def test_body_that_cannot_be_read_leaves_the_screen_alone(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        before = browser.kiosk.stage.visit
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Encoding": "gzip",
            "Origin": browser.origin,
        }

        found = await browser.client.post("/act", data=b"not packed at all", headers=headers)

        assert found.status == 400
        assert browser.kiosk.stage.visit == before
