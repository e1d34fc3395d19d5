"""Cutting long lists into pages that nobody has to scroll."""

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")

#: Buttons a screen may show; more and people lose the overview (research N1).
TILES_MAX = 6
#: Lines of the check page: what fits at 7 mm text on a 10.1″ screen.
ROWS_MAX = 4


def tile_pages(count: int) -> int:
    """Answer how many pages of tiles: all but the last give one place to the “more” tile.

    >>> [tile_pages(count) for count in (0, 6, 7, 11, 12)]
    [1, 1, 2, 2, 3]
    """
    if count <= TILES_MAX:
        return 1
    return 1 + -(-(count - TILES_MAX) // (TILES_MAX - 1))


def tile_page(items: Sequence[Item], page: int) -> Sequence[Item]:
    """Answer the items of one page, from 1; the last page may hold `TILES_MAX`."""
    start = (page - 1) * (TILES_MAX - 1)
    size = TILES_MAX if page >= tile_pages(len(items)) else TILES_MAX - 1
    return items[start : start + size]


def row_pages(count: int) -> int:
    """Answer how many pages of check lines."""
    return max(1, -(-count // ROWS_MAX))


def row_page(items: Sequence[Item], page: int) -> Sequence[Item]:
    """Answer the lines of one page, from 1."""
    return items[(page - 1) * ROWS_MAX : page * ROWS_MAX]
