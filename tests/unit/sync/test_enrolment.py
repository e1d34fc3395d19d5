"""Enrolment: one code brings kiosk and centre together, and nobody else between them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import enrolment
from sync.clock import SeededEntropy
from sync.device import KioskIdentity, NotEnrolled, load_identity, load_keys, save_identity
from sync.enrolling import enrol, identity_of
from sync.enrolment import Enrolment, EnrolmentRefused
from sync.octets import WireError
from sync.signing import DeviceKeys
from sync.transports import LinkDown
from sync.transports.memory import MemoryLink
from tests.unit.sync.worlds import SmallCentre

CENTRE = SmallCentre()
CODE = enrolment.new_code(SeededEntropy(4))
KEY = enrolment.code_key(enrolment.plain_code(CODE))
KEYS = DeviceKeys.generate(SeededEntropy(7))
FINGERPRINT = bytes(range(16))
REQUEST = enrolment.encode_enrol_request(CODE, KEYS, FINGERPRINT)
ENROLMENT = Enrolment(
    kiosk_no=42,
    name="试验村便民服务站",
    village_code="530121100201",
    root_public=CENTRE.root_public,
    certificate=CENTRE.certificate,
    epoch=CENTRE.epoch,
    public_url="https://centre.example",
    manifest=b"manifest",
)
REPLY = enrolment.encode_enrol_reply(ENROLMENT, request_raw=REQUEST, key=KEY)


@given(st.integers(0, 2**32))
def test_code_reads_back_as_people_type_it(seed: int) -> None:
    code = enrolment.new_code(SeededEntropy(seed))
    plain = enrolment.plain_code(code)

    typed = f" {code.lower().replace('-', ' ').replace('0', 'o').replace('1', 'l')} "

    assert len(code) == 14
    assert enrolment.plain_code(typed) == plain
    assert enrolment.locator_of(code) == plain[:4]


@pytest.mark.parametrize("text", ["", "1234", "1234-5678-9ABU", "1234-5678-9ABC-D", "村村村村"])
def test_what_cannot_be_a_code_is_refused(text: str) -> None:
    with pytest.raises(EnrolmentRefused):
        enrolment.plain_code(text)


def test_request_reads_back_and_verifies() -> None:
    read = enrolment.verify_enrol_request(REQUEST, KEY)

    assert read == enrolment.EnrolRequest(
        locator=CODE[:4],
        device_public=KEYS.sign_public,
        notice_public=KEYS.notice_public,
        fingerprint=FINGERPRINT,
    )
    assert len(REQUEST) == 3 + 4 + 32 + 32 + 16 + 32 + 64


def test_request_of_a_wrong_code_is_refused() -> None:
    wrong = enrolment.code_key(CODE[:4] + "00000000")

    with pytest.raises(EnrolmentRefused):
        enrolment.verify_enrol_request(REQUEST, wrong)


def test_no_changed_byte_of_request_or_reply_is_believed() -> None:
    for place in range(len(REQUEST)):
        changed = REQUEST[:place] + bytes([REQUEST[place] ^ 1]) + REQUEST[place + 1 :]
        with pytest.raises((EnrolmentRefused, WireError)):
            enrolment.verify_enrol_request(changed, KEY)
    for place in range(len(REPLY)):
        changed = REPLY[:place] + bytes([REPLY[place] ^ 1]) + REPLY[place + 1 :]
        with pytest.raises(EnrolmentRefused):
            enrolment.decode_enrol_reply(changed, request_raw=REQUEST, code=CODE)


def test_reply_reads_back() -> None:
    assert enrolment.decode_enrol_reply(REPLY, request_raw=REQUEST, code=CODE) == ENROLMENT


def test_reply_to_another_request_is_refused() -> None:
    other = enrolment.encode_enrol_request(CODE, KEYS, bytes(16))

    with pytest.raises(EnrolmentRefused):
        enrolment.decode_enrol_reply(REPLY, request_raw=other, code=CODE)


@given(st.binary(max_size=250))
def test_readers_refuse_anything_else_with_their_own_error(raw: bytes) -> None:
    with pytest.raises((EnrolmentRefused, WireError)):
        enrolment.verify_enrol_request(enrolment.REQUEST_MAGIC + raw, KEY)
    with pytest.raises(EnrolmentRefused):
        enrolment.decode_enrol_reply(raw, request_raw=REQUEST, code=CODE)


async def test_enrol_after_a_lost_answer_uses_the_same_keys(tmp_path: Path) -> None:
    seen: list[bytes] = []

    async def centre(_method: str, _path: str, body: bytes) -> bytes:
        request = enrolment.verify_enrol_request(body, KEY)
        seen.append(request.device_public)
        return enrolment.encode_enrol_reply(ENROLMENT, request_raw=body, key=KEY)

    link = MemoryLink(centre, ["drop_reply"])
    with pytest.raises(LinkDown):
        await enrol(link, tmp_path, CODE, entropy=SeededEntropy(1))
    with pytest.raises(NotEnrolled):
        load_identity(tmp_path)
    identity = await enrol(link, tmp_path, CODE, entropy=SeededEntropy(2))

    assert len(set(seen)) == 1
    assert load_keys(tmp_path).sign_public == seen[0]
    assert (
        load_identity(tmp_path)
        == identity
        == identity_of(ENROLMENT, keys_file=f"device-{CODE[:4]}.key")
    )


def test_identity_reads_back_and_keys_are_for_this_user_only(tmp_path: Path) -> None:
    identity = KioskIdentity(
        kiosk_no=1,
        name='石林县"新村"便民\\站\n😀',
        village_code="530126100201",
        public_url="",
        root_public="00",
        certificate="",
        epoch=5,
    )

    save_identity(tmp_path, identity)

    assert load_identity(tmp_path) == identity
    assert (tmp_path / "kiosk.toml").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("raw", ["", "kiosk_no = ", "kiosk_no = 1", "\x00", "other = 1"])
def test_damaged_identity_means_not_enrolled(tmp_path: Path, raw: str) -> None:
    (tmp_path / "kiosk.toml").write_text(raw)
    (tmp_path / "device.key").write_text(raw)

    with pytest.raises(NotEnrolled):
        load_identity(tmp_path)
    with pytest.raises(NotEnrolled):
        load_keys(tmp_path)
