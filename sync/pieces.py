"""A blob on its way: packed whole or as a delta, and carried in pieces of any size.

A piece says where it belongs, so that one can be kept that broke off anywhere; whether the bytes
are right shows at the end, when the blob must have its SHA-256.
"""

import hashlib
import lzma

import msgspec

from sync import limits
from sync.deltas import apply_delta, make_delta
from sync.octets import Reader, WireError, fixed, uvarint

PIECE_MAGIC = b"BD\x01"
TAG_BYTES = 4
HELD_DIGITS_MIN = 16  # of a SHA-256 in hex, to name what is held: 64 bits tell all blobs apart
#: LZMA1 with 256 KiB of memory: what decides the size of a decoder, whatever a stream says.
_FILTERS = (
    {
        "id": lzma.FILTER_LZMA1,
        "preset": 9 | lzma.PRESET_EXTREME,
        "dict_size": 256 * 1024,
        "lc": 3,
        "lp": 0,
        "pb": 0,
    },
)


class Packed(msgspec.Struct, frozen=True):
    """A blob as the link carries it."""

    is_delta: bool
    raw: bytes

    @property
    def tag(self) -> bytes:
        """What tells these bytes from those of another packing of the same blob."""
        return hashlib.sha256(self.raw).digest()[:TAG_BYTES]


class Piece(msgspec.Struct, frozen=True):
    """Some bytes of a packed blob, and their place."""

    is_delta: bool
    #: Of the packed blob: pieces with another one do not belong together.
    tag: bytes
    #: Size of the packed blob, at most `BLOB_BYTES_MAX`.
    total: int
    at: int
    data: bytes


def packed(raw: bytes, source: bytes | None = None) -> Packed:
    """Pack a blob: against `source` when that is shorter than the whole."""
    whole = lzma.compress(raw, format=lzma.FORMAT_RAW, filters=_FILTERS)
    if source is not None:
        delta = make_delta(source, raw)
        if len(delta) < len(whole):
            return Packed(is_delta=True, raw=delta)
    return Packed(is_delta=False, raw=whole)


def unpacked(raw: bytes, source: bytes | None) -> bytes:
    """Read what `packed` wrote; `source` is what a delta is against, None for the whole.

    Raises:
        WireError: It is damaged, or swells beyond `BLOB_BYTES_MAX`.
    """
    if source is not None:
        return apply_delta(source, raw)
    inflate = lzma.LZMADecompressor(format=lzma.FORMAT_RAW, filters=_FILTERS)
    try:
        blob = inflate.decompress(raw, limits.BLOB_BYTES_MAX)
    except lzma.LZMAError as error:
        raise WireError("a blob is damaged") from error
    if not inflate.eof or inflate.unused_data:
        raise WireError("a blob is damaged or too long")
    return blob


def piece_of(whole: Packed, at: int = 0, size_bytes: int | None = None) -> bytes:
    """Write the piece of a packed blob that begins there; nothing but its place beyond the end."""
    end = len(whole.raw) if size_bytes is None else at + size_bytes
    return encode_piece(
        Piece(
            is_delta=whole.is_delta,
            tag=whole.tag,
            total=len(whole.raw),
            at=at,
            data=whole.raw[at:end],
        )
    )


def encode_piece(piece: Piece) -> bytes:
    """Write a piece: "BD" 1, kind, tag, uvarints total and place, the bytes."""
    return b"".join(
        (
            PIECE_MAGIC,
            bytes((piece.is_delta,)),
            fixed(piece.tag, TAG_BYTES),
            uvarint(piece.total),
            uvarint(piece.at),
            piece.data,
        )
    )


def decode_piece(raw: bytes) -> Piece:
    """Read a piece, also one that broke off behind its head.

    Raises:
        WireError: It is no piece.
    """
    reader = Reader(raw)
    reader.expect(PIECE_MAGIC, "a piece of version 1")
    kind = reader.number(1)
    if kind > 1:
        raise WireError("a piece of an unknown kind")
    tag = reader.take(TAG_BYTES)
    total = reader.uvarint(limits.BLOB_BYTES_MAX)
    at = reader.uvarint(limits.BLOB_BYTES_MAX)
    if at + reader.left > total:
        raise WireError("a piece reaches beyond its blob")
    return Piece(is_delta=kind == 1, tag=tag, total=total, at=at, data=reader.rest())


def next_piece_bytes(now_bytes: int, took_s: float | None) -> int:
    """Answer how much to ask for next: pieces that take seconds, whatever the link carries.

    Args:
        now_bytes: What was asked for last.
        took_s: How long it took; None when the link broke.

    >>> next_piece_bytes(16384, 2.0), next_piece_bytes(16384, 8.0), next_piece_bytes(16384, None)
    (32768, 16384, 8192)
    """
    if took_s is not None and took_s < limits.PIECE_QUICK_S:
        now_bytes *= 2
    elif took_s is None or took_s > limits.PIECE_SLOW_S:
        now_bytes //= 2
    return min(max(now_bytes, limits.PIECE_BYTES_MIN), limits.PIECE_BYTES_MAX)
