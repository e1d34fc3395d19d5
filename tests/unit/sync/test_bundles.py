"""Files of sticks, byte by byte: written, cut anywhere, changed anywhere, made by anybody."""

import tracemalloc
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import limits, signing
from sync.bundles import (
    ANSWER,
    ANSWER_MAGIC,
    BLOB,
    BUNDLE_MAGIC,
    END_BYTES,
    HEAD_BYTES,
    ITEM_HEAD_BYTES,
    MANIFEST,
    REQUEST,
    BundleReader,
    BundleWriter,
    Head,
    Item,
    MarkerRefused,
    answer_name,
    blob_item,
    bundle_name,
    centre_id,
    encode_marker,
    name_parts,
    read_blob_item,
    verify_marker,
)
from sync.octets import WireError
from tests.unit.sync.worlds import CERTIFICATE_END_MS, START_MS, SmallCentre

HEAD = Head(centre_id=b"a centre", kiosk_id=b"a kiosk.")
ITEMS = (b"first frame", b"", b"third frame, longer than the others")


def bundle(items: tuple[bytes, ...] = ITEMS, magic: bytes = BUNDLE_MAGIC) -> bytes:
    raw = bytearray()
    writer = BundleWriter(raw.extend, magic, HEAD)
    for item in items:
        writer.add(REQUEST, item)
    writer.end()
    return bytes(raw)


def read(raw: bytes, size: int = 1 << 30, magic: bytes = BUNDLE_MAGIC) -> tuple[list[Item], str]:
    reader = BundleReader(magic)
    found = [item for at in range(0, len(raw), size) for item in reader.feed(raw[at : at + size])]
    return found, reader.ending


def test_what_was_written_is_read_with_the_places_of_all_items() -> None:
    raw = bundle()

    found, ending = read(raw)

    assert [item.raw for item in found] == list(ITEMS)
    assert all(raw[item.offset :].startswith(item.raw) for item in found)
    assert ending == "whole"


@given(size=st.integers(1, 120))
def test_pieces_may_be_cut_anywhere(size: int) -> None:
    raw = bundle()

    assert read(raw, size) == read(raw)


def test_file_that_is_cut_at_any_byte_yields_what_was_whole_before() -> None:
    raw = bundle()
    ends = [item.offset + len(item.raw) for item in read(raw)[0]]

    for size in range(len(raw)):
        found, ending = read(raw[:size])

        assert [item.raw for item in found] == [
            item for item, end in zip(ITEMS, ends, strict=True) if end <= size
        ]
        assert ending == ("cut" if size >= len(BUNDLE_MAGIC) else "not_ours")


def test_bit_that_flips_anywhere_is_told_and_costs_nothing_before_it() -> None:
    raw = bundle()
    ends = [item.offset + len(item.raw) for item in read(raw)[0]]

    for place in range(len(raw)):
        found, ending = read(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])

        assert ending != "whole", place
        before = [item for item, end in zip(ITEMS, ends, strict=True) if end <= place]
        assert [item.raw for item in found][: len(before)] == (before if place >= 4 else [])


def test_other_files_are_not_ours_and_newer_ones_are_told_so() -> None:
    assert read(b"[autorun]\nopen=evil.exe") == ([], "not_ours")
    assert read(b"") == ([], "not_ours")
    assert read(bundle(magic=ANSWER_MAGIC)) == ([], "not_ours")
    assert read(b"BMB\x02" + bundle()[4:]) == ([], "newer")


def test_bytes_after_the_end_are_told() -> None:
    assert read(bundle() + b"x")[1] == "damaged"
    assert read(bundle() + b"x", size=1)[1] == "damaged"


@pytest.mark.parametrize("kind", [REQUEST, ANSWER, MANIFEST, BLOB, 9, 255])
def test_lying_length_is_refused_before_anything_is_waited_for(kind: int) -> None:
    head = bundle()[:HEAD_BYTES]
    reader = BundleReader(BUNDLE_MAGIC)

    found = reader.feed(head + bytes([kind]) + b"\xff\xff\xff\xff")

    assert (found, reader.is_over, reader.ending) == ([], True, "damaged")


def test_kinds_of_a_later_program_are_passed_over() -> None:
    raw = bytearray()
    writer = BundleWriter(raw.extend, BUNDLE_MAGIC, HEAD)
    writer.add(REQUEST, b"ours")
    writer._put(bytes([7]) + (3).to_bytes(4, "big") + b"new")
    writer.count += 1
    writer.end()

    found, ending = read(bytes(raw))

    assert ([item.kind for item in found], ending) == ([REQUEST, 7], "whole")


def test_file_of_too_many_or_too_many_bytes_is_left_at_the_bound() -> None:
    crowd = bundle((b"",) * (limits.BUNDLE_ITEMS_MAX + 5))
    reader = BundleReader(BUNDLE_MAGIC, bytes_max=len(bundle()) - END_BYTES - ITEM_HEAD_BYTES - 1)
    short = reader.feed(bundle())

    assert (len(read(crowd)[0]), read(crowd)[1]) == (limits.BUNDLE_ITEMS_MAX, "too_long")
    assert ([item.raw for item in short], reader.ending) == (list(ITEMS[:2]), "too_long")


@given(st.binary(max_size=400), st.integers(1, 64))
@settings(max_examples=300, deadline=None)
def test_no_bytes_at_all_raise_anything(raw: bytes, size: int) -> None:
    for magic in (BUNDLE_MAGIC, ANSWER_MAGIC):
        read(raw, size, magic)
        found, _ = read(magic + HEAD.centre_id + HEAD.kiosk_id + raw, size, magic)
        assert sum(ITEM_HEAD_BYTES + len(item.raw) for item in found) <= len(raw)


def test_long_file_is_read_within_the_memory_of_one_item() -> None:
    frame = bytes(limits.FRAME_BYTES_MAX)
    reader = BundleReader(BUNDLE_MAGIC)
    head = bundle()[:HEAD_BYTES]
    item = bytes([REQUEST]) + len(frame).to_bytes(4, "big") + frame
    reader.feed(head)

    tracemalloc.start()
    count = 0
    for _ in range(40):
        for at in range(0, len(item), limits.STICK_PIECE_BYTES):
            count += len(reader.feed(item[at : at + limits.STICK_PIECE_BYTES]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 40
    assert peak < 4 * limits.FRAME_BYTES_MAX


def test_writer_refuses_what_no_reader_takes() -> None:
    writer = BundleWriter(lambda _: None, BUNDLE_MAGIC, HEAD)

    with pytest.raises(ValueError, match="longer"):
        writer.add(REQUEST, bytes(limits.FRAME_BYTES_MAX + 1))


# --- names ---


def test_names_hold_on_every_file_system_and_lead_nowhere() -> None:
    name = bundle_name(HEAD.kiosk_id, 300)

    assert name_parts(name) == (HEAD.kiosk_id, 300, ".bmb")
    assert name_parts(answer_name(name)) == (HEAD.kiosk_id, 300, ".bmr")


@pytest.mark.parametrize(
    "name",
    [
        "AUTORUN.INF",
        "../8489be0a8aa685ea-1.bmb",
        "8489be0a8aa685ea-1.bmb/x",
        "8489BE0A8AA685EA-1.bmb",
        "8489be0a8aa685ea-1.bmb\n",
        "8489be0a8aa685ea-１.bmb",
        "8489be0a8aa685ea-1.exe",
        "8489be0a8aa685ea-1234567890123456.bmb",
        "",
    ],
)
def test_other_names_are_none_of_ours(name: str) -> None:
    assert name_parts(name) is None


# --- the mark of a stick ---


def marked(centre: SmallCentre, made_ms: int = START_MS) -> bytes:
    signer = partial(signing.sign, centre.signing_private, "stick")
    return encode_marker(centre.certificate, made_ms, signer)


def test_mark_of_the_centre_is_known_and_stays_good_after_its_key_was_renewed() -> None:
    centre = SmallCentre()
    raw = marked(centre)
    centre.certificate = centre.certified(serial=2)

    assert verify_marker(raw, (centre.root_public,)) == START_MS


def test_mark_made_after_the_key_s_time_was_over_is_none() -> None:
    centre = SmallCentre()

    with pytest.raises(MarkerRefused):
        verify_marker(marked(centre, CERTIFICATE_END_MS + 1), (centre.root_public,))


def test_mark_of_another_centre_and_any_changed_byte_are_refused() -> None:
    centre, raw = SmallCentre(), marked(SmallCentre())

    for place in range(len(raw)):
        with pytest.raises(MarkerRefused):
            verify_marker(
                raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :], (centre.root_public,)
            )
    for other in (raw[:-1], raw + b"x", b""):
        with pytest.raises(MarkerRefused):
            verify_marker(other, (centre.root_public,))
    with pytest.raises(MarkerRefused):
        verify_marker(raw, (SmallCentre(seed=2).root_public,))


def test_signature_of_another_purpose_marks_no_stick() -> None:
    centre = SmallCentre()
    signer = partial(signing.sign, centre.signing_private, "reply")

    with pytest.raises(MarkerRefused):
        verify_marker(encode_marker(centre.certificate, START_MS, signer), (centre.root_public,))


def test_centre_is_named_by_its_root_and_blobs_by_their_content() -> None:
    centre = SmallCentre()

    assert centre_id(centre.root_public) != centre_id(SmallCentre(seed=2).root_public)
    assert read_blob_item(blob_item("ab" * 32, b"packed")) == ("ab" * 32, b"packed")
    with pytest.raises(WireError):
        read_blob_item(b"short")
