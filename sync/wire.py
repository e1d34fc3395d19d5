"""The bytes of one envelope: header, chain, and the form in which it travels alone.

docs/protocol.md says the same for readers without Python; both are held together by tests.
"""

import hashlib
from urllib.parse import urlsplit

from sync.limits import COURIER_BYTES_MAX, ENVELOPE_BYTES_MAX, SEQ_MAX
from sync.octets import Reader, WireError, uvarint
from sync.records import Envelope, Header
from sync.sealing import SEALED_BYTES_MIN
from sync.signing import SIGNATURE_BYTES

SUITE = 1
NUMBER_MAX = 0xFFFF_FFFF  # of keys and catalogues; rises by one with each
KIOSK_ID_BYTES = 8
HASH_BYTES = 8
FIRST_PREV = bytes(HASH_BYTES)
COURIER_FORMAT = b"\x01"
COURIER_PATH = "/C/"
CARRY_PATH = "/carry"
# Below CPython's guard against slow conversions, so that `int` and `str` never raise.
COURIER_DIGITS_MAX = len(str(256**COURIER_BYTES_MAX))


class CourierTooLong(WireError):
    """The envelope does not fit a QR that a cheap phone reads; only a link can carry it."""

    code = "413.1"


def encode_header(header: Header) -> bytes:
    """Write a header: suite 1, kiosk id 8, seq, prev 8, key id, catalogue (numbers: uvarint).

    Raises:
        ValueError: A field is out of its range.
    """
    if header.suite != SUITE or not 0 < header.seq <= SEQ_MAX:
        raise ValueError("a header has suite 1 and a seq from 1")
    if len(header.kiosk_id) != KIOSK_ID_BYTES or len(header.prev) != HASH_BYTES:
        raise ValueError("kiosk id and prev have 8 bytes each")
    return b"".join(
        (
            bytes([header.suite]),
            header.kiosk_id,
            uvarint(header.seq),
            header.prev,
            uvarint(header.key_id),
            uvarint(header.catalogue),
        )
    )


def read_header(reader: Reader) -> Header:
    """Read a header and leave the reader behind it.

    Raises:
        WireError: It is not a header of this format.
    """
    reader.expect(bytes([SUITE]), "a header of suite 1")
    kiosk_id = reader.take(KIOSK_ID_BYTES)
    seq = read_seq(reader)
    prev = reader.take(HASH_BYTES)
    return Header(
        kiosk_id=kiosk_id,
        seq=seq,
        prev=prev,
        key_id=reader.uvarint(NUMBER_MAX),
        catalogue=reader.uvarint(NUMBER_MAX),
    )


def read_seq(reader: Reader) -> int:
    """Read the number of an envelope, 1 to `SEQ_MAX`."""
    seq = reader.uvarint(SEQ_MAX)
    if not seq:
        raise WireError("envelopes are numbered from 1")
    return seq


def envelope_bytes(envelope: Envelope) -> bytes:
    """Write an envelope: header, then what is sealed."""
    return encode_header(envelope.header) + envelope.sealed


def around_seq(header: Header) -> tuple[bytes, bytes]:
    """Answer what a header says before its seq and after its prev.

    Envelopes that follow each other share both, so that who handles hundreds writes them once.

    Raises:
        ValueError: A field is out of its range.
    """
    raw = encode_header(header)
    shared = 1 + KIOSK_ID_BYTES
    return raw[:shared], raw[shared + len(uvarint(header.seq)) + HASH_BYTES :]


def decode_envelope(raw: bytes) -> Envelope:
    """Read what `envelope_bytes` wrote; opening it is the vault's.

    Raises:
        WireError: It is not an envelope.
    """
    if len(raw) > ENVELOPE_BYTES_MAX:
        raise WireError("an envelope is too long")
    reader = Reader(raw)
    header = read_header(reader)
    if reader.left < SEALED_BYTES_MIN:
        raise WireError("the sealed part is too short")
    return Envelope(header=header, sealed=reader.rest())


def bytes_hash(raw: bytes) -> bytes:
    """Answer the hash that the next envelope's `prev` repeats: SHA-256's first 8 bytes."""
    return hashlib.sha256(raw).digest()[:HASH_BYTES]


def envelope_hash(envelope: Envelope) -> bytes:
    """Answer the hash of an envelope, 8 bytes."""
    return bytes_hash(envelope_bytes(envelope))


def encode_courier(envelope: Envelope, signature: bytes) -> bytes:
    """Write an envelope that travels alone: 0x01, envelope, the device's signature (64).

    The signature is ``DeviceKeys.sign("envelope", envelope_bytes(envelope))``.
    """
    if len(signature) != SIGNATURE_BYTES:
        raise ValueError("a signature has 64 bytes")
    return COURIER_FORMAT + envelope_bytes(envelope) + signature


def decode_courier(raw: bytes) -> tuple[Envelope, bytes]:
    """Read what `encode_courier` wrote: the envelope and its signature, not verified.

    Raises:
        WireError: It is not a signed envelope.
    """
    reader = Reader(raw)
    reader.expect(COURIER_FORMAT, "an envelope that travels alone")
    if reader.left < SIGNATURE_BYTES:
        raise WireError("the bytes end too early")
    envelope = decode_envelope(reader.take(reader.left - SIGNATURE_BYTES))
    return envelope, reader.take(SIGNATURE_BYTES)


def courier_url(base_url: str, raw: bytes) -> str:
    """Answer the address that delivers a signed envelope when any phone opens it.

    Upper case keeps scheme and host in a QR's alphanumeric mode, decimal digits use its numeric
    mode: the densest form that no chat app or browser changes.

    Args:
        base_url: Scheme, host and port of the centre, e.g. ``https://centre.example``.
        raw: What `encode_courier` wrote.

    Raises:
        CourierTooLong: More than `COURIER_BYTES_MAX` bytes.
        ValueError: The base has a path or a query, which upper case would break.
    """
    parts = urlsplit(base_url)
    if parts.path.strip("/") or parts.query or parts.fragment or not parts.netloc:
        raise ValueError("the centre's public address is a scheme and a host only")
    if len(raw) > COURIER_BYTES_MAX:
        raise CourierTooLong("the envelope is too long for a QR; let the kiosk send it")
    return f"{parts.scheme}://{parts.netloc}{COURIER_PATH}".upper() + str(
        int.from_bytes(raw, "big")
    )


def carry_url(base_url: str) -> str:
    """Answer the address of the page with which a phone carries for a village; "" for no base.

    >>> carry_url("https://centre.example/")
    'https://centre.example/carry'
    """
    return base_url.rstrip("/") + CARRY_PATH if base_url else ""


def courier_raw(path_digits: str) -> bytes:
    """Answer the signed envelope that the digits of a courier address carry.

    Raises:
        WireError: These are not the digits of a courier address.
    """
    if len(path_digits) > COURIER_DIGITS_MAX:
        raise WireError("the number is too long")
    if not (path_digits.isascii() and path_digits.isdigit()) or path_digits[0] == "0":
        raise WireError("not a number")
    number = int(path_digits)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
