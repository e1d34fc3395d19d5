"""A helper at a real kiosk, by touch: two people one after the other, each saying their own yes."""

from pathlib import Path

import pytest
from playwright.async_api import Page

from bianmin.village import Village
from kiosk.assisted.roster import Roster
from sync.clock import SystemClock, SystemEntropy
from tests.browser.stage import LANDSCAPE
from tests.browser.visitor import Resident
from tests.integration.delivery import settled, until
from tests.village import centre_rows, status

pytestmark = [pytest.mark.deep, pytest.mark.timeout(300)]

PICTURES = Path(__file__).parents[2] / ".build" / "helper"
SERVICE = "helper_request"
WANG = {"name": "王秀兰", "phone": "13800001234"}
LI = {"name": "李国华", "phone": "13987654321"}
REST = {
    "consent": "OK",
    "need": "phone",
    "come_to_home": "no",
    "when_free": "morning",
    "say": "",
}


async def answers(village: Village, who: dict[str, str], resident: Resident) -> dict[str, str]:
    """What is touched for one person; the kiosk's own village stands first."""
    rows = centre_rows(village, "SELECT village_code FROM kiosks")
    return {**REST, **who, "village_code": str(rows[0][0])}


async def agrees(resident: Resident) -> str:
    """The resident hears the whole, touches I agree, and has the number of the receipt."""
    await resident.submit()
    assert resident.now.kind == "agree"
    await resident.picture()
    await resident.go("[data-action=agree]")
    assert resident.now.kind == "receipt"
    await resident.picture()
    shown = await resident.page.inner_text("#receipt-no dd")
    return "".join(filter(str.isdigit, shown))


async def test_helper_serves_two_people_and_each_says_their_own_yes(
    village: Village, page: Page
) -> None:
    await settled(village)
    kiosk_dir = village.directory / "kiosk"
    account, pin = Roster(kiosk_dir).add("张婷", "12", SystemClock().now_ms(), SystemEntropy())
    resident = Resident(page, village.kiosk_url, "zh-CN", LANDSCAPE.px_per_mm, PICTURES)
    await resident.arrive()

    # Signing in, with one typing error.
    await resident.go("#helper")
    await resident.go("[data-action=sign_in]")
    await resident.answer(account.number)
    await resident.keys("000000" if pin != "000000" else "111111")
    await resident.go("#next")
    assert resident.now.error == "号码或密码不对，请再输一遍"
    await resident.answer(account.number)
    await resident.keys(pin)
    typed = await page.inner_text("#typed")
    await resident.go("#next")
    assert resident.now.kind == "home"
    assert typed.strip() == "●" * 6
    assert "帮办12号" in await page.inner_text(".band")

    # Two more have come and wait.
    await resident.go("#helper")
    await resident.go("[data-action=helper_line]")
    await resident.go("[data-action=help_close]")

    await resident.go("[data-action=more]")
    while not await resident.is_there('[data-action=open][data-value="service"]'):
        await resident.go("[data-action=more]")
    await resident.go('[data-action=open][data-value="service"]')
    await resident.go(f'[data-action=service][data-value="{SERVICE}"]')
    await resident.fill(await answers(village, WANG, resident))
    first = await agrees(resident)

    # One touch, and the next person is asked everything.
    await resident.go("#skip")
    assert resident.now.kind in ("question", "materials")
    before = len(resident.seen)
    await resident.fill(await answers(village, LI, resident))
    hers = [seen for seen in resident.seen[before:] if WANG["name"] in " ".join(seen.words)]
    assert hers == []
    second = await agrees(resident)

    # The day's list has both numbers and neither name.
    await resident.go("#next")
    await resident.picture()
    await resident.go("[data-action=helper_next]")
    await resident.go("#helper")
    await resident.go("[data-action=helper_day]")
    words = " ".join(resident.now.words)
    await resident.picture()
    for number in (first, second):
        assert f"{number[:4]} {number[4:8]} {number[8:]}" in words
    assert WANG["name"] not in words
    assert LI["name"] not in words

    # Who helped, and that each of them agreed, stands at the centre.
    await until(
        lambda: (
            centre_rows(
                village,
                "SELECT case_no, action, detail FROM case_events WHERE action LIKE 'assisted%'"
                " ORDER BY case_no",
            )
            == [(number, "assisted_touch", "12") for number in sorted((first, second))]
        ),
        "both cases with their helper",
    )
    assert (await status(village))["waiting"] == 0

    # And the helper goes.
    await resident.go("#home")
    await resident.go("#helper")
    await resident.go("[data-action=helper_done]")
    assert await page.locator(".band").count() == 0
    faults = [f"{seen.name}: {fault}" for seen in resident.seen for fault in seen.faults]
    assert faults == []


async def test_lesson_is_practised_and_nothing_of_it_is_stored(
    village: Village, page: Page
) -> None:
    account, pin = Roster(village.directory / "kiosk").add(
        "李明", "", SystemClock().now_ms(), SystemEntropy()
    )
    envelopes = centre_rows(village, "SELECT count(*) FROM envelopes")
    resident = Resident(page, village.kiosk_url, "zh-CN", LANDSCAPE.px_per_mm, PICTURES / "lesson")
    await resident.arrive()
    await resident.go("#helper")
    await resident.go("[data-action=sign_in]")
    await resident.answer(account.number)
    await resident.keys(pin)
    await resident.go("#next")

    await resident.go("#helper")
    await resident.go("[data-action=lessons]")
    await resident.go('[data-value="correction"]')
    await resident.picture()
    await resident.go("#next")
    await resident.go('.tile[data-value="slip"]')
    await resident.go('[data-action=offer_take][data-value="0"]')
    assert resident.now.kind == "matter"
    await resident.go("#next")
    await resident.go('[data-action=offer_take][data-value="0"]')
    await resident.submit()
    await resident.go("[data-action=agree]")

    await resident.picture()
    assert "这是练习，没有交上去，也没有号码。" in resident.now.words
    assert (await status(village))["waiting"] == 0
    assert centre_rows(village, "SELECT count(*) FROM envelopes") == envelopes
    await resident.go("[data-action=home]")
    await resident.go("#helper")
    await resident.go("[data-action=helper_done]")
