"""How much to put into the next request, judged by how the last one went."""

from sync.limits import (
    BATCH_BYTES_MAX,
    BATCH_BYTES_MIN,
    BATCH_QUICK_S,
    BATCH_SLOW_S,
    BATCH_VERY_QUICK_S,
    FRAME_BYTES_MAX,
)


def next_bytes(batch_bytes: int, *, sent_bytes: int, took_s: float, is_ok: bool) -> int:
    """Answer the bound of the next request in bytes.

    A well-filled request that was very quick makes the next four times as large, a quick one
    twice; a slow or lost one halves it. It settles where a request takes about a second of the
    link: two of those under way fill it while answers come back, do not overrun its queue, and
    a cut costs little (docs/decisions/0013).

    Args:
        batch_bytes: Bound of this request.
        sent_bytes: Its size. A nearly empty one says nothing about the link.
        took_s: From sending to the verified reply, without the round trips that only waited, as
            far as they are known; ignored when lost.
        is_ok: Whether a verified reply came.

    Returns:
        512 bytes to 256 KiB.

    >>> next_bytes(2048, sent_bytes=2000, took_s=0.2, is_ok=True)
    8192
    >>> next_bytes(2048, sent_bytes=2000, took_s=0.5, is_ok=True)
    4096
    >>> next_bytes(2048, sent_bytes=2000, took_s=3.0, is_ok=True)
    2048
    >>> next_bytes(2048, sent_bytes=130, took_s=0.2, is_ok=True)
    2048
    >>> next_bytes(2048, sent_bytes=2000, took_s=1.0, is_ok=False)
    1000
    """
    if sent_bytes * 2 < batch_bytes:
        is_slow = is_ok and took_s > BATCH_SLOW_S
        return max(BATCH_BYTES_MIN, batch_bytes // 2) if is_slow else batch_bytes
    if not is_ok or took_s > BATCH_SLOW_S:
        # By its own size: of two that were lost together, the second halves nothing more.
        return max(BATCH_BYTES_MIN, min(batch_bytes, sent_bytes // 2))
    if took_s >= BATCH_QUICK_S:
        return batch_bytes
    if took_s < BATCH_VERY_QUICK_S:
        return min(FRAME_BYTES_MAX, batch_bytes * 4)
    return max(batch_bytes, min(BATCH_BYTES_MAX, batch_bytes * 2))
