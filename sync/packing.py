"""What a kiosk lays on a stick: the frames of its exchanges, one after the other, until all is in.

Frames are composed as those of an exchange are, by the same decisions and with the store's
counter. They settle nothing: what was laid on a stick waits as before, until the centre's signed
reply is back. Functions on the store run inside `database.immediate`.
"""

from collections.abc import Iterable

import msgspec
from sqlite_utils import Database as Tables

from sync import exchange, standing
from sync.author import Author
from sync.exchange import PendingAttachment, Piece, View
from sync.limits import (
    CHUNK_BYTES_MAX,
    CHUNKS_MAX,
    FRAME_BYTES_MAX,
    FRAME_ENVELOPES_MAX,
    STICK_CLOSING_FRAMES,
)

_ROOM_BYTES = FRAME_BYTES_MAX - 2 * exchange.COMMON_BYTES_MAX  # `plan` then takes all of it


class Packed(msgspec.Struct, frozen=True):
    """How far the frames have come through what waits."""

    #: Envelopes up to this number are in.
    seq: int = 0
    #: Pieces of attachments up to here are in: envelope's number, place, offset.
    piece: tuple[int, int, int] = (0, 0, 0)
    envelopes: int = 0
    #: Attachments that are in whole.
    attachments: int = 0
    #: Empty frames at the end.
    closing: int = 0


class Frame(msgspec.Struct, frozen=True):
    """One signed request for the stick."""

    raw: bytes
    counter: int
    #: What is in with this frame.
    packed: Packed


class Packing(Author):
    """Writes the frames for a stick; see `Author` for how it is made."""

    def next_frame(self, db: Tables, past: Packed) -> Frame | None:
        """Answer the frame after those before it; None when all is in.

        At the end stand some empty ones: the last word on what is left, and room for notices on
        the way back.
        """
        pending, is_last = _pending_after(db, past.seq)
        view = View(
            standing=standing.standing_of(db),
            pending=pending,
            attachments=_waiting_from(db, past.piece) if is_last else (),
            bytes_max=FRAME_BYTES_MAX,
        )
        plan = exchange.plan(view)
        is_empty = not plan.seqs and not plan.pieces
        if is_empty and past.closing == STICK_CLOSING_FRAMES:
            return None
        # Reported as if the frames before this one had been answered, as those of a link are.
        gone = (past.envelopes, past.attachments)
        request, raw = self._signed(db, view, plan, gone=gone)
        packed = Packed(
            seq=max(plan.seqs, default=past.seq),
            piece=_end_of(plan.pieces, past.piece),
            envelopes=past.envelopes + len(plan.seqs),
            attachments=past.attachments + sum(_is_last_piece(piece) for piece in plan.pieces),
            closing=past.closing + is_empty,
        )
        return Frame(raw=raw, counter=request.counter, packed=packed)


def waiting_bytes(db: Tables) -> int:
    """Answer about how many bytes wait to be carried."""
    (envelopes,) = db.conn.execute(
        "SELECT coalesce(sum(length(envelope)), 0) FROM outbox WHERE state = 'pending'"
    ).fetchone()
    (pieces,) = db.conn.execute(
        "SELECT coalesce(sum(size_bytes), 0) FROM attachment WHERE state = 'pending'"
    ).fetchone()
    return int(envelopes + pieces)


def _pending_after(db: Tables, seq: int) -> tuple[tuple[tuple[int, int], ...], bool]:
    """Answer the waiting envelopes after a number that fit one frame, and whether no more wait."""
    rows = db.conn.execute(
        "SELECT seq, length(envelope) FROM outbox WHERE state = 'pending' AND seq > ?"
        " ORDER BY seq LIMIT ?",
        (seq, FRAME_ENVELOPES_MAX + 1),
    ).fetchall()
    found: list[tuple[int, int]] = []
    room = _ROOM_BYTES
    for number, size in rows[:FRAME_ENVELOPES_MAX]:
        room -= size
        if room < 0:
            break
        found.append((number, size))
    return tuple(found), len(found) == len(rows)


def _waiting_from(db: Tables, piece: tuple[int, int, int]) -> tuple[PendingAttachment, ...]:
    """Answer the pieces after a place, each as an attachment that is there up to its beginning."""
    fields = PendingAttachment.__struct_fields__
    rows = db.conn.execute(
        f"SELECT {', '.join(fields)} FROM attachment WHERE state = 'pending'"  # noqa: S608
        " AND (seq, place) >= (?, ?) ORDER BY seq, place LIMIT ?",
        (*piece[:2], CHUNKS_MAX),
    )
    found: list[PendingAttachment] = []
    for row in rows:
        attachment = msgspec.convert(dict(zip(fields, row, strict=True)), PendingAttachment)
        # One that would only be asked about is sent whole: asking costs a journey.
        known = attachment.received_bytes % attachment.size_bytes
        at = piece[2] if (attachment.seq, attachment.place) == piece[:2] else known
        found.extend(
            msgspec.structs.replace(attachment, received_bytes=offset)
            for offset in range(max(at, known), attachment.size_bytes, CHUNK_BYTES_MAX)
        )
        if len(found) >= CHUNKS_MAX:
            break
    return tuple(found[:CHUNKS_MAX])


def _end_of(pieces: Iterable[Piece], past: tuple[int, int, int]) -> tuple[int, int, int]:
    end = past
    for piece in pieces:
        attachment = piece.attachment
        end = (attachment.seq, attachment.place, attachment.received_bytes + piece.size_bytes)
    return end


def _is_last_piece(piece: Piece) -> bool:
    return piece.attachment.received_bytes + piece.size_bytes == piece.attachment.size_bytes
