"""Carrying by phone: how many codes it takes, how long, and what the phone's page weighs."""

import gzip
import random
import time
from itertools import islice

from kiosk.carry import picture
from server.phone import carry
from sync.answers import encode_transaction
from sync.clock import SeededEntropy
from sync.dictionary import build_dictionary
from sync.fountain import Collector, Run, blocks_of, frame_text
from sync.records import Envelope, Header
from sync.sealing import SealingPublic, generate_sealing_key, seal
from sync.signing import DeviceKeys
from sync.wire import encode_courier, encode_header, envelope_bytes
from tests.bench.printing import figure, median, row
from tests.generator import shipped_catalogue, transactions

COUNT = 50
FRAMES_PER_S = 6  # as in kiosk/web/static/carry.js
ROUNDS = 200
LOSSES = (0.0, 0.3, 0.6)
DRAWN = 60


def envelopes() -> list[bytes]:
    """Made-up transactions of every service in turn, each signed to travel alone."""
    catalogue = shipped_catalogue()
    dictionary, entropy = build_dictionary(catalogue), SeededEntropy(1)
    keys, sealing = DeviceKeys.generate(entropy), SealingPublic(1, generate_sealing_key(entropy)[1])
    made = []
    for seq, (transaction, _) in enumerate(islice(transactions(catalogue, 1), COUNT), 1):
        header = Header(keys.kiosk_id, seq, bytes(8), 1, 1)
        body = encode_transaction(catalogue, dictionary, transaction)
        envelope = Envelope(header, seal(sealing, encode_header(header), body))
        made.append(encode_courier(envelope, keys.sign("envelope", envelope_bytes(envelope))))
    return made


def caught(run: Run, loss: float, rng: random.Random) -> tuple[int, int]:
    """Answer how many codes were shown and how many read until all blocks were whole."""
    open_blocks = {block.name: None for block in run.blocks}
    collectors: dict[bytes, Collector] = {}
    shown = read = 0
    while open_blocks:
        frame = run.frame(shown)
        shown += 1
        if rng.random() < loss:
            continue
        read += 1
        collector = collectors.setdefault(frame.block, Collector(frame))
        if frame.block in open_blocks and collector.add(frame) is not None:
            del open_blocks[frame.block]
    return shown, read


async def measure() -> None:
    """Show and lose codes; draw some; weigh the page."""
    run = Run(blocks_of(envelopes()))
    pieces = sum(block.pieces for block in run.blocks)
    size = sum(len(block.raw) for block in run.blocks)
    row("envelopes, bytes, pieces", f"{COUNT}, {size}, {pieces} in {len(run.blocks)} blocks")
    for loss in LOSSES:
        rng = random.Random(1)
        found = [caught(run, loss, rng) for _ in range(ROUNDS)]
        name = f"film_read_per_piece_at_{round(100 * loss)}_percent_loss"
        figure(name, sum(read for _, read in found) / ROUNDS / pieces, "ratio")
        seconds = [shown / FRAMES_PER_S for shown, _ in found]
        figure(f"film_seconds_at_{round(100 * loss)}_percent_loss", median(seconds), "s")
    texts = [frame_text(run.frame(place)) for place in range(DRAWN)]
    picture(1, texts[0])
    begun_s = time.perf_counter()
    for text in texts:
        picture(1, text)
    drawn_ms = 1000 * (time.perf_counter() - begun_s) / DRAWN
    figure("film_drawing_one_code", drawn_ms, "ms", target="below 1000 / 6 on a board 20 × slower")
    raws = [carry.drawn(), carry.worker(), *((carry.FOLDER / n).read_bytes() for n in carry.FILES)]
    weight = sum(len(gzip.compress(raw, 6)) for raw in raws)
    figure("courier_page_first_load", weight, "bytes", target="61,440", decimals=0)
