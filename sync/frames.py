"""One exchange's two messages: what a kiosk asks and what the centre answers.

What is common to many envelopes is said once (a run), each frame is signed once, and the reply
repeats the request's hash: a reply that does not verify never happened. Byte by byte in
docs/protocol.md.
"""

import hashlib
from collections.abc import Callable
from typing import Literal

import msgspec

from sync import limits, signing
from sync.errors import BianminError
from sync.extensions import Extensions, encode_extensions, read_extensions
from sync.health import encode_health, read_health
from sync.octets import Reader, WireError, counted, fixed, u48, uvarint
from sync.records import Envelope, Health
from sync.runs import Verdict, encode_envelopes, encode_verdicts, read_envelopes, read_verdicts
from sync.wire import HASH_BYTES, KIOSK_ID_BYTES, NUMBER_MAX, read_seq

Flag = Literal["revoked", "reenrol", "slow"]
Durability = Literal["D0", "D1", "D2"]

REQUEST_MAGIC = b"BX\x01"
REPLY_MAGIC = b"BY\x01"
FLAGS: tuple[Flag, ...] = ("revoked", "reenrol", "slow")
DURABILITIES: tuple[Durability, ...] = ("D0", "D1", "D2")
FLAG_BITS = 0x07
HAS_MANIFEST = 0x40
HAS_CERTIFICATE = 0x80
REQUEST_HASH_BYTES = 16
DIGEST_BYTES = 16
RETRY_AFTER_S_MAX = 86_400


class ReplyRefused(BianminError):
    """An answer that the centre did not give to this request; it counts as no answer."""

    code = "502.1"


class Chunk(msgspec.Struct, frozen=True):
    """A piece of a sealed attachment; without data and at the end it only asks how far it is."""

    #: The envelope it belongs to.
    seq: int
    #: Its place in the transaction, from 0.
    index: int
    #: Size of the whole in bytes.
    total: int
    #: First 16 bytes of SHA-256 of the whole.
    digest: bytes
    #: Where `data` begins.
    offset: int
    #: At most `CHUNK_BYTES_MAX` bytes.
    data: bytes


class Request(msgspec.Struct, frozen=True):
    """What a kiosk says in one exchange."""

    kiosk_id: bytes
    #: Rises with every request of this kiosk.
    counter: int
    #: Random for every boot, 4 bytes: `monotonic_ms` counts within it.
    boot_id: bytes
    #: Kiosk's wall clock (a claim), Unix ms.
    now_ms: int
    monotonic_ms: int
    #: Highest epoch of the centre seen; 0 before the first reply.
    epoch: int
    #: Newest envelope on the kiosk and its hash; 0 and zeros when there is none.
    head_seq: int
    head_hash: bytes
    #: Number of the last notice that is stored here.
    cursor: int
    #: Catalogue version in use; 0 when none.
    catalogue: int
    #: Serial of the newest certificate of the centre; 0 when none.
    certificate: int
    health: Health
    envelopes: tuple[Envelope, ...] = ()
    chunks: tuple[Chunk, ...] = ()
    #: (tag, bytes) in rising order of tags; unknown even tags are carried along.
    extensions: Extensions = ()


class ReceivedRequest(msgspec.Struct, frozen=True):
    """A request as it was read, to be verified once its kiosk's key is known."""

    request: Request
    #: What the signature covers.
    signed_part: bytes
    signature: bytes


class ChunkMark(msgspec.Struct, frozen=True):
    """How many bytes of an attachment the centre holds; equal to the total when complete."""

    seq: int
    index: int
    received_bytes: int


class SealedNotice(msgspec.Struct, frozen=True):
    """A notice under its number, sealed to the kiosk."""

    number: int
    sealed: bytes


class Reply(msgspec.Struct, frozen=True):
    """What the centre answers."""

    #: First 16 bytes of SHA-256 of the request's bytes.
    request_hash: bytes
    kiosk_id: bytes
    #: Rises whenever the centre's store was restored.
    epoch: int
    #: D0 one disk, D1 a replica that may lag, D2 a synchronous replica.
    durability: Durability
    #: Centre's clock, Unix ms.
    centre_ms: int
    #: The end of the unbroken chain from seq 1 that the centre holds, and that envelope's hash.
    mark_seq: int
    mark_hash: bytes
    #: Catalogue version now in force; 0 when none.
    catalogue_version: int
    #: SHA-256 of the manifest's bytes, or b"" when the kiosk has it.
    manifest_hash: bytes = b""
    flags: frozenset[Flag] = frozenset()
    #: One for each envelope of the request, in its order.
    verdicts: tuple[Verdict, ...] = ()
    #: One for each attachment that the request named.
    chunk_marks: tuple[ChunkMark, ...] = ()
    #: Largest request that the centre wants now, in bytes.
    bytes_max: int = limits.FRAME_BYTES_MAX
    #: Seconds to keep away; 0 = come when there is something.
    retry_after_s: int = 0
    notices: tuple[SealedNotice, ...] = ()
    certificate: signing.Certificate | None = None
    extensions: Extensions = ()


def _encode_chunk(chunk: Chunk) -> bytes:
    return b"".join(
        (
            uvarint(chunk.seq),
            uvarint(chunk.index),
            uvarint(chunk.total),
            fixed(chunk.digest, DIGEST_BYTES),
            uvarint(chunk.offset),
            counted(chunk.data),
        )
    )


def _read_chunk(reader: Reader) -> Chunk:
    seq, index = read_seq(reader), reader.uvarint(limits.ATTACHMENTS_MAX - 1)
    total = reader.uvarint(limits.SEALED_ATTACHMENT_BYTES_MAX)
    digest = reader.take(DIGEST_BYTES)
    offset = reader.uvarint(total)
    data = reader.counted(min(limits.CHUNK_BYTES_MAX, total - offset))
    return Chunk(seq=seq, index=index, total=total, digest=digest, offset=offset, data=data)


def encode_request(request: Request, sign: Callable[[bytes], bytes]) -> bytes:
    """Write a request and sign all of it.

    Args:
        request: At most `FRAME_ENVELOPES_MAX` envelopes and `CHUNKS_MAX` chunks.
        sign: Signs for the purpose "request", e.g. ``partial(keys.sign, "request")``.

    Raises:
        ValueError: A field is out of its range, or the frame exceeds `FRAME_BYTES_MAX`.
    """
    if len(request.chunks) > limits.CHUNKS_MAX:
        raise ValueError("too many chunks for one frame")
    part = b"".join(
        (
            REQUEST_MAGIC,
            fixed(request.kiosk_id, KIOSK_ID_BYTES),
            uvarint(request.counter),
            fixed(request.boot_id, 4),
            u48(request.now_ms),
            uvarint(request.monotonic_ms),
            uvarint(request.epoch),
            uvarint(request.head_seq),
            fixed(request.head_hash, HASH_BYTES),
            uvarint(request.cursor),
            uvarint(request.catalogue),
            uvarint(request.certificate),
            counted(encode_health(request.health)),
            encode_envelopes(request.envelopes, request.kiosk_id),
            uvarint(len(request.chunks)),
            *map(_encode_chunk, request.chunks),
            encode_extensions(request.extensions),
        )
    )
    return _within_frame(part + sign(part))


def _within_frame(raw: bytes) -> bytes:
    if len(raw) > limits.FRAME_BYTES_MAX:
        raise ValueError("the frame is too long")
    return raw


def _split(raw: bytes) -> tuple[bytes, bytes]:
    if len(raw) > limits.FRAME_BYTES_MAX:
        raise WireError("a frame is too long")
    if len(raw) < signing.SIGNATURE_BYTES:
        raise WireError("a frame is too short")
    return raw[: -signing.SIGNATURE_BYTES], raw[-signing.SIGNATURE_BYTES :]


def decode_request(raw: bytes, known_tags: frozenset[int] = frozenset()) -> ReceivedRequest:
    """Read a request; nothing in it is believed before `verify_request`.

    Args:
        raw: At most `FRAME_BYTES_MAX` bytes.
        known_tags: Extensions that the caller understands.

    Raises:
        WireError: It is not a request of this protocol.
    """
    part, signature = _split(raw)
    reader = Reader(part)
    reader.expect(REQUEST_MAGIC, "a request of version 1")
    kiosk_id = reader.take(KIOSK_ID_BYTES)
    request = Request(
        kiosk_id=kiosk_id,
        counter=reader.uvarint(),
        boot_id=reader.take(4),
        now_ms=reader.number(6),
        monotonic_ms=reader.uvarint(),
        epoch=reader.uvarint(),
        head_seq=reader.uvarint(limits.SEQ_MAX),
        head_hash=reader.take(HASH_BYTES),
        cursor=reader.uvarint(),
        catalogue=reader.uvarint(NUMBER_MAX),
        certificate=reader.uvarint(NUMBER_MAX),
        health=read_health(reader),
        envelopes=read_envelopes(reader, kiosk_id),
        chunks=reader.several(limits.CHUNKS_MAX, lambda: _read_chunk(reader)),
        extensions=read_extensions(reader, known_tags),
    )
    return ReceivedRequest(request=request, signed_part=part, signature=signature)


def verify_request(received: ReceivedRequest, device_public: bytes) -> Request:
    """Answer the request once its kiosk's key has signed it.

    Raises:
        SignatureRefused: The signature does not fit, or the key is another kiosk's.
    """
    if signing.kiosk_id(device_public) != received.request.kiosk_id:
        raise signing.SignatureRefused("the key belongs to another kiosk")
    signing.verify(device_public, "request", received.signed_part, received.signature)
    return received.request


def request_hash(raw: bytes) -> bytes:
    """Answer what the reply must repeat: the first 16 bytes of the request's SHA-256."""
    return hashlib.sha256(raw).digest()[:REQUEST_HASH_BYTES]


def _encode_flags(reply: Reply) -> bytes:
    bits = sum(1 << FLAGS.index(flag) for flag in reply.flags)
    bits |= HAS_MANIFEST if reply.manifest_hash else 0
    bits |= HAS_CERTIFICATE if reply.certificate else 0
    return bytes([bits])


def encode_reply(reply: Reply, sign: Callable[[bytes], bytes]) -> bytes:
    """Write a reply and sign all of it.

    Args:
        reply: Verdicts in the order of the request's envelopes.
        sign: Signs for the purpose "reply" with the centre's certified key.

    Raises:
        ValueError: A field is out of its range, or the frame exceeds `FRAME_BYTES_MAX`.
    """
    if len(reply.notices) > limits.NOTICES_MAX or len(reply.chunk_marks) > limits.CHUNKS_MAX:
        raise ValueError("too many notices or marks for one frame")
    part = b"".join(
        (
            REPLY_MAGIC,
            fixed(reply.request_hash, REQUEST_HASH_BYTES),
            fixed(reply.kiosk_id, KIOSK_ID_BYTES),
            uvarint(reply.epoch),
            bytes([DURABILITIES.index(reply.durability)]),
            u48(reply.centre_ms),
            _encode_flags(reply),
            uvarint(reply.mark_seq),
            fixed(reply.mark_hash, HASH_BYTES),
            encode_verdicts(reply.verdicts),
            uvarint(len(reply.chunk_marks)),
            *(
                uvarint(mark.seq) + uvarint(mark.index) + uvarint(mark.received_bytes)
                for mark in reply.chunk_marks
            ),
            uvarint(reply.catalogue_version),
            fixed(reply.manifest_hash, 32 if reply.manifest_hash else 0),
            uvarint(reply.bytes_max),
            uvarint(reply.retry_after_s),
            uvarint(len(reply.notices)),
            *(uvarint(notice.number) + counted(notice.sealed) for notice in reply.notices),
            reply.certificate.to_bytes() if reply.certificate else b"",
            encode_extensions(reply.extensions),
        )
    )
    return _within_frame(part + sign(part))


def _read_reply(part: bytes, known_tags: frozenset[int]) -> Reply:
    reader = Reader(part)
    reader.expect(REPLY_MAGIC, "a reply of version 1")
    hash_of_request, kiosk_id = reader.take(REQUEST_HASH_BYTES), reader.take(KIOSK_ID_BYTES)
    epoch, durability = reader.uvarint(), reader.number(1)
    centre_ms, bits = reader.number(6), reader.number(1)
    if durability >= len(DURABILITIES) or bits & ~(HAS_MANIFEST | HAS_CERTIFICATE | FLAG_BITS):
        raise WireError("a durability or flag is not known")
    return Reply(
        request_hash=hash_of_request,
        kiosk_id=kiosk_id,
        epoch=epoch,
        durability=DURABILITIES[durability],
        centre_ms=centre_ms,
        flags=frozenset(flag for place, flag in enumerate(FLAGS) if bits >> place & 1),
        mark_seq=reader.uvarint(limits.SEQ_MAX),
        mark_hash=reader.take(HASH_BYTES),
        verdicts=read_verdicts(reader),
        chunk_marks=reader.several(limits.CHUNKS_MAX, lambda: _read_mark(reader)),
        catalogue_version=reader.uvarint(NUMBER_MAX),
        manifest_hash=reader.take(32) if bits & HAS_MANIFEST else b"",
        bytes_max=reader.uvarint(),
        retry_after_s=reader.uvarint(RETRY_AFTER_S_MAX),
        notices=reader.several(limits.NOTICES_MAX, lambda: _read_notice(reader)),
        certificate=_read_certificate(reader) if bits & HAS_CERTIFICATE else None,
        extensions=read_extensions(reader, known_tags),
    )


def _read_certificate(reader: Reader) -> signing.Certificate:
    return signing.Certificate.from_bytes(reader.take(signing.CERTIFICATE_BYTES))


def _read_mark(reader: Reader) -> ChunkMark:
    return ChunkMark(
        seq=read_seq(reader),
        index=reader.uvarint(limits.ATTACHMENTS_MAX - 1),
        received_bytes=reader.uvarint(limits.SEALED_ATTACHMENT_BYTES_MAX),
    )


def _read_notice(reader: Reader) -> SealedNotice:
    return SealedNotice(number=reader.uvarint(), sealed=reader.counted(limits.NOTICE_BYTES_MAX))


def decode_reply(
    raw: bytes,
    *,
    request_raw: bytes,
    kiosk_id: bytes,
    trusted: signing.Trust,
    known_tags: frozenset[int] = frozenset(),
) -> Reply:
    """Answer the centre's reply to exactly this request.

    Args:
        raw: What the link brought; anything at all.
        request_raw: The bytes that were sent.
        kiosk_id: This kiosk.
        trusted: Roots, newest certificate and newest time of the centre.
        known_tags: Extensions that the caller understands.

    Raises:
        ReplyRefused: Anything else than this centre's whole and unchanged answer to this
            request; the reason is the error's cause.
    """
    try:
        part, signature = _split(raw)
        reply = _read_reply(part, known_tags)
        certificate = signing.trusted_certificate(trusted, reply.certificate, reply.centre_ms)
        signing.verify(certificate.public, "reply", part, signature)
    except (WireError, signing.SignatureRefused, signing.CertificateRefused) as error:
        raise ReplyRefused(f"the answer is not the centre's: {error}") from error
    if reply.request_hash != request_hash(request_raw) or reply.kiosk_id != kiosk_id:
        raise ReplyRefused("the answer belongs to another request")
    return reply
