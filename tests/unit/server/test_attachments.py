"""Uploads at the centre: kept at whatever byte the link breaks, and only what may be kept."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator

import msgspec
import pytest
from aiohttp.test_utils import TestServer

from server.api.attachments import Uploads, _Stream
from server.errors import StoreBusy
from server.store import fleet
from sync import frames, limits
from sync.frames import Chunk
from sync.octets import counted
from sync.signing import Trust
from tests.unit.server.served import Client, problem_code, serving
from tests.unit.server.world import Kiosk, World, chunks_of

PATH = "/sync/v1/attachment"
SEALED = random.Random(4).randbytes(50_000)
WHOLE = len(SEALED)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One centre for all: making one takes longer than any test here."""
    made = World(tmp_path_factory.mktemp("centre"))
    yield made
    made.close()


@pytest.fixture(scope="module")
async def client(world: World) -> AsyncIterator[Client]:
    async with serving(world, with_vault=False) as client:
        yield client


@pytest.fixture
def kiosk(world: World) -> Kiosk:
    """A kiosk whose first envelope is held."""
    kiosk = world.enrol()
    world.exchange(kiosk, kiosk.request([kiosk.seal(bytes(32))]))
    return kiosk


def rows(
    world: World, kiosk: Kiosk, what: str = "received", table: str = "attachments"
) -> list[object]:
    """What the centre holds of this kiosk's attachments."""
    found = world.conn.execute(
        f"SELECT {what} FROM {table} WHERE kiosk_id = ?",  # noqa: S608 -- words of this file
        (kiosk.keys.kiosk_id,),
    )
    return [row[0] for row in found]


def head(kiosk: Kiosk, offset: int = 0, sealed: bytes = SEALED, seq: int = 1) -> bytes:
    (whole,) = chunks_of(sealed, seq, 0, len(sealed))
    return kiosk.request((), [msgspec.structs.replace(whole, offset=offset, data=b"")])


def body_of(frame: bytes, offset: int = 0, sealed: bytes = SEALED) -> bytes:
    return counted(frame) + sealed[offset:]


async def uploaded(client: Client, world: World, kiosk: Kiosk, frame: bytes, body: bytes) -> int:
    """Send an upload whole; answer how far its reply says the centre is."""
    answer = await client.post(PATH, data=body)
    assert answer.status == 200, await answer.read()
    reply = frames.decode_reply(
        await answer.read(),
        request_raw=frame,
        kiosk_id=kiosk.keys.kiosk_id,
        trusted=Trust(roots=(world.keys.root_public,), certificate=world.keys.certificate),
    )
    return reply.chunk_marks[0].received_bytes


def http_head(told_bytes: int) -> bytes:
    return f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {told_bytes}\r\n\r\n".encode()


async def broken_off(client: Client, body: bytes, told_bytes: int) -> None:
    """Send the beginning of an upload, then end the connection without a word."""
    server = client.server
    assert isinstance(server, TestServer)
    _, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(
        f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {told_bytes}\r\n\r\n".encode()
    )
    writer.write(body)
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.close()


async def held_bytes(world: World, kiosk: Kiosk, at_least: int) -> int:
    """How much of the attachment is on disk, once it is that much."""
    for _ in range(60):
        if (held := rows(world, kiosk)) and int(str(held[0])) >= at_least:
            return int(str(held[0]))
        await asyncio.sleep(0.05)
    return -1


async def test_upload_is_stored_and_answered_as_an_exchange(
    client: Client, world: World, kiosk: Kiosk
) -> None:
    frame = head(kiosk)

    mark = await uploaded(client, world, kiosk, frame, body_of(frame))

    assert (mark, rows(world, kiosk, "sealed")) == (WHOLE, [SEALED])
    assert rows(world, kiosk, "start", "chunks") == []


@pytest.mark.parametrize("came", [1, 999, 16_384, 16_385, WHOLE - 1])
async def test_what_came_before_a_break_is_kept_to_the_byte(
    client: Client, world: World, kiosk: Kiosk, came: int
) -> None:
    """Row 70: the next upload begins where this one broke, and the whole is right."""
    frame = head(kiosk)
    await broken_off(client, counted(frame) + SEALED[:came], len(counted(frame)) + WHOLE)
    kept = await held_bytes(world, kiosk, came)

    rest = head(kiosk, kept)
    mark = await uploaded(client, world, kiosk, rest, body_of(rest, kept))

    assert (kept, mark) == (came, WHOLE)


async def test_silent_connection_keeps_back_nothing(
    client: Client, world: World, kiosk: Kiosk
) -> None:
    """A black hole: the kiosk asks on another connection while this one still seems open."""
    server = client.server
    assert isinstance(server, TestServer)
    frame = head(kiosk)
    _, writer = await asyncio.open_connection(server.host, server.port)
    told = len(counted(frame)) + WHOLE
    writer.write(http_head(told))
    writer.write(counted(frame) + SEALED[:5000])

    kept = await held_bytes(world, kiosk, 5000)
    writer.close()

    assert kept == 5000


async def test_bytes_that_are_here_already_are_passed_over(
    client: Client, world: World, kiosk: Kiosk
) -> None:
    first = head(kiosk)
    await broken_off(client, counted(first) + SEALED[:9000], len(counted(first)) + WHOLE)
    await held_bytes(world, kiosk, 9000)
    again = head(kiosk, 4000)

    assert await uploaded(client, world, kiosk, again, body_of(again, 4000)) == WHOLE


async def test_upload_beyond_a_gap_is_answered_with_where_the_centre_is(
    client: Client, world: World, kiosk: Kiosk
) -> None:
    frame = head(kiosk, 30_000)

    assert await uploaded(client, world, kiosk, frame, body_of(frame, 30_000)) == 0


async def test_wrong_bytes_are_thrown_away_whole(
    client: Client, world: World, kiosk: Kiosk
) -> None:
    frame = head(kiosk)
    changed = SEALED[:100] + b"?" + SEALED[101:]

    mark = await uploaded(client, world, kiosk, frame, counted(frame) + changed)

    assert (mark, rows(world, kiosk)) == (0, [])


async def test_replayed_upload_changes_nothing(client: Client, world: World, kiosk: Kiosk) -> None:
    """Row 34: the frame is signed, so somebody may send it again, with bytes of his own."""
    frame = head(kiosk)
    await uploaded(client, world, kiosk, frame, body_of(frame))

    mark = await uploaded(client, world, kiosk, frame, counted(frame) + bytes(WHOLE))

    assert (mark, rows(world, kiosk, "sealed")) == (WHOLE, [SEALED])


async def test_revoked_kiosk_s_upload_is_not_kept(
    client: Client, world: World, kiosk: Kiosk
) -> None:
    world.write(fleet.revoke, kiosk.keys.kiosk_id.hex())
    frame = head(kiosk)

    mark = await uploaded(client, world, kiosk, frame, body_of(frame))

    assert (mark, rows(world, kiosk, "start", "chunks")) == (0, [])


async def test_upload_whose_envelope_never_came_is_not_kept(
    client: Client, world: World, kiosk: Kiosk
) -> None:
    frame = head(kiosk, seq=7)

    mark = await uploaded(client, world, kiosk, frame, body_of(frame))

    assert (mark, rows(world, kiosk)) == (0, [])


def carrying_data(kiosk: Kiosk) -> bytes:
    (whole,) = chunks_of(bytes(100), 1, 0, 100)
    return body_of(kiosk.request((), [whole]))


def carrying_an_envelope(kiosk: Kiosk) -> bytes:
    (whole,) = chunks_of(SEALED, 1, 0, WHOLE)
    ask = msgspec.structs.replace(whole, data=b"")
    return body_of(kiosk.request([kiosk.seal(bytes(32))], [ask]))


def of_a_stranger(kiosk: Kiosk) -> bytes:
    frame = head(kiosk)
    return body_of(frame[:-1] + bytes([frame[-1] ^ 1]))


@pytest.mark.parametrize(
    ("made", "status", "code"),
    [
        (lambda _: b"", 400, "400.20"),
        (lambda _: b"\xff\xff\xff", 400, "400.1"),
        (lambda _: counted(b"x" * 2000), 400, "400.1"),
        (lambda kiosk: counted(head(kiosk))[:-5], 400, "400.20"),
        (lambda kiosk: body_of(head(kiosk)) + b"more", 400, "400.20"),
        (carrying_data, 400, "400.1"),
        (carrying_an_envelope, 400, "400.1"),
        (of_a_stranger, 401, "401.21"),
        (lambda _: bytes(limits.SEALED_ATTACHMENT_BYTES_MAX + 4096), 413, "413.20"),
    ],
    ids=[
        "nothing",
        "endless length",
        "no frame",
        "cut frame",
        "more than the attachment",
        "data in the frame",
        "an envelope in the frame",
        "another key",
        "too long",
    ],
)
async def test_what_is_no_upload_is_refused_and_nothing_kept(
    client: Client,
    world: World,
    kiosk: Kiosk,
    made: Callable[[Kiosk], bytes],
    status: int,
    code: str,
) -> None:
    answer = await client.post(PATH, data=made(kiosk))

    assert (answer.status, problem_code(await answer.read())) == (status, code)
    assert rows(world, kiosk) == []


def stream(kiosk_id: bytes) -> _Stream:
    chunk = Chunk(seq=1, index=0, total=9, digest=bytes(16), offset=0, data=b"")
    asked = msgspec.convert({}, dict)
    return _Stream(kiosk_id, asked, chunk, at=0, buffer=bytearray())  # type: ignore[arg-type]


def test_newer_upload_of_a_kiosk_ends_its_older_one() -> None:
    uploads, older, newer = Uploads(), stream(b"kiosk"), stream(b"kiosk")
    uploads.enter(older)

    uploads.enter(newer)
    uploads.leave(older)

    assert (older.is_superseded, newer.is_superseded) == (True, False)
    assert list(uploads._streams.values()) == [newer]


def test_uploads_at_once_are_bounded() -> None:
    uploads = Uploads()
    for number in range(limits.UPLOADS_AT_ONCE):
        uploads.enter(stream(number.to_bytes(8, "big")))

    with pytest.raises(StoreBusy):
        uploads.enter(stream(b"one more"))
