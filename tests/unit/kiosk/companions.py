"""Visitors beside whom a helper stands, or who have handed something in before."""

from kiosk.assisted.company import Helper
from kiosk.events import CheckHelper, HelperKnown
from kiosk.places import Agreeing, Asking, AtMaterials, Offered, Warned
from tests.unit.kiosk.parts import FITTING, Visitor

ZHANG = Helper("12", "张婷")


def helped(language: str = "zh-CN", **changes: object) -> Visitor:
    """A screen at which helper 12 has signed in."""
    visitor = Visitor(language, **changes).do("help").do("sign_in")
    visitor.do("helper_number", ZHANG.number).do("helper_pin", "730416")
    assert visitor.effects == (CheckHelper("12", "730416"),)
    return visitor.give(HelperKnown(ZHANG))


def filled(visitor: Visitor, **fitting: str) -> Visitor:
    """Answer everything, taking what is offered from before."""
    for _ in range(90):
        if visitor.visit.overlay:
            return visitor
        match visitor.visit.place:
            case Offered():
                visitor.do("offer_take", "0")
            case AtMaterials() | Warned():
                visitor.do("continue")
            case Asking():
                visitor.answer_one(FITTING | fitting)
            case _:
                return visitor
    raise AssertionError(f"no end in sight: {visitor.visit.place}")


def agreed(visitor: Visitor) -> Visitor:
    """Hand in, and let the resident agree."""
    visitor.hand_in()
    assert visitor.visit.place == Agreeing(), visitor.visit.place
    return visitor.do("agree")


def place_of(visitor: Visitor) -> object:
    """Where they stand; an object, so that a type checker believes that they move."""
    return visitor.visit.place
