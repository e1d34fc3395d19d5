"""Keys, signatures, certificates: who is believed, for what, and until when."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import signing
from sync.clock import SeededEntropy
from sync.octets import WireError
from sync.signing import Certificate, CertificateRefused, DeviceKeys, SignatureRefused, Trust

KEYS = DeviceKeys.generate(SeededEntropy(7))
ROOT_PRIVATE, ROOT = signing.generate_signing_key(SeededEntropy(1))
_, CENTRE = signing.generate_signing_key(SeededEntropy(2))


def certificate(serial: int = 3, not_after_ms: int = 1000) -> Certificate:
    return signing.issue_certificate(ROOT_PRIVATE, CENTRE, serial=serial, not_after_ms=not_after_ms)


def test_keys_read_back_and_never_show_themselves() -> None:
    assert DeviceKeys.from_bytes(KEYS.to_bytes()) == KEYS
    assert repr(KEYS) == f"DeviceKeys(kiosk_id={KEYS.kiosk_id.hex()})"


def test_signature_fits_its_bytes_and_purpose_only() -> None:
    signature = KEYS.sign("envelope", b"bytes")

    signing.verify(KEYS.sign_public, "envelope", b"bytes", signature)
    for public, purpose, raw, shown in (
        (CENTRE, "envelope", b"bytes", signature),
        (KEYS.sign_public, "request", b"bytes", signature),
        (KEYS.sign_public, "envelope", b"byte", signature),
        (KEYS.sign_public, "envelope", b"bytes", signature[:-1]),
        (b"short", "envelope", b"bytes", signature),
    ):
        with pytest.raises(SignatureRefused):
            signing.verify(public, purpose, raw, shown)  # type: ignore[arg-type]  # one of them


def test_certificate_reads_back() -> None:
    raw = certificate().to_bytes()

    assert len(raw) == signing.CERTIFICATE_BYTES
    assert Certificate.from_bytes(raw) == certificate()


def test_certificate_of_a_pinned_root_is_believed() -> None:
    spare = signing.generate_signing_key(SeededEntropy(9))[1]

    believed = signing.trusted_certificate(Trust(roots=(spare, ROOT)), certificate(), said_ms=999)

    assert believed == certificate()


def test_known_certificate_is_believed_when_none_is_shown() -> None:
    trust = Trust(roots=(ROOT,), certificate=certificate())

    assert signing.trusted_certificate(trust, None, said_ms=1) == certificate()


@pytest.mark.parametrize(
    ("trust", "shown", "said_ms"),
    [
        (Trust(roots=(ROOT,)), None, 1),
        (Trust(roots=()), certificate(), 1),
        (Trust(roots=(CENTRE,)), certificate(), 1),
        (Trust(roots=(ROOT,)), msgspec.structs.replace(certificate(), serial=4), 1),
        (Trust(roots=(ROOT,), certificate=certificate(serial=4)), certificate(serial=3), 1),
        (Trust(roots=(ROOT,)), certificate(), 1001),
        (Trust(roots=(ROOT,), centre_ms=1001), certificate(), 1),
    ],
    ids=["none", "no root", "other root", "changed", "replaced", "over", "over since"],
)
def test_certificate_is_refused(trust: Trust, shown: Certificate | None, said_ms: int) -> None:
    with pytest.raises(CertificateRefused):
        signing.trusted_certificate(trust, shown, said_ms)


@given(st.binary(max_size=150))
def test_readers_refuse_anything_else_with_their_own_error(raw: bytes) -> None:
    for read in (DeviceKeys.from_bytes, Certificate.from_bytes):
        try:
            again = read(raw).to_bytes()
        except WireError:
            continue
        assert again == raw
