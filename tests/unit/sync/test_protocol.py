"""Golden bytes: our code, a decoder written from the page, and the page itself read them alike."""

import hashlib
import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pyhpke import AEADId, CipherSuite, KDFId, KEMId

from sync import enrolment, frames, limits, manifest, sealing, signing, wire
from sync.notices import decode_notice
from tests import decoder

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/protocol.md").read_text("utf-8")
SUITE = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.CHACHA20_POLY1305)


def vector(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / f"tests/vectors/{name}.json").read_text("utf-8"))
    return found


def raw_of(name: str) -> bytes:
    return bytes.fromhex(vector(name)["bytes"])


def key(name: str) -> bytes:
    return bytes.fromhex(vector("envelope")["keys"][name])


def opened(private: bytes, info: bytes, sealed: bytes) -> bytes:
    recipient = SUITE.kem.deserialize_private_key(private)
    context = SUITE.create_recipient_context(sealed[:32], recipient, info=info)
    return context.open(sealed[32:])


def verified(public: bytes, purpose: str, raw: bytes) -> None:
    signed = b"bianmin/1/" + purpose.encode() + raw[:-64]
    Ed25519PublicKey.from_public_bytes(public).verify(raw[-64:], signed)


@pytest.mark.parametrize("name", decoder.DECODERS)
def test_independent_decoder_reads_the_golden_bytes_to_their_end(name: str) -> None:
    raw = raw_of(name)

    fields, steps = decoder.DECODERS[name](raw)

    assert fields == vector(name)["fields"]
    assert b"".join(octets for _, octets in steps.steps) == raw


@pytest.mark.parametrize("name", decoder.DECODERS)
def test_the_pages_table_reads_the_golden_bytes(name: str) -> None:
    table = PAGE.split(f"<!-- bytes: tests/vectors/{name}.json -->\n")[1].split("\n\n")[0]
    rows = [line.split(" | ") for line in table.splitlines()[2:]]
    _, steps = decoder.DECODERS[name](raw_of(name))

    shown = [(row[0].removeprefix("| "), row[1]) for row in rows]

    assert shown == [
        (field, f"`{octets.hex()}`" if len(octets) <= 16 else f"{len(octets)} bytes")
        for field, octets in steps.steps
    ]


def test_envelope_is_read_written_and_opened_alike() -> None:
    found, raw = vector("envelope"), raw_of("envelope")
    fields = found["fields"]

    envelope = wire.decode_envelope(raw)

    assert wire.envelope_bytes(envelope) == raw
    assert wire.envelope_hash(envelope).hex() == found["hash"]
    assert hashlib.sha256(raw).hexdigest()[:16] == found["hash"]
    header = bytes.fromhex(fields["header_bytes"])
    info = b"bianmin/1/seal" + header
    assert (
        opened(key("sealing_private"), info, bytes.fromhex(fields["sealed"])).hex()
        == (found["plaintext"])
    )
    ours = sealing.open_sealed(key("sealing_private"), header, envelope.sealed)
    assert ours.hex() == found["plaintext"]


def test_courier_is_read_and_verified_alike() -> None:
    found, raw = vector("courier"), raw_of("courier")

    envelope, signature = wire.decode_courier(raw)

    assert wire.encode_courier(envelope, signature) == raw
    verified(key("device_public"), "envelope", raw[1:])
    assert found["url"] == f"HTTPS://CENTRE.EXAMPLE/C/{int.from_bytes(raw, 'big')}"
    assert wire.courier_raw(found["url"].rsplit("/", 1)[1]) == raw


def test_request_is_read_written_and_verified_alike() -> None:
    found, raw = vector("request"), raw_of("request")
    sign = partial(signing.sign, key("device_private"), "request")

    request = frames.verify_request(frames.decode_request(raw), key("device_public"))

    assert frames.encode_request(request, sign) == raw
    verified(key("device_public"), "request", raw)
    assert hashlib.sha256(raw).hexdigest()[:32] == found["hash"]
    assert [
        {
            "seq": envelope.header.seq,
            "prev": envelope.header.prev.hex(),
            "sealed": envelope.sealed.hex(),
        }
        for envelope in request.envelopes
    ] == found["fields"]["envelopes"]
    assert msgspec.to_builtins(request.health) == found["fields"]["health"]


def test_attachment_opens_alike() -> None:
    found = vector("request")["attachment"]
    sealed = bytes.fromhex(found["sealed"])
    envelope = wire.envelope_bytes(frames.decode_request(raw_of("request")).request.envelopes[2])
    info = b"bianmin/1/attachment\x01" + hashlib.sha256(envelope).digest() + b"\x00"

    plain = decoder.attachment_plaintext(opened(key("sealing_private"), info, sealed[1:]))
    ours = sealing.open_attachment(key("sealing_private"), envelope, 0, sealed)

    assert plain == {name: found[name] for name in ("question", "media_type", "content")}
    assert (ours.question, ours.media_type, ours.content.hex()) == tuple(plain.values())


def test_reply_is_read_written_and_verified_alike() -> None:
    found, raw = vector("reply"), raw_of("reply")
    trust = signing.Trust(roots=(key("root_public"),))
    sign = partial(signing.sign, key("centre_private"), "reply")

    reply = frames.decode_reply(
        raw,
        request_raw=raw_of("request"),
        kiosk_id=signing.kiosk_id(key("device_public")),
        trusted=trust,
    )

    assert frames.encode_reply(reply, sign) == raw
    verified(key("centre_public"), "reply", raw)
    assert list(reply.verdicts) == found["fields"]["verdicts"]


def test_notice_opens_alike() -> None:
    found = vector("reply")["notice"]
    sealed = bytes.fromhex(found["sealed"])

    raw = opened(key("notice_private"), b"bianmin/1/notice\x08", sealed)

    assert decoder.notice(raw) == found["fields"]
    ours = decode_notice(sealing.open_notice(key("notice_private"), 8, sealed), 8)
    assert (ours.number, ours.case_no, ours.words) == (8, "004200000188", "请重拍照片")


def test_manifest_is_read_and_verified_alike() -> None:
    raw = raw_of("manifest")

    ours = manifest.decode_manifest(raw, signing.Trust(roots=(key("root_public"),)))

    verified(key("centre_public"), "manifest", raw)
    assert json.loads(msgspec.json.encode(ours)) == vector("manifest")["fields"]["manifest"]


def test_enrolment_is_read_and_verified_alike() -> None:
    request, reply = raw_of("enrol_request"), raw_of("enrol_reply")
    code = vector("enrol_request")["code"]
    plain = code.replace("-", "").encode()
    salt = b"bianmin/1/enrol" + plain[:4]
    stretched = hashlib.scrypt(plain[4:], salt=salt, n=16384, r=8, p=1, dklen=32)

    ours = enrolment.decode_enrol_reply(reply, request_raw=request, code=code)

    assert enrolment.code_key(code) == stretched
    assert enrolment.verify_enrol_request(request, stretched).device_public == key("device_public")
    verified(key("device_public"), "enrol", request)
    assert ours.name == vector("enrol_reply")["fields"]["name"]


def test_limits_on_the_page_are_those_of_the_code() -> None:
    table = PAGE.split("## Limits")[1]
    shown = {int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", table)}

    assert shown >= {
        limits.FRAME_BYTES_MAX,
        limits.FRAME_ENVELOPES_MAX,
        limits.CHUNKS_MAX,
        limits.NOTICES_MAX,
        limits.EXTENSIONS_MAX,
        limits.ENVELOPE_BYTES_MAX,
        limits.COURIER_BYTES_MAX,
        limits.ATTACHMENT_BYTES_MAX,
        limits.CHUNK_BYTES_MAX,
        limits.SEQ_MAX,
        limits.HEALTH_BYTES_MAX,
        limits.NOTICE_BYTES_MAX,
        limits.MANIFEST_BYTES_MAX,
        limits.BLOB_BYTES_MAX,
    }
