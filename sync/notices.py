"""A notice as bytes, before it is sealed to its kiosk: a short array instead of named fields."""

import hashlib

import msgspec

from sync.errors import MALFORMED
from sync.octets import WireError
from sync.records import Notice

# In this order on the wire; the number is said in the clear beside it.
_FIELDS = (
    "case_no",
    "kind",
    "service",
    "at_ms",
    "due_on",
    "is_about",
    "missing",
    "correct_by",
    "reason_code",
    "words",
)
_PLAIN = Notice(number=0, case_no="", kind="", service="", at_ms=0)


def encode_notice(notice: Notice) -> bytes:
    """Write a notice as a MessagePack array; fields at the end that say nothing are left out.

    Seal it with `sealing.seal_notice` under its number, which is not among the bytes.
    """
    values = [getattr(notice, name) for name in _FIELDS]
    while len(values) > 4 and values[-1] == getattr(_PLAIN, _FIELDS[len(values) - 1]):
        values.pop()
    return msgspec.msgpack.encode(values)


def decode_notice(raw: bytes, number: int) -> Notice:
    """Read what `encode_notice` wrote; fields that a newer centre adds at the end are passed over.

    Raises:
        WireError: It is not a notice.
    """
    try:
        values = msgspec.msgpack.decode(raw, type=list[object])
        fields = dict(zip(_FIELDS, values, strict=False))
        return msgspec.convert({**fields, "number": number}, Notice)
    except MALFORMED as error:
        raise WireError("not a notice") from error


def notice_digest(notice: Notice) -> bytes:
    """Answer what makes two notices the same, whatever their numbers: 16 bytes.

    A centre restored from a backup numbers its notices anew and sends them again.
    """
    return hashlib.sha256(encode_notice(notice)).digest()[:16]
