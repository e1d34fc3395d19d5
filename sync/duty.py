"""What the centre's flags and marks ask of a kiosk: to rest, to enrol anew, to skip numbers.

Functions take the open store and never commit; the caller is inside `database.immediate`.
"""

from typing import NamedTuple

import msgspec
from sqlite_utils import Database as Tables

from sync.frames import Reply
from sync.limits import REENROL_GRACE_MS, REVOKED_PIECE_EVERY_MS, SEQ_MAX
from sync.octets import Reader, WireError

TOP_TAG = 2
"""Extension of a reply: the highest number that the centre holds of this kiosk (uvarint), told
only when it is above the request's head."""


class Duty(msgspec.Struct, frozen=True):
    """Whether this kiosk may take transactions."""

    is_revoked: bool = False
    #: Centre's time at which it first asked for a new enrolment, Unix ms; 0 it does not.
    reenrol_ms: int = 0
    #: Newest time that the centre signed, Unix ms.
    centre_ms: int = 0

    @property
    def is_overdue(self) -> bool:
        """Whether the installer had his 72 hours, in the centre's time."""
        return 0 < self.reenrol_ms <= self.centre_ms - REENROL_GRACE_MS

    @property
    def is_out(self) -> bool:
        """Whether no new transaction is taken; what is held goes on being delivered."""
        return self.is_revoked or self.is_overdue


class Numbers(NamedTuple):
    """Where numbering goes on: the last number taken, and the hash that the next one follows."""

    seq: int
    hash: bytes


def duty_of(db: Tables) -> Duty:
    """Answer what the last verified reply asked of this kiosk; kept across restarts."""
    row = db.conn.execute(
        "SELECT is_revoked, reenrol_ms, (SELECT centre_ms FROM standing) FROM duty"
    ).fetchone()
    return Duty(is_revoked=bool(row[0]), reenrol_ms=row[1], centre_ms=row[2])


def note(db: Tables, reply: Reply, *, is_moving: bool) -> None:
    """Write what a verified reply of the present centre asks; call it after `standing.take_in`.

    Args:
        db: The store.
        reply: Not ignored.
        is_moving: The centre's word on some attachment differs from what was sent for it.
    """
    is_revoked = "revoked" in reply.flags
    is_stuck = is_revoked and bool(reply.chunk_marks) and not is_moving
    db.conn.execute(
        "UPDATE duty SET is_revoked = ?1,"
        " reenrol_ms = CASE WHEN ?2 THEN iif(reenrol_ms, reenrol_ms, ?3) ELSE 0 END,"
        " pieces_ms = CASE WHEN ?4 THEN ?5 WHEN ?1 THEN pieces_ms ELSE 0 END",
        (
            is_revoked,
            "reenrol" in reply.flags,
            reply.centre_ms,
            is_stuck,
            reply.centre_ms + REVOKED_PIECE_EVERY_MS,
        ),
    )
    _skip_numbers(db, reply)


def may_send_pieces(db: Tables) -> bool:
    """Answer whether attachments go into a request.

    A revoked kiosk's are taken only once a person has accepted their envelopes; until then the
    same piece is offered once a day, not with each heartbeat.
    """
    row = db.conn.execute(
        "SELECT is_revoked AND pieces_ms > (SELECT centre_ms FROM standing) FROM duty"
    ).fetchone()
    return not row[0]


def _skip_numbers(db: Tables, reply: Reply) -> None:
    """Take no number that the centre has from another history: this store is an old copy."""
    head_seq, head_hash = db.conn.execute("SELECT head_seq, head_hash FROM standing").fetchone()
    (unsettled,) = db.conn.execute(
        "SELECT count(*) FROM outbox WHERE state != 'settled'"
    ).fetchone()
    fresh = numbers_after(
        Numbers(head_seq, head_hash), reply, top=top_of(reply), is_all_settled=not unsettled
    )
    if fresh.seq != head_seq:
        db.conn.execute("UPDATE standing SET head_seq = ?, head_hash = ?", fresh)


def top_of(reply: Reply) -> int:
    """Answer the highest number that the centre says it holds of this kiosk."""
    for tag, raw in reply.extensions:
        if tag == TOP_TAG:
            try:
                reader = Reader(raw)
                top = reader.uvarint(SEQ_MAX)
                reader.end()
            except WireError:
                return reply.mark_seq
            return max(top, reply.mark_seq)
    return reply.mark_seq


def numbers_after(head: Numbers, reply: Reply, *, top: int, is_all_settled: bool) -> Numbers:
    """Answer where numbering goes on after a reply.

    Numbers up to `top` are used at the centre. When this kiosk has nothing that is not settled
    and the centre's chain is unbroken up to there, the next envelope follows the centre's last
    one, and the chain is one again. Else it follows the own last one, with a gap: taking the
    centre's hash for ours could settle by number what the centre never had.
    """
    if top <= head.seq:
        return head
    is_one_chain = is_all_settled and top == reply.mark_seq
    return Numbers(top, reply.mark_hash if is_one_chain else head.hash)
