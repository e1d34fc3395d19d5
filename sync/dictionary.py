"""The preset dictionary of a catalogue: words by rank, and texts written with them.

Built from the catalogue's own texts and made-up common words, never from what residents wrote: a
dictionary trained on their answers would give them away. Bits: docs/answers-format.md.
"""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from sync import common_words
from sync.bits import AnswersError, BitReader, BitWriter
from sync.forms import Catalogue, Text
from sync.limits import DICTIONARY_BYTES_MAX, TEXT_CHARS_MAX

# Ranks by the bits they take: prefix (value, width), width of the rank within the tier.
_TIERS = ((0b0, 1, 6), (0b10, 2, 9), (0b110, 3, 11), (0b1110, 4, 12))
_WORDS_MAX = sum(1 << width for _, _, width in _TIERS) - 1
_WORD_CHARS_MAX = 8
_END_RANK = 0
# What no word covers: a common Han character, an ASCII character, any other character.
_HAN = (0b11110, 5, 15, 0x4E00)
_ASCII = (0b111110, 6, 7, 0)
_ANY = (0b111111, 6, 21, 0)
_PHRASES_MAX = 1200  # as many as fill the third tier


class Dictionary:
    """Words by rank, ready to write and read texts; make it with `dictionary_of`."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self._words = words
        self._ranks = {word: rank for rank, word in enumerate(words, start=1)}

    def put(self, bits: BitWriter, text: str) -> None:
        """Add a text in the fewest bits: by words, or as UTF-8 where that is shorter.

        Raises:
            AnswersError: Longer than `TEXT_CHARS_MAX`, or it holds half a surrogate pair.
        """
        if len(text) > TEXT_CHARS_MAX:
            raise AnswersError("a text is too long")
        try:
            plain = text.encode()
        except UnicodeEncodeError as error:
            raise AnswersError("a text holds half a character") from error
        size = BitWriter()
        size.put_varying(len(plain))
        pieces, cost = self._pieces(text)
        if size.bit_count + 8 * len(plain) < cost:
            bits.put(1, 1)
            bits.put_varying(len(plain))
            bits.put(int.from_bytes(plain, "big"), 8 * len(plain))
            return
        bits.put(0, 1)
        for piece in pieces:
            self._put_piece(bits, piece)
        _put_rank(bits, _END_RANK)

    def take(self, bits: BitReader) -> str:
        """Read a text.

        Raises:
            AnswersError: The bytes are none, or the text is longer than `TEXT_CHARS_MAX`.
        """
        if bits.take(1):
            size = bits.take_varying()
            if 8 * size > bits.bits_left:
                raise AnswersError("the answers end too early")
            try:
                text = bits.take(8 * size).to_bytes(size, "big").decode()
            except UnicodeDecodeError as error:
                raise AnswersError("a text is not UTF-8") from error
        else:
            text = "".join(self._taken(bits))
        if len(text) > TEXT_CHARS_MAX:
            raise AnswersError("a text is too long")
        return text

    def _taken(self, bits: BitReader) -> Iterator[str]:
        for _ in range(TEXT_CHARS_MAX + 1):
            piece = self._take_piece(bits)
            if not piece:
                return
            yield piece
        raise AnswersError("a text is too long")

    def _pieces(self, text: str) -> tuple[list[str], int]:
        """Answer the cheapest cutting into words and characters, and its bits with the end."""
        # From the end: costs[i] is the least cost of text[i:], sizes[i] its first piece's length.
        costs = [0] * (len(text) + 1)
        sizes = [1] * (len(text) + 1)
        for start in reversed(range(len(text))):
            best = _escape_bits(text[start]) + costs[start + 1]
            for end in range(start + 1, min(start + _WORD_CHARS_MAX, len(text)) + 1):
                rank = self._ranks.get(text[start:end])
                if rank is not None and (cost := _rank_bits(rank) + costs[end]) < best:
                    best, sizes[start] = cost, end - start
            costs[start] = best
        pieces, position = [], 0
        while position < len(text):
            pieces.append(text[position : position + sizes[position]])
            position += sizes[position]
        return pieces, costs[0] + _rank_bits(_END_RANK)

    def _put_piece(self, bits: BitWriter, piece: str) -> None:
        rank = self._ranks.get(piece)
        if rank is not None and (len(piece) > 1 or _rank_bits(rank) <= _escape_bits(piece)):
            _put_rank(bits, rank)
            return
        prefix, prefix_width, width, base = _escape(piece)
        bits.put(prefix, prefix_width)
        bits.put(ord(piece) - base, width)

    def _take_piece(self, bits: BitReader) -> str:
        """Read one word or character; "" at the end of the text."""
        first = 0
        for _, _, width in _TIERS:
            if not bits.take(1):
                rank = first + bits.take(width)
                if rank > len(self._words):
                    raise AnswersError("a word is not in the dictionary")
                return self._words[rank - 1] if rank else ""
            first += 1 << width
        is_han = not bits.take(1)
        code = bits.take(15) + 0x4E00 if is_han else bits.take(21 if bits.take(1) else 7)
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise AnswersError("a character does not exist")
        return chr(code)


def build_dictionary(catalogue: Catalogue) -> bytes:
    """Build the dictionary of a catalogue: UTF-8 words by rank, one a line.

    The same catalogue gives the same bytes; at most 32 KiB.
    """
    words = dict.fromkeys(_ranked(catalogue))
    kept: list[str] = []
    size = 0
    for word in words:
        size += len(word.encode()) + 1
        if len(kept) == _WORDS_MAX or size > DICTIONARY_BYTES_MAX:
            break
        kept.append(word)
    return "".join(f"{word}\n" for word in kept).encode()


@lru_cache(maxsize=8)
def dictionary_of(raw: bytes) -> Dictionary:
    """Read a dictionary's bytes; the last few are remembered.

    Raises:
        AnswersError: The bytes are no dictionary.
    """
    if len(raw) > DICTIONARY_BYTES_MAX:
        raise AnswersError("the dictionary is too large")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise AnswersError("the dictionary is not UTF-8") from error
    words = tuple(text.split("\n")[:-1])
    is_sound = not text or text.endswith("\n")
    if not is_sound or len(words) > _WORDS_MAX or len(set(words)) != len(words):
        raise AnswersError("the dictionary is not one")
    if any(not 0 < len(word) <= _WORD_CHARS_MAX for word in words):
        raise AnswersError("the dictionary holds a word that is empty or too long")
    return Dictionary(words)


def _ranked(catalogue: Catalogue) -> Iterator[str]:
    """Answer words, the most useful first; the same one may come again."""
    yield from common_words.FIRST
    yield from common_words.SURNAMES
    yield from common_words.LETTERS
    yield from common_words.GIVEN
    yield from (word for word in common_words.WORDS.split() if len(word) <= _WORD_CHARS_MAX)
    yield from common_words.CHARACTERS
    yield from _phrases(catalogue)
    # Every character of GB 2312's first level: what most people ever write, in its own order.
    for row in range(0xB0, 0xD8):
        for cell in range(0xA1, 0xFF if row < 0xD7 else 0xFA):
            yield bytes((row, cell)).decode("gb2312")


def _phrases(catalogue: Catalogue) -> Iterator[str]:
    """Answer the runs of 2 to 4 Han characters that save most in the catalogue's own texts."""
    counts: Counter[str] = Counter()
    for text in _texts(catalogue):
        for size in (2, 3, 4):
            counts.update(text[start : start + size] for start in range(len(text) - size + 1))
    phrases = [
        phrase
        for phrase, count in counts.items()
        if count >= 4 and all(_is_han(character) for character in phrase)
    ]
    # Saved characters first; the text itself decides ties, so that the order is always the same.
    phrases.sort(key=lambda phrase: (-counts[phrase] * (len(phrase) - 1), phrase))
    return iter(phrases[:_PHRASES_MAX])


def _texts(catalogue: Catalogue) -> Iterator[str]:
    def chinese(text: Text) -> str:
        return text.get("zh-CN", "")

    lists = [catalogue.shared_choice_lists]
    for service in catalogue.services:
        lists.append(service.choice_lists)
        yield chinese(service.name)
        yield chinese(service.plain_name)
        for question in service.questions:
            yield chinese(question.label)
            yield chinese(question.voice)
        for material in service.materials:
            yield chinese(material.name)
    for choice_lists in lists:
        for choices in choice_lists.values():
            yield from (chinese(choice.label) for choice in choices)


def _is_han(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


def _tier(rank: int) -> tuple[int, int, int, int]:
    """Answer prefix, its width, the width of the rank in its tier, and the tier's first rank."""
    first = 0
    for prefix, prefix_width, width in _TIERS:
        if rank < first + (1 << width):
            return prefix, prefix_width, width, first
        first += 1 << width
    raise AnswersError("a rank is too high")


def _rank_bits(rank: int) -> int:
    _, prefix_width, width, _ = _tier(rank)
    return prefix_width + width


def _put_rank(bits: BitWriter, rank: int) -> None:
    prefix, prefix_width, width, first = _tier(rank)
    bits.put(prefix, prefix_width)
    bits.put(rank - first, width)


def _escape(character: str) -> tuple[int, int, int, int]:
    if _is_han(character):
        return _HAN
    return _ASCII if character.isascii() else _ANY


def _escape_bits(character: str) -> int:
    _, prefix_width, width, _ = _escape(character)
    return prefix_width + width
