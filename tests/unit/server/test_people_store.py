"""The tables of accounts and sessions: what they keep and what they refuse."""

import sqlite3
from collections.abc import Iterator

import pytest

from server.people.accounts import Account, NewAccount
from server.people.delays import Failures
from server.people.errors import AccountRefused
from server.people.sessions import token_hash
from server.store import people
from server.store.migrate import apply, scripts
from server.store.people import StaffEvent

NOW = 1_795_000_000_000
NEW = NewAccount("limin", "李敏", "clerk", ("民政局",), "522326")
LIMIN = Account(1, "limin", "李敏", "clerk", ("民政局",), "522326", True, False, NOW)


@pytest.fixture
def conn() -> Iterator[sqlite3.Connection]:
    conn = sqlite3.connect(":memory:", isolation_level=None)
    conn.execute("PRAGMA foreign_keys = ON")
    apply(conn, scripts())
    yield conn
    conn.close()


def add(conn: sqlite3.Connection, new: NewAccount = NEW) -> Account:
    return people.add_account(conn, new, password_hash="argon", actor="sunli", now_ms=NOW)


def events(conn: sqlite3.Connection) -> list[tuple[str, str, str]]:
    found = people.staff_events(conn, limit=50)
    return [(event.actor, event.action, event.subject) for event in reversed(found)]


def test_account_is_found_by_name_with_its_hash(conn: sqlite3.Connection) -> None:
    added = add(conn)

    assert added == LIMIN
    assert people.account_of_name(conn, " LIMIN ") == (LIMIN, "argon")
    assert people.account_of_name(conn, "nobody") is None


def test_name_is_given_once_for_ever(conn: sqlite3.Connection) -> None:
    add(conn)
    people.set_disabled(conn, "limin", is_disabled=True, actor="sunli", now_ms=NOW)

    with pytest.raises(AccountRefused, match="account_exists"):
        add(conn)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM account",
        "UPDATE account SET role = 'auditor'",
        "UPDATE account SET name = 'other'",
        "DELETE FROM staff_event",
        "UPDATE staff_event SET actor = 'other'",
    ],
)
def test_what_was_recorded_cannot_be_rewritten(conn: sqlite3.Connection, statement: str) -> None:
    add(conn)

    with pytest.raises(sqlite3.IntegrityError):
        conn.execute(statement)


def test_session_is_kept_by_the_hash_of_its_token(conn: sqlite3.Connection) -> None:
    account = add(conn)

    started = people.start_session(conn, account, token_hash("secret"), "csrf", now_ms=NOW)

    found = people.session(conn, token_hash("secret"))
    assert found is not None
    assert (found.csrf, found.started_ms, found.account.name) == ("csrf", NOW, "limin")
    assert started.token_hash == found.token_hash
    assert "secret" not in "\n".join(conn.iterdump())


def test_new_password_ends_every_session(conn: sqlite3.Connection) -> None:
    account = add(conn)
    for token in ("a", "b"):
        people.start_session(conn, account, token_hash(token), "csrf", now_ms=NOW)

    changed = people.set_password(
        conn, "limin", "other", actor="limin", now_ms=NOW, must_change=False
    )

    assert not changed.must_change
    assert [people.session(conn, token_hash(token)) for token in ("a", "b")] == [None, None]


def test_disabling_ends_every_session_and_can_be_undone(conn: sqlite3.Connection) -> None:
    account = add(conn)
    people.start_session(conn, account, token_hash("a"), "csrf", now_ms=NOW)

    closed = people.set_disabled(conn, "limin", is_disabled=True, actor="sunli", now_ms=NOW)
    opened = people.set_disabled(conn, "limin", is_disabled=False, actor="sunli", now_ms=NOW)

    assert (closed.is_disabled, opened.is_disabled) == (True, False)
    assert people.session(conn, token_hash("a")) is None


def test_signing_in_drops_sessions_that_are_over(conn: sqlite3.Connection) -> None:
    account = add(conn)
    people.start_session(conn, account, token_hash("old"), "csrf", now_ms=NOW)

    people.start_session(conn, account, token_hash("new"), "csrf", now_ms=NOW + 8 * 3_600_000)

    assert people.session(conn, token_hash("old")) is None
    assert people.session(conn, token_hash("new")) is not None


def test_use_of_a_session_never_moves_back(conn: sqlite3.Connection) -> None:
    account = add(conn)
    people.start_session(conn, account, token_hash("a"), "csrf", now_ms=NOW)

    people.touch_session(conn, token_hash("a"), NOW + 60_000)
    people.touch_session(conn, token_hash("a"), NOW - 60_000)

    found = people.session(conn, token_hash("a"))
    assert found is not None
    assert found.seen_ms == NOW + 60_000


def test_attempt_is_counted_before_the_password_is_looked_at(conn: sqlite3.Connection) -> None:
    waits = [people.begin_attempt(conn, "limin", "203.0.113.0/24", NOW) for _ in range(7)]

    # Five are free; the sixth and seventh wait for the delay and are not counted.
    assert waits == [0, 0, 0, 0, 0, 2000, 2000]
    assert people.failures(conn, "limin", "203.0.113.0/24") == Failures(5, NOW)


def test_stranger_elsewhere_does_not_delay_the_clerk(conn: sqlite3.Connection) -> None:
    for _ in range(9):
        people.begin_attempt(conn, "limin", "203.0.113.0/24", NOW)

    assert people.begin_attempt(conn, "limin", "192.0.2.0/24", NOW) == 0


def test_right_password_ends_the_series(conn: sqlite3.Connection) -> None:
    for _ in range(6):
        people.begin_attempt(conn, "limin", "here", NOW)

    people.forget_failures(conn, "limin", "here")

    assert people.failures(conn, "limin", "here") == Failures()


def test_every_act_is_recorded_with_who_did_it(conn: sqlite3.Connection) -> None:
    account = add(conn)
    started = people.start_session(conn, account, token_hash("a"), "csrf", now_ms=NOW)
    people.end_session(conn, started, now_ms=NOW)
    people.end_everywhere(conn, account, now_ms=NOW)
    people.set_password(conn, "limin", "x", actor="sunli", now_ms=NOW, must_change=True)
    people.set_disabled(conn, "limin", is_disabled=True, actor="sunli", now_ms=NOW)

    assert events(conn) == [
        ("sunli", "created", "limin"),
        ("limin", "signed_in", "limin"),
        ("limin", "signed_out", "limin"),
        ("limin", "signed_out_everywhere", "limin"),
        ("sunli", "reset", "limin"),
        ("sunli", "disabled", "limin"),
    ]


def test_events_are_read_in_pages_newest_first(conn: sqlite3.Connection) -> None:
    for number in range(5):
        people.record(conn, actor="a", action="signed_in", subject=str(number), now_ms=NOW + number)

    first = people.staff_events(conn, limit=2)
    second = people.staff_events(conn, limit=2, before=first[-1].number)

    assert [event.subject for event in first + second] == ["4", "3", "2", "1"]
    assert first[0] == StaffEvent(5, NOW + 4, "a", "signed_in", "4", "")


@pytest.mark.parametrize("name", ["nobody", ""])
def test_acts_on_unknown_accounts_are_refused(conn: sqlite3.Connection, name: str) -> None:
    with pytest.raises(AccountRefused, match="account_unknown"):
        people.set_password(conn, name, "x", actor="sunli", now_ms=NOW, must_change=True)
    with pytest.raises(AccountRefused, match="account_unknown"):
        people.set_disabled(conn, name, is_disabled=True, actor="sunli", now_ms=NOW)
