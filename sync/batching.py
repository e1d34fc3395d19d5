"""How much to put into the next request, judged by how the last one went."""

from sync.limits import (
    BATCH_BYTES_MAX,
    BATCH_BYTES_MIN,
    BATCH_QUICK_S,
    BATCH_SLOW_S,
    FRAME_BYTES_MAX,
)

VERY_QUICK_S = 2.0  # at 64 KiB a second the largest frame still takes 4 s


def next_bytes(batch_bytes: int, *, sent_bytes: int, took_s: float, is_ok: bool) -> int:
    """Answer the bound of the next request in bytes.

    Doubles when a well-filled request was quick, halves when it was slow or lost.

    Args:
        batch_bytes: Bound of this request.
        sent_bytes: Its size. A nearly empty one says nothing about the link.
        took_s: From sending to the verified reply; ignored when lost.
        is_ok: Whether a verified reply came.

    Returns:
        512 bytes to 256 KiB.

    >>> next_bytes(2048, sent_bytes=2000, took_s=1.0, is_ok=True)
    4096
    >>> next_bytes(2048, sent_bytes=130, took_s=1.0, is_ok=True)
    2048
    >>> next_bytes(2048, sent_bytes=2000, took_s=1.0, is_ok=False)
    1024
    """
    if not is_ok or took_s > BATCH_SLOW_S:
        return max(BATCH_BYTES_MIN, batch_bytes // 2)
    ceiling = FRAME_BYTES_MAX if took_s < VERY_QUICK_S else BATCH_BYTES_MAX
    if took_s < BATCH_QUICK_S and sent_bytes * 2 >= batch_bytes:
        return max(batch_bytes, min(ceiling, batch_bytes * 2))
    return batch_bytes
