"""What became of an exchange, and how the carrying goes: the agent's words for others."""

from typing import Literal

import msgspec

from sync.database import StorageFailed
from sync.transports import CentreRefused, LinkDown

BUSY_STATUSES = (429, 503)

Trouble = Literal["", "link", "refused", "portal", "reply", "old_centre", "storage", "fault"]
"""What kept the last exchange from counting; "" when it counted.

link: nothing came back. refused: an unsigned error. portal: somebody else answered, the network
asks for a sign-in. reply: not the centre's answer to this request. old_centre: a centre that was
replaced still answers. storage: the disk. fault: a defect of ours.
"""


class AgentState(msgspec.Struct, frozen=True):
    """How the carrying goes, for the status line and the operators' page."""

    #: Kiosk's clock at the last verified reply, Unix ms; None before the first.
    last_ok_ms: int | None = None
    last_error: Trouble = ""
    #: A code or class name to the last error, never content.
    detail: str = ""
    is_reachable: bool = False
    is_revoked: bool = False
    #: The centre asks for a new enrolment: this kiosk's numbers were used twice.
    must_reenrol: bool = False
    #: Centre's clock minus the kiosk's, Unix ms.
    clock_skew_ms: int = 0
    #: Failures in a row.
    failures: int = 0


class ExchangeOutcome(msgspec.Struct, frozen=True):
    """What one exchange did."""

    error: Trouble = ""
    detail: str = ""
    #: Envelopes sent, and envelopes settled by the reply.
    sent: int = 0
    settled: int = 0
    notices: int = 0
    up_bytes: int = 0
    down_bytes: int = 0
    #: More waits, and this exchange made progress: come again at once.
    is_more: bool = False
    #: A catalogue is fetched in part; the next exchange goes on with it.
    is_catalogue_left: bool = False
    #: Seconds to keep away, and whether not even a new application may shorten them.
    retry_after_s: int = 0
    is_slow: bool = False

    @property
    def is_ok(self) -> bool:
        """Whether a verified reply was taken in."""
        return not self.error


def outcome_of(error: Exception) -> ExchangeOutcome:
    """Answer the outcome of an exchange that broke; never with what a resident entrusted to us."""
    match error:
        case CentreRefused():
            return ExchangeOutcome(
                error="refused",
                detail=error.problem or str(error.status),
                retry_after_s=error.retry_after_s,
                is_slow=error.status in BUSY_STATUSES and bool(error.retry_after_s),
            )
        case LinkDown():
            return ExchangeOutcome(error="link", detail=type(error).__name__)
        case StorageFailed():
            return ExchangeOutcome(error="storage", detail=error.code)
        case _:
            # Only the class: a message may quote what nobody should read.
            return ExchangeOutcome(error="fault", detail=type(error).__name__)
