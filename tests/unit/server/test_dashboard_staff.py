"""The auditor's and the administrator's pages, the public page, and errors as people read them."""

import re
import sqlite3
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from server import keys
from server.dashboard.audit import grouped
from server.dashboard.sign_in import local_path
from server.people.permission import everyone
from server.store import people
from server.store.rows import LedgerEntry
from tests.unit.server.staffed import PASSWORD, Browser, Staffed, staffed

FIELDS = [("purpose", "check"), ("field", "name")]


@pytest.fixture(scope="module")
async def centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Staffed]:
    async with staffed(tmp_path_factory.mktemp("staff") / "c") as centre:
        yield centre


@pytest.fixture
async def auditor(centre: Staffed) -> Browser:
    return await centre.signed_in("zhaolan", "auditor", shown_name="赵兰")


@pytest.fixture
async def admin(centre: Staffed) -> Browser:
    return await centre.signed_in("sunli", "admin", shown_name="孙丽")


def entry(number: int, role: str) -> LedgerEntry:
    return LedgerEntry(number, 0, "a", role, "route", "p", "", "", "", "h")


def test_machine_entries_in_a_row_are_read_as_one() -> None:
    roles = ["machine", "machine", "clerk", "clerk", "machine"]
    entries = [entry(5 - place, role) for place, role in enumerate(roles)]

    groups = [(group.newest.number, group.oldest.number) for group in grouped(entries)]

    assert groups == [(5, 4), (3, 3), (2, 2), (1, 1)]


async def test_auditor_sees_who_looked_and_why_but_not_at_what(
    centre: Staffed, auditor: Browser
) -> None:
    kiosk = centre.world.enrol()
    case_no = await centre.confirm(kiosk)
    clerk = await centre.signed_in("limin", shown_name="李敏")
    await clerk.post(f"/desk/{case_no}/reveal", FIELDS)

    status, text = await auditor.get("/audit")

    assert status == 200
    for word in ("李敏", "limin", "经办人", "看了内容", "审核材料", "请村里帮忙办", "机器拆封核对"):
        assert word in text
    assert f"{case_no[:4]} {case_no[4:8]} {case_no[8:]}" in text
    assert "王秀英" not in text


async def test_chain_is_checked_on_request_and_the_check_is_recorded(
    centre: Staffed, auditor: Browser
) -> None:
    status, text, _ = await auditor.post("/audit/check")

    assert status == 200
    assert re.search(r"完整：\d+ 条，一条不差。", text)
    last = (await centre.app[keys.STORE].read(people.staff_events, limit=1))[0]
    assert (last.actor, last.action) == ("zhaolan", "checked_ledger")


async def test_changed_record_is_told_loudly(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with staffed(tmp_path_factory.mktemp("forged") / "c") as centre:
        await centre.confirm(centre.world.enrol())
        auditor = await centre.signed_in("zhaolan", "auditor")
        with sqlite3.connect(centre.world.settings.vault_dir / "audit.db") as ledger:
            ledger.execute("DROP TRIGGER entries_stay")
            ledger.execute("UPDATE entries SET purpose = 'nothing to see'")
        ledger.close()

        _, text, _ = await auditor.post("/audit/check")

    assert "记录被改动过" in text
    assert 'role="alert"' in text


async def test_staff_acts_are_seen_by_auditor_and_administrator(
    centre: Staffed, auditor: Browser, admin: Browser
) -> None:
    for browser, path in ((auditor, "/audit/staff"), (admin, "/people/events")):
        status, text = await browser.get(path)

        assert status == 200
        assert "登录" in text


async def test_administrator_makes_an_account_whose_password_is_shown_once(
    centre: Staffed, admin: Browser
) -> None:
    status, text, _ = await admin.post(
        "/people",
        [
            ("name", "Wangfang"),
            ("shown", "王芳"),
            ("role", "clerk"),
            ("department", "民政局"),
            ("prefix", "522326104"),
        ],
    )

    found = re.search(r"data-secret>([0-9A-Z-]+)<", text)
    assert (status, found is not None) == (200, True)
    assert found is not None
    assert found[1] not in (await admin.get("/people"))[1]
    made = await centre.app[keys.STORE].read(people.account_of_name, "wangfang")
    assert made is not None
    assert (made[0].shown_name, made[0].departments, made[0].must_change) == (
        "王芳",
        ("民政局",),
        True,
    )
    newcomer = centre.browser()
    assert await newcomer.sign_in("wangfang", found[1]) == 303
    assert await newcomer.where("/desk") == "/password"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ([("name", "x y"), ("role", "operator")], "用户名只能用"),
        ([("name", "watcher"), ("role", "auditor")], "审计员的账号不由管理员开设"),
        ([("name", "clerk2"), ("role", "clerk")], "经办人要有所属部门"),
        ([("name", "sunli"), ("role", "operator")], "已经用过了"),
        ([], "用户名只能用"),
    ],
)
async def test_account_that_cannot_be_made_is_explained(
    admin: Browser, fields: list[tuple[str, str]], words: str
) -> None:
    status, text, _ = await admin.post("/people", fields)

    assert (status, words in text) == (422, True)


async def test_disabling_asks_once_and_ends_the_sessions(centre: Staffed, admin: Browser) -> None:
    leaver = await centre.signed_in("leaver", shown_name="老李")

    _, asked, _ = await admin.post("/people/leaver/disable")
    still_in = (await leaver.get("/desk"))[0]
    _, done, _ = await admin.post("/people/leaver/disable", [("confirmed", "yes")])

    assert "停用 老李？" in asked
    assert still_in == 200
    assert "老李 已停用" in done
    assert (await leaver.get("/desk"))[0] == 303
    _, again, _ = await admin.post("/people/leaver/enable")
    assert "老李 已恢复" in again


async def test_reset_gives_a_password_for_one_sign_in(centre: Staffed, admin: Browser) -> None:
    await centre.account("forgetful")

    _, text, _ = await admin.post("/people/forgetful/reset", [("confirmed", "yes")])

    found = re.search(r"data-secret>([0-9A-Z-]+)<", text)
    assert found is not None
    assert await centre.browser().sign_in("forgetful", PASSWORD) == 403
    assert await centre.browser().sign_in("forgetful", found[1]) == 303


@pytest.mark.parametrize("act", ["disable", "reset"])
async def test_administrator_can_touch_neither_watcher_nor_self(
    centre: Staffed, admin: Browser, auditor: Browser, act: str
) -> None:
    before = await centre.app[keys.STORE].read(people.accounts)

    watcher = await admin.post(f"/people/zhaolan/{act}", [("confirmed", "yes")])
    oneself = await admin.post(f"/people/sunli/{act}", [("confirmed", "yes")])
    nobody = await admin.post(f"/people/nobody/{act}", [("confirmed", "yes")])

    assert (watcher[0], oneself[0], nobody[0]) == (422, 422, 404)
    assert "审计员的账号不由管理员开设" in watcher[1]
    assert await centre.app[keys.STORE].read(people.accounts) == before


async def test_public_page_lists_services_with_the_promised_days(centre: Staffed) -> None:
    status, text = await centre.browser().get("/")

    assert status == 200
    assert "高龄补贴" in text
    assert "10 个工作日办好" in text
    assert "12345" in text


async def test_page_of_an_unpublished_catalogue_says_so(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with staffed(tmp_path_factory.mktemp("bare") / "c", is_published=False) as centre:
        clerk = await centre.signed_in("limin")
        operator = await centre.signed_in("zhouming", "operator")

        assert "还没有发布" in (await clerk.get("/services"))[1]
        assert (await clerk.get("/desk"))[0] == 200
        assert "村名册还没有发布" in (await operator.get("/fleet/code"))[1]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nowhere", 404, "没有这一页"),
        ("/static/../guard.py", 404, "没有这一页"),
        ("/static/secret.css", 404, "没有这一页"),
        ("/logout", 405, "不能这样打开"),
    ],
)
async def test_error_is_a_page_in_plain_words(
    centre: Staffed, path: str, status: int, words: str
) -> None:
    found, text = await centre.browser().get(path)

    assert (found, words in text) == (status, True)


async def test_fault_shows_no_trace_and_no_secret(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    @everyone
    async def broken(_request: web.Request) -> web.StreamResponse:
        raise RuntimeError("a secret of 王秀英")

    async with staffed(
        tmp_path_factory.mktemp("broken") / "c", routes=[web.get("/broken", broken)]
    ) as centre:
        status, text = await centre.browser().get("/broken")

    assert (status, "中心出了点问题" in text) == (500, True)
    assert "RuntimeError" not in text
    assert "王秀英" not in text


async def test_route_that_forgot_its_roles_is_closed_to_all(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async def forgotten(_request: web.Request) -> web.StreamResponse:
        return web.Response(text="open")

    async with staffed(
        tmp_path_factory.mktemp("forgot") / "c", routes=[web.get("/forgotten", forgotten)]
    ) as centre:
        assert (await centre.browser().get("/forgotten"))[0] == 403
        assert (await (await centre.signed_in("x", "admin")).get("/forgotten"))[0] == 403


@pytest.mark.parametrize("path", ["/", "/login", "/nowhere", "/static/app.css", "/logout"])
async def test_every_answer_has_the_safe_headers(centre: Staffed, path: str) -> None:
    browser = centre.browser()
    async with browser.session.get(browser.base + path, allow_redirects=False) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_redirects_have_the_safe_headers_too(centre: Staffed) -> None:
    browser = centre.browser()
    async with browser.session.get(f"{browser.base}/desk", allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["Cache-Control"] == "no-store"


async def test_static_files_are_cached_by_their_content(centre: Staffed) -> None:
    browser = centre.browser()
    _, text = await browser.get("/login")
    address = re.search(r'href="(/static/app\.css\?[0-9a-f]{12})"', text)
    assert address is not None

    async with browser.session.get(browser.base + address[1]) as answer:
        assert answer.content_type == "text/css"
        assert "immutable" in answer.headers["Cache-Control"]


async def test_language_is_remembered_and_leads_back(centre: Staffed) -> None:
    browser = centre.browser()

    _, _, location = await browser.post("/language", [("to", "en"), ("back", "/login?next=/desk")])
    _, text = await browser.get(location)

    assert location == "/login?next=/desk"
    assert "Staff sign-in" in text


@pytest.mark.parametrize(
    "text", ["//evil.example", "https://evil.example", "/\\evil.example", "desk", "", "/a\nb"]
)
def test_only_a_path_of_ours_leads_back(text: str) -> None:
    assert local_path(text) == ""
