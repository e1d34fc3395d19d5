"""Samples: trimming, loudness and gain, without numpy (which a kiosk cannot spare).

All samples are 16-bit mono, little-endian, at `SAMPLE_RATE_HZ` unless said.
`audioop` does the arithmetic in C; one second of speech costs about 5 ms.
"""

import array
import io
import math
import sys
import warnings
import wave
from functools import cache
from pathlib import Path
from typing import IO

import msgspec

from voice_prompts.limits import (
    FADE_MS,
    GAIN_DB_MAX,
    LOUDNESS_LUFS,
    PEAK_DBFS,
    SAMPLE_RATE_HZ,
    SHORT_CLIP_MS,
    TRIM_KEEP_MS,
    TRIM_THRESHOLD_DBFS,
)

with warnings.catch_warnings():
    # Python 3.13 drops it from the standard library; the package audioop-lts (pyproject.toml)
    # goes on under the same name.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

_FULL_SCALE = 32768
_SILENT_DB = -120.0
_LIMITER_BLOCK = 32  # samples, 1.5 ms
_LIMITER_REACH = 8  # blocks, 12 ms before and after a peak


class Levels(msgspec.Struct, frozen=True):
    """How loud a clip is."""

    #: Milliseconds.
    duration_ms: int
    #: LUFS (ITU-R BS.1770, gated); plain K-weighted power below `SHORT_CLIP_MS`.
    loudness: float
    #: Highest sample, in dBFS.
    peak: float
    #: Samples at full scale.
    clipped_count: int = 0


def wav_bytes(samples: bytes, sample_rate_hz: int = SAMPLE_RATE_HZ) -> bytes:
    """Answer the samples as a wav file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(sample_rate_hz)
        wav.writeframes(samples)
    return file.getvalue()


def read_wav(source: Path | IO[bytes]) -> tuple[bytes, int]:
    """Answer a wav file's samples and sample rate.

    Raises:
        wave.Error: It is none.
    """
    file = source.open("rb") if isinstance(source, Path) else source
    with file, wave.open(file, "rb") as wav:
        return wav.readframes(wav.getnframes()), wav.getframerate()


def excess_db(source: bytes, result: bytes) -> float:
    """Answer by how much a coded sound is louder than its source at its worst moment.

    Compares stretches of 5 ms with the loudest of the source's within 15 ms, and
    with −30 dBFS at least, so that a codec's delay, and its smear into the rest
    before and after a consonant, do not count (clean speech stays below 2.5 dB).

    Args:
        source: Before coding, at `SAMPLE_RATE_HZ`.
        result: Decoded again, at the same rate.
    """
    before, after = _stretches(source), _stretches(result)
    floor = _FULL_SCALE * 10 ** (-30 / 20)
    worst = 0.0
    for at, power in enumerate(after):
        around = max(before[max(0, at - 3) : at + 4], default=0)
        worst = max(worst, _decibels(power / max(floor, around)))
    return worst


def _stretches(samples: bytes) -> list[int]:
    size = SAMPLE_RATE_HZ // 200 * 2
    return [audioop.rms(samples[at : at + size], 2) for at in range(0, len(samples), size)]


def levels(samples: bytes, sample_rate_hz: int = SAMPLE_RATE_HZ) -> Levels:
    """Measure a clip.

    The K filter's 38 Hz high-pass is left out: speech has nothing there
    (checked against ffmpeg's ebur128: within 0.1 LU on the shipped clips).
    """
    return Levels(
        duration_ms=round(len(samples) / 2 * 1000 / sample_rate_hz),
        loudness=round(_loudness(samples, sample_rate_hz), 2),
        peak=round(peak_dbfs(samples), 2),
        clipped_count=_clipped_count(samples),
    )


def peak_dbfs(samples: bytes) -> float:
    """Answer the highest sample in dBFS; −120 = silence."""
    return _decibels(audioop.max(samples, 2) / _FULL_SCALE if samples else 0.0)


def trimmed(samples: bytes, sample_rate_hz: int = SAMPLE_RATE_HZ) -> bytes:
    """Cut the silence at both ends, keep `TRIM_KEEP_MS` of it, and fade both ends.

    A clip that is silent throughout comes back empty.
    """
    block = sample_rate_hz * 5 // 1000 * 2
    threshold = _FULL_SCALE * 10 ** (TRIM_THRESHOLD_DBFS / 20)
    starts = range(0, len(samples), block)
    loud = [at for at in starts if audioop.max(samples[at : at + block], 2) > threshold]
    if not loud:
        return b""
    keep = sample_rate_hz * TRIM_KEEP_MS // 1000 * 2
    return _faded(samples[max(0, loud[0] - keep) : loud[-1] + block + keep], sample_rate_hz)


def levelled(samples: bytes, passes: int = 5) -> bytes:
    """Bring a clip to `LOUDNESS_LUFS` with no sample above `PEAK_DBFS`.

    Where the gain would lift a peak over the ceiling, a limiter with look-ahead
    lowers some milliseconds around it. What the limiter takes away is measured
    and given back in the further passes.

    Args:
        samples: A trimmed clip.
        passes: How often to measure and correct; one costs 5 ms a second of
            sound and misses the target by up to 1.5 LU.
    """
    gain_db, result = 0.0, samples
    for number in range(passes):
        missing_db = LOUDNESS_LUFS - _loudness(result, SAMPLE_RATE_HZ)
        # The first pass is never spared: a clip may be loud enough and still peak too high.
        if number and (abs(missing_db) < 0.1 or gain_db == GAIN_DB_MAX):
            break
        gain_db = min(GAIN_DB_MAX, gain_db + missing_db)
        result = _amplified(samples, 10 ** (gain_db / 20))
    return result


def _amplified(samples: bytes, gain: float) -> bytes:
    ceiling = (_FULL_SCALE - 1) * 10 ** (PEAK_DBFS / 20)
    if audioop.max(samples, 2) * gain <= ceiling:
        return audioop.mul(samples, 2, gain)
    size = _LIMITER_BLOCK * 2
    blocks = [samples[at : at + size] for at in range(0, len(samples), size)]
    needed = [min(1.0, ceiling / max(1.0, audioop.max(block, 2) * gain)) for block in blocks]
    # The lowest of the neighbourhood, then its average: never above what a block
    # needs, and no step that could be heard.
    lowest = [min(window) for window in _windows(needed)]
    return b"".join(
        audioop.mul(block, 2, gain * sum(window) / len(window))
        for block, window in zip(blocks, _windows(lowest), strict=True)
    )


def _windows(values: list[float]) -> list[list[float]]:
    reach = _LIMITER_REACH
    return [values[max(0, at - reach) : at + reach + 1] for at in range(len(values))]


def _faded(samples: bytes, sample_rate_hz: int) -> bytes:
    values = array.array("h", samples)
    if sys.byteorder == "big":
        values.byteswap()
    count = min(sample_rate_hz * FADE_MS // 1000, len(values) // 2)
    for at in range(count):
        values[at] = values[at] * at // count
        values[-1 - at] = values[-1 - at] * at // count
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()


def _clipped_count(samples: bytes) -> int:
    if not samples or audioop.max(samples, 2) < _FULL_SCALE - 2:
        return 0
    return sum(abs(value) >= _FULL_SCALE - 2 for value in array.array("h", samples))


def _loudness(samples: bytes, sample_rate_hz: int) -> float:
    weighted = _k_weighted(samples, sample_rate_hz)
    step = sample_rate_hz // 10 * 4
    if len(samples) // 2 * 1000 < sample_rate_hz * SHORT_CLIP_MS:
        return _lufs(_power(weighted))
    steps = [_power(weighted[at : at + step]) for at in range(0, len(weighted) - step + 1, step)]
    powers = [sum(steps[at : at + 4]) / 4 for at in range(len(steps) - 3)]
    audible = [power for power in powers if _lufs(power) > -70.0]
    if not audible:
        return _lufs(_power(weighted))
    gate = _lufs(sum(audible) / len(audible)) - 10.0
    gated = [power for power in audible if _lufs(power) > gate]
    return _lufs(sum(gated) / len(gated))


def _k_weighted(samples: bytes, sample_rate_hz: int) -> bytes:
    """Apply BS.1770's high shelf as a short FIR filter; 32-bit, 12 dB lower."""
    wide = audioop.mul(audioop.lin2lin(samples, 2, 4), 4, 0.25)
    total = bytes(len(wide))
    for delay, tap in enumerate(_shelf_taps(sample_rate_hz)):
        shifted = bytes(4 * delay) + wide[: len(wide) - 4 * delay]
        total = audioop.add(total, audioop.mul(shifted[: len(wide)], 4, tap), 4)
    return total


@cache
def _shelf_taps(sample_rate_hz: int) -> tuple[float, ...]:
    """Answer the first 20 values of the shelf's impulse response.

    Source: ITU-R BS.1770-4 annex 1, stage 1, as an analogue prototype
    (1682 Hz, +4 dB, Q 0.707) moved to this sample rate.
    """
    k = math.tan(math.pi * 1681.974450955533 / sample_rate_hz)
    quality, high = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    scale = 1 + k / quality + k * k
    forward = (
        (high + band * k / quality + k * k) / scale,
        2 * (k * k - high) / scale,
        (high - band * k / quality + k * k) / scale,
    )
    back = (2 * (k * k - 1) / scale, (1 - k / quality + k * k) / scale)
    taps: list[float] = []
    for at in range(20):
        value = forward[at] if at < 3 else 0.0
        value -= back[0] * taps[at - 1] if at >= 1 else 0.0
        value -= back[1] * taps[at - 2] if at >= 2 else 0.0
        taps.append(value)
    return tuple(taps)


def _power(weighted: bytes) -> float:
    # Four times: `_k_weighted` keeps 12 dB of headroom.
    return (audioop.rms(weighted, 4) * 4 / 2**31) ** 2 if weighted else 0.0


def _lufs(power: float) -> float:
    return -0.691 + 10 * math.log10(power) if power > 0 else _SILENT_DB


def _decibels(ratio: float) -> float:
    return 20 * math.log10(ratio) if ratio > 0 else _SILENT_DB
