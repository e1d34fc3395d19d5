"""The root of what can go wrong, and how it is told on the wire."""

from typing import ClassVar

import msgspec

MALFORMED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not what they should be: of a text that is no UTF-8, and
of brackets in brackets deeper than Python goes, it lets Python's own errors through."""


class BianminError(Exception):
    """Something that the caller cannot plan for; the message says what to do next.

    Each subclass has its own `code` (HTTP status, point, number), which is never reused and
    never changes its meaning. Messages hold no personal data.
    """

    code: ClassVar[str] = "500.0"


class ProblemDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error as the centre tells it over HTTP (``application/problem+json``).

    Source: RFC 9457; `code` is our extension.
    """

    #: What happened, one short sentence.
    title: str
    #: HTTP status.
    status: int
    #: Our stable code, e.g. "401.1".
    code: str
    #: What to do next; "" when the title says all.
    detail: str = ""
    type: str = "about:blank"


def problem_json(title: str, error: BianminError) -> bytes:
    """Answer the problem+json of an error: its code's status, its message as the detail."""
    status = int(error.code.split(".", 1)[0])
    problem = ProblemDetails(title=title, status=status, code=error.code, detail=str(error))
    return msgspec.json.encode(problem)
