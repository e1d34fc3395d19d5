"""Many envelopes as a film of QR codes in which no single frame matters: the bytes of it.

Envelopes are packed into blocks, a block is cut into K equal pieces, and each frame shows one
piece or the exclusive-or of about half of them. Any K frames that do not repeat each other
(a few more than K, drawn at random) give the block back, whichever were missed. A block is named
by its own hash, so that a wrong one cannot pass for it.

The phone's half is ``server/phone/static/fountain.js``; docs/protocol.md, "Carry", says the same
for both, and tests hold the three together.
"""

import hashlib
from collections.abc import Sequence

import msgspec

from sync.limits import (
    CARRY_BLOCK_BYTES_MAX,
    CARRY_ENVELOPES_MAX,
    CARRY_NUMBER_MAX,
    CARRY_PARTS_MAX,
    CARRY_PIECE_BYTES_MAX,
    CARRY_PIECES_MAX,
    ENVELOPE_BYTES_MAX,
)
from sync.octets import Reader, WireError, counted, uvarint
from sync.signing import SIGNATURE_BYTES
from sync.wire import COURIER_FORMAT

#: Format 1 is an envelope that travels alone (`sync.wire`), so its number is another's first byte.
FRAME_FORMAT = b"\x02"
RUN_BYTES = 2
NAME_BYTES = 8
HEAD_BYTES = 18
#: The largest envelope with its signature, as `wire.encode_courier` writes it.
COURIER_FORM_BYTES_MAX = 1 + ENVELOPE_BYTES_MAX + SIGNATURE_BYTES
#: Frames are decimal numbers; this many digits carry the longest.
FRAME_DIGITS_MAX = len(str(256 ** (HEAD_BYTES + CARRY_PIECE_BYTES_MAX)))
_WORD = 0xFFFF_FFFF


class BlockBroken(WireError):
    """The frames of a block do not add up to what its name promises; begin it anew."""

    code = "400.3"


class Frame(msgspec.Struct, frozen=True):
    """One code of the film."""

    #: Which showing it belongs to, 2 bytes: the parts of one run are counted together.
    run: bytes
    #: Part from 1, of how many.
    part: int
    parts: int
    #: First 8 bytes of the block's SHA-256.
    block: bytes
    #: Of the block, in bytes.
    size_bytes: int
    #: K, into how many pieces the block is cut.
    pieces: int
    #: Below K the piece of that number itself, from there on a mix (`mix`).
    number: int
    data: bytes


def pack(envelopes: Sequence[bytes]) -> bytes:
    """Write envelopes that travel together: their count, then each after its length.

    Args:
        envelopes: Each as `wire.encode_courier` wrote it; at most `CARRY_ENVELOPES_MAX`.
    """
    if not 0 < len(envelopes) <= CARRY_ENVELOPES_MAX:
        raise ValueError(f"1 to {CARRY_ENVELOPES_MAX} envelopes travel together")
    return uvarint(len(envelopes)) + b"".join(counted(raw) for raw in envelopes)


def unpack(raw: bytes) -> tuple[bytes, ...]:
    """Read what `pack` wrote; what the envelopes are worth, their signatures tell.

    Raises:
        WireError: It is nothing of the kind.
    """
    reader = Reader(raw)
    envelopes = reader.several(CARRY_ENVELOPES_MAX, lambda: reader.counted(COURIER_FORM_BYTES_MAX))
    reader.end()
    if not envelopes or any(not raw.startswith(COURIER_FORMAT) for raw in envelopes):
        raise WireError("these are not envelopes that travel")
    return envelopes


def blocks_of(envelopes: Sequence[bytes]) -> tuple[bytes, ...]:
    """Pack envelopes into blocks in their order, as many as one run shows.

    The first blocks hold the first envelopes; what does not fit into `CARRY_PARTS_MAX` blocks is
    left for another run.
    """
    blocks: list[bytes] = []
    held: list[bytes] = []
    room = 0
    for raw in envelopes:
        size = len(counted(raw))
        if held and (size > room or len(held) == CARRY_ENVELOPES_MAX):
            blocks.append(pack(held))
            held = []
            if len(blocks) == CARRY_PARTS_MAX:
                break
        if not held:
            room = CARRY_BLOCK_BYTES_MAX - 1
        held.append(raw)
        room -= size
    if held:
        blocks.append(pack(held))
    return tuple(blocks)


def piece_count(size_bytes: int) -> int:
    """Answer K of a block: as few pieces as fit the frames.

    >>> piece_count(269), piece_count(270), piece_count(16384)
    (1, 2, 61)
    """
    return -(-size_bytes // CARRY_PIECE_BYTES_MAX)


def mix(pieces: int, number: int) -> int:
    """Answer which pieces frame `number` adds up, as bits: bit i stands for piece i.

    Below `pieces` it is the piece itself. Beyond, each of four 32-bit words is the finaliser of
    MurmurHash3 over ``4 * number + word``, so that about half of the pieces are in, for a phone
    as cheap to compute as for the kiosk. A mix of nothing becomes one piece.
    """
    if number < pieces:
        return 1 << number
    bits = 0
    for word in range(4):
        bits |= _scrambled(4 * number + word) << 32 * word
    return bits & ((1 << pieces) - 1) or 1 << number % pieces


def _scrambled(word: int) -> int:
    word ^= word >> 16
    word = word * 0x85EB_CA6B & _WORD
    word ^= word >> 13
    word = word * 0xC2B2_AE35 & _WORD
    return word ^ word >> 16


class Block:
    """One block, ready to be shown.

    Args:
        raw: From `blocks_of`.
    """

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.name = hashlib.sha256(raw).digest()[:NAME_BYTES]
        self.pieces = piece_count(len(raw))
        self._piece_bytes = piece_bytes(len(raw), self.pieces)
        padded = raw.ljust(self.pieces * self._piece_bytes, b"\x00")
        self._numbers = [
            int.from_bytes(padded[at : at + self._piece_bytes], "big")
            for at in range(0, len(padded), self._piece_bytes)
        ]

    def data(self, number: int) -> bytes:
        """Answer what frame `number` carries."""
        total, bits = 0, mix(self.pieces, number)
        for index, piece in enumerate(self._numbers):
            if bits >> index & 1:
                total ^= piece
        return total.to_bytes(self._piece_bytes, "big")


def piece_bytes(size_bytes: int, pieces: int) -> int:
    """Answer the length of each piece; the last one is filled up with zeros."""
    return -(-size_bytes // pieces)


def frame_text(frame: Frame) -> str:
    """Write a frame as the decimal digits that its QR holds: numeric mode is the densest."""
    raw = b"".join(
        (
            FRAME_FORMAT,
            frame.run,
            bytes([frame.part, frame.parts]),
            frame.block,
            frame.size_bytes.to_bytes(2, "big"),
            bytes([frame.pieces]),
            frame.number.to_bytes(2, "big"),
            frame.data,
        )
    )
    return str(int.from_bytes(raw, "big"))


def read_frame(text: str) -> Frame:
    """Read the text of a QR code.

    Raises:
        WireError: It is no frame, or its numbers contradict each other.
    """
    if not (text.isascii() and text.isdigit()) or len(text) > FRAME_DIGITS_MAX or text[0] == "0":
        raise WireError("not a number of a frame's length")
    number = int(text)
    reader = Reader(number.to_bytes((number.bit_length() + 7) // 8, "big"))
    reader.expect(FRAME_FORMAT, "a frame")
    run = reader.take(RUN_BYTES)
    part, parts = reader.number(1), reader.number(1)
    block = reader.take(NAME_BYTES)
    size, pieces, number = reader.number(2), reader.number(1), reader.number(2)
    data = reader.rest()
    if not 0 < part <= parts <= CARRY_PARTS_MAX:
        raise WireError("a run has that part")
    if not (0 < size <= CARRY_BLOCK_BYTES_MAX and 0 < pieces <= min(size, CARRY_PIECES_MAX)):
        raise WireError("a block is longer or finer than any of ours")
    if len(data) != piece_bytes(size, pieces):
        raise WireError("a piece has another length than its block's")
    return Frame(run, part, parts, block, size, pieces, number, data)


class Collector:
    """Collect the frames of one block until they give it back.

    Holds at most K equations, whatever it is fed: Gauss' elimination, one frame at a time.

    Args:
        frame: The first one seen of the block; it is not taken yet.
    """

    def __init__(self, frame: Frame) -> None:
        self._key = key_of(frame)
        self._size_bytes, self.pieces = frame.size_bytes, frame.pieces
        #: By lowest piece: which pieces it adds up, and their sum.
        self._rows: dict[int, tuple[int, int]] = {}

    @property
    def rank(self) -> int:
        """How many of the K independent frames are here."""
        return len(self._rows)

    def add(self, frame: Frame) -> bytes | None:
        """Take a frame in; answer the block once it is whole.

        Raises:
            BlockBroken: All is here and it is not what the name promises; nothing is kept.
            ValueError: The frame is of another block.
        """
        if key_of(frame) != self._key:
            raise ValueError("a frame of another block")
        bits, total = mix(self.pieces, frame.number), int.from_bytes(frame.data, "big")
        while bits:
            lowest = (bits & -bits).bit_length() - 1
            row = self._rows.get(lowest)
            if row is None:
                self._rows[lowest] = (bits, total)
                break
            bits, total = bits ^ row[0], total ^ row[1]
        return self._solved() if self.rank == self.pieces else None

    def _solved(self) -> bytes:
        found = [0] * self.pieces
        for index in range(self.pieces - 1, -1, -1):
            bits, total = self._rows[index]
            for other in range(index + 1, self.pieces):
                if bits >> other & 1:
                    total ^= found[other]
            found[index] = total
        each = piece_bytes(self._size_bytes, self.pieces)
        raw = b"".join(piece.to_bytes(each, "big") for piece in found)[: self._size_bytes]
        if hashlib.sha256(raw).digest()[:NAME_BYTES] != self._key[0]:
            self._rows.clear()
            raise BlockBroken("the codes do not fit together; scan them again")
        return raw


def key_of(frame: Frame) -> tuple[bytes, int, int]:
    """Answer what frames of one block have in common.

    The sizes belong to it: a stranger's frame that claims another size is another block.
    """
    return (frame.block, frame.size_bytes, frame.pieces)


class Run:
    """One showing: blocks one after the other, for ever, and no frame twice before long.

    The first pass shows half as many frames more than a block has pieces, enough where a third
    of them is missed; the passes after it are short, so that whoever lacks a few of one block
    does not wait for all of another.

    Args:
        blocks: From `blocks_of`.
    """

    def __init__(self, blocks: Sequence[bytes]) -> None:
        if not 0 < len(blocks) <= CARRY_PARTS_MAX:
            raise ValueError(f"a run has 1 to {CARRY_PARTS_MAX} parts")
        self.blocks = tuple(Block(raw) for raw in blocks)
        names = b"".join(block.name for block in self.blocks)
        self._name = hashlib.sha256(names).digest()[:RUN_BYTES]
        self._first = [block.pieces + _more(block) for block in self.blocks]
        self._later = [_more(block) for block in self.blocks]

    def frame(self, index: int) -> Frame:
        """Answer the frame shown at that place, from 0."""
        part, number = self._place(index)
        block = self.blocks[part]
        return Frame(
            run=self._name,
            part=part + 1,
            parts=len(self.blocks),
            block=block.name,
            size_bytes=len(block.raw),
            pieces=block.pieces,
            number=number,
            data=block.data(number),
        )

    def _place(self, index: int) -> tuple[int, int]:
        lengths, done = self._first, [0] * len(self.blocks)
        first, later = sum(self._first), sum(self._later)
        if index >= first:
            passes, index = divmod(index - first, later)
            lengths = self._later
            done = [a + passes * b for a, b in zip(self._first, self._later, strict=True)]
        part = 0
        while index >= lengths[part]:
            index -= lengths[part]
            part += 1
        return part, (done[part] + index) % (CARRY_NUMBER_MAX + 1)


def _more(block: Block) -> int:
    return block.pieces // 2 + 4
