"""A centre in a temporary folder and kiosks that speak to it, for the tests of the centre."""

import asyncio
import datetime as dt
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from server import enrolment, identity
from server.catalogue.publish import Sources, prepared, publish, read_sources
from server.catalogue.shelf import Published, load
from server.exchange import Load, Taken, take
from server.identity import CentreKeys
from server.settings import Settings
from server.store import centre as facts
from server.store.migrate import migrate
from server.store.sqlite import connect, writing
from server.vault import keys as vault_keys
from server.vault.keys import VaultKeys
from server.vault.ledger import Ledger
from server.vault.service import Vault
from sync import frames
from sync.answers import encode_transaction
from sync.clock import SeededEntropy
from sync.enrolment import decode_enrol_reply, encode_enrol_request, locator_of
from sync.ids import case_number, uuid7
from sync.notices import decode_notice
from sync.records import Answers, Attachment, Envelope, Header, Health, Notice, Transaction
from sync.sealing import SealingPublic, open_notice, seal, seal_attachment
from sync.signing import DeviceKeys
from sync.wire import FIRST_PREV, encode_courier, encode_header, envelope_bytes, envelope_hash

#: 24 November 2026, 10:00 in China: a Tuesday.
NOW_MS = int(dt.datetime(2026, 11, 24, 2, tzinfo=dt.UTC).timestamp() * 1000)
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
VILLAGE = "522326104205"


class ManualClock:
    """Time that stands still until a test moves it."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        return self.ms

    def monotonic_ms(self) -> int:
        return self.ms

    async def sleep(self, seconds: float) -> None:
        # Workers of a served centre wait for real; what they wait for is told by the test.
        await asyncio.sleep(seconds)


class Kiosk:
    """One kiosk's side: keys, chain, counter. It can be copied, which makes a fork."""

    def __init__(self, keys: DeviceKeys, kiosk_no: int, sealing: SealingPublic, seed: int) -> None:
        self.keys = keys
        self.kiosk_no = kiosk_no
        self.sealing = sealing
        self.entropy = SeededEntropy(seed)
        self.seq = 0
        self.prev = FIRST_PREV
        self.raw = b""
        self.counter = 0
        self.cursor = 0
        #: Highest epoch that this kiosk saw.
        self.epoch = 0
        self.now_ms = NOW_MS
        #: Another program start, as a restored or copied card makes it, is another seed.
        self.boot_id = seed.to_bytes(4, "big")
        #: How often the program started on this card.
        self.boots = 1

    def copy(self, seed: int) -> "Kiosk":
        other = Kiosk(self.keys, self.kiosk_no, self.sealing, seed)
        other.seq, other.prev, other.counter = self.seq, self.prev, self.counter
        other.cursor, other.now_ms, other.boots = self.cursor, self.now_ms, self.boots + 1
        return other

    def restart(self, boot_id: bytes) -> None:
        """Start the program anew on the same card."""
        self.boot_id, self.boots = boot_id, self.boots + 1

    @property
    def case_no(self) -> str:
        """Number of the last envelope's slip."""
        return case_number(self.kiosk_no, self.seq)

    def seal(self, plaintext: bytes, catalogue: int = 1, key_id: int = 1) -> Envelope:
        header = Header(
            kiosk_id=self.keys.kiosk_id,
            seq=self.seq + 1,
            prev=self.prev,
            key_id=key_id,
            catalogue=catalogue,
        )
        envelope = Envelope(header, seal(self.sealing, encode_header(header), plaintext))
        self.seq, self.prev = self.seq + 1, envelope_hash(envelope)
        self.raw = envelope_bytes(envelope)
        return envelope

    def confirm(
        self,
        published: Published,
        answers: Answers,
        service: str = "helper_request",
        *,
        corrects: str = "",
        transaction_id: bytes = b"",
        language: str = "zh-CN",
    ) -> Envelope:
        transaction = Transaction(
            id=transaction_id or uuid7(self.now_ms, self.entropy),
            service=service,
            language=language,
            answers=answers,
            corrects=corrects,
        )
        return self.confirm_transaction(published, transaction)

    def confirm_transaction(self, published: Published, transaction: Transaction) -> Envelope:
        raw = encode_transaction(published.catalogue, published.dictionary, transaction)
        return self.seal(raw, published.version)

    def request(
        self,
        envelopes: Sequence[Envelope] = (),
        chunks: Sequence[frames.Chunk] = (),
        *,
        pending: int | None = None,
    ) -> bytes:
        self.counter += 1
        return frames.encode_request(
            frames.Request(
                kiosk_id=self.keys.kiosk_id,
                counter=self.counter,
                boot_id=self.boot_id,
                now_ms=self.now_ms,
                monotonic_ms=1000,
                epoch=self.epoch,
                head_seq=self.seq,
                head_hash=self.prev,
                cursor=self.cursor,
                catalogue=0,
                certificate=1,
                health=Health(
                    version="0.1.0",
                    pending=len(envelopes) if pending is None else pending,
                    oldest_s=60,
                    disk_free_mb=900,
                    boots=self.boots,
                ),
                envelopes=tuple(envelopes),
                chunks=tuple(chunks),
            ),
            lambda part: self.keys.sign("request", part),
        )

    def courier(self, envelope: Envelope) -> bytes:
        return encode_courier(envelope, self.keys.sign("envelope", envelope_bytes(envelope)))

    def chunks(self, seq: int, attachment: Attachment, size: int = 1000) -> list[frames.Chunk]:
        """Seal to the last envelope of this kiosk."""
        sealed = seal_attachment(self.sealing, self.raw, attachment.index, attachment)
        return chunks_of(sealed, seq, attachment.index, size)

    def notices(self, taken: Taken) -> list[Notice]:
        found = [
            decode_notice(
                open_notice(self.keys.notice_private, item.number, item.sealed), item.number
            )
            for item in taken.reply.notices
        ]
        self.cursor = max([self.cursor, *(notice.number for notice in found)])
        return found


def chunks_of(sealed: bytes, seq: int, index: int, size: int) -> list[frames.Chunk]:
    import hashlib

    digest = hashlib.sha256(sealed).digest()[:16]
    return [
        frames.Chunk(
            seq=seq,
            index=index,
            total=len(sealed),
            digest=digest,
            offset=offset,
            data=sealed[offset : offset + size],
        )
        for offset in range(0, len(sealed), size)
    ]


class World:
    """A centre on disk without its processes: what each does is called by hand."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.settings = Settings(data_dir=folder, port=0)
        self.entropy = SeededEntropy(seed)
        self.clock = ManualClock()
        self._reader: sqlite3.Connection | None = None
        self._writer: sqlite3.Connection | None = None
        self._vault: Vault | None = None
        self.ledger: Ledger | None = None
        identity.make(self.settings, self.entropy, NOW_MS)
        migrate(self.settings.database)
        self.write(facts.raise_epoch, NOW_MS)
        self.keys: CentreKeys = identity.load(self.settings)
        self.vault_keys: VaultKeys = vault_keys.load(self.settings.vault_dir)
        self._seed = seed

    def write(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        # Like `write_once`, but the connection stays open: closing the last one checkpoints.
        if self._writer is None:
            self._writer = connect(self.settings.database, readonly=False)
        with writing(self.settings.database):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                result = fn(self._writer, *args, **kwargs)
                self._writer.execute("COMMIT")
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
        return result

    def close(self) -> None:
        for conn in (self._reader, self._writer):
            if conn is not None:
                conn.close()
        if self.ledger is not None:
            self.ledger.close()

    @property
    def conn(self) -> sqlite3.Connection:
        if self._reader is None:
            self._reader = connect(self.settings.database, readonly=True)
        return self._reader

    @property
    def vault(self) -> Vault:
        if self._vault is None:
            self.ledger = Ledger(self.settings.vault_dir / "audit.db")
            conn = connect(self.settings.database, readonly=True)
            self._vault = Vault(self.vault_keys, self.ledger, conn, self.clock)
        return self._vault

    def publish(self, sources: Sources | None = None) -> Published:
        ready = prepared(sources or read_sources("12345"))
        self.write(publish, self.keys, ready, self.clock.now_ms())
        found = load(self.conn)
        assert found is not None
        return found

    def enrol(self, name: str = "石桥村便民服务点", replaces: int | None = None) -> Kiosk:
        self._seed += 1
        device = DeviceKeys.generate(SeededEntropy(self._seed))
        code = self.write(
            enrolment.new_code,
            name=name,
            village_code=VILLAGE,
            entropy=self.entropy,
            now_ms=self.clock.now_ms(),
            replaces=replaces,
        )
        raw = encode_enrol_request(code, device, bytes(16))
        reply = self.write(
            enrolment.enrol,
            self.keys,
            "https://centre.example",
            raw,
            locator_of(code),
            self.clock.now_ms(),
        )
        answer = decode_enrol_reply(reply, request_raw=raw, code=code)
        return Kiosk(device, answer.kiosk_no, self.keys.sealing[0], self._seed)

    def exchange(self, kiosk: Kiosk, raw: bytes, load: Load | None = None) -> Taken:
        received = frames.decode_request(raw)
        request = frames.verify_request(received, kiosk.keys.sign_public)
        taken: Taken = self.write(
            take,
            self.settings,
            self.keys,
            request,
            request_hash=frames.request_hash(raw),
            now_ms=self.clock.now_ms(),
            load=load or Load(),
        )
        return taken

    def dump(self) -> list[str]:
        """Everything in the database as SQL, to compare before and after."""
        return list(self.conn.iterdump())


#: A valid, short transaction: somebody asks for a helper.
HELPER_REQUEST: Answers = {
    "consent": "OK",
    "name": "王秀英",
    "phone": "13812345678",
    "village_code": VILLAGE,
    "need": "phone",
    "come_to_home": "yes",
    "when_free": "morning",
}
