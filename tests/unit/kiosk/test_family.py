"""Several matters in one visit: nobody is asked twice who they are, and nothing outlives it."""

import pytest

from kiosk import views
from kiosk.places import Asking, AtHome, AtThanks, Checking, Offered
from kiosk.screens import Screen
from tests.unit.kiosk.companions import filled, place_of
from tests.unit.kiosk.parts import OLD_ID, OWN_VILLAGE, PHONE, Visitor, catalogue, wordings
from tests.unit.kiosk.visitors import submitted

SERVICES = [s.id for s in catalogue().services if s.case_kind not in ("query", "rating")]
WIFE = "53012119520307002X"


def shown(visitor: Visitor) -> Screen:
    return views.screen(visitor.visit, visitor.world, wordings())


def thanked(service: str = "senior_allowance", language: str = "zh-CN") -> Visitor:
    """Somebody at the end of a matter."""
    visitor = Visitor(language).do("service", service).fill().hand_in().commit()
    return visitor.do("continue").do("rate_skip")


def test_end_of_a_matter_offers_another_one() -> None:
    visitor = thanked()

    assert isinstance(visitor.visit.place, AtThanks)
    assert [tile.action for tile in shown(visitor).tiles] == ["same_person", "family"]


def test_enquiry_leaves_nothing_to_go_on_with() -> None:
    visitor = thanked("suggestion")

    assert shown(visitor).tiles == ()
    assert visitor.do("same_person").visit.place == AtThanks()


def test_same_person_is_not_asked_again_who_they_are() -> None:
    visitor = thanked().do("same_person")
    assert place_of(visitor) == AtHome()
    visitor.asked.clear()

    filled(visitor.do("service", "disability_subsidy"))

    assert place_of(visitor) == Checking()
    answered = {"id_number", "name", "phone", "village_code", "bank_card", "applicant_kind"}
    assert not answered & set(visitor.asked)
    transaction = submitted(visitor.hand_in())
    assert {name: transaction.answers[name] for name in ("id_number", "name", "phone")} == {
        "id_number": OLD_ID,
        "name": "王秀兰",
        "phone": PHONE,
    }


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_can_follow_for_the_same_person(service: str) -> None:
    visitor = thanked().do("same_person").do("service", service)

    filled(visitor)

    assert submitted(visitor.hand_in()).service == service


def test_what_was_carried_stands_on_the_check_page_and_can_be_changed() -> None:
    visitor = filled(thanked().do("same_person").do("service", "proof_letter"))

    visitor.do("change", "", "name")

    assert place_of(visitor) == Asking("name", is_change=True)
    assert shown(visitor).entry.value == "王秀兰"  # type: ignore[union-attr]


def test_consents_are_asked_of_each_matter() -> None:
    visitor = thanked().do("same_person").do("service", "proof_letter")
    visitor.asked.clear()

    filled(visitor)

    assert {"consent", "consent_sensitive"} <= set(visitor.asked)


def test_family_shares_the_village_and_is_offered_the_rest() -> None:
    visitor = thanked().do("family").do("service", "pension_auth")
    visitor.asked.clear()
    offers = []
    for _ in range(60):
        match visitor.visit.place:
            case Offered(question=question):
                offers.append(question)
                visitor.do("offer_other")
            case Asking(question="id_number"):
                visitor.do("answer", WIFE, "id_number")
            case Asking():
                visitor.answer_one({"applicant_kind": "self", "name": "李秀梅"})
            case Checking():
                break
            case _:
                visitor.do("continue")

    assert offers == ["id_number", "name", "phone"]
    assert "village_code" not in visitor.asked
    transaction = submitted(visitor.hand_in())
    assert transaction.answers["village_code"] == OWN_VILLAGE
    assert transaction.answers["id_number"] == WIFE


def test_offered_number_is_masked_and_its_digits_are_not_in_the_page() -> None:
    visitor = at_offer("id_number")

    screen = shown(visitor)

    assert screen.tiles[0].label == "530121********0011"
    assert OLD_ID not in repr(screen)


def test_offered_name_is_said_and_a_number_by_its_tail() -> None:
    name, phone = shown(at_offer("name")), shown(at_offer("phone"))

    assert any("王秀兰" in repr(said) for said in name.say)
    assert any("1234" in repr(said) for said in phone.say)
    assert not any(PHONE in repr(said) for said in phone.say)


@pytest.mark.parametrize("index", ["1", "-1", "9", "x", ""])
def test_touch_beside_the_offers_takes_none(index: str) -> None:
    visitor = at_offer("id_number")

    visitor.do("offer_take", index)

    assert place_of(visitor) == Offered("id_number")


def test_name_of_a_machine_is_no_persons() -> None:
    visitor = thanked().do("family").do("service", "farm_machine_subsidy")

    places = [visit.place for visit in filled(visitor).seen]

    assert Offered("factory_number") not in places


def test_back_from_an_offer_is_the_question_before() -> None:
    visitor = at_offer("name")

    visitor.do("back")

    assert place_of(visitor) == Asking("id_number")


@pytest.mark.parametrize("end", ["home", "timeout"])
def test_end_of_the_visit_forgets_everybody(end: str) -> None:
    visitor = thanked()
    assert visitor.visit.known

    visitor.do(end)

    assert visitor.visit.known == ()
    assert OLD_ID not in repr(visitor.visit)


def test_home_of_somebody_who_went_away_is_wiped_too() -> None:
    visitor = thanked().do("same_person")
    assert shown(visitor).timeout_s > 0

    visitor.do("timeout")

    assert visitor.visit.known == ()


def test_leaving_a_form_that_was_only_filled_from_before_asks_nothing() -> None:
    visitor = thanked().do("same_person").do("service", "proof_letter")

    visitor.do("home")

    assert visitor.visit.overlay == ""


def at_offer(question: str, language: str = "zh-CN") -> Visitor:
    """Somebody's family member before a question whose like was answered before."""
    visitor = thanked(language=language).do("family").do("service", "pension_auth")
    for _ in range(40):
        match visitor.visit.place:
            case Offered(question=offered) if offered == question:
                return visitor
            case Offered():
                visitor.do("offer_take", "0")
            case Asking():
                visitor.answer_one({"applicant_kind": "self"})
            case _:
                visitor.do("continue")
    raise AssertionError(question)
