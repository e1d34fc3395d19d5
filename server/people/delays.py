"""How long a sign-in has to wait after failures: longer each time, never for ever."""

import msgspec

from sync.limits import LOGIN_DELAY_MS_MAX, LOGIN_FAILURES_FREE, LOGIN_FORGET_MS


class Failures(msgspec.Struct, frozen=True):
    """Failed sign-ins in a row for one account name from one network address."""

    count: int = 0
    last_ms: int = 0


def wait_ms(failures: Failures, now_ms: int) -> int:
    """Answer how long the next attempt has to wait from now, in milliseconds.

    Five attempts are free, then the delay doubles from 2 s to 15 min. Account and address count
    together, so that a stranger cannot lock a clerk out of the clerk's own desk.

    >>> wait_ms(Failures(count=4, last_ms=1000), 1000)
    0
    >>> wait_ms(Failures(count=5, last_ms=1000), 1500)
    1500
    """
    over = failures.count - LOGIN_FAILURES_FREE
    if over < 0:
        return 0
    delay = min(LOGIN_DELAY_MS_MAX, 2000 << min(over, 20))
    # A clock that was set back must not lengthen the wait.
    waited = max(0, now_ms - failures.last_ms)
    return max(0, delay - waited)


def after_failure(failures: Failures, now_ms: int) -> Failures:
    """Answer the count after one more failure; an old series begins anew."""
    is_old = now_ms - failures.last_ms > LOGIN_FORGET_MS
    return Failures(count=1 if is_old else failures.count + 1, last_ms=now_ms)
