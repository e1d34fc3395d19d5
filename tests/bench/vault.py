"""How many envelopes the vault opens a second on one core, beside bare HPKE decrypts."""

import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from server.store import inbox
from server.vault import protocol, routing
from sync.limits import PIPELINE_BATCH
from sync.sealing import open_sealed
from sync.wire import decode_envelope, encode_header
from tests.bench.printing import figure, median, row
from tests.generator import transactions
from tests.unit.server.world import World

COUNT = 640
ROUNDS = 9
_INFO = b"bianmin/1/seal"
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


async def measure() -> None:
    """Open the same envelopes bare, through the vault, and with the check of their forms."""
    with tempfile.TemporaryDirectory() as place:
        world = World(Path(place) / "centre")
        ways = _ways(world)
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                begun_s = time.process_time()
                way()
                times[name].append((time.process_time() - begun_s) / COUNT * 1e6)
        world.close()
    row("envelopes", f"{COUNT}, every service in turn; processor time of one thread")
    for name in ways:
        figure(f"vault_{name}_us", median(times[name]), "us", rounds=times[name], decimals=1)
    for name, what, target in (
        ("seal", "envelope read, key found, seal opened", ">= 0.7"),
        ("opened", "and its answers read by position", ""),
        ("route", "and its form checked, looked up, recorded (whole route)", ""),
    ):
        ratios = [bare / ours for bare, ours in zip(times["bare"], times[name], strict=True)]
        said = f"to bare HPKE decrypts: {what}"
        figure(
            f"vault_{name}_to_bare",
            median(ratios),
            "ratio",
            target=target,
            rounds=ratios,
            what=said,
        )


def _ways(world: World) -> dict[str, Callable[[], object]]:
    published, kiosk = world.publish(), world.enrol()
    made = (item for item, _ in transactions(published.catalogue, 1) if not item.corrects)
    chosen = list(islice(made, COUNT))
    for start in range(0, COUNT, PIPELINE_BATCH):
        part = chosen[start : start + PIPELINE_BATCH]
        envelopes = [kiosk.confirm_transaction(published, item) for item in part]
        world.exchange(kiosk, kiosk.request(envelopes))
    ids = [row[0] for row in world.conn.execute("SELECT id FROM envelopes ORDER BY id")]
    stored = inbox.by_ids(world.conn, ids)
    keys, vault = world.vault_keys, world.vault
    private = X25519PrivateKey.from_private_bytes(keys.sealing[1])
    parsed = [decode_envelope(item.raw) for item in stored]
    pairs = [(item.sealed, _INFO + encode_header(item.header)) for item in parsed]
    opened = [vault._opened(item) for item in stored]

    def seal() -> None:
        for item in stored:
            envelope = decode_envelope(item.raw)
            key = keys.sealing[envelope.header.key_id]
            open_sealed(key, encode_header(envelope.header), envelope.sealed)

    def check() -> None:
        for item, (_, transaction) in zip(stored, opened, strict=True):
            routing.routed(item.id, item.received_ms, published, transaction, [], keys)

    def route() -> None:
        for start in range(0, COUNT, PIPELINE_BATCH):
            answer = vault.answer(protocol.Route(ids=tuple(ids[start : start + PIPELINE_BATCH])))
            assert isinstance(answer, protocol.Routing)

    return {
        "bare": lambda: [_SUITE.decrypt(sealed, private, info=info) for sealed, info in pairs],
        "seal": seal,
        "opened": lambda: [vault._opened(item) for item in stored],
        "check": check,
        "route": route,
    }
