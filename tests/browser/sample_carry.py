"""The screens of carrying for the village, as the visit itself gives them."""

from kiosk import views
from kiosk.screens import Screen
from tests.unit.kiosk.parts import Visitor, wordings

#: As long as a county's address is.
_ADDRESS = "https://bm.wuchuan-county.gov.cn/carry"


def carry_screens(language: str) -> dict[str, Screen]:
    """Help with the way there, the page's address, the codes, and the end."""
    visitor = Visitor(language, pending=128, carried=45, is_reachable=False, carry_url=_ADDRESS)
    found = {}
    for name, action in (
        ("help_carry", "help"),
        ("carry_page", "carry"),
        ("carry_codes", "continue"),
        ("thanks_carried", "continue"),
    ):
        visitor.do(action)
        found[name] = views.screen(visitor.visit, visitor.world, wordings())
    return found
