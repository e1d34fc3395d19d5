"""Visitors on their way: before a question, with a receipt in hand, having found a matter."""

from kiosk.events import Found, Submit
from kiosk.places import Asking
from kiosk.visit import Matter
from sync.records import Notice, Transaction
from tests.unit.kiosk.parts import FITTING, Visitor, receipt

CASE = receipt("pension_auth").case_no
CORRECTION = Notice(
    number=1,
    case_no=CASE,
    kind="correction",
    service="pension_auth",
    at_ms=1_795_600_000_000,
    missing=("face_photo", "phone"),
    correct_by="2026-12-10",
)


def asking(service: str, question: str, language: str = "zh-CN") -> Visitor:
    """Somebody who has answered everything before that question."""
    visitor = Visitor(language).do("service", service)
    for _ in range(40):
        place = visitor.visit.place
        if isinstance(place, Asking) and place.question == question:
            return visitor
        if isinstance(place, Asking):
            visitor.answer_one(FITTING)
        else:
            visitor.do("continue")
    raise AssertionError(f"{service} never asks {question}")


def handed_in(service: str) -> Visitor:
    return Visitor().do("service", service).fill().hand_in().commit()


def submitted(visitor: Visitor) -> Transaction:
    (effect,) = visitor.effects
    assert isinstance(effect, Submit)
    return effect.transaction


def found(*notices: Notice) -> Found:
    return Found((Matter(CASE, "pension_auth", 1_795_500_000_000, True, notices),))
