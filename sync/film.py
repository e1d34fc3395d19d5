"""What a phone may carry from this kiosk: its waiting envelopes, each signed to travel alone.

Functions take the open store and change nothing in it: only the centre's word settles.
"""

import msgspec
from sqlite_utils import Database as Tables

from sync.limits import CARRY_ENVELOPES_MAX, CARRY_PARTS_MAX
from sync.wire import bytes_hash, decode_envelope, encode_courier

_COUNT_MAX = CARRY_ENVELOPES_MAX * CARRY_PARTS_MAX


class Load(msgspec.Struct, frozen=True):
    """What one run of codes may show."""

    #: In the order of the run: what no phone has seen yet first, each half oldest first.
    envelopes: tuple[bytes, ...]
    #: Their numbers.
    seqs: tuple[int, ...]


def load_of(db: Tables, seen: int) -> Load:
    """Answer what to show to a phone.

    Args:
        db: The store.
        seen: Number up to which envelopes were shown to a phone before. They are shown again,
            after the others: that phone may never come back to where there is signal.
    """
    rows = db.conn.execute(
        "SELECT seq, envelope, signature, hash FROM outbox JOIN receipt USING (seq)"
        " WHERE state = 'pending' ORDER BY seq <= ?, seq LIMIT ?",
        (seen, _COUNT_MAX),
    ).fetchall()
    # What rotted on the disk would only be refused at the centre.
    sound = [row for row in rows if bytes_hash(row[1]) == row[3]]
    return Load(
        envelopes=tuple(encode_courier(decode_envelope(row[1]), row[2]) for row in sound),
        seqs=tuple(row[0] for row in sound),
    )


def carried_count(db: Tables, seen: int) -> int:
    """Answer how many wait that a phone has seen: carried, and not yet acknowledged."""
    (count,) = db.conn.execute(
        "SELECT count(*) FROM outbox WHERE state = 'pending' AND seq <= ?", (seen,)
    ).fetchone()
    return int(count)
