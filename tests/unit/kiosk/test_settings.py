"""What an installer may choose for a kiosk. Where it comes from: tests/unit/sync/test_settings."""

from pathlib import Path

import pytest

from kiosk.settings import ENVIRONMENT, Settings, load
from sync.settings import SettingRefused


def test_nothing_said_gives_the_defaults() -> None:
    assert load({}) == Settings()


def test_store_lies_in_the_data_folder(tmp_path: Path) -> None:
    assert load({}, data_dir=tmp_path).database == tmp_path / "kiosk.db"


def test_screen_is_described_in_inches() -> None:
    assert load({ENVIRONMENT + "DIAGONAL_IN": "21.5"}).diagonal_in == 21.5


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PORT", "99999", "port = 99999; allowed is 0 to 65535"),
        ("IDLE_S", "5", "idle_s = 5; allowed is 60 to 300 seconds"),
        ("CENTRE_URL", "centre", "centre_url = 'centre'; allowed is http(s)://host"),
        ("CENTRE_FALLBACKS", "https://a.example, b", "http(s)://host each"),
        ("UTC_OFFSET_MIN", "9999", "-720 to 840 minutes"),
        ("DIAGONAL_IN", "1", "5 to 100 inches"),
        ("WIDTH_PX", "10", "320 to 7680 pixels"),
        ("PRINTER", "yes", 'allowed is "" for none, or usb:04b8:0e15'),
        ("PRINTER", "input:/dev/input/event3", "tcp:192.168.1.87:9100"),
        ("SLIP_WIDTH_MM", "76", "58 or 80 mm"),
        ("CARD_READER", "usb:04b8:0e15", 'allowed is "" for none, or serial:'),
        ("SCANNER", "file:/dev/hidraw0", "input:/dev/input/by-id/"),
        ("BELL", "gpio17", "command:/usr/local/bin/ring"),
        ("SCREEN_OFF", "22-6", 'allowed is "" for never, or 22:00-06:00'),
        ("QUIET_HOURS", "07:00-07:00", "22:00-06:00"),
    ],
)
def test_value_out_of_bounds_is_refused(name: str, value: str, told: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        load({ENVIRONMENT + name: value})

    assert told in str(refused.value)
