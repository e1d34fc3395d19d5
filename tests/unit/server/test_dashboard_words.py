"""Words, times, lights and concerns: what the pages say before anybody draws them."""

import re
from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.cases import NOTICE_KINDS
from server.catalogue.shelf import Published
from server.dashboard import moments
from server.dashboard.case import PURPOSES, bring_again, field_ids, purpose_of, suited
from server.dashboard.concerns import SHAPES, assess, assess_all
from server.dashboard.lights import TONES, Light, light
from server.dashboard.notes import NOTES
from server.dashboard.telling import filled, told, with_remedy
from server.dashboard.words import LANGUAGES, language_of, words_of
from server.store.rows import CaseRow, Decision, KioskRow
from tests.unit.server.world import NOW_MS

PAGES = Path(moments.__file__).parent
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
ZH, EN = words_of("zh-CN"), words_of("en")
TODAY = date(2026, 11, 24)

CASE = CaseRow(
    case_no="000100000114", kiosk_no=1, kiosk_name="石门村便民点", service="senior_allowance",
    department="民政局", village_code="522326104205", language="zh-CN", state="received",
    received_ms=NOW_MS, claimed_ms=NOW_MS, due_on="2026-12-08", due_is_about=False,
    updated_ms=NOW_MS, attachments_expected=0, attachments_received=0, problems=0, rating=None,
    catalogue=1,
)  # fmt: skip
KIOSK = KioskRow(
    kiosk_id="0" * 16, kiosk_no=1, name="石门村便民点", village_code="522326104205",
    enrolled_ms=NOW_MS - 30 * DAY_MS, last_seen_ms=NOW_MS, pending=0, oldest_s=0, head_seq=9,
    mark_seq=9, disk_free_mb=9000, version="0.1.0", catalogue=1, clock_skew_ms=0, state="active",
    missing_count=0, attachments_pending=0, devices="{}", bytes_in=0, bytes_out=0,
)  # fmt: skip


def kiosk(**given: object) -> KioskRow:
    return msgspec.structs.replace(KIOSK, **given)


def concerns(row: KioskRow) -> list[tuple[str, str]]:
    return [(concern.code, concern.level) for concern in assess(row, NOW_MS).concerns]


def slots(text: str) -> set[str]:
    return set(re.findall(r"{(\w+)", text))


def test_both_languages_say_the_same_things_with_the_same_slots() -> None:
    assert set(ZH) == set(EN)
    different = [key for key in ZH if slots(ZH(key)) != slots(EN(key))]
    # The Chinese weekday and date need no padding, which is why formats differ and slots do not.
    assert different == []


def test_pages_use_no_word_that_is_not_there() -> None:
    sources = [*PAGES.glob("templates/*.html"), *PAGES.glob("*.py")]
    sources += [*PAGES.parent.glob("phone/*.py"), *PAGES.parent.glob("phone/templates/*.html")]
    used = {
        key
        for path in sources
        for key in re.findall(
            r"\b(?:t|words|zh|en|both)\(\"([a-z_]+\.[a-z_0-9]+)\"[,)]", path.read_text("utf-8")
        )
    }

    assert len(used) > 150
    assert used - set(ZH) == set()
    assert NOTES - set(ZH) == set()


def test_pages_hold_no_words_of_their_own() -> None:
    han = re.compile(r"[\u4e00-\u9fff]")
    folders = (PAGES / "templates", PAGES.parent / "phone" / "templates", PAGES / "static")
    found = [
        path.name
        for folder in folders
        for path in folder.iterdir()
        if han.search(path.read_text("utf-8"))
    ]

    assert found == []


def test_pages_hold_no_inline_script_or_style() -> None:
    inline = re.compile(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*src=)")
    for folder in (PAGES / "templates", PAGES.parent / "phone" / "templates"):
        for path in folder.iterdir():
            assert not inline.search(path.read_text("utf-8")), path.name


@pytest.mark.parametrize(
    ("cookie", "language"), [("en", "en"), ("zh-CN", "zh-CN"), ("fr", "zh-CN"), (None, "zh-CN")]
)
def test_language_is_one_of_ours(cookie: str | None, language: str) -> None:
    assert language_of(cookie) == language


@pytest.mark.parametrize(
    ("passed_s", "chinese", "english"),
    [
        (0, "刚刚", "just now"),
        (-500, "刚刚", "just now"),
        (180, "3 分钟前", "3 min ago"),
        (7200, "2 小时前", "2 h ago"),
        (3 * 86_400, "3 天前", "3 d ago"),
    ],
)
def test_ages_are_said_in_their_largest_unit(passed_s: int, chinese: str, english: str) -> None:
    then_ms = NOW_MS - passed_s * 1000

    assert moments.ago(then_ms, NOW_MS, ZH) == chinese
    assert moments.ago(then_ms, NOW_MS, EN) == english


def test_times_are_china_s_whatever_the_machine_s() -> None:
    assert moments.exact(NOW_MS) == "2026-11-24 10:00"
    assert moments.day("2026-11-24", ZH) == "2026年11月24日 周二"
    assert moments.day("no date", ZH) == "no date"
    assert moments.tomorrow(NOW_MS) == "2026-11-25"


@pytest.mark.parametrize(
    ("state", "due_on", "expected"),
    [
        ("received", "2026-11-23", Light("late", -1)),
        ("accepted", "2026-11-24", Light("today", 0)),
        ("received", "2026-11-26", Light("soon", 2)),
        ("received", "2026-11-27", Light("fine", 3)),
        ("received", "", Light("open", 0)),
        ("correction", "2026-11-01", Light("waiting", 0)),
        ("completed", "2026-11-01", Light("done", 0)),
        ("refused", "2026-11-01", Light("done", 0)),
    ],
)
def test_light_says_what_waits_for_the_clerk(state: str, due_on: str, expected: Light) -> None:
    assert light(state, due_on, TODAY) == expected


def test_every_light_has_a_shape_a_colour_and_words() -> None:
    for urgency in TONES:
        shown = Light(urgency, 1)
        assert shown.shape != ""
        assert shown.tone in ("bad", "warn", "good", "calm")
        assert f"light.{urgency}" in ZH
    # Late, near and fine are told apart without colour.
    assert len({Light(urgency, 0).shape for urgency in ("late", "soon", "fine", "done")}) == 4


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"pending": 3, "oldest_s": 3600}, []),
        ({"state": "forked"}, [("forked", "bad")]),
        ({"state": "revoked", "disk_free_mb": 1}, []),
        ({"last_seen_ms": 0}, [("never", "warn")]),
        ({"last_seen_ms": 0, "enrolled_ms": NOW_MS}, []),
        ({"last_seen_ms": NOW_MS - 7 * HOUR_MS}, [("silent", "warn")]),
        ({"last_seen_ms": NOW_MS - 3 * DAY_MS, "pending": 9}, [("silent", "bad")]),
        ({"pending": 9, "oldest_s": 90_000}, [("backlog", "warn")]),
        ({"pending": 9, "oldest_s": 300_000}, [("backlog", "bad")]),
        ({"missing_count": 2, "pending": 2}, []),
        ({"missing_count": 3, "pending": 2}, [("missing", "warn")]),
        ({"attachments_pending": 41}, [("attachments", "warn")]),
        ({"disk_free_mb": 499}, [("disk", "warn")]),
        ({"disk_free_mb": 99}, [("disk", "bad")]),
        ({"clock_skew_ms": -400_000}, [("clock", "warn")]),
        ({"clock_skew_ms": 2 * DAY_MS}, [("clock", "bad")]),
        ({"devices": '{"printer":"no paper","camera":"ok"}'}, [("device", "warn")]),
        ({"devices": "not json"}, []),
        (
            {"disk_free_mb": 400, "state": "forked", "clock_skew_ms": 400_000},
            [("forked", "bad"), ("disk", "warn"), ("clock", "warn")],
        ),
    ],
)
def test_kiosk_is_assessed_by_what_it_said_and_by_its_silence(
    given: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    assert concerns(kiosk(**given)) == expected


def test_former_identity_troubles_nobody_unless_something_still_waits_under_it() -> None:
    silent_ms = NOW_MS - 9 * DAY_MS
    quiet = kiosk(is_replaced=True, state="forked", last_seen_ms=silent_ms)
    holding = kiosk(is_replaced=True, state="forked", last_seen_ms=silent_ms, pending=3)

    assert (concerns(quiet), assess(quiet, NOW_MS).level) == ([], "calm")
    assert concerns(holding) == [("silent", "bad")]


def test_those_that_need_a_person_stand_first() -> None:
    rows = [
        kiosk(name="fine"),
        kiosk(name="old", state="revoked"),
        kiosk(name="watch", disk_free_mb=400),
        kiosk(name="act", disk_free_mb=50),
        kiosk(name="act with more waiting", disk_free_mb=50, pending=5),
    ]

    order = [found.kiosk.name for found in assess_all(rows, NOW_MS)]

    assert order == ["act with more waiting", "act", "watch", "fine", "old"]


def test_every_concern_has_a_sentence_that_says_what_to_do() -> None:
    codes = {key.split(".")[1] for key in ZH if key.startswith("concern.")}
    source = (PAGES / "concerns.py").read_text("utf-8")

    assert codes == set(re.findall(r'Concern\(\s*"(\w+)"', source))
    assert set(SHAPES.values()) == {"●", "▲", "■", "◇"}


@pytest.mark.parametrize(
    ("form", "purpose"),
    [
        ({"purpose": "check"}, "审核材料"),
        ({"purpose": "check", "purpose_words": "核对家庭人口"}, "核对家庭人口"),
        ({"purpose": "", "purpose_words": "看看"}, None),
        ({"purpose": "", "purpose_words": "    "}, None),
        ({"purpose_words": "x" * 101}, None),
        ({"purpose_words": "核对\x00家庭人口"}, None),
        ({"purpose_words": "核对\x1b[2J家庭"}, None),
        ({"purpose_words": "核对\u202e家庭人口"}, None),
        ({"purpose_words": "核对\u2066家庭人口"}, None),
        ({"purpose": "gossip"}, None),
        ({}, None),
    ],
)
def test_purpose_is_chosen_or_written_and_never_empty(
    form: dict[str, str], purpose: str | None
) -> None:
    assert purpose_of(form) == purpose


def test_every_purpose_on_the_list_is_long_enough_for_the_vault() -> None:
    assert [purpose_of({"purpose": purpose}) for purpose in PURPOSES] == [
        ZH(f"purpose.{purpose}") for purpose in PURPOSES
    ]


def test_files_and_consent_are_not_opened_as_answers(published: Published) -> None:
    service = published.catalogue.service("senior_allowance")

    opened = {service.question(name).type for name in field_ids(service)}
    asked = {question.type for question in bring_again(service)}

    assert opened & {"photo", "signature", "consent"} == set()
    assert "photo" in asked
    assert "consent" not in asked


def test_reasons_are_offered_for_the_action_they_were_written_for() -> None:
    reasons = {"fix_photo": "照片看不清", "no_age": "年龄还没到"}

    assert suited(reasons, "correct") == {"fix_photo": "照片看不清"}
    assert suited(reasons, "refuse") == {"no_age": "年龄还没到"}
    assert suited({"other": "别的"}, "refuse") == {"other": "别的"}


def test_resident_hears_everything_that_is_missing_at_once(published: Published) -> None:
    service = published.catalogue.service("senior_allowance")
    missing = service.questions[-1]
    decision = Decision("correct", "fix_photo", "拍清楚一点。", (missing.id,), "2026-12-15")

    said = told(CASE, service, "correction", decision, reasons=published.reasons, hotline="12345")

    assert missing.label["zh-CN"] in said.lines[0]
    assert "12月15日" in said.lines[0]
    assert said.lines[1:] == (published.reasons["fix_photo"]["zh-CN"], "拍清楚一点。")


@pytest.mark.parametrize("kind", sorted(NOTICE_KINDS.values()))
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_notice_shows_a_brace(published: Published, kind: str, language: str) -> None:
    case = msgspec.structs.replace(CASE, language=language)
    for service in published.catalogue.services:
        said = told(
            case, service, kind, Decision("complete"), reasons=published.reasons, hotline="12345"
        )

        assert said.title
        assert "{" not in "".join(said.lines)


def test_refusal_always_says_how_to_object(published: Published) -> None:
    decision = Decision("refuse", "no_age")
    for service in published.catalogue.services:
        full = with_remedy(decision, service, "zh-CN")
        said = told(CASE, service, "refused", full, reasons=published.reasons, hotline="12345")

        assert "复议" in "".join(said.lines), service.id


@given(st.text(), st.dictionaries(st.from_regex("[a-z_]{1,9}", fullmatch=True), st.text()))
def test_filling_leaves_no_slot_and_touches_nothing_else(text: str, values: dict[str, str]) -> None:
    plain = text.replace("{", "").replace("}", "")

    assert filled(plain, values) == plain
    assert filled("{" + next(iter(values), "x") + "}", {}) == "…"
