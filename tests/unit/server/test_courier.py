"""Couriers at the centre: any phone, any number of times, any time; and nothing for strangers.

Fault rows 63 to 66 of the research note on reliability.
"""

import asyncio
import gzip
import random
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web

from server.catalogue.shelf import Published
from server.keys import CLOCK
from server.phone import carry
from server.store import fleet
from sync import limits
from sync.fountain import pack
from sync.records import Envelope
from sync.wire import courier_url
from tests.unit.server.served import Client, problem_code, serving
from tests.unit.server.world import HELPER_REQUEST, Kiosk, ManualClock, World

BATCH = "/sync/v1/courier"
BASE = "HTTPS://CENTRE.EXAMPLE"
DAY_MS = 86_400_000
PAGE_BYTES_MAX = 60_000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One centre for all of these tests; each has a kiosk of its own."""
    made = World(tmp_path_factory.mktemp("courier") / "c")
    yield made
    made.close()


@pytest.fixture(scope="module")
def published(world: World) -> Published:
    return world.publish()


@pytest.fixture(scope="module")
async def served(world: World, published: Published) -> AsyncIterator[Client]:
    async with serving(world, with_vault=False) as opened:
        yield opened


@pytest.fixture
def client(served: Client) -> Client:
    """A phone whose network has its whole allowance."""
    clock_of(served).ms += 60_000
    return served


@pytest.fixture
def kiosk(world: World, published: Published) -> Kiosk:
    return world.enrol()


def slip(kiosk: Kiosk, envelope: Envelope) -> str:
    return courier_url(BASE, kiosk.courier(envelope)).removeprefix(BASE)


async def said(client: Client, raws: list[bytes]) -> list[str]:
    async with client.post(BATCH, data=pack(raws)) as answer:
        assert answer.status == 200, await answer.text()
        found: list[str] = (await answer.json(content_type=None))["verdicts"]
        return found


def rows(world: World, kiosk: Kiosk) -> list[tuple[object, ...]]:
    found = world.conn.execute(
        "SELECT seq, carrier FROM envelopes WHERE kiosk_id = ? ORDER BY id", (kiosk.keys.kiosk_id,)
    )
    return [tuple(row) for row in found]


def clock_of(client: Client) -> ManualClock:
    app = client.server.app  # type: ignore[attr-defined]  # a TestServer has it
    assert isinstance(app, web.Application)
    clock = app[CLOCK]
    assert isinstance(clock, ManualClock)
    return clock


# --- row 63: twice, two phones, months later ---


async def test_slip_twice_by_two_phones_and_months_later_is_one_envelope(
    client: Client, world: World, published: Published, kiosk: Kiosk
) -> None:
    path = slip(kiosk, kiosk.confirm(published, HELPER_REQUEST))

    both = await asyncio.gather(client.get(path), client.get(path))
    again = await client.get(path)
    clock_of(client).ms += 200 * DAY_MS
    later = await client.get(path)

    for answer in (*both, again, later):
        assert answer.status == 200
        assert "已送到" in await answer.text()
    assert rows(world, kiosk) == [(1, "courier")]


async def test_carried_envelopes_are_told_apart_from_those_that_were_here(
    client: Client, world: World, published: Published, kiosk: Kiosk
) -> None:
    raws = [kiosk.courier(kiosk.confirm(published, HELPER_REQUEST)) for _ in range(4)]

    first = await said(client, raws[:2])
    clock_of(client).ms += 200 * DAY_MS
    second = await said(client, [raws[3], raws[1], raws[2], raws[2]])

    assert first == ["stored", "stored"]
    assert second == ["stored", "duplicate", "stored", "duplicate"]
    assert sorted(rows(world, kiosk)) == [(seq, "courier") for seq in (1, 2, 3, 4)]
    row = fleet.kiosk(world.conn, kiosk.keys.kiosk_id.hex())
    assert row is not None
    assert row.mark_seq == 4


async def test_two_phones_with_the_same_load_at_once_store_it_once(
    client: Client, world: World, published: Published, kiosk: Kiosk
) -> None:
    raws = [kiosk.courier(kiosk.confirm(published, HELPER_REQUEST)) for _ in range(3)]

    words = await asyncio.gather(said(client, raws), said(client, raws))

    assert sorted([*words[0], *words[1]]) == ["duplicate"] * 3 + ["stored"] * 3
    assert rows(world, kiosk) == [(seq, "courier") for seq in (1, 2, 3)]


async def test_kiosk_that_is_back_on_line_settles_what_a_phone_brought(
    client: Client, world: World, published: Published, kiosk: Kiosk
) -> None:
    envelopes = [kiosk.confirm(published, HELPER_REQUEST) for _ in range(2)]
    await said(client, [kiosk.courier(one) for one in envelopes])

    taken = world.exchange(kiosk, kiosk.request(envelopes))

    assert taken.reply.verdicts == ("duplicate", "duplicate")
    assert (taken.reply.mark_seq, taken.reply.mark_hash) == (2, kiosk.prev)


# --- row 64: altered, shortened ---


async def test_damaged_among_good_ones_is_told_and_holds_up_nothing(
    client: Client, world: World, published: Published, kiosk: Kiosk
) -> None:
    good, bad, far = (kiosk.courier(kiosk.confirm(published, HELPER_REQUEST)) for _ in range(3))
    altered = bad[:40] + bytes([bad[40] ^ 1]) + bad[41:]
    strange = far[:2] + bytes(8) + far[10:]

    assert await said(client, [altered, good, bad[:-1], strange, b"\x01"]) == [
        "damaged",
        "stored",
        "damaged",
        "unknown",
        "damaged",
    ]
    assert rows(world, kiosk) == [(1, "courier")]


async def test_slip_that_a_chat_app_shortened_is_told_as_damaged(
    client: Client, world: World, published: Published, kiosk: Kiosk
) -> None:
    path = slip(kiosk, kiosk.confirm(published, HELPER_REQUEST))
    shortened = [path[: int(len(path) * share)] for share in (0.2, 0.5, 0.9, 0.99)]
    before = world.dump()

    for changed in (*shortened, path + "%20", path + "…"):
        answer = await client.get(changed)
        assert (answer.status, "码坏了" in await answer.text()) == (400, True), len(changed)

    assert world.dump() == before


# --- row 65: junk ---


async def test_junk_changes_nothing_and_is_slowed_down(
    client: Client, world: World, published: Published, kiosk: Kiosk
) -> None:
    rng = random.Random(65)
    raw = kiosk.courier(kiosk.confirm(published, HELPER_REQUEST))
    junk = [rng.randbytes(rng.randrange(1, 300)) for _ in range(60)]
    forged = raw[:-64] + rng.randbytes(64)
    before = world.dump()

    statuses, code = [], ""
    for number in range(limits.COURIER_BATCHES_PER_MINUTE + 1):
        body = pack([forged, *(b"\x01" + one for one in junk)]) if number % 2 else junk[number]
        async with client.post(BATCH, data=body) as answer:
            statuses.append(answer.status)
            code = problem_code(await answer.read()) if answer.status != 200 else ""
    assert set(statuses[:-1]) == {200, 400}
    assert (statuses[-1], code) == (429, "429.20")
    assert world.dump() == before

    clock_of(client).ms += 60_000
    assert await said(client, [raw]) == ["stored"]


NO_BUNDLES = {
    "nothing": b"",
    "no envelopes": b"\x00",
    "too many": b"\x41" + b"\x01\x01" * 65,
    "an endless envelope": b"\x01\xff\xff\xff\x7f",
    "a cut envelope": b"\x01\x02\x01",
    "more behind the end": b"\x01\x01\x01\x00",
    "too long": bytes(limits.COURIER_BATCH_BYTES_MAX + 1),
}


async def test_body_that_is_no_bundle_is_refused_as_a_problem(client: Client, world: World) -> None:
    before = world.dump()

    for name, body in NO_BUNDLES.items():
        status = 413 if name == "too long" else 400
        async with client.post(BATCH, data=body) as answer:
            assert answer.status == status, name
            assert problem_code(await answer.read()).startswith(f"{status}."), name
    assert world.dump() == before


async def test_body_of_unknown_length_or_packed_is_not_read(client: Client) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"\x01"

    async with client.post(BATCH, data=pieces()) as answer:
        assert answer.status == 411
    packed = gzip.compress(bytes(1000))
    async with client.post(BATCH, data=packed, headers={"Content-Encoding": "gzip"}) as answer:
        assert answer.status == 415


async def test_largest_envelopes_and_the_fullest_bundle_are_taken(
    client: Client, world: World, published: Published, kiosk: Kiosk
) -> None:
    long = [kiosk.courier(kiosk.seal(bytes(3840), published.version)) for _ in range(2)]
    many = [kiosk.courier(kiosk.confirm(published, HELPER_REQUEST)) for _ in range(62)]

    assert await said(client, [*long, *many]) == ["stored"] * 64


async def test_revoked_kiosks_envelopes_wait_for_a_person_and_the_phone_is_not_told(
    client: Client, world: World, published: Published, kiosk: Kiosk
) -> None:
    raw = kiosk.courier(kiosk.confirm(published, HELPER_REQUEST))
    world.write(fleet.revoke, kiosk.keys.kiosk_id.hex())

    assert await said(client, [raw]) == ["stored"]
    (row,) = world.conn.execute(
        "SELECT fate FROM envelopes WHERE kiosk_id = ?", (kiosk.keys.kiosk_id,)
    )
    assert row[0] == "quarantined"


# --- row 66: link previews ---


async def test_link_preview_delivers_and_spoils_nothing_for_the_person_behind_it(
    client: Client, world: World, published: Published, kiosk: Kiosk
) -> None:
    path = slip(kiosk, kiosk.confirm(published, HELPER_REQUEST))
    robot = {"User-Agent": "MicroMessenger preview", "Range": "bytes=0-2047"}

    for preview in (client.head(path), client.get(path, headers=robot)):
        answer = await preview
        assert (answer.status, answer.headers["X-Robots-Tag"]) == (200, "noindex, nofollow")
    person = await client.get(path)

    assert "已送到" in await person.text()
    assert rows(world, kiosk) == [(1, "courier")]


# --- the courier page ---


async def test_courier_page_loads_within_sixty_kilobytes(client: Client) -> None:
    total = 0
    for path in ("/carry", *(f"/carry/{name}" for name in (*carry.FILES, carry.WORKER))):
        async with client.get(path, headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.status == 200
            body = await answer.read()
            # The client unpacks; what travelled is what gzip makes of it.
            assert answer.headers["Content-Encoding"] == "gzip"
            total += len(gzip.compress(body, 6))

    assert total < PAGE_BYTES_MAX


async def test_courier_page_has_nothing_inline_and_nothing_from_elsewhere(client: Client) -> None:
    answer = await client.get("/carry")
    text = await answer.text()

    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "camera=(self)" in answer.headers["Permissions-Policy"]
    assert "<style" not in text
    assert "style=" not in text
    assert "//" not in text.replace("<!doctype html>", "")
    assert "Set-Cookie" not in answer.headers


async def test_service_worker_is_named_by_all_that_it_keeps(client: Client) -> None:
    answer = await client.get("/carry/worker.js")
    text = await answer.text()

    assert answer.headers["Service-Worker-Allowed"] == "/carry"
    assert answer.headers["Cache-Control"] == "no-cache"
    for name in carry.FILES:
        assert f'"/carry/{name}"' in text


async def test_unchanged_file_is_not_sent_again(client: Client) -> None:
    answer = await client.get("/carry/courier.js")

    again = await client.get("/carry/courier.js", headers={"If-None-Match": answer.headers["ETag"]})

    assert (again.status, await again.read()) == (304, b"")


async def test_other_files_are_not_served(client: Client) -> None:
    for path in ("/carry/README.md", "/carry/nothing.js", "/carry/..%2fpages.py", "/carry/"):
        assert (await client.get(path)).status == 404, path


async def test_address_in_capitals_leads_to_the_page(client: Client) -> None:
    answer = await client.get("/CARRY", allow_redirects=False)

    assert (answer.status, answer.headers["Location"]) == (301, "/carry")
