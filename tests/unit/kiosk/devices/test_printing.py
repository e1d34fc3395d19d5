"""Slips on their way out: bounded, told, printed again whole, and never in the screen's way."""

import asyncio
import threading

import pytest

from kiosk.devices.printer import Looked, Printed
from kiosk.devices.printing import PressFailed, Printing, pressed
from kiosk.devices.slip import Slip, SlipLine
from kiosk.devices.views import PrinterView
from tests.unit.sync.worlds import JumpingClock

SLIP = Slip(head=(SlipLine("0042 0001 3768"),))
OTHER = Slip(head=(SlipLine("0042 0002 6522"),))


class Scripted:
    """A printer that does as it is told; keeps what came out."""

    def __init__(self, *outcomes: Printed, state: str = "ok") -> None:
        self.outcomes = list(outcomes)
        self.state = state
        self.printed: list[bytes] = []
        self.looks = 0
        self.gate = threading.Event()
        self.gate.set()

    def look(self) -> Looked:
        self.looks += 1
        return Looked(self.state)  # type: ignore[arg-type]

    def print(self, raw: bytes) -> Printed:
        self.gate.wait(5)
        self.printed.append(raw)
        return self.outcomes.pop(0) if self.outcomes else Printed("whole", "ok")


async def drawn(slip: Slip) -> bytes:
    return slip.head[0].text.encode()


async def done(printing: Printing) -> None:
    task = printing._task
    assert task is not None
    await task


def with_notes(printer: Scripted | None) -> tuple[Printing, list[PrinterView]]:
    notes: list[PrinterView] = []
    printing = Printing(printer, drawn, JumpingClock())

    async def note() -> None:
        notes.append(printing.view)

    printing.note = note
    return printing, notes


async def test_whole_slip_needs_no_word() -> None:
    printer = Scripted()
    printing, notes = with_notes(printer)

    printing.begin(SLIP)
    await done(printing)

    assert printer.printed == [b"0042 0001 3768"]
    assert (printing.view, notes) == (PrinterView("ok", "whole"), [])


async def test_half_a_slip_is_told_and_printed_again_once_there_is_paper() -> None:
    printer = Scripted(Printed("half", "out"), state="out")
    printing, notes = with_notes(printer)

    printing.begin(SLIP)
    await done(printing)
    await printing.look()
    printer.state = "ok"
    await printing.look()

    assert [note.job for note in notes] == ["half", "whole"]
    assert notes[0].trouble == "out"
    assert printer.printed == [b"0042 0001 3768"] * 2


async def test_slip_that_could_not_begin_waits_for_the_printer() -> None:
    printer = Scripted(Printed("none", "gone"), state="gone")
    printing, notes = with_notes(printer)

    printing.begin(SLIP)
    await done(printing)
    printer.state = "ok"
    await printing.look()
    await printing.look()

    assert [(note.job, note.trouble) for note in notes] == [("none", "gone"), ("whole", "")]
    assert len(printer.printed) == 2


async def test_slip_of_a_visit_that_is_over_is_not_printed_to_the_next_one() -> None:
    printer = Scripted(Printed("none", "out"), state="out")
    printing, _ = with_notes(printer)
    printing.begin(SLIP)
    await done(printing)

    printing.forget()
    printer.state = "ok"
    await printing.look()

    assert len(printer.printed) == 1
    assert printing.view == PrinterView("ok")


async def test_newest_slip_counts() -> None:
    printer = Scripted()
    printing, _ = with_notes(printer)
    printer.gate.clear()
    printing.begin(SLIP)
    await asyncio.sleep(0)
    first = printing._task
    assert first is not None

    printing.begin(OTHER)
    printer.gate.set()
    await first
    await done(printing)

    assert printer.printed[-1] == b"0042 0002 6522"
    assert printing.view == PrinterView("ok", "whole", is_again=True)


async def test_slow_printer_holds_nobody() -> None:
    printer = Scripted()
    printing, _ = with_notes(printer)
    printer.gate.clear()

    printing.begin(SLIP)
    for _ in range(5):
        await asyncio.sleep(0)
    seen = printing.view
    printer.gate.set()
    await done(printing)

    assert seen == PrinterView("ok", "printing")


async def test_slip_that_cannot_be_drawn_is_a_fault_of_the_printer() -> None:
    async def broken(_: Slip) -> bytes:
        raise PressFailed("no font")

    printing = Printing(Scripted(), broken, JumpingClock())

    printing.begin(SLIP)
    await done(printing)

    assert (printing.view.job, printing.view.trouble) == ("none", "fault")


async def test_kiosk_without_a_printer_does_nothing() -> None:
    printing, notes = with_notes(None)

    printing.begin(SLIP)
    await printing.look()

    assert (printing.view, notes) == (PrinterView(), [])
    assert not printing.view.is_able


async def test_printer_that_fails_and_recovers_between_visits_is_seen() -> None:
    printer = Scripted(state="open")
    printing, notes = with_notes(printer)

    await printing.look()
    printer.state = "low"
    await printing.look()

    assert [note.state for note in notes] == ["open", "low"]
    assert printing.view.is_able


async def test_slip_is_drawn_in_a_process_of_its_own() -> None:
    raw = await pressed(SLIP)

    assert raw.startswith(b"\x1b@\x1dv0")


async def test_process_that_refuses_a_slip_is_told_as_failed() -> None:
    with pytest.raises(PressFailed):
        await pressed(Slip(head=(SlipLine("x"),), width_dots=7))
