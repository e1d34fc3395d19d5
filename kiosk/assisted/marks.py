"""By what a case is found again beside its number: a helper's day, a withdrawal. Pure.

Both are keyed hashes in the table that finds a person's cases, written in the same commit as the
transaction. Whoever reads the disk learns neither the helper nor what was withdrawn.
"""

import datetime as dt
import hashlib

from kiosk.lookup import TAG_BYTES
from sync.assistance import read
from sync.records import Transaction
from sync.withdrawal import is_withdrawal


def day_mark(number: str, day: dt.date, salt: bytes) -> bytes:
    """Answer what finds the cases that a helper handed in on a day."""
    return _mark("helper-day", f"{number}/{day.isoformat()}", salt)


def withdrawal_mark(case_no: str, salt: bytes) -> bytes:
    """Answer what finds the withdrawal of a case."""
    return _mark("withdrawal", case_no, salt)


def marks_of(transaction: Transaction, day: dt.date, salt: bytes) -> tuple[bytes, ...]:
    """Answer the marks of a transaction that is handed in on a day."""
    marks = []
    if helper := read(transaction.helper).helper:
        marks.append(day_mark(helper, day, salt))
    if is_withdrawal(transaction):
        marks.append(withdrawal_mark(transaction.corrects, salt))
    return tuple(marks)


def _mark(kind: str, text: str, salt: bytes) -> bytes:
    return hashlib.sha256(f"bianmin/1/{kind}/{text}/".encode() + salt).digest()[:TAG_BYTES]
