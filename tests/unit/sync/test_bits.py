import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.bits import AnswersError, BitReader, BitWriter

numbers = st.integers(0, 70).flatmap(
    lambda width: st.tuples(st.integers(0, (1 << width) - 1), st.just(width))
)


@given(st.lists(numbers, max_size=40))
def test_numbers_of_any_width_come_back(pairs: list[tuple[int, int]]) -> None:
    bits = BitWriter()
    for number, width in pairs:
        bits.put(number, width)

    assert bits.bit_count == sum(width for _, width in pairs)
    reader = BitReader(bits.to_bytes(1))
    assert [(reader.take(width), width) for _, width in pairs] == pairs
    reader.expect_end(1)


@given(st.lists(st.integers(0, (1 << 48) - 1), max_size=20))
def test_varying_numbers_come_back(values: list[int]) -> None:
    bits = BitWriter()
    for number in values:
        bits.put_varying(number)

    reader = BitReader(bits.to_bytes(1))
    assert [reader.take_varying() for _ in values] == values


@pytest.mark.parametrize(("number", "size"), [(0, 5), (15, 5), (16, 10), (255, 10), (256, 15)])
def test_varying_number_takes_five_bits_a_group(number: int, size: int) -> None:
    bits = BitWriter()
    bits.put_varying(number)

    assert bits.bit_count == size


def test_first_bit_is_the_highest_and_padding_is_zero() -> None:
    bits = BitWriter()
    bits.put(0b101, 3)

    assert bits.to_bytes(16, before=13) == bytes([0b1010_0000, 0, 0])


@pytest.mark.parametrize(("number", "width"), [(8, 3), (-1, 3), (1, 0)])
def test_number_that_does_not_fit_is_refused(number: int, width: int) -> None:
    with pytest.raises(AnswersError):
        BitWriter().put(number, width)


def test_varying_number_of_more_than_48_bits_is_refused_both_ways() -> None:
    with pytest.raises(AnswersError):
        BitWriter().put_varying(1 << 48)
    with pytest.raises(AnswersError):
        BitReader(b"\xff" * 16).take_varying()


def test_varying_number_with_a_leading_zero_group_is_refused() -> None:
    with pytest.raises(AnswersError):
        BitReader(bytes([0b1000_0000, 0b0100_0000])).take_varying()


def test_reading_past_the_end_is_refused() -> None:
    reader = BitReader(b"\x00")

    with pytest.raises(AnswersError):
        reader.take(9)


@pytest.mark.parametrize("raw", [b"\x80\x01", b"\x90", b"\x80\x00"])
def test_what_follows_the_answers_is_refused(raw: bytes) -> None:
    reader = BitReader(raw)
    reader.take(1)

    with pytest.raises(AnswersError):
        reader.expect_end(1)
