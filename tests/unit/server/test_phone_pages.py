"""What a resident's phone shows: delivered, how far, and plain words when a code is damaged."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from server import keys
from server.phone.pages import Step, steps
from server.store import cases, fleet
from server.store.rows import CaseEvent, Decision
from sync.ids import case_number, spaced
from sync.limits import COURIER_PER_MINUTE, STATUS_PER_MINUTE
from sync.wire import courier_url
from tests.unit.server.staffed import PATIENCE_S, Browser, Staffed, staffed
from tests.unit.server.world import HELPER_REQUEST, NOW_MS, Kiosk

BASE = "HTTPS://CENTRE.EXAMPLE"
DAY_MS = 86_400_000
PAGE_BYTES_MAX = 60_000


@pytest.fixture(scope="module")
async def centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Staffed]:
    async with staffed(tmp_path_factory.mktemp("phone") / "c") as centre:
        yield centre


@pytest.fixture
def kiosk(centre: Staffed) -> Kiosk:
    return centre.world.enrol()


@pytest.fixture
async def phone(centre: Staffed) -> Browser:
    """A phone whose network has its whole allowance."""
    centre.clock.ms += 120_000
    return centre.browser()


def slip(centre: Staffed, kiosk: Kiosk) -> str:
    """The path that a slip's code leads to."""
    envelope = kiosk.confirm(centre.published, HELPER_REQUEST)
    return courier_url(BASE, kiosk.courier(envelope)).removeprefix(BASE)


async def test_scanned_slip_is_delivered_and_becomes_a_case(
    centre: Staffed, kiosk: Kiosk, phone: Browser
) -> None:
    path = slip(centre, kiosk)

    async with asyncio.timeout(PATIENCE_S):
        status, first = await centre.during("cases", phone.get(path))
    _, again = await phone.get(path)

    assert status == 200
    assert "已送到" in first
    assert "Delivered" in first
    assert spaced(kiosk.case_no) in first
    assert "中心收到了，等着受理" in again
    assert "2026年11月25日 周三" in again
    assert HELPER_REQUEST["name"] not in first + again


async def test_phone_page_is_small_and_needs_no_script(
    centre: Staffed, kiosk: Kiosk, phone: Browser
) -> None:
    _, text = await phone.get(slip(centre, kiosk))

    size_bytes = len(text.encode())
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', text):
        size_bytes += len((await phone.get(address))[1].encode())
    assert "<script" not in text
    assert size_bytes < PAGE_BYTES_MAX


async def test_slip_page_tells_no_other_site_its_address(
    centre: Staffed, kiosk: Kiosk, phone: Browser
) -> None:
    async with phone.session.get(phone.base + slip(centre, kiosk)) as answer:
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert answer.headers["Cache-Control"] == "no-store"


async def test_address_in_small_letters_delivers_too(
    centre: Staffed, kiosk: Kiosk, phone: Browser
) -> None:
    status, text = await phone.get(slip(centre, kiosk).replace("/C/", "/c/"))

    assert (status, "已送到" in text) == (200, True)


@pytest.mark.parametrize("digits", ["", "123", "x", "9" * 700, "12/34", "%00"])
async def test_damaged_code_is_told_in_plain_words(phone: Browser, digits: str) -> None:
    status, text = await phone.get(f"/C/{digits}")

    assert (status, "码坏了，请再扫一次小票" in text) == (400, True)
    assert "The code is damaged" in text


async def test_code_with_one_wrong_digit_is_damaged(
    centre: Staffed, kiosk: Kiosk, phone: Browser
) -> None:
    path = slip(centre, kiosk)
    wrong = path[:-1] + str((int(path[-1]) + 1) % 10)

    status, text = await phone.get(wrong)

    assert (status, "码坏了" in text) == (400, True)


async def test_slip_of_another_county_is_told(
    centre: Staffed, phone: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with staffed(tmp_path_factory.mktemp("far") / "c", seed=1000) as far:
        path = slip(far, far.world.enrol())

    status, text = await phone.get(path)

    assert (status, "这张小票不是这里的" in text) == (404, True)


async def test_flood_of_scans_is_slowed_down_kindly(phone: Browser) -> None:
    for _ in range(COURIER_PER_MINUTE):
        await phone.get("/C/1")

    status, text = await phone.get("/C/1")

    assert (status, "扫的人太多了" in text) == (429, True)


async def test_progress_is_told_without_service_reason_or_clerk(
    centre: Staffed, kiosk: Kiosk, phone: Browser
) -> None:
    case_no = await centre.confirm(kiosk)
    for decision in (
        Decision("correct", "fix_phone", "请留能打通的号。", ("phone",)),
        Decision("accept"),
    ):
        centre.clock.ms += DAY_MS
        await centre.app[keys.STORE].write(
            cases.decide, case_no, decision, actor="limin", now_ms=centre.clock.ms
        )

    status, text = await phone.get(f"/r/{case_no}")

    assert status == 200
    assert "正在办" in text
    order = [text.index(words) for words in ("中心收到<", "请您补材料<", "受理<")]
    assert order == sorted(order)
    for secret in ("帮忙", "helper", "limin", "电话打不通", "请留能打通", "王秀英", "10:00"):
        assert secret not in text


async def test_number_that_has_not_arrived_says_how_to_hurry_it(
    kiosk: Kiosk, phone: Browser
) -> None:
    status, text = await phone.get(f"/r/{case_number(1, 999)}")

    assert (status, "这个号还没到中心" in text) == (404, True)


@pytest.mark.parametrize("number", ["000100000115", "123", "abc", "0001000001145"])
async def test_number_with_wrong_check_digits_is_not_looked_up(phone: Browser, number: str) -> None:
    status, text = await phone.get(f"/r/{number}")

    assert (status, "这个号不对" in text) == (404, True)


async def test_number_is_typed_as_it_is_printed(
    centre: Staffed, kiosk: Kiosk, phone: Browser
) -> None:
    case_no = await centre.confirm(kiosk)

    assert (await phone.get("/r"))[0] == 200
    assert await phone.where(f"/r?no={spaced(case_no).replace(' ', '+')}") == f"/r/{case_no}"
    assert (await phone.get("/r?no=12"))[0] == 422


async def test_walking_through_numbers_is_slow(phone: Browser) -> None:
    for _ in range(STATUS_PER_MINUTE):
        await phone.get("/r/000100000114")

    assert (await phone.get("/r/000100000114"))[0] == 429


async def test_revoked_kiosk_s_slip_is_still_taken(
    centre: Staffed, kiosk: Kiosk, phone: Browser
) -> None:
    path = slip(centre, kiosk)
    await centre.app[keys.STORE].write(fleet.revoke, kiosk.keys.kiosk_id.hex())

    status, text = await phone.get(path)

    assert (status, "已送到" in text) == (200, True)


def test_timeline_keeps_days_and_drops_what_is_nobody_s_business() -> None:
    history = [
        CaseEvent(NOW_MS, "centre", "received", ""),
        CaseEvent(NOW_MS, "limin", "correct", "fix_phone phone"),
        CaseEvent(NOW_MS + DAY_MS, "resident", "rated", "1"),
        CaseEvent(NOW_MS + DAY_MS, "limin", "complete", ""),
    ]

    assert steps(history) == (
        Step("received", "2026-11-24"),
        Step("correct", "2026-11-24"),
        Step("complete", "2026-11-25"),
    )
