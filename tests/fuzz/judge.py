"""What a parser may do with bytes from outside: answer, or refuse with its own error, cheaply."""

import contextlib
import time
import tracemalloc
from random import Random

from tests.fuzz.doors import Door
from tests.fuzz.mutator import mutated

MEMORY_EVERY = 23  # tracing costs ten times the case itself


class Fault(AssertionError):
    """A parser did what it must not; the message replays it."""


def judge(door: Door, raw: bytes, *, is_traced: bool = False) -> bool:
    """Answer whether the bytes were accepted.

    Raises:
        Fault: Another error than its own, too slow, too much memory, or a second spelling.
    """
    if is_traced:
        _judge_memory(door, raw)
    began_s = time.thread_time()
    try:
        found = door.read(raw)
    except door.errors:
        return _in_time(door, raw, began_s, is_accepted=False)
    except BaseException as error:
        raise Fault(_said(door, raw, f"{type(error).__name__}: {str(error)[:200]}")) from error
    _in_time(door, raw, began_s, is_accepted=True)
    if door.written is not None:
        again = door.written(found)
        if again != raw:
            raise Fault(_said(door, raw, f"has a second spelling: {again.hex()[:400]}"))
    if door.checked is not None:
        try:
            door.checked(found)
        except Exception as error:
            raise Fault(_said(door, raw, f"accepts {error!r}")) from error
    return True


def _in_time(door: Door, raw: bytes, began_s: float, *, is_accepted: bool) -> bool:
    took_s = time.thread_time() - began_s
    if took_s > door.cpu_s:
        # Once more: a collection of rubbish that others left is not the parser's.
        began_s = time.thread_time()
        with contextlib.suppress(*door.errors):
            door.read(raw)
        took_s = min(took_s, time.thread_time() - began_s)
    if took_s > door.cpu_s:
        raise Fault(_said(door, raw, f"took {took_s * 1000:.0f} ms"))
    return is_accepted


def _judge_memory(door: Door, raw: bytes) -> None:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        with contextlib.suppress(*door.errors):
            door.read(raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    if peak - before > door.memory_bytes + 4 * len(raw):
        raise Fault(_said(door, raw, f"took {(peak - before) / 1024:.0f} KiB"))


def _said(door: Door, raw: bytes, what: str) -> str:
    shown = raw.hex() if len(raw) <= 400 else f"{raw[:200].hex()}… ({len(raw)} bytes)"
    return f"{door.name}: {what}; bytes.fromhex('{shown}')"


def fuzzed(door: Door, cases: int, seed: int) -> int:
    """Judge that many mutations of a door's samples; answer how many it accepted.

    Raises:
        Fault: With seed and number of the case.
    """
    random = Random(f"{door.name}/{seed}")
    accepted = 0
    for number in range(cases):
        raw = mutated(door.samples, random)
        try:
            accepted += judge(door, raw, is_traced=number % MEMORY_EVERY == 0)
        except Fault as fault:
            raise Fault(f"seed {seed}, case {number}: {fault}") from fault
    return accepted
