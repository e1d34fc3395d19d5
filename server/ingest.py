"""What to make of one exchange: pure decisions, nothing stored and nothing opened.

The rules, in the order in which they are asked:

1. A signed request is *fresh* when its counter rises. An older one is answered like any other
   (its envelopes are taken, duplicates are duplicates) but moves neither cursor nor health.
2. A kiosk was restored from an old image, or runs twice, when two of its requests cannot belong
   to one history (`are_one_history`, `freshness`): it is marked forked and asked to enrol anew.
   No clock is evidence, since a kiosk's may have been anywhere; nor is a low counter, since a
   request may be on its way for weeks; nor what is not on record, since a restored centre has
   forgotten much. An honest kiosk, which would rest after 72 hours, is never taken for two.
3. An envelope that is here already is a duplicate; another under the same number is kept as
   well, and the kiosk is forked. A resident's record is never refused for the machine's fault.
4. What a revoked kiosk sends is kept in quarantine for a person to look at.
5. The mark is the end of the chain from number 1 whose links all fit and whose numbers have one
   envelope each; it is walked, never counted.

Source: research/sync-reliability-security.md sections 2 and 3.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

Carrier = Literal["exchange", "courier"]
Verdict = Literal["stored", "duplicate", "quarantined"]


class Chain(msgspec.Struct, frozen=True):
    """Where the chain of one kiosk stands at the centre."""

    #: The last number of the unbroken chain, 0 when none.
    seq: int
    #: That envelope's hash; zeros when none.
    hash: bytes
    #: Lowest number that two envelopes share; None while the history is one.
    fork_seq: int | None


class Links(msgspec.Struct, frozen=True):
    """One stored envelope as a link: its hash and the hash it follows."""

    hash: bytes
    prev: bytes


class Moment(msgspec.Struct, frozen=True):
    """Where one request stands in the history of its kiosk, in the kiosk's own counts.

    All three counts are on the kiosk's disk before the request leaves, and never fall there.
    """

    counter: int
    #: The request's hash; b"" when it is not on record.
    hash: bytes
    #: How often the kiosk has started; 0 when not known.
    boots: int
    head_seq: int


class Freshness(msgspec.Struct, frozen=True):
    """Whether a request may move cursor and health, and whether it betrays an old image."""

    is_fresh: bool
    is_old_image: bool


def are_one_history(one: Moment, other: Moment) -> bool:
    """Answer whether two requests may come from one history; False is proof that they do not.

    One history counts everything upwards and uses no count for two requests. So it does not
    matter which of the two arrives first, how late, or what time their clocks tell.

    >>> asked, later = Moment(7, b"a", boots=2, head_seq=5), Moment(9, b"b", boots=2, head_seq=8)
    >>> are_one_history(asked, later)
    True
    >>> are_one_history(later, Moment(8, b"c", boots=3, head_seq=5))
    False
    """
    if one.counter == other.counter:
        return b"" in (one.hash, other.hash) or one.hash == other.hash
    earlier, later = sorted((one, other), key=lambda moment: moment.counter)
    has_boots = earlier.boots > 0 and later.boots > 0
    return earlier.head_seq <= later.head_seq and (not has_boots or earlier.boots <= later.boots)


def freshness(
    asked: Moment,
    newest: Moment,
    *,
    is_known_boot: bool,
    is_boot_anothers: bool,
    is_head_ours: bool,
) -> Freshness:
    """Judge a request by what is on record of its kiosk.

    Args:
        asked: The request.
        newest: The fresh request with the highest counter; zeros before the first.
        is_known_boot: Whether a fresh request came from this very start before.
        is_boot_anothers: Whether a start of the same count is on record under another boot id.
        is_head_ours: False when its newest envelope has the mark's number and another hash.
    """
    is_risen = asked.counter > newest.counter
    is_one = are_one_history(asked, newest) and not is_boot_anothers and is_head_ours
    # An old image counts below the record, and its health is news all the same: once a start.
    return Freshness(is_fresh=is_risen or not (is_one or is_known_boot), is_old_image=not is_one)


def verdict(*, is_known: bool, kiosk_state: str) -> Verdict:
    """Answer what an envelope of the request becomes."""
    if is_known:
        return "duplicate"
    return "quarantined" if kiosk_state == "revoked" else "stored"


def forked_at(chain: Chain, doubled: Sequence[int]) -> Chain:
    """Answer the chain after numbers were found to have two envelopes each.

    The mark then ends before the first of them; its hash there has to be looked up, which is why
    it is left empty when the mark moved back.
    """
    if not doubled:
        return chain
    lowest = min(doubled)
    fork_seq = lowest if chain.fork_seq is None else min(chain.fork_seq, lowest)
    if chain.seq < fork_seq:
        return Chain(seq=chain.seq, hash=chain.hash, fork_seq=fork_seq)
    return Chain(seq=fork_seq - 1, hash=b"", fork_seq=fork_seq)


def walked(chain: Chain, at: Callable[[int], Links | None]) -> Chain:
    """Walk the links from the mark on; answer where the unbroken chain ends now.

    Args:
        chain: Where it ended before.
        at: Answers the only envelope of a number, None when there is none.
    """
    seq, last = chain.seq, chain.hash
    while chain.fork_seq is None or seq + 1 < chain.fork_seq:
        link = at(seq + 1)
        if link is None or link.prev != last:
            break
        seq, last = seq + 1, link.hash
    return Chain(seq=seq, hash=last, fork_seq=chain.fork_seq)


def chunk_step(*, received: int, total: int, offset: int, size: int) -> tuple[int, int]:
    """Answer which part of a chunk is new: its slice from and to, (0, 0) for nothing.

    Pieces are taken in order; what overlaps is cut, what lies beyond a gap is left until the
    gap is filled (the reply's mark tells the kiosk where to go on).
    """
    if offset > received or offset + size <= received or offset + size > total:
        return (0, 0)
    return (received - offset, size)


def retry_after_s(
    *,
    base_s: int,
    load: float,
    spread: float,
    has_more: bool,
    away_s: int = 60,
    oldest_s: int = 0,
) -> int:
    """Answer how long a kiosk should keep away; 0 = come as soon as there is something.

    Of many that return at once, those whose residents have waited longest are the first to come
    again: a backlog of days draws its place from the front of the span.

    Args:
        base_s: The setting, when all is well and nothing more is to be carried.
        load: How busy the centre is, 0 to 1.
        spread: This kiosk's place in [0, 1), so that a fleet does not come back at once.
        has_more: The kiosk or the centre holds more than this exchange carried.
        away_s: How long a busy centre needs for those that are there already.
        oldest_s: Age of the kiosk's oldest envelope.
    """
    if is_slow(load):
        days = oldest_s / 86_400
        return away_s + int(away_s * spread / (1 + days))
    return 0 if has_more else base_s


def is_slow(load: float) -> bool:
    """Answer whether kiosks are asked to send less often."""
    return load >= 0.8
