"""Each way to answer, by finger and by keyboard: what the page sends is what was meant."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page

from bianmin.browser import KIOSK_FLAGS
from kiosk.media import checked_media
from tests.browser.samples import question, screens
from tests.browser.stage import Stage, appear, open_stage, running_browser, until

DEAF_S = 0.32  # the page hears nothing for 0.3 s after a screen
LINE = ("请点一下。", "Please touch.")


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser(*KIOSK_FLAGS) as browser:
        yield browser


@pytest.fixture
async def page(browser: Browser, stage: Stage) -> AsyncIterator[Page]:
    page = await open_stage(browser, stage)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    await page.context.close()
    assert faults == []


async def _ask(
    page: Page, stage: Stage, kind: str, language: str = "zh-CN", **more: object
) -> None:
    stage.put(question(language, kind, "问题", "Question", LINE, **more))  # type: ignore[arg-type]
    await appear(page, stage)
    await asyncio.sleep(DEAF_S)


async def _tap(page: Page, *selectors: str) -> None:
    for selector in selectors:
        await page.tap(selector)
        # Slower than a tremor's bounce, as fingers are.
        await asyncio.sleep(0.16)


async def _keys(page: Page, text: str) -> None:
    await _tap(page, *(f'[data-key="{character}"]' for character in text))


async def test_id_number_by_finger_says_the_birth_date(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "id_number", chars_max=18, groups=(6, 8, 4))

    await _keys(page, "53012119461124001X")
    echo = await page.inner_text("#echo")
    await page.tap("#next")

    assert echo == "1946年11月24日生，80岁"
    assert await stage.posted() == ("answer", "53012119461124001X", "q_id_number")


async def test_phone_by_keyboard_with_a_wrong_digit_taken_back(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "phone", chars_max=13, groups=(3, 4, 4))

    await page.keyboard.type("1380013800", delay=5)
    await page.keyboard.press("Backspace")
    await page.keyboard.type("01", delay=5)
    await page.keyboard.press("Enter")

    assert await stage.posted() == ("answer", "13800138001", "q_phone")


async def test_amount_is_grouped_and_said_in_wan(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "amount", chars_max=10, unit="元")

    await _keys(page, "34500.50")
    shown = await page.inner_text("#typed span")
    echo = await page.inner_text("#echo")
    await page.tap("#next")

    assert (shown.replace("\u2009", " "), echo) == ("3 4500.50", "3万4500元5角")
    assert await stage.posted() == ("answer", "34500.50", "q_amount")


async def test_amount_of_land_is_never_said_as_money(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "amount", chars_max=10, unit="亩")

    await _keys(page, "2.5")

    assert await page.inner_text("#echo") == ""
    assert await page.inner_text("#typed small") == "亩"


async def test_third_decimal_and_second_point_are_not_taken(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "amount", chars_max=10, unit="元")

    await page.keyboard.type("1.2.345", delay=5)
    await page.keyboard.press("Enter")

    assert await stage.posted() == ("answer", "1.23", "q_amount")


async def test_clear_empties_the_pad(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "case_no", chars_max=12, groups=(4, 4, 4), value="004200013768")

    await _tap(page, '[data-key="clear"]')
    await _keys(page, "1")
    await page.tap("#next")

    assert await stage.posted() == ("answer", "1", "q_case_no")


async def test_date_in_three_touches(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "date", earliest="2000-01-01", latest="2026-11-24")

    for cell in ("2024", "2", "29"):
        await page.tap(f'[data-cell="{cell}"]')
        await asyncio.sleep(DEAF_S)
    await page.tap("#next")

    assert await stage.posted() == ("answer", "2024-02-29", "q_date")


async def test_date_by_digits_and_years_further_back(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "date", earliest="1900-01-01", latest="2026-11-24")

    await page.keyboard.type("19870609", delay=5)
    await page.keyboard.press("Enter")

    assert await stage.posted() == ("answer", "1987-06-09", "q_date")


async def test_days_outside_the_bounds_cannot_be_touched(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "date", earliest="2026-11-24", latest="2026-12-24", value="2026-11-25")

    open_days = await page.eval_on_selector_all(
        ".cells .key:not(:disabled)", "(keys) => keys.map((key) => key.dataset.cell)"
    )
    near = await page.eval_on_selector_all(
        "[data-days]:not([hidden])", "(keys) => keys.map((key) => key.textContent)"
    )

    assert open_days == [str(day) for day in range(24, 31)]
    assert near == ["今天", "明天"]


async def test_yesterday_is_one_touch(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "date", latest="2026-11-24")

    await _tap(page, '[data-days="-1"]', "#next")

    assert await stage.posted() == ("answer", "2026-11-23", "q_date")


async def test_name_by_pinyin_puts_surnames_first(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "name", chars_max=50)

    for syllable, character in (("shan", "单"), ("xiu", "秀"), ("lan", "兰")):
        await _keys(page, syllable)
        assert await page.inner_text("#candidates .key >> nth=0") == character
        await page.tap(f'#candidates [data-key="{character}"]')
        await asyncio.sleep(DEAF_S)
    await page.tap("#next")

    assert await stage.posted() == ("answer", "单秀兰", "q_name")


@pytest.mark.parametrize(
    ("syllable", "character"),
    [
        *(("kun", "堃"), ("zhe", "喆"), ("yi", "燚"), ("rong", "镕"), ("yue", "玥")),
        *(("zhao", "曌"), ("yan", "䶮")),
    ],
)
async def test_rare_characters_of_names_are_found(
    page: Page, stage: Stage, syllable: str, character: str
) -> None:
    await _ask(page, stage, "name", chars_max=50, value="王")

    await page.keyboard.type(syllable, delay=5)
    offered = await page.inner_text("#candidates")
    if character not in offered:
        await page.tap('#candidates [data-key="more"]')
        offered = await page.inner_text("#candidates")

    assert character in offered


async def test_name_by_keyboard_with_middle_dot(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "name", chars_max=50)

    await page.keyboard.type("ai1.mai1", delay=5)
    shown = await page.inner_text("#written")
    await page.keyboard.press("Enter")

    assert await stage.posted() == ("answer", shown, "q_name")
    assert re.fullmatch(r".·.", shown)


async def test_english_name_gets_its_capitals(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "name", language="en", chars_max=50)

    await _keys(page, "li")
    await _tap(page, '[data-key=" "]')
    await _keys(page, "na")
    await page.tap("#next")

    assert await stage.posted() == ("answer", "Li Na", "q_name")


async def test_number_of_a_paper_by_letters_and_digits(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "name", chars_max=50)

    await _tap(page, '[data-do="mode"]')
    await _keys(page, "u530")
    await page.tap("#next")

    assert await stage.posted() == ("answer", "U530", "q_name")


async def test_text_is_ranked_by_common_use(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "text_note", chars_max=2000)

    await page.keyboard.type("de1", delay=5)
    await page.keyboard.press("Enter")

    assert await stage.posted() == ("answer", "的", "q_text_note")


async def test_several_tiles_and_none(page: Page, stage: Stage) -> None:
    stage.put(screens("zh-CN")["multi_choice"])
    await appear(page, stage)
    await asyncio.sleep(DEAF_S)

    await _tap(page, "#tile-2", "#tile-1")
    await page.tap("#next")
    assert await stage.posted() == ("answer", "v2 v3", "q_multi_choice")

    stage.put(screens("zh-CN")["multi_choice"])
    await appear(page, stage)
    await asyncio.sleep(DEAF_S)
    await _tap(page, "#none", "#next")
    assert await stage.posted() == ("answer", "", "q_multi_choice")


async def test_choice_by_digit_and_by_arrows(page: Page, stage: Stage) -> None:
    stage.put(screens("zh-CN")["choice_3"])
    await appear(page, stage)
    await asyncio.sleep(DEAF_S)
    await page.keyboard.press("2")
    assert await stage.posted() == ("answer", "v2", "q_choice")

    stage.put(screens("zh-CN")["choice_3"])
    await appear(page, stage)
    await asyncio.sleep(DEAF_S)
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "Enter"):
        await page.keyboard.press(key)
    assert await stage.posted() == ("answer", "v3", "q_choice")


async def test_escape_goes_back(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "integer", chars_max=4)

    await page.keyboard.press("Escape")

    assert (await stage.posted())[0] == "back"


async def test_photo_is_taken_looked_at_and_kept(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "photo", attachments_max=2)

    await page.tap('[data-do="shoot"]')
    await until(page, "!document.querySelector('.finder img').hidden")
    await asyncio.sleep(DEAF_S)
    await page.tap('[data-do="another"]')
    await until(page, "!document.querySelector('video').hidden")
    await page.tap('[data-do="shoot"]')
    await until(page, "!document.querySelector('.finder img').hidden")
    await asyncio.sleep(DEAF_S)
    await page.tap("#next")

    assert await stage.posted() == ("answer", "2", "q_photo")
    assert [(q, index, kind) for q, index, kind, _ in stage.attachments] == [
        ("q_photo", 0, "image/jpeg"),
        ("q_photo", 1, "image/jpeg"),
    ]
    assert all(len(content) <= 200 * 1024 for *_, content in stage.attachments)


async def test_retaken_photo_replaces_the_first(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "photo")

    await page.tap('[data-do="shoot"]')
    await until(page, "!document.querySelector('.finder img').hidden")
    await asyncio.sleep(DEAF_S)
    await page.tap('[data-do="retake"]')
    await until(page, "!document.querySelector('video').hidden")
    await page.tap('[data-do="shoot"]')
    await until(page, "!document.querySelector('.finder img').hidden")

    assert [index for _, index, *_ in stage.attachments] == [0, 0]


async def test_photo_without_camera_says_what_to_do(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "photo", has_camera=False)

    assert "相机现在用不了" in await page.inner_text(".instead")
    assert await page.is_hidden('[data-do="shoot"]')


@pytest.mark.parametrize(
    ("paint", "fault"),
    [
        ("c.fillStyle='#050505';c.fillRect(0,0,640,400)", "dark"),
        ("c.fillStyle='#cccccc';c.fillRect(0,0,640,400)", "blurred"),
        (
            "c.fillStyle='#fff';c.fillRect(0,0,640,400);"
            "c.fillStyle='#000';c.font='20px sans-serif';"
            "for(let y=20;y<400;y+=22)c.fillText('姓名 王秀兰 530121194611240017',10,y)",
            "",
        ),
    ],
)
async def test_dark_and_blurred_photos_are_told(
    page: Page, stage: Stage, paint: str, fault: str
) -> None:
    await _ask(page, stage, "photo", has_camera=False)

    found = await page.evaluate(
        """async (paint) => {
          const {faultOf} = await import("/static/photo.js");
          const canvas = document.createElement("canvas");
          [canvas.width, canvas.height] = [640, 400];
          const c = canvas.getContext("2d");
          PAINT
          return faultOf(canvas);
        }""".replace("PAINT", paint)
    )

    assert found == fault


async def test_signature_is_a_small_svg(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "signature")
    box = await page.locator("#ink").bounding_box()
    assert box is not None

    for dx in (40, 120):
        await page.mouse.move(box["x"] + dx, box["y"] + 60)
        await page.mouse.down()
        for step in range(20):
            await page.mouse.move(box["x"] + dx + step * 6, box["y"] + 60 + step * 8)
        await page.mouse.up()
    await page.tap("#next")

    assert await stage.posted() == ("answer", "1", "q_signature")
    [(_, index, kind, svg)] = stage.attachments
    assert (index, kind) == (0, "image/svg+xml")
    assert svg.count(b"M") == 2
    assert len(svg) < 1000


async def test_fingerprint_instead_of_a_signature_bears_the_day(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "signature")

    await _tap(page, '[data-do="finger"]')
    await page.tap("#next")

    assert await stage.posted() == ("answer", "1", "q_signature")
    [(_, _, kind, drawing)] = stage.attachments
    assert b"2026-11-24" in drawing
    # The kiosk itself takes it, and takes nothing else in its place.
    assert checked_media("signature", kind, drawing) == "image/svg+xml"


async def test_stroke_of_a_signature_is_taken_back(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "signature")
    box = await page.locator("#ink").bounding_box()
    assert box is not None

    for dx in (40, 120):
        await page.mouse.move(box["x"] + dx, box["y"] + 60)
        await page.mouse.down()
        await page.mouse.move(box["x"] + dx + 60, box["y"] + 120, steps=4)
        await page.mouse.up()
    await _tap(page, '[data-do="undo"]', "#next")

    assert await stage.posted() == ("answer", "1", "q_signature")
    assert stage.attachments[0][3].count(b"M") == 1


async def test_recording_of_before_is_heard_again(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "voice_note", may_type=True, attachments=1, value="1")

    await page.tap('[data-do="play"]')
    while not stage.looked:
        await asyncio.sleep(0.02)

    assert stage.looked[0] == ("q_voice_note", "0")


async def test_photo_of_before_is_seen_again(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "photo", attachments=2, attachments_max=3, value="2")

    assert stage.looked == [("q_photo", "1")]
    assert await page.is_visible(".finder img")


async def test_empty_signature_sends_nothing_to_keep(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "signature")

    await page.tap("#next")

    assert await stage.posted() == ("answer", "", "q_signature")
    assert stage.attachments == []


async def test_voice_note_is_recorded_and_kept(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "voice_note", may_type=True)

    await page.tap('[data-do="record"]')
    await until(page, "!document.querySelector('[data-do=stop]').hidden")
    await asyncio.sleep(0.8)
    await page.tap('[data-do="stop"]')
    await until(page, "!document.querySelector('[data-do=play]').hidden")
    await asyncio.sleep(DEAF_S)
    await page.tap("#next")

    assert await stage.posted() == ("answer", "1", "q_voice_note")
    [(_, index, kind, content)] = stage.attachments
    assert (index, kind) == (0, "audio/webm")
    assert content[:4] == bytes.fromhex("1a45dfa3")


async def test_voice_note_may_be_typed(page: Page, stage: Stage) -> None:
    await _ask(page, stage, "voice_note", may_type=True, chars_max=2000)

    await page.tap('[data-do="type"]')
    await asyncio.sleep(DEAF_S)
    await page.keyboard.type("de1", delay=5)
    await page.keyboard.press("Enter")

    assert await stage.posted() == ("answer", "=的", "q_voice_note")
