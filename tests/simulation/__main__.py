"""Run seeds and say which broke a promise: `python -m tests.simulation --seeds 300 --first 1`."""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator

from tests.simulation.world import Result, run_seed

SHOWN_FAILURES = 3
SHOWN_LINES = 40
PROGRESS_S = 30.0


def main() -> int:
    """Run the seeds; answer 0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="make simulate")
    parser.add_argument("--seeds", type=int, default=300, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    chosen = parser.parse_args()
    started_s = time.monotonic()
    failed: list[Result] = []
    told_s, done, receipted = started_s, 0, 0
    for result in _results(range(chosen.first, chosen.first + chosen.seeds), chosen.jobs):
        done += 1
        receipted += result.receipted
        if result.broken:
            failed.append(result)
            _say(f"seed {result.seed}: {result.broken}")
        if time.monotonic() - told_s > PROGRESS_S:
            told_s = time.monotonic()
            _say(f"{done} of {chosen.seeds}, {_pace(done, started_s)}")
    for result in failed[:SHOWN_FAILURES]:
        _tell(result, None if chosen.seeds == 1 else SHOWN_LINES)
    if chosen.seeds == 1 and not failed:
        _say("\n".join(result.lines))
    _say(
        f"{done} seeds, {receipted} receipts, {_pace(done, started_s)}, "
        f"{len(failed)} broke a promise{_named(failed)}"
    )
    return 1 if failed else 0


def _results(seeds: range, jobs: int) -> Iterator[Result]:
    if jobs < 2 or len(seeds) < 2:
        yield from map(run_seed, seeds)
        return
    with multiprocessing.Pool(jobs) as pool:
        yield from pool.imap_unordered(run_seed, seeds, chunksize=4)


def _pace(done: int, started_s: float) -> str:
    return f"{60 * done / (time.monotonic() - started_s):.0f} seeds a minute"


def _tell(result: Result, last: int | None) -> None:
    _say(f"\n--- seed {result.seed}: {result.broken}")
    shown = result.lines if last is None else result.lines[-last:]
    _say("\n".join(([] if last is None else ["…"]) + list(shown)))
    _say(f"--- the whole story again:  make simulate SEEDS=1 FIRST={result.seed}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _named(failed: list[Result]) -> str:
    return ": " + " ".join(str(result.seed) for result in failed) if failed else ""


if __name__ == "__main__":
    sys.exit(main())
