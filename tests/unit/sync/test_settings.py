"""Settings: where they come from, and what a wrong one is told."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sync import settings
from sync.settings import Bound, SettingRefused, is_base_url


class Plain(msgspec.Struct, frozen=True):
    data_dir: Path = Path("plain-data")
    clips_dir: Path | None = None
    port: int = 1
    is_loud: bool = False
    proxies: tuple[str, ...] = ()


def _bounds(chosen: Plain) -> Iterator[Bound]:
    yield "port", chosen.port < 10, "0 to 9"


def load(environment: dict[str, str], **given: object) -> Plain:
    return settings.load(
        Plain,
        prefix="PLAIN_",
        file_name="plain.toml",
        bounds=_bounds,
        environment=environment,
        given=given,
    )


def test_nothing_said_gives_the_defaults() -> None:
    assert load({"OTHER_PORT": "5"}) == Plain()


def test_environment_goes_before_the_file_and_the_command_line_before_both(
    tmp_path: Path,
) -> None:
    (tmp_path / "plain.toml").write_text("port = 2\nis_loud = true\nproxies = ['a']\n", "utf-8")
    environment = {"PLAIN_DATA_DIR": str(tmp_path), "PLAIN_PORT": "3", "PLAIN_PROXIES": "b, c"}

    found = load(environment, port=4, is_loud=None)

    assert found == Plain(data_dir=tmp_path, port=4, is_loud=True, proxies=("b", "c"))


def test_another_file_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.toml"
    path.write_text("port = 7\n", "utf-8")

    assert load({"PLAIN_CONFIG": str(path)}) == Plain(port=7)


def test_folder_is_absolute_and_an_empty_one_is_none() -> None:
    found = load({"PLAIN_DATA_DIR": "~/here", "PLAIN_CLIPS_DIR": ""})

    assert (found.data_dir, found.clips_dir) == (Path.home() / "here", None)
    assert load({}, data_dir=Path("here")).data_dir == Path("here").absolute()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PORT", "99", "port = 99; allowed is 0 to 9"),
        ("PORT", "kiosk", "port = 'kiosk'; allowed is a whole number"),
        ("IS_LOUD", "rather", "is_loud = 'rather'; allowed is true or false"),
        ("PROT", "1", "no setting is called 'prot'; known are data_dir, clips_dir, port"),
    ],
)
def test_wrong_setting_is_refused_with_what_is_allowed(name: str, value: str, told: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        load({f"PLAIN_{name}": value})

    assert str(refused.value).startswith(f"PLAIN_{name}: {told}")


@pytest.mark.parametrize(
    ("content", "told"),
    [("port =", "is not TOML"), ("data_dir = 5", "data_dir = 5; allowed is a folder")],
)
def test_wrong_file_is_named(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "plain.toml"
    path.write_text(content, "utf-8")

    with pytest.raises(SettingRefused) as refused:
        load({"PLAIN_CONFIG": str(path)})

    assert str(path) in str(refused.value)
    assert told in str(refused.value)


def test_named_file_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingRefused, match="cannot be read"):
        load({"PLAIN_CONFIG": str(tmp_path / "missing.toml")})


def test_base_url_is_a_scheme_and_a_host() -> None:
    good = ("http://x.example", "HTTPS://x.example:8421/")
    wrong = ("x.example", "ftp://x.example", "http://x.example/path", "http://x.example?q", "")

    assert [url for url in (*good, *wrong) if is_base_url(url)] == list(good)
