"""SQL of accounts, sessions and staff events. Functions never commit; the store does."""

import sqlite3
from typing import Literal, cast

import msgspec

from server.people.accounts import Account, NewAccount, Role
from server.people.delays import Failures, after_failure, wait_ms
from server.people.errors import AccountRefused
from server.people.sessions import Session
from sync.limits import ACCOUNTS_MAX, LOGIN_FORGET_MS, SESSION_IDLE_MS, SESSION_LIFE_MS

StaffAction = Literal[
    "created",
    "disabled",
    "enabled",
    "reset",
    "password_changed",
    "signed_in",
    "signed_out",
    "signed_out_everywhere",
    "refused_sign_in",
    "revoked_kiosk",
    "made_code",
    "replayed",
    "checked_ledger",
    "accepted_quarantined",
    "refused_quarantined",
    "took_stick",
]

_ACCOUNT = (
    "account.id, account.name, account.shown_name, account.role, account.departments,"
    " account.village_prefix, account.must_change, account.is_disabled, account.created_ms,"
    " account.signed_in_ms"
)


class StaffEvent(msgspec.Struct, frozen=True):
    """One thing that a member of staff did; no personal data of residents."""

    number: int
    at_ms: int
    actor: str
    action: str
    subject: str
    detail: str


def accounts(conn: sqlite3.Connection) -> list[Account]:
    """List all accounts by role and name."""
    rows = conn.execute(f"SELECT {_ACCOUNT} FROM account ORDER BY is_disabled, role, name")  # noqa: S608 -- own column list
    return [_account(row) for row in rows]


def account_of_name(conn: sqlite3.Connection, name: str) -> tuple[Account, str] | None:
    """Find the account of that sign-in name and its password hash."""
    row = conn.execute(
        f"SELECT {_ACCOUNT}, password_hash FROM account WHERE name = ?",  # noqa: S608 -- own columns
        (name.strip().lower(),),
    ).fetchone()
    return None if row is None else (_account(row[:-1]), cast("str", row[-1]))


def add_account(
    conn: sqlite3.Connection,
    new: NewAccount,
    *,
    password_hash: str,
    actor: str,
    now_ms: int,
    must_change: bool = True,
) -> Account:
    """Insert a checked account and record it.

    Raises:
        AccountRefused: The name was given before, or there are too many accounts.
    """
    if account_of_name(conn, new.name) is not None:
        raise AccountRefused("account_exists")
    if conn.execute("SELECT count(*) FROM account").fetchone()[0] >= ACCOUNTS_MAX:
        raise AccountRefused("account_many")
    conn.execute(
        "INSERT INTO account (name, shown_name, role, departments, village_prefix, password_hash,"
        " must_change, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new.name,
            new.shown_name,
            new.role,
            msgspec.json.encode(new.departments).decode(),
            new.village_prefix,
            password_hash,
            int(must_change),
            now_ms,
        ),
    )
    record(conn, actor=actor, action="created", subject=new.name, detail=new.role, now_ms=now_ms)
    return _found(conn, new.name)


def set_password(
    conn: sqlite3.Connection,
    name: str,
    password_hash: str,
    *,
    actor: str,
    now_ms: int,
    must_change: bool,
) -> Account:
    """Replace a password and end all sessions of the account.

    Raises:
        AccountRefused: There is no such account.
    """
    account = _found(conn, name)
    conn.execute(
        "UPDATE account SET password_hash = ?, must_change = ? WHERE id = ?",
        (password_hash, int(must_change), account.id),
    )
    end_sessions(conn, account.id)
    action: StaffAction = "reset" if must_change else "password_changed"
    record(conn, actor=actor, action=action, subject=account.name, now_ms=now_ms)
    return _found(conn, account.name)


def set_disabled(
    conn: sqlite3.Connection, name: str, *, is_disabled: bool, actor: str, now_ms: int
) -> Account:
    """Close or open an account; closing ends its sessions at once.

    Raises:
        AccountRefused: There is no such account.
    """
    account = _found(conn, name)
    if account.is_disabled == is_disabled:
        return account
    conn.execute("UPDATE account SET is_disabled = ? WHERE id = ?", (int(is_disabled), account.id))
    if is_disabled:
        end_sessions(conn, account.id)
    action: StaffAction = "disabled" if is_disabled else "enabled"
    record(conn, actor=actor, action=action, subject=account.name, now_ms=now_ms)
    return _found(conn, account.name)


def start_session(
    conn: sqlite3.Connection, account: Account, token_hash: bytes, csrf: str, *, now_ms: int
) -> Session:
    """Insert a session, forget sessions that are over, and record the sign-in."""
    conn.execute(
        "DELETE FROM staff_session WHERE seen_ms < ? OR started_ms < ?",
        (now_ms - SESSION_IDLE_MS, now_ms - SESSION_LIFE_MS),
    )
    conn.execute(
        "INSERT INTO staff_session (token_hash, account_id, csrf, started_ms, seen_ms)"
        " VALUES (?, ?, ?, ?, ?)",
        (token_hash, account.id, csrf, now_ms, now_ms),
    )
    conn.execute("UPDATE account SET signed_in_ms = ? WHERE id = ?", (now_ms, account.id))
    record(conn, actor=account.name, action="signed_in", subject=account.name, now_ms=now_ms)
    return Session(token_hash, csrf, now_ms, now_ms, account)


def session(conn: sqlite3.Connection, token_hash: bytes) -> Session | None:
    """Find a session with its account as it is now; whether it is alive, the caller decides."""
    row = conn.execute(
        f"SELECT {_ACCOUNT}, csrf, started_ms, seen_ms FROM staff_session"  # noqa: S608 -- own columns
        " JOIN account ON account.id = account_id WHERE token_hash = ?",
        (token_hash,),
    ).fetchone()
    if row is None:
        return None
    return Session(token_hash, row[-3], row[-2], row[-1], _account(row[:-3]))


def touch_session(conn: sqlite3.Connection, token_hash: bytes, now_ms: int) -> None:
    """Note that the session was used."""
    conn.execute(
        "UPDATE staff_session SET seen_ms = max(seen_ms, ?) WHERE token_hash = ?",
        (now_ms, token_hash),
    )


def end_session(conn: sqlite3.Connection, ended: Session, *, now_ms: int) -> None:
    """Sign out one browser."""
    conn.execute("DELETE FROM staff_session WHERE token_hash = ?", (ended.token_hash,))
    name = ended.account.name
    record(conn, actor=name, action="signed_out", subject=name, now_ms=now_ms)


def end_everywhere(conn: sqlite3.Connection, account: Account, *, now_ms: int) -> None:
    """Sign out every browser of one account."""
    end_sessions(conn, account.id)
    record(
        conn,
        actor=account.name,
        action="signed_out_everywhere",
        subject=account.name,
        now_ms=now_ms,
    )


def end_sessions(conn: sqlite3.Connection, account_id: int) -> None:
    """Drop all sessions of one account."""
    conn.execute("DELETE FROM staff_session WHERE account_id = ?", (account_id,))


def failures(conn: sqlite3.Connection, name: str, address: str) -> Failures:
    """Answer the failed sign-ins in a row for a name from an address."""
    row = conn.execute(
        "SELECT failures, last_ms FROM login_failure WHERE name = ? AND address = ?",
        (name, address),
    ).fetchone()
    return Failures() if row is None else Failures(count=row[0], last_ms=row[1])


def begin_attempt(conn: sqlite3.Connection, name: str, address: str, now_ms: int) -> int:
    """Count an attempt as failed before the password is looked at; success takes it back.

    Counting afterwards would let a thousand attempts sent at once through as one.

    Returns:
        0 to go on; else milliseconds to wait, and nothing was counted.
    """
    series = failures(conn, name, address)
    left_ms = wait_ms(series, now_ms)
    if left_ms:
        return left_ms
    conn.execute("DELETE FROM login_failure WHERE last_ms < ?", (now_ms - LOGIN_FORGET_MS,))
    after = after_failure(series, now_ms)
    conn.execute(
        "INSERT OR REPLACE INTO login_failure (name, address, failures, last_ms)"
        " VALUES (?, ?, ?, ?)",
        (name, address, after.count, after.last_ms),
    )
    return 0


def forget_failures(conn: sqlite3.Connection, name: str, address: str) -> None:
    """End the series after the right password."""
    conn.execute("DELETE FROM login_failure WHERE name = ? AND address = ?", (name, address))


def record(
    conn: sqlite3.Connection,
    *,
    actor: str,
    action: StaffAction,
    subject: str,
    now_ms: int,
    detail: str = "",
) -> None:
    """Append what a member of staff did."""
    conn.execute(
        "INSERT INTO staff_event (at_ms, actor, action, subject, detail) VALUES (?, ?, ?, ?, ?)",
        (now_ms, actor, action, subject, detail),
    )


def staff_events(conn: sqlite3.Connection, *, limit: int, before: int = 0) -> list[StaffEvent]:
    """List events, newest first; `before` = number of the last one already seen (0 = none)."""
    rows = conn.execute(
        "SELECT number, at_ms, actor, action, subject, detail FROM staff_event"
        " WHERE (? = 0 OR number < ?) ORDER BY number DESC LIMIT ?",
        (before, before, limit),
    )
    return [StaffEvent(*row) for row in rows]


def _found(conn: sqlite3.Connection, name: str) -> Account:
    found = account_of_name(conn, name)
    if found is None:
        raise AccountRefused("account_unknown")
    return found[0]


def _account(row: tuple[object, ...]) -> Account:
    return Account(
        id=cast("int", row[0]),
        name=cast("str", row[1]),
        shown_name=cast("str", row[2]),
        role=cast("Role", row[3]),
        departments=msgspec.json.decode(cast("str", row[4]), type=tuple[str, ...]),
        village_prefix=cast("str", row[5]),
        must_change=bool(row[6]),
        is_disabled=bool(row[7]),
        created_ms=cast("int", row[8]),
        signed_in_ms=cast("int", row[9]),
    )
