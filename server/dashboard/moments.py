"""Times and spans as people at the centre say them."""

from datetime import UTC, date, datetime, timedelta, timezone

from server.dashboard.words import Words

#: China has one zone and no summer time; the machine's own zone may be anything.
CHINA = timezone(timedelta(hours=8), "CST")

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


def moment(ms: int) -> datetime:
    """Answer Unix milliseconds as local time."""
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(CHINA)


def today(now_ms: int) -> date:
    """Answer the local day."""
    return moment(now_ms).date()


def tomorrow(now_ms: int) -> str:
    """Answer the local day after today as an ISO date."""
    return (today(now_ms) + timedelta(days=1)).isoformat()


def exact(ms: int) -> str:
    """Write a moment to the minute.

    >>> exact(1_795_500_000_000)
    '2026-11-24 14:00'
    """
    return moment(ms).strftime("%Y-%m-%d %H:%M")


def span(seconds: float, words: Words) -> str:
    """Write a span in its largest unit: seconds, minutes, hours or days."""
    count = max(0, int(seconds))
    if count < _MINUTE_S:
        return words("span.seconds", count=count)
    if count < _HOUR_S:
        return words("span.minutes", count=count // _MINUTE_S)
    if count < 2 * _DAY_S:
        return words("span.hours", count=count // _HOUR_S)
    return words("span.days", count=count // _DAY_S)


def ago(then_ms: int, now_ms: int, words: Words) -> str:
    """Write how long ago that was; a moment ahead of us counts as now."""
    if now_ms - then_ms < _MINUTE_S * 1000:
        return words("span.now")
    return words("span.ago", span=span((now_ms - then_ms) / 1000, words))


def size(megabytes: int, words: Words) -> str:
    """Write a size in its largest unit."""
    if megabytes < 1000:
        return words("fleet.megabytes", count=megabytes)
    return words("fleet.gigabytes", count=f"{megabytes / 1000:.1f}")


def day(iso: str, words: Words) -> str:
    """Write an ISO date with its weekday; text that is no date stays as it is."""
    try:
        parsed = date.fromisoformat(iso)
    except ValueError:
        return iso
    weekday = words(f"weekday.{parsed.isoweekday()}")
    return words("span.date", year=parsed.year, month=parsed.month, day=parsed.day, weekday=weekday)


def short_day(iso: str, words: Words) -> str:
    """Write month and day of an ISO date."""
    try:
        parsed = date.fromisoformat(iso)
    except ValueError:
        return iso
    return words("span.short_date", month=parsed.month, day=parsed.day)
