"""Every parser of bytes that come from outside, with valid samples and the errors it may raise."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from pathlib import Path

import msgspec

from server.catalogue.publish import Sources, prepared
from server.errors import CatalogueRefused
from server.vault import protocol
from sync import answers, bundles, enrolment, fountain, frames, manifest, notices, sealing
from sync.bits import AnswersError
from sync.clock import SeededEntropy
from sync.deltas import apply_delta, make_delta
from sync.dictionary import build_dictionary
from sync.errors import MALFORMED
from sync.extensions import encode_extensions, read_extensions
from sync.fetching import _patched
from sync.forms import decode_catalogue
from sync.health import encode_health, read_health
from sync.octets import Reader, WireError, counted
from sync.pieces import decode_piece, packed, piece_of, unpacked
from sync.records import Attachment, Health, Notice, Transaction
from sync.signing import CERTIFICATE_BYTES, Certificate, Trust, sign
from sync.transports.http import _problem_code
from sync.wire import courier_raw, decode_courier, decode_envelope, envelope_bytes
from tests.editions import edited, shipped, text_changed
from tests.generator import shipped_catalogue, transactions

VECTORS = Path(__file__).parents[1] / "vectors"
MIB = 1 << 20


@dataclass(frozen=True)
class Door:
    """A parser, what it may be given, and what it may answer."""

    name: str
    read: Callable[[bytes], object]
    samples: tuple[bytes, ...]
    #: Its own errors; anything else is a defect.
    errors: tuple[type[BaseException], ...]
    #: Writes again what was read: each value has one spelling. None: more than one, or none.
    written: Callable[[object], bytes] | None = None
    #: Fails when what was accepted is none of what the rest of the program can live with.
    checked: Callable[[object], None] | None = None
    #: Of memory beside the input, at its peak.
    memory_bytes: int = MIB
    #: CPU of one case; 50 ms unless said otherwise.
    cpu_s: float = 0.05
    #: Share of the cases: a slow door gets fewer.
    weight: int = 10


def vector(name: str) -> bytes:
    """The golden bytes of that name."""
    return bytes.fromhex(json.loads((VECTORS / f"{name}.json").read_text("utf-8"))["bytes"])


KEYS = json.loads((VECTORS / "reply.json").read_text("utf-8"))["keys"]
ROOT = bytes.fromhex(KEYS["root_public"])
CENTRE_PRIVATE = bytes.fromhex(KEYS["centre_private"])
CERTIFICATE = Certificate.from_bytes(vector("manifest")[3 : 3 + CERTIFICATE_BYTES])
TRUST = Trust(roots=(ROOT,), certificate=CERTIFICATE)
CODE = "7Q2M4KX9TB3H"
ENTROPY = SeededEntropy(77)
SEALING_PRIVATE, _SEALING_PUBLIC = sealing.generate_sealing_key(ENTROPY)
SEALING = sealing.SealingPublic(key_id=1, raw=_SEALING_PUBLIC)
NOTICE = Notice(
    number=8,
    case_no="004200000188",
    kind="correction",
    service="pension_check",
    at_ms=1_795_500_000_000,
    due_on="2026-11-27",
    missing=("photo",),
    correct_by="2026-12-04",
    reason_code="photo_unclear",
    words="请重拍照片",
)
HEALTH = Health(
    version="0.1.0",
    pending=3,
    oldest_s=86_400,
    disk_free_mb=9000,
    boots=7,
    devices={"printer": "no paper", "speaker": "ok"},
)


@cache
def doors() -> tuple[Door, ...]:
    """All of them."""
    return (
        *_frames(),
        *_alone(),
        *_enrolments(),
        *_sealed(),
        *_catalogues(),
        *_downstream(),
        *_vault(),
        *_couriers(),
    )


def _frames() -> Iterator[Door]:
    request, reply = vector("request"), vector("reply")

    def asked(raw: bytes) -> frames.ReceivedRequest:
        return frames.decode_request(raw)

    def asked_again(found: object) -> bytes:
        assert isinstance(found, frames.ReceivedRequest)
        return frames.encode_request(found.request, lambda _: found.signature)

    yield Door("request", asked, (request,), (WireError,), written=asked_again)
    yield Door(
        "reply",
        lambda raw: frames.decode_reply(
            raw, request_raw=request, kiosk_id=request[3:11], trusted=TRUST
        ),
        (reply,),
        (frames.ReplyRefused,),
    )
    yield Door(
        "reply, signed",
        lambda raw: frames.decode_reply(
            raw + sign(CENTRE_PRIVATE, "reply", raw),
            request_raw=request,
            kiosk_id=request[3:11],
            trusted=TRUST,
        ),
        (reply[:-64],),
        (frames.ReplyRefused,),
    )
    yield Door(
        "health",
        lambda raw: read_health(Reader(raw)),
        (counted(encode_health(HEALTH)), counted(encode_health(Health("x", 0, 0, 0)))),
        (WireError,),
    )
    yield Door(
        "extensions",
        lambda raw: read_extensions(Reader(raw), frozenset({3})),
        (encode_extensions(((2, b"\xaa\xbb"), (3, b""), (2000, bytes(90)))),),
        (WireError,),
        written=lambda found: encode_extensions(found),  # type: ignore[arg-type]  # noqa: PLW0108
    )


def _alone() -> Iterator[Door]:
    envelope, courier = vector("envelope"), vector("courier")
    digits = str(int.from_bytes(courier, "big")).encode()
    yield Door(
        "envelope",
        decode_envelope,
        (envelope,),
        (WireError,),
        written=lambda found: envelope_bytes(found),  # type: ignore[arg-type]  # noqa: PLW0108
    )
    yield Door("courier", decode_courier, (courier,), (WireError,))
    yield Door(
        "courier address",
        lambda raw: decode_courier(courier_raw(raw.decode("utf-8", "replace"))),
        (digits,),
        (WireError,),
    )


def _enrolments() -> Iterator[Door]:
    request, reply = vector("enrol_request"), vector("enrol_reply")
    yield Door("enrolment request", enrolment.decode_enrol_request, (request,), (WireError,))
    yield Door(
        "enrolment request, checked",
        lambda raw: enrolment.verify_enrol_request(raw, enrolment.code_key(CODE)),
        (request,),
        (WireError, enrolment.EnrolmentRefused),
    )
    yield Door(
        "enrolment reply",
        lambda raw: enrolment.decode_enrol_reply(raw, request_raw=request, code=CODE),
        (reply,),
        (enrolment.EnrolmentRefused,),
    )
    yield Door(
        "enrolment reply, believed",
        lambda raw: enrolment._read_enrolment(Reader(raw)),
        (reply[:-32],),
        (WireError,),
    )
    yield Door("certificate", Certificate.from_bytes, (CERTIFICATE.to_bytes(),), (WireError,))


def _sealed() -> Iterator[Door]:
    plain = notices.encode_notice(NOTICE)
    sealed = sealing.seal_notice(_SEALING_PUBLIC, 8, plain)
    envelope = vector("envelope")
    photo = Attachment(question="photo", index=0, media_type="image/jpeg", content=bytes(300))
    attachment = sealing.seal_attachment(SEALING, envelope, 0, photo)
    inside = counted(b"photo") + b"\x00" + bytes(300)
    info = sealing._attachment_info(1, envelope, 0)

    yield Door(
        "notice", lambda raw: notices.decode_notice(raw, 8), (plain,), (WireError,), weight=20
    )
    yield Door(
        "notice, sealed",
        lambda raw: sealing.open_notice(SEALING_PRIVATE, 8, raw),
        (sealed,),
        (sealing.SealBroken,),
        weight=4,
    )
    yield Door("attachment's key", sealing.attachment_key_id, (attachment,), (WireError,), weight=2)
    yield Door(
        "attachment",
        lambda raw: sealing.open_attachment(SEALING_PRIVATE, envelope, 0, raw),
        (attachment,),
        (sealing.SealBroken,),
        weight=4,
    )
    yield Door(
        "attachment, well sealed",
        lambda raw: sealing.open_attachment(
            SEALING_PRIVATE, envelope, 0, b"\x01" + sealing._closed(_SEALING_PUBLIC, info, raw)
        ),
        (inside,),
        (sealing.SealBroken,),
        weight=4,
    )
    catalogue = shipped_catalogue()
    dictionary = build_dictionary(catalogue)
    bodies = tuple(
        answers.encode_transaction(catalogue, dictionary, transaction)
        for transaction, _ in islice(transactions(catalogue, 5), 60)
    )

    def same_again(found: object) -> None:
        # Texts have several spellings; what is said must not depend on which.
        assert isinstance(found, Transaction)
        raw = answers.encode_transaction(catalogue, dictionary, found)
        assert answers.decode_transaction(catalogue, dictionary, raw) == found, found

    yield Door(
        "answers",
        lambda raw: answers.decode_transaction(catalogue, dictionary, raw),
        bodies,
        (AnswersError,),
        checked=same_again,
        weight=30,
    )
    # Only whole blocks of padding come so far as to be read.
    yield Door(
        "answers, padded",
        lambda raw: answers.decode_transaction(
            catalogue, dictionary, raw[: len(raw) // 16 * 16][:3840]
        ),
        bodies,
        (AnswersError,),
        checked=same_again,
        weight=30,
    )


def _small() -> Sources:
    """The shipped sources with one short service, quick to publish."""

    def cut(catalogue: dict) -> None:
        size = {s["id"]: len(msgspec.json.encode(s)) for s in catalogue["services"]}
        catalogue["services"] = [min(catalogue["services"], key=lambda s: size[s["id"]])]

    return edited(cut)


def _catalogues() -> Iterator[Door]:
    sources = _small()

    def published(place: str, raw: bytes) -> object:
        return prepared(msgspec.structs.replace(sources, **{place: raw}))

    yield Door("catalogue", decode_catalogue, (sources.catalogue,), MALFORMED)
    # What an operator uploads is checked as a whole, expressions and all.
    yield Door(
        "catalogue to publish",
        partial(published, "catalogue"),
        (sources.catalogue,),
        (CatalogueRefused,),
        memory_bytes=4 * MIB,
        cpu_s=0.5,
        weight=1,
    )
    yield Door(
        "villages to publish",
        partial(published, "villages"),
        (sources.villages,),
        (CatalogueRefused,),
        memory_bytes=4 * MIB,
        cpu_s=0.5,
        weight=1,
    )
    yield Door(
        "reasons to publish",
        partial(published, "reasons"),
        (sources.reasons,),
        (CatalogueRefused,),
        memory_bytes=4 * MIB,
        cpu_s=0.5,
        weight=1,
    )


def _downstream() -> Iterator[Door]:
    old = prepared(shipped()).catalogue_raw
    new = prepared(edited(text_changed)).catalogue_raw
    delta = make_delta(old, new)
    golden = vector("manifest")
    signed = manifest.MANIFEST_MAGIC + CERTIFICATE.to_bytes() + golden[110:-64]
    whole = piece_of(packed(_small().villages))
    name = manifest.blob_name(_small().villages)
    # An honest blob may have 4 MiB, and joining its pieces takes them once more.
    blob_bytes = 10 * MIB

    yield Door(
        "manifest",
        lambda raw: manifest.decode_manifest(raw, TRUST),
        (golden,),
        (manifest.ManifestRefused,),
    )
    yield Door(
        "manifest, signed",
        lambda raw: manifest.decode_manifest(raw + sign(CENTRE_PRIVATE, "manifest", raw), TRUST),
        (signed,),
        (manifest.ManifestRefused,),
    )
    yield Door(
        "manifest's answer",
        lambda raw: _patched(golden, raw),
        (counted(piece_of(packed(golden[:-9] + bytes(9), golden))) + counted(whole), golden),
        (WireError,),
    )
    yield Door("piece", decode_piece, (whole, whole[:40]), (WireError,))
    yield Door(
        "blob",
        lambda raw: manifest.unpack_blob(raw, name),
        (whole,),
        (manifest.ManifestRefused,),
        memory_bytes=blob_bytes,
    )
    yield Door(
        "blob, unpacked",
        lambda raw: unpacked(raw, None),
        (packed(old[:20_000]).raw,),
        (WireError,),
        memory_bytes=blob_bytes,
    )
    yield Door(
        "delta",
        partial(apply_delta, old),
        (delta,),
        (WireError,),
        memory_bytes=blob_bytes,
    )


def _vault() -> Iterator[Door]:
    asked = (
        protocol.Route(ids=(1, 2, 3)),
        protocol.Open(
            case_no="004200000188",
            actor="li.na",
            role="clerk",
            purpose="deciding",
            fields=("name", "phone"),
        ),
        protocol.Find(id_number="530121", actor="li.na", role="clerk", purpose="a visitor"),
        protocol.CheckLedger(is_checked=True),
    )
    told = (
        protocol.Routing(items=(protocol.Failed(envelope_id=3, reason="broken_seal"),)),
        protocol.Refusal(code="403.21", message="no"),
        protocol.Found(case_nos=("004200000188",)),
    )
    requests = msgspec.msgpack.Decoder(protocol.Request)
    replies = msgspec.msgpack.Decoder(protocol.Answer)
    yield Door(
        "vault's request",
        requests.decode,
        tuple(protocol.encode(each)[4:] for each in asked),
        MALFORMED,
    )
    yield Door(
        "vault's answer",
        replies.decode,
        tuple(protocol.encode(each)[4:] for each in told),
        MALFORMED,
    )
    problem = b'{"title":"This is not allowed","status":403,"code":"403.20","detail":"ask again"}'
    # A stranger's page must only ever leave us without a code.
    yield Door("problem", _problem_code, (problem,), ())


def _couriers() -> Iterator[Door]:
    envelopes = [vector("courier")] * 9
    (block,) = fountain.blocks_of(envelopes)
    shown = tuple(text.encode() for text in _shown(block))

    def read(magic: bytes, raw: bytes) -> object:
        reader = bundles.BundleReader(magic)
        items = [
            item for at in range(0, len(raw), 7000) for item in reader.feed(raw[at : at + 7000])
        ]
        assert reader.ending in {"whole", "cut", "damaged", "newer", "too_long", "not_ours"}
        return items

    yield Door("bundle", partial(read, bundles.BUNDLE_MAGIC), (vector("bundle"),), ())
    yield Door("bundle of replies", partial(read, bundles.ANSWER_MAGIC), (vector("replies"),), ())
    yield Door("blob of a bundle", bundles.read_blob_item, (bytes(60),), (WireError,), weight=2)
    yield Door(
        "stick's mark",
        lambda raw: bundles.verify_marker(raw, (ROOT,)),
        (vector("stick"),),
        (bundles.MarkerRefused,),
    )
    yield Door(
        "frame of a film",
        lambda raw: fountain.read_frame(raw.decode("utf-8", "replace")),
        shown,
        (WireError,),
    )
    yield Door("envelopes of a film", fountain.unpack, (fountain.pack(envelopes),), (WireError,))


def _shown(block: bytes) -> Iterator[str]:
    run = fountain.Run((block,))
    yield from (fountain.frame_text(run.frame(index)) for index in range(12))
