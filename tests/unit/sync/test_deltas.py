"""Deltas and pieces: what was packed comes back, and nothing else is taken for it."""

import asyncio
import zlib
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import limits
from sync.deltas import apply_delta, make_delta
from sync.octets import WireError, uvarint
from sync.pieces import Packed, decode_piece, next_piece_bytes, packed, piece_of, unpacked
from sync.transports import LinkDown
from sync.transports.http import HttpLink

#: Of few letters, so that runs of one are found in the other.
TEXTS = st.lists(st.sampled_from([b"village", b"road", b"water", b"\n", b"a"]), max_size=60).map(
    b"".join
)


@given(TEXTS, TEXTS)
def test_delta_makes_the_new_of_the_old(old: bytes, new: bytes) -> None:
    assert apply_delta(old, make_delta(old, new)) == new


@pytest.mark.parametrize("place", [0, 1, 31, 5000, 9999])
def test_one_insertion_costs_little_more_than_its_bytes(place: int) -> None:
    old = Random(5).randbytes(10_000)
    new = old[:place] + b"eleven more" + old[place:]

    delta = make_delta(old, new)

    assert apply_delta(old, delta) == new
    assert len(delta) < 40


def test_moved_and_removed_blocks_cost_next_to_nothing() -> None:
    blocks = [Random(number).randbytes(700) for number in range(40)]
    old = b"".join(blocks)
    new = b"".join([*blocks[20:], *blocks[3:20]])

    assert len(make_delta(old, new)) < 60


@given(st.binary(max_size=300), st.binary(max_size=60))
def test_what_is_no_delta_is_refused_with_its_own_error(old: bytes, raw: bytes) -> None:
    try:
        apply_delta(old, raw)
    except WireError:
        return


def read_by_the_page(old: bytes, delta: bytes) -> bytes:
    """Apply a delta by the words of docs/protocol.md, with the standard library alone."""

    def number(raw: bytes, at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            value |= (raw[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if raw[at - 1] < 0x80:
                return value, at

    size, at = number(delta, 0)
    window_at, at = number(delta, at)
    inflate = zlib.decompressobj(-15, zdict=old[window_at : window_at + 32_768])
    steps, at = inflate.decompress(delta[at:]), 0
    new, end = b"", 0
    while at < len(steps):
        length, at = number(steps, at)
        new, at = new + steps[at : at + length], at + length
        length, at = number(steps, at)
        turned, at = number(steps, at)
        start = end + (turned // 2 if turned % 2 == 0 else -(turned + 1) // 2)
        new, end = new + old[start : start + length], start + length
    assert len(new) == size
    return new


@given(TEXTS, TEXTS)
def test_a_second_reader_written_from_the_page_agrees(old: bytes, new: bytes) -> None:
    assert read_by_the_page(old, make_delta(old, new)) == new


def test_moved_blocks_agree_with_the_page() -> None:
    blocks = [Random(number).randbytes(700) for number in range(40)]
    old, new = b"".join(blocks), b"".join([*blocks[20:], *blocks[3:20]])

    assert read_by_the_page(old, make_delta(old, new)) == new


def test_delta_of_another_blob_does_not_pass_unnoticed() -> None:
    old = Random(1).randbytes(3000)
    delta = make_delta(old, old[:1000] + b"new" + old[1000:])

    with pytest.raises(WireError):
        apply_delta(old[:1500], delta)


def test_delta_that_swells_is_refused_before_it_is_unpacked() -> None:
    # Says that it makes 10 bytes, and inserts a million.
    honest = make_delta(b"", bytes(1_000_000))

    with pytest.raises(WireError):
        apply_delta(b"", uvarint(10) + honest[len(uvarint(1_000_000)) :])


@given(st.binary(max_size=400), st.integers(1, 50))
def test_pieces_of_any_size_make_the_whole(raw: bytes, size_bytes: int) -> None:
    whole = packed(raw)
    came = b""

    while len(came) < len(whole.raw):
        piece = decode_piece(piece_of(whole, len(came), size_bytes))
        assert (piece.tag, piece.total, piece.at) == (whole.tag, len(whole.raw), len(came))
        came += piece.data

    assert unpacked(came, None) == raw


def test_piece_that_broke_off_behind_its_head_can_be_kept() -> None:
    whole = packed(Random(2).randbytes(500))
    raw = piece_of(whole)

    read = [decode_piece(raw[:end]).data for end in range(len(raw) - 400, len(raw))]

    assert read == [whole.raw[: len(data)] for data in read]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"BD\x01",
        b"BD\x01\x02tagg\x01\x00",
        b"BD\x01\x00tagg\x01\x00ab",
        b"BD\x01\x00tagg\x01\x01a",
        b"BD\x01\x00tagg" + uvarint(limits.BLOB_BYTES_MAX + 1) + b"\x00",
        b"<!DOCTYPE html>",
    ],
)
def test_what_is_no_piece_is_refused(raw: bytes) -> None:
    with pytest.raises(WireError):
        decode_piece(raw)


def test_whole_that_swells_beyond_its_bound_is_refused() -> None:
    with pytest.raises(WireError):
        unpacked(packed(bytes(limits.BLOB_BYTES_MAX + 1)).raw, None)


def test_delta_is_not_made_where_the_whole_is_shorter() -> None:
    old = Random(3).randbytes(9000)
    new = Path("server/catalogue/catalogue.json").read_bytes()[:30_000]

    assert packed(new, old) == packed(new)


def test_pieces_grow_and_shrink_within_their_bounds() -> None:
    sizes = [limits.PIECE_BYTES_FIRST]
    for _ in range(20):
        sizes.append(next_piece_bytes(sizes[-1], 0.1))
    for _ in range(20):
        sizes.append(next_piece_bytes(sizes[-1], None))

    assert max(sizes) == limits.PIECE_BYTES_MAX
    assert sizes[-1] == limits.PIECE_BYTES_MIN


async def test_what_came_of_an_answer_that_broke_off_is_handed_over() -> None:
    body = piece_of(Packed(is_delta=False, raw=bytes(3000)))

    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:1000])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(half, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with HttpLink(f"http://127.0.0.1:{port}") as link:
        with pytest.raises(LinkDown) as caught:
            await link.get("/sync/v1/blobs/0")
    server.close()

    assert caught.value.came == body[:1000]


async def test_page_of_an_error_that_broke_off_is_not_handed_over() -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 999\r\n\r\nBD\x01")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(half, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with HttpLink(f"http://127.0.0.1:{port}") as link:
        with pytest.raises(LinkDown) as caught:
            await link.get("/sync/v1/blobs/0")
    server.close()

    assert caught.value.came == b""
