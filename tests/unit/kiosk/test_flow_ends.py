"""After the form: rating, finding one's matters again, bringing what is missing."""

import pytest
from msgspec.structs import replace

from kiosk.events import Found, LookUp
from kiosk.places import Asking, AtMatter, AtMatters, AtThanks, Rating
from kiosk.visit import Matter
from sync.records import Transaction
from tests.unit.kiosk.parts import (
    OLD_ID,
    PHONE,
    Visitor,
    receipt,
)
from tests.unit.kiosk.visitors import CASE, CORRECTION, found, handed_in, submitted

# --- rating ---


def test_good_rating_is_handed_in_at_once() -> None:
    visitor = handed_in("suggestion").do("continue")
    assert visitor.visit.place == Rating()

    visitor.do("rate", "very_satisfied")

    assert submitted(visitor) == Transaction(
        id=b"0123456789abcdef",
        service="rating",
        language="zh-CN",
        answers={"case_no": receipt("suggestion").case_no, "level": "very_satisfied"},
    )


def test_bad_rating_is_asked_why_first() -> None:
    visitor = handed_in("suggestion").do("continue").do("rate", "dissatisfied")
    visitor.asked.clear()

    visitor.fill()

    assert visitor.asked == ["why_bad", "say", "call_back"]
    assert submitted(visitor).answers["call_back"] == "yes"


def test_rating_ends_with_thanks_and_the_first_receipt_stays_unchanged() -> None:
    visitor = handed_in("suggestion").do("continue").do("rate", "satisfied")

    visitor.commit(seq=138)

    assert visitor.visit.place == AtThanks("rated")
    assert visitor.visit.receipt == receipt("suggestion")


def test_nobody_must_rate() -> None:
    visitor = handed_in("suggestion").do("continue").do("rate_skip")

    assert visitor.visit.place == AtThanks("done")
    assert visitor.effects == ()


def test_rating_is_not_rated() -> None:
    visitor = handed_in("rating").do("continue")

    assert visitor.visit.place == AtThanks("done")


# --- my matters ---


def test_enquiry_by_slip_looks_up_the_number() -> None:
    visitor = Visitor().do("matters").fill(case_no=CASE)

    assert visitor.effects == (LookUp(case_no=CASE),)


def test_enquiry_by_card_looks_up_the_person() -> None:
    visitor = Visitor().do("matters").fill(find_by="id")

    assert visitor.effects == (LookUp(id_number=OLD_ID, phone_tail="1234"),)


def test_one_matter_is_shown_at_once() -> None:
    visitor = Visitor().do("matters").fill(case_no=CASE).give(found())

    assert visitor.visit.place == AtMatter(CASE)


def test_several_matters_are_listed() -> None:
    other = Matter("004200013865", "suggestion", 1, False)
    visitor = Visitor().do("matters").fill().give(Found((*found().matters, other)))

    visitor.do("matter", other.case_no)

    assert visitor.visit.place == AtMatter(other.case_no)
    assert visitor.do("back").visit.place == AtMatters()


def test_unknown_number_can_be_asked_again() -> None:
    visitor = Visitor().do("matters").fill(case_no=CASE).give(Found(()))
    empty = visitor.visit.place

    visitor.do("back")

    assert empty == AtMatters()
    assert visitor.visit.place == Asking("case_no")


def test_correction_asks_only_what_is_missing_in_form_order() -> None:
    visitor = Visitor().do("matters").fill(case_no=CASE).give(found(CORRECTION))
    visitor.asked.clear()

    visitor.do("correct", CASE).fill().hand_in()

    assert visitor.asked == ["phone", "face_photo"]
    assert submitted(visitor) == Transaction(
        id=b"0123456789abcdef",
        service="pension_auth",
        language="zh-CN",
        answers={"phone": PHONE, "face_photo": "1"},
        corrects=CASE,
    )


def test_correction_asked_for_cannot_be_skipped() -> None:
    visitor = Visitor().do("matters").fill(case_no=CASE).give(found(CORRECTION))
    visitor.do("correct", CASE)

    visitor.do("skip", "", "phone").do("answer", "", "phone")

    assert visitor.visit.place == Asking("phone", error="required", tries=1)


def test_correction_keeps_what_was_said_while_the_notice_is_read_again() -> None:
    visitor = Visitor().do("matters").fill(case_no=CASE).give(found(CORRECTION))
    visitor.do("correct", CASE).do("answer", PHONE, "phone").do("back").do("back")
    assert visitor.visit.place == AtMatter(CASE)

    visitor.do("correct", CASE)

    assert visitor.draft.answers == {"phone": PHONE}


@pytest.mark.parametrize("kind", ["accepted", "refused", "completed", "received"])
def test_nothing_can_be_corrected_after_another_word(kind: str) -> None:
    later = replace(CORRECTION, number=2, kind=kind)
    visitor = Visitor().do("matters").fill(case_no=CASE).give(found(CORRECTION, later))

    visitor.do("correct", CASE)

    assert visitor.visit.place == AtMatter(CASE)
