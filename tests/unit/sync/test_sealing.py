"""Sealing: opens with the right key under the right header and in no other way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyhpke import AEADId, CipherSuite, KDFId, KEMId

from sync import sealing
from sync.clock import SeededEntropy
from sync.limits import ATTACHMENT_BYTES_MAX, SEALED_ATTACHMENT_BYTES_MAX
from sync.octets import WireError
from sync.records import Attachment
from sync.sealing import SealBroken, SealingPublic

PRIVATE, PUBLIC_RAW = sealing.generate_sealing_key(SeededEntropy(1))
PUBLIC = SealingPublic(key_id=7, raw=PUBLIC_RAW)
SUITE = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.CHACHA20_POLY1305)


@given(header=st.binary(max_size=40), plaintext=st.binary(max_size=300))
def test_seal_opens_and_costs_48_bytes(header: bytes, plaintext: bytes) -> None:
    sealed = sealing.seal(PUBLIC, header, plaintext)

    assert len(sealed) == len(plaintext) + 48
    assert sealing.open_sealed(PRIVATE, header, sealed) == plaintext


def test_another_implementation_opens_what_we_seal() -> None:
    sealed = sealing.seal(PUBLIC, b"header", b"plaintext")

    key = SUITE.kem.deserialize_private_key(PRIVATE)
    context = SUITE.create_recipient_context(sealed[:32], key, info=b"bianmin/1/seal" + b"header")
    assert context.open(sealed[32:]) == b"plaintext"


def test_we_open_what_another_implementation_seals() -> None:
    key = SUITE.kem.deserialize_public_key(PUBLIC_RAW)
    encapsulated, context = SUITE.create_sender_context(key, info=b"bianmin/1/seal" + b"header")

    sealed = encapsulated + context.seal(b"plaintext")

    assert sealing.open_sealed(PRIVATE, b"header", sealed) == b"plaintext"


def test_another_header_does_not_open() -> None:
    sealed = sealing.seal(PUBLIC, b"header", bytes(16))

    with pytest.raises(SealBroken):
        sealing.open_sealed(PRIVATE, b"headers", sealed)


def test_another_key_does_not_open() -> None:
    sealed = sealing.seal(PUBLIC, b"header", bytes(16))

    with pytest.raises(SealBroken):
        sealing.open_sealed(sealing.generate_sealing_key()[0], b"header", sealed)


def test_no_changed_byte_opens() -> None:
    sealed = sealing.seal(PUBLIC, b"header", bytes(16))
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises(SealBroken):
            sealing.open_sealed(PRIVATE, b"header", changed)


@given(st.binary(max_size=200))
def test_openers_refuse_anything_else_with_their_own_error(raw: bytes) -> None:
    with pytest.raises(SealBroken):
        sealing.open_sealed(PRIVATE, b"", raw)
    with pytest.raises(SealBroken):
        sealing.open_attachment(PRIVATE, b"", 0, raw)
    with pytest.raises(SealBroken):
        sealing.open_notice(PRIVATE, 1, raw)


@given(
    content=st.binary(max_size=2000),
    media_type=st.sampled_from(sealing.MEDIA_TYPES),
    index=st.integers(0, 8),
)
def test_attachment_opens_at_its_place_only(content: bytes, media_type: str, index: int) -> None:
    attachment = Attachment(
        question="photo",
        index=index,
        media_type=media_type,  # type: ignore[arg-type]  # one of them
        content=content,
    )
    sealed = sealing.seal_attachment(PUBLIC, b"envelope", index, attachment)

    assert sealing.attachment_key_id(sealed) == 7
    assert sealing.open_attachment(PRIVATE, b"envelope", index, sealed) == attachment
    for envelope, place in ((b"envelopes", index), (b"envelope", index + 1)):
        with pytest.raises(SealBroken):
            sealing.open_attachment(PRIVATE, envelope, place, sealed)


def test_largest_attachment_fits_its_bound() -> None:
    attachment = Attachment(
        question="q" * 64, index=0, media_type="image/jpeg", content=bytes(ATTACHMENT_BYTES_MAX)
    )

    sealed = sealing.seal_attachment(PUBLIC, b"", 0, attachment)

    assert len(sealed) <= SEALED_ATTACHMENT_BYTES_MAX


def test_attachment_key_of_nothing_is_refused() -> None:
    with pytest.raises(WireError):
        sealing.attachment_key_id(b"")


def test_notice_opens_under_its_number_only() -> None:
    sealed = sealing.seal_notice(PUBLIC_RAW, 12, b"notice")

    assert sealing.open_notice(PRIVATE, 12, sealed) == b"notice"
    with pytest.raises(SealBroken):
        sealing.open_notice(PRIVATE, 13, sealed)
