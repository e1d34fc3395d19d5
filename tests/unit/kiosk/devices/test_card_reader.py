"""The ID card reader: the card's 256 bytes, the reader's frames, a card taken away too early."""

# ruff: noqa: ARG002 -- lines that take no time have no use for their bounds

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kiosk.devices.card_reader import (
    CardSeen,
    FramedReader,
    framed,
    unframed,
)
from kiosk.devices.card_record import (
    RECORD_BYTES,
    CardRecord,
    CardUnreadable,
    decode_record,
    encode_record,
)
from kiosk.devices.hung import card_reader_of
from kiosk.devices.line import LineGone
from kiosk.devices.reading import Reading
from kiosk.devices.simulated import SimulatedCardReader
from sync.clock import SystemClock
from sync.identity import id_check_digit
from tests.unit.kiosk.parts import OLD_ID
from tests.unit.sync.worlds import JumpingClock

CARD = CardRecord(
    name="王秀兰",
    id_number=OLD_ID,
    sex="2",
    nation="01",
    born="19461124",
    address="云南省昆明市富民县清水村1号",
    issuer="富民县公安局",
    valid_from="20160101",
    valid_until="长期",
    new_address="",
)


@st.composite
def cards(draw: st.DrawFn) -> CardRecord:
    born = draw(st.dates(dt.date(1900, 1, 1), dt.date(2026, 11, 24))).strftime("%Y%m%d")
    stem = draw(st.from_regex(r"[1-6][0-9]{5}", fullmatch=True)) + born
    stem += draw(st.from_regex(r"[0-9]{3}", fullmatch=True))
    han = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)
    return replace(
        CARD,
        name=draw(st.text(han, min_size=2, max_size=15)),
        id_number=stem + id_check_digit(stem),
        born=born,
        address=draw(st.text(han, max_size=35)),
        issuer=draw(st.text(han, max_size=15)),
    )


# --- the card's text ---


def test_card_is_256_bytes() -> None:
    assert len(encode_record(CARD)) == RECORD_BYTES


@settings(max_examples=40)
@given(cards())
def test_every_card_is_read_as_it_was_written(card: CardRecord) -> None:
    assert decode_record(encode_record(card)) == card


@given(st.binary(min_size=RECORD_BYTES, max_size=RECORD_BYTES) | st.binary(max_size=600))
def test_no_bytes_break_the_reading(raw: bytes) -> None:
    with pytest.raises(CardUnreadable):
        decode_record(raw)


@settings(max_examples=60)
@given(cards(), st.integers(0, RECORD_BYTES))
def test_card_taken_away_in_the_middle_is_no_card(card: CardRecord, place: int) -> None:
    # What had not come yet is zeros; only issuer, dates and address at the end may be lacking.
    torn = encode_record(card)[:place] + bytes(RECORD_BYTES - place)
    try:
        read = decode_record(torn)
    except CardUnreadable:
        return
    assert place >= 157
    assert (read.name, read.id_number) == (card.name, card.id_number)


def test_names_of_minorities_keep_one_kind_of_dot() -> None:
    card = replace(CARD, name="阿卜杜拉•买买提")

    assert decode_record(encode_record(card)).name == "阿卜杜拉·买买提"


@pytest.mark.parametrize(
    "wrong",
    [
        {"id_number": OLD_ID[:-1] + "0"},
        {"born": "19461125"},
        {"name": ""},
        {"name": "王\x07"},
        {"name": "😀"},
    ],
)
def test_card_that_contradicts_itself_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(CardUnreadable):
        decode_record(encode_record(replace(CARD, **wrong)))


def test_foreigners_card_is_typed_in() -> None:
    raw = bytearray(encode_record(CARD))
    raw[248:250] = "I".encode("utf-16-le")

    with pytest.raises(CardUnreadable, match="foreigner"):
        decode_record(bytes(raw))


def test_refusal_holds_nothing_of_the_card() -> None:
    with pytest.raises(CardUnreadable) as refused:
        decode_record(encode_record(replace(CARD, born="19461125")))

    assert OLD_ID not in str(refused.value)
    assert "王" not in str(refused.value)


# --- frames ---


@given(st.binary(min_size=3, max_size=2000), st.binary(max_size=20), st.binary(max_size=20))
def test_frame_is_found_between_other_bytes(body: bytes, before: bytes, behind: bytes) -> None:
    noise = before.replace(b"\xaa", b"\x00")

    assert unframed(noise + framed(body) + behind) == body


@given(st.binary(min_size=3, max_size=300), st.integers(0, 300))
def test_frame_in_pieces_is_waited_for(body: bytes, place: int) -> None:
    raw = framed(body)

    assert unframed(raw[: min(place, len(raw) - 1)]) is None


def test_frame_damaged_on_the_way_is_no_answer() -> None:
    raw = bytearray(framed(b"\x00\x00\x90"))
    raw[-2] ^= 1

    with pytest.raises(CardUnreadable):
        unframed(bytes(raw))


@given(st.binary(max_size=600))
def test_no_bytes_break_the_frames(raw: bytes) -> None:
    try:
        body = unframed(raw)
    except CardUnreadable:
        return
    assert body is None or len(body) < len(raw)


# --- the reader ---


@contextmanager
def reader() -> Iterator[tuple[SimulatedCardReader, FramedReader]]:
    with SimulatedCardReader() as simulated:
        real = card_reader_of(simulated.address, SystemClock())
        assert isinstance(real, FramedReader)
        yield simulated, real
        real.close()


def test_card_on_the_reader_is_read() -> None:
    with reader() as (simulated, real):
        nothing = real.look()
        simulated.record = encode_record(CARD)
        read = real.look()

    assert (nothing, read) == (CardSeen("none"), CardSeen("read", CARD))


@pytest.mark.parametrize("moment", ["select", "read"])
def test_card_taken_away_too_early_is_told_and_the_next_one_is_read(moment: str) -> None:
    with reader() as (simulated, real):
        simulated.record, simulated.taken_away_at = encode_record(CARD), moment
        torn = real.look()
        simulated.record, simulated.taken_away_at = encode_record(CARD), ""
        whole = real.look()

    assert (torn, whole) == (CardSeen("failed"), CardSeen("read", CARD))


def test_reader_that_is_pulled_out_is_gone_and_found_again() -> None:
    with reader() as (simulated, real):
        there = real.is_there()
        port = int(simulated.address.rpartition(":")[2])
    gone = real.look()
    with SimulatedCardReader(port):
        again = real.is_there()
        real.close()

    assert (there, gone, again) == (True, CardSeen("gone"), True)


def test_silent_reader_is_gone() -> None:
    class Silent:
        def write(self, raw: bytes, timeout_ms: int) -> int:
            return len(raw)

        def read(self, size_max: int, timeout_ms: int) -> bytes:
            return b""

        def close(self) -> None:
            """Nothing is held."""

    mute = FramedReader(Silent, JumpingClock())

    assert (mute.look(), mute.is_there()) == (CardSeen("gone"), False)


def test_reader_of_noise_reads_no_card() -> None:
    class Noisy:
        said = b""

        def write(self, raw: bytes, timeout_ms: int) -> int:
            self.said = b"\xaa\xaa\xaa\x96\x69\x00\x04xxxx" * 3
            return len(raw)

        def read(self, size_max: int, timeout_ms: int) -> bytes:
            said, self.said = self.said, b""
            return said

        def close(self) -> None:
            """Nothing is held."""

    assert FramedReader(Noisy, JumpingClock()).look() == CardSeen("failed")


# --- when it looks ---


class Counting:
    """A reader that counts how often it was asked for a card."""

    def __init__(self) -> None:
        self.looks = 0
        self.seen = CardSeen("read", CARD)

    def is_there(self) -> bool:
        return True

    def look(self) -> CardSeen:
        self.looks += 1
        return self.seen


async def test_card_is_looked_for_only_while_a_question_waits_for_one() -> None:
    counting, came = Counting(), list[CardSeen]()
    reading = Reading(counting, JumpingClock())

    async def note(seen: CardSeen) -> None:
        came.append(seen)

    reading.came = note
    await reading.look()
    await reading.look()
    unasked = counting.looks
    reading.is_wanted = lambda: True
    await reading.look()
    reading.close()

    assert (unasked, counting.looks, came) == (0, 1, [CardSeen("read", CARD)])


async def test_no_card_is_no_news_and_a_lost_reader_is_seen() -> None:
    counting, came = Counting(), list[CardSeen]()
    reading = Reading(counting, JumpingClock())

    async def note(seen: CardSeen) -> None:
        came.append(seen)

    reading.came, reading.is_wanted = note, lambda: True
    await reading.look()
    counting.seen = CardSeen("none")
    await reading.look()
    counting.seen = CardSeen("gone")
    await reading.look()
    gone = reading.view
    await reading.look()
    reading.close()

    assert (came, gone, reading.view) == ([], "gone", "ready")


async def test_kiosk_without_a_reader_has_none() -> None:
    reading = Reading(None, JumpingClock())
    await reading.look()
    reading.close()

    assert reading.view == ""


def test_line_that_does_not_open_is_a_reader_that_is_not_there() -> None:
    def absent() -> SilentLine:
        raise LineGone("no such device")

    assert not FramedReader(absent, JumpingClock()).is_there()


class SilentLine:
    """Only a type for a line that never opens."""

    def write(self, raw: bytes, timeout_ms: int) -> int:
        return 0

    def read(self, size_max: int, timeout_ms: int) -> bytes:
        return b""

    def close(self) -> None:
        """Nothing is held."""


async def test_card_that_keeps_failing_is_told_once() -> None:
    counting, came = Counting(), list[CardSeen]()
    reading = Reading(counting, JumpingClock())

    async def note(seen: CardSeen) -> None:
        came.append(seen)

    reading.came, reading.is_wanted = note, lambda: True
    for kind in ("read", "failed", "failed", "failed", "none", "failed", "read"):
        counting.seen = CardSeen(kind, CARD if kind == "read" else None)
        await reading.look()
    reading.close()

    assert [seen.kind for seen in came] == ["failed", "failed", "read"]
