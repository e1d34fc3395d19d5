"""Bytes made to hurt: bombs, nesting, lengths that lie; the names hold the fault list's rows."""

import asyncio
import contextlib
import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from sync import answers, frames, limits, notices
from sync.bits import AnswersError
from sync.deltas import apply_delta
from sync.dictionary import build_dictionary
from sync.errors import MALFORMED
from sync.forms import decode_catalogue
from sync.octets import WireError, uvarint
from sync.pieces import packed, unpacked
from sync.signing import SignatureRefused, sign, verify
from sync.transports import CentreRefused, LinkDown
from sync.transports.http import HttpLink, _problem_code
from sync.wire import courier_raw, decode_courier, decode_envelope, envelope_bytes
from tests.fuzz.doors import CENTRE_PRIVATE, KEYS, TRUST, vector
from tests.generator import shipped_catalogue
from tests.unit.server.served import serving
from tests.unit.server.world import World

MIB = 1 << 20


def peak_bytes(read: Callable[[], object]) -> int:
    """Memory that a call took at its peak."""
    tracemalloc.start()
    try:
        read()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# --- row 30: a reply that ends too early ---


def test_truncated_reply_30_is_refused_at_every_byte() -> None:
    request, reply = vector("request"), vector("reply")

    for end in range(len(reply)):
        with pytest.raises(frames.ReplyRefused):
            frames.decode_reply(
                reply[:end], request_raw=request, kiosk_id=request[3:11], trusted=TRUST
            )


def test_truncated_reply_30_is_refused_also_when_it_is_signed_anew() -> None:
    # As if the centre itself had written half of it: the form alone must refuse it.
    request, part = vector("request"), vector("reply")[:-64]
    taken = []
    for end in range(len(part)):
        cut = part[:end]
        try:
            frames.decode_reply(
                cut + sign(CENTRE_PRIVATE, "reply", cut),
                request_raw=request,
                kiosk_id=request[3:11],
                trusted=TRUST,
            )
        except frames.ReplyRefused:
            continue
        taken.append(end)

    # Extensions may stand at the end; this reply has none, so only the whole is one.
    assert taken == []


# --- row 56: a bomb in a body ---


def test_zip_bomb_in_a_body_56_is_no_transaction() -> None:
    catalogue = shipped_catalogue()
    dictionary = build_dictionary(catalogue)
    bomb = zlib.compress(bytes(8 * MIB), 9)[: limits.BODY_BYTES_MAX]
    body = bomb[: len(bomb) // 16 * 16]

    def read() -> None:
        with pytest.raises(AnswersError):
            answers.decode_transaction(catalogue, dictionary, body)

    read()
    assert peak_bytes(read) < MIB


def test_texts_of_a_body_56_never_grow_beyond_their_bound() -> None:
    # The shortest code of the longest word, as often as a body holds it.
    catalogue = shipped_catalogue()
    dictionary = build_dictionary(catalogue)
    for fill in range(256):
        body = bytes([fill]) * limits.BODY_BYTES_MAX
        try:
            found = answers.decode_transaction(catalogue, dictionary, body)
        except AnswersError:
            continue
        assert all(len(text) <= limits.TEXT_CHARS_MAX for text in found.answers.values())


@pytest.mark.parametrize("size", [limits.BLOB_BYTES_MAX + 1, 16 * MIB])
def test_bomb_in_a_blob_56_is_refused_at_its_bound(size: int) -> None:
    bomb = packed(bytes(size)).raw

    def read() -> None:
        with pytest.raises(WireError):
            unpacked(bomb, None)

    assert peak_bytes(read) < 2.5 * limits.BLOB_BYTES_MAX


def test_bomb_in_a_delta_56_is_refused_at_its_bound() -> None:
    old = bytes(range(256)) * 100
    # Copies the whole old blob again and again.
    step = b"\x00" + uvarint(len(old)) + uvarint(2 * len(old) - 1)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zdict=old[:32_768])
    steps = deflate.compress(step * 400_000) + deflate.flush()
    head = uvarint(limits.BLOB_BYTES_MAX) + uvarint(0)

    def read() -> None:
        with pytest.raises(WireError):
            apply_delta(old, head + steps)

    assert len(steps) < 20_000
    assert peak_bytes(read) < 3 * limits.BLOB_BYTES_MAX


# --- row 57: a bomb in HTTP's own compression ---


async def test_compressed_request_57_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    world = World(tmp_path / "c")
    bomb = gzip.compress(bytes(8 * MIB))
    async with serving(world, with_vault=False) as client:
        before, statuses = world.dump(), []
        for path in ("/sync/v1/exchange", "/sync/v1/enrol", "/sync/v1/attachment"):
            for coding in ("gzip", "deflate", "br", "zstd", "GZIP"):
                async with client.post(
                    path, data=bomb, headers={"Content-Encoding": coding}
                ) as response:
                    statuses.append(response.status)
        after = world.dump()
    world.close()

    assert set(statuses) <= {413, 415}
    assert before == after


async def test_compressed_answer_57_is_not_unpacked_by_a_kiosk() -> None:
    bomb = gzip.compress(bytes(8 * MIB))

    async def portal(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
        writer.write(head % len(bomb) + bomb)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(portal, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with HttpLink(f"http://127.0.0.1:{port}") as link:
        came = await link.get("/sync/v1/manifest")
    server.close()

    assert came == bomb


def test_aiohttp_57_is_a_version_with_its_two_advisories_mended() -> None:
    version = tuple(int(part) for part in aiohttp.__version__.split(".")[:3])

    assert version >= (3, 14, 1)


# --- row 58: lengths that lie ---

LIARS = [uvarint((1 << 49) - 1), uvarint(1_000_000), b"\xff" * 7, b"\xff" * 30, b"\x80" * 8]


@pytest.mark.parametrize("liar", LIARS, ids=["2^49", "10^6", "no end", "long", "padded"])
def test_lengths_that_lie_58_cost_nothing(liar: bytes) -> None:
    request = vector("request")
    taken = []

    def read() -> None:
        for at in range(len(request) - 64):
            with contextlib.suppress(WireError):
                frames.decode_request(request[:at] + liar + bytes(64))
                taken.append(at)

    assert peak_bytes(read) < MIB
    # Where it fills a byte string to its very end, it is no length.
    assert len(taken) <= 2


def test_a_million_envelopes_58_are_refused_before_the_second() -> None:
    request = vector("request")
    runs_at = request.index(b"\x01\x00\x01" + uvarint(1) + bytes(8))
    many = request[:runs_at] + uvarint(1_000_000) + request[runs_at + 1 :]

    with pytest.raises(WireError):
        frames.decode_request(many)


@pytest.mark.parametrize(
    "oversized",
    [
        lambda: decode_envelope(vector("envelope") + bytes(limits.ENVELOPE_BYTES_MAX)),
        lambda: frames.decode_request(vector("request") + bytes(limits.FRAME_BYTES_MAX)),
        lambda: courier_raw("9" * 2000),
        lambda: decode_courier(b"\x01" * (limits.ENVELOPE_BYTES_MAX + 100)),
    ],
    ids=["envelope", "frame", "digits", "courier"],
)
def test_oversized_58_is_refused(oversized: Callable[[], object]) -> None:
    with pytest.raises(WireError):
        oversized()


# --- deep nesting ---


@pytest.mark.parametrize("depth", [100, 1100, 20_000, 100_000])
@pytest.mark.parametrize("place", ["schema", "types", "services", "unheard"])
def test_nested_catalogue_is_malformed(place: str, depth: int) -> None:
    for opened in ("[", '{"a":'):
        raw = f'{{"{place}":'.encode() + opened.encode() * depth

        with pytest.raises(MALFORMED):
            decode_catalogue(raw)


@pytest.mark.parametrize("depth", [1100, 1900])
def test_nested_notice_is_refused_with_its_own_error(depth: int) -> None:
    raw = b"\x91" * depth + b"\xc0"

    with pytest.raises(WireError):
        notices.decode_notice(raw, 8)


def test_nested_page_of_a_stranger_has_no_code() -> None:
    head = b'{"title":"a","status":500,"code":"500.1","more":'

    assert _problem_code(head + b"[]}") == "500.1"
    assert _problem_code(head + b"[" * 1900) == ""


async def test_nested_page_of_a_stranger_is_a_refusal_to_the_agent() -> None:
    deep = b'{"title":"a","status":500,"code":"500.1","more":' + b"[" * 1900

    async def portal(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 500 No\r\nContent-Length: %d\r\n\r\n" % len(deep) + deep)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(portal, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with HttpLink(f"http://127.0.0.1:{port}") as link:
        with pytest.raises(LinkDown) as caught:
            await link.get("/sync/v1/manifest")
    server.close()

    assert isinstance(caught.value, CentreRefused)


# --- row 64: a courier's payload that a chat app changed ---


def test_every_changed_digit_64_of_a_courier_address_is_noticed() -> None:
    digits = str(int.from_bytes(vector("courier"), "big"))
    device = bytes.fromhex(KEYS["device_public"])
    taken = []
    changes = [
        *(
            digits[:at] + str((int(digits[at]) + 1) % 10) + digits[at + 1 :]
            for at in range(len(digits))
        ),
        *(digits[:end] for end in range(len(digits))),
        digits + "0",
        digits + "%20",
        digits[: len(digits) // 2] + "…",
        digits[:100] + digits[101:],
        digits.replace("1", "l"),
        "".join(chr(0xFF10 + int(digit)) for digit in digits),
    ]
    for changed in changes:
        try:
            envelope, signature = decode_courier(courier_raw(changed))
            verify(device, "envelope", envelope_bytes(envelope), signature)
        except (WireError, SignatureRefused):
            continue
        taken.append(changed)

    assert taken == []
    envelope, signature = decode_courier(courier_raw(digits))
    verify(device, "envelope", envelope_bytes(envelope), signature)
