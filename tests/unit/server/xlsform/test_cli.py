import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

import server.catalogue as catalogue_folder
from bianmin.cli import main
from server.catalogue.checks import faults
from server.catalogue.publish import prepared, read_sources
from sync.forms import Service, decode_catalogue
from tests.generator import shipped_catalogue
from tests.unit.server.xlsform.forms import form

HEAD = "type | name | label::English (en) | label::中文 (zh)"
GOOD = form(
    HEAD,
    "text | who | Your name? | 您叫什么？ ",
    "range | score | How good? | 打几分？ ",
    "note | thanks | Thank you! | 谢谢！ ",
    settings=[["form_title", "form_id"], ["意见", "opinion"]],
    service=[["category", "voice"], ["department", "镇政府"], ["promised_working_days", 5]],
)
BAD = form(HEAD, "video | v | Film | 录像 ")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.xlsx").write_bytes(GOOD)
    (tmp_path / "bad.xlsx").write_bytes(BAD)
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["forms", *map(str, arguments)])


def test_check_says_runs_for_a_sound_form(folder: Path) -> None:
    result = run("check", folder / "good.xlsx", "--strict")

    assert result.exit_code == 0
    assert "runs" in result.output


def test_check_names_the_cell_in_both_languages_and_fails(folder: Path) -> None:
    result = run("check", folder / "good.xlsx", folder / "bad.xlsx")

    assert result.exit_code == 1
    assert "survey!A2: 一体机不能录像" in result.output
    assert "The kiosk records no video" in result.output


def test_check_answers_programs_in_json(folder: Path) -> None:
    result = run("check", folder / "bad.xlsx", "--json")

    (checked,) = json.loads(result.output)
    assert (checked["runs"], checked["findings"][0]["place"]) == (False, "survey!A2")


def test_converted_form_is_a_service_that_can_be_published(folder: Path) -> None:
    result = run("convert", folder / "good.xlsx", "-o", folder / "service.json")

    assert result.exit_code == 0, result.output
    service = msgspec.json.decode((folder / "service.json").read_bytes(), type=Service)
    assert (service.id, service.category, service.department) == ("opinion", "voice", "镇政府")
    assert service.promised_working_days == 5
    catalogue = shipped_catalogue()
    whole = msgspec.structs.replace(catalogue, services=(*catalogue.services, service))
    assert faults(whole) == []


def test_converted_form_takes_the_place_of_its_former_version(folder: Path) -> None:
    shipped = Path(catalogue_folder.__file__).parent / "catalogue.json"
    first, second = folder / "first.json", folder / "second.json"

    assert run("convert", folder / "good.xlsx", "--into", shipped, "-o", first).exit_code == 0
    assert run("convert", folder / "good.xlsx", "--into", first, "-o", second).exit_code == 0

    names = [service.id for service in decode_catalogue(first.read_bytes()).services]
    assert names == [*(service.id for service in shipped_catalogue().services), "opinion"]
    assert second.read_bytes() == first.read_bytes()
    ready = prepared(read_sources("12345", second))
    assert len(ready.catalogue.services) == len(names)


def test_catalogue_that_is_none_takes_no_service(folder: Path) -> None:
    (folder / "no.json").write_text("[]", "utf-8")

    result = run("convert", folder / "good.xlsx", "--into", folder / "no.json", "-o", folder / "x")

    assert result.exit_code == 1
    assert "catalogue: " in result.output
    assert not (folder / "x").exists()


def test_refused_form_is_not_written(folder: Path) -> None:
    result = run("convert", folder / "bad.xlsx", "-o", folder / "service.json")

    assert result.exit_code == 1
    assert "survey!A2" in result.output
    assert not (folder / "service.json").exists()


def test_head_of_a_service_is_refused_where_it_is_none(folder: Path) -> None:
    raw = form(HEAD, "text | a | A | 甲 ", service=[["colour", "red"], ["case_kind", "party"]])
    (folder / "head.xlsx").write_bytes(raw)

    result = run("check", folder / "head.xlsx")

    assert "service!A1" in result.output
    assert "service!B2" in result.output
