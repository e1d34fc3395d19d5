"""Who helped with a matter (帮办), as a step of its case: a number, never a name."""

import sqlite3

from server.store import cases
from sync.assistance import read

#: By the resident's agreement: the step that the desk reads.
_ACTIONS = {"": "assisted", "touch": "assisted_touch", "sign": "assisted_sign"}


def note(conn: sqlite3.Connection, case_no: str, helper: str, now_ms: int) -> None:
    """Write down that a helper of the kiosk filled in what came last; "" = nobody did.

    Args:
        conn: Connection.
        case_no: Of the case that it came to.
        helper: `Transaction.helper`.
        now_ms: Centre's clock.
    """
    told = read(helper)
    if not told.helper:
        return
    action = _ACTIONS[told.consent]
    cases.add_event(
        conn, case_no, at_ms=now_ms, actor="resident", action=action, detail=told.helper
    )
