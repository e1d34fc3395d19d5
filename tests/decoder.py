"""Read the protocol's bytes without our code, from docs/protocol.md alone.

Uses the standard library only, and pyhpke where something is opened: what two implementations
read alike is written down, and not only agreed between two ends of one program.
"""

import hashlib
import json
from typing import Any

VERDICTS = ("stored", "duplicate", "refused", "quarantined")
FLAGS = ("revoked", "reenrol", "slow")
MEDIA = ("image/jpeg", "image/png", "image/svg+xml", "audio/webm", "audio/ogg", "audio/wav")


class Steps:
    """Walk through bytes and keep each step: (name, bytes)."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 0
        self.steps: list[tuple[str, bytes]] = []

    def take(self, name: str, size: int) -> bytes:
        found = self.raw[self.at : self.at + size]
        assert len(found) == size, f"{name}: too short"
        self.at += size
        self.steps.append((name, found))
        return found

    def number(self, name: str, size: int) -> int:
        return int.from_bytes(self.take(name, size), "big")

    def leb(self, name: str) -> int:
        size = 1
        while self.raw[self.at + size - 1] & 0x80:
            size += 1
        groups = self.take(name, size)
        return sum((octet & 0x7F) << 7 * place for place, octet in enumerate(groups))

    def long(self, name: str) -> bytes:
        size = self.leb(f"length of {name}")
        return self.take(name, size) if size else b""

    def text(self, name: str) -> str:
        return self.long(name).decode()

    @property
    def left(self) -> int:
        return len(self.raw) - self.at


def header(s: Steps) -> dict[str, Any]:
    return {
        "suite": s.number("suite", 1),
        "kiosk_id": s.take("kiosk id", 8).hex(),
        "seq": s.leb("seq"),
        "prev": s.take("prev", 8).hex(),
        "key_id": s.leb("key id"),
        "catalogue": s.leb("catalogue"),
    }


def envelope(raw: bytes) -> tuple[dict[str, Any], Steps]:
    s = Steps(raw)
    fields = {"header": header(s)}
    fields["header_bytes"] = raw[: s.at].hex()  # type: ignore[assignment]  # one flat record
    fields["sealed"] = s.take("sealed", s.left).hex()  # type: ignore[assignment]  # as above
    return fields, s


def courier(raw: bytes) -> tuple[dict[str, Any], Steps]:
    s = Steps(raw)
    assert s.take("format", 1) == b"\x01"
    inner, steps = envelope(raw[1:-64])
    s.steps += steps.steps
    s.at = len(raw) - 64
    return {"envelope": inner, "signature": s.take("signature", 64).hex()}, s


def carry(raw: bytes) -> tuple[dict[str, Any], Steps]:
    s = Steps(raw)
    assert s.take("format", 1) == b"\x02"
    fields: dict[str, Any] = {
        "run": s.take("run", 2).hex(),
        "part": s.number("part", 1),
        "parts": s.number("parts", 1),
        "block": s.take("block", 8).hex(),
        "size_bytes": s.number("size", 2),
        "pieces": s.number("pieces", 1),
        "number": s.number("number", 2),
    }
    assert s.left == -(-fields["size_bytes"] // fields["pieces"])
    fields["data"] = s.take("data", s.left).hex()
    return fields, s


def health(raw: bytes) -> dict[str, Any]:
    s = Steps(raw)
    fields: dict[str, Any] = {"version": s.text("version")}
    for name in ("pending", "oldest_s", "disk_free_mb", "attachments_pending", "boots"):
        fields[name] = s.leb(name)
    fields["devices"] = {s.text("device"): s.text("state") for _ in range(s.leb("devices"))}
    assert not s.left
    return fields


def _first8(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()[:8]


def _leb_bytes(number: int) -> bytes:
    found = b""
    while number > 127:
        found += bytes([number % 128 + 128])
        number //= 128
    return found + bytes([number])


def runs(s: Steps, kiosk_id: bytes) -> list[dict[str, Any]]:
    found = []
    for _ in range(s.leb("runs")):
        assert s.number("kind of run", 1) == 0
        suite = s.number("suite", 1)
        seq, prev = s.leb("first seq"), s.take("first prev", 8)
        key_id, catalogue = s.leb("key id"), s.leb("catalogue")
        for place in range(s.leb("envelopes")):
            sealed = s.long("sealed")
            raw = bytes([suite]) + kiosk_id + _leb_bytes(seq + place) + prev
            raw += _leb_bytes(key_id) + _leb_bytes(catalogue) + sealed
            found.append({"seq": seq + place, "prev": prev.hex(), "sealed": sealed.hex()})
            prev = _first8(raw)
    return found


def extensions(s: Steps, end: int) -> dict[str, str]:
    found = {}
    while s.at < end:
        tag = s.leb("tag")
        found[str(tag)] = s.long("bytes of the extension").hex()
    return found


def request(raw: bytes) -> tuple[dict[str, Any], Steps]:
    s = Steps(raw)
    assert s.take("magic", 3) == b"BX\x01"
    kiosk_id = s.take("kiosk id", 8)
    fields: dict[str, Any] = {
        "kiosk_id": kiosk_id.hex(),
        "counter": s.leb("counter"),
        "boot_id": s.take("boot id", 4).hex(),
        "now_ms": s.number("kiosk's clock", 6),
        "monotonic_ms": s.leb("monotonic clock"),
        "epoch": s.leb("epoch"),
        "head_seq": s.leb("head seq"),
        "head_hash": s.take("head hash", 8).hex(),
        "cursor": s.leb("cursor"),
        "catalogue": s.leb("catalogue"),
        "certificate": s.leb("certificate"),
        "health": health(s.long("health")),
        "envelopes": runs(s, kiosk_id),
        "chunks": [
            {
                "seq": s.leb("seq"),
                "index": s.leb("index"),
                "total": s.leb("total"),
                "digest": s.take("digest", 16).hex(),
                "offset": s.leb("offset"),
                "data": s.long("data").hex(),
            }
            for _ in range(s.leb("chunks"))
        ],
        "extensions": extensions(s, len(raw) - 64),
    }
    fields["signature"] = s.take("signature", 64).hex()
    return fields, s


def certificate(s: Steps) -> dict[str, Any]:
    assert s.number("certificate's format", 1) == 1
    return {
        "serial": s.number("serial", 4),
        "not_after_ms": s.number("not after", 6),
        "public": s.take("signing key", 32).hex(),
        "signature": s.take("root's signature", 64).hex(),
    }


def reply(raw: bytes) -> tuple[dict[str, Any], Steps]:
    s = Steps(raw)
    assert s.take("magic", 3) == b"BY\x01"
    fields: dict[str, Any] = {
        "request_hash": s.take("request hash", 16).hex(),
        "kiosk_id": s.take("kiosk id", 8).hex(),
        "epoch": s.leb("epoch"),
        "durability": f"D{s.number('durability', 1)}",
        "centre_ms": s.number("centre's clock", 6),
    }
    bits = s.number("flags", 1)
    fields["flags"] = [flag for place, flag in enumerate(FLAGS) if bits >> place & 1]
    fields["mark_seq"] = s.leb("mark seq")
    fields["mark_hash"] = s.take("mark hash", 8).hex()
    fields["verdicts"] = []
    for _ in range(s.leb("runs of verdicts")):
        run = s.leb("verdicts")
        fields["verdicts"] += [VERDICTS[run & 7]] * (run >> 3)
    fields["chunk_marks"] = [
        [s.leb("seq"), s.leb("index"), s.leb("received")] for _ in range(s.leb("chunk marks"))
    ]
    fields["catalogue_version"] = s.leb("catalogue")
    fields["manifest_hash"] = s.take("manifest hash", 32).hex() if bits & 0x40 else ""
    fields["bytes_max"] = s.leb("bytes max")
    fields["retry_after_s"] = s.leb("retry after")
    fields["notices"] = [
        {"number": s.leb("number"), "sealed": s.long("sealed notice").hex()}
        for _ in range(s.leb("notices"))
    ]
    fields["certificate"] = certificate(s) if bits & 0x80 else None
    fields["extensions"] = extensions(s, len(raw) - 64)
    fields["signature"] = s.take("signature", 64).hex()
    return fields, s


def manifest(raw: bytes) -> tuple[dict[str, Any], Steps]:
    s = Steps(raw)
    assert s.take("magic", 3) == b"BM\x01"
    fields: dict[str, Any] = {"certificate": certificate(s)}
    fields["manifest"] = json.loads(s.take("manifest", s.left - 64))
    fields["signature"] = s.take("signature", 64).hex()
    return fields, s


def enrol_request(raw: bytes) -> tuple[dict[str, Any], Steps]:
    s = Steps(raw)
    assert s.take("magic", 3) == b"BE\x01"
    return {
        "locator": s.take("locator", 4).decode(),
        "device_public": s.take("device key", 32).hex(),
        "notice_public": s.take("notice key", 32).hex(),
        "fingerprint": s.take("fingerprint", 16).hex(),
        "mac": s.take("HMAC", 32).hex(),
        "signature": s.take("signature", 64).hex(),
    }, s


def enrol_reply(raw: bytes) -> tuple[dict[str, Any], Steps]:
    s = Steps(raw)
    assert s.take("magic", 3) == b"BF\x01"
    return {
        "kiosk_no": s.leb("kiosk number"),
        "name": s.text("name"),
        "village_code": s.text("village"),
        "root_public": s.take("root key", 32).hex(),
        "certificate": certificate(s),
        "epoch": s.leb("epoch"),
        "public_url": s.text("public address"),
        "manifest": s.long("manifest").hex(),
        "mac": s.take("HMAC", 32).hex(),
    }, s


def attachment_plaintext(raw: bytes) -> dict[str, Any]:
    s = Steps(raw)
    return {
        "question": s.text("question"),
        "media_type": MEDIA[s.number("media type", 1)],
        "content": s.take("content", s.left).hex(),
    }


STICK_MAGICS = {b"BMB": "bundle", b"BMR": "replies"}


def stick_file(raw: bytes) -> tuple[dict[str, Any], Steps]:
    s = Steps(raw)
    magic = s.take("magic", 4)
    assert magic[3] == 1
    fields: dict[str, Any] = {
        "what": STICK_MAGICS[magic[:3]],
        "centre_id": s.take("centre id", 8).hex(),
        "kiosk_id": s.take("kiosk id", 8).hex(),
        "items": [],
    }
    while kind := s.number("kind of item", 1):
        item = s.take("item", s.number("length of item", 4))
        fields["items"].append({"kind": kind, "sha256": hashlib.sha256(item).hexdigest()})
    before = raw[: s.at - 1]
    assert s.number("length of item", 4) == 36
    assert s.number("items", 4) == len(fields["items"])
    assert s.take("sum", 32) == hashlib.sha256(before).digest()
    return fields, s


def stick_mark(raw: bytes) -> tuple[dict[str, Any], Steps]:
    s = Steps(raw)
    assert s.take("magic", 4) == b"BMS\x01"
    fields = {"certificate": certificate(s), "made_ms": s.number("made", 6)}
    fields["signature"] = s.take("signature", 64).hex()
    return fields, s


DECODERS = {
    "envelope": envelope,
    "courier": courier,
    "carry": carry,
    "request": request,
    "reply": reply,
    "manifest": manifest,
    "enrol_request": enrol_request,
    "enrol_reply": enrol_reply,
    "bundle": stick_file,
    "replies": stick_file,
    "stick": stick_mark,
}


def notice(raw: bytes) -> list[Any]:
    """Read a MessagePack array of texts, numbers, booleans and arrays of texts."""
    s = Steps(raw)
    found = _packed(s)
    assert isinstance(found, list)
    assert not s.left
    return found


def _packed(s: Steps) -> Any:
    first = s.number("type", 1)
    if first < 0x80:
        return first
    if first in (0xC2, 0xC3):
        return first == 0xC3
    if 0xCC <= first <= 0xCF:
        return s.number("number", 1 << first - 0xCC)
    if 0xA0 <= first <= 0xBF or first in (0xD9, 0xDA):
        size = first & 0x1F if first <= 0xBF else s.number("size", 1 << first - 0xD9)
        return s.take("text", size).decode()
    if first == 0xDC or 0x90 <= first <= 0x9F:
        count = first & 0x0F if first <= 0x9F else s.number("count", 2)
        return [_packed(s) for _ in range(count)]
    raise AssertionError(f"type {first:#x}")
