"""What is given beside words: held in memory, numbered in form order."""

import pytest

from kiosk.drafts import Drafts
from kiosk.errors import AttachmentRefused, AttachmentTooLarge
from sync.limits import ATTACHMENTS_MAX
from sync.records import Attachment, Transaction
from tests.unit.kiosk.parts import catalogue

SENIOR = catalogue().service("senior_allowance")


def transaction(**answers: str) -> Transaction:
    return Transaction(b"0123456789abcdef", "senior_allowance", "zh-CN", answers)


def held() -> Drafts:
    """Two photos and a signature, given in another order than the form's."""
    drafts = Drafts()
    drafts.put("signature", 0, "image/png", b"sign")
    drafts.put("hukou_photo", 0, "image/jpeg", b"first")
    drafts.put("hukou_photo", 1, "image/jpeg", b"second")
    return drafts


def test_attachments_are_numbered_in_form_order() -> None:
    found = held().attachments(transaction(hukou_photo="2", signature="1"), SENIOR)

    assert found == (
        Attachment("hukou_photo", 0, "image/jpeg", b"first"),
        Attachment("hukou_photo", 1, "image/jpeg", b"second"),
        Attachment("signature", 2, "image/png", b"sign"),
    )


def test_photo_taken_back_stays_behind() -> None:
    found = held().attachments(transaction(hukou_photo="1", signature="1"), SENIOR)

    assert [attachment.content for attachment in found] == [b"first", b"sign"]


def test_attachment_of_a_hidden_question_stays_behind() -> None:
    found = held().attachments(transaction(signature="1"), SENIOR)

    assert [attachment.question for attachment in found] == ["signature"]


def test_typed_note_has_no_recording() -> None:
    drafts = Drafts()
    drafts.put("text_or_voice", 0, "audio/webm", b"sound")
    typed = Transaction(b"0" * 16, "suggestion", "en", {"text_or_voice": "=the lamp"})

    assert drafts.attachments(typed, catalogue().service("suggestion")) == ()


def test_same_place_again_replaces() -> None:
    drafts = held()

    assert drafts.put("hukou_photo", 1, "image/jpeg", b"better") == 2
    found = drafts.attachments(transaction(hukou_photo="2"), SENIOR)
    assert [attachment.content for attachment in found] == [b"first", b"better"]


def test_gap_is_refused() -> None:
    with pytest.raises(AttachmentRefused):
        held().put("hukou_photo", 3, "image/jpeg", b"x")


def test_one_transaction_holds_so_many() -> None:
    drafts = Drafts()
    for index in range(ATTACHMENTS_MAX):
        drafts.put("hukou_photo", index, "image/jpeg", b"x")

    with pytest.raises(AttachmentTooLarge):
        drafts.put("signature", 0, "image/png", b"x")


def test_wipe_leaves_nothing() -> None:
    drafts = held()
    drafts.discard("signature")
    assert drafts.attachments(transaction(signature="1"), SENIOR) == ()

    drafts.wipe()

    assert drafts.is_empty
