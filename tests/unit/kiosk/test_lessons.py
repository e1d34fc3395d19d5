"""Practice: the real screens, somebody made up, and nothing that happens is real."""

import pytest

from kiosk import views
from kiosk.assisted.lessons import Lesson, lessons
from kiosk.events import Discard, Effect, Wipe
from kiosk.places import AtHome, AtLesson, AtLessons, AtMatter, Practised
from kiosk.screens import Screen
from sync import evaluation
from tests.unit.kiosk.companions import ZHANG, filled, helped, place_of
from tests.unit.kiosk.parts import Visitor, catalogue, wordings, world
from tests.unit.kiosk.test_views import assert_complete

LESSONS = [lesson.id for lesson in lessons()]


def shown(visitor: Visitor) -> Screen:
    return views.screen(visitor.visit, visitor.world, wordings())


def practising(lesson: str, language: str = "zh-CN") -> Visitor:
    visitor = helped(language).do("help").do("lessons").do("lesson", lesson)
    assert place_of(visitor) == AtLesson(lesson)
    return visitor.do("practise")


def practised(lesson: str, language: str = "zh-CN") -> tuple[Visitor, list[Effect]]:
    """A lesson from its beginning to its end, and all that was asked of the shell."""
    visitor = practising(lesson, language)
    asked: list[Effect] = []
    fitting = {"find_by": "slip", "applicant_kind": "agent" if lesson == "agent" else "self"}
    for _ in range(60):
        asked += visitor.effects
        match visitor.visit.place:
            case Practised():
                return visitor, asked
            case AtMatter(case_no=case_no):
                visitor.do("correct", case_no)
            case _:
                before = visitor.visit
                filled(visitor, **fitting)
                if visitor.visit is before:
                    visitor.do("more", "2").do("submit").do("agree")
        asked += visitor.effects
    raise AssertionError(visitor.visit.place)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("lesson", LESSONS)
def test_lesson_is_walked_to_its_end_with_words_on_every_screen(lesson: str, language: str) -> None:
    visitor, _ = practised(lesson, language)

    assert place_of(visitor) == Practised(lesson)
    for visit in visitor.seen:
        assert_complete(visit, visitor.world)


@pytest.mark.parametrize("lesson", LESSONS)
def test_nothing_practised_reaches_the_shell(lesson: str) -> None:
    _, asked = practised(lesson)

    assert asked
    assert {type(effect) for effect in asked} <= {Wipe, Discard}


@pytest.mark.parametrize("lesson", LESSONS)
def test_end_of_a_lesson_is_no_receipt_and_has_no_number(lesson: str) -> None:
    visitor, _ = practised(lesson)

    screen = shown(visitor)

    assert (screen.kind, screen.receipt, visitor.visit.receipt) == ("choices", None, None)
    assert "这是练习，没有交上去，也没有号码。" in screen.lines
    assert screen.band.style == "practice"


def test_band_says_on_every_screen_that_it_is_practice() -> None:
    visitor, _ = practised("pension")
    practised_visits = [visit for visit in visitor.seen if visit.lesson]

    bands = {views.screen(v, visitor.world, wordings()).band.text for v in practised_visits}

    assert len(practised_visits) > 8
    assert bands == {"练习，不会交上去"}


def test_made_up_person_is_offered_and_need_not_be_typed() -> None:
    visitor, _ = practised("pension")

    said = [visit.draft.answers.get("name") for visit in visitor.seen if visit.draft]

    assert "王秀兰" in said


@pytest.mark.parametrize("lesson", lessons(), ids=LESSONS)
def test_made_up_people_fit_the_forms(lesson: Lesson) -> None:
    service = catalogue().service(lesson.service)
    for question in service.questions:
        value = getattr(lesson.person, question.id, "")
        answers = {"find_by": "slip", "applicant_kind": "agent"}
        if value:
            assert (
                evaluation.problem_of(catalogue(), service, question, value, answers, world().today)
                is None
            ), question.id


def test_number_of_a_practised_matter_is_of_no_kiosk() -> None:
    numbers = [lesson.person.case_no for lesson in lessons() if lesson.found]

    assert numbers
    assert all(number.startswith("0000") for number in numbers)


def test_only_a_helper_practises() -> None:
    visitor = Visitor().do("help").do("lessons")

    assert visitor.visit.overlay == "help"
    visitor.do("help_close").do("lesson", "pension").do("practise")
    assert place_of(visitor) == AtHome()


def test_going_home_ends_the_practice_and_keeps_the_helper() -> None:
    visitor = filled(practising("pension"))

    visitor.do("home").do("leave_yes")

    assert (visitor.visit.lesson, visitor.visit.helper) == ("", ZHANG)
    assert visitor.visit.known == ()


def test_after_a_lesson_a_real_form_is_real() -> None:
    visitor, _ = practised("pension")
    visitor.do("home").do("service", "helper_request")

    filled(visitor).hand_in().do("agree")

    assert [type(effect).__name__ for effect in visitor.effects] == ["Submit"]


def test_lessons_are_listed() -> None:
    visitor = helped().do("help").do("lessons")

    assert place_of(visitor) == AtLessons()
    assert [tile.value for tile in shown(visitor).tiles] == LESSONS


@pytest.mark.parametrize("lesson", LESSONS)
def test_going_back_out_of_the_first_screen_ends_the_practice(lesson: str) -> None:
    visitor = practising(lesson)
    for _ in range(3):
        if not visitor.visit.lesson:
            break
        visitor.do("back")

    assert place_of(visitor) == AtLesson(lesson)
    assert (visitor.visit.lesson, visitor.visit.known, visitor.visit.draft) == ("", (), None)
    assert place_of(visitor.do("practise")) != AtLesson(lesson)
