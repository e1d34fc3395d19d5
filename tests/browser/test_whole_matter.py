"""One matter from the first touch to the answer, through every part, as people do it.

The resident applies while the link is cut; the link comes back; the clerk signs in, looks under
a purpose, takes the case and completes it; the resident hears of it at the kiosk; the auditor
sees who looked.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession
from playwright.async_api import Browser, Page, expect

from bianmin.accounts import Account, ensure_accounts
from bianmin.village import Village
from sync.records import Transaction
from tests.generator import shipped_catalogue, shipped_villages, transactions
from tests.integration.delivery import local_today, settled, until
from tests.village import PATIENCE_S, centre_rows, status
from tests.visitor import Visitor

pytestmark = pytest.mark.timeout(300)

SERVICE = "proof_letter"
DONE = "您的证明办好了"  # the catalogue's own words for a completed proof_letter


@pytest.fixture(scope="module")
async def accounts(village: Village) -> dict[str, Account]:
    await settled(village)
    return {account.role: account for account in await ensure_accounts(village)}


@pytest.fixture
async def desk(browser: Browser) -> AsyncIterator[Page]:
    """A staff member's own browser, in English."""
    context = await browser.new_context(
        viewport={"width": 1280, "height": 900}, locale="en-US", accept_downloads=False
    )
    yield await context.new_page()
    await context.close()


async def sign_in(page: Page, village: Village, account: Account) -> None:
    await page.goto(f"{village.centre_url}/login")
    await page.fill("input[name=name]", account.name)
    await page.fill("input[name=password]", account.password)
    await page.locator("input[name=password]").press("Enter")
    await page.wait_for_url(f"{village.centre_url}{account.path}")


async def apply_offline(village: Village) -> tuple[str, Transaction]:
    """Apply while the link is cut; answer the number on the slip and what was said."""
    catalogue = shipped_catalogue()
    transaction, attachments = next(
        transactions(
            catalogue, 11, today=local_today(), villages=shipped_villages(), service=SERVICE
        )
    )
    service = next(each for each in catalogue.services if each.id == SERVICE)
    village.link.cut()
    async with ClientSession() as session:
        visitor = await Visitor.arrive(session, village.kiosk_url)
        case_no = await visitor.apply(service, transaction.answers, attachments)
    assert (await status(village))["waiting"] == 1
    assert centre_rows(village, "SELECT * FROM envelopes") == []
    return case_no, transaction


async def test_matter_from_offline_visit_to_spoken_answer(
    village: Village, accounts: dict[str, Account], desk: Page
) -> None:
    case_no, transaction = await apply_offline(village)
    await village.set_link(is_whole=True)
    await until(lambda: centre_rows(village, "SELECT * FROM cases") != [], "the case")

    async with ClientSession() as session:
        visitor = await Visitor.arrive(session, village.kiosk_url)
        assert DONE not in (await visitor.look_up(case_no)).text

    await sign_in(desk, village, accounts["clerk"])
    await desk.goto(f"{village.centre_url}/desk/{case_no}")
    # A name that could be seen before it was asked for would make the purpose an ornament.
    name = transaction.answers["name"]
    assert name not in await desk.content()
    await desk.select_option("select[name=purpose]", index=1)
    await desk.locator("form.reveal button.go").click()
    await expect(desk.get_by_text(name)).to_be_visible()

    await desk.goto(f"{village.centre_url}/desk/{case_no}")
    await desk.locator("button[name=action][value=accept]").click()
    await until(lambda: states(village) == ["accepted"], "accepted")
    await desk.goto(f"{village.centre_url}/desk/{case_no}")
    await desk.locator("details.complete summary").click()
    await desk.locator("details.complete button.go").click()
    await desk.locator("button[name=confirmed]").click()
    await until(lambda: states(village) == ["completed"], "completed")

    await village.set_link(is_whole=True)
    told = await heard_at_the_kiosk(village, case_no)
    assert DONE in told

    await desk.context.clear_cookies()
    await sign_in(desk, village, accounts["auditor"])
    await expect(desk.get_by_text(accounts["clerk"].name).first).to_be_visible()


async def heard_at_the_kiosk(village: Village, case_no: str) -> str:
    """What the kiosk tells of the matter once the centre's last notice has come."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + PATIENCE_S
    async with ClientSession() as session:
        while True:
            visitor = await Visitor.arrive(session, village.kiosk_url)
            seen = await visitor.look_up(case_no)
            assert seen.kind == "matter", seen.text
            if DONE in seen.text or loop.time() > deadline_s:
                return seen.text
            await asyncio.sleep(0.2)


def states(village: Village) -> list[object]:
    return [row[0] for row in centre_rows(village, "SELECT state FROM cases")]
