"""The slip of a visit: what stands on it, when it is printed, and what is said when it is not."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest
from msgspec.structs import replace

from kiosk import views
from kiosk.devices.printer import Looked, Printed, PrinterState
from kiosk.devices.printing import Printing
from kiosk.devices.slip import Slip
from kiosk.devices.views import PrinterView
from kiosk.events import PrinterMoved, PrintSlip, Wipe
from kiosk.places import AtReceipt, Rating
from kiosk.receipt import SlipFacts, slip_of
from kiosk.screens import Screen
from sync.ids import spaced
from tests.unit.kiosk.devices.nothing import without_devices
from tests.unit.kiosk.parts import OLD_ID, PHONE, Visitor, catalogue, wordings
from tests.unit.kiosk.stations import Station, station
from tests.unit.kiosk.test_views import assert_complete
from tests.unit.kiosk.visitors import CASE, found
from tests.unit.sync.worlds import JumpingClock
from voice_prompts.wording import LANGUAGES

OK = PrinterView("ok")
TROUBLES: tuple[PrinterState, ...] = ("out", "open", "fault", "gone")
FACTS = SlipFacts(
    case_no="004200013768",
    handed_in="2026-11-24",
    due_on="",
    hotline="0871-6500000",
    kiosk_name="试验村便民服务站",
    village={"zh-CN": "清水1村", "en": "Clearwater 1"},
    courier_url="HTTPS://CENTRE.EXAMPLE/C/123",
)


def with_receipt(language: str = "zh-CN", printer: PrinterView = OK) -> Visitor:
    visitor = Visitor(language, printer=printer)
    return visitor.do("service", "senior_allowance").fill().hand_in().commit()


def shown(visitor: Visitor, printer: PrinterView | None = None) -> Screen:
    world = visitor.world if printer is None else replace(visitor.world, printer=printer)
    return views.screen(visitor.visit, world, wordings())


def text_of(slip: Slip) -> str:
    return "\n".join(line.text for line in (*slip.head, *slip.foot))


# --- what stands on it ---


def test_slip_says_number_service_promise_place_and_whom_to_ask() -> None:
    slip = slip_of(FACTS, catalogue().service("senior_allowance"), "zh-CN", wordings()["zh-CN"])

    assert text_of(slip).splitlines() == [
        "便民服务回执",
        wordings()["zh-CN"].screen("receipt.case_no"),
        "0042 0001 3768",
        "高龄补贴(80岁以上)",
        "交办日期：2026年11月24日",
        wordings()["zh-CN"].screen("materials.days", days="10"),
        wordings()["zh-CN"].screen("receipt.scan"),
        "有事打 0871-6500000",
        "清水1村",
        "试验村便民服务站",
        "凭这个号码查进度，请收好。",
    ]
    assert slip.qr == "HTTPS://CENTRE.EXAMPLE/C/123"


def test_slip_speaks_the_language_of_the_visit() -> None:
    slip = slip_of(
        replace(FACTS, kiosk_name="Clearwater 1"),
        catalogue().service("senior_allowance"),
        "en",
        wordings()["en"],
    )

    assert not re.search("[\u4e00-\u9fff]", text_of(slip))


def test_day_that_the_centre_told_stands_instead_of_the_promise() -> None:
    facts = replace(FACTS, due_on="2026-12-22")
    slip = slip_of(facts, catalogue().service("senior_allowance"), "zh-CN", wordings()["zh-CN"])

    assert "2026年12月22日" in text_of(slip)
    assert "工作日" not in text_of(slip)


@pytest.mark.parametrize("service", [s.id for s in catalogue().services])
def test_slip_of_every_service_is_short(service: str) -> None:
    slip = slip_of(FACTS, catalogue().service(service), "zh-CN", wordings()["zh-CN"])

    assert len(slip.head) + len(slip.foot) <= 12


# --- when it is printed ---


def test_slip_is_printed_with_the_receipt() -> None:
    visitor = with_receipt()

    slip = PrintSlip(CASE, "senior_allowance", "zh-CN")
    assert visitor.effects == (Wipe(), replace(slip, case_no=visitor.effects[1].case_no))  # type: ignore[union-attr]


def test_without_a_printer_nothing_is_asked_of_one() -> None:
    visitor = with_receipt(printer=PrinterView())

    assert visitor.effects == (Wipe(),)
    assert shown(visitor).print_label == ""
    assert visitor.do("print").effects == ()


def test_receipt_is_printed_again_on_request_and_stays() -> None:
    visitor = with_receipt()
    before = visitor.visit
    visitor.do("print")

    assert [type(effect) for effect in visitor.effects] == [PrintSlip]
    assert visitor.visit == replace(before, rev=before.rev + 1)


def test_slip_of_a_matter_is_printed_from_my_matters() -> None:
    visitor = Visitor(printer=OK).do("matters").fill(find_by="slip", case_no=CASE).give(found())

    assert ("print", "再打一张") in [(t.action, t.label) for t in shown(visitor).tiles]
    assert visitor.do("print").effects == (PrintSlip(CASE, "pension_auth", "zh-CN"),)


def test_print_means_nothing_elsewhere() -> None:
    visitor = Visitor(printer=OK).do("service", "senior_allowance")
    before = visitor.visit

    assert visitor.do("print").visit == before


def test_rating_gives_no_slip() -> None:
    visitor = with_receipt().do("continue")
    assert isinstance(visitor.visit.place, Rating)

    visitor.do("rate", "satisfied").commit(138)

    assert not [effect for effect in visitor.effects if isinstance(effect, PrintSlip)]


# --- what is said ---


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", TROUBLES)
@pytest.mark.parametrize("job", ["half", "none"])
def test_printer_that_fails_is_told_plainly_with_what_to_do_instead(
    language: str, state: PrinterState, job: Literal["half", "none"]
) -> None:
    visitor = with_receipt(language, PrinterView(state, job))
    screen, wording = shown(visitor), wordings()[language]

    assert screen.receipt is not None
    assert wording.screen(f"slip.{state}") in screen.receipt.slip
    assert wording.screen("slip.instead") in screen.receipt.slip
    assert (wording.screen("slip.half") in screen.receipt.slip) == (job == "half")
    assert screen.receipt.is_slip_lost
    # Number and square are still there, and every way on and back.
    assert spaced(screen.receipt.case_no.replace(" ", "")) == screen.receipt.case_no
    assert screen.receipt.qr_svg
    assert (screen.next_action, screen.can_home, screen.can_help) == ("continue", True, True)
    assert_complete(visitor.visit, visitor.world)


def test_first_word_after_a_failure_is_the_failure() -> None:
    screen = shown(with_receipt(), PrinterView("out", "half"))

    assert [one.template for one in screen.say[:3]] == [
        "小票没打完。",
        "打印机没纸了。",
        "请用手机拍屏幕，或者抄下号码。",
    ]


def test_slip_that_comes_is_told_with_the_rest() -> None:
    said = [one.template for one in shown(with_receipt(), PrinterView("ok", "printing")).say]

    assert "正在打小票，请拿好。" in said
    assert len(said) > 3


def test_failing_printer_is_a_new_screen_only_where_a_slip_is_awaited() -> None:
    at_receipt = with_receipt()
    rev = at_receipt.visit.rev
    asking = Visitor(printer=OK).do("service", "senior_allowance")
    before = asking.visit

    assert at_receipt.give(PrinterMoved()).visit.rev == rev + 1
    assert asking.give(PrinterMoved()).visit is before


# --- a whole kiosk with a printer ---


class Tray:
    """A printer that a test can empty, jam and pull."""

    def __init__(self) -> None:
        self.state: PrinterState = "ok"
        self.outcomes: list[Printed] = []
        self.came: list[bytes] = []

    def look(self) -> Looked:
        return Looked(self.state)

    def print(self, raw: bytes) -> Printed:
        came = self.outcomes.pop(0) if self.outcomes else None
        came = came or Printed("whole" if self.state == "ok" else "none", self.state)
        if came.how != "none":
            self.came.append(raw)
        return came


@asynccontextmanager
async def kiosk_with(tray: Tray, directory: Path) -> AsyncIterator[tuple[Station, Printing]]:
    async def draw(slip: Slip) -> bytes:
        return (text_of(slip) + slip.qr).encode()

    printing = Printing(tray, draw, JumpingClock())
    async with station(directory, devices=without_devices(printing=printing)) as kiosk:
        yield kiosk, printing
        await printing.close()


async def hand_in(kiosk: Station) -> None:
    """Go to a receipt by the shortest service."""
    await kiosk.touch("service", "suggestion")
    for _ in range(30):
        screen, _, _ = await kiosk.stage.screen()
        if screen.kind == "receipt":
            return
        match screen.kind:
            case "question":
                assert screen.entry is not None
                question = screen.entry.question
                if screen.skip_action:
                    await kiosk.touch("skip", "", question)
                    continue
                known = {"village": "530121100201", "phone": PHONE, "voice_note": "=灯坏了"}
                other = screen.tiles[0].value if screen.tiles else OLD_ID
                value = known.get(screen.entry.kind, other)
                await kiosk.touch("answer", value, question)
            case "check":
                more = screen.page < screen.pages
                await kiosk.touch(*(("more", str(screen.page + 1)) if more else ("submit", "")))
            case _:
                await kiosk.touch(screen.next_action or "continue", screen.next_value)
    raise AssertionError("no receipt in sight")


async def test_kiosk_prints_number_and_square_and_nothing_that_the_resident_said(
    tmp_path: Path,
) -> None:
    tray = Tray()
    async with kiosk_with(tray, tmp_path) as (kiosk, printing):
        await hand_in(kiosk)
        assert printing._task is not None
        await printing._task
        receipt = kiosk.stage.visit.receipt

    assert receipt is not None
    (slip,) = (raw.decode() for raw in tray.came)
    assert spaced(receipt.case_no) in slip
    assert "HTTPS://CENTRE.EXAMPLE" in slip
    assert not [word for word in (OLD_ID, PHONE, "灯坏了", "王秀兰") if word in slip]


async def test_paper_that_ends_is_no_dead_end_and_the_slip_comes_when_there_is_more(
    tmp_path: Path,
) -> None:
    tray = Tray()
    tray.outcomes = [Printed("half", "out")]
    async with kiosk_with(tray, tmp_path) as (kiosk, printing):
        await hand_in(kiosk)
        assert printing._task is not None
        await printing._task
        told, _, _ = await kiosk.stage.screen()
        tray.state = "ok"
        await printing.look()
        mended, _, _ = await kiosk.stage.screen()
        await kiosk.touch("continue")
        onward, _, _ = await kiosk.stage.screen()

    assert told.receipt is not None
    assert mended.receipt is not None
    assert told.receipt.slip == (
        "小票没打完。",
        "打印机没纸了。",
        "请用手机拍屏幕，或者抄下号码。",
    )
    assert not mended.receipt.is_slip_lost
    assert len(tray.came) == 2
    assert onward.kind == "rating"


async def test_printer_that_vanishes_in_the_middle_of_a_visit_stops_nothing(tmp_path: Path) -> None:
    tray = Tray()
    async with kiosk_with(tray, tmp_path) as (kiosk, printing):
        await kiosk.touch("service", "suggestion")
        tray.state = "gone"
        await printing.look()
        await kiosk.touch("home")
        await hand_in(kiosk)
        assert printing._task is not None
        await printing._task
        told, _, visit = await kiosk.stage.screen()
        await kiosk.touch("print")
        await printing._task
        again, _, _ = await kiosk.stage.screen()

    assert visit.place == AtReceipt()
    assert told.receipt is not None
    assert again.receipt is not None
    assert told.receipt.slip[0] == again.receipt.slip[0] == "打印机没接上，打不了小票。"
    assert tray.came == []
