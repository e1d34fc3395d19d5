"""A film of codes gives its block back whichever frames were missed, and believes no stranger."""

import contextlib
import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sync import limits
from sync.fountain import (
    FRAME_DIGITS_MAX,
    Block,
    BlockBroken,
    Collector,
    Frame,
    Run,
    blocks_of,
    frame_text,
    key_of,
    mix,
    pack,
    read_frame,
    unpack,
)
from sync.octets import WireError

VECTOR = Path(__file__).parents[2] / "vectors" / "carry.json"
#: Numeric characters of version 12 at level M (ISO/IEC 18004, table 7).
DIGITS_OF_VERSION_12_M = 691


def vector() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(VECTOR.read_text("utf-8"))
    return found


def envelopes(count: int, size_bytes: int = 231, seed: int = 1) -> list[bytes]:
    rng = random.Random(seed)
    return [b"\x01" + rng.randbytes(size_bytes - 1) for _ in range(count)]


def block(size_bytes: int, seed: int = 1) -> Block:
    return Block(random.Random(seed).randbytes(size_bytes))


def frame_of(one: Block, number: int, **changes: Any) -> Frame:
    frame = Frame(
        run=b"ab",
        part=1,
        parts=1,
        block=one.name,
        size_bytes=len(one.raw),
        pieces=one.pieces,
        number=number,
        data=one.data(number),
    )
    return replace(frame, **changes)


def caught(one: Block, numbers: list[int]) -> tuple[bytes | None, int]:
    """What a phone has after these frames, and how many it took."""
    collector = Collector(frame_of(one, 0))
    for taken, number in enumerate(numbers, 1):
        assert collector.rank <= one.pieces
        if (raw := collector.add(frame_of(one, number))) is not None:
            return raw, taken
    return None, len(numbers)


# --- the film ---


@settings(max_examples=40, deadline=None)
@given(
    size=st.integers(1, 8000), loss=st.floats(0, 0.6), start=st.integers(0, 500), seed=st.integers()
)
def test_any_frames_in_any_order_give_the_block_back(
    size: int, loss: float, start: int, seed: int
) -> None:
    rng = random.Random(seed)
    one = block(size, seed)
    numbers = [n for n in range(start, start + 6 * one.pieces + 200) if rng.random() >= loss]
    rng.shuffle(numbers)
    seen_twice = [number for number in numbers for _ in range(rng.choice((1, 1, 2)))]

    raw, _ = caught(one, seen_twice)

    assert raw == one.raw


def test_thirty_percent_loss_costs_one_frame_in_twenty_beyond_the_block() -> None:
    rng, one = random.Random(30), block(11_700)
    taken = sorted(
        caught(one, [n for n in range(400) if rng.random() >= 0.3])[1] / one.pieces
        for _ in range(60)
    )

    assert sum(taken) / len(taken) < 1.06
    # Each further frame halves what is still open.
    assert taken[-3] < 1.15


def test_nothing_missed_needs_no_frame_more_than_pieces() -> None:
    one = block(limits.CARRY_BLOCK_BYTES_MAX)

    assert caught(one, list(range(100))) == (one.raw, one.pieces)


def test_same_frame_again_adds_nothing() -> None:
    one = block(5000)
    collector = Collector(frame_of(one, 3))

    for _ in range(50):
        collector.add(frame_of(one, 3))

    assert collector.rank == 1


def test_poisoned_frame_is_noticed_and_the_block_begins_anew() -> None:
    one = block(1000)
    collector = Collector(frame_of(one, 0))
    collector.add(frame_of(one, 0, data=bytes(len(one.data(0)))))

    for number in range(1, one.pieces - 1):
        collector.add(frame_of(one, number))
    with pytest.raises(BlockBroken):
        collector.add(frame_of(one, one.pieces - 1))

    assert collector.rank == 0
    assert [collector.add(frame_of(one, n)) for n in range(one.pieces)][-1] == one.raw


def test_frame_of_another_block_is_not_mixed_in() -> None:
    one, other = block(1000, seed=1), block(1000, seed=2)

    with pytest.raises(ValueError, match="another block"):
        Collector(frame_of(one, 0)).add(frame_of(other, 0))


# --- the run ---


def test_envelopes_keep_their_order_and_fill_blocks_within_their_bounds() -> None:
    given_ones = envelopes(150, 300)

    blocks = blocks_of(given_ones)

    assert [one for raw in blocks for one in unpack(raw)] == given_ones
    assert max(map(len, blocks)) <= limits.CARRY_BLOCK_BYTES_MAX
    assert max(len(unpack(raw)) for raw in blocks) <= limits.CARRY_ENVELOPES_MAX


def test_largest_envelopes_travel_too() -> None:
    largest = envelopes(5, 4161)

    assert [one for raw in blocks_of(largest) for one in unpack(raw)] == largest


def test_what_one_run_has_no_room_for_is_the_newest() -> None:
    given_ones = envelopes(1300, 300)

    blocks = blocks_of(given_ones)
    shown = [one for raw in blocks for one in unpack(raw)]

    assert len(blocks) == limits.CARRY_PARTS_MAX
    assert shown == given_ones[: len(shown)]


def test_first_pass_shows_every_piece_and_half_as_many_mixes() -> None:
    run = Run(blocks_of(envelopes(90)))
    sizes = [one.pieces for one in run.blocks]
    first = sum(size + size // 2 + 4 for size in sizes)

    frames = [run.frame(index) for index in range(first)]

    assert [frame.part for frame in frames] == sorted(frame.part for frame in frames)
    for part, size in enumerate(sizes, 1):
        numbers = [frame.number for frame in frames if frame.part == part]
        assert numbers == list(range(size + size // 2 + 4))


def test_later_passes_go_on_with_fresh_mixes() -> None:
    run = Run(blocks_of(envelopes(90)))

    shown = [(f.part, f.number) for f in (run.frame(index) for index in range(2000))]

    assert len(set(shown)) == len(shown)
    assert max(number for _, number in shown) <= limits.CARRY_NUMBER_MAX


def test_frame_number_stays_within_its_two_octets_for_ever() -> None:
    run = Run(blocks_of(envelopes(1)))

    assert run.frame(10**6).number <= limits.CARRY_NUMBER_MAX


def test_largest_frame_is_a_code_of_version_12() -> None:
    for size in (1, 269, 270, 16_383, limits.CARRY_BLOCK_BYTES_MAX):
        one = block(size)
        text = frame_text(frame_of(one, one.pieces + 1, run=b"\xff\xff"))

        assert len(text) <= DIGITS_OF_VERSION_12_M
        assert read_frame(text) == frame_of(one, one.pieces + 1, run=b"\xff\xff")


def test_half_of_the_pieces_are_in_a_mix() -> None:
    counts = [mix(100, number).bit_count() for number in range(100, 600)]

    assert 48 < sum(counts) / len(counts) < 52
    assert all(mix(pieces, number) for pieces in range(1, 129) for number in range(pieces, 200))


# --- strangers ---


def edited(frame: Frame, **changes: Any) -> str:
    return frame_text(replace(frame, **changes))


HOSTILE: dict[str, dict[str, Any]] = {
    "no part": {"part": 0},
    "part beyond the parts": {"part": 3, "parts": 2},
    "too many parts": {"part": 1, "parts": 17},
    "no size": {"size_bytes": 0},
    "larger than any block": {"size_bytes": 16_385},
    "largest size of the field": {"size_bytes": 65_535},
    "no pieces": {"pieces": 0},
    "finer than any block": {"pieces": 129},
    "most pieces of the field": {"pieces": 255},
    "another piece length": {"pieces": 3},
    "more pieces than octets": {"size_bytes": 2, "pieces": 3, "data": b"x"},
    "short data": {"data": b"x"},
    "no data": {"data": b""},
}


@pytest.mark.parametrize("changes", HOSTILE.values(), ids=HOSTILE)
def test_contradictory_frame_is_refused(changes: dict[str, Any]) -> None:
    good = frame_of(block(1000), 1)
    assert read_frame(frame_text(good)) == good

    with pytest.raises(WireError):
        read_frame(edited(good, **changes))


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=900),
        st.text("0123456789", max_size=FRAME_DIGITS_MAX + 5),
        st.binary(max_size=300).map(lambda raw: str(int.from_bytes(b"\x02" + raw, "big"))),
    )
)
def test_whatever_a_code_says_only_a_wire_error_comes_out(text: str) -> None:
    try:
        frame = read_frame(text)
    except WireError:
        return
    assert len(frame.data) <= limits.CARRY_BLOCK_BYTES_MAX
    assert frame_text(frame) == text


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_whatever_a_block_holds_only_a_wire_error_comes_out(raw: bytes) -> None:
    try:
        found = unpack(raw)
    except WireError:
        return
    assert pack(found) == raw


def mutated(raw: bytes, rng: random.Random) -> bytes:
    """Some octets changed, dropped, doubled or put in."""
    octets = bytearray(raw)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        place = rng.randrange(len(octets) + 1)
        kind = rng.randrange(4)
        if kind == 0 and place < len(octets):
            octets[place] = rng.randrange(256)
        elif kind == 1:
            del octets[place : place + rng.randrange(1, 30)]
        elif kind == 2:
            octets[place:place] = octets[place : place + rng.randrange(1, 30)]
        else:
            octets[place:place] = rng.randbytes(rng.randrange(1, 5))
    return bytes(octets)


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(4))
def test_a_hundred_thousand_mutated_frames_and_bundles_are_read_or_refused(seed: int) -> None:
    rng = random.Random(seed)
    one = block(2000)
    frames = [frame_of(one, number) for number in range(one.pieces + 4)]
    bundle = pack(envelopes(4, 70))
    fates = {"read": 0, "refused": 0}
    collector = Collector(frames[0])
    for _ in range(12_500):
        text = frame_text(rng.choice(frames))
        number = int.from_bytes(mutated(int(text).to_bytes(400, "big").lstrip(b"\0"), rng), "big")
        for read, raw in ((read_frame, str(number)), (unpack, mutated(bundle, rng))):
            try:
                found = read(raw)  # type: ignore[arg-type]  # each gets its own kind
            except WireError:
                fates["refused"] += 1
                continue
            fates["read"] += 1
            if isinstance(found, Frame) and key_of(found) == key_of(frames[0]):
                with contextlib.suppress(BlockBroken):
                    collector.add(found)
                assert collector.rank <= one.pieces

    assert min(fates.values()) > 1000


# --- golden bytes; the phone's half is held to the same in tests/browser/test_fountain_js.py ---


def test_golden_film_is_made_and_read_alike() -> None:
    found = vector()
    run = Run([bytes.fromhex(raw) for raw in found["blocks"]])

    texts = [[place, frame_text(run.frame(place))] for place, _ in found["frames"]]

    assert texts == found["frames"]
    assert len(run.blocks) == 2
    assert [hashlib.sha256(b.raw).hexdigest()[:16] for b in run.blocks] == found["names"]


def test_golden_mixes_are_the_same() -> None:
    for pieces, number, bits in vector()["mixes"]:
        assert f"{mix(pieces, number):x}" == bits
