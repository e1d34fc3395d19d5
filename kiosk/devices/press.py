"""The process that draws a slip: from its data to the printer's bytes, then it ends.

    python -m kiosk.devices.press < slip.json > bytes

It is a process of its own because Pillow, a Chinese font and python-escpos together are as large
as the kiosk, python-escpos reads its table of printers and lays out a folder as soon as it is
imported, and what stood on a slip is gone from memory with the process. Chinese is always drawn:
what a printer makes of GBK bytes depends on its switches (python-escpos #190, #638).
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiosk.devices.slip import LineSize, Slip, SlipLine, SlipMalformed, decode_slip
from sync.limits import SLIP_BYTES_MAX

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

MISSING = 3
"""Exit code: python-escpos, Pillow or the font is not there; standard error says which."""

FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
#: The simplified Chinese face of that collection.
_FONT_INDEX = 2
#: Height of a line's letters in dots, 8 a millimetre: 3, 4 and 6.5 mm.
_SIZES: dict[LineSize, int] = {"small": 24, "plain": 32, "large": 52}
_SMALLEST = 20
#: White dots between lines.
_GAP = 12
_QUIET_MODULES = 4
_MODULE_DOTS_MAX = 8
#: Below it (half a millimetre) phones of a village do not read a square.
MODULE_DOTS_MIN = 4
_CUT_FEED = 6
_ESC_INIT = b"\x1b@"


class PressLacks(Exception):
    """Something that drawing needs is not installed; the message says what."""


def drawn(slip: Slip, font: Path = FONT) -> bytes:
    """Answer the bytes that print a slip.

    Raises:
        PressLacks: python-escpos, Pillow or the font is not there.
    """
    with _escpos() as escpos:
        printer: Any = escpos.Dummy()
        printer._raw(_ESC_INIT)  # noqa: SLF001 -- the library's own way for a bare command
        for line in slip.head:
            _print_line(printer, line, slip.width_dots, font)
        if slip.qr:
            _print_qr(printer, slip)
        for line in slip.foot:
            _print_line(printer, line, slip.width_dots, font)
        printer.print_and_feed(_CUT_FEED)
        printer.cut(feed=False)
        return bytes(printer.output)


@contextlib.contextmanager
def _escpos() -> Iterator[Any]:
    """Answer python-escpos's printers, with our own small table instead of all the world's."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ESCPOS_CAPABILITIES_PICKLE_DIR"] = folder
        os.environ["ESCPOS_CAPABILITIES_FILE"] = str(Path(__file__).with_name("slip_printer.json"))
        try:
            from escpos import printer  # noqa: PLC0415 -- only where a slip is drawn
        except ImportError as error:
            raise PressLacks("python-escpos: pip install 'bianmin[printer]'") from error
        yield printer


def _print_line(printer: Any, line: SlipLine, width: int, font: Path) -> None:
    for row in _rows(line, width, font):
        printer.image(_picture(row, line, width, font), impl="bitImageRaster")


@cache
def _font(size: int, font: Path) -> "FreeTypeFont":
    from PIL import ImageFont  # noqa: PLC0415 -- as above

    try:
        return ImageFont.truetype(str(font), size, index=_FONT_INDEX)
    except OSError as error:
        raise PressLacks(f"{font}: apt install fonts-noto-cjk") from error


def _fitting(line: SlipLine, width: int, font: Path) -> "FreeTypeFont":
    """Answer the line's font; a large one becomes smaller rather than broken in two."""
    size = _SIZES[line.size]
    while line.size == "large" and size > _SMALLEST:
        if _font(size, font).getlength(line.text) <= width:
            break
        size -= 4
    return _font(size, font)


def _rows(line: SlipLine, width: int, font: Path) -> list[str]:
    """Break a text to the paper: between Chinese letters anywhere, else at blanks."""
    face = _fitting(line, width, font)
    rows, row = [], ""
    for word in _words(line.text):
        if row and face.getlength(row + word.rstrip()) > width:
            rows.append(row)
            row = ""
        for piece in [word] if face.getlength(word) <= width else list(word):
            if row and face.getlength(row + piece) > width:
                rows.append(row)
                row = ""
            row += piece if row or piece.strip() else ""
    return [*rows, row]


def _words(text: str) -> Iterator[str]:
    word = ""
    for letter in text:
        if letter >= "\u2e80":
            if word:
                yield word
            word = ""
            yield letter
        else:
            word += letter
            if letter == " ":
                yield word
                word = ""
    if word:
        yield word


def _picture(row: str, line: SlipLine, width: int, font: Path) -> "Image":
    from PIL import Image, ImageDraw  # noqa: PLC0415 -- as above

    face = _fitting(line, width, font)
    height = int(face.size * 1.3) + _GAP
    picture = Image.new("1", (width, height), 1)
    left = (width - face.getlength(row)) // 2 if line.is_centred else 0
    ImageDraw.Draw(picture).text((max(0, left), 0), row, font=face, fill=0)
    return picture


def _print_qr(printer: Any, slip: Slip) -> None:
    import qrcode  # noqa: PLC0415 -- as above
    from qrcode.constants import ERROR_CORRECT_M  # noqa: PLC0415 -- as above

    code: Any = qrcode.main.QRCode(error_correction=ERROR_CORRECT_M, border=_QUIET_MODULES)
    code.add_data(slip.qr, optimize=8)
    code.make(fit=True)
    modules = len(code.get_matrix())
    dots = min(slip.width_dots // modules, _MODULE_DOTS_MAX)
    if dots < MODULE_DOTS_MIN and slip.width_dots // (modules - 2 * _QUIET_MODULES) >= dots + 1:
        # The white of the paper's edge is quiet zone too.
        code.border, modules = 0, modules - 2 * _QUIET_MODULES
        dots = slip.width_dots // modules
    if slip.is_native_qr:
        printer.qr(slip.qr, ec=1, size=max(dots, MODULE_DOTS_MIN), model=2, native=True)
        return
    from PIL import Image  # noqa: PLC0415 -- as above

    picture = Image.new("1", (slip.width_dots, modules * dots), 1)
    code.box_size = dots
    square = code.make_image().get_image().convert("1")
    picture.paste(square, ((slip.width_dots - square.width) // 2, 0))
    printer.image(picture, impl="bitImageRaster")


def main() -> int:
    """Draw the slip of standard input."""
    raw = sys.stdin.buffer.read(SLIP_BYTES_MAX + 1)
    try:
        printed = drawn(decode_slip(raw))
    except SlipMalformed as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except PressLacks as error:
        sys.stderr.write(f"{error}\n")
        return MISSING
    sys.stdout.buffer.write(printed)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
