"""Bytes that are nearly right: samples, changed by a seeded hand that knows where it hurts."""

from collections.abc import Callable, Sequence
from random import Random

INPUT_BYTES_MAX = 64 * 1024
#: Lengths and counts at their edges, and one that is longer than any.
_NUMBERS = (
    b"\x00",
    b"\x01",
    b"\x7f",
    b"\x80",
    b"\x80\x00",
    b"\xff",
    b"\xff" * 4,
    b"\xff\xff\xff\xff\xff\xff\x7f",
    b"\xff" * 8,
    b"\x00" * 8,
    b"\x80" * 12,
)
#: Signs that mean something to JSON, MessagePack, texts and addresses.
_SIGNS = (
    b"[" * 1500,
    b'{"a":' * 700,
    b"\x91" * 1500,
    b"\x81\xa1a" * 600,
    b"\xdd\xff\xff\xff\xff",
    b"\xc9\xff\xff\xff\xff\x01",
    b"\xd7\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    b'"\\ud800"',
    b"\xed\xa0\x80",
    b"1e999",
    b"-0",
    b"9" * 400,
    b"null",
    "٣".encode(),
    "²".encode(),
    b"%00",
    b"../",
)


def _place(raw: bytes, random: Random) -> int:
    return random.randint(0, len(raw))


def _bit_flipped(raw: bytes, random: Random) -> bytes:
    if not raw:
        return raw
    at = random.randrange(len(raw))
    return raw[:at] + bytes([raw[at] ^ 1 << random.randrange(8)]) + raw[at + 1 :]


def _cut(raw: bytes, random: Random) -> bytes:
    return raw[: _place(raw, random)]


def _removed(raw: bytes, random: Random) -> bytes:
    at = _place(raw, random)
    return raw[:at] + raw[at + random.randint(1, 40) :]


def _doubled(raw: bytes, random: Random) -> bytes:
    at = _place(raw, random)
    end = at + random.randint(1, 200)
    return raw[:end] + raw[at:end] + raw[end:]


def _swollen(raw: bytes, random: Random) -> bytes:
    at = _place(raw, random)
    end = at + random.randint(1, 60)
    return raw[:at] + raw[at:end] * random.choice((20, 300, 3000)) + raw[end:]


def _number_put(raw: bytes, random: Random) -> bytes:
    at = _place(raw, random)
    number = random.choice(_NUMBERS)
    return raw[:at] + number + raw[at + random.choice((0, 1, len(number))) :]


def _sign_put(raw: bytes, random: Random) -> bytes:
    at = _place(raw, random)
    return raw[:at] + random.choice(_SIGNS) + raw[at + random.choice((0, 1, 8)) :]


def _noise_put(raw: bytes, random: Random) -> bytes:
    at = _place(raw, random)
    return raw[:at] + random.randbytes(random.randint(1, 60)) + raw[at + random.randint(0, 60) :]


def _swapped(raw: bytes, random: Random) -> bytes:
    first, second = sorted((_place(raw, random), _place(raw, random)))
    return raw[second:] + raw[first:second] + raw[:first]


_CHANGES: tuple[Callable[[bytes, Random], bytes], ...] = (
    _bit_flipped,
    _bit_flipped,
    _cut,
    _removed,
    _doubled,
    _swollen,
    _number_put,
    _number_put,
    _sign_put,
    _noise_put,
    _swapped,
)


def mutated(samples: Sequence[bytes], random: Random) -> bytes:
    """Answer a sample with one to four changes, sometimes grafted onto another sample."""
    raw = random.choice(samples)
    if random.random() < 0.1:
        other = random.choice(samples)
        raw = raw[: _place(raw, random)] + other[_place(other, random) :]
    for _ in range(random.choice((1, 1, 1, 2, 3, 4))):
        raw = random.choice(_CHANGES)(raw, random)
    return raw[:INPUT_BYTES_MAX]
