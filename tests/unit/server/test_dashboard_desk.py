"""The desk against the real store, vault and worker: look for a purpose, decide, be recorded."""

import re
from collections.abc import AsyncIterator

import pytest

from server import keys
from server.store import cases
from sync.ids import spaced
from sync.records import Attachment, Notice
from tests.unit.server.staffed import DEPARTMENT, Browser, Staffed, staffed
from tests.unit.server.world import HELPER_REQUEST, VILLAGE, Kiosk

NAME, PHONE = HELPER_REQUEST["name"], HELPER_REQUEST["phone"]
FIELDS = [("field", "name"), ("field", "phone")]
DAY_MS = 86_400_000
#: The smallest picture that a browser draws.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f64540"
    "0000000049454e44ae426082"
)


@pytest.fixture(scope="module")
async def centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Staffed]:
    async with staffed(tmp_path_factory.mktemp("desk") / "c") as centre:
        yield centre


@pytest.fixture(scope="module")
def kiosk(centre: Staffed) -> Kiosk:
    return centre.world.enrol("石门村便民点")


@pytest.fixture
async def clerk(centre: Staffed) -> Browser:
    return await centre.signed_in("limin", shown_name="李敏")


@pytest.fixture
async def case_no(centre: Staffed, kiosk: Kiosk) -> str:
    return await centre.confirm(kiosk)


async def notices(centre: Staffed, kiosk: Kiosk) -> list[Notice]:
    """What the kiosk is told at its next exchange."""
    return kiosk.notices(centre.world.exchange(kiosk, kiosk.request()))


async def state(centre: Staffed, case_no: str) -> str:
    case = await centre.app[keys.STORE].read(cases.get, case_no)
    assert case is not None
    return case.state


async def test_new_case_stands_in_the_queue_without_a_word_about_a_person(
    centre: Staffed, clerk: Browser, case_no: str
) -> None:
    status, text = await clerk.get("/desk")

    assert status == 200
    assert spaced(case_no) in text
    assert "请村里帮忙办" in text
    assert NAME not in text


async def test_queue_shows_the_most_urgent_first(
    centre: Staffed, clerk: Browser, kiosk: Kiosk
) -> None:
    older = await centre.confirm(kiosk)
    centre.clock.ms += 3 * DAY_MS
    newer = await centre.confirm(kiosk)
    later = await centre.signed_in("later")

    _, text = await later.get("/desk")

    assert text.index(older) < text.index(newer)
    assert "超期" in text


async def test_queue_is_filtered_by_state_and_service(
    centre: Staffed, clerk: Browser, case_no: str
) -> None:
    await clerk.post(f"/desk/{case_no}/decide", [("action", "accept")])

    async def shown(query: str) -> bool:
        return case_no in (await clerk.get(f"/desk{query}"))[1]

    assert await shown("?state=accepted")
    assert await shown("?state=accepted&service=helper_request")
    assert not await shown("?state=received")
    assert not await shown("?service=proof_letter")
    # What an address cannot mean is not asked.
    assert await shown("?state=nonsense&page=-7")


async def test_clerk_with_nothing_to_do_is_told_so(centre: Staffed) -> None:
    idle = await centre.signed_in("idle", departments=("财政局",))

    assert "都办完了" in (await idle.get("/desk"))[1]
    assert "看全部待办" in (await idle.get("/desk?state=refused"))[1]


@pytest.mark.parametrize(
    ("departments", "village_prefix"),
    [(("民政局",), ""), ((DEPARTMENT,), "530121"), (("村民",), "")],
)
async def test_case_of_others_is_not_there(
    centre: Staffed, case_no: str, departments: tuple[str, ...], village_prefix: str
) -> None:
    name = f"other{len(departments[0])}{village_prefix}"
    other = await centre.signed_in(name, departments=departments, village_prefix=village_prefix)
    own = [f"/desk/{case_no}", "/desk/999900000149", "/desk/x"]

    pages = {re.sub("[0-9]{12}", "", (await other.get(path))[1]) for path in own[:2]}

    assert [(await other.get(path))[0] for path in own] == [404, 404, 404]
    # The same page whether the case exists or not.
    assert len(pages) == 1
    for path in ("reveal", "decide", "file/0"):
        status, _, _ = await other.post(
            f"/desk/{case_no}/{path}", [("purpose", "check"), ("action", "accept"), *FIELDS]
        )
        assert status == 404
    assert await state(centre, case_no) == "received"
    assert case_no not in (await other.get("/desk?state=all"))[1]


async def test_clerk_of_the_area_sees_the_case(centre: Staffed, case_no: str) -> None:
    near = await centre.signed_in(f"near{case_no}", village_prefix=VILLAGE[:9])

    assert (await near.get(f"/desk/{case_no}"))[0] == 200


async def test_answers_are_hidden_until_a_purpose_is_given(clerk: Browser, case_no: str) -> None:
    _, before = await clerk.get(f"/desk/{case_no}")
    refused = await clerk.post(f"/desk/{case_no}/reveal", FIELDS)

    assert NAME not in before + refused[1]
    assert (refused[0], "请选一个理由" in refused[1]) == (422, True)


async def test_opened_answers_are_shown_once_and_recorded_first(
    centre: Staffed, clerk: Browser, case_no: str
) -> None:
    vault = centre.app[keys.VAULT]
    entries_before = (await vault.ledger_state()).size

    status, text, location = await clerk.post(
        f"/desk/{case_no}/reveal", [("purpose", "call"), *FIELDS]
    )

    assert (status, location) == (200, "")
    assert NAME in text
    assert PHONE in text
    assert "来家里吗</dt>" not in text, "only what was asked for"
    entry = (await vault.ledger(1))[0]
    assert (entry.number, entry.actor, entry.role) == (entries_before + 1, "limin", "clerk")
    assert (entry.purpose, entry.case_no, entry.detail) == ("联系居民核实", case_no, "name phone")
    assert NAME not in (await clerk.get(f"/desk/{case_no}"))[1]


async def test_opened_page_is_kept_by_nobody(centre: Staffed, clerk: Browser, case_no: str) -> None:
    async with clerk.session.post(
        f"{clerk.base}/desk/{case_no}/reveal",
        data=[("csrf", clerk.csrf), ("purpose", "check"), *FIELDS],
        headers={"Sec-Fetch-Site": "same-origin"},
    ) as answer:
        text = await answer.text()
        assert answer.headers["Cache-Control"] == "no-store"
        assert "'unsafe-inline'" not in answer.headers["Content-Security-Policy"]
        assert NAME not in str(answer.url)

    assert NAME in text
    assert NAME not in "\n".join(centre.world.dump())


async def test_script_in_an_answer_is_text_at_the_desk(
    centre: Staffed, clerk: Browser, kiosk: Kiosk
) -> None:
    hostile = {**HELPER_REQUEST, "name": "<script>alert(1)</script>=HYPERLINK(0)"}
    case_no = await centre.confirm(kiosk, hostile)

    _, text, _ = await clerk.post(f"/desk/{case_no}/reveal", [("purpose", "check"), *FIELDS])

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert" not in text


async def test_own_words_are_a_purpose(centre: Staffed, clerk: Browser, case_no: str) -> None:
    await clerk.post(f"/desk/{case_no}/reveal", [("purpose_words", " 居民打电话  来问 "), *FIELDS])

    assert (await centre.app[keys.VAULT].ledger(1))[0].purpose == "居民打电话 来问"


async def test_purpose_that_would_look_different_in_the_record_is_refused(
    centre: Staffed, clerk: Browser, case_no: str
) -> None:
    before = (await centre.app[keys.VAULT].ledger_state()).size

    status, text, _ = await clerk.post(
        f"/desk/{case_no}/reveal", [("purpose_words", "核对\u202e家庭人口"), *FIELDS]
    )

    assert (status, "看不见的控制符" in text) == (422, True)
    assert (await centre.app[keys.VAULT].ledger_state()).size == before


@pytest.mark.parametrize("fields", [[], [("field", "nonsense")]])
async def test_nothing_asked_for_opens_nothing(
    centre: Staffed, clerk: Browser, case_no: str, fields: list[tuple[str, str]]
) -> None:
    before = (await centre.app[keys.VAULT].ledger_state()).size

    status, text, _ = await clerk.post(f"/desk/{case_no}/reveal", [("purpose", "check"), *fields])

    assert (status, "请至少勾一项" in text) == (422, True)
    assert (await centre.app[keys.VAULT].ledger_state()).size == before


async def test_file_is_opened_into_a_frame_for_the_same_purpose(
    centre: Staffed, clerk: Browser, kiosk: Kiosk
) -> None:
    answers = {**HELPER_REQUEST, "say": "1"}
    sound = Attachment("say", 0, "audio/ogg", b"OggS" + bytes(200))
    case_no = await centre.confirm(kiosk, answers, attachments=[sound])

    _, opened, _ = await clerk.post(f"/desk/{case_no}/reveal", [("purpose", "check"), *FIELDS])
    status, text, _ = await clerk.post(f"/desk/{case_no}/file/0", [("purpose_words", "审核材料")])

    assert "附件 1 · 再说两句" in opened
    assert (status, 'src="data:audio/ogg;base64,T2dnU' in text) == (200, True)
    entry = (await centre.app[keys.VAULT].ledger(1))[0]
    assert (entry.action, entry.purpose, entry.case_no) == (
        "open_attachment",
        "审核材料",
        case_no,
    )


@pytest.mark.parametrize(("index", "status"), [("7", 422), ("x", 422), ("99999999", 422)])
async def test_file_that_is_not_there_is_said(
    clerk: Browser, case_no: str, index: str, status: int
) -> None:
    found, text, _ = await clerk.post(
        f"/desk/{case_no}/file/{index}", [("purpose_words", "审核材料")]
    )

    assert found == status
    assert "problem" in text


async def test_file_page_may_stand_in_our_own_frame_only(clerk: Browser, case_no: str) -> None:
    async with clerk.session.post(
        f"{clerk.base}/desk/{case_no}/file/0",
        data={"csrf": clerk.csrf, "purpose": "check"},
        headers={"Sec-Fetch-Site": "same-origin"},
    ) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'self'" in policy
        assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"


async def test_accepting_takes_one_step_and_tells_the_resident(
    centre: Staffed, clerk: Browser, kiosk: Kiosk, case_no: str
) -> None:
    _, _, location = await clerk.post(f"/desk/{case_no}/decide", [("action", "accept")])

    _, text = await clerk.get(location)
    assert (location, "已受理。" in text) == ("/desk", True)
    assert await state(centre, case_no) == "accepted"
    told = [notice for notice in await notices(centre, kiosk) if notice.case_no == case_no]
    assert [notice.kind for notice in told] == ["received", "accepted"]


CORRECT = [
    ("action", "correct"),
    ("missing", "phone"),
    ("reason", "fix_phone"),
    ("words", "请留能打通的号。"),
    ("correct_by", "2026-12-31"),
]


async def test_correction_is_shown_once_more_before_it_goes_out(
    centre: Staffed, clerk: Browser, kiosk: Kiosk, case_no: str
) -> None:
    status, text, _ = await clerk.post(f"/desk/{case_no}/decide", CORRECT)

    assert (status, await state(centre, case_no)) == (200, "received")
    assert "请居民补材料？" in text
    assert "还差：联系电话" in text
    assert "12月31日" in text
    assert "请留能打通的号。" in text

    _, _, location = await clerk.post(f"/desk/{case_no}/decide", [*CORRECT, ("confirmed", "yes")])
    assert (location, await state(centre, case_no)) == ("/desk", "correction")
    told = [notice for notice in await notices(centre, kiosk) if notice.kind == "correction"]
    assert (told[-1].missing, told[-1].words) == (("phone",), "请留能打通的号。")
    assert (told[-1].correct_by, told[-1].reason_code) == ("2026-12-31", "fix_phone")
    # The clerk's words are sealed for the kiosk and lie nowhere at the centre.
    assert "请留能打通的号" not in "\n".join(centre.world.dump())


async def test_going_back_keeps_what_was_written(clerk: Browser, case_no: str) -> None:
    _, text, _ = await clerk.post(f"/desk/{case_no}/decide", [*CORRECT, ("edit", "yes")])

    assert '<details class="act correct" open>' in text
    assert 'value="phone" checked' in text
    assert "请留能打通的号。</textarea>" in text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ([("action", "refuse")], "请选一个理由"),
        ([("action", "refuse"), ("reason", "invented")], "请选一个理由"),
        ([("action", "correct")], "请勾出缺哪几项"),
        ([("action", "correct"), ("missing", "phone"), ("correct_by", "2020-01-01")], "日期不对"),
        ([("action", "correct"), ("missing", "phone"), ("correct_by", "soon")], "日期不对"),
        ([("action", "complete"), ("words", "好" * 301)], "话太长了"),
        ([("action", "complete"), ("words", "好\x1b了")], "看不见的控制符"),
        ([("action", "complete"), ("words", "好\u202e了")], "看不见的控制符"),
    ],
)
async def test_decision_that_tells_too_little_is_explained(
    centre: Staffed, clerk: Browser, case_no: str, fields: list[tuple[str, str]], words: str
) -> None:
    status, text, _ = await clerk.post(f"/desk/{case_no}/decide", [*fields, ("confirmed", "yes")])

    assert (status, words in text) == (422, True)
    assert await state(centre, case_no) == "received"


async def test_refusal_names_reason_and_remedy(
    centre: Staffed, clerk: Browser, kiosk: Kiosk, case_no: str
) -> None:
    refuse = [("action", "refuse"), ("reason", "no_duplicate")]

    _, text, _ = await clerk.post(f"/desk/{case_no}/decide", refuse)
    await clerk.post(f"/desk/{case_no}/decide", [*refuse, ("confirmed", "yes")])

    assert "这件事已经在办" in text
    assert "60天内申请行政复议" in text
    assert await state(centre, case_no) == "refused"
    assert (await notices(centre, kiosk))[-1].reason_code == "no_duplicate"


async def test_closed_case_offers_nothing_more(
    centre: Staffed, clerk: Browser, case_no: str
) -> None:
    await clerk.post(f"/desk/{case_no}/decide", [("action", "complete"), ("confirmed", "yes")])

    _, text = await clerk.get(f"/desk/{case_no}")
    assert "这件已经办结" in text
    assert 'name="action"' not in text


async def test_decision_that_somebody_else_has_taken_is_said(
    centre: Staffed, clerk: Browser, case_no: str
) -> None:
    complete = [("action", "complete"), ("confirmed", "yes")]
    await clerk.post(f"/desk/{case_no}/decide", complete)

    status, _, location = await clerk.post(f"/desk/{case_no}/decide", complete)
    _, text = await clerk.get(location)

    assert (status, location) == (303, f"/desk/{case_no}")
    assert "这件刚刚被别人办了" in text


async def test_timeline_tells_steps_with_questions_in_words(clerk: Browser, case_no: str) -> None:
    await clerk.post(f"/desk/{case_no}/decide", [*CORRECT, ("confirmed", "yes")])

    _, text = await clerk.get(f"/desk/{case_no}")

    assert "要求补材料" in text
    assert "电话打不通，请留个能接的号。、联系电话" in text
    assert "limin" in text


async def test_form_that_is_none_of_ours_is_refused(clerk: Browser, case_no: str) -> None:
    assert (await clerk.post(f"/desk/{case_no}/decide", [("action", "destroy")]))[0] == 400


async def test_vault_that_is_down_loses_nothing_and_is_said(
    centre: Staffed, clerk: Browser, case_no: str
) -> None:
    socket = centre.world.settings.vault_socket
    aside = socket.with_suffix(".aside")
    socket.rename(aside)
    status, text, _ = await clerk.post(f"/desk/{case_no}/reveal", [("purpose", "check"), *FIELDS])
    aside.rename(socket)

    assert (status, "保险库现在打不开" in text) == (503, True)
    assert NAME not in text


async def test_english_page_says_the_same(centre: Staffed, case_no: str) -> None:
    clerk = await centre.signed_in(f"en{case_no}")

    _, _, location = await clerk.post("/language", [("to", "en"), ("back", f"/desk/{case_no}")])
    _, text = await clerk.get(location)

    assert 'lang="en"' in text
    assert "What the resident filled in" in text
