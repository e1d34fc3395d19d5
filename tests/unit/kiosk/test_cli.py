"""The command `bianmin kiosk`, and a kiosk as it really runs: sockets, threads, signals."""

import asyncio
from pathlib import Path

import aiohttp
import msgspec
import pytest
from click.testing import CliRunner

from kiosk.cli import kiosk
from kiosk.main import build_app, serve, version
from kiosk.settings import Settings
from kiosk.web.unenrolled import wait_until_enrolled
from sync.clock import SystemClock
from sync.device import save_identity, save_keys
from tests.unit.kiosk.stations import station
from tests.unit.sync.worlds import JumpingClock


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(kiosk, arguments)
    return result.exit_code, result.output


def test_help_names_every_command() -> None:
    status, said = run("--help")

    assert status == 0
    assert [name for name in ("enrol", "run", "status", "doctor") if name not in said] == []


def test_wrong_setting_is_one_line(tmp_path: Path) -> None:
    status, said = run("run", "--data", str(tmp_path), "--port", "99999")

    assert status == 1
    assert "port = 99999; allowed is 0 to 65535" in said


@pytest.mark.parametrize("code", ["", "ABCD"])
def test_code_that_cannot_be_one_is_told_before_anything_is_sent(tmp_path: Path, code: str) -> None:
    status, said = run("enrol", code, "--data", str(tmp_path))

    assert status != 0
    assert "code" in said


def test_centre_that_does_not_answer_is_told(tmp_path: Path) -> None:
    status, said = run(
        "enrol", "K7QM-2B9X-R4TD", "--centre", "http://127.0.0.1:9", "--data", str(tmp_path)
    )

    assert status == 1
    assert "the centre cannot be reached" in said


def test_status_of_no_kiosk_says_how_to_start_it(tmp_path: Path) -> None:
    status, said = run("status", "--data", str(tmp_path), "--port", "9")

    assert status == 1
    assert "bianmin kiosk run" in said


def test_doctor_lists_what_to_do(tmp_path: Path) -> None:
    status, said = run("doctor", "--data", str(tmp_path / "none"), "--centre", "http://127.0.0.1:9")

    assert status == 2
    assert " 1 FAIL  data folder" in said
    assert "→ bianmin kiosk enrol CODE" in said


def test_doctor_answers_another_program(tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    status, said = run("doctor", "--json", "--data", missing, "--centre", "http://127.0.0.1:9")

    told = msgspec.json.decode(said)
    assert (status, told["exit"]) == (2, 2)
    assert [(row["line"], row["name"], row["level"]) for row in told["findings"]] == [
        (1, "data folder", "fail"),
        (2, "centre", "warn"),
    ]


async def test_enrolled_kiosk_serves_offline_and_stops_when_told(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    async with station(tmp_path) as made:
        save_keys(tmp_path, made.keys)
        save_identity(tmp_path, made.parts.identity)
    settings = Settings(
        data_dir=tmp_path,
        port=unused_tcp_port,
        centre_url="http://127.0.0.1:9",
        has_live_voice=False,
        voice_dir=tmp_path,
    )
    stop = asyncio.Event()
    serving = asyncio.ensure_future(serve(settings, stop))
    try:
        html = await first_page(f"http://127.0.0.1:{unused_tcp_port}/")
    finally:
        stop.set()
        await serving

    assert "钱和补贴" in html


class PoliteClock(JumpingClock):
    """Waiting takes no time, but others have their turn."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        await asyncio.sleep(0)


async def test_unenrolled_kiosk_shows_what_to_do_until_it_is_enrolled(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    async with station(tmp_path / "made") as made:
        pass
    settings, stop = Settings(data_dir=tmp_path, port=unused_tcp_port), asyncio.Event()
    waiting = asyncio.ensure_future(wait_until_enrolled(settings, stop, PoliteClock()))
    url = f"http://127.0.0.1:{unused_tcp_port}"
    html = await first_page(url + "/")
    async with aiohttp.ClientSession() as session, session.get(url + "/healthz") as answer:
        status = answer.status

    save_identity(tmp_path, made.parts.identity)

    assert await waiting
    assert status == 503
    told = f"bianmin kiosk enrol XXXX-XXXX-XXXX --centre https://… --data {tmp_path}"
    for words in ("这台机器还没有装好", "This kiosk is not set up yet", told):
        assert words in html


async def test_kiosk_waits_for_the_command_that_enrols_it(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    settings, stop = Settings(data_dir=tmp_path, port=unused_tcp_port), asyncio.Event()
    async with station(tmp_path) as made:
        waiting = asyncio.ensure_future(wait_until_enrolled(settings, stop, PoliteClock()))
        await first_page(f"http://127.0.0.1:{unused_tcp_port}/")
        save_identity(tmp_path, made.parts.identity)
        html = await first_page(f"http://127.0.0.1:{unused_tcp_port}/")

    assert "这台机器还没有装好" in html
    assert await waiting


async def test_kiosk_that_waits_for_its_enrolment_stops_when_told(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    settings, stop = Settings(data_dir=tmp_path, port=unused_tcp_port), asyncio.Event()
    stop.set()

    assert not await wait_until_enrolled(settings, stop, SystemClock())


async def first_page(url: str) -> str:
    async with aiohttp.ClientSession() as session:
        for _ in range(500):
            try:
                async with session.get(url) as answer:
                    return await answer.text()
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.01)
    raise AssertionError("no page")


async def test_every_route_has_one_purpose(tmp_path: Path) -> None:
    async with station(tmp_path) as made:
        app = build_app(made.stage, made.parts)

    found = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert found == {
        ("GET", "/"),
        ("POST", "/act"),
        ("POST", "/attachment"),
        ("POST", "/alive"),
        ("POST", "/say"),
        ("GET", "/attachment"),
        ("POST", "/echo"),
        ("POST", "/handwriting"),
        ("GET", "/carry/film"),
        ("GET", "/pulse"),
        ("GET", "/voice/live/{token}"),
        ("GET", "/voice/{key}"),
        ("GET", "/profile.css"),
        ("GET", "/pinyin.json"),
        ("GET", "/static/{path}"),
        ("GET", "/healthz"),
        ("GET", "/status"),
        ("POST", "/send"),
        ("GET", "/installer"),
        ("POST", "/installer"),
    }


def test_version_is_told() -> None:
    assert version()
