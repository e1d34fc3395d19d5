"""Whatever bytes come from outside, a parser answers or refuses with its own error, cheaply."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.doors import Door, doors
from tests.fuzz.judge import Fault, fuzzed, judge

DEEP_CASES = 200_000
FAST_CASES = 1500
WEIGHT = sum(door.weight for door in doors())
SEED = 20261124
NAMES = [door.name for door in doors()]

#: What MessagePack can write; longer ones are among the mutator's signs.
INTEGERS = st.integers(-(1 << 63), (1 << 64) - 1)
JSON = st.recursive(
    st.none() | st.booleans() | INTEGERS | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)


def _door(name: str) -> Door:
    return next(door for door in doors() if door.name == name)


@st.composite
def nearly(draw: st.DrawFn, door: Door) -> bytes:
    """A sample with a hole that anything fills, or anything at all."""
    sample = draw(st.sampled_from(door.samples))
    begin = draw(st.integers(0, len(sample)))
    end = draw(st.integers(begin, min(len(sample), begin + 80)))
    filling = draw(
        st.binary(max_size=120)
        | JSON.map(msgspec.json.encode)
        | JSON.map(msgspec.msgpack.encode)
        | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass"))
    )
    return filling if draw(st.integers(0, 9)) == 0 else sample[:begin] + filling + sample[end:]


@pytest.mark.parametrize("name", NAMES)
def test_valid_samples_are_accepted(name: str) -> None:
    # A door that refuses everything would pass all the others.
    door = _door(name)

    assert [judge(door, sample, is_traced=True) for sample in door.samples] == [True] * len(
        door.samples
    )


@pytest.mark.parametrize("name", NAMES)
def test_changed_bytes(name: str) -> None:
    door = _door(name)

    fuzzed(door, max(8, FAST_CASES * door.weight // WEIGHT), SEED)


@pytest.mark.parametrize("name", NAMES)
def test_invented_bytes(name: str) -> None:
    _invent(_door(name), examples=12)


@pytest.mark.deep
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", NAMES)
def test_changed_bytes_many(name: str) -> None:
    door = _door(name)

    fuzzed(door, DEEP_CASES * door.weight // WEIGHT, SEED + 1)


@pytest.mark.deep
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", NAMES)
def test_invented_bytes_many(name: str) -> None:
    _invent(_door(name), examples=400)


def _invent(door: Door, examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(nearly(door))
    def each(raw: bytes) -> None:
        judge(door, raw)

    each()


@pytest.mark.parametrize(
    ("read", "written", "said"),
    [
        (lambda raw: sum(range(6_000_000)) + len(raw), None, "took .* ms"),
        (lambda raw: len(bytes(3 << 20)) + len(raw), None, "took .* KiB"),
        (lambda raw: int(raw[:0]), None, "ValueError"),
        (lambda raw: raw, lambda _: b"", "has a second spelling"),
    ],
    ids=["slow", "greedy", "wrong error", "second spelling"],
)
def test_the_judge_finds_what_it_looks_for(
    read: Callable[[bytes], object], written: Callable[[object], bytes] | None, said: str
) -> None:
    # A judge that finds nothing proves nothing.
    door = Door("made up", read, (b"a",), (KeyError,), written=written)

    with pytest.raises(Fault, match=f"made up: {said}"):
        judge(door, b"a", is_traced="KiB" in said)
