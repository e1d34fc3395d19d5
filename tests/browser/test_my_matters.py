"""My matters at a real kiosk and centre: see who looked, withdraw, hear that it has ended."""

import asyncio

import pytest
from aiohttp import ClientSession
from playwright.async_api import Page, expect

from bianmin.accounts import ensure_accounts
from bianmin.village import Village
from sync.records import Attachment, Transaction
from tests.generator import shipped_catalogue, shipped_villages, transactions
from tests.integration.delivery import local_today, settled, until
from tests.village import PATIENCE_S, centre_rows
from tests.visitor import Screen, Visitor

pytestmark = [pytest.mark.deep, pytest.mark.timeout(300)]

SERVICE = "proof_letter"


def somebody() -> tuple[Transaction, tuple[Attachment, ...]]:
    """Made-up answers of somebody who gave an ID number and a telephone."""
    drawn = transactions(
        shipped_catalogue(), 11, today=local_today(), villages=shipped_villages(), service=SERVICE
    )
    return next(
        (said, tuple(files)) for said, files in drawn if len(said.answers.get("phone", "")) == 11
    )


async def looked_up(visitor: Visitor, answers: dict[str, str]) -> Screen:
    """Find one's matters by ID number and the telephone's last digits."""
    await visitor.touch("matters")
    asked = {
        "find_by": "id",
        "id_number": answers["id_number"],
        "phone_tail": answers["phone"][-4:],
    }
    while visitor.screen.kind == "question":
        question = visitor.screen.body["question"]
        await visitor.touch("answer", asked[question], question)
    return visitor.screen


async def told(village: Village, answers: dict[str, str], words: str, action: str) -> Screen:
    """What the kiosk says of the matter once the centre's words have come."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + PATIENCE_S
    async with ClientSession() as session:
        while True:
            visitor = await Visitor.arrive(session, village.kiosk_url)
            seen = await looked_up(visitor, answers)
            if action:
                seen = await visitor.touch(action, centre_number(village))
            if words in seen.text or loop.time() > deadline_s:
                return seen
            await asyncio.sleep(0.3)


def centre_number(village: Village) -> str:
    return str(centre_rows(village, "SELECT case_no FROM cases")[0][0])


def states(village: Village) -> list[object]:
    return [row[0] for row in centre_rows(village, "SELECT state FROM cases")]


async def test_resident_sees_who_looked_and_withdraws(village: Village, page: Page) -> None:
    await settled(village)
    clerk = next(one for one in await ensure_accounts(village) if one.role == "clerk")
    said, files = somebody()
    answers = dict(said.answers)
    service = shipped_catalogue().service(SERVICE)
    async with ClientSession() as session:
        visitor = await Visitor.arrive(session, village.kiosk_url)
        case_no = await visitor.apply(service, said.answers, files)
    await until(lambda: states(village) == ["received"], "the case")

    await page.set_viewport_size({"width": 1280, "height": 900})
    await page.goto(f"{village.centre_url}/login")
    await page.fill("input[name=name]", clerk.name)
    await page.fill("input[name=password]", clerk.password)
    await page.locator("input[name=password]").press("Enter")
    await page.wait_for_url(f"{village.centre_url}{clerk.path}")
    await page.goto(f"{village.centre_url}/desk/{case_no}")
    await page.select_option("select[name=purpose]", value="call")
    await page.locator("form.reveal button.go").click()
    await expect(page.get_by_text(answers["name"]).first).to_be_visible()

    await village.set_link(is_whole=True)
    looks = await told(village, answers, "联系居民核实", "looks")
    assert "联系居民核实" in looks.text

    async with ClientSession() as session:
        visitor = await Visitor.arrive(session, village.kiosk_url)
        await looked_up(visitor, answers)
        await visitor.touch("withdraw", case_no)
        seen = await visitor.touch("withdraw_yes")
        assert "撤回已收好" in seen.text
    await until(lambda: states(village) == ["withdrawn"], "withdrawn")

    await village.set_link(is_whole=True)
    assert (
        "这件事已经撤回，不再办了。"
        in (await told(village, answers, "这件事已经撤回，不再办了。", "")).text
    )
    await page.goto(f"{village.centre_url}/desk/{case_no}")
    await expect(page.get_by_text("居民撤回了")).to_be_visible()
    assert await page.locator("details.complete").count() == 0
