"""What comes next is foreseen well enough that its first words are ready."""

import pytest

from kiosk import views
from kiosk.foresight import likely_visits
from kiosk.places import AtMaterials, AtReceipt, AtThanks, InCategory, Rating
from kiosk.visit import Visit
from tests.unit.kiosk.parts import FITTING, Visitor, answer_to, catalogue, wordings
from tests.unit.kiosk.visitors import asking, handed_in


def foreseen(visitor: Visitor) -> list[Visit]:
    screen = views.screen(visitor.visit, visitor.world, wordings())
    return list(likely_visits(visitor.visit, screen, visitor.world))


def test_home_foresees_each_of_its_tiles() -> None:
    places = [visit.place for visit in foreseen(Visitor())]

    assert InCategory("money") in places
    assert len(places) == 8


@pytest.mark.parametrize("service", [s.id for s in catalogue().services])
def test_next_question_is_foreseen_though_nobody_knows_the_answer(service: str) -> None:
    visitor = Visitor().do("service", service)
    if visitor.visit.place == AtMaterials():
        visitor.do("continue")
    (question, *_) = (q for q in catalogue().service(service).questions)
    expected = foreseen(visitor)

    visitor.do("answer", answer_to(question, FITTING), question.id)

    assert visitor.visit.place in [visit.place for visit in expected]


def test_check_page_is_foreseen_from_the_last_question() -> None:
    places = [visit.place for visit in foreseen(asking("suggestion", "keep_name"))]

    assert "Checking" in {type(place).__name__ for place in places}


def test_receipt_rating_and_thanks_are_foreseen() -> None:
    visitor = Visitor().do("service", "suggestion").fill().do("more", "2")
    assert [visit.place for visit in foreseen(visitor)] == [AtReceipt()]

    visitor = handed_in("pension_auth")
    assert [visit.place for visit in foreseen(visitor)] == [Rating()]

    visitor.do("continue")
    assert AtThanks("rated") in [visit.place for visit in foreseen(visitor)]


def test_foreseeing_changes_nothing() -> None:
    visitor = Visitor()
    before = visitor.visit

    foreseen(visitor)

    assert visitor.visit == before
