"""Write tests/vectors/carry.json anew; only when the format of frames changes.

``.venv/bin/python -m tests.unit.sync.make_film``
"""

import json
import random

from sync.fountain import Block, Run, blocks_of, frame_text, mix
from tests import decoder
from tests.unit.sync.make_vectors import FOLDER

#: Of a run: pieces, mixes, the second block, and later passes.
PLACES = (0, 1, 57, 58, 80, 90, 97, 98, 200, 5000, 60)


def made() -> dict[str, object]:
    """Make a run of two blocks with made-up envelopes, its first frames, and some mixes."""
    rng = random.Random(7)
    envelopes = [b"\x01" + rng.randbytes(rng.choice((199, 231, 263))) for _ in range(66)]
    blocks = blocks_of(envelopes)
    run = Run(blocks)
    number = int(frame_text(run.frame(PLACES[-1])))
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return {
        "bytes": raw.hex(),
        "fields": decoder.carry(raw)[0],
        "blocks": [raw.hex() for raw in blocks],
        "names": [Block(raw).name.hex() for raw in blocks],
        "frames": [[place, frame_text(run.frame(place))] for place in PLACES],
        "mixes": [
            (pieces, number, f"{mix(pieces, number):x}")
            for pieces in (1, 2, 7, 31, 32, 33, 61, 64, 96, 97, 127, 128)
            for number in (0, pieces - 1, pieces, pieces + 1, 200, 4095, 65_535)
        ],
    }


if __name__ == "__main__":
    text = json.dumps(made(), indent=1)
    (FOLDER / "carry.json").write_text(text + "\n", "utf-8")
