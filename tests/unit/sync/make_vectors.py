"""Write tests/vectors/*.json anew; only when the protocol's version changes.

``.venv/bin/python -m tests.unit.sync.make_vectors`` (seals draw their own randomness, so the
bytes differ from run to run; the files are what is fixed).
"""

import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from sync import bundles, enrolment, frames, sealing, signing, wire
from sync.clock import SeededEntropy
from sync.manifest import pack_blob
from sync.notices import encode_notice
from sync.records import Attachment, Envelope, Header, Health, Notice
from sync.signing import DeviceKeys
from tests import decoder
from tests.unit.sync.worlds import EMPTY_CATALOGUE, START_MS, SmallCentre

FOLDER = Path(__file__).parents[2] / "vectors"


def made() -> dict[str, dict[str, Any]]:
    """Make every vector: its bytes, what they mean, and the keys that it takes."""
    centre = SmallCentre(seed=11)
    keys = DeviceKeys.generate(SeededEntropy(12))
    centre.publish(msgspec.json.encode(EMPTY_CATALOGUE), version=3)
    envelopes: list[Envelope] = []
    bodies = [bytes([number]) * 16 + b"made-up answers." * 5 for number in (1, 2, 3)]
    prev = bytes(8)
    for seq, body in enumerate(bodies, start=1):
        header = Header(kiosk_id=keys.kiosk_id, seq=seq, prev=prev, key_id=1, catalogue=3)
        sealed = sealing.seal(centre.sealing, wire.encode_header(header), body)
        envelopes.append(Envelope(header=header, sealed=sealed))
        prev = wire.envelope_hash(envelopes[-1])
    photo = Attachment(question="photo", index=0, media_type="image/jpeg", content=b"made-up")
    sealed_photo = sealing.seal_attachment(
        centre.sealing, wire.envelope_bytes(envelopes[-1]), 0, photo
    )
    notice = Notice(
        number=8,
        case_no="004200000188",
        kind="correction",
        service="pension_check",
        at_ms=START_MS,
        due_on="2026-11-27",
        missing=("photo",),
        correct_by="2026-12-04",
        reason_code="photo_unclear",
        words="请重拍照片",
    )
    sealed_notice = sealing.seal_notice(keys.notice_public, 8, encode_notice(notice))
    request = frames.Request(
        kiosk_id=keys.kiosk_id,
        counter=300,
        boot_id=b"\x01\x02\x03\x04",
        now_ms=START_MS,
        monotonic_ms=100_000,
        epoch=centre.epoch,
        head_seq=3,
        head_hash=prev,
        cursor=7,
        catalogue=3,
        certificate=1,
        health=Health(
            version="0.1.0",
            pending=3,
            oldest_s=120,
            disk_free_mb=12_000,
            attachments_pending=1,
            boots=5,
            devices={"printer": "no paper"},
        ),
        envelopes=tuple(envelopes),
        chunks=(
            frames.Chunk(
                seq=3,
                index=0,
                total=len(sealed_photo),
                digest=_digest(sealed_photo),
                offset=0,
                data=sealed_photo,
            ),
        ),
        extensions=((2, b"\xaa\xbb"),),
    )
    request_raw = frames.encode_request(request, partial(keys.sign, "request"))
    reply = frames.Reply(
        request_hash=frames.request_hash(request_raw),
        kiosk_id=keys.kiosk_id,
        epoch=centre.epoch,
        durability="D0",
        centre_ms=START_MS + 1000,
        mark_seq=3,
        mark_hash=prev,
        catalogue_version=4,
        manifest_hash=bytes(range(32)),
        flags=frozenset({"slow"}),
        verdicts=("duplicate", "stored", "stored"),
        chunk_marks=(frames.ChunkMark(seq=3, index=0, received_bytes=len(sealed_photo)),),
        bytes_max=65_536,
        retry_after_s=30,
        notices=(frames.SealedNotice(number=8, sealed=sealed_notice),),
        certificate=centre.certified(serial=2),
    )
    reply_raw = frames.encode_reply(reply, partial(signing.sign, centre.signing_private, "reply"))
    courier = wire.encode_courier(
        envelopes[1], keys.sign("envelope", wire.envelope_bytes(envelopes[1]))
    )
    code = "7Q2M-4KX9-TB3H"
    enrol_request = enrolment.encode_enrol_request(code, keys, bytes(range(16)))
    enrol_reply = enrolment.encode_enrol_reply(
        enrolment.Enrolment(
            kiosk_no=42,
            name="试验村便民服务站",
            village_code="530121100201",
            root_public=centre.root_public,
            certificate=centre.certificate,
            epoch=centre.epoch,
            public_url="https://centre.example",
            manifest=b"",
        ),
        request_raw=enrol_request,
        key=enrolment.code_key(enrolment.plain_code(code)),
    )
    common = {
        "device_private": keys.sign_private.hex(),
        "device_public": keys.sign_public.hex(),
        "notice_private": keys.notice_private.hex(),
        "sealing_private": centre.sealing_private.hex(),
        "root_public": centre.root_public.hex(),
        "centre_public": centre.signing_public.hex(),
        "centre_private": centre.signing_private.hex(),
    }
    raws = {
        "envelope": wire.envelope_bytes(envelopes[1]),
        "courier": courier,
        "request": request_raw,
        "reply": reply_raw,
        "manifest": centre.manifest_raw,
        "enrol_request": enrol_request,
        "enrol_reply": enrol_reply,
        **on_a_stick(centre, keys, request_raw, reply_raw),
    }
    extra: dict[str, dict[str, Any]] = {
        "envelope": {"plaintext": bodies[1].hex(), "hash": wire.envelope_hash(envelopes[1]).hex()},
        "courier": {"url": wire.courier_url("https://centre.example", courier)},
        "request": {
            "hash": frames.request_hash(request_raw).hex(),
            "attachment": {
                "kiosk_id": keys.kiosk_id.hex(),
                "seq": 3,
                "index": 0,
                "sealed": sealed_photo.hex(),
                "question": "photo",
                "media_type": "image/jpeg",
                "content": photo.content.hex(),
            },
        },
        "reply": {
            "notice": {
                "number": 8,
                "sealed": sealed_notice.hex(),
                "fields": decoder.notice(encode_notice(notice)),
            }
        },
        "enrol_request": {"code": code},
        "enrol_reply": {"code": code, "request": enrol_request.hex()},
    }
    return {
        name: {
            "bytes": raw.hex(),
            "fields": decoder.DECODERS[name](raw)[0],
            "keys": common,
            **extra.get(name, {}),
        }
        for name, raw in raws.items()
    }


def on_a_stick(
    centre: SmallCentre, keys: DeviceKeys, request_raw: bytes, reply_raw: bytes
) -> dict[str, bytes]:
    """The files of a stick: a bundle of one request, its replies, the mark."""
    head = bundles.Head(bundles.centre_id(centre.root_public), keys.kiosk_id)
    blob = centre.blobs[min(centre.blobs)]
    parts = {
        "bundle": (bundles.BUNDLE_MAGIC, [(bundles.REQUEST, request_raw)]),
        "replies": (
            bundles.ANSWER_MAGIC,
            [
                (bundles.ANSWER, reply_raw),
                (bundles.MANIFEST, centre.manifest_raw),
                (bundles.BLOB, bundles.blob_item(min(centre.blobs), pack_blob(blob))),
            ],
        ),
    }
    found = {}
    for name, (magic, items) in parts.items():
        raw = bytearray()
        writer = bundles.BundleWriter(raw.extend, magic, head)
        for kind, item in items:
            writer.add(kind, item)
        writer.end()
        found[name] = bytes(raw)
    sign = partial(signing.sign, centre.signing_private, "stick")
    found["stick"] = bundles.encode_marker(centre.certificate, START_MS, sign)
    return found


def _digest(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()[:16]


if __name__ == "__main__":
    for name, vector in made().items():
        text = json.dumps(vector, ensure_ascii=False, indent=1)
        (FOLDER / f"{name}.json").write_text(text + "\n", "utf-8")
