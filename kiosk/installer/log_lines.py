"""The newest log lines, in memory, without anything of a resident.

Our own messages are fixed sentences, with codes beside them; a stranger's library may quote what
it was given, so that of its messages only name and level are kept.
"""

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from sync.clock import Clock
from sync.limits import ADMIN_LOG_LINES

_OURS = ("kiosk", "sync", "voice_prompts", "bianmin")
#: What our log calls put beside their sentence; all of it codes and counts.
_BESIDE = ("reason", "code", "route", "service", "seq", "count", "status")
_CHARS_MAX = 160


class LogLine(msgspec.Struct, frozen=True):
    """One line."""

    #: Kiosk's clock, Unix ms.
    at_ms: int
    level: str
    text: str


class LogLines(logging.Handler):
    """Keeps the newest lines.

    Args:
        clock: The kiosk's.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(logging.INFO)
        self._clock = clock
        self._lines: deque[LogLine] = deque(maxlen=ADMIN_LOG_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line; a message's arguments are left out, since they may be anything."""
        is_ours = record.name.partition(".")[0] in _OURS
        parts = [str(record.msg) if is_ours else f"{record.name}: a message"]
        if is_ours:
            parts += [
                f"{name}={value}"
                for name in _BESIDE
                if (value := record.__dict__.get(name)) is not None
            ]
        text = " ".join(parts)[:_CHARS_MAX]
        self._lines.append(LogLine(self._clock.now_ms(), record.levelname, text))

    def newest(self, count: int) -> tuple[LogLine, ...]:
        """Answer the newest lines, the newest first."""
        return tuple(list(self._lines)[: -count - 1 : -1])


@contextmanager
def kept(lines: LogLines) -> Iterator[None]:
    """Keep what is logged while the block runs."""
    root = logging.getLogger()
    root.addHandler(lines)
    try:
        yield
    finally:
        root.removeHandler(lines)
