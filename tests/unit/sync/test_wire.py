"""Headers, envelopes and the form in which an envelope travels alone."""

import io

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from qrcode.constants import ERROR_CORRECT_M
from qrcode.image.pil import PilImage
from qrcode.main import QRCode

from sync.clock import SeededEntropy
from sync.limits import COURIER_BYTES_MAX, SEQ_MAX
from sync.octets import Reader, WireError
from sync.records import Envelope, Header
from sync.signing import DeviceKeys, SignatureRefused, verify
from sync.wire import (
    CourierTooLong,
    courier_raw,
    courier_url,
    decode_courier,
    decode_envelope,
    encode_courier,
    encode_header,
    envelope_bytes,
    envelope_hash,
    read_header,
)

KEYS = DeviceKeys.generate(SeededEntropy(7))
headers = st.builds(
    Header,
    kiosk_id=st.binary(min_size=8, max_size=8),
    seq=st.integers(1, SEQ_MAX),
    prev=st.binary(min_size=8, max_size=8),
    key_id=st.integers(0, 2**32 - 1),
    catalogue=st.integers(0, 2**32 - 1),
)
envelopes = st.builds(Envelope, header=headers, sealed=st.binary(min_size=64, max_size=300))


def couriered(envelope: Envelope) -> bytes:
    return encode_courier(envelope, KEYS.sign("envelope", envelope_bytes(envelope)))


def believed(raw: bytes) -> Envelope:
    envelope, signature = decode_courier(raw)
    verify(KEYS.sign_public, "envelope", envelope_bytes(envelope), signature)
    return envelope


def example(sealed_bytes: int = 144) -> Envelope:
    header = Header(kiosk_id=KEYS.kiosk_id, seq=137, prev=b"previous", key_id=1, catalogue=3)
    return Envelope(header=header, sealed=SeededEntropy(3).token_bytes(sealed_bytes))


@given(headers)
def test_header_reads_back(header: Header) -> None:
    assert read_header(Reader(encode_header(header))) == header


def test_header_of_a_usual_kiosk_is_short() -> None:
    assert len(encode_header(example().header)) == 21


@given(envelopes)
def test_envelope_reads_back_and_its_hash_is_of_its_bytes(envelope: Envelope) -> None:
    again = decode_envelope(envelope_bytes(envelope))

    assert again == envelope
    assert envelope_hash(again) == envelope_hash(envelope)


@given(envelopes)
def test_courier_reads_back_through_the_address(envelope: Envelope) -> None:
    raw = couriered(envelope)
    if len(raw) > COURIER_BYTES_MAX:
        with pytest.raises(CourierTooLong):
            courier_url("https://centre.example", raw)
        return

    url = courier_url("https://centre.example", raw)
    head, digits = url.rsplit("/", 1)

    assert head == "HTTPS://CENTRE.EXAMPLE/C"
    assert courier_raw(digits) == raw
    assert decode_courier(raw) == (envelope, raw[-64:])


@given(st.binary(max_size=500))
def test_parsers_refuse_anything_else_with_their_own_error(raw: bytes) -> None:
    for decode in (decode_envelope, decode_courier):
        try:
            decode(raw)
        except WireError:
            continue


@given(st.text(max_size=40) | st.text(alphabet="0123456789", max_size=1100))
def test_courier_digits_refuse_anything_else_with_their_own_error(text: str) -> None:
    try:
        raw = courier_raw(text)
    except WireError:
        return

    assert str(int.from_bytes(raw, "big")) == text


def test_courier_with_any_bit_changed_is_refused() -> None:
    raw = couriered(example())
    for place in range(len(raw)):
        for bit in (1, 128):
            changed = raw[:place] + bytes([raw[place] ^ bit]) + raw[place + 1 :]
            with pytest.raises((WireError, SignatureRefused)):
                believed(changed)


def test_courier_cut_anywhere_is_refused() -> None:
    raw = couriered(example())
    for size in range(len(raw)):
        with pytest.raises((WireError, SignatureRefused)):
            believed(raw[:size])


@pytest.mark.parametrize(
    "base", ["https://centre.example/path", "https://centre.example?x=1", "centre.example"]
)
def test_courier_address_needs_a_bare_host(base: str) -> None:
    with pytest.raises(ValueError, match="scheme and a host"):
        courier_url(base, couriered(example()))


def test_courier_fits_a_qr_that_a_cheap_phone_reads() -> None:
    """A usual envelope (284 bytes or less, signature included) stays within version 14-M."""
    envelope = example(sealed_bytes=284 - 1 - 21 - 64)
    url = courier_url("https://bianmin.example.gov.cn", couriered(envelope))
    code: QRCode[PilImage] = QRCode(error_correction=ERROR_CORRECT_M, border=4)
    code.add_data(url)  # type: ignore[no-untyped-call]  # the library has few annotations
    code.make(fit=True)  # type: ignore[no-untyped-call]  # as above
    picture = io.BytesIO()
    code.make_image().save(picture, "PNG")  # type: ignore[no-untyped-call]  # as above

    read = zxingcpp.read_barcodes(Image.open(picture))
    assert code.version == 13
    assert [barcode.text for barcode in read] == [url]


@pytest.mark.parametrize(
    "change",
    [{"seq": 0}, {"seq": SEQ_MAX + 1}, {"suite": 2}, {"kiosk_id": b"short"}, {"prev": b""}],
)
def test_header_out_of_range_is_not_written(change: dict[str, object]) -> None:
    fields = {"kiosk_id": bytes(8), "seq": 1, "prev": bytes(8), "key_id": 1, "catalogue": 1}
    with pytest.raises(ValueError, match=r"header has suite|8 bytes each"):
        encode_header(Header(**{**fields, **change}))  # type: ignore[arg-type]  # on purpose
