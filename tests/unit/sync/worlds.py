"""A small centre in memory and what else the tests of `sync` stand on. Made-up data only."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from sync import manifest as manifests
from sync import outbox
from sync.clock import SeededEntropy
from sync.database import Database, immediate, open_database
from sync.device import KioskIdentity
from sync.forms import Catalogue
from sync.frames import (
    ChunkMark,
    Flag,
    Reply,
    Request,
    SealedNotice,
    decode_request,
    encode_reply,
    request_hash,
    verify_request,
)
from sync.notices import encode_notice
from sync.records import Attachment, Envelope, Health, Notice, Receipt
from sync.runs import Verdict
from sync.sealing import SealingPublic, generate_sealing_key, seal_notice
from sync.signing import (
    Certificate,
    DeviceKeys,
    Trust,
    generate_signing_key,
    issue_certificate,
    sign,
)
from sync.transports import BLOB_PATH, EXCHANGE_PATH, MANIFEST_PATH, CentreRefused, LinkDown
from sync.wire import decode_envelope, envelope_bytes, envelope_hash

START_MS = 1_795_500_000_000  # 24 November 2026
CERTIFICATE_END_MS = START_MS + 90 * 86_400_000
BALLAST_BYTES = 64 * 1024
HEALTH = Health(version="0.1.0", pending=0, oldest_s=0, disk_free_mb=12_000)


class JumpingClock:
    """A clock on which waiting takes no time: `sleep` moves it and returns."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self._now_ms = now_ms
        self._monotonic_ms = 100_000

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic_ms(self) -> int:
        return self._monotonic_ms

    async def sleep(self, seconds: float) -> None:
        self.pass_ms(int(seconds * 1000))

    def pass_ms(self, span_ms: int) -> None:
        self._now_ms += span_ms
        self._monotonic_ms += span_ms


class SmallCentre:
    """The rules of ingest in their shortest form: what a kiosk may rely on, nothing else."""

    def __init__(self, seed: int = 1) -> None:
        entropy = SeededEntropy(seed)
        self.entropy = entropy
        self.root_private, self.root_public = generate_signing_key(entropy)
        self.signing_private, self.signing_public = generate_signing_key(entropy)
        self.sealing_private, sealing_public = generate_sealing_key(entropy)
        self.sealing = SealingPublic(key_id=1, raw=sealing_public)
        self.certificate = self.certified(serial=1)
        self.epoch = START_MS // 1000
        self.clock_ms: Callable[[], int] = lambda: START_MS
        self.devices: dict[bytes, DeviceKeys] = {}
        self.envelopes: dict[tuple[bytes, int, bytes], bytes] = {}
        self.attachments: dict[tuple[bytes, int, int], bytes] = {}
        self.notices: dict[bytes, list[Notice]] = {}
        self.flags: frozenset[Flag] = frozenset()
        self.refuses: Callable[[int], bool] = lambda _: False
        self.catalogue_version = 0
        self.manifest_raw = b""
        self.blobs: dict[str, bytes] = {}
        self.retry_after_s = 0
        self.requests: list[Request] = []

    def certified(self, serial: int, not_after_ms: int = CERTIFICATE_END_MS) -> Certificate:
        return issue_certificate(
            self.root_private, self.signing_public, serial=serial, not_after_ms=not_after_ms
        )

    @property
    def trust(self) -> Trust:
        return Trust(roots=(self.root_public,), certificate=self.certificate)

    def enrolled(self, keys: DeviceKeys) -> KioskIdentity:
        self.devices[keys.kiosk_id] = keys
        return KioskIdentity(
            kiosk_no=42,
            name="试验村便民服务站",
            village_code="530121100201",
            public_url="https://centre.example",
            root_public=self.root_public.hex(),
            certificate=self.certificate.to_bytes().hex(),
            epoch=self.epoch,
        )

    def publish(self, catalogue_raw: bytes, version: int) -> None:
        parts = (catalogue_raw, b"words", b"[]", b"{}")
        names = [manifests.blob_name(raw) for raw in parts]
        self.blobs |= dict(zip(names, parts, strict=True))
        published = manifests.Manifest(
            version=version,
            catalogue_sha256=names[0],
            dictionary_sha256=names[1],
            villages_sha256=names[2],
            reasons_sha256=names[3],
            hotline="0871-0000000",
            sealing_keys=(self.sealing,),
            published_ms=START_MS,
        )
        signer = partial(sign, self.signing_private, "manifest")
        self.manifest_raw = manifests.encode_manifest(published, self.certificate, signer)
        self.catalogue_version = version

    async def __call__(self, method: str, path: str, body: bytes) -> bytes:
        if (method, path) == ("POST", EXCHANGE_PATH):
            return self.exchange(body)
        # This centre knows no pieces and no deltas: it answers the whole, whatever is asked.
        path = path.partition("?")[0]
        if path == MANIFEST_PATH:
            return self.manifest_raw
        if path.startswith(BLOB_PATH):
            # It knows no pieces and no deltas, as a centre of before them.
            if (name := path.removeprefix(BLOB_PATH)) not in self.blobs:
                raise CentreRefused(404)
            return manifests.pack_blob(self.blobs[name])
        raise LinkDown(path)

    def exchange(self, raw: bytes) -> bytes:
        received = decode_request(raw)
        keys = self.devices[received.request.kiosk_id]
        request = verify_request(received, keys.sign_public)
        self.requests.append(request)
        verdicts = tuple(self._verdict(request.kiosk_id, place) for place in request.envelopes)
        for chunk in request.chunks:
            held = self.attachments.get((request.kiosk_id, chunk.seq, chunk.index), b"")
            if chunk.offset == len(held):
                self.attachments[request.kiosk_id, chunk.seq, chunk.index] = held + chunk.data
        mark_seq, mark_hash = self.mark(request.kiosk_id)
        reply = Reply(
            request_hash=request_hash(raw),
            kiosk_id=request.kiosk_id,
            epoch=self.epoch,
            durability="D0",
            centre_ms=self.clock_ms(),
            mark_seq=mark_seq,
            mark_hash=mark_hash,
            catalogue_version=self.catalogue_version,
            flags=self.flags,
            verdicts=verdicts,
            chunk_marks=tuple(self._mark_of(request, c.seq, c.index) for c in request.chunks),
            retry_after_s=self.retry_after_s,
            notices=self._notices_after(keys, request.cursor),
            certificate=(
                self.certificate if request.certificate != self.certificate.serial else None
            ),
        )
        return encode_reply(reply, partial(sign, self.signing_private, "reply"))

    def _verdict(self, kiosk_id: bytes, envelope: Envelope) -> Verdict:
        if self.refuses(envelope.header.seq):
            return "refused"
        place = (kiosk_id, envelope.header.seq, envelope_hash(envelope))
        verdict: Verdict = "duplicate" if place in self.envelopes else "stored"
        self.envelopes[place] = envelope_bytes(envelope)
        return verdict

    def _mark_of(self, request: Request, seq: int, index: int) -> ChunkMark:
        held = self.attachments.get((request.kiosk_id, seq, index), b"")
        return ChunkMark(seq=seq, index=index, received_bytes=len(held))

    def mark(self, kiosk_id: bytes) -> tuple[int, bytes]:
        """Walk the chain from seq 1 and stop before the first gap, fork or broken link."""
        seq, last = 0, bytes(8)
        while True:
            following = [
                (place[2], raw)
                for place, raw in self.envelopes.items()
                if place[0] == kiosk_id and place[1] == seq + 1
            ]
            if len(following) != 1 or decode_envelope(following[0][1]).header.prev != last:
                return seq, last
            seq, last = seq + 1, following[0][0]

    def tell(self, keys: DeviceKeys, notice: Notice) -> None:
        self.notices.setdefault(keys.kiosk_id, []).append(notice)

    def _notices_after(self, keys: DeviceKeys, cursor: int) -> tuple[SealedNotice, ...]:
        return tuple(
            SealedNotice(
                number=notice.number,
                sealed=seal_notice(keys.notice_public, notice.number, encode_notice(notice)),
            )
            for notice in self.notices.get(keys.kiosk_id, [])
            if notice.number > cursor
        )

    def transaction_count(self) -> int:
        return len(self.envelopes)


def opened(directory: Path, keys: DeviceKeys | None = None) -> Database:
    """Open a store in place, without a thread."""
    return open_database(
        directory / "kiosk.db",
        device_public=keys.sign_public if keys else None,
        ballast_bytes=BALLAST_BYTES,
        is_threaded=False,
    )


def submitted(
    database: Database,
    keys: DeviceKeys,
    sealing: SealingPublic,
    number: int,
    attachments: tuple[Attachment, ...] = (),
    body_bytes: int = 96,
    now_ms: int = START_MS,
) -> Receipt:
    """Commit the made-up transaction of that number."""
    transaction_id = number.to_bytes(16, "big")
    with immediate(database.conn) as db:
        return outbox.submit(
            db,
            keys=keys,
            sealing=sealing,
            catalogue_version=1,
            body=transaction_id.ljust(body_bytes, b"."),
            attachments=attachments,
            transaction_id=transaction_id,
            service="pension_check",
            kiosk_no=42,
            now_ms=now_ms,
        )


def photo(index: int, size_bytes: int) -> Attachment:
    """Make an attachment of that many bytes."""
    content = bytes(place * 7 % 256 for place in range(size_bytes))
    return Attachment(question="photo", index=index, media_type="image/jpeg", content=content)


EMPTY_CATALOGUE = Catalogue(
    schema="1",
    version="2026.11",
    default_language="zh-CN",
    languages=("zh-CN", "en"),
    types={},
    categories=(),
    shared_choice_lists={},
    system_variables=(),
    services=(),
)
