"""Closing and opening: the only file that touches a cipher.

One suite: HPKE base mode (RFC 9180) with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and
ChaCha20-Poly1305. What is said in the clear beside a sealed thing is bound in as HPKE `info`,
so nobody can put it under another header.
"""

import hashlib
from functools import lru_cache

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from sync.clock import Entropy, SystemEntropy
from sync.errors import BianminError
from sync.limits import ATTACHMENT_BYTES_MAX, SEALED_ATTACHMENT_BYTES_MAX
from sync.octets import Reader, WireError, counted, uvarint
from sync.records import Attachment

SEAL_BYTES = 48  # encapsulated key 32, tag 16
SEALED_BYTES_MIN = SEAL_BYTES + 16  # the transaction id is always inside
QUESTION_BYTES_MAX = 64
MEDIA_TYPES = (
    "image/jpeg",
    "image/png",
    "image/svg+xml",
    "audio/webm",
    "audio/ogg",
    "audio/wav",
)

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


class SealBroken(BianminError):
    """It was sealed to another key or under another header, or it was changed."""

    code = "422.1"


class SealingPublic(msgspec.Struct, frozen=True):
    """A public key that transactions are sealed to."""

    #: The centre's number of this key, from 1.
    key_id: int
    #: X25519 public key, 32 bytes.
    raw: bytes


def public_of_sealing(private: bytes) -> bytes:
    """Answer the public key (32 bytes) of a private sealing key."""
    key = X25519PrivateKey.from_private_bytes(private)
    return key.public_key().public_bytes_raw()


def generate_sealing_key(entropy: Entropy | None = None) -> tuple[bytes, bytes]:
    """Make an X25519 key pair: private 32 bytes, public 32 bytes."""
    private = (entropy or SystemEntropy()).token_bytes(32)
    key = X25519PrivateKey.from_private_bytes(private)
    return private, key.public_key().public_bytes_raw()


def _closed(public: bytes, info: bytes, plaintext: bytes) -> bytes:
    return _SUITE.encrypt(plaintext, X25519PublicKey.from_public_bytes(public), info=info)


@lru_cache(maxsize=8)
def _key_of(private: bytes) -> X25519PrivateKey:
    # Making the key of its bytes costs nearly as much as opening; a program has one or a few.
    return X25519PrivateKey.from_private_bytes(private)


def _opened(private: bytes, info: bytes, sealed: bytes) -> bytes:
    try:
        return _SUITE.decrypt(sealed, _key_of(private), info=info)
    except (InvalidTag, ValueError) as error:
        # `error` says nothing of the content; it stays for whoever debugs a wrong key.
        raise SealBroken("this cannot be opened with that key and header") from error


def seal(public: SealingPublic, header_bytes: bytes, plaintext: bytes) -> bytes:
    """Seal one transaction's bytes under its header.

    Args:
        public: The centre's key; its number stands in the header.
        header_bytes: `wire.encode_header` of the envelope's header.
        plaintext: Transaction id (16 bytes) and answers, padded to 16.

    Returns:
        HPKE `enc` (32 bytes), ciphertext and tag (16 bytes).
    """
    return _closed(public.raw, b"bianmin/1/seal" + header_bytes, plaintext)


def open_sealed(private: bytes, header_bytes: bytes, sealed: bytes) -> bytes:
    """Open what `seal` closed.

    Raises:
        SealBroken: Another key, another header, or changed bytes.
    """
    return _opened(private, b"bianmin/1/seal" + header_bytes, sealed)


def _attachment_info(key_id: int, envelope: bytes, index: int) -> bytes:
    digest = hashlib.sha256(envelope).digest()
    return b"bianmin/1/attachment" + uvarint(key_id) + digest + uvarint(index)


def seal_attachment(
    public: SealingPublic, envelope: bytes, index: int, attachment: Attachment
) -> bytes:
    """Seal a photo, signature or recording to the place it belongs to.

    The whole envelope says which place that is, not its number alone: after a fork two residents
    have the same number, and neither's photo may open in the other's case.

    Args:
        public: The centre's key.
        envelope: `wire.envelope_bytes` of the transaction's own envelope.
        index: The attachment's place in the transaction, from 0.
        attachment: What to seal.

    Returns:
        Key number (uvarint), then the seal over question, media type and content.

    Raises:
        ValueError: The content is longer than `ATTACHMENT_BYTES_MAX`.
    """
    if len(attachment.content) > ATTACHMENT_BYTES_MAX:
        raise ValueError("the attachment is too long")
    media_type = MEDIA_TYPES.index(attachment.media_type)
    plaintext = counted(attachment.question.encode()) + bytes([media_type]) + attachment.content
    info = _attachment_info(public.key_id, envelope, index)
    return uvarint(public.key_id) + _closed(public.raw, info, plaintext)


def attachment_key_id(sealed: bytes) -> int:
    """Answer the number of the key that an attachment is sealed to.

    Raises:
        WireError: It is not a sealed attachment.
    """
    return Reader(sealed).uvarint()


def open_attachment(private: bytes, envelope: bytes, index: int, sealed: bytes) -> Attachment:
    """Open what `seal_attachment` closed.

    Args:
        private: The key whose number is `attachment_key_id(sealed)`.
        envelope: `wire.envelope_bytes` of its envelope.
        index: The attachment's place in the transaction, from 0.
        sealed: At most `SEALED_ATTACHMENT_BYTES_MAX` bytes.

    Raises:
        SealBroken: Another key, envelope or place, changed bytes, or what was sealed is no
            attachment.
    """
    if len(sealed) > SEALED_ATTACHMENT_BYTES_MAX:
        raise SealBroken("the attachment is too long")
    try:
        outer = Reader(sealed)
        info = _attachment_info(outer.uvarint(), envelope, index)
        inner = Reader(_opened(private, info, outer.rest()))
        question = inner.text(QUESTION_BYTES_MAX)
        media_type = MEDIA_TYPES[inner.number(1)]
    except (WireError, IndexError) as error:
        raise SealBroken("what was sealed is not an attachment") from error
    fields = {
        "question": question,
        "index": index,
        "media_type": media_type,
        "content": inner.rest(),
    }
    return msgspec.convert(fields, Attachment)


def seal_notice(kiosk_public: bytes, number: int, raw: bytes) -> bytes:
    """Seal one notice to a kiosk's X25519 key, bound to its number."""
    return _closed(kiosk_public, b"bianmin/1/notice" + uvarint(number), raw)


def open_notice(private: bytes, number: int, sealed: bytes) -> bytes:
    """Open what `seal_notice` closed.

    Raises:
        SealBroken: Another kiosk's, another number's, or changed bytes.
    """
    return _opened(private, b"bianmin/1/notice" + uvarint(number), sealed)
