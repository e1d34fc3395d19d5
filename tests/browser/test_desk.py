"""A clerk at the desk and an operator at the fleet, in Chromium, against the whole centre."""

import base64
import os
from collections.abc import AsyncIterator
from itertools import islice
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, ConsoleMessage, Error, Page, ViewportSize

from server import keys
from server.store import cases
from sync.records import Attachment
from tests.generator import transactions
from tests.unit.server.staffed import DEPARTMENT, PASSWORD, Staffed, staffed
from tests.unit.server.world import HELPER_REQUEST, Kiosk

WIDE: ViewportSize = {"width": 1280, "height": 860}
NARROW: ViewportSize = {"width": 390, "height": 844}
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
DAY_MS = 86_400_000
TARGETS = (
    "button, select, textarea, summary, .button, label.tick, nav a,"
    " input:not([type=hidden]):not([type=checkbox])"
)
#: Pictures are kept here when somebody wants to look at them.
SHOTS = os.environ.get("BIANMIN_SHOTS")


@pytest.fixture(scope="module")
async def centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Staffed]:
    async with staffed(tmp_path_factory.mktemp("desk") / "c") as centre:
        departments = (DEPARTMENT, "民政局", "人力资源和社会保障局", "农业农村局")
        await centre.account("limin", departments=departments, shown_name="李敏")
        await centre.account("zhouming", "operator", shown_name="周明")
        kiosk = centre.world.enrol("石门村便民点")
        centre.clock.ms -= 6 * DAY_MS
        made = (
            transaction
            for transaction, _ in transactions(centre.published.catalogue, seed=3)
            if not transaction.corrects and transaction.service not in ("rating", "progress_query")
        )
        for transaction in islice(made, 6):
            await centre.confirm(kiosk, transaction.answers, transaction.service)
        centre.clock.ms += 6 * DAY_MS
        yield centre


@pytest.fixture(scope="module")
def kiosk(centre: Staffed) -> Kiosk:
    return centre.world.enrol("大坪村便民点")


async def opened(browser: Browser, size: ViewportSize, *, has_script: bool = True) -> Page:
    context = await browser.new_context(
        viewport=size, locale="zh-CN", java_script_enabled=has_script
    )
    return await context.new_page()


def faults_of(page: Page) -> list[str]:
    """Script errors and whatever the content policy stopped, from now on."""
    faults: list[str] = []

    def note_error(error: Error) -> None:
        faults.append(str(error))

    def note_said(said: ConsoleMessage) -> None:
        if said.type == "error":
            faults.append(said.text)

    page.on("pageerror", note_error)
    page.on("console", note_said)
    return faults


async def sign_in(page: Page, centre: Staffed, name: str) -> None:
    await page.goto(f"{centre.base}/login")
    await page.get_by_label("用户名").fill(name)
    await page.get_by_label("密码").fill(PASSWORD)
    await page.get_by_role("button", name="登录").click()
    # Loaded whole: a key pressed before the page's script runs would be lost.
    await page.wait_for_url(lambda url: not url.endswith("/login"))


async def shot(page: Page, name: str) -> None:
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


async def picture(page: Page) -> bytes:
    """A real photograph as a kiosk would send it: drawn and coded by the browser."""
    await page.goto("about:blank")
    url = await page.evaluate(
        """() => {
            const canvas = document.createElement("canvas");
            canvas.width = 640; canvas.height = 400;
            const pen = canvas.getContext("2d");
            pen.fillStyle = "#dfe9e0"; pen.fillRect(0, 0, 640, 400);
            pen.fillStyle = "#0b5a43"; pen.fillRect(60, 60, 200, 260);
            pen.font = "40px sans-serif"; pen.fillText("0042", 320, 200);
            return canvas.toDataURL("image/jpeg", 0.7);
        }"""
    )
    return base64.b64decode(url.partition(",")[2])


async def is_wider_than_the_screen(page: Page) -> bool:
    wide: bool = await page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    return wide


async def small_targets(page: Page) -> list[str]:
    """Buttons, fields and links in a row of their own that a finger would miss."""
    found: list[str] = await page.evaluate(
        """(kinds) => [...document.querySelectorAll(kinds)]
            .filter((item) => item.offsetParent !== null)
            .filter((item) => item.getBoundingClientRect().height < 43.5)
            .map((item) => item.outerHTML.slice(0, 90))""",
        TARGETS,
    )
    return found


@SIZES
async def test_clerk_looks_for_a_purpose_asks_for_papers_and_completes(
    browser: Browser, centre: Staffed, kiosk: Kiosk, size: ViewportSize
) -> None:
    tag = "wide" if size is WIDE else "narrow"
    page = await opened(browser, size)
    faults = faults_of(page)
    photo = Attachment("say", 0, "image/jpeg", await picture(page))
    case_no = await centre.confirm(kiosk, {**HELPER_REQUEST, "say": "1"}, attachments=[photo])
    await sign_in(page, centre, "limin")
    await shot(page, f"desk-{tag}")
    assert not await is_wider_than_the_screen(page)
    assert await small_targets(page) == []

    await page.locator(f'a[href="/desk/{case_no}"]').click()
    await page.wait_for_url(f"**/desk/{case_no}")
    await shot(page, f"case-{tag}")
    assert "王秀英" not in await page.content()
    await page.get_by_label("为什么看").select_option(label="联系居民核实")
    await page.get_by_role("button", name="查看并记录").click()
    await page.get_by_text("已记入查看记录").wait_for()
    assert "王秀英" in await page.content()
    await page.locator("details.file summary").click()
    await page.locator("details.file button").click()
    image = page.frame_locator("details.file iframe").locator("img")
    await image.wait_for()
    assert await image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 640
    assert not await is_wider_than_the_screen(page)
    assert await small_targets(page) == []
    await shot(page, f"opened-{tag}")

    await page.keyboard.press("c")
    correct = page.locator("details.act.correct")
    await correct.get_by_label("联系电话").check()
    await correct.get_by_label("理由").select_option("fix_phone")
    await correct.get_by_label("还要对居民说的话").fill("请留白天能打通的号。")
    await shot(page, f"correct-{tag}")
    await correct.get_by_role("button", name="看一遍再发").click()
    await page.get_by_role("heading", name="请居民补材料？").wait_for()
    assert "请留白天能打通的号。" in await page.locator("blockquote").inner_text()
    await shot(page, f"confirm-{tag}")
    await page.get_by_role("button", name="发出").click()
    await page.get_by_text("已请居民补材料。").wait_for()

    await page.goto(f"{centre.base}/desk/{case_no}")
    await page.get_by_role("button", name="受理").click()
    await page.get_by_text("已受理。").wait_for()
    await page.goto(f"{centre.base}/desk/{case_no}")
    await page.keyboard.press("f")
    await page.locator("details.act.complete").get_by_role("button").click()
    await page.get_by_role("button", name="发出").click()
    await page.get_by_text("已办结，已告诉居民。").wait_for()

    steps = await centre.app[keys.STORE].read(cases.events, case_no)
    taken = [step.action for step in steps if step.actor == "limin"]
    entries = await centre.app[keys.VAULT].ledger(2, case_no=case_no)
    assert taken == ["correct", "accept", "complete"]
    assert [(entry.action, entry.purpose) for entry in entries] == [
        ("open_attachment", "联系居民核实"),
        ("open", "联系居民核实"),
    ]
    assert faults == []
    await page.context.close()


async def test_desk_works_without_script(browser: Browser, centre: Staffed, kiosk: Kiosk) -> None:
    case_no = await centre.confirm(kiosk)
    page = await opened(browser, WIDE, has_script=False)
    await sign_in(page, centre, "limin")

    await page.locator(f'a[href="/desk/{case_no}"]').click()
    await page.get_by_label("或者自己写").fill("核对电话号码")
    await page.get_by_role("button", name="查看并记录").click()
    await page.get_by_text("王秀英").wait_for()
    await page.locator("details.act.refuse summary").click()
    refuse = page.locator("details.act.refuse")
    await refuse.get_by_label("理由").select_option("no_duplicate")
    await refuse.get_by_role("button", name="看一遍再发").click()
    await page.get_by_role("button", name="回去改").click()
    assert await refuse.get_by_label("理由").input_value() == "no_duplicate"
    await refuse.get_by_role("button", name="看一遍再发").click()
    await page.get_by_role("button", name="发出").click()

    await page.get_by_text("已不予受理，理由已告诉居民。").wait_for()
    await page.context.close()


async def test_keys_move_through_the_queue_and_never_decide(
    browser: Browser, centre: Staffed, kiosk: Kiosk
) -> None:
    case_no = await centre.confirm(kiosk)
    page = await opened(browser, WIDE)
    await sign_in(page, centre, "limin")

    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("k")
    assert await page.locator("tr.now").count() == 1
    assert await page.locator("tbody tr").first.get_attribute("class") == "now"
    await page.keyboard.press("Enter")
    await page.get_by_text("怎么办这件").wait_for()

    await page.goto(f"{centre.base}/desk/{case_no}")
    for key in "acrf":
        await page.keyboard.press(key)
    case = await centre.app[keys.STORE].read(cases.get, case_no)
    assert case is not None
    assert case.state == "received"
    await page.context.close()


@SIZES
async def test_fleet_is_live_and_can_be_read(
    browser: Browser, centre: Staffed, size: ViewportSize
) -> None:
    page = await opened(browser, size)
    faults = faults_of(page)
    await sign_in(page, centre, "zhouming")
    await page.locator(".live:not([hidden])").wait_for()
    newcomer = centre.world.enrol(f"新坪村{size['width']}")

    await centre.send(newcomer.request(pending=77))

    await page.get_by_text(f"新坪村{size['width']}").first.wait_for()
    await shot(page, f"fleet-{'wide' if size is WIDE else 'narrow'}")
    assert not await is_wider_than_the_screen(page)
    assert await small_targets(page) == []
    assert faults == []
    await page.context.close()


@SIZES
async def test_nothing_is_found_by_axe(
    browser: Browser, centre: Staffed, kiosk: Kiosk, size: ViewportSize
) -> None:
    case_no = await centre.confirm(kiosk)
    page = await opened(browser, size)
    found = {}
    await page.goto(f"{centre.base}/login")
    for name, paths in (
        ("", ["/login", "/", "/r", f"/r/{case_no}", "/C/1"]),
        ("limin", ["/desk", f"/desk/{case_no}", "/password", "/nowhere"]),
        ("zhouming", ["/fleet", "/fleet/code", "/letters"]),
    ):
        if name:
            await page.context.clear_cookies()
            await sign_in(page, centre, name)
        for path in paths:
            await page.goto(centre.base + path)
            result = await Axe().run(page)
            assert len(result.response["passes"]) > 10
            found[path] = [
                (violation["id"], violation["nodes"][0]["html"][:120])
                for violation in result.response["violations"]
            ]

    assert {path: faults for path, faults in found.items() if faults} == {}
    await page.context.close()
