"""What happened, line by line: virtual time, who, what. No answer of a resident stands in it."""

import hashlib
from collections.abc import Callable


class Trace:
    """The story of one run.

    Args:
        true_s: Answers the seconds since the run began.
    """

    def __init__(self, true_s: Callable[[], float]) -> None:
        self._true_s = true_s
        self.lines: list[str] = []

    def note(self, who: str, what: str) -> None:
        """Write one line."""
        seconds = self._true_s()
        days, rest = divmod(seconds, 86_400)
        hours, rest = divmod(rest, 3600)
        minutes, rest = divmod(rest, 60)
        at = f"day {int(days)} {int(hours):02d}:{int(minutes):02d}:{rest:06.3f}"
        self.lines.append(f"{at}  {who:<12} {what}")

    @property
    def digest(self) -> str:
        """Answer a hash of the whole story; equal for equal runs."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()


def short(raw: bytes) -> str:
    """Name bytes in a trace: size and the start of their hash."""
    return f"{len(raw)} bytes #{hashlib.sha256(raw).hexdigest()[:6]}"
