"""Settings: a wrong one is refused with its name, value and what is allowed."""

import pytest

from server.settings import Settings, load
from sync.settings import SettingRefused


def test_defaults_listen_on_this_machine_only() -> None:
    settings = load({})

    assert (settings.host, settings.port) == ("127.0.0.1", 8420)


def test_proxies_are_a_list() -> None:
    settings = load({"BIANMIN_CENTRE_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.1"})

    assert settings.trusted_proxies == ("127.0.0.1", "10.0.0.1")


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PORT", "80000", "0 to 65535"),
        ("PORT", "http", "a whole number"),
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


def test_https_is_known_by_the_public_address() -> None:
    assert Settings(public_url="HTTPS://CENTRE.EXAMPLE").is_https
    assert not Settings().is_https
