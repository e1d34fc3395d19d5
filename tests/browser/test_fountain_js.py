"""The phone's half of the film's format, in the browser, held to the kiosk's half."""

import json
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page

from server.phone.carry import FOLDER
from sync.fountain import Block, Run, blocks_of, frame_text, mix, pack
from sync.wire import courier_url
from tests.browser.stage import running_browser
from tests.unit.sync.test_fountain import HOSTILE, VECTOR, edited, envelopes, frame_of

pytestmark = pytest.mark.deep

#: Feeds texts to a fresh catcher; answers what it found and how much it holds at most.
FEED = """
async (texts) => {
  const catcher = new fountain.Catcher();
  const found = [];
  const told = {refused: 0, broken: 0, taken: 0, open: 0, rows: 0};
  for (const text of texts) {
    try {
      const {frame, envelopes, isBroken} = await catcher.take(text);
      told.taken += 1;
      told.broken += isBroken ? 1 : 0;
      if (envelopes) {
        found.push(envelopes.map(fountain.hexOf));
        catcher.keep(frame);
        told.at = told.at || [];
        told.at.push(told.taken);
      }
    } catch (error) {
      if (!(error instanceof fountain.Refused)) throw error;
      told.refused += 1;
    }
    told.open = Math.max(told.open, catcher.collectors.size);
    for (const one of catcher.collectors.values())
      told.rows = Math.max(told.rows, one.rows.filter(Boolean).length);
  }
  return {found, ...told};
}
"""


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """An empty page of this machine (hashing wants a secure context) with the script in it."""
    runner = web.AppRunner(web.Application())

    async def empty(_: web.Request) -> web.Response:
        return web.Response(text="<!doctype html>", content_type="text/html")

    runner.app.router.add_get("/", empty)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    page = await browser.new_page()
    await page.goto(f"http://{host}:{port}/")
    await page.add_script_tag(path=FOLDER / "fountain.js")
    yield page
    await page.close()
    await runner.cleanup()


async def fed(page: Page, texts: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate(FEED, texts)
    return found


async def test_mixes_are_those_of_the_kiosk(page: Page) -> None:
    golden = json.loads(VECTOR.read_text("utf-8"))["mixes"]
    asked = [(pieces, number) for pieces, number, _ in golden]
    asked += [(pieces, number) for pieces in range(1, 129) for number in (pieces, 777, 65_535)]

    found = await page.evaluate(
        "(asked) => asked.map(([pieces, number]) => [...fountain.mix(pieces, number)])", asked
    )

    ours = [sum(word << 32 * place for place, word in enumerate(words)) for words in found]
    assert ours == [mix(pieces, number) for pieces, number in asked]
    assert [f"{bits:x}" for bits in ours[: len(golden)]] == [bits for _, _, bits in golden]


async def test_golden_frames_are_read_alike(page: Page) -> None:
    golden = json.loads(VECTOR.read_text("utf-8"))
    text = golden["frames"][-1][1]

    found = await page.evaluate(
        "(text) => { const found = fountain.readFrame(text);"
        " return {...found, data: fountain.hexOf(found.data)}; }",
        text,
    )

    expected = {**golden["fields"], "size": golden["fields"]["size_bytes"]}
    assert {name: found[name] for name in found if name != "key"} == {
        name: expected[name] for name in expected if name != "size_bytes"
    }


@pytest.mark.parametrize("loss", [0.0, 0.1, 0.3, 0.6])
async def test_lossy_shuffled_doubled_film_gives_every_envelope(page: Page, loss: float) -> None:
    rng = random.Random(f"{loss}")
    given = envelopes(80, 231, seed=rng.randrange(99))
    run = Run(blocks_of(given))
    frames = [run.frame(place) for place in range(900)]
    texts = [frame_text(frame) for frame in frames if rng.random() >= loss]
    texts = [text for text in texts for _ in range(rng.choice((1, 2)))]
    rng.shuffle(texts)

    told = await fed(page, texts)

    assert sorted(raw for block in told["found"] for raw in block) == sorted(
        raw.hex() for raw in given
    )
    assert (told["refused"], told["broken"]) == (0, 0)
    assert told["rows"] <= max(block.pieces for block in run.blocks)


async def test_film_as_it_is_shown_needs_few_frames_more_than_pieces(page: Page) -> None:
    rng = random.Random(4)
    run = Run(blocks_of(envelopes(50)))
    pieces = run.blocks[0].pieces
    needed = []
    for _ in range(30):
        seen = [frame_text(run.frame(place)) for place in range(300) if rng.random() >= 0.3]
        needed.append((await fed(page, seen))["at"][0] / pieces)

    assert sum(needed) / len(needed) < 1.08


async def test_strangers_frames_are_refused_or_hold_little(page: Page) -> None:
    rng = random.Random(5)
    good = Run(blocks_of(envelopes(50)))
    frame = frame_of(good.blocks[0], 1)
    strange = [edited(frame, **changes) for changes in HOSTILE.values()]
    strange += ["", "0", "hello", "9" * 5000, "１２３", "-5", "1e9", "https://evil.example/C/1"]
    # Each is a block of its own, begun and never ended.
    begun = [frame_text(frame_of(Block(rng.randbytes(16_384)), 0)) for _ in range(40)]
    own = [frame_text(good.frame(place)) for place in range(good.blocks[0].pieces)]

    told = await fed(page, [*strange, *begun, *own])

    assert told["refused"] == len(strange)
    assert told["open"] <= 4
    assert len(told["found"]) == 1


async def test_poisoned_block_is_begun_anew_and_still_caught(page: Page) -> None:
    (block,) = Run(blocks_of(envelopes(20))).blocks
    poison = frame_text(frame_of(block, 2, data=bytes(len(block.data(2)))))
    film = [frame_text(frame_of(block, number)) for number in range(block.pieces)]

    told = await fed(page, [poison, *film, *film])

    assert told["broken"] == 1
    assert len(told["found"]) == 1


async def test_block_that_is_no_bundle_is_not_kept(page: Page) -> None:
    block = Block(random.Random(6).randbytes(500))

    told = await fed(page, [frame_text(frame_of(block, number)) for number in range(2)])

    assert (told["found"], told["broken"]) == ([], 1)


async def test_bundle_of_a_delivery_is_the_kiosks(page: Page) -> None:
    given = envelopes(3, 231) + envelopes(2, 4161, seed=2) + envelopes(1, 65, seed=3)

    packed = await page.evaluate(
        "(all) => fountain.hexOf(fountain.pack(all.map((one) => Uint8Array.from(one))))",
        [list(raw) for raw in given],
    )

    assert packed == pack(given).hex()


async def test_slip_of_this_centre_is_read_and_of_others_refused(page: Page) -> None:
    (raw,) = envelopes(1)
    url = courier_url("https://centre.example", raw)
    script = """
    (texts) => texts.map((text) => {
      try {
        const found = fountain.readReceipt(text, "centre.example");
        return found ? fountain.hexOf(found) : "none";
      } catch (error) { return error instanceof fountain.Refused ? "refused" : String(error); }
    })
    """

    told = await page.evaluate(
        script,
        [
            url,
            url.lower(),
            url.replace("CENTRE", "OTHER"),
            f"{url[:-3]}x",
            f"{url}{'1' * 900}",
            "HTTPS://CENTRE.EXAMPLE/C/0",
            "12345",
        ],
    )

    assert told == [raw.hex(), raw.hex(), "refused", "none", "refused", "refused", "none"]
