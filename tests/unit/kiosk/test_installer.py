"""The installer's screen: behind a code, two minutes at most, and nothing of any resident on it."""

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from kiosk.devices.address import Address
from kiosk.devices.bell import Bell
from kiosk.devices.printing import Printing
from kiosk.devices.slip import Slip
from kiosk.installer.door import Door, drawn_code, is_code, set_code
from kiosk.installer.log_lines import LogLines, kept
from kiosk.main import build_app
from kiosk.web.guard import POLICY
from sync.clock import SeededEntropy
from sync.limits import ADMIN_IDLE_S, ADMIN_LOG_LINES
from tests.unit.kiosk.devices.nothing import without_devices
from tests.unit.kiosk.devices.test_slips import Tray, hand_in
from tests.unit.kiosk.parts import OLD_ID, PHONE
from tests.unit.kiosk.stations import Station, station
from tests.unit.kiosk.test_cli import run
from tests.unit.sync.worlds import JumpingClock
from voice_prompts.wording import LANGUAGES, Wording

CODE = "48213977"
HAN = re.compile("[\u4e00-\u9fff]")


class Browser:
    """What an installer's page posts."""

    def __init__(self, client: TestClient, kiosk: Station, lines: LogLines) -> None:
        self.client, self.kiosk, self.lines = client, kiosk, lines
        self.html = ""
        self.token = ""
        self.tab = "state"
        self.language = "zh-CN"

    async def post(self, action: str, value: str = "", **fields: str) -> str:
        form = {
            "action": action,
            "value": value,
            "token": self.token,
            "tab": self.tab,
            "language": self.language,
        }
        reply = await self.client.post("/installer", data=form | fields)
        assert reply.status == 200
        self.html = await reply.text()
        found = re.search(r'data-token="([^"]*)" data-tab="([^"]*)"', self.html)
        assert found is not None
        self.token, self.tab = found[1], found[2]
        return self.html

    async def enter(self) -> str:
        return await self.post("code", CODE)


@asynccontextmanager
async def installer(directory: Path, **devices: object) -> AsyncIterator[Browser]:
    hung = without_devices(**devices)  # type: ignore[arg-type]
    async with station(directory, devices=hung) as kiosk:
        set_code(directory, CODE, SeededEntropy(3))
        lines = LogLines(kiosk.clock)
        server = TestServer(build_app(kiosk.stage, kiosk.parts, lines))
        async with TestClient(server) as client:
            yield Browser(client, kiosk, lines)
        await hung.close()


# --- the code ---


def test_code_is_kept_hashed_and_slowly(tmp_path: Path) -> None:
    set_code(tmp_path, CODE, SeededEntropy(1))
    raw = (tmp_path / "installer-code.json").read_bytes()
    door = Door(tmp_path, JumpingClock(), SeededEntropy(2))

    assert CODE.encode() not in raw
    assert (tmp_path / "installer-code.json").stat().st_mode & 0o077 == 0
    assert door.knock(CODE).kind == "open"
    assert door.knock("00000000").kind == "wrong"


@pytest.mark.parametrize("text", ["", "1234567", "1234567890123", "1234567a", "１２３４５６７８"])
def test_what_is_no_code_is_refused(tmp_path: Path, text: str) -> None:
    assert not is_code(text)
    with pytest.raises(ValueError, match="8 to 12 digits"):
        set_code(tmp_path, text, SeededEntropy(1))


def test_drawn_code_is_a_code() -> None:
    assert all(is_code(drawn_code(SeededEntropy(seed))) for seed in range(50))


def test_wrong_codes_make_the_next_one_wait_even_the_right_one(tmp_path: Path) -> None:
    clock = JumpingClock()
    set_code(tmp_path, CODE, SeededEntropy(1))
    door = Door(tmp_path, clock, SeededEntropy(2))
    for _ in range(4):
        assert door.knock("00000000").wait_s == 0
    fifth = door.knock("00000000")
    waiting = door.knock(CODE)
    restarted = Door(tmp_path, clock, SeededEntropy(2)).knock(CODE)
    clock.pass_ms(fifth.wait_s * 1000)

    assert not door.is_inside("门")
    assert (fifth.kind, fifth.wait_s, waiting.kind, restarted.kind) == ("wrong", 60, "wait", "wait")
    assert door.knock(CODE).kind == "open"


def test_whoever_touches_nothing_for_two_minutes_is_outside(tmp_path: Path) -> None:
    clock = JumpingClock()
    set_code(tmp_path, CODE, SeededEntropy(1))
    door = Door(tmp_path, clock, SeededEntropy(2))
    token = door.knock(CODE).token
    clock.pass_ms(ADMIN_IDLE_S * 1000 - 1)
    still = door.is_inside(token)
    clock.pass_ms(ADMIN_IDLE_S * 1000)

    assert (still, door.is_inside(token)) == (True, False)


def test_only_the_newest_one_inside_is(tmp_path: Path) -> None:
    set_code(tmp_path, CODE, SeededEntropy(1))
    door = Door(tmp_path, JumpingClock(), SeededEntropy(2))
    first, second = door.knock(CODE).token, door.knock(CODE).token

    assert (door.is_inside(first), door.is_inside(""), door.is_inside(second)) == (
        False,
        False,
        True,
    )


def test_command_sets_a_code_and_tells_it_once(tmp_path: Path) -> None:
    status, said = run("code", "--admin", "--data", str(tmp_path))
    (told,) = re.findall(r"\b[0-9]{8}\b", said)
    door = Door(tmp_path, JumpingClock(), SeededEntropy(2))

    assert status == 0
    assert door.knock(told).kind == "open"


@pytest.mark.parametrize("arguments", [("code",), ("code", "--admin", "--set", "1234")])
def test_command_refuses_what_is_no_code(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    status, _ = run(*arguments, "--data", str(tmp_path))

    assert status == 2
    assert list(tmp_path.iterdir()) == []


# --- the page ---


async def test_without_a_code_nobody_gets_in_and_the_page_says_how_to_set_one(
    tmp_path: Path,
) -> None:
    async with (
        station(tmp_path) as kiosk,
        TestClient(TestServer(build_app(kiosk.stage, kiosk.parts))) as client,
    ):
        reply = await client.get("/installer")
        html = await reply.text()

    assert "bianmin kiosk code --admin" in html
    assert "data-key" not in html


async def test_page_keeps_the_kiosks_policy_and_is_never_stored(tmp_path: Path) -> None:
    async with installer(tmp_path) as browser:
        reply = await browser.client.get("/installer")

    assert reply.headers["Content-Security-Policy"] == POLICY
    assert reply.headers["Cache-Control"] == "no-store"


async def test_nothing_is_told_or_done_without_the_code(tmp_path: Path) -> None:
    async with installer(tmp_path) as browser:
        for action in ("tab", "send", "bell", "slip", "stick", "leave", "nonsense"):
            html = await browser.post(action, "log", token="0" * 32)

            assert 'class="code"' in html, action
            assert browser.token == "", action


async def test_foreign_page_cannot_knock(tmp_path: Path) -> None:
    async with installer(tmp_path) as browser:
        reply = await browser.client.post(
            "/installer",
            data={"action": "code", "value": CODE},
            headers={"Origin": "https://evil.example"},
        )

    assert reply.status == 403


async def test_wrong_code_is_told(tmp_path: Path) -> None:
    async with installer(tmp_path) as browser:
        html = await browser.post("code", "00000000")

    assert "密码不对" in html


@pytest.mark.parametrize("language", LANGUAGES)
async def test_state_tells_link_clock_disk_backlog_and_versions(
    tmp_path: Path, language: str
) -> None:
    async with installer(tmp_path) as browser:
        await hand_in(browser.kiosk)
        browser.language = language
        html = await browser.enter()

    words = Wording.load(language).screen
    labels = re.findall(r"<dt>([^<]*)</dt>", html)
    assert labels == [
        words(f"installer.{key}")
        for key in ("link", "waiting", "clock", "disk", "version", "kiosk")
    ]
    waiting = words("installer.waiting_value", count="1", hours="0", photos="0", refused="0")
    assert waiting in html


@pytest.mark.deep
@pytest.mark.parametrize("tab", ["state", "tests", "doctor", "log"])
async def test_nothing_of_a_resident_is_on_any_page(tmp_path: Path, tab: str) -> None:
    async with installer(tmp_path) as browser:
        await hand_in(browser.kiosk)
        receipt = browser.kiosk.stage.visit.receipt
        await browser.enter()
        html = await browser.post("tab", tab)

    assert receipt is not None
    secrets = [OLD_ID, PHONE, "灯坏了", receipt.case_no, receipt.case_no[:4] + " "]
    assert [word for word in secrets if word in html] == []


async def test_english_page_has_no_chinese_and_chinese_doctor_no_english_alone(
    tmp_path: Path,
) -> None:
    async with installer(tmp_path) as browser:
        await browser.enter()
        chinese = await browser.post("tab", "doctor")
        english = await browser.post("tab", "doctor", language="en")

    shown = english.replace("中文", "").replace("试验村便民服务站", "")
    assert not HAN.search(re.sub(r"<small.*?</small>", "", shown))
    names = re.findall(r"<b>([^<]*)</b>", chinese)
    assert len(names) > 8
    assert [name for name in names if not HAN.search(name)] == []


async def test_doctor_says_what_fails_in_words_with_what_to_do(tmp_path: Path) -> None:
    async with installer(tmp_path) as browser:
        await browser.enter()
        html = await browser.post("tab", "doctor")

    # No identity file lies in a test's folder.
    assert re.search(r'<li class="fail">.*?登记.*?坏了.*?用中心给的码重新登记', html, re.DOTALL)


async def test_send_now_wakes_the_agent(tmp_path: Path) -> None:
    async with installer(tmp_path) as browser:
        await browser.enter()
        html = await browser.post("send")

    assert "已经开始送" in html


async def test_bell_and_slip_are_tried(tmp_path: Path) -> None:
    async def draw(slip: Slip) -> bytes:
        return slip.head[0].text.encode()

    tray, value = Tray(), tmp_path / "value"
    printing = Printing(tray, draw, JumpingClock())
    bell = Bell(Address("file", str(value)), JumpingClock())
    async with installer(tmp_path, printing=printing, bell=bell) as browser:
        await browser.enter()
        rung = await browser.post("bell")
        printed = await browser.post("slip")
        assert printing._task is not None
        await printing._task

    assert ("铃响过了" in rung, "正在打" in printed) == (True, True)
    assert value.read_bytes() == b"1\n0\n"
    assert tray.came == ["试打：能看清吗？".encode()]


async def test_bell_that_fails_is_told(tmp_path: Path) -> None:
    bell = Bell(Address("file", "/nowhere/value"), JumpingClock())
    async with installer(tmp_path, bell=bell) as browser:
        await browser.enter()
        html = await browser.post("bell")

    assert "铃没响" in html


async def test_stick_is_served_once_more(tmp_path: Path) -> None:
    asked: list[str] = []
    async with installer(tmp_path) as browser:
        await browser.enter()
        none = await browser.post("stick")
        browser.kiosk.stage.serve_stick = lambda: asked.append("again")
        html = await browser.post("stick")

    assert "stick_dir" in none
    assert ("正在往U盘里存" in html, asked) == (True, ["again"])


async def test_leaving_shuts_the_door(tmp_path: Path) -> None:
    async with installer(tmp_path) as browser:
        await browser.enter()
        token = browser.token
        await browser.client.get("/installer")
        html = await browser.post("tab", "log", token=token)

    assert 'class="code"' in html


# --- log lines ---


def test_log_lines_hold_codes_and_never_what_a_message_quotes() -> None:
    lines = LogLines(JumpingClock())
    with kept(lines):
        logging.getLogger("kiosk.effects").error("it broke: %s", OLD_ID, extra={"reason": "507"})
        logging.getLogger("aiohttp.server").error("bad request: %s", OLD_ID)
        logging.getLogger("aiohttp.server").warning(f"bad request: {PHONE}")  # noqa: G004 -- as a stranger would
        logging.getLogger("kiosk").debug("too fine")

    told = [line.text for line in lines.newest(9)]
    assert told == [
        "aiohttp.server: a message",
        "aiohttp.server: a message",
        "it broke: %s reason=507",
    ]


def test_log_lines_are_bounded() -> None:
    lines = LogLines(JumpingClock())
    with kept(lines):
        for number in range(ADMIN_LOG_LINES + 50):
            logging.getLogger("sync.agent").warning("again", extra={"count": number})

    assert len(lines.newest(1000)) == ADMIN_LOG_LINES
    assert lines.newest(1)[0].text == f"again count={ADMIN_LOG_LINES + 49}"
