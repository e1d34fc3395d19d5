"""How a kiosk and its centre come to know each other by one code that a person carries.

Both messages are bound to the code by HMAC, so neither side needs TLS or a clock to trust the
other. The code's first four characters find the entry at the centre, the other eight (40 bits,
one use, stretched by scrypt) are the secret.
"""

import hashlib
import hmac
from functools import lru_cache

import msgspec

from sync.clock import Entropy
from sync.errors import BianminError
from sync.limits import ENROL_BYTES_MAX, MANIFEST_BYTES_MAX
from sync.octets import Reader, WireError, counted, uvarint
from sync.signing import (
    CERTIFICATE_BYTES,
    SIGNATURE_BYTES,
    Certificate,
    DeviceKeys,
    SignatureRefused,
    verify,
)

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U."""
CODE_CHARS = 12
LOCATOR_CHARS = 4
REQUEST_MAGIC = b"BE\x01"
REPLY_MAGIC = b"BF\x01"
FINGERPRINT_BYTES = 16
MAC_BYTES = 32
TEXT_BYTES_MAX = 256
_MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0", "-": "", " ": ""})


class EnrolmentRefused(BianminError):
    """The code is wrong or used, or the answer is not the centre's that issued it."""

    code = "403.1"


class EnrolRequest(msgspec.Struct, frozen=True):
    """What a new kiosk says of itself."""

    #: First four characters of the code.
    locator: str
    #: Ed25519 public key, 32 bytes.
    device_public: bytes
    #: X25519 public key for notices, 32 bytes.
    notice_public: bytes
    #: Keyed hash of the hardware's serial numbers, 16 bytes; zeros when it has none.
    fingerprint: bytes


class Enrolment(msgspec.Struct, frozen=True):
    """What the centre tells a kiosk that it took in."""

    #: 1 to 9999; case numbers begin with it; never used again.
    kiosk_no: int
    name: str
    #: 12-digit statistical division code.
    village_code: str
    #: Ed25519 public key to pin, 32 bytes.
    root_public: bytes
    certificate: Certificate
    epoch: int
    #: Scheme and host that phones deliver to.
    public_url: str
    #: `manifest.encode_manifest`; b"" when nothing is published yet.
    manifest: bytes


def new_code(entropy: Entropy) -> str:
    """Make an enrolment code, written as people read it.

    >>> from sync.clock import SeededEntropy
    >>> len(new_code(SeededEntropy(1)))
    14
    """
    characters = "".join(ALPHABET[octet & 31] for octet in entropy.token_bytes(CODE_CHARS))
    return "-".join(characters[at : at + 4] for at in range(0, CODE_CHARS, 4))


def plain_code(text: str) -> str:
    """Answer the twelve characters of a code as somebody typed it.

    Raises:
        EnrolmentRefused: It cannot be a code.

    >>> plain_code("o123-4l67-89ab")
    '0123416789AB'
    """
    code = text.strip().upper().translate(_MISREAD)
    if len(code) != CODE_CHARS or not set(code) <= set(ALPHABET):
        raise EnrolmentRefused("a code has twelve letters and digits; read it again")
    return code


def locator_of(code: str) -> str:
    """Answer the part of a code that may be stored and looked up."""
    return plain_code(code)[:LOCATOR_CHARS]


@lru_cache(maxsize=4)
def code_key(code: str) -> bytes:
    """Stretch a code into the key that both sides use (scrypt; about 50 ms).

    Returns:
        32 bytes; the centre stores this and not the code.
    """
    plain = plain_code(code).encode()
    salt = b"bianmin/1/enrol" + plain[:LOCATOR_CHARS]
    return hashlib.scrypt(plain[LOCATOR_CHARS:], salt=salt, n=1 << 14, r=8, p=1, dklen=32)


def _mac(key: bytes, purpose: bytes, raw: bytes) -> bytes:
    return hmac.digest(key, b"bianmin/1/enrol/" + purpose + raw, "sha256")


def encode_enrol_request(code: str, keys: DeviceKeys, fingerprint: bytes) -> bytes:
    """Write a kiosk's request to be taken in.

    Layout: "BE" 1, locator 4, Ed25519 public 32, X25519 public 32, fingerprint 16,
    HMAC-SHA256 32, Ed25519 signature 64 over all before.
    """
    if len(fingerprint) != FINGERPRINT_BYTES:
        raise ValueError("a fingerprint has 16 bytes")
    part = REQUEST_MAGIC + locator_of(code).encode() + keys.sign_public + keys.notice_public
    part += fingerprint
    part += _mac(code_key(plain_code(code)), b"request", part)
    return part + keys.sign("enrol", part)


def decode_enrol_request(raw: bytes) -> EnrolRequest:
    """Read a request; nothing in it is believed before `verify_enrol_request`.

    Raises:
        WireError: It is not an enrolment request.
    """
    reader = Reader(raw)
    reader.expect(REQUEST_MAGIC, "an enrolment of version 1")
    locator = reader.take(LOCATOR_CHARS).decode("ascii", "replace")
    if not set(locator) <= set(ALPHABET):
        raise WireError("the code's first part is not one")
    request = EnrolRequest(
        locator=locator,
        device_public=reader.take(32),
        notice_public=reader.take(32),
        fingerprint=reader.take(FINGERPRINT_BYTES),
    )
    reader.take(MAC_BYTES + SIGNATURE_BYTES)
    reader.end()
    return request


def verify_enrol_request(raw: bytes, key: bytes) -> EnrolRequest:
    """Answer the request once code and device stand for it.

    Args:
        raw: The request's bytes.
        key: `code_key` of the code that the locator found.

    Raises:
        WireError: It is not an enrolment request.
        EnrolmentRefused: Another code, or the device does not hold its key.
    """
    request = decode_enrol_request(raw)
    part, signature = raw[:-SIGNATURE_BYTES], raw[-SIGNATURE_BYTES:]
    expected = _mac(key, b"request", part[:-MAC_BYTES])
    if not hmac.compare_digest(expected, part[-MAC_BYTES:]):
        raise EnrolmentRefused("the code is wrong; ask the centre to read it out again")
    try:
        verify(request.device_public, "enrol", part, signature)
    except SignatureRefused as error:
        raise EnrolmentRefused("the kiosk does not hold the key that it shows") from error
    return request


def encode_enrol_reply(enrolment: Enrolment, *, request_raw: bytes, key: bytes) -> bytes:
    """Write the centre's answer, bound to this request and code.

    Layout: "BF" 1, kiosk number, name, village, root 32, certificate 107, epoch, public
    address, manifest (numbers: uvarint; texts and manifest: length first), HMAC-SHA256 32.
    """
    part = b"".join(
        (
            REPLY_MAGIC,
            uvarint(enrolment.kiosk_no),
            counted(enrolment.name.encode()),
            counted(enrolment.village_code.encode()),
            enrolment.root_public,
            enrolment.certificate.to_bytes(),
            uvarint(enrolment.epoch),
            counted(enrolment.public_url.encode()),
            counted(enrolment.manifest),
        )
    )
    return part + _reply_mac(key, request_raw, part)


def _reply_mac(key: bytes, request_raw: bytes, part: bytes) -> bytes:
    return _mac(key, b"reply", hashlib.sha256(request_raw).digest() + part)


def decode_enrol_reply(raw: bytes, *, request_raw: bytes, code: str) -> Enrolment:
    """Answer what the centre that issued the code says.

    Raises:
        EnrolmentRefused: It is not that centre's whole and unchanged answer to this request.
    """
    part, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    expected = _reply_mac(code_key(plain_code(code)), request_raw, part)
    if len(raw) > ENROL_BYTES_MAX or not hmac.compare_digest(expected, mac):
        raise EnrolmentRefused("the answer does not come from the centre that issued the code")
    try:
        return _read_enrolment(Reader(part))
    except WireError as error:
        raise EnrolmentRefused("the centre speaks another version; update this kiosk") from error


def _read_enrolment(reader: Reader) -> Enrolment:
    reader.expect(REPLY_MAGIC, "an enrolment's answer of version 1")
    enrolment = Enrolment(
        kiosk_no=reader.uvarint(9999),
        name=reader.text(TEXT_BYTES_MAX),
        village_code=reader.text(TEXT_BYTES_MAX),
        root_public=reader.take(32),
        certificate=Certificate.from_bytes(reader.take(CERTIFICATE_BYTES)),
        epoch=reader.uvarint(),
        public_url=reader.text(TEXT_BYTES_MAX),
        manifest=reader.counted(MANIFEST_BYTES_MAX),
    )
    reader.end()
    return enrolment
