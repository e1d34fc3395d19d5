import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.bits import AnswersError, BitReader, BitWriter
from sync.dictionary import build_dictionary, dictionary_of
from sync.forms import decode_catalogue
from sync.limits import DICTIONARY_BYTES_MAX, TEXT_CHARS_MAX
from tests.generator import shipped_catalogue

RAW = build_dictionary(shipped_catalogue())
DICTIONARY = dictionary_of(RAW)
# Texts as the surrogate-free strings that any keyboard, card reader or recogniser can give.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
familiar = st.text("王小明的路灯坏了，。0123456789·阿卜杜拉垮𬍡aZ ", max_size=60)


def bits_of(text: str) -> BitWriter:
    bits = BitWriter()
    DICTIONARY.put(bits, text)
    return bits


@given(texts | familiar)
def test_any_text_comes_back(text: str) -> None:
    reader = BitReader(bits_of(text).to_bytes(1))

    assert DICTIONARY.take(reader) == text
    reader.expect_end(1)


@given(texts | familiar)
def test_no_text_takes_more_than_its_utf8_and_length(text: str) -> None:
    length = BitWriter()
    length.put_varying(len(text.encode()))

    assert bits_of(text).bit_count <= 1 + length.bit_count + 8 * len(text.encode())


@pytest.mark.parametrize(
    ("text", "bytes_max"),
    [
        ("王小明", 4),
        ("阿卜杜拉·买买提", 15),
        ("村口的路灯坏了三个月，晚上老人走路看不见，希望尽快修好。", 24),
        ("YT1804-20260311", 16),
        ("Kunming No. 2 Hospital", 24),
    ],
)
def test_ordinary_text_is_short(text: str, bytes_max: int) -> None:
    assert bits_of(text).bit_count <= 8 * bytes_max


def test_same_catalogue_makes_the_same_dictionary_within_its_bound() -> None:
    again = decode_catalogue(msgspec.json.encode(shipped_catalogue()))

    assert build_dictionary(again) == RAW
    assert 10_000 < len(RAW) <= DICTIONARY_BYTES_MAX


def test_longest_text_comes_back_and_a_longer_one_is_refused() -> None:
    longest = "垮" * TEXT_CHARS_MAX

    assert DICTIONARY.take(BitReader(bits_of(longest).to_bytes(1))) == longest
    with pytest.raises(AnswersError):
        bits_of(longest + "垮")


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(AnswersError):
        bits_of("王\ud800")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_text_or_refused(raw: bytes) -> None:
    try:
        text = DICTIONARY.take(BitReader(raw))
    except AnswersError:
        return
    assert len(text) <= TEXT_CHARS_MAX
    text.encode()


def test_text_longer_than_allowed_is_refused_before_it_is_made() -> None:
    bits = BitWriter()
    bits.put(0, 1)
    for _ in range(TEXT_CHARS_MAX + 1):
        bits.put(1, 7)  # the first word

    with pytest.raises(AnswersError, match="too long"):
        DICTIONARY.take(BitReader(bits.to_bytes(1)))


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\n",
        b"a",
        b"a\n\n",
        b"a\na\n",
        b"abcdefghi\n",
        b"".join(b"%d\n" % number for number in range(6720)),
        b"a\n" * DICTIONARY_BYTES_MAX,
    ],
)
def test_bytes_that_are_no_dictionary_are_refused(raw: bytes) -> None:
    with pytest.raises(AnswersError):
        dictionary_of(raw)


def test_empty_dictionary_still_carries_every_text() -> None:
    empty = dictionary_of(b"")
    bits = BitWriter()
    empty.put(bits, "王小明 ok 𬍡")

    assert empty.take(BitReader(bits.to_bytes(1))) == "王小明 ok 𬍡"


def test_word_beyond_a_smaller_dictionary_is_refused() -> None:
    with pytest.raises(AnswersError, match="not in the dictionary"):
        dictionary_of("王\n".encode()).take(BitReader(bytes([0b0_0_000010, 0])))
