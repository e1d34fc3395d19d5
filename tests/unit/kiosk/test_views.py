"""What every screen shows and says, in both languages; every service walked to its end."""

import re

import pytest
from msgspec.structs import replace

from kiosk import views
from kiosk.events import Attached, Failed, Found
from kiosk.places import Asking, AtFault, AtHome, AtMatter, AtReceipt, Checking, Waiting
from kiosk.screens import Screen, Utterance
from kiosk.visit import Matter, Visit
from kiosk.world import World
from sync.ids import case_number, spaced
from sync.records import Notice
from tests.unit.kiosk.parts import OLD_ID, PHONE, Visitor, catalogue, receipt, wordings
from voice_prompts.compose import Piece, Spoken, pieces
from voice_prompts.wording import LANGUAGES

SERVICES = [service.id for service in catalogue().services]
CASE = receipt("pension_auth").case_no
HAN = re.compile(r"[一-鿿]")


def shown(visitor: Visitor) -> Screen:
    return views.screen(visitor.visit, visitor.world, wordings())


def assert_complete(visit: Visit, world: World) -> None:
    screen = views.screen(visit, world, wordings())
    where = (visit.place, visit.overlay, visit.language)
    assert screen.title, where
    assert screen.say, where
    assert len(screen.silence) == 2, where
    assert all(screen.silence), where
    is_home = isinstance(visit.place, AtHome) and not visit.overlay
    has_way = screen.can_back or screen.can_home or screen.kind in ("help", "leave", "idle")
    assert has_way or is_home, where
    for utterance in (*screen.say, *(u for row in screen.silence for u in row)):
        assert pieces(screen.language, utterance.template, utterance.slots), (where, utterance)
    ids = [tile.dom_id for tile in screen.tiles] + [row.dom_id for row in screen.rows]
    assert len(ids) == len(set(ids)), where
    middle = [tile for tile in screen.tiles if not tile.dom_id.startswith("foot")]
    assert len(middle) <= 6, where
    if screen.language == "en":
        texts = [screen.title, screen.error, screen.next_label, screen.skip_label, *screen.lines]
        # A name or a village that the test typed in Chinese may stand in a line.
        shown = [text.replace("王秀兰", "").replace("李建国", "") for text in texts]
        assert not [text for text in shown if HAN.search(text)], where


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("service", SERVICES)
def test_service_is_walked_to_its_receipt(service: str, language: str) -> None:
    visitor = Visitor(language).do("service", service).fill()
    if catalogue().service(service).case_kind == "query":
        visitor.give(Found((Matter(CASE, "pension_auth", 1_795_500_000_000, False),)))
        end: object = AtMatter(CASE)
    else:
        visitor.hand_in().commit()
        end = AtReceipt()

    assert visitor.visit.place == end
    for visit in visitor.seen:
        assert_complete(visit, visitor.world)
        for overlay in ("help", "leave", "idle"):
            assert_complete(replace(visit, overlay=overlay), visitor.world)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("service", SERVICES)
def test_service_is_walked_for_somebody_else(service: str, language: str) -> None:
    visitor = Visitor(language).do("service", service).fill(applicant_kind="agent")

    for visit in visitor.seen:
        assert_complete(visit, visitor.world)


@pytest.mark.parametrize("language", LANGUAGES)
def test_endings_are_complete(language: str) -> None:
    visitor = Visitor(language).do("service", "suggestion").fill().hand_in()
    visitor.give(Failed("507")).do("retry").hand_in().commit()
    visitor.do("continue").do("rate", "very_dissatisfied").fill().commit(seq=138)

    for visit in visitor.seen:
        assert_complete(visit, visitor.world)
    for code in ("507", "503", "500", "unheard"):
        assert_complete(Visit(id="x", language=language, place=AtFault(code)), visitor.world)
    for why in ("submit", "lookup"):
        waiting = Visit(id="x", language=language, place=Waiting(why))
        assert_complete(waiting, visitor.world)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_mistake_has_words(language: str) -> None:
    codes = [
        *("required", "photo_missing", "signature_missing", "voice_missing", "constraint"),
        *("too_long", "characters", "attachments", "doubtful", "unheard"),
        *catalogue().types,
    ]
    visitor = Visitor(language).do("service", "pension_auth").do("continue")
    for code in codes:
        place = Asking("id_number", error=code, tries=3)
        screen = views.screen(replace(visitor.visit, place=place), visitor.world, wordings())

        assert screen.error
        assert wordings()[language].screen("error.help") in screen.error
        assert_complete(replace(visitor.visit, place=place), visitor.world)


def test_village_of_the_kiosk_is_offered_alone_first() -> None:
    visitor = Visitor().do("service", "helper_request")
    visitor.visit = replace(visitor.visit, place=Asking("village_code"))

    screen = shown(visitor)

    assert [(tile.action, tile.label) for tile in screen.tiles] == [
        ("answer", "清水1村"),
        ("more", "别的村"),
    ]


def test_other_villages_come_page_by_page() -> None:
    visitor = Visitor().do("service", "helper_request")
    visitor.visit = replace(visitor.visit, place=Asking("village_code"))

    visitor.do("more", "2")
    second = [tile.label for tile in shown(visitor).tiles]
    visitor.do("more", "3")
    third = [tile.label for tile in shown(visitor).tiles]

    assert second == [*(f"清水{index}村" for index in range(2, 7)), "还有"]
    assert third == [f"清水{index}村" for index in range(7, 10)]


def test_ids_and_cards_are_masked_on_the_check_page() -> None:
    visitor = Visitor().do("service", "senior_allowance").fill()

    seen = [row.value for page in check_pages(visitor) for row in page.rows]

    assert "530121********0011" in seen
    assert not [value for value in seen if OLD_ID in value or PHONE in value]


def test_sensitive_answers_are_never_said_aloud() -> None:
    visitor = Visitor().do("service", "disability_subsidy").fill()
    sensitive = {
        value
        for question in catalogue().service("disability_subsidy").questions
        if question.sensitivity == "sensitive"
        and len(value := visitor.draft.answers.get(question.id, "")) > 3
    }
    assert OLD_ID in sensitive

    said = [spoken for page in check_pages(visitor) for spoken in all_said(page)]

    assert not [spoken for spoken in said if any(value in spoken for value in sensitive)]


def test_check_page_hands_in_only_on_its_last_page() -> None:
    visitor = Visitor().do("service", "pension_auth").fill()

    pages = check_pages(visitor)

    assert [page.next_action for page in pages] == ["more"] * (len(pages) - 1) + ["submit"]
    assert all(len(page.rows) <= 4 for page in pages)


def test_check_page_shows_what_was_answered_in_words() -> None:
    visitor = Visitor().do("service", "suggestion").fill()

    rows = [(row.label, row.value) for page in check_pages(visitor) for row in page.rows]

    assert rows == [
        ("反映什么", "路灯路面"),
        ("和工作人员有关吗", "是"),
        ("说给我听", "桥头的灯坏了"),
        ("照片", "照片1张"),
        ("留不留名", "不是"),
    ]


def test_id_number_is_echoed_when_it_is_seen_again() -> None:
    visitor = Visitor().do("service", "pension_auth").fill()

    visitor.do("change", "", "id_number")

    entry = shown(visitor).entry
    assert entry is not None
    assert entry.echo == ("1946年11月24日生", "男", "80岁")
    assert entry.value == OLD_ID


def test_date_has_the_bounds_of_its_constraint() -> None:
    visitor = Visitor().do("service", "appointment")
    visitor.visit = replace(visitor.visit, place=Asking("wanted_on"))

    entry = shown(visitor).entry

    assert entry is not None
    assert (entry.earliest, entry.latest) == ("2026-11-24", "2026-12-24")


def test_receipt_made_offline_promises_days_and_no_date() -> None:
    visitor = Visitor().do("service", "pension_auth").fill().hand_in().commit()

    view = shown(visitor).receipt

    assert view is not None
    assert view.case_no == "0042 0001 3768"
    assert view.due == "3个工作日内给您答复"
    assert view.lines[1] == ("已经收好。受理号 0042 0001 3768。3个工作日内给您答复。有事打 12345。")
    assert view.lines[0] == "已经锁好，存在这台机子里。有网就自动送到县里。"


def test_receipt_with_the_centres_word_names_the_day() -> None:
    visitor = Visitor(due_on="2026-11-27", is_delivered=True)
    visitor.do("service", "pension_auth").fill().hand_in().commit()

    view = shown(visitor).receipt

    assert view is not None
    assert view.due == "最晚2026年11月27日答复"
    assert "最晚 2026年11月27日" in view.lines[1]
    assert view.is_delivered


def test_slip_is_not_promised_without_a_printer() -> None:
    visitor = Visitor().do("service", "pension_auth").fill().hand_in().commit()

    said = all_said(shown(visitor))

    assert "已经收好了。3个工作日内给您答复。" in said
    assert not [spoken for spoken in said if "小票" in spoken]


def test_matter_shows_its_road_and_its_last_word() -> None:
    notices = (notice(1, "received"), notice(2, "accepted", due_on="2026-11-27"))
    visitor = matter_of(*notices)

    screen = shown(visitor)

    assert [(item.label, item.is_done, item.is_now) for item in screen.timeline] == [
        ("交上来了", True, False),
        ("县里收到了", True, False),
        ("已受理", True, True),
        ("等答复", False, False),
    ]
    assert screen.lines[0] == (
        f"您的养老认证已经受理，受理号 {spaced(CASE)}，最晚 2026年11月27日 答复。"
    )
    assert "您的养老认证已经受理了。请等我们答复。" in all_said(screen)


def test_correction_says_what_is_missing_and_can_be_done_now() -> None:
    visitor = matter_of(notice(1, "correction", missing=("face_photo",), correct_by="2026-12-10"))

    screen = shown(visitor)

    assert screen.lines[0] == (
        "您的养老认证还差：本人正面照片。请在 2026年12月10日 前补上，一次补齐就行。"
    )
    assert (screen.next_action, screen.next_value) == ("correct", CASE)
    assert "本人正面照片" in all_said(screen)


def test_correction_in_the_clerks_own_words_alone_is_told_and_cannot_be_done_here() -> None:
    screen = shown(matter_of(notice(1, "correction", words="请带户口簿到镇上")))

    assert screen.lines == ("要补材料", "请带户口簿到镇上")
    assert screen.next_action == "home"


def test_refusal_tells_the_reason() -> None:
    visitor = matter_of(
        notice(1, "refused", reason_code="blurred", words="请再拍一张"),
        reasons={"blurred": {"zh-CN": "照片看不清", "en": "The photo is not clear"}},
    )

    screen = shown(visitor)

    assert "原因：照片看不清。请再拍一张。" in screen.lines[0]
    told = [spoken for spoken in screen.say if not spoken.highlight.startswith("tile")]
    assert tuple(told[-2:]) == (
        Utterance("照片看不清"),
        Utterance("{words}", {"words": Spoken("text", "请再拍一张")}),
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("service", SERVICES)
def test_every_notice_of_every_service_is_complete(service: str, language: str) -> None:
    kinds = [*catalogue().service(service).notices, "received", "rated", "message"]
    questions = tuple(q.id for q in catalogue().service(service).questions[-2:])
    for kind in kinds:
        told = notice(1, kind, missing=questions, correct_by="2026-12-10", words="please")
        found = Matter(CASE, service, 1_795_500_000_000, True, (told,))
        visitor = Visitor(language).do("matters").fill(case_no=CASE).give(Found((found,)))

        assert_complete(visitor.visit, visitor.world)


@pytest.mark.parametrize(
    ("case_no", "words"),
    [
        ("004200013768", "号没有错。事情办完久了，机子就不留了。"),
        (case_number(7, 1), "这个号是在别的机子上办的。请到那台机子上查。"),
    ],
)
def test_unknown_number_says_where_to_ask(case_no: str, words: str) -> None:
    visitor = Visitor().do("matters").fill(case_no=case_no).give(Found(()))

    assert shown(visitor).lines == (words, "也可以打电话问：12345。")


def test_languages_are_named_in_themselves() -> None:
    assert shown(Visitor("zh-CN")).languages == (("en", "English"),)
    assert shown(Visitor("en")).languages == (("zh-CN", "中文"),)


def test_offline_is_told_without_alarm() -> None:
    screen = shown(Visitor(pending=3, is_reachable=False))

    assert screen.status.text == "没有网也能办。已存好3件，有网就送出。"


def check_pages(visitor: Visitor) -> list[Screen]:
    """Turn all pages of the check page."""
    assert isinstance(visitor.visit.place, Checking)
    pages = [shown(visitor)]
    while pages[-1].next_action == "more":
        pages.append(shown(visitor.do("more", pages[-1].next_value)))
    return pages


def all_said(screen: Screen) -> list[str]:
    def text(utterance: Utterance) -> str:
        return " ".join(piece.text for piece in pieces_of(screen, utterance))

    return [utterance.template for utterance in screen.say] + [text(u) for u in screen.say]


def pieces_of(screen: Screen, utterance: Utterance) -> list[Piece]:
    return [p for p in pieces(screen.language, utterance.template, utterance.slots) if p.text]


def notice(number: int, kind: str, **changes: object) -> Notice:
    plain = Notice(
        number=number,
        case_no=CASE,
        kind=kind,
        service="pension_auth",
        at_ms=1_795_600_000_000 + number,
    )
    return replace(plain, **changes)


def matter_of(*notices: Notice, **changes: object) -> Visitor:
    found = Matter(CASE, "pension_auth", 1_795_500_000_000, True, notices)
    visitor = Visitor(**changes).do("matters").fill(case_no=CASE)  # type: ignore[arg-type]
    return visitor.give(Found((found,)))


def test_attachment_room_is_shared_by_the_whole_transaction() -> None:
    visitor = Visitor().do("service", "newborn")
    visitor.visit = replace(visitor.visit, place=Asking("birth_cert_photo"))
    visitor.give(Attached("birth_cert_photo", 2))

    entry = shown(visitor).entry

    assert entry is not None
    assert (entry.attachments, entry.attachments_min, entry.attachments_max) == (2, 1, 3)


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_finds_nothing_is_led_to_people_and_the_hotline(language: str) -> None:
    visitor = Visitor(language).do("other")

    screen = shown(visitor)

    assert_complete(visitor.visit, visitor.world)
    assert [(tile.action, tile.value) for tile in screen.tiles] == [
        ("service", "helper_request"),
        ("service", "suggestion"),
        ("help", ""),
    ]
    assert "12345" in screen.lines[0]
    assert visitor.do("back").visit.place == AtHome()


def test_catalogue_without_those_services_still_offers_a_helper() -> None:
    few = replace(catalogue(), services=catalogue().services[:2])
    visitor = Visitor(catalogue=few).do("other")

    assert [tile.action for tile in shown(visitor).tiles] == ["help"]


def test_service_for_all_else_is_begun() -> None:
    visitor = Visitor().do("other").do("service", "helper_request")

    assert visitor.draft.service == "helper_request"
