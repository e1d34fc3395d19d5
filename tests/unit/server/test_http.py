"""The centre over HTTP: what is not exactly right is refused and leaves no trace."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import msgspec
import pytest
from aiohttp import web

from server.api import middleware
from server.api.listener import Listener
from server.catalogue.shelf import Published
from server.keys import STORE
from server.main import build_app
from server.store import cases, fleet
from sync import frames, limits
from sync.clock import SeededEntropy
from sync.enrolment import decode_enrol_reply, encode_enrol_request
from sync.errors import ProblemDetails
from sync.manifest import decode_manifest, unpack_blob
from sync.signing import DeviceKeys, Trust
from sync.wire import courier_url
from tests.unit.server.served import Client, problem_code, serving
from tests.unit.server.test_enrolment import code_of
from tests.unit.server.world import HELPER_REQUEST, Kiosk, World

EXCHANGE = "/sync/v1/exchange"


@pytest.fixture
async def client(world: World, published: Published) -> AsyncIterator[Client]:
    async with serving(world) as opened:
        yield opened


@pytest.fixture
def kiosk(world: World, published: Published) -> Kiosk:
    return world.enrol()


async def posted(
    client: Client, raw: bytes, path: str = EXCHANGE, **more: object
) -> tuple[int, bytes]:
    async with client.post(path, data=raw, **more) as response:  # type: ignore[arg-type]
        return response.status, await response.read()


async def exchanged(client: Client, world: World, kiosk: Kiosk, raw: bytes) -> frames.Reply:
    status, body = await posted(client, raw)
    assert status == 200
    trust = Trust(roots=(world.keys.root_public,), certificate=world.keys.certificate)
    return frames.decode_reply(body, request_raw=raw, kiosk_id=kiosk.keys.kiosk_id, trusted=trust)


# --- the way it should be ---


async def test_exchange_is_answered_and_signed(
    client: Client, world: World, published: Published, kiosk: Kiosk
) -> None:
    envelope = kiosk.confirm(published, HELPER_REQUEST)

    reply = await exchanged(client, world, kiosk, kiosk.request([envelope]))

    assert reply.verdicts == ("stored",)
    assert (reply.mark_seq, reply.mark_hash) == (1, kiosk.prev)


async def test_bytes_on_the_wire_are_counted_per_kiosk(
    client: Client, world: World, kiosk: Kiosk
) -> None:
    raws = [kiosk.request() for _ in range(2)]

    bodies = [(await posted(client, raw))[1] for raw in raws]

    # A reply is counted with the exchange after it.
    row = fleet.kiosk(world.conn, kiosk.keys.kiosk_id.hex())
    assert row is not None
    assert (row.bytes_in, row.bytes_out) == (sum(map(len, raws)), len(bodies[0]))


async def test_worker_makes_a_case_of_it(
    client: Client, world: World, published: Published, kiosk: Kiosk
) -> None:
    await exchanged(client, world, kiosk, kiosk.request([kiosk.confirm(published, HELPER_REQUEST)]))

    async with asyncio.timeout(10):
        while cases.get(world.conn, kiosk.case_no) is None:
            await asyncio.sleep(0.01)
    reply = await exchanged(client, world, kiosk, kiosk.request())
    assert [notice.number for notice in reply.notices] == [1]


async def test_enrolment_over_http(client: Client, world: World) -> None:
    code = code_of(world)
    raw = encode_enrol_request(code, DeviceKeys.generate(SeededEntropy(8)), bytes(16))

    status, body = await posted(client, raw, "/sync/v1/enrol")

    assert status == 200
    assert decode_enrol_reply(body, request_raw=raw, code=code).kiosk_no == 1


async def test_catalogue_is_fetched_by_its_hashes(client: Client, world: World) -> None:
    async with client.get("/sync/v1/manifest") as response:
        manifest = decode_manifest(await response.read(), Trust(roots=(world.keys.root_public,)))

    for name in manifest.blobs:
        async with client.get(f"/sync/v1/blobs/{name}") as response:
            assert response.status == 200
            assert unpack_blob(await response.read(), name)


# --- abuse: the database stays as it is ---


def flipped(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


async def refused(
    client: Client, world: World, raw: bytes, path: str = EXCHANGE, **more: object
) -> tuple[int, str]:
    """Post it, make sure that nothing changed, answer status and code."""
    before = world.dump()
    status, body = await posted(client, raw, path, **more)
    assert world.dump() == before
    return status, problem_code(body)


@pytest.mark.parametrize("size", [0, 1, 63, 64, 200, 4000])
async def test_garbage_is_refused(client: Client, world: World, size: int) -> None:
    raw = SeededEntropy(size).token_bytes(size)

    assert await refused(client, world, raw) == (400, "400.1")


async def test_every_changed_byte_is_noticed(
    client: Client, world: World, published: Published, kiosk: Kiosk
) -> None:
    raw = kiosk.request([kiosk.confirm(published, HELPER_REQUEST)])

    found = {await refused(client, world, flipped(raw, at)) for at in range(0, len(raw), 7)}

    assert found <= {(400, "400.1"), (401, "401.20"), (401, "401.21")}
    assert (401, "401.21") in found


async def test_every_shortening_is_noticed(
    client: Client, world: World, published: Published, kiosk: Kiosk
) -> None:
    raw = kiosk.request([kiosk.confirm(published, HELPER_REQUEST)])

    found = {await refused(client, world, raw[:size]) for size in range(0, len(raw), 11)}

    assert {status for status, _ in found} <= {400, 401}


async def test_unknown_kiosk_is_refused(client: Client, world: World, kiosk: Kiosk) -> None:
    stranger = Kiosk(DeviceKeys.generate(SeededEntropy(99)), 1, kiosk.sealing, 99)

    raw = stranger.request([stranger.seal(bytes(32))])

    assert await refused(client, world, raw) == (401, "401.20")


async def test_frame_of_one_kiosk_signed_by_another_is_refused(
    client: Client, world: World, kiosk: Kiosk
) -> None:
    thief = world.enrol()
    request = frames.decode_request(kiosk.request([kiosk.seal(bytes(32))])).request

    raw = frames.encode_request(request, lambda part: thief.keys.sign("request", part))

    assert await refused(client, world, raw) == (401, "401.21")


async def test_replayed_request_changes_nothing_but_the_count_of_bytes(
    client: Client, world: World, published: Published, kiosk: Kiosk
) -> None:
    raw = kiosk.request([kiosk.confirm(published, HELPER_REQUEST)])
    await exchanged(client, world, kiosk, raw)
    await exchanged(client, world, kiosk, kiosk.request())
    async with asyncio.timeout(10):
        while cases.get(world.conn, kiosk.case_no) is None:
            await asyncio.sleep(0.01)

    def rows() -> list[str]:
        return [line for line in world.dump() if not line.startswith('INSERT INTO "kiosks"')]

    before = rows()
    reply = await exchanged(client, world, kiosk, raw)

    assert reply.verdicts == ("duplicate",)
    assert rows() == before


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, identity"])
async def test_content_encoding_is_refused_unread(
    client: Client, world: World, kiosk: Kiosk, encoding: str
) -> None:
    raw = kiosk.request()

    found = await refused(client, world, raw, headers={"Content-Encoding": encoding})

    assert found == (415, "415.20")


async def test_body_that_is_too_long_is_refused_unread(client: Client, world: World) -> None:
    found = await refused(client, world, bytes(limits.FRAME_BYTES_MAX + 1))

    assert found == (413, "413.20")


async def test_body_without_a_length_is_refused(client: Client, world: World) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"x"

    before = world.dump()
    async with client.post(EXCHANGE, data=pieces()) as response:
        found = (response.status, problem_code(await response.read()))

    assert found == (411, "411.20")
    assert world.dump() == before


async def test_announced_length_is_refused_before_anything_is_sent(client: Client) -> None:
    reader, writer = await asyncio.open_connection(client.server.host, client.server.port)
    head = f"POST {EXCHANGE} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"
    writer.write(head.encode())

    status = await asyncio.wait_for(reader.readline(), 5)

    assert b" 413 " in status
    writer.close()


async def test_enrolment_garbage_changes_nothing(client: Client, world: World) -> None:
    code_of(world)

    found = [
        await refused(client, world, raw, "/sync/v1/enrol")
        for raw in (b"", b"BE\x01", bytes(231), bytes(513))
    ]

    assert found == [(400, "400.1")] * 3 + [(413, "413.20")]


async def test_enrolment_is_limited_per_network(client: Client, world: World) -> None:
    statuses = [
        (await posted(client, b"BE\x01", "/sync/v1/enrol"))[0]
        for _ in range(limits.ENROL_PER_MINUTE + 1)
    ]

    assert statuses == [400] * limits.ENROL_PER_MINUTE + [429]


async def test_kiosk_that_calls_too_often_is_told_to_wait(
    client: Client, world: World, kiosk: Kiosk
) -> None:
    statuses = [
        (await posted(client, kiosk.request()))[0] for _ in range(limits.EXCHANGES_PER_MINUTE + 1)
    ]

    assert statuses == [200] * limits.EXCHANGES_PER_MINUTE + [429]


# --- errors and headers ---


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", EXCHANGE, 405),
        ("DELETE", "/sync/v1/manifest", 405),
        ("GET", "/sync/v1/nothing", 404),
        ("GET", "/sync/v1/blobs/" + "0" * 64, 404),
        ("GET", "/sync/v1/blobs/..%2f..%2fkeys", 404),
    ],
)
async def test_errors_of_machine_addresses_are_problems(
    client: Client, method: str, path: str, status: int
) -> None:
    async with client.request(method, path) as response:
        body = await response.read()

    told = msgspec.json.decode(body, type=ProblemDetails)
    assert (response.status, response.content_type) == (status, "application/problem+json")
    assert (told.status, told.code.partition(".")[0]) == (status, str(status))


async def test_kiosks_pay_for_no_header_but_the_length(client: Client, kiosk: Kiosk) -> None:
    async with client.post(EXCHANGE, data=kiosk.request()) as response:
        names = set(response.headers)

    assert names == {"Content-Length"}


async def test_pages_get_all_safe_headers(client: Client) -> None:
    async with client.get("/nowhere") as response:
        found = dict(response.headers)

    for name in middleware.HEADERS:
        assert name in found
    assert "default-src 'none'" in found["Content-Security-Policy"]
    assert "unsafe" not in found["Content-Security-Policy"]
    assert "Server" not in found


async def test_health_says_whether_the_vault_is_up(client: Client, world: World) -> None:
    async with client.get("/healthz") as response:
        up = await response.json()

    assert (response.status, up["status"], up["vault"]) == (200, "ok", True)


async def test_centre_takes_in_while_the_vault_is_down(world: World, published: Published) -> None:
    kiosk = world.enrol()
    async with serving(world, with_vault=False) as client:
        async with client.get("/healthz") as response:
            health = await response.json()
        raw = kiosk.request([kiosk.confirm(published, HELPER_REQUEST)])
        reply = await exchanged(client, world, kiosk, raw)

    assert (response.status, health["vault"]) == (200, False)
    assert reply.verdicts == ("stored",)


async def test_metrics_count_and_name_nobody(
    client: Client, world: World, published: Published, kiosk: Kiosk
) -> None:
    await exchanged(client, world, kiosk, kiosk.request([kiosk.confirm(published, HELPER_REQUEST)]))

    async with client.get("/metrics") as response:
        text = await response.text()

    assert 'bianmin_envelopes_total{carrier="exchange",verdict="stored"} 1.0' in text
    assert 'bianmin_kiosks{state="active"} 1.0' in text
    for secret in (*HELPER_REQUEST.values(), kiosk.case_no, kiosk.keys.kiosk_id.hex()):
        assert len(secret) < 4 or secret not in text


async def test_metrics_are_not_told_through_a_proxy(client: Client) -> None:
    async with client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}) as response:
        body = await response.read()

    assert (response.status, problem_code(body)) == (403, "403.22")


async def test_full_store_is_told_as_503_with_patience(client: Client, kiosk: Kiosk) -> None:
    store = client.server.app[STORE]  # type: ignore[attr-defined]
    blocked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(conn: object) -> None:
        asyncio.run_coroutine_threadsafe(blocked.wait(), loop).result()

    holding = [asyncio.ensure_future(store.write(hold))]
    await asyncio.sleep(0.1)
    holding += [
        asyncio.ensure_future(store.write(fleet.trim_health)) for _ in range(limits.STORE_QUEUE_MAX)
    ]
    await asyncio.sleep(0)
    async with client.post(EXCHANGE, data=kiosk.request()) as response:
        found = (response.status, response.headers.get("Retry-After"))
    blocked.set()
    await asyncio.gather(*holding)

    assert found == (503, "60")


async def test_connection_that_breaks_off_is_no_fault(client: Client, world: World) -> None:
    before = world.dump()
    _, writer = await asyncio.open_connection(client.server.host, client.server.port)
    writer.write(f"POST {EXCHANGE} HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nabc".encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()

    async with client.get("/healthz") as response:
        assert response.status == 200
    assert world.dump() == before


# --- courier ---


def digits_of(kiosk: Kiosk, published: Published) -> str:
    raw = kiosk.courier(kiosk.confirm(published, HELPER_REQUEST))
    return courier_url("https://centre.example", raw).rsplit("/", 1)[1]


async def delivered(client: Client, digits: str) -> int:
    async with client.get(f"/C/{digits}", allow_redirects=False) as response:
        await response.read()
        return response.status


async def test_phone_delivers_an_envelope_and_again_is_the_same(
    client: Client, world: World, published: Published, kiosk: Kiosk
) -> None:
    digits = digits_of(kiosk, published)

    statuses = [await delivered(client, digits) for _ in range(2)]

    rows = world.conn.execute("SELECT carrier, seq FROM envelopes").fetchall()
    assert statuses == [statuses[0]] * 2
    assert statuses[0] < 400
    assert [tuple(row) for row in rows] == [("courier", 1)]


async def test_damaged_courier_codes_change_nothing(
    client: Client, world: World, published: Published, kiosk: Kiosk
) -> None:
    digits = digits_of(kiosk, published)
    before = world.dump()

    statuses = [
        await delivered(client, text)
        for text in (digits[:-1], digits[:-1] + str((int(digits[-1]) + 1) % 10), "1" * 900, "0")
    ]

    assert all(400 <= status < 500 for status in statuses)
    assert world.dump() == before


async def test_phone_and_network_deliver_the_same_envelope_once(
    client: Client, world: World, published: Published, kiosk: Kiosk
) -> None:
    envelope = kiosk.confirm(published, HELPER_REQUEST)
    digits = courier_url("https://centre.example", kiosk.courier(envelope)).rsplit("/", 1)[1]

    await delivered(client, digits)
    reply = await exchanged(client, world, kiosk, kiosk.request([envelope]))

    assert reply.verdicts == ("duplicate",)
    assert reply.mark_seq == 1


async def test_client_stays_usable_with_plain_aiohttp(client: Client) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(client.make_url("/healthz")) as response,
    ):
        assert response.status == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /sync/v1/exchange HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 20_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused_without_a_word_about_the_server(
    world: World, published: Published, raw: bytes
) -> None:
    app = build_app(world.settings, clock=world.clock, entropy=world.entropy, with_vault=False)
    listener = Listener(app, access_log=None)
    await listener.setup()
    site = web.TCPSite(listener, "127.0.0.1", 0)
    await site.start()
    reader, writer = await asyncio.open_connection(*listener.addresses[0][:2])

    writer.write(raw)
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await listener.cleanup()

    assert head.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert not any(word in (head + body).lower() for word in (b"aiohttp", b"python", b"xxx"))
    assert b"application/problem+json" in head
    assert problem_code(body) == "400.25"
