"""Who says so: the device's keys, the centre's certificate, and signatures over frames.

Every signature covers a purpose word before the bytes, so that what was signed as one thing
can never be shown as another. With `sealing` the only file that touches a key.
"""

import hashlib
from functools import lru_cache
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sync.clock import Entropy, SystemEntropy
from sync.errors import BianminError
from sync.octets import Reader

Purpose = Literal["envelope", "request", "reply", "manifest", "certificate", "enrol", "stick"]
KEYS_FORMAT = 1
CERTIFICATE_FORMAT = 1
CERTIFICATE_BYTES = 107
SIGNATURE_BYTES = 64


class SignatureRefused(BianminError):
    """A signature does not fit; the bytes were changed, or someone else wrote them."""

    code = "401.1"


class CertificateRefused(BianminError):
    """The centre's signing key is not one that the root stands for, or its time is over."""

    code = "401.2"


class DeviceKeys(msgspec.Struct, frozen=True):
    """A kiosk's own private keys: one to sign with, one to open notices with.

    `repr` shows the public part only, so that a key never reaches a log by accident.
    """

    #: Ed25519 private key, 32 bytes.
    sign_private: bytes
    #: X25519 private key, 32 bytes.
    notice_private: bytes

    def __repr__(self) -> str:
        return f"DeviceKeys(kiosk_id={self.kiosk_id.hex()})"

    @property
    def sign_public(self) -> bytes:
        """Ed25519 public key, 32 bytes."""
        return public_of(self.sign_private)

    @property
    def notice_public(self) -> bytes:
        """X25519 public key, 32 bytes."""
        private = X25519PrivateKey.from_private_bytes(self.notice_private)
        return private.public_key().public_bytes_raw()

    @property
    def kiosk_id(self) -> bytes:
        """The kiosk's identity, 8 bytes."""
        return kiosk_id(self.sign_public)

    def sign(self, purpose: Purpose, raw: bytes) -> bytes:
        """Sign the bytes for one purpose; 64 bytes."""
        return sign(self.sign_private, purpose, raw)

    def to_bytes(self) -> bytes:
        """Write both keys for the key file: format, Ed25519 32, X25519 32."""
        return bytes([KEYS_FORMAT]) + self.sign_private + self.notice_private

    @staticmethod
    def from_bytes(raw: bytes) -> "DeviceKeys":
        """Read what `to_bytes` wrote.

        Raises:
            WireError: It is not a key file of this format.
        """
        reader = Reader(raw)
        reader.expect(bytes([KEYS_FORMAT]), "a key file of format 1")
        keys = DeviceKeys(reader.take(32), reader.take(32))
        reader.end()
        return keys

    @staticmethod
    def generate(entropy: Entropy | None = None) -> "DeviceKeys":
        """Make new keys; without `entropy` from the operating system."""
        source = entropy or SystemEntropy()
        return DeviceKeys(source.token_bytes(32), source.token_bytes(32))


def generate_signing_key(entropy: Entropy | None = None) -> tuple[bytes, bytes]:
    """Make an Ed25519 key pair: private 32 bytes, public 32 bytes."""
    private = (entropy or SystemEntropy()).token_bytes(32)
    return private, public_of(private)


def public_of(private: bytes) -> bytes:
    """Answer the Ed25519 public key (32 bytes) of a private one."""
    return _signer(private).public_key().public_bytes_raw()


def kiosk_id(sign_public: bytes) -> bytes:
    """Answer the identity of a device key: the first 8 bytes of its SHA-256."""
    return hashlib.sha256(sign_public).digest()[:8]


def _preamble(purpose: Purpose) -> bytes:
    return f"bianmin/1/{purpose}".encode()


@lru_cache(maxsize=8)
def _signer(private: bytes) -> Ed25519PrivateKey:
    # Making the key of its bytes costs as much as a signature; a program signs with one or two.
    return Ed25519PrivateKey.from_private_bytes(private)


def sign(private: bytes, purpose: Purpose, raw: bytes) -> bytes:
    """Sign ``"bianmin/1/" purpose raw`` with Ed25519; 64 bytes."""
    return _signer(private).sign(_preamble(purpose) + raw)


def verify(public: bytes, purpose: Purpose, raw: bytes, signature: bytes) -> None:
    """Check a signature of `sign`.

    Raises:
        SignatureRefused: It does not fit, or key or signature are not of their length.
    """
    try:
        key = Ed25519PublicKey.from_public_bytes(public)
        key.verify(signature, _preamble(purpose) + raw)
    except (InvalidSignature, ValueError) as error:
        raise SignatureRefused(f"the signature of this {purpose} does not fit") from error


class Certificate(msgspec.Struct, frozen=True):
    """The root's word that a key signs for the centre."""

    #: Ed25519 public key of the centre's signing key, 32 bytes.
    public: bytes
    #: Rises with every new key; a kiosk never goes back to a lower one.
    serial: int
    #: Centre's clock, Unix ms, after which the key signs no more.
    not_after_ms: int
    #: The root's signature over the fields above, 64 bytes.
    signature: bytes

    def to_bytes(self) -> bytes:
        """Write it: format 1, serial u32, not-after u48, public 32, signature 64 (107 bytes)."""
        return _certified_part(self.public, self.serial, self.not_after_ms) + self.signature

    @staticmethod
    def from_bytes(raw: bytes) -> "Certificate":
        """Read what `to_bytes` wrote, not verified.

        Raises:
            WireError: It is not a certificate of this format.
        """
        reader = Reader(raw)
        reader.expect(bytes([CERTIFICATE_FORMAT]), "a certificate of format 1")
        serial, not_after_ms = reader.number(4), reader.number(6)
        certificate = Certificate(reader.take(32), serial, not_after_ms, reader.take(64))
        reader.end()
        return certificate


def _certified_part(public: bytes, serial: int, not_after_ms: int) -> bytes:
    fields = serial.to_bytes(4, "big") + not_after_ms.to_bytes(6, "big")
    return bytes([CERTIFICATE_FORMAT]) + fields + public


def issue_certificate(
    root_private: bytes, public: bytes, *, serial: int, not_after_ms: int
) -> Certificate:
    """Let the root stand for a signing key until `not_after_ms` (centre's clock, Unix ms)."""
    part = _certified_part(public, serial, not_after_ms)
    signature = sign(root_private, "certificate", part)
    return Certificate(public, serial, not_after_ms, signature)


class Trust(msgspec.Struct, frozen=True):
    """What a kiosk believes of its centre, on which every reply is judged."""

    #: Ed25519 public keys of the roots pinned at enrolment (one, or one and its spare).
    roots: tuple[bytes, ...]
    #: Newest certificate seen.
    certificate: Certificate | None = None
    #: Newest centre time that verified, Unix ms; the kiosk's own clock is not believed here.
    centre_ms: int = 0


def trusted_certificate(trust: Trust, shown: Certificate | None, said_ms: int) -> Certificate:
    """Answer the certificate to judge a message of the centre by.

    Args:
        trust: What the kiosk believes so far.
        shown: The certificate that came along, if any.
        said_ms: The centre's time that the message states, Unix ms.

    Raises:
        CertificateRefused: No root signed it, it is older than one already seen, or its time
            is over.
    """
    certificate = shown or trust.certificate
    if certificate is None:
        raise CertificateRefused("the centre showed no certificate and none is known")
    if trust.certificate is not None and certificate.serial < trust.certificate.serial:
        raise CertificateRefused("the centre showed a certificate that was replaced")
    if max(said_ms, trust.centre_ms) > certificate.not_after_ms:
        raise CertificateRefused("the time of the centre's certificate is over")
    part = _certified_part(certificate.public, certificate.serial, certificate.not_after_ms)
    for root in trust.roots:
        try:
            verify(root, "certificate", part, certificate.signature)
        except SignatureRefused:
            continue
        return certificate
    raise CertificateRefused("no pinned root signed the centre's certificate")
