"""Many kiosks without their stores: keys, chain and counter of each, for a centre under load."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import msgspec

from bianmin.village import KIOSK_VILLAGE, Village
from server.catalogue.shelf import load
from server.store import fleet as fleet_rows
from server.store.sqlite import connect, write_once
from sync.answers import encode_transaction
from sync.clock import Entropy, SeededEntropy, SystemClock
from sync.dictionary import build_dictionary
from sync.frames import Request, encode_request
from sync.ids import uuid7
from sync.records import Envelope, Header, Health
from sync.sealing import SEAL_BYTES, SealingPublic, seal
from sync.signing import DeviceKeys
from sync.wire import FIRST_PREV, encode_header, envelope_hash
from tests.generator import shipped_catalogue, transactions

BODIES = 500
ID_BYTES = 16

Closed = Callable[[bytes], bytes]
"""Header → what stands sealed behind it."""


class Sender:
    """One kiosk as the centre sees it."""

    def __init__(self, kiosk_no: int, seed: int) -> None:
        self.seed = seed
        self.entropy = SeededEntropy(seed)
        self.keys = DeviceKeys.generate(self.entropy)
        self.kiosk_no = kiosk_no
        self.boot_id = self.entropy.token_bytes(4)
        self.seq = 0
        self.prev = FIRST_PREV
        self.counter = 0
        #: Number of the last notice that it has.
        self.cursor = 0

    def confirm(self, count: int, closed: Closed) -> list[Envelope]:
        """Make that many envelopes, each linked to the one before."""
        made = []
        for _ in range(count):
            header = Header(self.keys.kiosk_id, self.seq + 1, self.prev, key_id=1, catalogue=1)
            envelope = Envelope(header, closed(encode_header(header)))
            self.seq, self.prev = self.seq + 1, envelope_hash(envelope)
            made.append(envelope)
        return made

    def request(
        self, envelopes: Sequence[Envelope], *, pending: int = 0, oldest_s: int = 0, epoch: int = 0
    ) -> bytes:
        """Sign a request that carries these envelopes."""
        self.counter += 1
        clock = SystemClock()
        request = Request(
            kiosk_id=self.keys.kiosk_id,
            counter=self.counter,
            boot_id=self.boot_id,
            now_ms=clock.now_ms(),
            monotonic_ms=clock.monotonic_ms(),
            epoch=epoch,
            head_seq=self.seq,
            head_hash=self.prev,
            cursor=self.cursor,
            catalogue=1,
            certificate=1,
            health=Health(
                version="0.1.0",
                pending=pending or len(envelopes),
                oldest_s=oldest_s,
                disk_free_mb=9000,
                devices={"printer": "ok", "speaker": "ok"},
            ),
            envelopes=tuple(envelopes),
        )
        return encode_request(request, partial(self.keys.sign, "request"))


def enrolled(village: Village, count: int, *, first_no: int = 1, seed: int = 1) -> list[Sender]:
    """Enrol that many kiosks at once, past the enrolment by code: that one is not measured."""
    senders = [Sender(first_no + index, seed * 100_000 + index) for index in range(count)]
    write_once(database_of(village), _add, senders, now_ms=SystemClock().now_ms())
    return senders


def _add(conn: sqlite3.Connection, senders: Sequence[Sender], *, now_ms: int) -> None:
    for sender in senders:
        fleet_rows.add_kiosk(
            conn,
            kiosk_id=sender.keys.kiosk_id,
            kiosk_no=sender.kiosk_no,
            name=f"测点{sender.kiosk_no}",
            village_code=KIOSK_VILLAGE,
            device_public=sender.keys.sign_public,
            notice_public=sender.keys.notice_public,
            fingerprint=bytes(16),
            replaces=None,
            now_ms=now_ms,
        )


def database_of(village: Village) -> Path:
    """Answer where a village's centre keeps its database."""
    return village.directory / "centre" / "centre.db"


def bodies(seed: int = 1) -> list[bytes]:
    """Encode made-up transactions of every service: id and packed answers, padded."""
    catalogue = shipped_catalogue()
    dictionary = build_dictionary(catalogue)
    made = (item for item, _ in transactions(catalogue, seed) if not item.corrects)
    return [encode_transaction(catalogue, dictionary, item) for item in islice(made, BODIES)]


def opaque(entropy: Entropy, seed: int = 1) -> Closed:
    """Answer a stand-in for sealing: random bytes of the sizes that real ones have.

    Taking in never opens anything, so that it cannot tell; sealing truly takes 150 us each.
    """
    sizes: Iterator[int] = cycle([len(body) + SEAL_BYTES for body in bodies(seed)])
    return lambda _: entropy.token_bytes(next(sizes))


def sealed_to(village: Village, entropy: Entropy, seed: int = 1) -> Closed:
    """Answer true sealing of made-up transactions, each with an id of its own, to a centre."""
    conn = connect(database_of(village), readonly=True)
    published = load(conn)
    conn.close()
    assert published is not None
    manifest = sealing_key(village)
    clock = SystemClock()
    turn = cycle(bodies(seed))
    return lambda header: seal(
        manifest, header, uuid7(clock.now_ms(), entropy) + next(turn)[ID_BYTES:]
    )


def sealing_key(village: Village) -> SealingPublic:
    """Answer the centre's first public sealing key."""
    raw = (village.directory / "centre" / "keys" / "sealing-0001.pub").read_bytes()
    return SealingPublic(key_id=1, raw=raw)


def written_queues(path: Path, queues: Sequence[Sequence[bytes]]) -> Path:
    """Write requests, a list for each connection, where a sending process reads them."""
    path.write_bytes(msgspec.msgpack.encode(queues))
    return path
