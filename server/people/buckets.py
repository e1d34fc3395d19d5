"""Token buckets in memory: how often one network address may ask."""

from collections import OrderedDict

import msgspec

from sync.limits import BUCKETS_MAX


class Bucket(msgspec.Struct, frozen=True):
    """What is left of one address's allowance."""

    left: float
    at_ms: int


def drawn(bucket: Bucket, now_ms: int, per_minute: int) -> Bucket | None:
    """Answer the bucket after one more request, None when it is empty.

    It fills evenly up to one minute's allowance. A clock set back fills nothing.
    """
    gained = max(0, now_ms - bucket.at_ms) * per_minute / 60_000
    left = min(float(per_minute), bucket.left + gained)
    return Bucket(left - 1, now_ms) if left >= 1 else None


class Buckets:
    """The buckets of many addresses; those not seen for longest are forgotten first.

    A forgotten address begins with a full bucket: the bound on memory matters more than the
    exact count of someone who owns ten thousand networks.
    """

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def may(self, key: str, now_ms: int) -> bool:
        """Count one request and answer whether it is within the allowance."""
        held = self._buckets.get(key, Bucket(float(self._per_minute), now_ms))
        after = drawn(held, now_ms, self._per_minute)
        self._buckets[key] = held if after is None else after
        self._buckets.move_to_end(key)
        if len(self._buckets) > BUCKETS_MAX:
            self._buckets.popitem(last=False)
        return after is not None
