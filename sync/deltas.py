"""What a new blob is made of: runs of one that the other side holds, and the few bytes between.

A delta is only a way to carry: whoever applies one checks the result against its SHA-256.
Byte by byte: docs/protocol.md; why not zstd: docs/decisions/0015-own-deltas.md.
"""

import bisect
import zlib
from collections.abc import Iterator

from sync.limits import BLOB_BYTES_MAX
from sync.octets import Reader, WireError, uvarint

WINDOW_BYTES = 32 * 1024  # of the old blob, as deflate's preset dictionary; all that it can use
_SEED_BYTES = 16  # shortest run that is looked up; every 16th place of the old blob is indexed
_RUN_BYTES_MIN = 32  # a shorter run costs as much as its bytes
_NEAR = 4  # candidates tried on either side of where the old blob is expected to go on
#: Instructions beyond the bytes they make: a run of 32 takes at most 13.
_SLACK_BYTES = 64


def make_delta(old: bytes, new: bytes) -> bytes:
    """Write `new` as a delta against `old`.

    >>> old = bytes(range(256)) * 4
    >>> new = old[:500] + b"a word more" + old[500:]
    >>> delta = make_delta(old, new)
    >>> apply_delta(old, delta) == new, len(delta)
    (True, 25)
    """
    runs = list(_runs(old, new))
    window_at = _window_at(old, runs)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zdict=_window(old, window_at))
    parts = [uvarint(len(new)), uvarint(window_at)]
    expected = 0
    for start, end, at, size in runs:
        distance = at - expected
        turned = 2 * distance if distance >= 0 else -2 * distance - 1
        step = (uvarint(end - start), new[start:end], uvarint(size), uvarint(turned))
        parts.append(deflate.compress(b"".join(step)))
        expected = at + size
    return b"".join((*parts, deflate.flush()))


def apply_delta(old: bytes, delta: bytes) -> bytes:
    """Answer what `make_delta` wrote.

    Raises:
        WireError: It is no delta, or not against `old`.
    """
    reader = Reader(delta)
    total = reader.uvarint(BLOB_BYTES_MAX)
    window_at = reader.uvarint(len(old))
    steps = Reader(_inflated(reader.rest(), _window(old, window_at), total + _SLACK_BYTES))
    new = bytearray()
    at = 0
    while steps.left:
        new += steps.counted(total - len(new))
        size = steps.uvarint(total - len(new))
        turned = steps.uvarint(2 * BLOB_BYTES_MAX)
        at += turned // 2 if turned % 2 == 0 else -(turned // 2) - 1
        if at < 0 or at + size > len(old):
            raise WireError("a delta reaches beyond what it is made from")
        new += old[at : at + size]
        at += size
    if len(new) != total:
        raise WireError("a delta has another length than it says")
    return bytes(new)


def _inflated(raw: bytes, window: bytes, bytes_max: int) -> bytes:
    inflate = zlib.decompressobj(-15, zdict=window)
    try:
        steps = inflate.decompress(raw, bytes_max)
    except zlib.error as error:
        raise WireError("a delta is damaged") from error
    if not inflate.eof or inflate.unused_data:
        raise WireError("a delta is damaged or too long")
    return steps


def _window(old: bytes, at: int) -> bytes:
    return old[at : at + WINDOW_BYTES]


def _window_at(old: bytes, runs: list[tuple[int, int, int, int]]) -> int:
    """Answer where the window begins: most of it before the place of the longest insertion."""
    longest = max(range(len(runs)), key=lambda place: runs[place][1] - runs[place][0])
    _, _, at, size = runs[longest - 1] if longest else (0, 0, 0, 0)
    return max(0, min(len(old) - WINDOW_BYTES, at + size - WINDOW_BYTES * 3 // 4))


def _runs(old: bytes, new: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Answer (start, end) in `new` of bytes to insert, then (at, size) in `old` to copy after."""
    places: dict[bytes, list[int]] = {}
    for at in range(0, len(old) - _SEED_BYTES + 1, _SEED_BYTES):
        places.setdefault(old[at : at + _SEED_BYTES], []).append(at)
    start = expected = here = 0
    while here <= len(new) - _SEED_BYTES:
        seed = new[here : here + _SEED_BYTES]
        # After an insertion the old blob goes on where it was, after a replacement just beyond.
        going_on = [
            at for at in (expected, expected + here - start) if old[at : at + _SEED_BYTES] == seed
        ]
        size, at = 0, 0
        if going_on or seed in places:
            size, at = _longest(old, new, here, going_on, _near(places.get(seed, []), expected))
        if not size:
            here += 1
            continue
        while here > start and at > 0 and old[at - 1] == new[here - 1]:
            at, here, size = at - 1, here - 1, size + 1
        yield start, here, at, size
        start = here = here + size
        expected = at + size
    yield start, len(new), expected, 0


def _near(places: list[int], expected: int) -> list[int]:
    middle = bisect.bisect_left(places, expected)
    return places[max(0, middle - _NEAR) : middle + _NEAR]


def _longest(
    old: bytes, new: bytes, here: int, going_on: list[int], others: list[int]
) -> tuple[int, int]:
    """Answer size and place of the best run for `new[here:]`; size 0 when none is worth it."""
    best = max(((_common(old, at, new, here), at) for at in going_on), default=(0, 0))
    if best[0] >= 2 * _RUN_BYTES_MIN:
        return best
    for at in others:
        size = _common(old, at, new, here)
        if size >= max(_RUN_BYTES_MIN, best[0] + 8):
            best = (size, at)
    return best


def _common(old: bytes, at: int, new: bytes, here: int) -> int:
    """Answer how many bytes are the same from there on."""
    size, step = 0, 4096
    while step:
        end = size + min(step, len(old) - at - size, len(new) - here - size)
        if end > size and old[at + size : at + end] == new[here + size : here + end]:
            size = end
        else:
            step //= 2
    return size
