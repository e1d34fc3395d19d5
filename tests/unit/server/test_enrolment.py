"""Enrolment: one code, one kiosk, five tries, 24 hours."""

import pytest

from server import enrolment
from server.errors import CodeRefused
from server.store import fleet
from sync import limits
from sync.clock import SeededEntropy
from sync.enrolment import EnrolmentRefused, decode_enrol_reply, encode_enrol_request, locator_of
from sync.signing import DeviceKeys, kiosk_id
from tests.unit.server.world import NOW_MS, VILLAGE, World

PUBLIC_URL = "https://centre.example"


def code_of(world: World, **changes: object) -> str:
    given = {"name": "石桥村", "village_code": VILLAGE, "entropy": world.entropy, "now_ms": NOW_MS}
    code: str = world.write(enrolment.new_code, **{**given, **changes})
    return code


def asked(world: World, raw: bytes, code: str, now_ms: int = NOW_MS) -> bytes | None:
    reply: bytes | None = world.write(
        enrolment.enrol, world.keys, PUBLIC_URL, raw, locator_of(code), now_ms
    )
    return reply


def wrong(code: str) -> str:
    """The same locator with another secret."""
    return code[:-1] + ("0" if code[-1] != "0" else "1")


def test_kiosk_with_a_code_is_taken_in(world: World) -> None:
    published = world.publish()
    code, device = code_of(world), DeviceKeys.generate(SeededEntropy(1))
    raw = encode_enrol_request(code, device, bytes(16))

    reply = asked(world, raw, code)

    assert reply is not None
    told = decode_enrol_reply(reply, request_raw=raw, code=code)
    assert (told.kiosk_no, told.name, told.village_code) == (1, "石桥村", VILLAGE)
    assert (told.root_public, told.public_url) == (world.keys.root_public, PUBLIC_URL)
    assert told.manifest == published.manifest
    assert fleet.identity(world.conn, kiosk_id(device.sign_public)) is not None


def test_lost_reply_is_given_again(world: World) -> None:
    code, device = code_of(world), DeviceKeys.generate(SeededEntropy(1))
    raw = encode_enrol_request(code, device, bytes(16))

    replies = [asked(world, raw, code) for _ in range(2)]

    assert replies[0] == replies[1]
    assert len(fleet.kiosks(world.conn)) == 1


def test_code_is_good_for_one_kiosk(world: World) -> None:
    code = code_of(world)
    for seed, is_first in ((1, True), (2, False)):
        raw = encode_enrol_request(code, DeviceKeys.generate(SeededEntropy(seed)), bytes(16))
        if is_first:
            assert asked(world, raw, code) is not None
        else:
            with pytest.raises(CodeRefused):
                asked(world, raw, code)

    assert len(fleet.kiosks(world.conn)) == 1


def test_wrong_secret_is_counted_and_the_fifth_kills_the_code(world: World) -> None:
    code = code_of(world)
    device = DeviceKeys.generate(SeededEntropy(1))
    bad = encode_enrol_request(wrong(code), device, bytes(16))

    answers = [asked(world, bad, code) for _ in range(limits.ENROL_TRIES_MAX)]

    assert answers == [None] * limits.ENROL_TRIES_MAX
    with pytest.raises(CodeRefused):
        asked(world, encode_enrol_request(code, device, bytes(16)), code)
    assert fleet.kiosks(world.conn) == []


def test_code_is_dead_after_a_day(world: World) -> None:
    code = code_of(world)
    raw = encode_enrol_request(code, DeviceKeys.generate(SeededEntropy(1)), bytes(16))

    with pytest.raises(CodeRefused):
        asked(world, raw, code, NOW_MS + limits.ENROL_CODE_MS)


def test_unknown_code_is_refused_like_a_dead_one(world: World) -> None:
    device = DeviceKeys.generate(SeededEntropy(1))

    with pytest.raises(CodeRefused, match="not valid"):
        asked(world, encode_enrol_request("0000-0000-0000", device, bytes(16)), "000000000000")


def test_numbers_are_never_given_twice(world: World) -> None:
    kiosks = [world.enrol() for _ in range(3)]
    world.write(fleet.revoke, kiosks[2].keys.kiosk_id.hex())

    assert world.enrol(replaces=3).kiosk_no == 4


def test_code_is_not_stored_in_readable_form(world: World) -> None:
    code = code_of(world)

    stored = "\n".join(world.dump())

    assert code[:4] in stored
    assert code[5:] not in stored
    assert code.replace("-", "") not in stored


def test_reply_of_another_centre_is_not_believed(world: World) -> None:
    code, device = code_of(world), DeviceKeys.generate(SeededEntropy(1))
    raw = encode_enrol_request(code, device, bytes(16))
    reply = asked(world, raw, code)

    assert reply is not None
    with pytest.raises(EnrolmentRefused):
        decode_enrol_reply(reply[:-1] + b"x", request_raw=raw, code=code)
