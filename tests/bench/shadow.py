"""What the second copy costs at a submit: seal and commit, with and without it, interleaved.

    python -m tests.bench.shadow [FOLDER]

Each run confirms transactions in turns, so that a disk that is busy with others slows both.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from sync.clock import SeededEntropy
from sync.sealing import SealingPublic, generate_sealing_key
from sync.shadow import Shadow, shadow_path
from sync.signing import DeviceKeys
from tests.unit.sync.worlds import opened, submitted

ROUNDS = 7
SUBMITS = 100
KEYS = DeviceKeys.generate(SeededEntropy(7))
SEALING = SealingPublic(key_id=1, raw=generate_sealing_key(SeededEntropy(1))[1])


def round_of(folder: Path) -> tuple[float, float, float]:
    """Answer the median of a submit without and with the second copy, ms, and bytes each."""
    database = opened(folder, KEYS)
    shadow = Shadow(shadow_path(folder, KEYS.sign_public), KEYS.sign_public)
    without, with_copy = [], []
    for number in range(1, 2 * SUBMITS + 1):
        started = time.perf_counter()
        receipt = submitted(database, KEYS, SEALING, number)
        if number % 2:
            without.append(time.perf_counter() - started)
        else:
            shadow.append(database.conn, receipt.seq)
            with_copy.append(time.perf_counter() - started)
    database.close()
    size = shadow.path.stat().st_size / SUBMITS
    return 1000 * statistics.median(without), 1000 * statistics.median(with_copy), size


def main() -> None:
    """Print medians of the rounds and their ratio."""
    base = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    rounds = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(dir=base) as folder:
            rounds.append(round_of(Path(folder)))
    without, with_copy, size = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(later / first for first, later, _ in rounds)
    print(f"submit without second copy  {without:6.2f} ms")
    print(f"submit with second copy     {with_copy:6.2f} ms")
    print(f"ratio (median of {ROUNDS})        {ratio:6.2f}")
    print(f"bytes of the copy           {size:6.0f} a transaction")


if __name__ == "__main__":
    main()
