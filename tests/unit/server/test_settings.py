"""Settings: a wrong one is refused with its name, value and what is allowed."""

from pathlib import Path

import pytest

from server.errors import SettingRefused
from server.settings import Settings, load


def test_defaults_listen_on_this_machine_only() -> None:
    settings = load({})

    assert (settings.host, settings.port) == ("127.0.0.1", 8420)


def test_environment_wins_over_the_file_and_options_over_both(tmp_path: Path) -> None:
    (tmp_path / "centre.toml").write_text('port = 1\nhotline = "110"\nretry_after_s = 5\n')
    environment = {
        "BIANMIN_CENTRE_DATA_DIR": str(tmp_path),
        "BIANMIN_CENTRE_PORT": "2",
        "BIANMIN_CENTRE_HOTLINE": "12345",
        "UNRELATED": "x",
    }

    settings = load(environment, port=3)

    assert (settings.port, settings.hotline, settings.retry_after_s) == (3, "12345", 5)
    assert settings.database == tmp_path / "centre.db"


def test_proxies_are_a_list() -> None:
    settings = load({"BIANMIN_CENTRE_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.1"})

    assert settings.trusted_proxies == ("127.0.0.1", "10.0.0.1")


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PORT", "80000", "0 to 65535"),
        ("PORT", "http", "int"),
        ("RETRY_AFTER_S", "0", "1 to 3600"),
        ("BYTES_MAX", "1", "4096 to 262144"),
        ("DURABILITY", "D9", "D0 or D1 or D2"),
        ("PUBLIC_URL", "centre.example", "http(s)://host"),
        ("PUBLIC_URL", "https://centre.example/path", "without a path"),
        ("HOTLINE", " ", "telephone"),
    ],
)
def test_wrong_value_is_refused_with_name_value_and_allowed(
    name: str, value: str, allowed: str
) -> None:
    with pytest.raises(SettingRefused) as caught:
        load({f"BIANMIN_CENTRE_{name}": value})

    message = str(caught.value)
    assert f"BIANMIN_CENTRE_{name}" in message
    assert repr(value) in message or value in message
    assert allowed in message


def test_unknown_name_is_refused() -> None:
    with pytest.raises(SettingRefused, match="prot"):
        load({"BIANMIN_CENTRE_PROT": "1"})


def test_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("port: 1")

    with pytest.raises(SettingRefused, match="not TOML"):
        load({}, file)


def test_https_is_known_by_the_public_address() -> None:
    assert Settings(public_url="HTTPS://CENTRE.EXAMPLE").is_https
    assert not Settings().is_https
