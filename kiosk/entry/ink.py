"""What a finger drew on the writing square: strokes, bounded, as the page sends them. Pure."""

import msgspec

from kiosk.errors import InkRefused
from sync.limits import INK_BYTES_MAX, INK_POINTS_MAX, INK_STROKES_MAX

#: The square is this many units wide and high; points lie in it.
FIELD = 1000

Stroke = tuple[tuple[int, int], ...]
"""Points in the order of drawing; x to the right, y down."""


class Ink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One character as it was written."""

    #: In the order of writing.
    strokes: tuple[Stroke, ...]


_INK = msgspec.json.Decoder(Ink)


def read_ink(raw: bytes) -> Ink:
    """Read what the page posted.

    Args:
        raw: JSON: ``{"strokes": [[[x, y], …], …]}``, each number 0 to `FIELD`.

    Raises:
        InkRefused: It is something else, empty, or beyond its bounds.
    """
    if len(raw) > INK_BYTES_MAX:
        raise InkRefused("too much was drawn; write one character")
    try:
        ink = _INK.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InkRefused("this is no drawing of the writing square") from error
    points = [point for stroke in ink.strokes for point in stroke]
    if not 0 < len(ink.strokes) <= INK_STROKES_MAX or not all(ink.strokes):
        raise InkRefused("a character has 1 to 64 strokes, none of them empty")
    if len(points) > INK_POINTS_MAX:
        raise InkRefused("too much was drawn; write one character")
    if not all(0 <= number <= FIELD for point in points for number in point):
        raise InkRefused("a point lies outside the writing square")
    return ink
