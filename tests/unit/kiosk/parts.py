"""Builders for the kiosk's tests: a world, an answer to any question, a scripted visitor."""

import datetime as dt
from functools import cache
from pathlib import Path

from kiosk import walk
from kiosk.events import Attached, Committed, Effect, Submit, Touch
from kiosk.flows import begin, step
from kiosk.places import Asking, AtMaterials, Checking, Warned
from kiosk.turning import page_count
from kiosk.visit import Draft, Visit
from kiosk.world import World
from sync.forms import Catalogue, Question, Village, decode_catalogue
from sync.ids import case_number
from sync.records import Receipt
from voice_prompts.wording import LANGUAGES, Wording

TODAY = dt.date(2026, 11, 24)
OWN_VILLAGE = "530121100201"
CATALOGUE_FILE = Path(__file__).parents[3] / "server" / "catalogue" / "catalogue.json"
# Made-up people: the check digits fit, nobody bears them.
OLD_ID = "530121194611240011"
PHONE = "13800001234"


@cache
def catalogue() -> Catalogue:
    return decode_catalogue(CATALOGUE_FILE.read_bytes())


@cache
def wordings() -> dict[str, Wording]:
    return {language: Wording.load(language) for language in LANGUAGES}


def villages(count: int = 9) -> tuple[Village, ...]:
    codes = [OWN_VILLAGE, *(f"5301211002{index:02d}" for index in range(2, count + 1))]
    return tuple(
        Village(code=code, name={"zh-CN": f"清水{index}村", "en": f"Clearwater {index}"})
        for index, code in enumerate(codes, 1)
    )


def world(**changes: object) -> World:
    plain: dict[str, object] = {
        "catalogue": catalogue(),
        "today": TODAY,
        "fresh_id": b"0123456789abcdef",
        "fresh_token": "fresh",
        "villages": villages(),
        "village_code": OWN_VILLAGE,
        "kiosk_no": 42,
        "courier_url": "HTTPS://BIANMIN.EXAMPLE/C/" + "1234567890" * 60,
    }
    return World(**(plain | changes))  # type: ignore[arg-type]


#: Answers that lead to a fitting applicant; other questions are answered by their type.
FITTING = {
    "applicant_kind": "self",
    "id_number": OLD_ID,
    "phone": PHONE,
    "village_code": OWN_VILLAGE,
    "subsidy_kind": "living",
    "grade": "2",
    "has_other_house": "no",
    "proof_kind": "residence",
    "baby_birth_date": "2026-11-01",
    "newborn_birth_date": "2026-03-05",
    "wanted_on": "2026-12-01",
    "keep_name": "no",
    "find_by": "slip",
    "floors": "2",
    "built_year": "1988",
}


def answer_to(  # noqa: PLR0911 -- one return a type
    question: Question, fitting: dict[str, str]
) -> str:
    if question.id in fitting:
        return fitting[question.id]
    service = next(s for s in catalogue().services if question in s.questions)
    choices = catalogue().choices(service, question)
    match question.type:
        case "choice" | "yes_no":
            return choices[0].name
        case "multi_choice":
            return " ".join(choice.name for choice in choices[:2])
        case "consent":
            return "OK"
        case "integer":
            return "2"
        case "date":
            return "2026-11-20"
        case "photo" | "signature":
            return "1"
        case _:
            return _TYPED[question.type]


_TYPED = {
    "id_number": OLD_ID,
    "name": "王秀兰",
    "phone": PHONE,
    "bank_card": "6222021234567890128",
    "case_no": "004200013768",
    "digits4": "1234",
    "amount": "12.50",
    "voice_note": "=桥头的灯坏了",
    "text_note": "门前有棵大核桃树",
    "village": OWN_VILLAGE,
}


def receipt(service: str, seq: int = 137) -> Receipt:
    return Receipt(
        case_no=case_number(42, seq),
        seq=seq,
        transaction_id=b"0123456789abcdef",
        service=service,
        confirmed_ms=1_795_500_000_000,
    )


class Visitor:
    """Someone who answers whatever the kiosk asks; keeps each step."""

    def __init__(self, language: str = "zh-CN", **changes: object) -> None:
        self.world = world(**changes)
        self.visit: Visit = begin("first", language)
        self.effects: tuple[Effect, ...] = ()
        self.seen: list[Visit] = [self.visit]
        self.asked: list[str] = []

    def do(self, action: str, value: str = "", question: str = "") -> "Visitor":
        return self.give(Touch(action, value, question))  # type: ignore[arg-type]

    def give(self, event: object) -> "Visitor":
        self.visit, self.effects = step(self.visit, event, self.world)  # type: ignore[arg-type]
        self.seen.append(self.visit)
        return self

    def answer_one(self, fitting: dict[str, str]) -> "Visitor":
        assert isinstance(self.visit.place, Asking)
        question_id = self.visit.place.question
        question = self._question(question_id)
        self.asked.append(question_id)
        value = answer_to(question, fitting)
        if question.type in ("photo", "signature"):
            self.give(Attached(question_id, int(value)))
        return self.do("answer", value, question_id)

    def fill(self, **fitting: str) -> "Visitor":
        """Answer until the check page, a look-up or a submit."""
        for action in ("help_close", "leave_no", "still_here"):
            # What covers the screen goes away first.
            self.do(action)
        for _ in range(80):
            match self.visit.place:
                case AtMaterials() | Warned():
                    self.do("continue")
                case Asking():
                    self.answer_one(FITTING | fitting)
                case _:
                    return self
        raise AssertionError(f"no end in sight: {self.visit.place}")

    def hand_in(self) -> "Visitor":
        """Turn all check pages and submit."""
        assert isinstance(self.visit.place, Checking), self.visit.place
        for page in range(2, page_count(self.visit, self.world) + 1):
            self.do("more", str(page))
        return self.do("submit")

    def commit(self, seq: int = 137) -> "Visitor":
        (submit,) = self.effects
        assert isinstance(submit, Submit)
        return self.give(Committed(receipt(submit.transaction.service, seq)))

    @property
    def draft(self) -> Draft:
        assert self.visit.draft is not None
        return self.visit.draft

    def _question(self, question_id: str) -> Question:
        return next(q for q in walk.asked(self.draft, self.world) if q.id == question_id)
