"""Clips are trimmed, equally loud, and never distorted; the meter agrees with ffmpeg's."""

import math
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.voice_prompts.conftest import tone
from voice_prompts.limits import LOUDNESS_LUFS, PEAK_DBFS
from voice_prompts.sound import excess_db, levelled, levels, trimmed, wav_bytes


def silence(duration_ms: int) -> bytes:
    return bytes(22_050 * duration_ms // 1000 * 2)


def test_tone_of_full_scale_measures_as_the_standard_says() -> None:
    # BS.1770: a full-scale 997 Hz sine in one channel is −3.01 LUFS; 440 Hz has no shelf gain.
    assert levels(tone(1000, 1.0)).loudness == pytest.approx(-3.7, abs=0.15)


def test_silence_has_levels_too() -> None:
    measured = levels(silence(500))

    assert (measured.duration_ms, measured.peak, measured.clipped_count) == (500, -120.0, 0)
    assert measured.loudness < -100


def test_clipping_is_counted() -> None:
    assert levels(tone(500, 1.0)).clipped_count < 500
    assert levels(tone(500, 3.0)).clipped_count > 5000


def test_meter_agrees_with_ffmpeg(rendered: tuple[Path, object], tmp_path: Path) -> None:
    wav = tmp_path / "x.wav"
    speech = tone(300, 0.5) + silence(700) + tone(900, 0.1) + tone(400, 0.7)
    wav.write_bytes(wav_bytes(speech))

    done = subprocess.run(
        ["ffmpeg", "-nostats", "-i", str(wav), "-af", "ebur128", "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=True,
    )

    found = float(re.findall(r"I:\s+(-[0-9.]+) LUFS", done.stderr)[-1])
    assert levels(speech).loudness == pytest.approx(found, abs=0.2)


def test_silence_at_both_ends_is_cut_to_a_breath() -> None:
    sound = silence(50) + tone(400) + silence(390)

    assert levels(trimmed(sound)).duration_ms == pytest.approx(430, abs=11)


def test_clip_begins_and_ends_at_zero() -> None:
    sound = trimmed(tone(400))

    assert (sound[:2], sound[-2:]) == (b"\0\0", b"\0\0")


def test_clip_of_silence_is_empty() -> None:
    assert trimmed(silence(300)) == b""


@settings(deadline=None)
@given(st.floats(0.02, 1.0), st.integers(60, 900))
def test_every_clip_comes_to_the_same_loudness(level: float, duration_ms: int) -> None:
    measured = levels(levelled(tone(duration_ms, level)))

    assert measured.loudness == pytest.approx(LOUDNESS_LUFS, abs=0.3)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(5, 200)), min_size=1, max_size=12))
def test_no_peak_passes_the_ceiling(bursts: list[tuple[float, int]]) -> None:
    sound = b"".join(tone(duration_ms, level) for level, duration_ms in bursts)

    measured = levels(levelled(sound))

    assert measured.peak <= PEAK_DBFS + 0.01
    assert measured.clipped_count == 0


def test_limiter_leaves_the_quiet_parts_alone() -> None:
    sound = tone(500, 0.05) + tone(10, 1.0) + tone(500, 0.05)

    result = levelled(sound)

    # Half a second before the burst the sound is amplified, and nothing else.
    gain = levels(result[:8000]).peak - levels(sound[:8000]).peak
    assert gain > 3
    assert math.isclose(
        levels(result[8000:16000]).peak - levels(sound[8000:16000]).peak, gain, abs_tol=0.1
    )


def test_burst_of_an_encoder_is_measured() -> None:
    source = tone(1000, 0.1)
    spoilt = source[:20_000] + tone(12, 1.0) + source[20_528:]

    assert excess_db(source, spoilt) > 10
    assert excess_db(source, spoilt[:19_000]) == 0.0


@settings(deadline=None)
@given(st.integers(0, 250))
def test_a_codecs_delay_is_no_burst(delay: int) -> None:
    source = tone(300, 0.1) + tone(300, 0.6) + tone(300, 0.02)

    assert excess_db(source, bytes(2 * delay) + source) < 1.0
