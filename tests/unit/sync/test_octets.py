"""Numbers and byte strings have one spelling each, and nothing but `WireError` comes out."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.octets import UVARINT_MAX, Reader, WireError, counted, uvarint


@given(st.integers(0, UVARINT_MAX))
def test_uvarint_reads_back(number: int) -> None:
    reader = Reader(uvarint(number))

    assert (reader.uvarint(), reader.left) == (number, 0)


@given(st.binary(max_size=12))
def test_uvarint_has_one_spelling(raw: bytes) -> None:
    reader = Reader(raw)
    try:
        number = reader.uvarint()
    except WireError:
        return

    assert uvarint(number) == raw[: len(raw) - reader.left]


@pytest.mark.parametrize("number", [-1, UVARINT_MAX + 1])
def test_uvarint_out_of_range_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="uvarint takes"):
        uvarint(number)


@given(st.binary(max_size=300))
def test_counted_reads_back(raw: bytes) -> None:
    assert Reader(counted(raw)).counted(300) == raw


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (b"", lambda reader: reader.uvarint()),
        (b"\x80\x00", lambda reader: reader.uvarint()),
        (b"\xff" * 8, lambda reader: reader.uvarint()),
        (b"\x05", lambda reader: reader.uvarint(4)),
        (b"\x03ab", lambda reader: reader.counted(10)),
        (b"\x0babcdefghijk", lambda reader: reader.counted(10)),
        (b"\x01\xff", lambda reader: reader.text(10)),
        (b"ab", lambda reader: reader.expect(b"ac", "it")),
        (b"a", lambda reader: reader.expect(b"ab", "it")),
        (b"a", lambda reader: reader.end()),
        (b"\x02a", lambda reader: reader.several(1, lambda: reader.take(1))),
        (b"a", lambda reader: reader.number(2)),
    ],
)
def test_what_does_not_fit_is_a_wire_error(raw: bytes, read: Callable[[Reader], object]) -> None:
    with pytest.raises(WireError):
        read(Reader(raw))


@given(st.lists(st.binary(max_size=300), max_size=9), st.binary(max_size=9), st.integers(0, 200))
def test_many_counted_read_as_one_after_the_other(
    parts: list[bytes], rest: bytes, maximum: int
) -> None:
    raw = b"".join(map(counted, parts)) + rest
    at_once, in_turn = Reader(raw), Reader(raw)

    def outcome(read: Callable[[], list[bytes]], reader: Reader) -> object:
        try:
            return read(), reader.left
        except WireError as error:
            return str(error)

    count = len(parts) + 1
    assert outcome(lambda: at_once.counted_each(count, maximum), at_once) == outcome(
        lambda: [in_turn.counted(maximum) for _ in range(count)], in_turn
    )
