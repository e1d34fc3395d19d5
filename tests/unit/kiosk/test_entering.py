"""Names by finger and what the kiosk says of an answer, over HTTP and to the sealed transaction."""

import json
import sys
from pathlib import Path

import msgspec
import pytest

from kiosk.entry.reader import HandReader
from kiosk.events import Attached, Discard
from kiosk.places import Asking, Checking
from kiosk.views.echoing import Echo, Wish, echo
from kiosk.views.frame import Frame
from server.vault.routing import attachments_announced
from sync import evaluation
from sync.answers import decode_transaction, encode_transaction
from sync.handwriting import HAND_MARK, attachments_of, is_to_be_read
from sync.limits import ECHO_BYTES_MAX, INK_BYTES_MAX
from sync.records import Transaction
from tests.unit.kiosk.parts import FITTING, OLD_ID, TODAY, Visitor, answer_to, catalogue, wordings
from tests.unit.kiosk.stations import dictionary
from tests.unit.kiosk.test_handlers import DRAWING, JPEG, Page, page

SENIOR = catalogue().service("senior_allowance")
DRAWN = f"王{HAND_MARK}兰"
STROKES = [[[200, 250], [800, 250]], [[500, 250], [500, 850]]]


# --- the agreed value of a drawn name ---


def test_drawn_name_stands_as_a_name_and_comes_back_from_the_wire() -> None:
    name = SENIOR.question("name")
    assert is_to_be_read(name, DRAWN)
    assert not is_to_be_read(name, "王秀兰")
    assert evaluation.problem_of(catalogue(), SENIOR, name, DRAWN, {}, TODAY) is None
    said = Transaction(b"0123456789abcdef", SENIOR.id, "zh-CN", {"name": DRAWN})

    raw = encode_transaction(catalogue(), dictionary(), said)

    assert decode_transaction(catalogue(), dictionary(), raw) == said


def test_drawings_come_behind_all_photos_for_kiosk_and_centre_alike() -> None:
    answers = {"agent_name": HAND_MARK, "name": DRAWN, "hukou_photo": "2", "signature": "1"}
    order = ["hukou_photo", "hukou_photo", "signature", "agent_name", "name"]

    assert [q.id for q in attachments_of(SENIOR, answers)] == order
    assert [q.id for q in attachments_announced(SENIOR, answers)] == order


def test_name_by_letters_announces_nothing() -> None:
    assert attachments_of(SENIOR, {"name": "王秀兰", "hukou_photo": "x", "signature": "²"}) == ()


def test_drawn_name_without_its_drawing_is_asked_for_again() -> None:
    visitor = Visitor().do("service", "senior_allowance").do("continue")
    while visitor.visit.place != Asking("name"):
        visitor.answer_one(FITTING)

    visitor.do("answer", DRAWN, "name")

    assert visitor.visit.place == Asking("name", error="ink_missing", tries=1)


# --- over HTTP ---


async def at_name(browser: Page) -> None:
    """Answer until the applicant's name is asked for."""
    await browser.act("service", "senior_allowance")
    await browser.act("continue")
    for _ in range(20):
        place = browser.kiosk.stage.visit.place
        assert isinstance(place, Asking)
        if place.question == "name":
            return
        await browser.act(
            "answer", answer_to(SENIOR.question(place.question), FITTING), place.question
        )
    raise AssertionError("the name is not asked for")


async def write(browser: Page, raw: bytes, visit: str = "") -> tuple[int, object]:
    visit = visit or browser.kiosk.stage.visit.id
    answer = await browser.client.post(
        f"/handwriting?visit={visit}", data=raw, headers={"Origin": browser.origin}
    )
    return answer.status, await answer.json()


def reading(browser: Page) -> HandReader:
    """Let the kiosk read by a stand-in that knows one character."""
    script = (
        "import sys\nprint('{}', flush=True)\n"
        'for line in sys.stdin: print(\'{"candidates":["王"]}\', flush=True)'
    )
    hand = HandReader(is_there=lambda: True, command=(sys.executable, "-c", script))
    object.__setattr__(browser.kiosk.parts, "hand", hand)
    return hand


async def test_drawing_is_read_and_the_reader_is_gone_after_the_visit(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        hand = reading(browser)
        await at_name(browser)
        assert b'id="way-hand"' in await (await browser.client.get("/")).read()

        status, told = await write(browser, json.dumps({"strokes": STROKES}).encode())
        assert (status, told) == (200, {"candidates": ["王"]})
        assert hand.pid is not None

        await browser.act("home")
        await browser.act("leave_yes")
        assert hand.pid is None


async def test_kiosk_without_a_reader_offers_keys_alone_and_says_503(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        hand = HandReader(is_there=lambda: False)
        object.__setattr__(browser.kiosk.parts, "hand", hand)
        await at_name(browser)

        assert b'id="way-hand"' not in await (await browser.client.get("/")).read()
        told = await write(browser, json.dumps({"strokes": STROKES}).encode())
        assert told == (503, {"code": "503.40"})


async def test_only_the_present_visit_may_ask_and_only_within_bounds(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        reading(browser)
        await at_name(browser)
        drawing = json.dumps({"strokes": STROKES}).encode()

        assert (await write(browser, drawing, visit="another"))[0] == 409
        assert (await write(browser, b" " * (INK_BYTES_MAX + 1)))[0] == 422
        assert (await write(browser, b"[]"))[0] == 422


async def test_drawn_name_is_sealed_with_the_answers(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        await at_name(browser)
        assert (await browser.attach(JPEG, "image/jpeg")).status == 415
        assert (await browser.attach(DRAWING, "image/svg+xml")).status == 204
        await browser.act("answer", DRAWN, "name")
        while isinstance(place := browser.kiosk.stage.visit.place, Asking):
            question = SENIOR.question(place.question)
            if question.type == "photo":
                await browser.attach(JPEG, "image/jpeg")
            if question.type == "signature":
                await browser.attach(DRAWING, "image/svg+xml")
            await browser.act("answer", answer_to(question, FITTING), question.id)
        assert isinstance(browser.kiosk.stage.visit.place, Checking)
        draft = browser.kiosk.stage.visit.draft
        assert draft is not None

        said = Transaction(draft.transaction_id, SENIOR.id, "zh-CN", dict(draft.answers))
        kept = browser.kiosk.parts.drafts.attachments(said, SENIOR)
        assert (kept[-1].question, kept[-1].index, kept[-1].content) == (
            "name",
            len(kept) - 1,
            DRAWING,
        )
        assert [one.question for one in kept].count("name") == 1


async def ask(
    browser: Page, question: str, value: str, *, is_read: bool = False
) -> tuple[int, bytes]:
    raw = msgspec.json.encode({"question": question, "value": value, "is_read": is_read})
    answer = await browser.client.post(
        f"/echo?visit={browser.kiosk.stage.visit.id}", data=raw, headers={"Origin": browser.origin}
    )
    return answer.status, await answer.read()


async def test_whole_id_number_tells_its_bearer_and_is_said(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        await browser.act("service", "senior_allowance")
        await browser.act("continue")
        while browser.kiosk.stage.visit.place != Asking("id_number"):
            place = browser.kiosk.stage.visit.place
            assert isinstance(place, Asking)
            await browser.act(
                "answer", answer_to(SENIOR.question(place.question), FITTING), place.question
            )

        status, raw = await ask(browser, "id_number", OLD_ID)
        told = json.loads(raw)

        assert (status, told["lines"], told["is_wrong"]) == (
            200,
            ["1946年11月24日生", "男", "80岁"],
            False,
        )
        assert {clip["highlight"] for clip in told["say"]} == {"echo"}
        assert (await ask(browser, "name", "王"))[0] == 409
        assert (await ask(browser, "id_number", "1" * ECHO_BYTES_MAX))[0] == 422


async def test_echo_of_nonsense_is_refused_without_a_fault_screen(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        await at_name(browser)
        place = browser.kiosk.stage.visit.place
        for raw in (b"", b"{}", b"\xff", b'{"question":1,"value":"x"}'):
            answer = await browser.client.post(
                f"/echo?visit={browser.kiosk.stage.visit.id}",
                data=raw,
                headers={"Origin": browser.origin},
            )
            assert answer.status == 400

        assert browser.kiosk.stage.visit.place == place


# --- what an answer says ---


def told(service: str, question: str, value: str, wish: Wish, language: str = "zh-CN") -> Echo:
    visitor = Visitor(language).do("service", service)
    frame = Frame(visitor.visit, visitor.world, wordings()[language])
    return echo(frame, visitor.draft, catalogue().service(service).question(question), value, wish)


def test_unfinished_id_number_says_nothing_and_a_wrong_one_says_so() -> None:
    assert told("senior_allowance", "id_number", OLD_ID[:17], "look") == Echo()
    wrong = told("senior_allowance", "id_number", OLD_ID[:17] + "9", "look")

    assert wrong.is_wrong
    assert wrong.lines == (wordings()["zh-CN"].screen("error.id_number"),)
    assert wrong.say


def test_number_is_read_aloud_only_when_asked_for() -> None:
    assert told("senior_allowance", "phone", "13800001234", "look").say == ()
    (said,) = told("senior_allowance", "phone", "13800001234", "read").say

    assert (said.template, said.slots["value"].kind) == ("{value}", "phone")


@pytest.mark.parametrize(
    ("language", "lines"), [("zh-CN", ("大写：壹仟贰佰元伍角整",)), ("en", ())]
)
def test_sum_of_money_stands_in_capitals_where_they_are_known(
    language: str, lines: tuple[str, ...]
) -> None:
    looked = told("social_assistance", "monthly_income", "1200.5", "look", language)
    read = told("social_assistance", "monthly_income", "1200.5", "read", language)

    assert (looked.lines, looked.say) == (lines, ())
    assert read.say[0].slots["value"].kind == "money"


def test_sum_of_land_is_no_money() -> None:
    assert told("farmland_subsidy", "area_mu", "2.5", "look").lines == ()
    assert told("farmland_subsidy", "area_mu", "2.5", "read").say[0].slots["value"].kind == "number"


def test_day_tells_its_lunar_day_on_request() -> None:
    read = told("newborn", "baby_birth_date", "2026-02-17", "read")

    assert read.lines == ("农历丙午年（马年）正月初一",)
    assert read.say[0].slots["date"].value == "马年正月初一"
    assert told("newborn", "baby_birth_date", "1899-01-01", "read").lines == (
        wordings()["zh-CN"].screen("echo.no_lunar"),
    )
    assert told("newborn", "baby_birth_date", "", "read") == Echo()


# --- what was taken before ---


async def test_photo_is_shown_again_only_on_its_own_screen(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        await browser.act("service", "suggestion")
        while browser.kiosk.stage.visit.place != Asking("pic"):
            place = browser.kiosk.stage.visit.place
            assert isinstance(place, Asking)
            question = catalogue().service("suggestion").question(place.question)
            await browser.act("answer", answer_to(question, FITTING), question.id)
        await browser.attach(JPEG, "image/jpeg")
        visit = browser.kiosk.stage.visit.id

        async def look(query: str) -> tuple[int, str, bytes]:
            answer = await browser.client.get(f"/attachment?{query}")
            return answer.status, answer.content_type, await answer.read()

        seen = await look(f"visit={visit}&question=pic&index=0")
        assert seen == (200, "image/jpeg", JPEG)
        assert (await look(f"visit={visit}&question=pic&index=1"))[0] == 404
        assert (await look(f"visit={visit}&question=pic&index=x"))[0] == 404
        assert (await look(f"visit={visit}&question=name&index=0"))[0] == 409
        assert (await look("visit=another&question=pic&index=0"))[0] == 409

        await browser.act("answer", "1", "pic")
        assert (await look(f"visit={visit}&question=pic&index=0"))[0] == 409


def test_skipping_what_was_taken_is_asked_about_once() -> None:
    visitor = Visitor().do("service", "suggestion")
    while visitor.visit.place != Asking("pic"):
        visitor.answer_one(FITTING)
    visitor.give(Attached("pic", 2))

    visitor.do("skip", "", "pic")
    assert isinstance(visitor.visit.place, Asking)
    assert (visitor.visit.place.question, visitor.visit.place.error) == ("pic", "skip_loses")
    assert visitor.draft.held == {"pic": 2}
    assert list(visitor.effects) == []

    visitor.do("skip", "", "pic")
    assert visitor.draft.held == {}
    assert visitor.effects[0] == Discard("pic")
    assert visitor.visit.place != Asking("pic")


def test_skipping_nothing_is_not_asked_about() -> None:
    visitor = Visitor().do("service", "suggestion")
    while visitor.visit.place != Asking("pic"):
        visitor.answer_one(FITTING)

    visitor.do("skip", "", "pic")

    assert "pic" in visitor.draft.skipped
