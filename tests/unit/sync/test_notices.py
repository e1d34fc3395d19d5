"""Notices: they read back, say little, and are the same whatever their numbers."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.notices import decode_notice, encode_notice, notice_digest
from sync.octets import WireError
from sync.records import Notice

words = st.text(max_size=20)
notices = st.builds(
    Notice,
    number=st.integers(0, 2**40),
    case_no=words,
    kind=words,
    service=words,
    at_ms=st.integers(0, 2**48),
    due_on=words,
    is_about=st.booleans(),
    missing=st.lists(words, max_size=4).map(tuple),
    correct_by=words,
    reason_code=words,
    words=words,
)


@given(notices)
def test_notice_reads_back_under_its_number(notice: Notice) -> None:
    assert decode_notice(encode_notice(notice), notice.number) == notice


@given(notices)
def test_same_notice_has_the_same_digest_under_another_number(notice: Notice) -> None:
    other = msgspec.structs.replace(notice, number=notice.number + 1)
    changed = msgspec.structs.replace(notice, words=notice.words + "!")

    assert notice_digest(other) == notice_digest(notice) != notice_digest(changed)


def test_plain_notice_is_short() -> None:
    notice = Notice(
        number=1, case_no="004200000188", kind="received", service="pension_check", at_ms=10**12
    )

    assert len(encode_notice(notice)) == 46


def test_field_of_a_newer_centre_is_passed_over() -> None:
    fields = ["1", "accepted", "s", 5, "", False, [], "", "", "", "something new"]

    notice = decode_notice(msgspec.msgpack.encode(fields), 3)

    assert notice == Notice(number=3, case_no="1", kind="accepted", service="s", at_ms=5)


@given(st.binary(max_size=60))
def test_anything_else_is_refused_with_its_own_error(raw: bytes) -> None:
    try:
        decode_notice(raw, 1)
    except WireError:
        return


@pytest.mark.parametrize("raw", [b"", b"\x90", b"\x80", b"\xc0"])
def test_notice_without_its_first_fields_is_refused(raw: bytes) -> None:
    with pytest.raises(WireError):
        decode_notice(raw, 1)


def test_text_that_is_no_utf8_is_no_notice() -> None:
    with pytest.raises(WireError):
        decode_notice(b"\x91\xa3\x00\x00\x80", 1)
