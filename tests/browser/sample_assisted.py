"""Screens of helpers, families, lessons and found matters, as the visit itself gives them."""

from collections.abc import Iterator

from msgspec.structs import replace

from kiosk import views
from kiosk.assisted.company import Line
from kiosk.events import DayListed, Found, HelperRefused, Tallied
from kiosk.places import AtNext, Rating
from kiosk.screens import Screen
from kiosk.visit import Matter
from sync.ids import case_number
from sync.records import Notice
from tests.unit.kiosk.companions import agreed, filled, helped
from tests.unit.kiosk.parts import Visitor, wordings
from tests.unit.kiosk.test_family import at_offer, thanked
from tests.unit.kiosk.test_lessons import practised, practising
from tests.unit.kiosk.visitors import CASE

_AT_MS = 1_795_500_000_000


#: One of each kind, for the fast suite; all of them are walked by test_helper_screens.
_FEW = ("sign_in_pin", "agree", "after", "day_list", "lesson")


def few_assisted_screens(language: str) -> dict[str, Screen]:
    """One screen of each kind."""
    found = assisted_screens(language)
    return {name: found[name] for name in _FEW}


def assisted_screens(language: str) -> dict[str, Screen]:
    """Every screen beside which somebody stands, by name."""
    return {
        name: views.screen(visitor.visit, visitor.world, wordings())
        for name, visitor in (*_helpers(language), *_families(language), *_matters(language))
    }


def _helpers(language: str) -> Iterator[tuple[str, Visitor]]:
    yield "help_home", Visitor(language, pending=3).do("help")
    visitor = Visitor(language).do("help").do("sign_in")
    yield "sign_in_number", visitor
    visitor = Visitor(language).do("help").do("sign_in").do("helper_number", "12")
    yield "sign_in_pin", visitor
    waiting = Visitor(language).do("help").do("sign_in").do("helper_number", "12")
    yield "sign_in_wait", waiting.do("helper_pin", "000000").give(HelperRefused(840))
    busy = helped(language)
    busy.visit = replace(busy.visit, line=Line(12, 9))
    yield "helper_home", busy
    yield "helper_desk", _copy(busy).do("help")
    yield "helper_question", filled(_copy(busy).do("service", "pension_auth")).do("back")
    yield "helper_check", filled(_copy(busy).do("service", "senior_allowance"))
    form = filled(_copy(busy).do("service", "senior_allowance"))
    yield "helper_desk_form", _copy(form).do("help")
    yield "agree", form.hand_in()
    receipt = agreed(filled(_copy(busy).do("service", "senior_allowance"))).commit()
    yield "helper_receipt", receipt
    after = _copy(receipt).do("continue")
    assert after.visit.place == AtNext()
    yield "after", after
    rating = _copy(after).do("continue")
    assert rating.visit.place == Rating(is_helped=True)
    yield "rating_alone", rating
    listed = tuple(
        Matter(case_number(42, 100 + n), "pension_auth", _AT_MS, n % 2 == 0) for n in range(9)
    )
    yield "day_list", _copy(busy).do("help").do("helper_day").give(DayListed(listed))
    yield "lessons", _copy(busy).do("help").do("lessons")
    yield "lesson", _copy(busy).do("help").do("lessons").do("lesson", "agent")
    yield "practice_question", practising("pension", language)
    yield "practised", practised("agent", language)[0]


def _families(language: str) -> Iterator[tuple[str, Visitor]]:
    yield "thanks_family", thanked(language=language)
    yield "home_same", thanked(language=language).do("same_person")
    yield "offer", at_offer("id_number", language)
    yield "board", Visitor(language).do("help").do("board").give(Tallied(1280, 977))


def _matters(language: str) -> Iterator[tuple[str, Visitor]]:
    notices = tuple(
        Notice(number=n, case_no=CASE, kind=kind, service="pension_auth", at_ms=_AT_MS)
        for n, kind in enumerate(("received", "accepted"), 1)
    )
    looks = tuple(
        Notice(n, CASE, "looked", "pension_auth", _AT_MS, words="县人社局：打电话问清楚住在哪里")
        for n in range(3, 8)
    )
    matter = Matter(CASE, "pension_auth", _AT_MS, True, notices, looks=looks)
    visitor = Visitor(language, last_ok_ms=_AT_MS).do("matters").fill(find_by="id")
    visitor.give(Found((matter,)))
    yield "matter_open", visitor
    yield "withdraw", _copy(visitor).do("withdraw", CASE)
    yield "looks", _copy(visitor).do("looks", CASE)
    decided = replace(matter, notices=(*notices, replace(notices[0], number=9, kind="completed")))
    other = Visitor(language, last_ok_ms=_AT_MS).do("matters").fill(find_by="id")
    yield "matter_decided", other.give(Found((decided,)))
    ending = Visitor(language, last_ok_ms=_AT_MS).do("matters").fill(find_by="id")
    yield "matter_withdrawing", ending.give(Found((replace(matter, is_withdrawing=True),)))
    done = _copy(visitor).do("withdraw", CASE).do("withdraw_yes")
    yield "thanks_withdrawn", done.commit(138)


def _copy(visitor: Visitor) -> Visitor:
    """The same person once more, to go another way from here."""
    other = Visitor(visitor.visit.language)
    other.world, other.visit, other.effects = visitor.world, visitor.visit, visitor.effects
    return other
