"""Who may open which page: every route, every role, every kind of forged request."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from server import keys
from server.people.accounts import ROLES
from server.people.permission import PUBLIC, is_machine_path, require, roles_of
from server.store import people
from tests.unit.server.staffed import PASSWORD, SAME_ORIGIN, Browser, Staffed, staffed

MINUTE_MS = 60_000
#: What a role reaches; the rest of the staff's pages is closed to it.
HOMES = {"clerk": "/desk", "operator": "/fleet", "auditor": "/audit", "admin": "/people"}


@pytest.fixture(scope="module")
async def centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Staffed]:
    async with staffed(tmp_path_factory.mktemp("guard") / "c") as centre:
        for role in ROLES:
            await centre.account(f"the.{role}", role)
        yield centre


def routes(centre: Staffed) -> list[tuple[str, str, web.AbstractRoute]]:
    found = []
    for route in centre.app.router.routes():
        assert route.resource is not None
        found.append((route.method, route.resource.canonical, route))
    return found


def test_every_route_names_its_roles(centre: Staffed) -> None:
    unnamed = [
        (method, path)
        for method, path, route in routes(centre)
        if not is_machine_path(path) and roles_of(route.handler) is None
    ]

    assert len(routes(centre)) > 30
    assert unnamed == []


def test_public_pages_are_these_and_no_others(centre: Staffed) -> None:
    public = {
        f"{method} {path}"
        for method, path, route in routes(centre)
        if method != "HEAD" and not is_machine_path(path) and roles_of(route.handler) == PUBLIC
    }

    assert public == {
        "GET /",
        "GET /services",
        "GET /static/{name}",
        "GET /favicon.ico",
        "GET /robots.txt",
        "GET /login",
        "POST /login",
        "POST /language",
        "GET /C/{digits}",
        "GET /c/{digits}",
        "GET /r",
        "GET /r/{case_no}",
        "GET /carry",
        "GET /CARRY",
        "GET /carry/{name}",
    }


def test_nothing_but_the_courier_changes_anything_by_get(centre: Staffed) -> None:
    acts = {"logout", "reveal", "decide", "revoke", "replay", "check", "disable", "reset", "file"}

    by_get = [
        path
        for method, path, _ in routes(centre)
        if method in ("GET", "HEAD") and acts & set(path.replace("{", "/").split("/"))
    ]

    assert by_get == []


def test_handler_without_roles_cannot_be_marked_by_mistake() -> None:
    with pytest.raises(ValueError, match="nobody"):
        require("nobody")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"\(\)"):
        require()


async def test_each_role_reaches_its_own_pages_and_no_others(centre: Staffed) -> None:
    concrete = {
        "case_no": "000100000114", "kiosk_id": "0" * 16, "index": "0", "name": "x", "number": "1",
    }  # fmt: skip
    for role in ROLES:
        browser = await centre.signed_in(f"walks.{role}", role)
        for method, path, route in routes(centre):
            roles = roles_of(route.handler)
            if method != "GET" or is_machine_path(path) or not roles or "live" in path:
                continue
            status, _ = await browser.get(path.format(**concrete))

            assert (status == 403) is (role not in roles), (role, path, status)


async def test_post_of_another_role_is_refused_too(centre: Staffed) -> None:
    clerk = centre.browser()
    await clerk.sign_in("the.clerk")

    for path in ("/people", "/letters/replay", "/fleet/code", "/audit/check"):
        status, _, _ = await clerk.post(path)

        assert status == 403, path


async def test_stranger_is_sent_to_sign_in_and_back(centre: Staffed) -> None:
    browser = centre.browser()

    assert await browser.where("/desk?state=all") == "/login?next=/desk?state%3Dall"
    status, _, location = await browser.post(
        "/login", [("name", "the.clerk"), ("password", PASSWORD), ("next", "/desk?state=all")]
    )

    assert (status, location) == (303, "/desk?state=all")


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example"])
async def test_sign_in_leads_to_our_own_pages_only(centre: Staffed, target: str) -> None:
    browser = centre.browser()

    _, _, location = await browser.post(
        "/login", [("name", "the.clerk"), ("password", PASSWORD), ("next", target)]
    )

    assert location == "/desk"


@pytest.mark.parametrize(
    ("headers", "has_token"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Origin": "https://evil.example"}, True),
        ({"Origin": "null"}, True),
        (SAME_ORIGIN, False),
    ],
)
async def test_forged_form_is_refused(
    centre: Staffed, headers: dict[str, str], has_token: bool
) -> None:
    admin = centre.browser()
    await admin.sign_in("the.admin")
    before = await centre.app[keys.STORE].read(people.accounts)

    status, _, _ = await admin.post(
        "/people",
        [("name", "mallory"), ("role", "admin")],
        headers=headers,
        csrf=admin.csrf if has_token else "0" * 64,
    )

    assert status == 403
    assert await centre.app[keys.STORE].read(people.accounts) == before


async def test_form_of_an_old_browser_is_known_by_its_origin(centre: Staffed) -> None:
    admin = centre.browser()
    await admin.sign_in("the.admin")

    status, _, location = await admin.post("/logout", headers={"Origin": centre.base})

    assert (status, location) == (303, "/login")


async def test_huge_form_is_refused_before_it_is_read(centre: Staffed) -> None:
    browser = centre.browser()

    status, text, _ = await browser.post("/login", [("name", "x" * 70_000)])

    assert (status, "内容太大" in text) == (413, True)


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("content_type", "encoding", "body"),
    [
        ("multipart/form-data", "", b"name=a"),
        ("multipart/form-data; boundary=x", "", b"--x\r\nno end"),
        (f"{FORM}; charset=nonsense", "", b"name=a&password=b"),
        (FORM, "", b"name=\xff\xfe&password=%ff%00"),
        (FORM, "gzip", b"\x1f\x8b\x08junk"),
    ],
)
async def test_form_that_cannot_be_read_is_no_fault_of_ours(
    centre: Staffed, content_type: str, encoding: str, body: bytes
) -> None:
    headers = {**SAME_ORIGIN, "Content-Type": content_type}
    headers |= {"Content-Encoding": encoding} if encoding else {}
    browser = centre.browser()

    async with browser.session.post(
        f"{browser.base}/login", data=body, headers=headers, allow_redirects=False
    ) as answer:
        assert answer.status == 400
        assert answer.content_type == "text/html"


@pytest.mark.parametrize("back", ["//[", "/\x7f", "/\x85", "/\u2028", "/\r\nX-Evil: 1", "/desk\t"])
async def test_odd_way_back_leads_to_the_first_page(centre: Staffed, back: str) -> None:
    browser = centre.browser()

    async with browser.session.post(
        f"{browser.base}/language",
        data={"to": "en", "back": back},
        headers=SAME_ORIGIN,
        allow_redirects=False,
    ) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/")


async def test_cookie_is_kept_from_scripts_and_other_sites(centre: Staffed) -> None:
    browser = centre.browser()

    await browser.sign_in("the.clerk")

    cookie = next(iter(browser.session.cookie_jar))
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    token = cookie.value
    dump = "\n".join(centre.world.dump())
    assert token not in dump


async def test_cookie_behind_https_is_bound_to_this_host(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with staffed(
        tmp_path_factory.mktemp("tls") / "c", public_url="https://centre.example"
    ) as centre:
        await centre.account("limin")
        browser = centre.browser()
        async with browser.session.post(
            f"{browser.base}/login",
            data={"name": "limin", "password": PASSWORD},
            headers=SAME_ORIGIN,
            allow_redirects=False,
        ) as answer:
            cookie = answer.cookies["__Host-staff"]

    assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")


async def test_cookie_without_the_prefix_opens_nothing_behind_https(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A neighbour's host may set a plain cookie for ours, never one with the prefix."""
    async with staffed(
        tmp_path_factory.mktemp("plain") / "c", public_url="https://centre.example"
    ) as centre:
        signed_in = await centre.signed_in("limin")
        token = next(iter(signed_in.session.cookie_jar)).value
        browser = centre.browser()

        plain = await browser.get("/desk", Cookie=f"staff={token}")
        bound = await browser.get("/desk", Cookie=f"__Host-staff={token}")

    assert (plain[0], bound[0]) == (303, 200)


async def test_new_token_at_every_sign_in(centre: Staffed) -> None:
    tokens = []
    for _ in range(2):
        browser = centre.browser()
        await browser.sign_in("the.clerk")
        tokens.append(next(iter(browser.session.cookie_jar)).value)

    assert len(set(tokens)) == 2


async def test_invented_cookie_opens_nothing(centre: Staffed) -> None:
    browser = centre.browser()

    assert await browser.get("/desk", Cookie="staff=" + "0" * 64) == (303, "303: See Other")


async def test_session_ends_when_nobody_uses_it(centre: Staffed) -> None:
    clerk = centre.browser()
    await clerk.sign_in("the.clerk")

    centre.clock.ms += 14 * MINUTE_MS
    assert (await clerk.get("/desk"))[0] == 200
    centre.clock.ms += 14 * MINUTE_MS
    assert (await clerk.get("/desk"))[0] == 200
    centre.clock.ms += 15 * MINUTE_MS
    assert (await clerk.get("/desk"))[0] == 303


async def test_page_that_refreshes_itself_keeps_nobody_signed_in(centre: Staffed) -> None:
    operator = centre.browser()
    await operator.sign_in("the.operator")

    statuses = []
    for _ in range(3):
        centre.clock.ms += 5 * MINUTE_MS
        statuses.append((await operator.get("/fleet?auto=1"))[0])

    assert statuses == [200, 200, 303]


async def test_session_ends_after_eight_hours_of_work(centre: Staffed) -> None:
    clerk = centre.browser()
    await clerk.sign_in("the.clerk")

    statuses = set()
    for _ in range(8 * 6 - 1):
        centre.clock.ms += 10 * MINUTE_MS
        statuses.add((await clerk.get("/desk"))[0])
    centre.clock.ms += 10 * MINUTE_MS

    assert statuses == {200}
    assert (await clerk.get("/desk"))[0] == 303


async def test_signing_out_everywhere_ends_other_browsers(centre: Staffed) -> None:
    here, there = centre.browser(), centre.browser()
    await here.sign_in("the.clerk")
    await there.sign_in("the.clerk")

    status, _, location = await here.post("/logout/everywhere")

    assert (status, location) == (303, "/login")
    assert ((await here.get("/desk"))[0], (await there.get("/desk"))[0]) == (303, 303)


async def test_wrong_password_and_unknown_name_are_told_alike(centre: Staffed) -> None:
    first, second = centre.browser(), centre.browser()

    wrong = await first.post("/login", [("name", "the.clerk"), ("password", "not this one, no")])
    unknown = await second.post("/login", [("name", "nobody"), ("password", "not this one, no")])

    assert (wrong[0], unknown[0]) == (403, 403)
    assert wrong[1].replace("the.clerk", "nobody") == unknown[1]


async def test_what_was_typed_as_a_name_is_not_kept(centre: Staffed) -> None:
    """People type passwords into the name field."""
    stranger = centre.browser()

    statuses = [await stranger.sign_in("my secret herons 7", "x") for _ in range(6)]

    assert "my secret herons 7" not in "\n".join(centre.world.dump())
    # Names that do not exist wait like those that do, or the delay would tell which is which.
    assert statuses == [403] * 5 + [429]


async def test_guesser_waits_longer_each_time_and_the_account_is_not_locked(
    centre: Staffed,
) -> None:
    await centre.account("guessed")
    guesser = centre.browser()

    statuses = [await guesser.sign_in("guessed", f"wrong password {n}") for n in range(7)]
    # The right password at once would tell a guesser when to stop waiting.
    early = await guesser.sign_in("guessed")
    centre.clock.ms += 2000
    late = await guesser.sign_in("guessed")

    assert statuses == [403, 403, 403, 403, 403, 429, 429]
    assert (early, late) == (429, 303)


async def test_borrowed_password_opens_nothing_until_it_is_replaced(centre: Staffed) -> None:
    await centre.account("fresh", must_change=True)
    fresh = centre.browser()
    await fresh.sign_in("fresh")

    assert await fresh.where("/desk") == "/password"
    fields = [
        ("current", PASSWORD),
        ("new", "seven green kettles"),
        ("again", "seven green kettles"),
    ]
    status, _, location = await fresh.post("/password", fields)

    assert (status, location) == (303, "/desk")
    assert (await fresh.get("/desk"))[0] == 200


@pytest.mark.parametrize(
    ("current", "new", "again", "words"),
    [
        (PASSWORD, "seven green kettles", "seven green kettle", "两次输入的新密码不一样"),
        (PASSWORD, PASSWORD, PASSWORD, "新密码和现在的一样"),
        (PASSWORD, "short", "short", "密码太短"),
        (PASSWORD, "password1234", "password1234", "太常见"),
        ("wrong wrong wrong", "seven green kettles", "seven green kettles", "现在的密码不对"),
    ],
)
async def test_password_that_cannot_be_taken_is_explained(
    centre: Staffed, current: str, new: str, again: str, words: str
) -> None:
    clerk = centre.browser()
    await clerk.sign_in("the.clerk")
    centre.clock.ms += 20 * 1000

    status, text, _ = await clerk.post(
        "/password", [("current", current), ("new", new), ("again", again)]
    )

    assert (status, words in text) == (422, True)


async def test_disabled_account_is_out_at_once(centre: Staffed) -> None:
    await centre.account("leaver")
    leaver = centre.browser()
    await leaver.sign_in("leaver")

    await centre.app[keys.STORE].write(
        people.set_disabled, "leaver", is_disabled=True, actor="test", now_ms=centre.clock.ms
    )

    assert (await leaver.get("/desk"))[0] == 303
    assert await centre.browser().sign_in("leaver") == 403


async def test_home_leads_each_role_to_its_work(centre: Staffed) -> None:
    homes = {}
    for role in ROLES:
        browser: Browser = await centre.signed_in(f"home.{role}", role)
        homes[role] = await browser.where("/")

    assert homes == HOMES
