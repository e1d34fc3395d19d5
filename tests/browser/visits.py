"""Made-up people and what they want at the kiosk, in both languages; nobody in them exists."""

import datetime as dt
from collections.abc import Mapping

import msgspec

from kiosk.web.presentation import ScreenProfile
from sync.identity import id_check_digit, passes_luhn
from tests.browser.stage import LANDSCAPE, PORTRAIT


class Run(msgspec.Struct, frozen=True):
    """One visit from home to thanks."""

    service: str
    language: str
    profile: ScreenProfile
    #: What is touched, by question.
    answers: Mapping[str, str]
    #: The one answer that is given anew on the check page.
    changed: tuple[str, str] = ("", "")
    #: The face that is touched, and what is said when it is asked why.
    level: str = "very_satisfied"
    why: Mapping[str, str] = {}

    @property
    def name(self) -> str:
        """The folder of its pictures."""
        return f"{self.service}-{self.language}-{self.profile.width_px}x{self.profile.height_px}"

    @property
    def category(self) -> str:
        """The tile of the home screen behind which it stands."""
        return _CATEGORIES[self.service]

    @property
    def said(self) -> dict[str, str]:
        """What must have reached the centre: what was touched, and not what was passed over."""
        answers = {**self.answers, **dict([self.changed])}
        return {question: value for question, value in answers.items() if value}


_CATEGORIES = {
    "pension_auth": "money",
    "senior_allowance": "money",
    "medical_registration": "health",
    "proof_letter": "papers",
    "suggestion": "voice",
    "progress_query": "query",
}


def id_number(born: str, order: int) -> str:
    """Make an ID number of a region that the made-up people share."""
    stem = f"522326{born}{order:03d}"
    return stem + id_check_digit(stem)


def bank_card(stem: str) -> str:
    """Make a card whose check digit fits."""
    return next(stem + digit for digit in "0123456789" if passes_luhn(stem + digit))


_CONSENT = {"consent": "OK", "consent_sensitive": "OK"}
_NAMES: dict[str, tuple[str, str, str, str]] = {
    "zh-CN": ("王秀兰", "李国华", "张桂珍", "陈玉梅"),
    "en": ("Wang Xiulan", "Li Guohua", "Zhang Guizhen", "Chen Yumei"),
}


def runs(language: str, profile: ScreenProfile, today: dt.date) -> dict[str, Run]:
    """Answer the visits of one language on one display, by service.

    Args:
        language: Of the screens; names and words are written in it.
        profile: The display.
        today: A baby was born this year.
    """
    is_zh = language == "zh-CN"
    one, two, three, four = _NAMES[language]
    # Each is another person, so that an enquiry by ID card finds one matter.
    order = 100 + 10 * is_zh + (profile is PORTRAIT)
    found = (
        Run(
            service="pension_auth",
            language=language,
            profile=profile,
            answers={
                **_CONSENT,
                "applicant_kind": "agent",
                "agent_name": two,
                "agent_phone": "13800138001",
                "agent_relation": "child",
                "id_number": id_number("19500214", order),
                "name": one,
                "phone": "",
                "village_code": "522326104205",
                "living_place": "village",
                "face_photo": "1",
                "seen_by_helper": "yes",
            },
            changed=("living_place", "county"),
        ),
        Run(
            service="medical_registration",
            language=language,
            profile=profile,
            answers={
                **_CONSENT,
                "insured_who": "me spouse child",
                "applicant_kind": "self",
                "id_number": id_number("19880609", order),
                "name": two,
                "phone": "13900139002",
                "village_code": "522326104205",
                "insured_count": "3",
                "has_newborn": "yes",
                "newborn_birth_date": f"{today.year}-01-01",
                "exempt_kind": "" if is_zh else "disabled",
                "pay_way": "phone",
            },
            changed=("insured_count", "4"),
        ),
        Run(
            service="senior_allowance",
            language=language,
            profile=profile,
            answers={
                **_CONSENT,
                "applicant_kind": "self",
                "id_number": id_number("19400305", order),
                "name": three,
                "phone": "0859-6123456".replace("-", ""),
                "village_code": "522326102201",
                "household_here": "yes",
                "other_allowance": "care veteran" if is_zh else "",
                "bank_card": bank_card("622202110300045678"),
                "account_owner": "own",
                "hukou_photo": "2",
                "signature": "1",
            },
            changed=("bank_card", bank_card("621799550000123456")),
        ),
        Run(
            service="proof_letter",
            language=language,
            profile=profile,
            answers={
                **_CONSENT,
                "proof_kind": "residence",
                "applicant_kind": "self",
                "id_number": id_number("19790520", order),
                "name": four,
                "phone": "13700137003",
                "village_code": "522326104205",
                "use": "other",
                "to_whom": "县中医院" if is_zh else "County Hospital",
                "office_cannot_check": "yes",
                "basis_photo": "",
            },
            changed=("use", "hospital"),
            level="dissatisfied",
            why={"why_bad": "slow papers", "say": "", "call_back": "no"},
        ),
        Run(
            service="suggestion",
            language=language,
            profile=profile,
            answers={
                "topic": "road",
                "about_staff": "no",
                "text_or_voice": "=路灯坏了。" if is_zh else "1",
                "pic": "1",
                "keep_name": "yes" if is_zh else "no",
                **({"consent": "OK", "name": one, "phone": ""} if is_zh else {}),
            },
            changed=("topic", "other"),
        ),
        # By the number on the slip in one language, by card and phone in the other.
        Run(
            service="progress_query",
            language=language,
            profile=profile,
            answers={"find_by": "slip" if is_zh else "id"},
        ),
    )
    return {run.service: run for run in found}


def quick_runs(today: dt.date) -> list[Run]:
    """Answer visits that meet each service once, languages and displays in turn."""
    zh, en = runs("zh-CN", LANDSCAPE, today), runs("en", PORTRAIT, today)
    first = [zh[name] for name in ("pension_auth", "senior_allowance", "suggestion")]
    return first + [en[name] for name in ("medical_registration", "proof_letter", "progress_query")]


def other_runs(today: dt.date) -> list[Run]:
    """Answer the visits that are missing to every service in both languages, and one the other way.

    The other way is the Chinese screen upright and the English one across.
    """
    quick = {run.name for run in quick_runs(today)}
    ways = [("zh-CN", LANDSCAPE), ("en", PORTRAIT)]
    every = [run for way in ways for run in runs(*way, today).values()]
    turned = [("zh-CN", PORTRAIT), ("en", LANDSCAPE)]
    some = [run for way in turned for run in runs(*way, today).values()]
    return [run for run in every if run.name not in quick] + [
        run for run in some if run.service in ("proof_letter", "senior_allowance")
    ]
