"""Hours of the day: when the screen is dark, and when the kiosk is quiet. Pure."""

import re

_SPAN = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")
_DAY_MIN = 24 * 60
FORM = '"" for never, or 22:00-06:00'


def is_span(text: str) -> bool:
    """Answer whether a setting is empty or a span of the day.

    >>> is_span("22:00-06:00"), is_span(""), is_span("22-6"), is_span("07:00-07:00")
    (True, True, False, False)
    """
    found = _SPAN.fullmatch(text)
    return not text or (found is not None and found[1] + found[2] != found[3] + found[4])


def is_within(text: str, now_ms: int, utc_offset_min: int) -> bool:
    """Answer whether a moment lies in a span; the end itself does not, midnight may be between.

    Args:
        text: As `is_span` takes it.
        now_ms: Unix milliseconds.
        utc_offset_min: Of the place.

    >>> ten_at_night = 22 * 3_600_000
    >>> is_within("22:00-06:00", ten_at_night, 0), is_within("06:00-22:00", ten_at_night, 0)
    (True, False)
    """
    found = _SPAN.fullmatch(text)
    if found is None:
        return False
    begin, end = (int(found[i]) * 60 + int(found[i + 1]) for i in (1, 3))
    minute = (now_ms // 60_000 + utc_offset_min) % _DAY_MIN
    return (minute - begin) % _DAY_MIN < (end - begin) % _DAY_MIN
