"""The two screens of comfort, as the visit makes them."""

from msgspec.structs import replace

from kiosk import views
from kiosk.comfort import Comfort
from kiosk.screens import Screen
from kiosk.visit import Visit
from tests.browser.sample_parts import base
from tests.browser.sample_questions import questions
from tests.unit.kiosk.parts import wordings, world


def comfort_screens(language: str) -> dict[str, Screen]:
    """Both screens, one of them low, and a question that was answered wrongly twice."""
    like = base(language, "comfort", "", "")
    found = {}
    for overlay in ("seeing", "hearing"):
        visit = Visit(id="visit", language=language, overlay=overlay)
        found[overlay] = views.screen(visit, world(), wordings())
    chosen = Visit(
        id="visit", language=language, overlay="seeing", comfort=Comfort(is_low=True, rate=5)
    )
    found["seeing_low"] = views.screen(chosen, world(), wordings())
    found["id_number_again"] = replace(
        questions(language)["id_number_wrong"], example="example_id_number", tries=2
    )
    return {name: replace(screen, status=like.status) for name, screen in found.items()}
