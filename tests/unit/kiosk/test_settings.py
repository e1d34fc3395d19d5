"""Settings: where they come from, and what a wrong one is told."""

from pathlib import Path

import pytest

from kiosk.errors import SettingRefused
from kiosk.settings import ENVIRONMENT, FILE_NAME, Settings, load


def test_nothing_said_gives_the_defaults() -> None:
    assert load({}) == Settings()


def test_environment_goes_before_the_file_and_the_command_line_before_both(
    tmp_path: Path,
) -> None:
    (tmp_path / FILE_NAME).write_text("port = 1001\nidle_s = 90\nwidth_px = 800\n", "utf-8")

    found = load(
        {ENVIRONMENT + "DATA_DIR": str(tmp_path), ENVIRONMENT + "PORT": "1002"}, width_px=1920
    )

    assert (found.port, found.idle_s, found.width_px) == (1002, 90, 1920)
    assert found.database == tmp_path / "kiosk.db"


def test_screen_is_described_in_inches(tmp_path: Path) -> None:
    assert load({ENVIRONMENT + "DIAGONAL_IN": "21.5"}).diagonal_in == 21.5


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PORT", "99999", "port = 99999; allowed is 0 to 65535"),
        ("PORT", "kiosk", "port = 'kiosk' is no <class 'int'>"),
        ("IDLE_S", "5", "idle_s = 5; allowed is 60 to 300 seconds"),
        ("CENTRE_URL", "centre", "centre_url = 'centre'; allowed is http(s)://host"),
        ("CENTRE_URL", "https://x.example/path", "without a path"),
        ("UTC_OFFSET_MIN", "9999", "-720 to 840 minutes"),
        ("DIAGONAL_IN", "1", "5 to 100 inches"),
        ("PROT", "1", "no setting is called 'prot'; known are data_dir"),
    ],
)
def test_wrong_setting_is_refused_with_what_is_allowed(name: str, value: str, told: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        load({ENVIRONMENT + name: value})

    assert str(refused.value).startswith(f"{ENVIRONMENT}{name}: ")
    assert told in str(refused.value)


def test_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_text("port =", "utf-8")

    with pytest.raises(SettingRefused, match=str(path)):
        load({}, file=path)
