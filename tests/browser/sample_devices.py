"""The screens that speak of devices, as the kiosk itself puts them together."""

from msgspec.structs import replace

from kiosk import views
from kiosk.devices.views import PrinterView
from kiosk.events import CardCame
from kiosk.screens import Screen
from tests.unit.kiosk.parts import OLD_ID, Visitor, wordings
from tests.unit.kiosk.visitors import CASE, found
from tests.unit.kiosk.visitors import asking as before

_PRINTERS = {
    "receipt-printing": PrinterView("ok", "printing"),
    "receipt-half": PrinterView("out", "half"),
    "receipt-no-printer": PrinterView("gone", "none"),
}


def device_screens(language: str) -> dict[str, Screen]:
    """Receipts with a printer in every mood, by name."""
    visitor = Visitor(language).do("service", "senior_allowance").fill().hand_in().commit()
    shown = {
        name: views.screen(visitor.visit, replace(visitor.world, printer=printer), wordings())
        for name, printer in _PRINTERS.items()
    }
    asking = Visitor(language, printer=PrinterView("out", "none")).do("matters")
    asking.fill(find_by="slip", case_no=CASE).give(found())
    number = before("senior_allowance", "id_number", language)
    number.world = replace(number.world, card_reader="ready")
    shown["number-card"] = views.screen(number.visit, number.world, wordings())
    number.give(CardCame(OLD_ID, "王秀兰"))
    shown["number-card-read"] = views.screen(number.visit, number.world, wordings())
    return {**shown, "matter-no-paper": views.screen(asking.visit, asking.world, wordings())}
