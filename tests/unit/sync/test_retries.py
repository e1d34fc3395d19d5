"""Backoff and batching: bounded, spread, and quick to use a good link."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.backoff import delay_s
from sync.batching import next_bytes
from sync.limits import BATCH_BYTES_MIN, FRAME_BYTES_MAX


@given(attempt=st.integers(1, 10_000), spread=st.floats(0, 1, exclude_max=True))
def test_delay_is_bounded(attempt: int, spread: float) -> None:
    assert 1.0 <= delay_s(attempt, spread) < 900.0 or spread == 0


def test_delay_covers_the_whole_span() -> None:
    assert [delay_s(attempt, 0.5) for attempt in (1, 2, 3, 4, 9, 10, 30)] == [
        1.0,
        2.0,
        4.0,
        8.0,
        256.0,
        450.0,
        450.0,
    ]


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


def test_batch_finds_what_a_link_of_32_kbit_carries_in_ten_seconds() -> None:
    batch = 2048
    for _ in range(20):
        batch = next_bytes(batch, sent_bytes=batch, took_s=batch / 4000, is_ok=True)

    assert batch == 65536
    batch = next_bytes(batch, sent_bytes=batch, took_s=21.0, is_ok=True)
    assert batch == 32768


def test_batch_grows_to_a_whole_frame_on_a_quick_link() -> None:
    batch = 2048
    for _ in range(20):
        batch = next_bytes(batch, sent_bytes=batch, took_s=0.2, is_ok=True)

    assert batch == FRAME_BYTES_MAX
