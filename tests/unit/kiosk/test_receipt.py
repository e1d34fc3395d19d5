"""The receipt: its square is read by a phone, its words promise what is known."""

import io
import re

import pytest
import zxingcpp
from PIL import Image

from kiosk.receipt import QUIET_MODULES, qr_svg
from sync.limits import COURIER_BYTES_MAX
from sync.wire import courier_url

MODULE_PX = 4


def drawn(svg: str) -> Image.Image:
    """Paint the one path of runs, as a browser would."""
    found = re.search(r'viewBox="0 0 (\d+) \1"', svg)
    assert found is not None
    side = int(found[1]) * MODULE_PX
    image = Image.new("L", (side, side), 255)
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", svg):
        left, top, run = (int(number) * MODULE_PX for number in (x, y, width))
        image.paste(0, (left, top, left + run, top + MODULE_PX))
    return image


def read(image: Image.Image) -> list[str]:
    raw = io.BytesIO()
    image.save(raw, "PNG")
    return [code.text for code in zxingcpp.read_barcodes(Image.open(raw))]


@pytest.mark.parametrize("size_bytes", [180, 260, COURIER_BYTES_MAX])
def test_phone_reads_the_square(size_bytes: int) -> None:
    url = courier_url("https://bm.example", (b"\x01" + bytes(range(251)) * 2)[:size_bytes])

    assert read(drawn(qr_svg(url))) == [url]


def test_largest_courier_fits_a_phones_square() -> None:
    url = courier_url("https://bm.example", b"\xff" * COURIER_BYTES_MAX)

    found = re.search(r'viewBox="0 0 (\d+)', qr_svg(url))

    # Version 16 has 81 modules.
    assert found is not None
    assert int(found[1]) - 2 * QUIET_MODULES <= 81


def test_square_has_no_style_or_script_of_its_own() -> None:
    svg = qr_svg("HTTPS://BM.EXAMPLE/C/123")

    assert re.fullmatch(
        r'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \d+ \d+" '
        r'shape-rendering="crispEdges" role="img">'
        r'<path fill="currentColor" d="[Mhvz0-9 -]+"/></svg>',
        svg,
    )
