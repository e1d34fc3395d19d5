"""The operators' page of sticks: who may upload what, what it says, what can be fetched."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from server import keys
from server.store import fleet
from sync import limits
from sync.bundles import (
    ANSWER_MAGIC,
    BUNDLE_MAGIC,
    REQUEST,
    BundleReader,
    BundleWriter,
    Head,
    bundle_name,
    centre_id,
    verify_marker,
)
from tests.unit.server.staffed import SAME_ORIGIN, Browser, Staffed, staffed
from tests.unit.server.world import HELPER_REQUEST, Kiosk


@pytest.fixture(scope="module")
async def centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Staffed]:
    async with staffed(tmp_path_factory.mktemp("s")) as running:
        yield running


def bundle(centre: Staffed, kiosk: Kiosk, *requests: bytes, centre_named: bytes = b"") -> bytes:
    raw = bytearray()
    own = centre_id(centre.world.keys.root_public)
    writer = BundleWriter(raw.extend, BUNDLE_MAGIC, Head(centre_named or own, kiosk.keys.kiosk_id))
    for request in requests:
        writer.add(REQUEST, request)
    writer.end()
    return bytes(raw)


def made(centre: Staffed, kiosk: Kiosk) -> bytes:
    return bundle(centre, kiosk, kiosk.request([kiosk.confirm(centre.published, HELPER_REQUEST)]))


async def upload(
    browser: Browser,
    *files: tuple[str, bytes],
    csrf: str | None = None,
    headers: dict[str, str] | None = None,
    is_token_first: bool = True,
) -> tuple[int, str]:
    """Status and where it leads."""
    form = aiohttp.FormData(default_to_multipart=True)
    if is_token_first:
        form.add_field("csrf", browser.csrf if csrf is None else csrf)
    for name, raw in files:
        form.add_field("bundle", raw, filename=name, content_type="application/octet-stream")
    async with browser.session.post(
        browser.base + "/sticks",
        data=form,
        allow_redirects=False,
        headers=SAME_ORIGIN if headers is None else headers,
    ) as answer:
        await answer.read()
        return answer.status, answer.headers.get("Location", "")


async def fetched(browser: Browser, path: str) -> tuple[int, bytes, str]:
    async with browser.session.get(browser.base + path) as answer:
        return answer.status, await answer.read(), answer.headers.get("Content-Disposition", "")


async def test_operator_uploads_several_and_fetches_the_replies(centre: Staffed) -> None:
    operator = await centre.signed_in("op.one", "operator")
    first, second = centre.world.enrol("东冲村便民点"), centre.world.enrol("茶园村便民点")

    answer = await upload(
        operator,
        (bundle_name(first.keys.kiosk_id, 1), made(centre, first)),
        (bundle_name(second.keys.kiosk_id, 1), made(centre, second)),
    )
    _, page = await operator.get("/sticks")
    path = page.partition('href="/sticks/')[2]
    numbers = [part.partition("/")[0] for part in page.split('href="/sticks/')[1:]]
    status, raw, disposition = await fetched(
        operator, f"/sticks/{next(n for n in numbers if n.isdigit())}/replies"
    )
    reader = BundleReader(ANSWER_MAGIC)
    items = reader.feed(raw)

    assert answer == (303, "/sticks")
    assert path
    assert "东冲村便民点" in page
    assert "茶园村便民点" in page
    assert (status, reader.ending, bool(items)) == (200, "whole", True)
    assert disposition == f'attachment; filename="{bundle_name(second.keys.kiosk_id, 1)[:-1]}r"'


async def test_page_tells_files_that_are_not_for_us(centre: Staffed) -> None:
    operator = await centre.signed_in("op.two", "operator")
    kiosk = centre.world.enrol("龙潭村便民点")
    foreign = bundle(centre, kiosk, kiosk.request(), centre_named=b"another.")

    await upload(operator, ("a.bmb", foreign), ("autorun.inf", b"[autorun]"))
    _, page = await operator.get("/sticks")

    assert "不是给本中心的，没有收" in page
    assert "不是终端写的文件" in page
    assert (await upload(operator))[0] == 303


async def test_fleet_page_says_that_a_stick_was_the_last_word(centre: Staffed) -> None:
    operator = await centre.signed_in("op.three", "operator")
    kiosk = centre.world.enrol("清泉村便民点")

    await upload(operator, ("x.bmb", made(centre, kiosk)))
    _, page = await operator.get("/fleet?q=清泉村")
    _, detail = await operator.get(f"/fleet/{kiosk.keys.kiosk_id.hex()}")

    assert "U盘带来" in page
    assert "U盘带来" in detail


@pytest.mark.parametrize("role", ["clerk", "auditor", "admin"])
async def test_other_roles_upload_nothing(centre: Staffed, role: str) -> None:
    other = await centre.signed_in(f"not.{role}", role)
    kiosk = centre.world.enrol("杨柳村便民点")

    status, _ = await upload(other, ("x.bmb", made(centre, kiosk)))
    row = await centre.app[keys.STORE].read(fleet.kiosk, kiosk.keys.kiosk_id.hex())

    assert status == 403
    assert row is not None
    assert row.last_seen_ms == 0


async def test_forged_forms_upload_nothing(centre: Staffed) -> None:
    operator = await centre.signed_in("op.four", "operator")
    kiosk = centre.world.enrol("大坪村便民点")
    file = ("x.bmb", made(centre, kiosk))
    stranger = centre.browser()

    found = [
        (await upload(operator, file, csrf="00ff00"))[0],
        (await upload(operator, file, is_token_first=False))[0],
        (await upload(operator, file, headers={"Sec-Fetch-Site": "cross-site"}))[0],
        (await upload(operator, file, headers={}))[0],
        (await upload(stranger, file, csrf="c0ffee"))[0],
        (await operator.post("/sticks", [("bundle", "no file")]))[0],
    ]
    row = await centre.app[keys.STORE].read(fleet.kiosk, kiosk.keys.kiosk_id.hex())

    assert found == [403, 403, 403, 403, 403, 400]
    assert row is not None
    assert row.last_seen_ms == 0


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--y\r\n\r\n--y--"),
        ("multipart/form-data; boundary=x", b"--x\r\nnonsense\r\n\r\nv\r\n--x--"),
        ("multipart/form-data; boundary=" + "x" * 200, b"--x"),
        ("multipart/mixed; boundary=x", b"--x--"),
        ("application/octet-stream", b"BMB\x01"),
    ],
)
async def test_forms_that_are_none_are_refused_not_faults(
    centre: Staffed, content_type: str, body: bytes
) -> None:
    operator = await centre.signed_in("op.five", "operator")
    async with operator.session.post(
        operator.base + "/sticks", data=body, headers={**SAME_ORIGIN, "Content-Type": content_type}
    ) as answer:
        assert answer.status in (400, 403)


async def test_upload_that_breaks_off_keeps_what_came_and_says_so(centre: Staffed) -> None:
    operator = await centre.signed_in("op.six", "operator")
    kiosk = centre.world.enrol("半路村便民点")
    first = kiosk.request([kiosk.confirm(centre.published, HELPER_REQUEST)])
    second = kiosk.request([kiosk.confirm(centre.published, HELPER_REQUEST)])
    raw = bundle(centre, kiosk, first, second)
    head = (
        f'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{operator.csrf}\r\n--x\r\n'
        'Content-Disposition: form-data; name="bundle"; filename="a.bmb"\r\n\r\n'
    ).encode()

    async with operator.session.post(
        operator.base + "/sticks",
        data=head + raw[: len(first) + 60],
        headers={**SAME_ORIGIN, "Content-Type": "multipart/form-data; boundary=x"},
    ) as answer:
        status = answer.status
    row = await centre.app[keys.STORE].read(fleet.kiosk, kiosk.keys.kiosk_id.hex())

    assert status in (303, 400)
    assert row is not None
    assert row.mark_seq == 1


async def test_form_above_the_bound_is_not_read(centre: Staffed) -> None:
    operator = await centre.signed_in("op.seven", "operator")
    headers = {
        **SAME_ORIGIN,
        "Content-Type": "multipart/form-data; boundary=x",
        "Content-Length": str(limits.STICK_UPLOAD_BYTES_MAX + 1),
    }
    async with operator.session.post(
        operator.base + "/sticks", data=b"", headers=headers, skip_auto_headers=["Content-Length"]
    ) as answer:
        assert answer.status == 413


async def test_other_forms_take_no_files(centre: Staffed) -> None:
    operator = await centre.signed_in("op.eight", "operator")
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("csrf", operator.csrf)
    async with operator.session.post(
        operator.base + "/letters/replay", data=form, headers=SAME_ORIGIN
    ) as answer:
        assert answer.status == 400


async def test_mark_is_fetched_by_operators(centre: Staffed) -> None:
    operator = await centre.signed_in("op.nine", "operator")

    status, raw, disposition = await fetched(operator, "/sticks/mark")

    assert (status, disposition) == (200, 'attachment; filename="STICK.BMS"')
    assert verify_marker(raw, (centre.world.keys.root_public,)) == centre.clock.ms


async def test_replies_that_are_gone_are_told_so(centre: Staffed, tmp_path: Path) -> None:
    operator = await centre.signed_in("op.ten", "operator")

    assert (await fetched(operator, "/sticks/999999/replies"))[0] == 404
    assert list(tmp_path.iterdir()) == []
