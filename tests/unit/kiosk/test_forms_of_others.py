"""ODK's example forms at the kiosk: from the home screen to the receipt, every screen drawn."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from kiosk import views
from kiosk.events import Attached, Submit
from kiosk.places import Asking, Checking
from kiosk.screens import Screen
from server.xlsform.convert import convert
from sync.forms import ATTACHMENT_TYPES, Service
from tests.unit.kiosk.parts import Visitor, catalogue, wordings
from tests.unit.server.xlsform.forms import service_of, walk

FOLDER = Path(__file__).parents[2] / "vectors" / "xlsforms"
NAMES = (
    "or_other.xlsx",
    "choice_filter_test.xlsx",
    "tutorial.xls",
    "repeat_date_test.xls",
    "table-list.xls",
    "default_time_demo.xls",
    "xml_escaping.xls",
)


def visitor_of(service: Service, language: str) -> Visitor:
    service = replace(service, id="from_elsewhere")
    whole = replace(catalogue(), services=(*catalogue().services, service))
    visitor = Visitor(language, catalogue=whole)
    return visitor.do("open", service.category).do("service", service.id)


def shown(visitor: Visitor) -> Screen:
    return views.screen(visitor.visit, visitor.world, wordings())


def answered(visitor: Visitor, answers: dict[str, str]) -> list[Screen]:
    """Answer to the check page; each screen on the way."""
    screens = []
    service = visitor.world.catalogue.service("from_elsewhere")
    for _ in range(200):
        if not isinstance(visitor.visit.place, Asking):
            break
        screens.append(shown(visitor))
        name = visitor.visit.place.question
        value = answers.get(name, "")
        question = service.question(name)
        if question.type in ATTACHMENT_TYPES and value.isdigit():
            visitor.give(Attached(name, int(value)))
        visitor.do("answer" if value or question.type == "note" else "skip", value, name)
    return screens


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("name", NAMES)
def test_example_is_filled_in_at_the_kiosk(name: str, language: str) -> None:
    service = convert(name, (FOLDER / name).read_bytes()).service
    answers = dict(walk(service, 4))
    visitor = visitor_of(service, language)

    screens = answered(visitor, answers)

    assert isinstance(visitor.visit.place, Checking), visitor.visit.place
    assert screens
    assert not any("${" in line for screen in screens for line in (screen.title, *screen.lines))
    visitor.hand_in()
    (submit,) = visitor.effects
    assert isinstance(submit, Submit)
    assert submit.transaction.answers == answers


def test_note_says_what_was_calculated_from_earlier_answers() -> None:
    service = service_of(
        "type | name | label | calculation",
        "integer | plots | How many plots?",
        "calculate | money | | ${plots} * 120",
        "note | told | You get ${money} yuan for ${plots} plots.",
    )
    visitor = visitor_of(service, "en")

    screens = answered(visitor, {"plots": "3"})

    assert screens[-1].title == "You get 360 yuan for 3 plots."
