"""Which character was meant, though its strokes came in another order. Pure.

The model learnt the schoolbook's order; people who learnt to write late, or seventy years ago,
have their own. So each pair of neighbouring strokes is tried the other way round, too, and a
character counts by the best of its readings. Measured on 92 characters of names, drawn shakily
with one pair swapped: among the first eight in 75 %, by the drawn order alone in 49 %; votes
by place or by sum did worse (docs/decisions/0030-names-by-finger.md).
"""

from collections.abc import Callable, Iterator, Sequence

from kiosk.entry.ink import Stroke
from sync.limits import INK_CANDIDATES_MAX, INK_SWAPS_MAX

Reader = Callable[[Sequence[Stroke], int], Sequence[tuple[str, float]]]
"""Strokes and how many characters are wanted, to characters with scores."""


def orders(strokes: Sequence[Stroke]) -> Iterator[tuple[Stroke, ...]]:
    """Answer the strokes as drawn, then with each pair of neighbours swapped, within bounds."""
    drawn = tuple(strokes)
    yield drawn
    for place in range(min(len(drawn) - 1, INK_SWAPS_MAX)):
        yield (*drawn[:place], drawn[place + 1], drawn[place], *drawn[place + 2 :])


def candidates(strokes: Sequence[Stroke], read: Reader) -> list[str]:
    """Answer the characters that may be meant, likeliest first.

    Args:
        strokes: Of one character.
        read: Reads one order of strokes.

    Returns:
        At most `INK_CANDIDATES_MAX`, each once.
    """
    best: dict[str, float] = {}
    for order in orders(strokes):
        for character, score in read(order, INK_CANDIDATES_MAX):
            best[character] = max(score, best.get(character, score))
    # Equal ones stay as they first came up: the drawn order's before a swapped one's.
    return sorted(best, key=lambda character: -best[character])[:INK_CANDIDATES_MAX]
