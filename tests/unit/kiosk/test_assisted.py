"""A helper signs in, fills in with one person after the other, and each of them says yes."""

import pytest
from msgspec.structs import replace

from kiosk import views
from kiosk.assisted.company import Helper, Line
from kiosk.events import (
    Committed,
    DayListed,
    Failed,
    HelperRefused,
    ListDay,
    Submit,
    Wipe,
)
from kiosk.places import (
    Agreeing,
    Asking,
    AtCarry,
    AtDayList,
    AtFault,
    AtHome,
    AtMaterials,
    AtNext,
    AtReceipt,
    Checking,
    Rating,
    SigningIn,
    Waiting,
)
from kiosk.screens import Screen
from kiosk.visit import Matter
from sync.limits import HELPER_IDLE_S
from tests.unit.kiosk.companions import ZHANG, agreed, filled, helped, place_of
from tests.unit.kiosk.parts import OLD_ID, Visitor, receipt, wordings
from tests.unit.kiosk.visitors import submitted


def shown(visitor: Visitor) -> Screen:
    return views.screen(visitor.visit, visitor.world, wordings())


# --- coming and going ---


def test_helper_who_is_known_stands_at_home_and_on_every_screen() -> None:
    visitor = helped()

    assert place_of(visitor) == AtHome()
    assert visitor.visit.helper == ZHANG
    visitor.do("service", "pension_auth")
    assert (shown(visitor).band.text, shown(visitor).band.style) == ("帮办12号 张婷", "helper")


def test_pin_is_kept_nowhere_in_the_visit() -> None:
    visitor = Visitor().do("help").do("sign_in").do("helper_number", "12")

    visitor.do("helper_pin", "730416")

    assert place_of(visitor) == Waiting("helper")
    assert "730416" not in repr(visitor.visit)


def test_pin_is_written_as_dots_and_never_said() -> None:
    screen = shown(Visitor().do("help").do("sign_in").do("helper_number", "12"))

    assert screen.entry is not None
    assert screen.entry.is_hidden


@pytest.mark.parametrize("typed", ["BIANMIN-H12", "012", "12"])
def test_badge_and_typed_number_are_one(typed: str) -> None:
    visitor = Visitor().do("helper_number", typed)

    assert place_of(visitor) == SigningIn("12")


@pytest.mark.parametrize("typed", ["", "0", "abc", "12345", "１２"])
def test_what_is_no_number_is_asked_again(typed: str) -> None:
    visitor = Visitor().do("help").do("sign_in").do("helper_number", typed)

    assert place_of(visitor) == SigningIn(is_wrong=True)
    assert shown(visitor).error


def test_wrong_pin_says_how_long_to_wait() -> None:
    visitor = Visitor().do("help").do("sign_in").do("helper_number", "12")
    visitor.do("helper_pin", "000000").give(HelperRefused(840))

    assert visitor.visit.helper is None
    assert "14分钟" in shown(visitor).error


def test_resident_in_the_middle_of_something_is_not_offered_the_helpers_door() -> None:
    visitor = Visitor().do("service", "pension_auth").do("help")

    assert "sign_in" not in [tile.action for tile in shown(visitor).tiles]
    assert visitor.do("sign_in").visit.overlay == "help"


def test_helper_at_home_is_gone_after_a_while_and_so_is_the_line() -> None:
    visitor = helped().do("help").do("helper_line").do("help_close")
    assert shown(visitor).timeout_s == HELPER_IDLE_S

    visitor.do("timeout")

    assert (visitor.visit.helper, visitor.visit.line) == (None, Line())


def test_silence_in_the_middle_of_a_form_ends_visit_and_helper() -> None:
    visitor = helped().do("service", "pension_auth").do("timeout").do("timeout")

    assert visitor.visit.helper is None
    assert visitor.visit.draft is None


def test_helper_outlives_the_visits_of_those_they_help() -> None:
    visitor = filled(helped().do("service", "suggestion"))

    visitor.do("home").do("leave_yes")

    assert visitor.visit.helper == ZHANG
    assert visitor.visit.draft is None


def test_helper_who_goes_leaves_the_resident_where_they_are() -> None:
    visitor = helped().do("service", "pension_auth").do("continue")
    place = visitor.visit.place

    visitor.do("help").do("helper_done")

    assert place_of(visitor) == place
    assert visitor.visit.helper is None
    assert visitor.draft.helped_by == "12"


# --- the resident's yes ---


def test_what_a_helper_filled_in_is_agreed_to_before_it_is_handed_in() -> None:
    visitor = filled(helped().do("service", "pension_auth")).hand_in()

    assert place_of(visitor) == Agreeing()
    assert not [effect for effect in visitor.effects if isinstance(effect, Submit)]
    assert submitted(visitor.do("agree")).helper == "12:touch"


def test_signed_form_says_so() -> None:
    visitor = filled(helped().do("service", "senior_allowance"))

    assert submitted(agreed(visitor)).helper == "12:sign"


def test_agreement_says_the_whole_to_the_resident() -> None:
    visitor = filled(helped().do("service", "pension_auth")).hand_in()

    screen = shown(visitor)

    assert [tile.action for tile in screen.tiles] == ["agree", "disagree"]
    assert "帮办12号替您填的，您说了算" in screen.lines
    assert len(screen.say) >= 4
    assert not [said for said in screen.say if OLD_ID in repr(said)]


def test_who_does_not_agree_changes_what_is_wrong_and_is_asked_again() -> None:
    visitor = filled(helped().do("service", "pension_auth")).hand_in().do("disagree")
    assert place_of(visitor) == Checking()

    visitor.do("change", "", "name").do("answer", "王秀英", "name").hand_in()

    assert place_of(visitor) == Agreeing()


def test_agreement_to_one_whole_is_none_to_another() -> None:
    visitor = agreed(filled(helped().do("service", "pension_auth"))).give(Failed("507"))
    assert place_of(visitor) == AtFault("507")

    visitor.do("retry").do("change", "", "name").do("answer", "王秀英", "name").hand_in()

    assert place_of(visitor) == Agreeing()


def test_help_stays_on_record_when_the_helper_signs_out_before_the_end() -> None:
    visitor = helped().do("service", "pension_auth").do("continue").do("help").do("helper_done")

    assert submitted(agreed(filled(visitor))).helper == "12:touch"


def test_resident_alone_is_asked_no_further_question() -> None:
    visitor = filled(Visitor().do("service", "pension_auth")).hand_in()

    assert submitted(visitor).helper == ""


# --- one after the other ---


def test_next_person_is_asked_everything_from_the_beginning() -> None:
    visitor = helped().do("help").do("helper_line").do("help_close")
    agreed(filled(visitor.do("service", "pension_auth"))).commit()
    assert place_of(visitor) == AtReceipt()
    assert shown(visitor).skip_action == "helper_again"

    visitor.do("helper_again")

    assert place_of(visitor) == AtMaterials()
    assert visitor.draft.service == "pension_auth"
    assert (visitor.draft.answers, visitor.visit.known) == ({}, ())
    assert (visitor.visit.helper, visitor.visit.line.waiting) == (ZHANG, 0)
    assert Wipe() in visitor.effects


def test_after_the_receipt_come_the_next_or_the_family_or_the_rating() -> None:
    visitor = agreed(filled(helped().do("service", "pension_auth"))).commit()

    visitor.do("continue")

    assert place_of(visitor) == AtNext()
    actions = [tile.action for tile in shown(visitor).tiles]
    assert actions == [
        "helper_again",
        "helper_next",
        "same_person",
        "family",
        "continue",
        "helper_done",
    ]


def test_rating_is_given_without_the_helper() -> None:
    visitor = agreed(filled(helped().do("service", "pension_auth"))).commit().do("continue")

    visitor.do("continue")

    assert place_of(visitor) == Rating(is_helped=True)
    assert visitor.visit.helper is None
    assert "帮办员请先走开一下" in shown(visitor).lines
    assert submitted(visitor.do("rate", "satisfied")).helper == ""


def test_helper_cannot_open_the_rating_as_a_service() -> None:
    visitor = helped().do("service", "rating")

    assert visitor.visit.helper is None


def test_line_counts_numbers_and_calls_them_in_turn() -> None:
    visitor = helped().do("help")
    for _ in range(3):
        visitor.do("helper_line")
    note = next(tile.note for tile in shown(visitor).tiles if tile.action == "helper_line")
    assert note == "等着3位，发到3号"

    visitor.do("helper_next")

    assert visitor.visit.line == Line(issued=3, called=1)
    assert shown(visitor).band.text == "帮办12号 张婷 还等2位"


def test_helper_without_a_name_is_a_number() -> None:
    visitor = helped()
    visitor.visit = replace(visitor.visit, helper=Helper("12"))

    assert shown(visitor).band.text == "帮办12号"


def test_helper_may_carry_what_waits_where_there_is_no_way_to_the_centre() -> None:
    visitor = helped(pending=3, is_reachable=False, carry_url="https://bm.example/carry")

    assert "carry" in [tile.action for tile in shown(visitor.do("help")).tiles]
    assert visitor.do("carry").visit.place == AtCarry()


def test_line_never_calls_a_number_that_was_not_given() -> None:
    visitor = helped().do("help").do("helper_next").do("help").do("helper_next")

    assert visitor.visit.line == Line()


def test_day_list_names_cases_and_no_person() -> None:
    visitor = helped().do("help").do("helper_day")
    assert visitor.effects == (ListDay("12"),)
    case_no = receipt("pension_auth").case_no

    visitor.give(DayListed((Matter(case_no, "pension_auth", 1_795_500_000_000, False),)))

    assert place_of(visitor) == AtDayList()
    rows = [(row.label, row.value) for row in shown(visitor).rows]
    assert rows == [("0042 0001 3768", "领养老钱认证：存在机子里")]
    assert visitor.do("back").visit.matters == ()


def test_lost_reply_about_a_helper_changes_nothing_later() -> None:
    visitor = Visitor().do("service", "pension_auth")
    before = visitor.visit

    visitor.give(HelperRefused(0)).give(DayListed(()))

    assert visitor.visit == before


def test_committed_receipt_stays_on_the_screen_until_it_is_read() -> None:
    visitor = agreed(filled(helped().do("service", "pension_auth")))

    for action in ("home", "help", "helper_done", "back", "timeout"):
        visitor.do(action)
    visitor.give(Committed(receipt("pension_auth")))

    assert place_of(visitor) == AtReceipt()
    assert visitor.visit.receipt == receipt("pension_auth")
    assert not isinstance(visitor.visit.place, Asking)
