"""The order of questions, and answers in the one form that records use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kiosk import walk
from kiosk.visit import Draft
from sync.forms import Question
from tests.unit.kiosk.parts import OLD_ID, PHONE, Visitor, catalogue, world


def question(service: str, question_id: str) -> Question:
    return catalogue().service(service).question(question_id)


@pytest.mark.parametrize(
    ("service", "name", "typed", "kept"),
    [
        ("pension_auth", "id_number", "11010519491231002x", "11010519491231002X"),
        ("pension_auth", "id_number", "１１０１０５ 19491231 002Ｘ", "11010519491231002X"),
        ("pension_auth", "name", " 王 秀兰 ", "王秀兰"),
        ("pension_auth", "phone", "138 0000 1234", "13800001234"),
        ("progress_query", "case_no", "0042 0001 3768", "004200013768"),
        ("disability_subsidy", "grade", "02", "2"),
        ("disability_subsidy", "grade", "zwei", "zwei"),
        ("farm_machine_subsidy", "machine_price", "0012.5", "12.5"),
        ("farm_machine_subsidy", "machine_price", "12.", "12"),
        ("farm_machine_subsidy", "machine_price", "12.345", "12.345"),
        ("medical_registration", "insured_who", "elder me", "me elder"),
        ("medical_registration", "insured_who", "me nobody me", "me nobody"),
        ("suggestion", "text_or_voice", "=  ", "="),
    ],
)
def test_answer_is_tidied(service: str, name: str, typed: str, kept: str) -> None:
    form = catalogue().service(service)

    assert walk.tidied(catalogue(), form, question(service, name), typed) == kept


@given(st.text(max_size=60), st.sampled_from([s.id for s in catalogue().services]))
def test_tidying_twice_is_tidying_once(typed: str, service: str) -> None:
    form = catalogue().service(service)
    for asked in form.questions:
        once = walk.tidied(catalogue(), form, asked, typed)

        assert walk.tidied(catalogue(), form, asked, once) == once


@given(st.text(max_size=60), st.sampled_from([s.id for s in catalogue().services]))
def test_any_text_is_judged(typed: str, service: str) -> None:
    draft = Draft(service=service)
    for asked in catalogue().service(service).questions:
        walk.problem_with(draft, world(), asked, typed)


def test_photos_answered_but_not_held_stand_against_submitting() -> None:
    visitor = Visitor().do("service", "pension_auth").fill()
    lost = replace(visitor.draft, held={})

    found = walk.open_problems(lost, visitor.world)

    assert [(problem.question, problem.code) for problem in found] == [
        ("face_photo", "photo_missing")
    ]


def test_whole_form_has_nothing_against_it() -> None:
    visitor = Visitor().do("service", "senior_allowance").fill()

    assert walk.open_problems(visitor.draft, visitor.world) == ()


def test_hidden_and_empty_answers_are_not_submitted() -> None:
    visitor = Visitor().do("service", "pension_auth").fill()
    more = {**visitor.draft.answers, "agent_name": "李强", "phone": ""}

    submitted = walk.to_submit(replace(visitor.draft, answers=more), visitor.world)

    assert "agent_name" not in submitted
    assert "phone" not in submitted
    assert submitted["id_number"] == OLD_ID


def test_correction_is_judged_by_its_own_questions_alone() -> None:
    draft = Draft(
        service="pension_auth",
        only=("phone", "face_photo"),
        corrects="004200013768",
        answers={"phone": PHONE},
    )

    found = walk.open_problems(draft, world())

    assert [(problem.question, problem.code) for problem in found] == [("face_photo", "required")]


def test_conditions_nobody_asked_about_say_nothing() -> None:
    assert walk.known_unfit(Draft(service="senior_allowance"), world()) == ()
