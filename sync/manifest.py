"""The centre's signed word on which catalogue is in force and what belongs to it."""

import hashlib
from collections.abc import Callable

import msgspec

from sync import pieces
from sync.errors import MALFORMED, BianminError
from sync.limits import MANIFEST_BYTES_MAX
from sync.octets import Reader, WireError
from sync.sealing import SealingPublic
from sync.signing import (
    CERTIFICATE_BYTES,
    SIGNATURE_BYTES,
    Certificate,
    CertificateRefused,
    SignatureRefused,
    Trust,
    trusted_certificate,
    verify,
)

MANIFEST_MAGIC = b"BM\x01"


class ManifestRefused(BianminError):
    """A manifest or blob is not what the centre published; the present catalogue stays."""

    code = "502.2"


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One catalogue version: blobs by SHA-256 (hex), keys, and what kiosks show."""

    #: Rises by one; a kiosk never goes back.
    version: int
    catalogue_sha256: str
    dictionary_sha256: str
    #: JSON list of `forms.Village`.
    villages_sha256: str
    #: JSON object, reason code → text by language.
    reasons_sha256: str
    #: Telephone of the centre, as people say it.
    hotline: str
    #: Rising by number; new transactions are sealed to the last.
    sealing_keys: tuple[SealingPublic, ...]
    #: Centre's clock, Unix ms.
    published_ms: int

    @property
    def blobs(self) -> tuple[str, str, str, str]:
        """SHA-256 (hex) of all that belongs to it."""
        return (
            self.catalogue_sha256,
            self.dictionary_sha256,
            self.villages_sha256,
            self.reasons_sha256,
        )


def encode_manifest(
    manifest: Manifest, certificate: Certificate, sign: Callable[[bytes], bytes]
) -> bytes:
    """Write a manifest: "BM" 1, certificate (107), JSON, signature (64) over all before.

    Args:
        manifest: What is in force.
        certificate: Of the key that signs; sign again when it is replaced.
        sign: Signs for the purpose "manifest".
    """
    part = MANIFEST_MAGIC + certificate.to_bytes() + msgspec.json.encode(manifest)
    return part + sign(part)


def _read(raw: bytes) -> tuple[Manifest, Certificate, bytes, bytes]:
    if len(raw) > MANIFEST_BYTES_MAX:
        raise WireError("a manifest is too long")
    reader = Reader(raw)
    reader.expect(MANIFEST_MAGIC, "a manifest of version 1")
    certificate = Certificate.from_bytes(reader.take(CERTIFICATE_BYTES))
    if reader.left < SIGNATURE_BYTES:
        raise WireError("the bytes end too early")
    try:
        text = reader.take(reader.left - SIGNATURE_BYTES)
        manifest = msgspec.json.decode(text, type=Manifest)
    except MALFORMED as error:
        raise WireError("not a manifest") from error
    if not manifest.sealing_keys:
        raise WireError("a manifest names at least one sealing key")
    return manifest, certificate, raw[:-SIGNATURE_BYTES], reader.take(SIGNATURE_BYTES)


def stored_manifest(raw: bytes) -> Manifest:
    """Read a manifest that was verified before it was stored here.

    Raises:
        WireError: It is not a manifest.
    """
    return _read(raw)[0]


def decode_manifest(raw: bytes, trust: Trust) -> Manifest:
    """Read and verify a manifest from outside.

    Raises:
        ManifestRefused: It is not the centre's, or it was changed.
    """
    try:
        manifest, certificate, part, signature = _read(raw)
        trusted = trusted_certificate(trust, certificate, manifest.published_ms)
        verify(trusted.public, "manifest", part, signature)
    except (WireError, SignatureRefused, CertificateRefused) as error:
        raise ManifestRefused(f"the catalogue's manifest is not the centre's: {error}") from error
    return manifest


def blob_name(raw: bytes) -> str:
    """Answer the name of a blob: SHA-256 of its unpacked bytes, hex."""
    return hashlib.sha256(raw).hexdigest()


def pack_blob(raw: bytes) -> bytes:
    """Write a whole blob for the link, in one piece."""
    return pieces.piece_of(pieces.packed(raw))


def checked_blob(packed: bytes, source: bytes | None, name: str) -> bytes:
    """Unpack a blob that came whole and check it against its name.

    Args:
        packed: All of its bytes.
        source: The blob that a delta is against; None when it is no delta.
        name: SHA-256, hex.

    Raises:
        ManifestRefused: It is another blob, damaged, or larger than `BLOB_BYTES_MAX`.
    """
    try:
        raw = pieces.unpacked(packed, source)
    except WireError as error:
        raise ManifestRefused("a part of the catalogue is damaged; it is fetched again") from error
    if blob_name(raw) != name:
        raise ManifestRefused("a part of the catalogue is not what its manifest says")
    return raw


def unpack_blob(raw: bytes, name: str) -> bytes:
    """Read what `pack_blob` wrote and check it against its name.

    Raises:
        ManifestRefused: It is another blob, damaged, larger than `BLOB_BYTES_MAX`, or a delta.
    """
    try:
        piece = pieces.decode_piece(raw)
    except WireError as error:
        raise ManifestRefused("what came is no part of the catalogue") from error
    if piece.is_delta or piece.at or len(piece.data) != piece.total:
        raise ManifestRefused("a part of the catalogue did not come whole")
    return checked_blob(piece.data, None, name)
