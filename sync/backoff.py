"""How long to wait before trying again."""

from sync.limits import RETRY_FIRST_S, RETRY_MAX_S


def delay_s(attempt: int, spread: float) -> float:
    """Answer how long to wait before a further attempt (exponential, full jitter).

    The span doubles from 2 s and stays at 15 min; the wait is drawn from the whole of it, so
    that a valley returning to the network does not call the centre all at once.

    Args:
        attempt: Failures so far, from 1.
        spread: Uniform number in [0, 1), from `Entropy`.

    Returns:
        Seconds, at least 1 and below 900.

    Raises:
        ValueError: `attempt` is below 1.

    >>> delay_s(attempt=3, spread=0.5)
    4.0
    """
    if attempt < 1:
        raise ValueError(attempt)
    span = min(RETRY_MAX_S, RETRY_FIRST_S * 2.0 ** min(attempt - 1, 20))
    return max(1.0, span * spread)
