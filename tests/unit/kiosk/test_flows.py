"""The visit as a state machine: what a touch leads to."""

from msgspec.structs import replace

from kiosk.events import Attached, Failed, Ring, Wipe
from kiosk.places import (
    Asking,
    AtFault,
    AtHome,
    AtMaterials,
    AtReceipt,
    AtThanks,
    Checking,
    InCategory,
    Waiting,
    Warned,
)
from kiosk.visit import Visit
from tests.unit.kiosk.parts import (
    OLD_ID,
    PHONE,
    Visitor,
    receipt,
)
from tests.unit.kiosk.visitors import asking, handed_in, submitted

# --- choosing ---


def test_home_category_with_many_services_lists_them() -> None:
    visitor = Visitor().do("open", "money")

    assert visitor.visit.place == InCategory("money")


def test_home_category_with_one_service_begins_it() -> None:
    visitor = Visitor().do("open", "papers")

    assert visitor.visit.place == AtMaterials()
    assert visitor.draft.service == "proof_letter"


def test_service_without_papers_begins_with_its_first_question() -> None:
    visitor = Visitor().do("service", "suggestion")

    assert visitor.visit.place == Asking("topic")


def test_my_matters_begins_the_enquiry() -> None:
    visitor = Visitor().do("matters")

    assert visitor.visit.place == Asking("find_by")
    assert visitor.draft.service == "progress_query"


# --- questions ---


def test_self_is_asked_nothing_about_an_agent() -> None:
    visitor = Visitor().do("service", "pension_auth").fill()

    assert [question for question in visitor.asked if question.startswith("agent")] == []


def test_agent_is_asked_who_they_are() -> None:
    visitor = Visitor().do("service", "pension_auth").fill(applicant_kind="agent")

    assert [question for question in visitor.asked if question.startswith("agent")] == [
        "agent_name",
        "agent_phone",
        "agent_relation",
    ]


def test_wrong_answer_stays_and_counts_the_same_mistake() -> None:
    visitor = asking("pension_auth", "id_number")

    visitor.do("answer", "530121194611240012", "id_number")
    visitor.do("answer", "530121194611240012", "id_number")

    assert visitor.visit.place == Asking("id_number", error="id_number", tries=2)


def test_another_mistake_counts_from_one() -> None:
    visitor = asking("pension_auth", "id_number")

    visitor.do("answer", "530121194611240012", "id_number")
    visitor.do("answer", "", "id_number")

    assert visitor.visit.place == Asking("id_number", error="required", tries=1)


def test_answer_is_kept_tidied() -> None:
    visitor = asking("pension_auth", "id_number")

    visitor.do("answer", " 11010519491231002x ", "id_number")

    assert visitor.draft.answers["id_number"] == "11010519491231002X"


def test_answer_to_another_question_changes_nothing() -> None:
    visitor = asking("pension_auth", "id_number")
    before = visitor.visit

    visitor.do("answer", "王秀兰", "name")

    assert visitor.visit == before


def test_required_question_cannot_be_skipped() -> None:
    visitor = asking("pension_auth", "id_number")

    visitor.do("skip", "", "id_number")

    assert visitor.visit.place == Asking("id_number")


def test_optional_question_can_be_skipped() -> None:
    visitor = asking("pension_auth", "phone")

    visitor.do("skip", "", "phone")

    assert visitor.visit.place == Asking("village_code")
    assert "phone" not in visitor.draft.answers


def test_odd_bank_card_is_asked_for_once_more_and_then_taken() -> None:
    visitor = asking("senior_allowance", "bank_card")

    visitor.do("answer", "622202123456789", "bank_card")
    first = visitor.visit.place
    visitor.do("answer", "622202123456789", "bank_card")

    assert first == Asking("bank_card", error="doubtful", tries=1, doubted="622202123456789")
    assert visitor.draft.answers["bank_card"] == "622202123456789"


def test_photo_that_the_kiosk_does_not_hold_is_no_answer() -> None:
    visitor = asking("pension_auth", "face_photo")

    visitor.do("answer", "1", "face_photo")

    assert visitor.visit.place == Asking("face_photo", error="photo_missing", tries=1)


def test_photo_that_arrives_does_not_make_the_page_stale() -> None:
    visitor = asking("pension_auth", "face_photo")
    rev = visitor.visit.rev

    visitor.give(Attached("face_photo", 1))

    assert visitor.visit.rev == rev
    assert visitor.draft.held == {"face_photo": 1}


def test_refused_consent_ends_the_visit_and_keeps_nothing() -> None:
    visitor = asking("pension_auth", "consent")

    visitor.do("decline", "", "consent")

    assert visitor.visit.place == AtThanks("declined")
    assert visitor.visit.draft is None
    assert visitor.effects == (Wipe(),)


# --- warnings ---


def test_warning_comes_as_soon_as_it_is_known_not_to_fit() -> None:
    visitor = asking("senior_allowance", "id_number")

    visitor.do("answer", "530121194611250017", "id_number")

    assert visitor.visit.place == Warned(0, "id_number")


def test_birthday_itself_fits() -> None:
    visitor = asking("senior_allowance", "id_number")

    visitor.do("answer", OLD_ID, "id_number")

    assert visitor.visit.place == Asking("name")


def test_warned_resident_may_go_on_and_is_not_told_again() -> None:
    visitor = asking("senior_allowance", "id_number")
    visitor.do("answer", "530121194611250017", "id_number")

    visitor.do("continue").fill(id_number="530121194611250017")

    assert visitor.visit.place == Checking()


def test_warning_comes_again_after_it_had_fitted() -> None:
    visitor = asking("senior_allowance", "id_number")
    visitor.do("answer", "530121194611250017", "id_number").do("continue")
    visitor.do("back").do("answer", OLD_ID, "id_number")

    visitor.do("back").do("answer", "530121194611250017", "id_number")

    assert visitor.visit.place == Warned(0, "id_number")


# --- going back, home, idle ---


def test_back_through_a_whole_form_loses_no_answer() -> None:
    visitor = Visitor().do("service", "senior_allowance").fill()
    answers = dict(visitor.draft.answers)

    while visitor.visit.place != AtMaterials():
        visitor.do("back")

    assert visitor.draft.answers == answers


def test_forward_after_back_shows_the_answers_one_by_one() -> None:
    visitor = asking("pension_auth", "living_place")
    visitor.do("back").do("back")
    assert visitor.visit.place == Asking("phone")

    visitor.do("answer", PHONE, "phone")

    assert visitor.visit.place == Asking("village_code")


def test_home_with_answers_asks_once() -> None:
    visitor = asking("pension_auth", "name")

    visitor.do("home")

    assert (visitor.visit.overlay, visitor.visit.place) == ("leave", Asking("name"))


def test_home_without_answers_goes_at_once() -> None:
    visitor = Visitor().do("open", "money")

    visitor.do("home")

    assert visitor.visit.place == AtHome()


def test_leave_no_returns_to_the_question() -> None:
    visitor = asking("pension_auth", "name")
    draft = visitor.draft

    visitor.do("home").do("leave_no")

    assert (visitor.visit.overlay, visitor.visit.place) == ("", Asking("name"))
    assert visitor.visit.draft == draft


def test_leave_yes_wipes() -> None:
    visitor = asking("pension_auth", "name", language="en")
    rev = visitor.visit.rev

    visitor.do("home").do("leave_yes")

    assert visitor.visit == Visit(id="fresh", rev=rev + 2, language="en")
    assert visitor.effects == (Wipe(),)


def test_time_out_asks_and_the_next_one_wipes_in_the_first_language() -> None:
    visitor = asking("pension_auth", "name", language="en")
    visitor.do("timeout")
    assert visitor.visit.overlay == "idle"

    visitor.do("timeout")

    assert visitor.visit == Visit(id="fresh", rev=visitor.visit.rev)
    assert visitor.effects == (Wipe(),)


def test_any_touch_of_the_idle_screen_is_a_sign_of_life() -> None:
    visitor = asking("pension_auth", "name").do("timeout")

    visitor.do("still_here")

    assert (visitor.visit.overlay, visitor.visit.place) == ("", Asking("name"))


def test_receipt_left_alone_is_wiped() -> None:
    visitor = handed_in("suggestion")

    visitor.do("timeout")

    assert visitor.visit == Visit(id="fresh", rev=visitor.visit.rev)


def test_language_keeps_place_and_answers() -> None:
    visitor = asking("pension_auth", "name")
    draft = visitor.draft

    visitor.do("language", "en")

    assert (visitor.visit.language, visitor.visit.place) == ("en", Asking("name"))
    assert visitor.visit.draft == draft


def test_help_rings_and_closes_where_it_was() -> None:
    visitor = asking("pension_auth", "name").do("help")

    visitor.do("call_helper")
    effects = visitor.effects
    visitor.do("help_close")

    assert effects == (Ring(),)
    assert (visitor.visit.overlay, visitor.visit.place) == ("", Asking("name"))


# --- checking and handing in ---


def test_change_returns_to_the_check_page() -> None:
    visitor = Visitor().do("service", "pension_auth").fill()

    visitor.do("change", "name", "name").do("answer", "李秀英", "name")

    assert visitor.visit.place == Checking()
    assert visitor.draft.answers["name"] == "李秀英"


def test_change_that_opens_questions_walks_only_those() -> None:
    visitor = Visitor().do("service", "pension_auth").fill()
    visitor.asked.clear()

    visitor.do("change", "", "applicant_kind").do("answer", "agent", "applicant_kind")
    visitor.fill()

    assert visitor.asked == ["agent_name", "agent_phone", "agent_relation", "seen_by_helper"]
    assert visitor.visit.place == Checking()


def test_change_that_hides_questions_leaves_their_answers_out() -> None:
    visitor = Visitor().do("service", "pension_auth").fill(applicant_kind="agent")

    visitor.do("change", "", "applicant_kind").do("answer", "self", "applicant_kind").hand_in()

    answers = submitted(visitor).answers
    assert [name for name in answers if name.startswith("agent")] == []


def test_answers_hidden_by_mistake_come_back() -> None:
    visitor = Visitor().do("service", "pension_auth").fill(applicant_kind="agent")
    whole = visitor.draft.answers
    visitor.do("change", "", "applicant_kind").do("answer", "self", "applicant_kind")

    visitor.do("change", "", "applicant_kind").do("answer", "agent", "applicant_kind")

    assert visitor.visit.place == Checking()
    assert visitor.draft.answers == whole


def test_transaction_id_is_minted_with_the_check_page_and_stays() -> None:
    visitor = Visitor().do("service", "suggestion").fill()
    minted = visitor.draft.transaction_id
    visitor.world = replace(visitor.world, fresh_id=b"another one here")

    visitor.hand_in().give(Failed("507")).do("retry").hand_in()

    assert submitted(visitor).id == minted


def test_changed_answer_is_another_transaction() -> None:
    visitor = Visitor().do("service", "suggestion").fill()
    visitor.world = replace(visitor.world, fresh_id=b"another one here")

    visitor.do("change", "", "topic").do("answer", "water", "topic").hand_in()

    assert submitted(visitor).id == b"another one here"


def test_receipt_comes_only_after_the_commit() -> None:
    visitor = Visitor().do("service", "suggestion").fill().hand_in()
    waiting = visitor.visit.place

    visitor.commit()

    assert waiting == Waiting("submit")
    assert visitor.visit.place == AtReceipt()
    assert visitor.visit.receipt == receipt("suggestion")


def test_nothing_of_the_answers_stays_after_the_commit() -> None:
    visitor = handed_in("suggestion")

    assert visitor.visit.draft is None
    assert visitor.effects == (Wipe(),)


def test_failure_promises_nothing_and_keeps_the_answers() -> None:
    visitor = Visitor().do("service", "suggestion").fill().hand_in()

    visitor.give(Failed("507"))

    assert visitor.visit.place == AtFault("507")
    assert visitor.visit.receipt is None
    assert visitor.draft.answers["topic"] == "road"


def test_touch_while_committing_changes_nothing() -> None:
    visitor = Visitor().do("service", "suggestion").fill().hand_in()
    before = visitor.visit

    for action in ("home", "back", "submit", "timeout", "leave_yes", "help"):
        visitor.do(action)

    assert visitor.visit == before


def test_anonymous_suggestion_has_no_name() -> None:
    visitor = Visitor().do("service", "suggestion").fill(keep_name="no").hand_in()

    assert sorted(submitted(visitor).answers) == [
        "about_staff",
        "keep_name",
        "pic",
        "text_or_voice",
        "topic",
    ]
