"""What the keypad's focus comes to is said: by a clip, or live, and never in an address."""

from pathlib import Path

import pytest

from kiosk.speech import aloud
from kiosk.web.keymap import KEYS, is_key_change, key_map
from sync.limits import SAID_BYTES_MAX
from tests.unit.kiosk.test_handlers import page


async def said(browser: object, text: str, visit: str = "") -> list[dict[str, object]]:
    client, kiosk = browser.client, browser.kiosk  # type: ignore[attr-defined]
    fields = {"visit": visit or kiosk.stage.visit.id, "text": text}
    answer = await client.post("/say", data=fields, headers={"Origin": browser.origin})  # type: ignore[attr-defined]
    assert answer.status == 200
    found: list[dict[str, object]] = await answer.json()
    return found


async def test_label_without_a_clip_is_spoken_live_and_only_for_this_visit(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        [clip] = await said(browser, "玥")
        sound = await browser.client.get(str(clip["url"]))
        foreign = await said(browser, "玥", visit="0" * 32)

        assert str(clip["url"]).startswith("/voice/live/")
        assert "玥" not in str(clip["url"])
        assert await sound.read() == "zh-CN:玥".encode()
        assert foreign == []


async def test_digits_are_said_one_by_one(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        parts = browser.kiosk.parts
        spoken = aloud("zh-CN", "13 80", parts.library, parts.live)

        assert len(spoken) == len(aloud("zh-CN", "1380", parts.library, parts.live)) > 1
        assert aloud("zh-CN", " ", parts.library, parts.live) == ()


@pytest.mark.parametrize("text", ["{due_date}", "${x}", "{}", "a" * 500, "%"])
async def test_whatever_is_asked_to_be_said_breaks_nothing(tmp_path: Path, text: str) -> None:
    async with page(tmp_path) as browser:
        assert isinstance(await said(browser, text), list)


async def test_too_much_text_is_refused_unread(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        answer = await browser.client.post(
            "/say", data=b"x" * (SAID_BYTES_MAX + 1), headers={"Origin": browser.origin}
        )

        assert answer.status == 413


async def test_no_other_page_may_make_the_kiosk_speak(tmp_path: Path) -> None:
    async with page(tmp_path) as browser:
        answer = await browser.client.post(
            "/say", data={"text": "x"}, headers={"Origin": "http://elsewhere.example"}
        )

        assert answer.status == 403


def test_every_function_has_a_key_and_an_installer_may_change_it() -> None:
    assert set(KEYS.values()) == {
        *("next", "previous", "up", "down", "ok", "back", "help", "again", "comfort"),
    }
    assert key_map(["KeyA=ok", "F1="]) == {
        **{key: does for key, does in KEYS.items() if key != "F1"},
        "KeyA": "ok",
    }
    assert [is_key_change(text) for text in ("KeyA=ok", "F1=", "KeyA=dance", "=ok", "KeyA")] == [
        *(True, True, False, False, False),
    ]
