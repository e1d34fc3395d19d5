"""Backoff and batching: bounded, spread, and quick to use a good link."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.dashboard.concerns import SILENT_WARN_S
from sync.backoff import away_s, delay_s, rhythm_s
from sync.batching import next_bytes
from sync.clock import SeededEntropy
from sync.limits import BATCH_BYTES_MIN, FRAME_BYTES_MAX, HEARTBEAT_S


@given(attempt=st.integers(1, 10_000), spread=st.floats(0, 1, exclude_max=True))
def test_delay_is_bounded(attempt: int, spread: float) -> None:
    assert 1.0 <= delay_s(attempt, spread) <= 900.0


def test_delay_covers_the_whole_span() -> None:
    assert [delay_s(attempt, 0.5) for attempt in (1, 5, 6, 7, 9, 12, 13, 30)] == [
        2.0,
        2.0,
        4.0,
        8.0,
        32.0,
        256.0,
        450.0,
        450.0,
    ]


def test_fleet_that_lost_its_centre_comes_back_spread_over_a_quarter_of_an_hour() -> None:
    """Row 37: after an hour without the centre, no minute sees more than a tenth of all."""
    entropy = SeededEntropy(37)
    returns = [delay_s(30, entropy.uniform()) for _ in range(2000)]

    minutes = Counter(int(pause // 60) for pause in returns)

    assert (len(minutes), max(minutes.values()) < 200) == (15, True)


def test_idle_rhythm_slows_to_the_heartbeat_and_is_never_in_step() -> None:
    entropy = SeededEntropy(1)
    pauses = [rhythm_s(calm, entropy.uniform()) for calm in range(12)]

    assert 54 <= pauses[0] <= 66
    assert all(0.9 * HEARTBEAT_S <= pause <= 1.1 * HEARTBEAT_S for pause in pauses[6:])
    assert len(set(pauses)) == 12


def test_heartbeat_keeps_what_the_operators_page_calls_online() -> None:
    """The page calls a kiosk online that called within an hour, and silent after six."""
    assert 1.1 * HEARTBEAT_S < 3600 <= SILENT_WARN_S / 5


def test_wait_that_the_centre_asks_for_is_spread() -> None:
    assert [away_s(60, spread) for spread in (0.0, 0.5)] == [60.0, 75.0]
    assert away_s(0, 0.5) == 0


def test_delay_before_any_failure_is_a_defect() -> None:
    with pytest.raises(ValueError, match="0"):
        delay_s(0, 0.5)


@given(
    batch=st.integers(BATCH_BYTES_MIN, FRAME_BYTES_MAX),
    sent=st.integers(0, FRAME_BYTES_MAX),
    took_s=st.floats(0, 10_000),
    is_ok=st.booleans(),
)
def test_batch_stays_in_its_bounds(batch: int, sent: int, took_s: float, is_ok: bool) -> None:
    after = next_bytes(batch, sent_bytes=sent, took_s=took_s, is_ok=is_ok)

    assert BATCH_BYTES_MIN <= after <= FRAME_BYTES_MAX


def test_batch_finds_what_a_link_of_32_kbit_carries_in_a_second() -> None:
    batch = 2048
    for _ in range(20):
        batch = next_bytes(batch, sent_bytes=batch, took_s=batch / 4000, is_ok=True)

    assert batch == 4096
    assert next_bytes(batch, sent_bytes=batch, took_s=21.0, is_ok=True) == 2048


def test_batch_is_halved_once_for_what_was_lost_together() -> None:
    batch = 8192
    for _ in range(2):
        batch = next_bytes(batch, sent_bytes=8000, took_s=0.0, is_ok=False)

    assert batch == 4000


def test_batch_grows_to_a_whole_frame_on_a_quick_link() -> None:
    batch = 2048
    for _ in range(20):
        batch = next_bytes(batch, sent_bytes=batch, took_s=0.2, is_ok=True)

    assert batch == FRAME_BYTES_MAX
