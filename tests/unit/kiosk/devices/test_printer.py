"""The slip printer against a simulated one: its states, and half a slip is never taken for one."""

import io
import shutil

import pytest
import zxingcpp
from PIL import Image

from kiosk.devices.address import parsed
from kiosk.devices.escpos_status import QUESTIONS, is_last_answer, is_status, state_of
from kiosk.devices.line import Line, LineGone, open_line
from kiosk.devices.press import PressLacks, drawn
from kiosk.devices.printer import LinePrinter, Looked, Printed
from kiosk.devices.simulated import Paper, SimulatedPrinter
from kiosk.devices.slip import Slip, SlipLine, SlipMalformed, decode_slip, encode_slip
from sync.clock import SystemClock
from sync.limits import COURIER_BYTES_MAX, SLIP_BYTES_MAX
from sync.wire import courier_url
from tests.unit.sync.worlds import JumpingClock

URL = courier_url("https://bm.example", bytes(range(1, 251)))
SLIP = Slip(
    head=(
        SlipLine("便民服务回执", is_centred=True),
        SlipLine("0042 0001 3768", "large", is_centred=True),
        SlipLine("10个工作日内答复。有事打0871-6500000，也可以拿这张小票到村里问。"),
    ),
    qr=URL,
    foot=(SlipLine("请收好这张小票", "small"),),
)


@pytest.fixture(scope="module")
def raw() -> bytes:
    return drawn(SLIP)


class Loop:
    """A line straight into a simulated printer; `breaks_after` bytes the plug is pulled."""

    def __init__(
        self, paper: Paper, breaks_after: int | None = None, is_deaf: bool = False
    ) -> None:
        self.paper = paper
        self.said = b""
        self.breaks_after = breaks_after
        self.is_deaf = is_deaf

    def write(self, raw: bytes, timeout_ms: int) -> int:  # noqa: ARG002 -- takes no time
        if self.breaks_after is not None and len(raw) > self.breaks_after:
            raise LineGone("pulled")
        answer = self.paper.take(raw)
        self.said += b"" if self.is_deaf else answer
        return len(raw)

    def read(self, size_max: int, timeout_ms: int) -> bytes:  # noqa: ARG002 -- takes no time
        said, self.said = self.said[:size_max], self.said[size_max:]
        return said

    def close(self) -> None:
        """Nothing is held."""


def printer(line: Line, clock: JumpingClock | None = None) -> LinePrinter:
    return LinePrinter(lambda: line, clock or JumpingClock())


def picture(rows: list[bytes]) -> Image.Image:
    data = bytes(byte ^ 0xFF for byte in b"".join(rows))
    return Image.frombytes("1", (len(rows[0]) * 8, len(rows)), data)


# --- states ---


@pytest.mark.parametrize("state", ["ok", "low", "out", "open", "fault"])
def test_printer_says_how_it_is(state: str) -> None:
    paper = Paper()
    paper.state = state

    assert printer(Loop(paper)).look() == Looked(state)  # type: ignore[arg-type]


def test_printer_that_is_not_there_is_gone() -> None:
    def pulled() -> Line:
        raise LineGone("no such device")

    absent = LinePrinter(pulled, JumpingClock())

    assert (absent.look(), absent.print(b"x")) == (Looked("gone"), Printed("none", "gone"))


def test_printer_that_never_answers_is_taken_to_be_well() -> None:
    assert printer(Loop(Paper(), is_deaf=True)).look() == Looked("ok", is_sure=False)


def test_answers_of_both_kinds_are_told_apart() -> None:
    both = [byte for byte in range(256) if is_status(byte) and is_last_answer(byte)]

    assert both == []


def test_cover_comes_before_paper_since_paper_cannot_be_seen_then() -> None:
    assert state_of((0x1A, 0x36, 0x12, 0x72)) == "open"


def test_cutter_that_jams_is_a_fault() -> None:
    assert state_of((0x1A, 0x52, 0x1A, 0x12)) == "fault"


# --- printing ---


def test_whole_slip_is_proved_whole(raw: bytes) -> None:
    paper = Paper()

    assert printer(Loop(paper)).print(raw) == Printed("whole", "ok")
    assert len(paper.slips) == 1


def test_slip_is_not_begun_without_paper(raw: bytes) -> None:
    paper = Paper()
    paper.state = "out"

    assert printer(Loop(paper)).print(raw) == Printed("none", "out")
    assert paper.rows == []


def test_paper_that_ends_in_the_middle_leaves_half_a_slip(raw: bytes) -> None:
    paper = Paper()
    paper.rows_left = 200

    assert printer(Loop(paper)).print(raw) == Printed("half", "out")
    assert (len(paper.rows), paper.slips) == (200, [])


def test_plug_pulled_in_the_middle_leaves_half_a_slip(raw: bytes) -> None:
    assert printer(Loop(Paper(), breaks_after=100)).print(raw) == Printed("half", "gone")


def test_silent_printer_prints_without_proof(raw: bytes) -> None:
    paper = Paper()

    assert printer(Loop(paper, is_deaf=True)).print(raw) == Printed("whole", "ok")
    assert len(paper.slips) == 1


def test_printer_without_the_last_question_is_believed_after_its_time(raw: bytes) -> None:
    class Forgetful(Loop):
        def read(self, size_max: int, timeout_ms: int) -> bytes:
            clock.pass_ms(timeout_ms)
            return bytes(byte for byte in super().read(size_max, timeout_ms) if is_status(byte))

    clock = JumpingClock()

    assert printer(Forgetful(Paper()), clock).print(raw) == Printed("whole", "ok")


def test_noise_on_the_line_is_no_state() -> None:
    class Noisy(Loop):
        def write(self, raw: bytes, timeout_ms: int) -> int:
            self.said += b"\xff\x00\x81"
            return super().write(raw, timeout_ms)

    assert printer(Noisy(Paper())).look() == Looked("ok")


def test_slip_goes_over_a_real_line(raw: bytes) -> None:
    with SimulatedPrinter() as simulated:
        address = parsed(simulated.address, ("tcp",))
        assert address is not None
        real = LinePrinter(lambda: open_line(address, SystemClock()), SystemClock())
        came = real.print(raw)

    assert came == Printed("whole", "ok")
    assert len(simulated.paper.slips) == 1


# --- what is on the paper ---


def test_phone_reads_the_square_of_the_slip(raw: bytes) -> None:
    paper = Paper()
    paper.take(raw)
    png = io.BytesIO()
    picture(paper.slips[0]).save(png, "PNG")

    found = zxingcpp.read_barcodes(Image.open(png))

    assert [code.text for code in found] == [URL]


@pytest.mark.parametrize("width_dots", [384, 576])
def test_largest_square_fits_both_papers_with_modules_of_half_a_millimetre(width_dots: int) -> None:
    url = courier_url("https://bm.example", b"\xff" * COURIER_BYTES_MAX)
    paper = Paper()
    paper.take(drawn(Slip(head=(), qr=url, width_dots=width_dots)))
    png = io.BytesIO()
    picture(paper.slips[0]).save(png, "PNG")

    assert [code.text for code in zxingcpp.read_barcodes(Image.open(png))] == [url]


def test_printer_may_draw_the_square_itself() -> None:
    paper = Paper()
    paper.take(drawn(Slip(head=(), qr="HTTPS://BM.EXAMPLE/C/1", is_native_qr=True)))

    assert paper.codes == [b"HTTPS://BM.EXAMPLE/C/1"]


def test_number_stays_on_one_line_and_long_words_break() -> None:
    def height(text: str, size: str) -> int:
        paper = Paper()
        paper.take(drawn(Slip(head=(SlipLine(text, size),))))  # type: ignore[arg-type]
        return len(paper.slips[0])

    assert height("0042 0001 3768", "large") < 2 * height("0", "large")
    assert height("办" * 13, "plain") == 2 * height("办" * 12, "plain")
    assert height("W" * 200, "plain") > 3 * height("W", "plain")


def test_rare_characters_of_names_of_villages_are_drawn() -> None:
    def rows(text: str) -> list[bytes]:
        paper = Paper()
        paper.take(drawn(Slip(head=(SlipLine(text),))))
        return paper.slips[0]

    tofu = rows("\U0010fffd")

    assert all(rows(letter) != tofu for letter in "堃燚䶮𬀩")


def test_printers_own_questions_are_not_among_the_bytes_of_a_slip(raw: bytes) -> None:
    # Not promised (dots may look like one), but this slip has none, so the tests above mean it.
    assert not [question for question in QUESTIONS if question in raw]


def test_slip_that_is_none_is_refused() -> None:
    assert decode_slip(encode_slip(SLIP)) == SLIP
    for bad in (
        b"",
        b"[]",
        b'{"head":[],"width_dots":1}',
        encode_slip(Slip(head=(SlipLine("x"),) * 41)),
        b" " * (SLIP_BYTES_MAX + 1),
    ):
        with pytest.raises(SlipMalformed):
            decode_slip(bad)


def test_missing_font_is_named(tmp_path: object) -> None:
    with pytest.raises(PressLacks, match="fonts-noto-cjk"):
        drawn(SLIP, font=tmp_path / "none.ttc")  # type: ignore[operator]


def test_drawing_leaves_no_folder_behind(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    drawn(Slip(head=(SlipLine("x"),)))

    assert list(tmp_path.iterdir()) == []  # type: ignore[attr-defined]
    shutil.rmtree(str(tmp_path))
