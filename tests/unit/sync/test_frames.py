"""Requests and replies: they read back, cost little, and no changed byte is believed."""

from functools import partial

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import frames, limits, signing
from sync.clock import SeededEntropy
from sync.frames import Chunk, ChunkMark, Reply, ReplyRefused, Request, SealedNotice
from sync.health import short_health
from sync.octets import UVARINT_MAX, WireError
from sync.records import Envelope, Header, Health
from sync.runs import VERDICTS
from sync.signing import DeviceKeys, SignatureRefused
from sync.wire import envelope_hash
from tests.unit.sync.worlds import HEALTH, START_MS, SmallCentre

KEYS = DeviceKeys.generate(SeededEntropy(7))
CENTRE = SmallCentre()
SIGN_REQUEST = partial(KEYS.sign, "request")
SIGN_REPLY = partial(signing.sign, CENTRE.signing_private, "reply")

numbers = st.integers(0, UVARINT_MAX)
words = st.text(max_size=10)
healths = st.builds(
    Health,
    version=words,
    pending=numbers,
    oldest_s=numbers,
    disk_free_mb=numbers,
    attachments_pending=numbers,
    boots=numbers,
    devices=st.dictionaries(words, words, max_size=3),
)
chunks = st.integers(0, 400).flatmap(
    lambda offset: st.builds(
        Chunk,
        seq=st.integers(1, limits.SEQ_MAX),
        index=st.integers(0, 8),
        total=st.just(500),
        digest=st.binary(min_size=16, max_size=16),
        offset=st.just(offset),
        data=st.binary(max_size=100),
    )
)
extensions = st.dictionaries(st.integers(0, 2**31 - 1), st.binary(max_size=20), max_size=3).map(
    lambda found: tuple(sorted((tag * 2, raw) for tag, raw in found.items()))
)


def envelope(header: Header, size: int = 144) -> Envelope:
    return Envelope(header=header, sealed=SeededEntropy(header.seq).token_bytes(size))


def chain(count: int, first: int = 1) -> tuple[Envelope, ...]:
    """Make consecutive envelopes of a usual size: 96 bytes of body."""
    made: list[Envelope] = []
    prev = bytes(8)
    for seq in range(first, first + count):
        header = Header(kiosk_id=KEYS.kiosk_id, seq=seq, prev=prev, key_id=1, catalogue=3)
        made.append(envelope(header))
        prev = envelope_hash(made[-1])
    return tuple(made)


loose = st.lists(
    st.builds(
        Header,
        kiosk_id=st.just(KEYS.kiosk_id),
        seq=st.integers(1, 9),
        prev=st.sampled_from([bytes(8), b"previous"]),
        key_id=st.integers(1, 2),
        catalogue=st.integers(1, 2),
    ).map(envelope),
    max_size=4,
).map(tuple)


def request(**changes: object) -> Request:
    fields: dict[str, object] = {
        "kiosk_id": KEYS.kiosk_id,
        "counter": 300,
        "boot_id": b"boot",
        "now_ms": START_MS,
        "monotonic_ms": 86_400_000,
        "epoch": START_MS // 1000,
        "head_seq": 300,
        "head_hash": b"headhash",
        "cursor": 200,
        "catalogue": 3,
        "certificate": 1,
        "health": HEALTH,
    }
    return Request(**{**fields, **changes})  # type: ignore[arg-type]  # a builder


def reply(request_raw: bytes, **changes: object) -> Reply:
    fields: dict[str, object] = {
        "request_hash": frames.request_hash(request_raw),
        "kiosk_id": KEYS.kiosk_id,
        "epoch": START_MS // 1000,
        "durability": "D0",
        "centre_ms": START_MS,
        "mark_seq": 300,
        "mark_hash": b"headhash",
        "catalogue_version": 3,
    }
    return Reply(**{**fields, **changes})  # type: ignore[arg-type]  # a builder


def believed(raw: bytes, request_raw: bytes) -> Reply:
    return frames.decode_reply(
        raw, request_raw=request_raw, kiosk_id=KEYS.kiosk_id, trusted=CENTRE.trust
    )


@given(
    st.builds(
        Request,
        kiosk_id=st.just(KEYS.kiosk_id),
        counter=numbers,
        boot_id=st.binary(min_size=4, max_size=4),
        now_ms=st.integers(0, 2**48 - 1),
        monotonic_ms=numbers,
        epoch=numbers,
        head_seq=st.integers(0, limits.SEQ_MAX),
        head_hash=st.binary(min_size=8, max_size=8),
        cursor=numbers,
        catalogue=st.integers(0, 2**32 - 1),
        certificate=st.integers(0, 2**32 - 1),
        health=healths,
        envelopes=loose | st.integers(0, 5).map(chain),
        chunks=st.lists(chunks, max_size=3).map(tuple),
        extensions=extensions,
    )
)
def test_request_reads_back_and_verifies(made: Request) -> None:
    raw = frames.encode_request(made, SIGN_REQUEST)

    assert frames.verify_request(frames.decode_request(raw), KEYS.sign_public) == made


@given(
    st.builds(
        Reply,
        request_hash=st.just(frames.request_hash(b"request")),
        kiosk_id=st.just(KEYS.kiosk_id),
        epoch=numbers,
        durability=st.sampled_from(frames.DURABILITIES),
        centre_ms=st.integers(0, START_MS),
        mark_seq=st.integers(0, limits.SEQ_MAX),
        mark_hash=st.binary(min_size=8, max_size=8),
        catalogue_version=st.integers(0, 2**32 - 1),
        manifest_hash=st.sampled_from([b"", bytes(32)]),
        flags=st.frozensets(st.sampled_from(frames.FLAGS)),
        verdicts=st.lists(st.sampled_from(VERDICTS), max_size=50).map(tuple),
        chunk_marks=st.lists(
            st.builds(
                ChunkMark,
                seq=st.integers(1, limits.SEQ_MAX),
                index=st.integers(0, 8),
                received_bytes=st.integers(0, limits.SEALED_ATTACHMENT_BYTES_MAX),
            ),
            max_size=3,
        ).map(tuple),
        bytes_max=numbers,
        retry_after_s=st.integers(0, frames.RETRY_AFTER_S_MAX),
        notices=st.lists(
            st.builds(SealedNotice, number=numbers, sealed=st.binary(max_size=100)), max_size=3
        ).map(tuple),
        certificate=st.sampled_from([None, CENTRE.certified(serial=2)]),
        extensions=extensions,
    )
)
def test_reply_reads_back(made: Reply) -> None:
    raw = frames.encode_reply(made, SIGN_REPLY)

    assert believed(raw, b"request") == made


def test_idle_exchange_is_small() -> None:
    request_raw = frames.encode_request(request(), SIGN_REQUEST)
    reply_raw = frames.encode_reply(reply(request_raw), SIGN_REPLY)

    assert (len(request_raw), len(reply_raw)) == (126, 122)


def test_typical_transaction_costs_under_200_bytes_at_batch_100() -> None:
    empty = frames.encode_request(request(), SIGN_REQUEST)
    full = frames.encode_request(request(envelopes=chain(100)), SIGN_REQUEST)
    answer = frames.encode_reply(reply(full, verdicts=("stored",) * 100), SIGN_REPLY)

    per_envelope = (len(full) + len(answer)) / 100
    overhead = (len(full) - len(empty)) / 100 - 96
    assert per_envelope < 150
    assert overhead < 50.3  # 48 seal, 2 length, the run's share


def test_consecutive_envelopes_say_their_common_parts_once() -> None:
    one = frames.encode_request(request(envelopes=chain(1)), SIGN_REQUEST)
    two = frames.encode_request(request(envelopes=chain(2)), SIGN_REQUEST)

    assert len(two) - len(one) == 2 + 144


def test_no_changed_byte_of_a_request_is_believed() -> None:
    raw = frames.encode_request(request(envelopes=chain(2)), SIGN_REQUEST)
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises((WireError, SignatureRefused)):
            frames.verify_request(frames.decode_request(changed), KEYS.sign_public)


def test_no_changed_byte_and_no_part_of_a_reply_is_believed() -> None:
    raw = frames.encode_reply(
        reply(b"request", certificate=CENTRE.certificate, verdicts=("stored",)), SIGN_REPLY
    )
    believed(raw, b"request")
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises(ReplyRefused):
            believed(changed, b"request")
        with pytest.raises(ReplyRefused):
            believed(raw[:place], b"request")


@given(st.binary(max_size=400))
@settings(max_examples=300)
def test_parsers_refuse_anything_else_with_their_own_error(raw: bytes) -> None:
    for start in (b"", frames.REQUEST_MAGIC, frames.REPLY_MAGIC):
        with pytest.raises(WireError):
            frames.decode_request(frames.REQUEST_MAGIC + start + raw[:70])
        with pytest.raises(ReplyRefused):
            believed(start + raw, b"request")


@given(place=st.integers(0, 10_000), cut=st.binary(max_size=6), size=st.integers(0, 6))
@settings(max_examples=300)
def test_mutated_requests_raise_their_own_error_or_read(place: int, cut: bytes, size: int) -> None:
    made = request(envelopes=chain(3), extensions=((2, b"x"),))
    raw = frames.encode_request(made, SIGN_REQUEST)
    place %= len(raw)
    try:
        frames.decode_request(raw[:place] + cut + raw[place + size :])
    except WireError:
        return


def test_reply_to_another_request_or_kiosk_is_refused() -> None:
    raw = frames.encode_reply(reply(b"request"), SIGN_REPLY)
    other = frames.encode_reply(reply(b"request", kiosk_id=b"stranger"), SIGN_REPLY)

    with pytest.raises(ReplyRefused):
        believed(raw, b"other request")
    with pytest.raises(ReplyRefused):
        believed(other, b"request")


def test_reply_of_an_uncertified_key_is_refused() -> None:
    private, public = signing.generate_signing_key(SeededEntropy(5))
    own = signing.issue_certificate(private, public, serial=9, not_after_ms=2 * START_MS)
    raw = frames.encode_reply(
        reply(b"request", certificate=own), partial(signing.sign, private, "reply")
    )

    with pytest.raises(ReplyRefused):
        believed(raw, b"request")


def test_unknown_even_extension_is_carried_and_unknown_odd_one_refused() -> None:
    raw = frames.encode_request(request(extensions=((4, b"tree head"),)), SIGN_REQUEST)
    odd = frames.encode_request(request(extensions=((5, b"must"),)), SIGN_REQUEST)

    assert frames.decode_request(raw).request.extensions == ((4, b"tree head"),)
    with pytest.raises(WireError):
        frames.decode_request(odd)
    assert frames.decode_request(odd, known_tags=frozenset({5})).request.extensions


def test_key_of_another_kiosk_does_not_verify() -> None:
    stranger = DeviceKeys.generate(SeededEntropy(8))
    raw = frames.encode_request(request(), partial(stranger.sign, "request"))

    with pytest.raises(SignatureRefused):
        frames.verify_request(frames.decode_request(raw), stranger.sign_public)


@pytest.mark.parametrize(
    "change",
    [
        {"envelopes": chain(limits.FRAME_ENVELOPES_MAX + 1)},
        {"envelopes": (envelope(Header(bytes(8), 1, bytes(8), 1, 1)),)},
        {"boot_id": b"long boot id"},
        {"extensions": ((4, b""), (2, b""))},
        {"counter": -1},
        {
            "health": Health(
                version="1", pending=0, oldest_s=0, disk_free_mb=0, devices={"d": "w" * 500}
            )
        },
    ],
    ids=["too many", "stranger's", "boot id", "order", "counter", "health"],
)
def test_request_out_of_bounds_is_not_written(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        frames.encode_request(request(**change), SIGN_REQUEST)


@given(
    st.builds(
        Health,
        version=st.text(max_size=80),
        pending=st.integers(-5, 2**60),
        oldest_s=st.integers(-5, 2**60),
        disk_free_mb=st.integers(-5, 2**60),
        devices=st.dictionaries(st.text(max_size=80), st.text(max_size=300), max_size=12),
    )
)
def test_short_health_always_fits_a_frame(health: Health) -> None:
    short = short_health(health)

    raw = frames.encode_request(request(health=short), SIGN_REQUEST)

    assert frames.decode_request(raw).request.health.devices == short.devices


def test_short_health_leaves_a_usual_report_alone() -> None:
    usual = msgspec.structs.replace(HEALTH, devices={"printer": "no paper", "voice": "ok"})

    assert short_health(usual) == usual
