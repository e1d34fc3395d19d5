"""A kiosk that costs its own machine next to nothing, so that thousands in one process press hard.

It decides as the agent does, by the same pure functions (plan, batches, backoff, keeping away) and
the same frames, signatures and checks; its store is a dictionary and its link a bare connection.
"""

import asyncio
import time
from collections import Counter
from functools import partial
from urllib.parse import urlsplit

from sync import exchange, frames
from sync.backoff import away_s, delay_s
from sync.batching import next_bytes
from sync.clock import SystemClock, SystemEntropy
from sync.exchange import Standing, View
from sync.frames import Reply
from sync.limits import ANSWER_OVERDUE_S, FRAME_BYTES_MAX, RETRIES_QUICK
from sync.records import Envelope, Health
from sync.signing import Certificate, Trust
from sync.transports import EXCHANGE_PATH
from sync.wire import envelope_bytes
from tests.bench.fleet import Sender

BATCH_BYTES = 2048  # as a new store begins (sync/schema.py)


class LightKiosk:
    """One kiosk of the herd: what waits, and how it comes back."""

    def __init__(self, sender: Sender, envelopes: list[Envelope], url: str, trust: Trust) -> None:
        self._sender = sender
        self._pending = {item.header.seq: item for item in envelopes}
        self._sizes = {seq: len(envelope_bytes(item)) for seq, item in self._pending.items()}
        self._address = urlsplit(url)
        self._trust = trust
        self._clock, self._entropy = SystemClock(), SystemEntropy()
        self._lane: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._batch = BATCH_BYTES
        self._bytes_max = FRAME_BYTES_MAX
        self._failures = 0
        self.first_s = -1.0
        self.waits_s: list[float] = []
        self.ends: Counter[str] = Counter()

    @property
    def is_done(self) -> bool:
        """Whether nothing waits."""
        return not self._pending

    async def come_back(self, begun_s: float, *, epoch: int, oldest_s: int, until_s: float) -> None:
        """Exchange until nothing waits, or until that time of `time.perf_counter`."""
        while self._pending and time.perf_counter() < until_s:
            raw, count = self._written(epoch=epoch, oldest_s=oldest_s)
            sent_s = time.perf_counter()
            status, answer, away = await self._posted(raw)
            took_s = time.perf_counter() - sent_s
            self._batch = next_bytes(
                self._batch, sent_bytes=len(raw), took_s=took_s, is_ok=status == "ok"
            )
            if status != "ok":
                self._failures += 1
                skipped = RETRIES_QUICK if status == "503" else 0
                spread = self._entropy.uniform()
                pause_s = delay_s(self._failures + skipped, spread)
                await asyncio.sleep(max(pause_s, away_s(away, spread)))
                continue
            self.waits_s.append(took_s)
            reply = frames.decode_reply(
                answer, request_raw=raw, kiosk_id=self._sender.keys.kiosk_id, trusted=self._trust
            )
            self._taken_in(reply, count)
            if self.first_s < 0:
                self.first_s = time.perf_counter() - begun_s
            if self._pending:
                await asyncio.sleep(away_s(reply.retry_after_s, self._entropy.uniform()))
        if self._lane is not None:
            self._lane[1].close()

    def _written(self, *, epoch: int, oldest_s: int) -> tuple[bytes, tuple[int, ...]]:
        sender = self._sender
        sender.counter += 1
        view = View(
            standing=_standing(sender, epoch),
            pending=tuple((seq, self._sizes[seq]) for seq in sorted(self._pending)),
            attachments=(),
            bytes_max=min(self._batch, self._bytes_max),
        )
        seqs = exchange.plan(view).seqs
        request = exchange.compose(
            view,
            kiosk_id=sender.keys.kiosk_id,
            envelopes=[self._pending[seq] for seq in seqs],
            chunks=(),
            boot_id=sender.boot_id,
            now_ms=self._clock.now_ms(),
            monotonic_ms=self._clock.monotonic_ms(),
            certificate_serial=1,
            health=Health(
                version="0.1.0",
                pending=len(self._pending),
                oldest_s=oldest_s,
                disk_free_mb=9000,
                devices={"printer": "ok", "speaker": "ok"},
            ),
        )
        return frames.encode_request(request, partial(sender.keys.sign, "request")), seqs

    def _taken_in(self, reply: Reply, seqs: tuple[int, ...]) -> None:
        assert len(reply.verdicts) == len(seqs)
        self._failures, self._bytes_max = 0, reply.bytes_max
        for seq, verdict in zip(seqs, reply.verdicts, strict=True):
            assert verdict in ("stored", "duplicate"), verdict
            del self._pending[seq]

    async def _posted(self, raw: bytes) -> tuple[str, bytes, int]:
        """Send, and answer how it ended, the reply, and how long to keep away."""
        try:
            async with asyncio.timeout(ANSWER_OVERDUE_S):
                status, answer, away = await self._over_http(raw)
        except (OSError, EOFError, TimeoutError) as error:
            if self._lane is not None:
                self._lane[1].close()
                self._lane = None
            self.ends[type(error).__name__] += 1
            return type(error).__name__, b"", 0
        word = "ok" if status == 200 else str(status)
        self.ends[word] += 1
        return word, answer, away

    async def _over_http(self, raw: bytes) -> tuple[int, bytes, int]:
        if self._lane is None:
            self._lane = await asyncio.open_connection(self._address.hostname, self._address.port)
        reader, writer = self._lane
        head = f"POST {EXCHANGE_PATH} HTTP/1.1\r\nHost: {self._address.netloc}\r\n"
        writer.write(f"{head}Content-Length: {len(raw)}\r\n\r\n".encode() + raw)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        answer = await reader.readexactly(int(fields["content-length"]))
        if fields.get("connection") == "close":
            writer.close()
            self._lane = None
        return int(lines[0].split(" ", 2)[1]), answer, int(fields.get("retry-after", "0"))


def _standing(sender: Sender, epoch: int) -> Standing:
    return Standing(
        head_seq=sender.seq,
        head_hash=sender.prev,
        counter=sender.counter,
        epoch=epoch,
        cursor=sender.cursor,
        mark_seq=0,
        refilled_mark=-1,
        refilled_ms=0,
        centre_ms=0,
        clock_skew_ms=0,
        certificate=b"",
        batch_bytes=0,
        catalogue=1,
        notices_unreadable=0,
        boots=1,
    )


def trust_of(root_public: str, certificate: str) -> Trust:
    """Answer what a kiosk that was enrolled believes."""
    return Trust(
        roots=(bytes.fromhex(root_public),),
        certificate=Certificate.from_bytes(bytes.fromhex(certificate)),
    )
