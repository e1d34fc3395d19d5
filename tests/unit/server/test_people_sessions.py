"""Sessions, forged forms, and how long a guesser waits."""

import hashlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.people.accounts import Account
from server.people.address import network, told_address
from server.people.buckets import Bucket, Buckets, drawn
from server.people.delays import Failures, after_failure, wait_ms
from server.people.sessions import (
    Session,
    is_alive,
    is_own_form,
    is_same_origin,
    is_touch_due,
    new_token,
    token_hash,
)
from sync.clock import SeededEntropy
from sync.limits import BUCKETS_MAX, LOGIN_DELAY_MS_MAX, LOGIN_FORGET_MS

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
NOW = 1_795_000_000_000
LIMIN = Account(1, "limin", "李敏", "clerk", ("民政局",))


def session(*, started_ms: int = NOW, seen_ms: int = NOW, account: Account = LIMIN) -> Session:
    return Session(b"h" * 32, "c0ffee", started_ms, seen_ms, account)


@pytest.mark.parametrize(
    ("started_ms", "seen_ms", "alive"),
    [
        (NOW, NOW, True),
        (NOW - 15 * MINUTE_MS, NOW - 15 * MINUTE_MS + 1, True),
        (NOW - 15 * MINUTE_MS, NOW - 15 * MINUTE_MS, False),
        (NOW - 8 * HOUR_MS + 1, NOW, True),
        (NOW - 8 * HOUR_MS, NOW, False),
        (NOW + 2 * HOUR_MS, NOW + 2 * HOUR_MS, False),
    ],
)
def test_session_ends_after_idle_time_and_after_a_working_day(
    started_ms: int, seen_ms: int, alive: bool
) -> None:
    assert is_alive(session(started_ms=started_ms, seen_ms=seen_ms), NOW) is alive


def test_session_of_a_disabled_account_is_over() -> None:
    closed = msgspec.structs.replace(LIMIN, is_disabled=True)

    assert not is_alive(session(account=closed), NOW)


def test_use_is_written_once_a_minute() -> None:
    assert not is_touch_due(session(), NOW + MINUTE_MS - 1)
    assert is_touch_due(session(), NOW + MINUTE_MS)


def test_token_has_256_bits_and_only_its_hash_is_kept() -> None:
    token = new_token(SeededEntropy(1))

    assert len(bytes.fromhex(token)) == 32
    assert token_hash(token) == hashlib.sha256(token.encode()).digest()


@pytest.mark.parametrize("csrf", ["", "c0ffeE", "c0ffee ", "\udcff"])
def test_form_of_another_session_is_told_apart(csrf: str) -> None:
    assert is_own_form(session(), "c0ffee")
    assert not is_own_form(session(), csrf)


@pytest.mark.parametrize(
    ("fetch_site", "origin", "ours"),
    [
        ("same-origin", None, True),
        ("same-origin", "https://evil.example", True),
        ("same-site", "https://centre.example", False),
        ("cross-site", "https://centre.example", False),
        ("none", None, False),
        (None, "https://centre.example", True),
        (None, "https://evil.example", False),
        (None, "https://centre.example.evil.example", False),
        (None, "null", False),
        (None, None, False),
    ],
)
def test_only_our_own_page_may_send_a_form(
    fetch_site: str | None, origin: str | None, ours: bool
) -> None:
    assert is_same_origin(fetch_site, origin, "centre.example") is ours


def test_delay_begins_after_five_failures_and_doubles() -> None:
    waits = [wait_ms(Failures(count, NOW), NOW) for count in range(4, 9)]

    assert waits == [0, 2000, 4000, 8000, 16_000]


@given(st.integers(0, 10**6), st.integers(-(10**12), 10**12))
def test_delay_never_locks_for_good(count: int, passed_ms: int) -> None:
    wait = wait_ms(Failures(count, NOW), NOW + passed_ms)

    assert 0 <= wait <= LOGIN_DELAY_MS_MAX
    assert wait_ms(Failures(count, NOW), NOW + LOGIN_DELAY_MS_MAX) == 0


@given(st.integers(5, 1000), st.integers(0, LOGIN_DELAY_MS_MAX))
def test_waiting_shortens_the_wait_by_as_much(count: int, passed_ms: int) -> None:
    whole = wait_ms(Failures(count, NOW), NOW)

    assert wait_ms(Failures(count, NOW), NOW + passed_ms) == max(0, whole - passed_ms)


def test_series_of_yesterday_begins_anew() -> None:
    yesterday = Failures(count=9, last_ms=NOW - LOGIN_FORGET_MS - 1)

    assert after_failure(yesterday, NOW) == Failures(count=1, last_ms=NOW)
    assert after_failure(Failures(9, NOW - 1), NOW) == Failures(count=10, last_ms=NOW)


@given(st.lists(st.integers(0, 120_000), max_size=60), st.integers(1, 60))
def test_bucket_lets_through_no_more_than_its_allowance(gaps: list[int], per_minute: int) -> None:
    bucket, at_ms, passed = Bucket(float(per_minute), 0), 0, 0
    for gap in gaps:
        at_ms += gap
        after = drawn(bucket, at_ms, per_minute)
        passed += after is not None
        bucket = after or bucket

    assert passed <= per_minute + at_ms * per_minute / 60_000 + 1e-6


def test_bucket_of_one_address_does_not_empty_that_of_another() -> None:
    buckets = Buckets(per_minute=2)

    assert [buckets.may("a", 0) for _ in range(3)] == [True, True, False]
    assert buckets.may("b", 0)
    assert buckets.may("a", 30_000)


def test_buckets_have_a_bound() -> None:
    buckets = Buckets(per_minute=1)

    for number in range(BUCKETS_MAX + 5):
        buckets.may(str(number), 0)

    assert len(buckets._buckets) == BUCKETS_MAX


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.7", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "", "10.0.0.1"),
    ],
)
def test_address_is_believed_from_our_proxies_only(peer: str, forwarded: str, address: str) -> None:
    assert told_address(peer, forwarded, {"10.0.0.1", "10.0.0.2"}) == address


def test_neighbours_share_a_network() -> None:
    assert network("203.0.113.9") == network("203.0.113.200") == "203.0.113.0/24"
    assert network("2001:db8:0:42::1") == network("2001:db8:0:ff::9") == "2001:db8::/56"
    assert network("unknown") == "unknown"
