"""How long to wait before trying, or coming, again."""

from sync.limits import (
    HEARTBEAT_S,
    RETRIES_QUICK,
    RETRY_FIRST_S,
    RETRY_MAX_S,
    RETRY_QUICK_S,
    RHYTHM_FIRST_S,
)

DOUBLINGS_MAX = 20  # beyond them every bound here is reached


def delay_s(attempt: int, spread: float) -> float:
    """Answer how long to wait before a further attempt.

    The first few tries follow each other quickly, so that a cut of seconds costs seconds; then
    the span doubles from 8 s and stays at 15 min. The wait is drawn from the whole of it, so
    that a valley returning to the network does not call the centre all at once.

    Args:
        attempt: Failures so far, from 1.
        spread: Uniform number in [0, 1), from `Entropy`.

    Returns:
        Seconds, at least 1 and below 900.

    Raises:
        ValueError: `attempt` is below 1.

    >>> delay_s(attempt=1, spread=0.5)
    2.0
    >>> delay_s(attempt=7, spread=0.5)
    8.0
    """
    if attempt < 1:
        raise ValueError(attempt)
    if attempt <= RETRIES_QUICK:
        return 1.0 + (RETRY_QUICK_S - 1.0) * spread
    doublings = min(attempt - RETRIES_QUICK - 1, DOUBLINGS_MAX)
    return max(1.0, min(RETRY_MAX_S, RETRY_FIRST_S * 2.0**doublings) * spread)


def rhythm_s(calm: int, spread: float, heartbeat_s: float = HEARTBEAT_S) -> float:
    """Answer how long a kiosk with nothing to carry keeps silent.

    Soon after something happened an answer is expected; then the pauses double up to the
    heartbeat. A tenth more or less keeps kiosks that were switched on together apart.

    Args:
        calm: Exchanges in a row that brought nothing, 0 or more.
        spread: Uniform number in [0, 1), from `Entropy`.
        heartbeat_s: Longest pause but for the spread.

    Returns:
        Seconds.

    >>> [round(rhythm_s(calm, 0.5)) for calm in (0, 1, 2, 9)]
    [60, 120, 240, 3000]
    """
    pause_s = min(heartbeat_s, RHYTHM_FIRST_S * 2.0 ** min(calm, DOUBLINGS_MAX))
    return pause_s * (0.9 + spread / 5)


def away_s(retry_after_s: float, spread: float) -> float:
    """Answer how long to keep away when the centre asked for it: up to half as long again.

    The whole valley was told the same.

    >>> away_s(60, 0.5)
    75.0
    """
    return retry_after_s * (1 + spread / 2)
