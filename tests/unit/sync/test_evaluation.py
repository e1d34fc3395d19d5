import datetime as dt
from collections.abc import Mapping

import pytest

from sync import evaluation
from sync.evaluation import Problem
from sync.forms import Question, Service
from tests.generator import shipped_catalogue

TODAY = dt.date(2026, 11, 24)
CATALOGUE = shipped_catalogue()
ELDER = "530121194611240011"  # 80 today
YOUNGER = "530121194611250017"  # 80 tomorrow
MIDDLE_AGED = "110105198606010014"  # 40
CONSENT = {"consent": "OK", "consent_sensitive": "OK"}
PENSION = {
    **CONSENT,
    "applicant_kind": "self",
    "id_number": ELDER,
    "name": "王小明",
    "village_code": "530121100201",
    "living_place": "village",
    "face_photo": "1",
}


def service(service_id: str) -> Service:
    return CATALOGUE.service(service_id)


def asked(service_id: str, answers: Mapping[str, str]) -> list[str]:
    questions = evaluation.relevant_questions(CATALOGUE, service(service_id), answers, TODAY)
    return [question.id for question in questions]


def problem(
    service_id: str, question: str, value: str, answers: Mapping[str, str] | None = None
) -> str:
    form = service(service_id)
    found = evaluation.problem_of(
        CATALOGUE, form, form.question(question), value, answers or {}, TODAY
    )
    return found.code if found else ""


def problems(service_id: str, answers: Mapping[str, str]) -> list[tuple[str, str]]:
    found = evaluation.problems(CATALOGUE, service(service_id), answers, TODAY)
    return [(item.question, item.code) for item in found]


def warned(service_id: str, answers: Mapping[str, str]) -> bool:
    return bool(evaluation.warnings(CATALOGUE, service(service_id), answers, TODAY))


def filled(service_id: str, template: str, answers: Mapping[str, str], language: str) -> str:
    return evaluation.filled(CATALOGUE, service(service_id), template, answers, language, TODAY)


def test_question_of_an_unanswered_one_is_not_asked_yet() -> None:
    assert "agent_name" not in asked("pension_auth", {})
    assert "agent_name" not in asked("pension_auth", {"applicant_kind": "self"})
    assert "agent_name" in asked("pension_auth", {"applicant_kind": "agent"})


def test_hidden_answer_counts_as_none_for_what_hangs_on_it() -> None:
    answers = {"work_state": "working", "work_place": "province", "subsidy": "yes"}
    assert "bank_card" in asked("employment", answers)

    # The old answers are still there, as when a resident went back and changed their mind.
    assert "bank_card" not in asked("employment", {**answers, "work_place": "county"})
    assert "bank_card" not in asked("employment", {**answers, "work_state": "home"})


def test_cleared_drops_what_is_hidden_and_what_is_empty_in_form_order() -> None:
    answers = {"name": "王小明", "agent_name": "李四", "applicant_kind": "self", "phone": ""}

    kept = evaluation.cleared(CATALOGUE, service("pension_auth"), answers, TODAY)

    assert list(kept.items()) == [("applicant_kind", "self"), ("name", "王小明")]


@pytest.mark.parametrize(("id_number", "expected"), [(ELDER, False), (YOUNGER, True), ("", False)])
def test_senior_allowance_warns_only_who_is_known_to_be_too_young(
    id_number: str, expected: bool
) -> None:
    assert warned("senior_allowance", {"id_number": id_number}) is expected


@pytest.mark.parametrize(
    ("kind", "disability", "grade", "expected"),
    [
        ("nursing", "sight", "2", False),
        ("nursing", "sight", "3", True),
        ("nursing", "mental", "4", False),
        ("living", "sight", "4", False),
        ("nursing", "sight", "", False),
    ],
)
def test_disability_subsidy_eligibility(
    kind: str, disability: str, grade: str, expected: bool
) -> None:
    answers = {"subsidy_kind": kind, "disability_kind": disability, "grade": grade}

    assert warned("disability_subsidy", answers) is expected


@pytest.mark.parametrize(("build", "expected"), [("new", True), ("rebuild", False)])
def test_homestead_eligibility_with_another_house(build: str, expected: bool) -> None:
    assert warned("homestead", {"has_other_house": "yes", "build_kind": build}) is expected


@pytest.mark.parametrize(
    ("born", "days", "expected"),
    [("2026-11-01", "23", False), ("2025-11-24", "365", False), ("2025-10-01", "419", True)],
)
def test_newborn_eligibility(born: str, days: str, expected: bool) -> None:
    answers = {"baby_birth_date": born}
    calculated = evaluation.calculated(CATALOGUE, service("newborn"), answers, TODAY)

    assert calculated["days_since_birth"] == days
    assert warned("newborn", answers) is expected


@pytest.mark.parametrize(
    ("kind", "expected"), [("residence", False), ("kinship", True), ("marriage", True)]
)
def test_proof_letter_redirects_what_a_village_must_not_prove(kind: str, expected: bool) -> None:
    assert warned("proof_letter", {"proof_kind": kind}) is expected


@pytest.mark.parametrize(
    ("visit", "reason", "expected"),
    [("home", "far", True), ("home", "sick", False), ("doctor", "", False), ("home", "", False)],
)
def test_appointment_eligibility_at_forty(visit: str, reason: str, expected: bool) -> None:
    answers = {"visit_kind": visit, "reason": reason, "id_number": MIDDLE_AGED}

    assert warned("appointment", answers) is expected


def test_condition_says_nothing_before_its_first_answer() -> None:
    assert not warned("medical_registration", {})


def test_calculated_values_are_empty_without_their_answers() -> None:
    calculated = evaluation.calculated(CATALOGUE, service("senior_allowance"), {}, TODAY)

    assert calculated == {"id_number_tail": "", "birth_date": "", "age": "", "bank_card_tail": ""}


def test_calculated_values_follow_the_answers() -> None:
    answers = {"id_number": ELDER, "bank_card": "6222021234567890128"}

    calculated = evaluation.calculated(CATALOGUE, service("senior_allowance"), answers, TODAY)

    assert calculated == {
        "id_number_tail": "0011",
        "birth_date": "1946-11-24",
        "age": "80",
        "bank_card_tail": "0128",
    }


@pytest.mark.parametrize(
    ("service_id", "question", "value", "expected"),
    [
        ("pension_auth", "id_number", "", "required"),
        ("pension_auth", "phone", "", ""),
        ("pension_auth", "face_photo", "", "photo_missing"),
        ("pension_auth", "face_photo", "1", ""),
        ("pension_auth", "face_photo", "0", "attachments"),
        ("pension_auth", "face_photo", "x", "attachments"),
        ("pension_auth", "id_number", ELDER, ""),
        ("pension_auth", "id_number", "530121194611240012", "id_number"),
        ("pension_auth", "id_number", "11010519490230001X", "id_number"),
        ("pension_auth", "phone", "13812345678", ""),
        ("pension_auth", "phone", "0871-6512345", ""),
        ("pension_auth", "phone", "12812345678", "phone"),
        ("pension_auth", "name", "阿卜杜拉·买买提", ""),
        ("pension_auth", "name", "王<script>", "name"),
        ("pension_auth", "name", "好" * 51, "name"),
        ("pension_auth", "name", "好" * 3000, "too_long"),
        ("pension_auth", "consent", "OK", ""),
        ("pension_auth", "consent", "ok", "consent"),
        ("pension_auth", "village_code", "530121100201", ""),
        ("pension_auth", "village_code", "53012110020", "village"),
        ("pension_auth", "living_place", "moon", "choice"),
        ("pension_auth", "seen_by_helper", "maybe", "choice"),
        ("senior_allowance", "bank_card", "6222021234567890127", ""),  # Luhn never blocks
        ("senior_allowance", "bank_card", "62220212345", "bank_card"),
        ("senior_allowance", "signature", "", "required"),
        ("progress_query", "case_no", "004200013768", ""),
        ("progress_query", "case_no", "004200013786", "case_no"),
        ("progress_query", "phone_tail", "0042", ""),
        ("progress_query", "phone_tail", "42", "digits4"),
        ("homestead", "floors", "3", ""),
        ("homestead", "floors", "5", "constraint"),
        ("homestead", "floors", "03", "integer"),
        ("homestead", "floors", "3.0", "integer"),
        ("homestead", "plot_area", "120.5", ""),
        ("homestead", "plot_area", "120.505", "amount"),
        ("homestead", "plot_area", "0", "constraint"),
        ("homestead", "plot_area", "1e2", "amount"),
        ("newborn", "baby_birth_date", "2026-11-24", ""),
        ("newborn", "baby_birth_date", "2026-11-25", "constraint"),
        ("newborn", "baby_birth_date", "2026-02-29", "date"),
        ("newborn", "baby_birth_date", "2026-2-9", "date"),
        ("newborn", "bundle", "hukou vaccine", "choice"),
        ("newborn", "bundle", "moon", "choice"),
        ("suggestion", "text_or_voice", "", "required"),
        ("suggestion", "text_or_voice", "1", ""),
        ("suggestion", "text_or_voice", "=路灯坏了", ""),
        ("suggestion", "text_or_voice", "= ", "characters"),
        ("suggestion", "text_or_voice", "=\x00", "characters"),
        ("suggestion", "text_or_voice", "=" + "好" * 1001, "too_long"),
        ("suggestion", "text_or_voice", "=" + "好" * 2001, "too_long"),
        ("suggestion", "text_or_voice", "路灯坏了", "attachments"),
    ],
)
def test_problem_of_one_answer(service_id: str, question: str, value: str, expected: str) -> None:
    if service_id == "newborn" and value == "hukou vaccine":
        form = service("newborn")
        names = [choice.name for choice in CATALOGUE.choices(form, form.question("bundle"))]
        value = f"{names[1]} {names[0]}"  # not in the list's order

    assert problem(service_id, question, value) == expected


@pytest.mark.parametrize(("day", "expected"), [("2026-12-24", ""), ("2026-12-25", "constraint")])
def test_booking_is_at_most_thirty_days_ahead(day: str, expected: str) -> None:
    assert problem("appointment", "wanted_on", day) == expected


def test_problem_carries_what_the_form_says_about_it() -> None:
    form = service("homestead")
    question = form.question("floors")

    found = evaluation.problem_of(CATALOGUE, form, question, "9", {}, TODAY)

    assert question.constraint_message
    assert found == Problem("floors", "constraint", question.constraint_message)


def test_photos_are_counted_against_the_least_number() -> None:
    form = service("house_repair")
    two = Question(
        **{
            name: getattr(form.question("crack_photo"), name)
            for name in Question.__struct_fields__
            if name != "min_photos"
        },
        min_photos=2,
    )

    assert evaluation.problem_of(CATALOGUE, form, two, "1", {}, TODAY) == Problem(
        "crack_photo", "photo_missing", two.constraint_message
    )
    assert evaluation.problem_of(CATALOGUE, form, two, "2", {}, TODAY) is None


def test_whole_transaction_without_fault_has_no_problems() -> None:
    assert problems("pension_auth", PENSION) == []


def test_whole_transaction_names_every_fault_once() -> None:
    answers = {**PENSION, "name": "", "phone": "1", "agent_name": "李四", "hat": "red"}

    assert problems("pension_auth", answers) == [
        ("name", "required"),
        ("phone", "phone"),
        ("agent_name", "irrelevant"),
        ("hat", "unknown"),
    ]


def test_attachments_are_bounded_together() -> None:
    answers = {
        **CONSENT,
        "applicant_kind": "self",
        "id_number": ELDER,
        "name": "王小明",
        "village_code": "530121100201",
        "household_here": "yes",
        "bank_card": "6222021234567890128",
        "account_owner": "own",
        "hukou_photo": "9",
        "signature": "1",
    }

    assert problems("senior_allowance", answers) == [("hukou_photo", "attachments")]
    assert problems("senior_allowance", {**answers, "hukou_photo": "8"}) == []


def test_texts_are_bounded_together() -> None:
    answers = {
        "topic": "road",
        "about_staff": "no",
        "text_or_voice": "=" + "好" * 990,
        "keep_name": "yes",
        "consent": "OK",
        "name": "好" * 50,
    }

    assert problems("suggestion", answers) == [("text_or_voice", "too_long")]
    assert problems("suggestion", {**answers, "text_or_voice": "=" + "好" * 900}) == []


def test_check_text_shows_labels_and_leaves_unknown_out() -> None:
    template = "${name}，${applicant_kind}，尾号${id_number_tail}，${phone}${nothing}。{due_date}"
    answers = {"name": "王小明", "applicant_kind": "agent", "id_number": ELDER}

    assert filled("pension_auth", template, answers, "zh-CN") == (
        "王小明，替家里人办，尾号0011，。{due_date}"
    )


@pytest.mark.parametrize(
    ("service_id", "question", "value", "language", "expected"),
    [
        ("pension_auth", "applicant_kind", "self", "zh-CN", "给自己办"),
        ("pension_auth", "applicant_kind", "self", "en", "For myself"),
        ("pension_auth", "applicant_kind", "self", "bo", "给自己办"),
        ("medical_registration", "pay_way", "gone", "zh-CN", "gone"),
        ("newborn", "baby_birth_date", "2026-11-04", "zh-CN", "2026年11月4日"),
        ("newborn", "baby_birth_date", "2026-11-04", "en", "2026-11-04"),
        ("suggestion", "text_or_voice", "=路灯坏了", "zh-CN", "路灯坏了"),
        ("suggestion", "text_or_voice", "1", "zh-CN", "1"),
        ("pension_auth", "consent", "OK", "en", "✓"),
        ("pension_auth", "village_code", "530121100201", "en", "Upper Village"),
        ("pension_auth", "village_code", "530121100202", "en", "530121100202"),
        ("pension_auth", "phone", "", "en", ""),
    ],
)
def test_answer_as_people_read_it(
    service_id: str, question: str, value: str, language: str, expected: str
) -> None:
    form = service(service_id)
    villages = {"530121100201": "Upper Village"}

    shown = evaluation.shown(
        CATALOGUE, form, form.question(question), value, language, villages=villages
    )

    assert shown == expected


def test_several_choices_are_joined_by_the_language_s_comma() -> None:
    form = service("helper_request")
    question = form.question("need")
    first, second = CATALOGUE.choices(form, question)[:2]
    value = f"{first.name} {second.name}"

    assert evaluation.shown(CATALOGUE, form, question, value, "zh-CN") == (
        f"{first.label['zh-CN']}、{second.label['zh-CN']}"
    )
    assert evaluation.shown(CATALOGUE, form, question, value, "en") == (
        f"{first.label['en']}, {second.label['en']}"
    )


def test_masked_answer_hides_numbers_and_names_but_no_choice() -> None:
    form = service("pension_auth")

    def masked(question: str) -> str:
        return evaluation.shown(
            CATALOGUE, form, form.question(question), PENSION[question], "zh-CN", masked=True
        )

    assert masked("id_number") == "530121********0011"
    assert masked("name") == "王*明"
    assert masked("applicant_kind") == "给自己办"
