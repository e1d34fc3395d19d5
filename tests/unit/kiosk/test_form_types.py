"""Questions of the types that forms from elsewhere bring: shown, said, answered, checked."""

from msgspec.structs import replace

from kiosk import views, walk
from kiosk.places import Asking, Checking
from kiosk.screens import Screen
from sync.forms import Catalogue, Choice, Question, Service
from tests.unit.kiosk.parts import Visitor, catalogue, wordings


def both(text: str) -> dict[str, str]:
    return {"zh-CN": text, "en": text}


def question(name: str, kind: str, **more: object) -> Question:
    return Question(name, kind, both(f"{name}?"), both(f"{name}？"), False, "none", **more)  # type: ignore[arg-type]


FRUIT = tuple(
    Choice(name, both(name), both(name), columns={"hill": hill})
    for name, hill in (("apple", "high"), ("pear", "high"), ("rice", "low"), ("tea", "high"))
)


def with_questions(*questions: Question) -> Catalogue:
    """The shipped catalogue with one service that asks these questions."""
    model = catalogue().service("suggestion")
    service: Service = replace(
        model,
        id="survey",
        questions=questions,
        choice_lists={"fruit": FRUIT, "hills": (FRUIT[0], FRUIT[2])},
        eligibility=(),
        materials=(),
        calculates=(),
        check=replace(model.check, text=both("请看一看"), voice=both("请看一看。")),
    )
    return replace(catalogue(), services=(*catalogue().services, service))


def asked(*questions: Question, language: str = "zh-CN") -> Visitor:
    visitor = Visitor(language, catalogue=with_questions(*questions))
    service = visitor.world.catalogue.service("survey")
    visitor.do("open", service.category)
    return visitor.do("service", "survey")


def shown(visitor: Visitor) -> Screen:
    return views.screen(visitor.visit, visitor.world, wordings())


def place(visitor: Visitor) -> str:
    return visitor.visit.place.question if isinstance(visitor.visit.place, Asking) else ""


def test_note_is_read_and_passed_and_not_on_the_check_page() -> None:
    visitor = asked(question("free", "note"), question("age", "integer"))
    screen = shown(visitor)

    assert (screen.next_action, screen.skip_action) == ("answer", "")
    assert screen.say[-1].template == wordings()["zh-CN"].voice("question.read")

    visitor.do("answer", "anything at all", "free").do("answer", "7", "age")
    assert isinstance(visitor.visit.place, Checking)
    assert visitor.draft.answers == {"free": "", "age": "7"}
    assert [row.question for row in shown(visitor).rows] == ["age"]


def test_required_note_does_not_hold_anybody_up() -> None:
    visitor = asked(replace(question("free", "note"), required=True), question("age", "integer"))

    visitor.do("answer", "", "free")

    assert place(visitor) == "age"


def test_acknowledge_is_one_tile() -> None:
    visitor = asked(
        replace(question("rules", "acknowledge"), required=True), question("n", "integer")
    )
    (tile,) = shown(visitor).tiles

    assert (tile.action, tile.value, tile.label) == ("answer", "OK", "知道了")
    visitor.do(tile.action, tile.value, "rules")
    assert (place(visitor), visitor.draft.answers) == ("n", {"rules": "OK"})


def test_hint_stands_under_the_question_and_is_said_after_it() -> None:
    screen = shown(asked(question("age", "integer", hint=both("照着身份证看"))))

    assert screen.lines == ("age？", "照着身份证看")
    assert [(u.template, u.highlight) for u in screen.say[:2]] == [
        ("age？", ""),
        ("照着身份证看", "line-0"),
    ]


def test_default_is_proposed_and_taken_by_going_on() -> None:
    visitor = asked(question("heads", "integer", default="4"), question("n", "integer"))
    assert shown(visitor).entry.value == "4"  # type: ignore[union-attr]

    visitor.do("answer", "5", "heads").do("back")

    assert shown(visitor).entry.value == "5"  # type: ignore[union-attr]


def test_default_is_not_proposed_again_after_it_was_skipped() -> None:
    visitor = asked(question("heads", "integer", default="4"), question("n", "integer"))

    visitor.do("skip", "", "heads").do("back")

    assert shown(visitor).entry.value == ""  # type: ignore[union-attr]


def test_default_choice_is_ticked() -> None:
    screen = shown(asked(question("crop", "choice", choices="fruit", default="'pear'")))

    assert [tile.value for tile in screen.tiles if tile.is_selected] == ["pear"]


def test_what_the_form_tells_cannot_be_answered_otherwise() -> None:
    told = question("allowance", "amount", default="120", is_read_only=True)
    visitor = asked(told, question("n", "integer"))
    screen = shown(visitor)
    assert (screen.next_action, screen.next_value, screen.skip_action) == ("answer", "120", "")
    assert screen.entry is not None
    assert screen.entry.is_read_only

    visitor.do("answer", "99999", "allowance")

    assert visitor.draft.answers == {"allowance": "120"}


def test_choices_follow_earlier_answers() -> None:
    hill = question("hill", "choice", choices="hills")
    crop = question(
        "crop", "choice", choices="fruit", choice_filter="hill='high' or ${hill}='rice'"
    )
    visitor = asked(hill, crop)

    visitor.do("answer", "apple", "hill")
    assert [tile.value for tile in shown(visitor).tiles] == ["apple", "pear", "tea"]
    visitor.do("answer", "rice", "crop")
    assert visitor.visit.place == Asking("crop", error="choice", tries=1)

    visitor.do("answer", "tea", "crop")
    assert isinstance(visitor.visit.place, Checking)


def test_answer_becomes_necessary_by_another() -> None:
    visitor = asked(
        question("has_phone", "yes_no", choices="hills"),
        question("why", "text_note", required_when="${has_phone} = 'apple'"),
    )

    visitor.do("answer", "apple", "has_phone")
    assert shown(visitor).skip_action == ""
    visitor.do("skip", "", "why")
    assert place(visitor) == "why"

    visitor.do("back").do("answer", "rice", "has_phone")
    assert shown(visitor).skip_action == "skip"


def test_rank_keeps_the_residents_order_to_the_check_page() -> None:
    visitor = asked(question("crops", "rank", choices="fruit"))
    screen = shown(visitor)
    assert screen.entry is not None
    assert [tile.value for tile in screen.entry.choices] == ["apple", "pear", "rice", "tea"]
    assert screen.tiles == ()

    visitor.do("answer", "tea apple", "crops")

    check = shown(visitor)
    assert check.rows[0].value == "tea、apple"
    heard = [u.template for u in check.say if u.highlight == "row-1"]
    assert heard == ["crops?", "tea", "apple"]


def test_range_has_its_ends_and_refuses_what_lies_between_steps() -> None:
    visitor = asked(question("rain", "range", min_value="0", max_value="5", step="0.5"))
    entry = shown(visitor).entry
    assert entry is not None
    assert (entry.least, entry.most, entry.step) == ("0", "5", "0.5")

    visitor.do("answer", "0.7", "rain")
    assert visitor.visit.place == Asking("rain", error="range", tries=1)
    visitor.do("answer", "2.5", "rain")
    assert isinstance(visitor.visit.place, Checking)


def test_time_is_answered_and_read_back() -> None:
    visitor = asked(question("when", "time"))

    visitor.do("answer", "24:00", "when")
    assert visitor.visit.place == Asking("when", error="time", tries=1)
    visitor.do("answer", "15:20", "when")
    said = [u for u in shown(visitor).say if u.highlight == "row-1"]
    assert said[-1].slots["value"].kind == "time"


def test_decimal_is_tidied() -> None:
    form = with_questions(question("x", "decimal"))
    service = form.service("survey")

    def tidy(value: str) -> str:
        return walk.tidied(form, service, service.question("x"), value)

    assert [tidy(v) for v in ("007.50", "-0.5", "3.", "０．５", "-0", "1.2.3")] == [
        "7.5",
        "-0.5",
        "3",
        "0.5",
        "0",
        "1.2.3",
    ]


def test_every_new_type_has_words_in_both_languages() -> None:
    kinds = ("decimal", "time", "range", "rank", "note", "acknowledge", "barcode")
    for language in ("zh-CN", "en"):
        for kind in kinds:
            visitor = asked(question("q", kind, choices="fruit"), language=language)
            screen = shown(visitor)
            assert screen.say
            assert len(screen.silence) == 2
            assert all(screen.silence), (language, kind)
            if kind != "note":
                assert f"error.{kind}" in wordings()[language].keys()  # noqa: SIM118 -- no mapping
