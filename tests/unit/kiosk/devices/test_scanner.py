"""The scanner: bounded lines from hostile bytes, and what a code does to a screen."""

import asyncio
import os
import pty
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kiosk import views
from kiosk.assisted.signing_in import BADGE
from kiosk.devices.address import Address
from kiosk.devices.scan_lines import Keys, Lines, encoded_keys
from kiosk.devices.scanner import Scanner
from kiosk.events import LookUp, Presented
from kiosk.places import Asking, AtMatter, SigningIn, Waiting
from kiosk.scanned import case_of, touch_of
from sync.clock import SystemClock
from sync.limits import SCAN_CHARS_MAX
from sync.wire import courier_url
from tests.unit.kiosk.devices.test_slips import hand_in
from tests.unit.kiosk.parts import Visitor, wordings
from tests.unit.kiosk.stations import station
from tests.unit.kiosk.visitors import CASE, asking, found
from tests.unit.sync.worlds import JumpingClock

PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=60)


# --- lines ---


def test_code_ends_with_either_end_of_line() -> None:
    assert Lines().feed(b"004200013768\r\n6901234567892\n") == ("004200013768", "6901234567892")


@given(PRINTABLE, st.integers(0, 60))
def test_code_in_pieces_is_one_code(text: str, place: int) -> None:
    raw, lines = text.encode() + b"\n", Lines()

    assert lines.feed(raw[:place]) + lines.feed(raw[place:]) == ((text,) if text else ())


def test_line_longer_than_any_code_is_dropped_and_the_next_is_read() -> None:
    lines = Lines()

    assert lines.feed(b"9" * (SCAN_CHARS_MAX + 1) + b"004200013768\n004200013768\n") == (
        "004200013768",
    )


@given(st.binary(max_size=300))
def test_only_printable_ascii_ever_comes_out(raw: bytes) -> None:
    for line in Lines().feed(raw + b"\n"):
        assert line.isascii()
        assert line.isprintable()
        assert len(line) <= SCAN_CHARS_MAX


def test_half_a_code_is_no_code() -> None:
    assert Lines().feed(b"00420001\x003768\n") == ()


@given(PRINTABLE, st.integers(0, 400))
def test_keyboard_types_what_stands_in_the_code(text: str, place: int) -> None:
    raw, keys = encoded_keys(text), Keys()

    assert keys.feed(raw[:place]) + keys.feed(raw[place:]) == ((text,) if text else ())


@given(st.binary(max_size=480))
def test_no_events_break_the_keyboard(raw: bytes) -> None:
    for line in Keys().feed(raw + encoded_keys("")):
        assert line.isprintable()


def test_key_that_no_code_has_spoils_its_line_only() -> None:
    events = b"".join(struct.pack("=qqHHi", 0, 0, 1, code, 1) for code in (2, 59, 3, 28))

    assert Keys().feed(events + encoded_keys("12")) == ("12",)


# --- a line ---


def is_(scanner: Scanner, view: str) -> bool:
    return scanner.view == view


async def test_scanner_on_a_serial_line_is_heard_and_its_loss_is_seen() -> None:
    ours, theirs = pty.openpty()
    scanner = Scanner(Address("serial", os.ttyname(theirs), 9600), SystemClock())
    heard, came = asyncio.Event(), list[str]()

    async def note(text: str) -> None:
        came.append(text)
        heard.set()

    scanner.came = note
    running = asyncio.ensure_future(scanner.run())
    while not is_(scanner, "ready"):
        await asyncio.sleep(0.01)
    os.write(ours, b"\xff\xfe\n004200013768\r")
    await asyncio.wait_for(heard.wait(), 5)
    os.close(theirs)
    os.close(ours)
    while not is_(scanner, "gone"):
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait({running})

    assert came == ["004200013768"]


async def test_kiosk_without_a_scanner_waits_for_none() -> None:
    scanner = Scanner(None, JumpingClock())

    await scanner.run()

    assert scanner.view == ""


# --- what a code means ---


def test_number_is_a_case_when_its_check_digits_fit() -> None:
    assert case_of(CASE, b"", 42) == CASE
    assert case_of(f"{CASE[:4]} {CASE[4:8]} {CASE[8:]}", b"", 42) == CASE
    assert case_of(CASE[:-1] + "0", b"", 42) == ""


@settings(max_examples=40)
@given(st.text(max_size=200))
def test_no_code_breaks_the_reading_of_it(text: str) -> None:
    assert case_of(f"HTTPS://X/C/{text}", bytes(8), 42) == ""


async def test_square_of_a_slip_leads_to_its_matter(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        await hand_in(kiosk)
        receipt = kiosk.stage.visit.receipt
        assert receipt is not None
        world = await kiosk.stage._world()
        await kiosk.touch("home")
        await kiosk.stage.note_scan(world.courier_url)
        visit = kiosk.stage.visit

    assert visit.place == AtMatter(receipt.case_no)


async def test_square_of_another_kiosk_says_nothing_here(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        before = kiosk.stage.visit
        await kiosk.stage.note_scan(courier_url("https://other.example", bytes(range(1, 250))))
        await kiosk.stage.note_scan("WIFI:S:evil;T:WPA;P:x;;")
        await kiosk.stage.note_scan("<script>")

        assert kiosk.stage.visit == before


def test_receipt_never_interrupts_a_visit() -> None:
    visitor = asking("senior_allowance", "id_number")
    before = visitor.visit

    assert visitor.give(Presented(CASE)).visit is before


def test_receipt_at_home_is_looked_up() -> None:
    visitor = Visitor().give(Presented(CASE))

    assert (visitor.visit.place, visitor.effects) == (Waiting("lookup"), (LookUp(case_no=CASE),))
    visitor.give(found())
    assert visitor.visit.place == AtMatter(CASE)
    visitor.do("back")
    assert visitor.visit.draft is None


def test_number_is_taken_where_it_is_asked_for() -> None:
    visitor = asking("progress_query", "case_no")
    touch = touch_of(visitor.visit, CASE, CASE, visitor.world)
    shown = views.screen(visitor.visit, replace(visitor.world, scanner="ready"), wordings())

    assert touch is not None
    assert wordings()["zh-CN"].screen("scan.put") in shown.lines
    assert shown.is_live
    assert visitor.give(touch).visit.place == Waiting("lookup")


@pytest.mark.parametrize("place", [None, SigningIn()])
def test_badge_opens_the_helpers_way(place: SigningIn | None) -> None:
    visitor = Visitor()
    visitor.visit = replace(visitor.visit, place=place or visitor.visit.place)
    touch = touch_of(visitor.visit, BADGE + "12", "", visitor.world)

    assert touch is not None
    assert visitor.give(touch).visit.place == SigningIn("12")


def test_badge_says_nothing_in_the_middle_of_a_form() -> None:
    visitor = asking("senior_allowance", "id_number")

    assert touch_of(visitor.visit, BADGE + "12", "", visitor.world) is None
    assert isinstance(visitor.visit.place, Asking)
