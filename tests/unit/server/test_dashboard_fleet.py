"""The operators' pages against the real store: fleet, codes, dead letters, live stream."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from server import keys
from server.dashboard import live
from server.dashboard.fleet import asked, bars, device_told
from server.dashboard.letters import reason_of
from server.dashboard.live import beats, event
from server.dashboard.words import words_of
from server.live import Broadcast
from server.store import centre as facts
from server.store import fleet, people, rows
from server.store.rows import DeadLetter
from sync.enrolment import locator_of
from tests.unit.server.staffed import PATIENCE_S, Browser, Staffed, staffed
from tests.unit.server.world import NOW_MS, VILLAGE, Kiosk

DAY_MS = 86_400_000


@pytest.fixture(scope="module")
async def centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Staffed]:
    async with staffed(tmp_path_factory.mktemp("fleet") / "c") as centre:
        yield centre


@pytest.fixture(scope="module")
def kiosk(centre: Staffed) -> Kiosk:
    return centre.world.enrol("石门村便民点")


@pytest.fixture
async def operator(centre: Staffed) -> Browser:
    return await centre.signed_in("zhouming", "operator", shown_name="周明")


def page_of(kiosk: Kiosk) -> str:
    return f"/fleet/{kiosk.keys.kiosk_id.hex()}"


async def test_fleet_without_kiosks_says_what_to_do_first(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with staffed(tmp_path_factory.mktemp("none") / "c") as centre:
        operator = await centre.signed_in("zhouming", "operator")

        _, text = await operator.get("/fleet")

    assert "还没有终端" in text
    assert "现在没有要人处理的事" in text


async def test_kiosk_that_calls_is_fine(centre: Staffed, operator: Browser, kiosk: Kiosk) -> None:
    await centre.confirm(kiosk)

    _, text = await operator.get("/fleet")

    assert "石门村便民点" in text
    assert "● </i> 正常" in text.replace("●</i>", "● </i>")
    assert "刚刚" in text
    assert 'title="2026-11-24 10:00"' in text
    assert "现在没有要人处理的事" in text


async def test_silent_kiosk_stands_first_with_what_to_do(centre: Staffed, kiosk: Kiosk) -> None:
    centre.clock.ms += 3 * DAY_MS
    operator = await centre.signed_in("zhouming", "operator")

    _, text = await operator.get("/fleet")
    centre.clock.ms -= 3 * DAY_MS

    assert "3 天没有消息" in text
    assert "先打电话问是不是停电" in text
    assert "■" in text


async def test_database_older_than_its_kiosks_is_said_first(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Kiosks ignore a restored centre until its operator has told it that it was restored."""
    async with staffed(tmp_path_factory.mktemp("old") / "c") as centre:
        kiosk = centre.world.enrol("石门村便民点")
        operator = await centre.signed_in("zhouming", "operator")
        kiosk.epoch = facts.epoch(centre.world.conn)
        await centre.confirm(kiosk)
        _, before = await operator.get("/fleet")

        kiosk.epoch += 1
        await centre.confirm(kiosk)
        _, old = await operator.get("/fleet")

        centre.world.write(facts.raise_epoch, NOW_MS)
        _, after = await operator.get("/fleet")

    command = "bianmin centre restored"
    assert [command in text for text in (before, old, after)] == [False, True, False]
    assert old.index(command) < old.index("还在村里没送到")


@pytest.mark.parametrize(
    ("search", "is_found"), [("石门", True), ("1", True), ("0001", True), ("河口", False)]
)
async def test_kiosk_is_found_by_village_or_number(
    operator: Browser, kiosk: Kiosk, search: str, is_found: bool
) -> None:
    _, text = await operator.get(f"/fleet?q={search}")

    assert (f'href="{page_of(kiosk)}"' in text) is is_found


@pytest.mark.parametrize("sort", ["need", "village", "seen", "pending", "disk", "nonsense"])
async def test_every_column_sorts(operator: Browser, kiosk: Kiosk, sort: str) -> None:
    status, text = await operator.get(f"/fleet?sort={sort}")

    assert (status, text.count('aria-sort="ascending"')) == (200, 1)


def test_view_of_an_odd_address_is_the_plain_one() -> None:
    assert asked({"page": "-1", "sort": "drop table", "q": " "}) == asked({})
    assert asked({}).query(sort="disk") == {"sort": "disk"}


def test_bars_fill_their_height() -> None:
    assert bars([]) == []
    assert bars([0, 0]) == [0, 0]
    assert bars([1, 4]) == [5, 20]


async def test_page_of_one_kiosk_tells_all_that_is_known(operator: Browser, kiosk: Kiosk) -> None:
    status, text = await operator.get(page_of(kiosk))

    assert status == 200
    assert kiosk.keys.kiosk_id.hex() in text
    assert "这台一切正常" in text
    assert (await operator.get("/fleet/" + "0" * 16))[0] == 404


async def test_revoking_is_recorded_and_its_later_envelopes_wait_in_quarantine(
    centre: Staffed, operator: Browser
) -> None:
    stolen = centre.world.enrol("河口村便民点")

    _, asked_first = await operator.get(page_of(stolen))
    _, _, location = await operator.post(f"{page_of(stolen)}/revoke")
    _, text = await operator.get(location)

    assert "这个动作不能撤回" in asked_first
    assert "已撤销" in text
    assert "撤销这台终端" not in text
    row = await centre.app[keys.STORE].read(fleet.kiosk, stolen.keys.kiosk_id.hex())
    assert row is not None
    assert row.state == "revoked"
    last = (await centre.app[keys.STORE].read(people.staff_events, limit=1))[0]
    assert (last.actor, last.action, last.subject) == ("zhouming", "revoked_kiosk", "2")


async def test_code_is_shown_once_and_only_its_first_part_is_kept(
    centre: Staffed, operator: Browser
) -> None:
    status, text, _ = await operator.post(
        "/fleet/code", [("name", "新坪村便民点"), ("village", VILLAGE)]
    )

    found = re.search(r"data-secret>([0-9A-Z-]+)<", text)
    assert found is not None
    assert (status, len(found[1])) == (200, 14)
    again = (await operator.get("/fleet/code"))[1]
    assert found[1] not in again
    assert locator_of(found[1]) in again
    assert found[1] not in "\n".join(centre.world.dump())
    last = (await centre.app[keys.STORE].read(people.staff_events, limit=1))[0]
    assert (last.action, last.subject) == ("made_code", "新坪村便民点")


@pytest.mark.parametrize(
    ("name", "village", "words"),
    [("", VILLAGE, "请写服务点名称"), ("x" * 41, VILLAGE, "最多 40"), ("新坪", "9", "请选一个村")],
)
async def test_code_for_nowhere_is_refused(
    operator: Browser, name: str, village: str, words: str
) -> None:
    status, text, _ = await operator.post("/fleet/code", [("name", name), ("village", village)])

    assert (status, words in text) == (422, True)


async def test_no_dead_letters_is_said_kindly(operator: Browser) -> None:
    assert "没有死信" in (await operator.get("/letters"))[1]


async def test_dead_letter_says_why_and_is_put_back(
    centre: Staffed, operator: Browser, kiosk: Kiosk
) -> None:
    await centre.bury(kiosk)

    _, before = await operator.get("/letters")
    found = re.search(r'name="letter" value="(\d+)">重放', before)
    assert found is not None
    _, _, location = await operator.post("/letters/replay", [("letter", found[1])])
    _, after = await operator.get(location)

    assert "拆开了，但内容读不懂" in before
    assert "已放回，正在重新处理" in after
    last = (await centre.app[keys.STORE].read(people.staff_events, limit=1))[0]
    assert (last.actor, last.action, last.subject) == ("zhouming", "replayed", found[1])


async def test_letter_that_is_gone_is_said(centre: Staffed, operator: Browser) -> None:
    _, _, location = await operator.post("/letters/replay", [("letter", "999999")])

    assert "已经不在死信里了" in (await operator.get(location))[1]
    assert (await operator.post("/letters/replay", [("letter", "1; DROP")]))[0] == 400


def test_every_reason_of_a_dead_letter_has_words() -> None:
    zh = words_of("zh-CN")
    letter = DeadLetter(1, 1, 1, "novel", "", 1, 0, 0)
    documented = re.findall(r'"(\w+)"', documented_reasons())

    assert [reason for reason in documented if f"reason.{reason}" not in zh] == []
    assert reason_of(letter, zh) == "停下的原因：novel。"


def documented_reasons() -> str:
    """The reasons that server/store/rows.py documents."""
    source = Path(rows.__file__).read_text("utf-8")
    return source.split("class DeadLetter(")[1].split("reason: str")[0].split("seq: int")[1]


async def test_live_stream_draws_at_once_and_after_a_change(
    centre: Staffed, operator: Browser, kiosk: Kiosk
) -> None:
    async with (
        asyncio.timeout(PATIENCE_S),
        operator.session.get(f"{operator.base}/live/fleet") as stream,
    ):
        first = await _event(stream)
        await centre.send(kiosk.request(pending=33))
        second = await _event(stream)

    assert stream.headers["Content-Type"] == "text/event-stream"
    assert "石门村便民点" in first
    assert "<b>33</b>" not in first
    assert "<b>33</b>" in second


async def test_live_stream_ends_with_the_session(
    centre: Staffed, operator: Browser, kiosk: Kiosk
) -> None:
    async with (
        asyncio.timeout(PATIENCE_S),
        operator.session.get(f"{operator.base}/live/fleet") as stream,
    ):
        await _event(stream)
        await operator.post("/logout")
        await centre.send(kiosk.request())
        last = await _event(stream)
        rest = await stream.content.read()

    assert (last, rest) == ("event: end\ndata:\n", b"")
    assert centre.app[live.STREAMS] == set()


async def test_live_queue_shows_a_new_case(centre: Staffed, kiosk: Kiosk) -> None:
    clerk = await centre.signed_in("limin")
    async with (
        asyncio.timeout(PATIENCE_S),
        clerk.session.get(f"{clerk.base}/live/desk") as stream,
    ):
        await _event(stream)
        case_no = await centre.confirm(kiosk)
        drawn = await _event(stream)

    assert f"/desk/{case_no}" in drawn


async def test_change_while_a_page_is_drawn_is_not_missed() -> None:
    broadcast = Broadcast()
    ticks = beats(broadcast, {"fleet"})

    await anext(ticks)
    await asyncio.sleep(0)
    broadcast.publish("cases")
    broadcast.publish("fleet")
    async with asyncio.timeout(PATIENCE_S):
        await anext(ticks)
    await ticks.aclose()

    assert broadcast.count == 0


def test_event_keeps_every_line_of_the_fragment() -> None:
    assert event("<p>\n\n</p>") == b"data: <p>\ndata: \ndata: </p>\n\n"


async def _event(stream: aiohttp.ClientResponse) -> str:
    lines = []
    while (line := await stream.content.readline()) not in (b"\n", b""):
        lines.append(line.decode())
    return "".join(lines)


def test_device_is_told_in_words_and_one_without_words_as_it_was_reported() -> None:
    words = words_of("en")

    told = [
        device_told("voice", "missing", words),
        device_told("card_reader", "no answer", words),
    ]

    assert told == ["some sentences have no sound", "card_reader: no answer"]
