"""How large the receipt's QR gets: can a cheap phone read it at arm's length?"""

from collections import Counter
from itertools import islice
from typing import Any

from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

from sync.answers import encode_transaction
from sync.clock import SeededEntropy
from sync.dictionary import build_dictionary
from sync.records import Envelope, Header
from sync.sealing import SealingPublic, generate_sealing_key, seal
from sync.signing import DeviceKeys
from sync.wire import CourierTooLong, courier_url, encode_courier, encode_header, envelope_bytes
from tests.bench.printing import row, spread
from tests.generator import shipped_catalogue, transactions

COUNT = 800
BASE_URL = "https://bm.example.gov.cn"  # as long as a county's address is
VERSION_WANTED = 13


def qr_version(url: str) -> int:
    """Answer the version of the code that the kiosk draws (same library, level, optimising)."""
    code: Any = QRCode(error_correction=ERROR_CORRECT_M)
    code.add_data(url, optimize=8)
    return int(code.best_fit())


async def measure() -> None:
    """Seal made-up transactions of every service and count versions."""
    catalogue = shipped_catalogue()
    dictionary = build_dictionary(catalogue)
    entropy = SeededEntropy(1)
    keys = DeviceKeys.generate(entropy)
    sealing = SealingPublic(1, generate_sealing_key(entropy)[1])
    bodies, versions = [], Counter[int]()
    too_long = 0
    for seq, (transaction, _) in enumerate(islice(transactions(catalogue, 1), COUNT), 1):
        body = encode_transaction(catalogue, dictionary, transaction)
        header = Header(keys.kiosk_id, seq, bytes(8), 1, 1)
        envelope = Envelope(header, seal(sealing, encode_header(header), body))
        raw = encode_courier(envelope, keys.sign("envelope", envelope_bytes(envelope)))
        bodies.append(len(body))
        try:
            versions[qr_version(courier_url(BASE_URL, raw))] += 1
        except CourierTooLong:
            too_long += 1
    small = sum(count for version, count in versions.items() if version <= VERSION_WANTED)
    row("transactions", f"{COUNT}, every service in turn")
    row("body before sealing, padded", spread(bodies, "bytes"))
    row(f"QR of version {VERSION_WANTED} or less at level M", f"{100 * small / COUNT:.1f} %")
    row("versions", ", ".join(f"{v}: {n}" for v, n in sorted(versions.items())))
    row("too long for a QR (the kiosk sends them itself)", str(too_long))
