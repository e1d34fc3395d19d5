"""How a transaction withdraws a matter (撤回): it corrects it and answers nothing. Pure.

No form makes a correction without an answer, since what is asked for cannot be left out; so the
format needs no new bit, and a centre that does not know withdrawals lays it to the case unread.
"""

from sync.records import Transaction


def is_withdrawal(transaction: Transaction) -> bool:
    """Answer whether a transaction ends the matter that it names."""
    return bool(transaction.corrects) and not any(transaction.answers.values())
