"""Whether headphones are plugged in: told where the kernel knows, else nothing is said."""

from pathlib import Path

import pytest

from kiosk.devices.headphones import are_plugged_in

LISTING = """\
I: Bus=0000 Vendor=0000 Product=0000 Version=0000
N: Name="HDA Intel PCH Headphone"
P: Phys=ALSA
H: Handlers=event7
B: SW=4

I: Bus=0000 Vendor=0000 Product=0000 Version=0000
N: Name="Lid Switch"
H: Handlers=event1
B: SW=1
"""


@pytest.mark.parametrize(("bits", "told"), [(4, True), (0, False), (3, False), (-1, None)])
def test_jack_tells(tmp_path: Path, bits: int, told: bool | None) -> None:
    devices = tmp_path / "proc/bus/input/devices"
    devices.parent.mkdir(parents=True)
    devices.write_text(LISTING)
    asked: list[Path] = []

    def switches(path: Path) -> int:
        asked.append(path)
        return bits

    assert are_plugged_in(tmp_path, switches) is told
    assert asked == [tmp_path / "dev/input/event7"]


def test_board_without_a_jack_cannot_tell(tmp_path: Path) -> None:
    assert are_plugged_in(tmp_path) is None


def test_file_that_cannot_be_asked_tells_nothing(tmp_path: Path) -> None:
    devices = tmp_path / "proc/bus/input/devices"
    devices.parent.mkdir(parents=True)
    devices.write_text(LISTING)
    (tmp_path / "dev/input").mkdir(parents=True)
    (tmp_path / "dev/input/event7").write_bytes(b"")

    assert are_plugged_in(tmp_path) is None
