"""Logs as JSON lines; ids and codes only, never what a person said or is."""

import asyncio
import logging
import sys
import traceback
from typing import Any

import msgspec

LOG = logging.getLogger(__name__)
_PLAIN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, where, message and the extra fields.

    Of an error only its type and its places in the code are written: the words of a `ValueError`
    quote what could not be read, which may be somebody's ID number.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        line: dict[str, object] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "where": record.name,
            "what": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _PLAIN}
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["error"] = type(error).__name__
            line["trace"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(error.__traceback__)
            ]
        return msgspec.json.encode(line, enc_hook=str).decode()


def set_up(level: int = logging.INFO) -> None:
    """Log to stderr; whoever supervises the process keeps it."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)


def loop_fault(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what no task took care of; an exception handler for event loops.

    asyncio's own one writes the error's words and the task's arguments, which may be personal.
    """
    LOG.error(
        "loop fault",
        exc_info=context.get("exception"),
        extra={"said": str(context.get("message", ""))},
    )
