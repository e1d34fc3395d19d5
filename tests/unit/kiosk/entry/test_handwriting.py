"""A character by finger: what the square may send, how strokes vote, and a reader that dies."""

import asyncio
import itertools
import os
import sys
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.entry import voting, zinnia
from kiosk.entry.ink import FIELD, Ink, Stroke, read_ink
from kiosk.entry.reader import HandReader
from kiosk.errors import InkRefused, ReadingUnavailable
from sync.limits import (
    INK_BYTES_MAX,
    INK_CANDIDATES_MAX,
    INK_POINTS_MAX,
    INK_STROKES_MAX,
    INK_SWAPS_MAX,
)

#: 王, as a schoolbook draws it: three bars from above, the stem before the last one.
BARS: tuple[Stroke, ...] = (
    ((200, 250), (500, 245), (800, 250)),
    ((250, 500), (500, 498), (750, 500)),
    ((500, 250), (500, 560), (500, 850)),
    ((150, 850), (500, 846), (850, 850)),
)


def posted(strokes: object) -> bytes:
    return msgspec.json.encode({"strokes": strokes})


# --- what the square may send ---


def test_drawing_is_read_as_it_was_posted() -> None:
    assert read_ink(posted(BARS)) == Ink(strokes=BARS)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff\xfe",
        posted([]),
        posted([[]]),
        posted([[[1, 2]], []]),
        posted([[[1]]]),
        posted([[[1, 2, 3]]]),
        posted([[[1.5, 2]]]),
        posted([[[-1, 2]]]),
        posted([[[1, FIELD + 1]]]),
        posted([[["1", "2"]]]),
        b'{"strokes":[[[1,2]]],"name":"x"}',
        posted([[[1, 2]]] * (INK_STROKES_MAX + 1)),
        posted([[[1, 2]] * (INK_POINTS_MAX + 1)]),
        b" " * INK_BYTES_MAX + posted(BARS),
    ],
)
def test_what_is_no_drawing_is_refused(raw: bytes) -> None:
    with pytest.raises(InkRefused):
        read_ink(raw)


@given(st.binary(max_size=200))
def test_no_octets_are_more_than_refused(raw: bytes) -> None:
    try:
        ink = read_ink(raw)
    except InkRefused:
        return
    assert 0 < len(ink.strokes) <= INK_STROKES_MAX


# --- how strokes vote ---


def test_each_pair_of_neighbours_is_tried_the_other_way_round() -> None:
    a, b, c, d = BARS

    assert list(voting.orders(BARS)) == [(a, b, c, d), (b, a, c, d), (a, c, b, d), (a, b, d, c)]


def test_a_hundred_strokes_are_tried_in_bounded_orders() -> None:
    assert len(list(voting.orders([((1, 2),)] * 100))) == INK_SWAPS_MAX + 1


def test_a_character_counts_by_its_best_reading_and_ties_stay_as_drawn() -> None:
    readings = {
        ("a", "b"): [("土", 0.3), ("士", 0.2), ("工", 0.2)],
        ("b", "a"): [("工", 0.9), ("士", 0.2)],
    }

    found = voting.candidates("ab", lambda order, _: readings[tuple(order)])  # type: ignore[arg-type, index]

    assert found == ["工", "土", "士"]


def test_no_more_are_offered_than_there_are_keys() -> None:
    counter = itertools.count()

    def read(_: Sequence[Stroke], count: int) -> list[tuple[str, float]]:
        return [(chr(0x4E00 + next(counter)), 0.1) for _ in range(count)]

    assert len(voting.candidates(BARS, read)) == INK_CANDIDATES_MAX


# --- a reader that may die ---


def stand_in(*lines: str) -> tuple[str, ...]:
    """A worker of a few lines: it greets, and what it does then is `lines`."""
    script = "\n".join(
        [
            "import sys, os",
            "print('{}', flush=True)",
            "for line in sys.stdin:",
            *(f"    {line}" for line in lines),
        ]
    )
    return (sys.executable, "-c", script)


ANSWER = """print('{"candidates":["王","玉"]}', flush=True)"""


def reader(*lines: str) -> HandReader:
    return HandReader(is_there=lambda: True, command=stand_in(*lines))


async def test_worker_starts_with_the_first_character_and_rests_after_the_visit() -> None:
    hand = reader(ANSWER)
    assert hand.pid is None

    assert await hand.read(Ink(BARS)) == ("王", "玉")
    first = hand.pid
    assert await hand.read(Ink(BARS)) == ("王", "玉")
    assert hand.pid == first

    await hand.rest()
    assert hand.pid is None
    assert first is not None
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


async def test_killed_worker_is_started_anew_and_the_character_read() -> None:
    hand = reader(ANSWER)
    await hand.read(Ink(BARS))
    killed = hand.pid
    assert killed is not None
    os.kill(killed, 9)

    assert await hand.read(Ink(BARS)) == ("王", "玉")
    assert hand.pid != killed
    await hand.rest()


@pytest.mark.parametrize(
    "line",
    [
        "os._exit(1)",
        "print('nonsense', flush=True)",
        "print('x' * 10000, flush=True)",
        "os.kill(os.getpid(), 11)",
    ],
)
async def test_worker_that_always_fails_is_given_up_after_two_tries(line: str) -> None:
    hand = reader(line)

    with pytest.raises(ReadingUnavailable):
        await hand.read(Ink(BARS))

    assert hand.pid is None


async def test_visit_that_ends_while_a_character_is_read_leaves_no_worker() -> None:
    hand = reader("pass")
    reading = asyncio.ensure_future(hand.read(Ink(BARS)))
    while hand.pid is None:
        await asyncio.sleep(0.01)

    await hand.rest()

    with pytest.raises(ReadingUnavailable):
        await reading
    assert hand.pid is None


async def test_character_that_waited_its_turn_is_not_read_after_the_visit() -> None:
    hand = reader("time.sleep(9)")
    both = [asyncio.ensure_future(hand.read(Ink(BARS))) for _ in range(2)]
    while hand.pid is None:
        await asyncio.sleep(0.01)

    await hand.rest()

    assert [type(end) for end in await asyncio.gather(*both, return_exceptions=True)] == [
        ReadingUnavailable,
        ReadingUnavailable,
    ]
    assert hand.pid is None


async def test_kiosk_without_the_packages_offers_nothing_and_starts_nothing() -> None:
    hand = HandReader(is_there=lambda: False, command=("/nowhere",))

    assert not hand.is_offered
    with pytest.raises(ReadingUnavailable):
        await hand.read(Ink(BARS))


@pytest.mark.skipif(not zinnia.is_installed(), reason="the handwriting packages are not here")
async def test_real_model_reads_wang_in_schoolbook_order_and_in_another() -> None:
    hand = HandReader()
    last_first = (BARS[0], BARS[1], BARS[3], BARS[2])

    drawn = await hand.read(Ink(BARS))
    otherwise = await hand.read(Ink(last_first))
    await hand.rest()

    assert "王" in drawn[:3]
    assert "王" in otherwise[:8]
    assert len(drawn) == INK_CANDIDATES_MAX
