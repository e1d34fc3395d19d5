"""The courier page on a phone: without signal, with a bad network, with strangers' codes."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import axe_playwright_python
import pytest
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, Route

from kiosk.receipt import qr_svg
from server.store import fleet
from sync.limits import COURIER_BATCHES_PER_MINUTE
from sync.wire import courier_url
from tests.browser.camera import film
from tests.browser.stage import running_browser, until
from tests.unit.server.staffed import Staffed, staffed
from tests.unit.server.world import HELPER_REQUEST, Kiosk
from tests.unit.sync.test_fountain import envelopes

pytestmark = [pytest.mark.deep, pytest.mark.timeout(120)]

PICTURES = Path(__file__).parents[2] / ".build" / "screens"
AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
KEEP = "(all) => pouch.keep(all.map((one) => Uint8Array.from(one)))"
GO_ON_LINE = "dispatchEvent(new Event('online'))"


@pytest.fixture(scope="module")
async def centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Staffed]:
    async with staffed(tmp_path_factory.mktemp("courier") / "c") as centre:
        yield centre


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as browser:
        yield browser


@pytest.fixture
async def context(browser: Browser, centre: Staffed) -> AsyncIterator[BrowserContext]:
    """A phone that never saw the page, in a network with its whole allowance."""
    centre.clock.ms += 60_000
    context = await browser.new_context(
        viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True
    )
    yield context
    await context.close()


@pytest.fixture
async def page(context: BrowserContext, centre: Staffed) -> AsyncIterator[Page]:
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    await page.goto(f"{centre.base}/carry")
    yield page
    assert faults == []


@pytest.fixture
def kiosk(centre: Staffed) -> Kiosk:
    return centre.world.enrol()


def carried(centre: Staffed, kiosk: Kiosk, count: int) -> list[bytes]:
    return [
        kiosk.courier(kiosk.confirm(centre.published, HELPER_REQUEST, transaction_id=b""))
        for _ in range(count)
    ]


async def keep(page: Page, raws: list[bytes]) -> None:
    """Put envelopes where the camera puts them."""
    await page.evaluate(KEEP, [list(raw) for raw in raws])


async def held(page: Page, count: int) -> None:
    await until(page, f"document.body.dataset.held === '{count}'", 20)


async def told(page: Page, *words: str) -> None:
    """Wait until the page tells that of a delivery, and holds nothing any more."""
    for one in words:
        await until(page, f"document.getElementById('told').textContent.includes('{one}')", 20)
    await held(page, 0)


def mark(centre: Staffed, kiosk: Kiosk) -> int:
    row = fleet.kiosk(centre.world.conn, kiosk.keys.kiosk_id.hex())
    assert row is not None
    return row.mark_seq


async def ready(page: Page) -> None:
    await until(
        page, "navigator.serviceWorker.controller && !document.getElementById('ready').hidden", 20
    )


async def test_page_opens_without_signal_and_keeps_what_it_held(
    context: BrowserContext, page: Page, centre: Staffed, kiosk: Kiosk
) -> None:
    await ready(page)
    await context.set_offline(True)
    await keep(page, carried(centre, kiosk, 3))

    await page.reload()
    await held(page, 3)

    assert "替村里捎带" in await page.inner_text("h1")
    assert "等信号" in await page.inner_text("#way")
    assert mark(centre, kiosk) == 0


async def test_signal_delivers_by_itself_and_the_phone_forgets(
    context: BrowserContext, page: Page, centre: Staffed, kiosk: Kiosk
) -> None:
    raws = carried(centre, kiosk, 5)
    await ready(page)
    await context.set_offline(True)
    await page.reload()
    await keep(page, raws)

    await context.set_offline(False)
    await told(page, "送到5件")
    assert mark(centre, kiosk) == 5

    await keep(page, [*raws[3:], *carried(centre, kiosk, 1)])
    await page.evaluate(GO_ON_LINE)
    await told(page, "送到6件", "2件早就到了")
    await page.click("#told-close")
    await until(page, "document.getElementById('told').hidden")


async def test_same_envelope_caught_twice_is_held_once(
    page: Page, centre: Staffed, kiosk: Kiosk
) -> None:
    raws = carried(centre, kiosk, 2)
    fresh = [
        await page.evaluate(KEEP, [list(raw) for raw in some]) for some in (raws, raws, raws[1:])
    ]

    assert fresh == [2, 0, 0]


async def test_damaged_and_foreign_envelopes_are_told_in_plain_words(
    page: Page, centre: Staffed, kiosk: Kiosk
) -> None:
    (good, bad) = carried(centre, kiosk, 2)
    await keep(page, [bad[:-1] + bytes([bad[-1] ^ 1]), *envelopes(1), good])

    await page.evaluate(GO_ON_LINE)

    await told(page, "送到1件", "2件坏了，请到机子前再扫一遍")
    PICTURES.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=PICTURES / "carry-phone-damaged.png", full_page=True)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "<html>Sign in to Village WiFi</html>"),
        (200, '{"verdicts":["stored"]}'),
        (200, '{"verdicts":["fine","fine"]}'),
        (204, ""),
        (302, ""),
        (500, ""),
        (503, ""),
    ],
)
async def test_whatever_else_answers_the_phone_forgets_nothing(
    browser: Browser, centre: Staffed, kiosk: Kiosk, status: int, body: str
) -> None:
    # Playwright's routes see a page's requests only where no service worker stands between.
    context = await browser.new_context(service_workers="block")
    page = await context.new_page()
    asked = []

    async def lie(route: Route) -> None:
        asked.append(route.request.post_data_buffer)
        headers = {"Location": "http://portal.example/", "Retry-After": "600"}
        await route.fulfill(status=status, body=body, headers=headers)

    await page.route("**/sync/v1/courier", lie)
    await page.goto(f"{centre.base}/carry")
    await keep(page, carried(centre, kiosk, 2))
    await page.evaluate(GO_ON_LINE)
    await until(page, "document.getElementById('way').textContent.length > 5", 20)

    assert len(asked) == 1
    await held(page, 2)
    await page.unroute("**/sync/v1/courier")
    await page.click("#deliver")
    await told(page, "送到2件")
    assert mark(centre, kiosk) == 2
    await context.close()


async def test_more_than_one_delivery_s_worth_goes_in_several(
    page: Page, centre: Staffed, kiosk: Kiosk
) -> None:
    await keep(page, carried(centre, kiosk, 150))

    await page.evaluate(GO_ON_LINE)
    await told(page, "送到150件")

    assert mark(centre, kiosk) == 150


async def test_busy_centre_is_waited_for(page: Page, centre: Staffed, kiosk: Kiosk) -> None:
    await keep(page, carried(centre, kiosk, 1))
    for _ in range(COURIER_BATCHES_PER_MINUTE):
        await page.evaluate("fetch('/sync/v1/courier', {method: 'POST', body: 'x'})")

    await page.evaluate(GO_ON_LINE)
    await until(page, "document.getElementById('way').textContent.includes('忙')", 20)
    centre.clock.ms += 60_000
    await page.click("#deliver")
    await told(page, "送到1件")

    assert mark(centre, kiosk) == 1


async def test_page_speaks_english_and_stays_so(page: Page) -> None:
    await page.click("#language")
    await page.reload()

    assert await page.get_attribute("html", "lang") == "en"
    assert await page.inner_text("h1") == "Carry for the village"
    assert await page.inner_text("#scan") == "Start scanning"
    assert not [c for c in await page.inner_text("main") if "\u4e00" <= c <= "\u9fff"]


async def test_page_has_no_violation_known_to_axe(page: Page) -> None:
    await page.evaluate(AXE.read_text("utf-8"))
    found = await page.evaluate(
        "async () => { const {violations, passes} = await axe.run(document);"
        " return [violations.map((one) => one.id + ' ' + one.nodes[0].target), passes.length]; }"
    )

    assert found[0] == []
    assert found[1] > 10


async def test_page_without_a_camera_says_so(page: Page) -> None:
    await page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('no')); }"
    )
    await page.click("#scan")
    await until(page, "!document.getElementById('problem').hidden")

    assert "用不了相机" in await page.inner_text("#problem")


async def test_receipt_s_code_and_a_stranger_s_are_told_apart(
    centre: Staffed, kiosk: Kiosk, tmp_path: Path
) -> None:
    (raw,) = carried(centre, kiosk, 1)
    own = drawn(courier_url(centre.base, raw))
    other = drawn(courier_url("https://other.example", raw))
    film([*[other] * 8, *[own] * 8], tmp_path / "camera.mjpeg", seconds_each=0.2, seed=2)

    camera = f"--use-file-for-fake-video-capture={tmp_path / 'camera.mjpeg'}"
    async with running_browser(camera) as browser:
        page = await browser.new_page(viewport={"width": 390, "height": 780})
        await page.goto(f"{centre.base}/carry")
        await page.click("#scan")
        await until(
            page, "document.getElementById('problem').textContent.includes('不是这里的')", 20
        )
        await until(page, "document.getElementById('told').textContent.includes('送到1件')", 20)

    assert mark(centre, kiosk) == 1


def drawn(text: str) -> bytes:
    """A slip's code on white paper, as a picture of 1024 × 768."""
    svg = qr_svg(text)
    side = int(svg.split('viewBox="0 0 ')[1].split(" ")[0])
    paper = Image.new("L", (side, side), 255)
    for run in svg.split(' d="')[1].split('"')[0].split("M")[1:]:
        place, width = run.split("h")[:2]
        left, top = map(int, place.split(" "))
        for column in range(left, left + int(width.split("v")[0])):
            paper.putpixel((column, top), 0)
    whole = Image.new("L", (1024, 768), 255)
    scale = 720 // side
    big = paper.resize((side * scale,) * 2, Image.Resampling.NEAREST)
    whole.paste(big, ((1024 - big.width) // 2, (768 - big.height) // 2))
    out = io.BytesIO()
    whole.save(out, "PNG")
    return out.getvalue()
