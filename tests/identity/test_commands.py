"""`bianmin kiosk enrol`, `moved` and `doctor` as an installer types them, over HTTP."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from kiosk.cli import kiosk as command
from sync.device import load_identity, save_identity
from sync.former import formers
from tests.identity.places import Centre
from tests.unit.server.served import serving


async def typed(*arguments: str) -> list[str]:
    result = await asyncio.to_thread(CliRunner().invoke, command, arguments)
    return str(result.output).splitlines()


@pytest.mark.deep
async def test_installer_enrols_a_kiosk_anew_and_is_told_what_becomes_of_its_backlog(
    tmp_path: Path,
) -> None:
    centre, folder = Centre(tmp_path / "c"), tmp_path / "kiosk"
    async with serving(centre.world, with_vault=False) as client:
        where = ["--centre", str(client.make_url("/")).rstrip("/"), "--data", str(folder)]
        first_code = centre.code()

        first = await typed("enrol", first_code, *where)
        again = await typed("enrol", first_code, *where)
        second = await typed("enrol", centre.code(replaces=1), *where)
        used = await typed("enrol", first_code, *where)
        examined = await typed("doctor", *where)
    centre.close()

    assert first[0].startswith("This is kiosk 1 now: 石桥村便民服务点")
    assert again == ["This is kiosk 1, 石桥村便民服务点, already."]
    assert second[0].startswith("This is kiosk 2 now")
    assert second[1] == "What waits under number 1 is delivered under that number."
    assert used[0].startswith("Error: the centre does not take this code")
    assert [one.identity.kiosk_no for one in formers(folder)] == [1]
    assert any("ok    former 1" in line for line in examined)


@pytest.mark.deep
async def test_card_that_was_moved_on_purpose_is_told_so_once(tmp_path: Path) -> None:
    centre, folder = Centre(tmp_path / "c"), tmp_path / "kiosk"
    async with serving(centre.world, with_vault=False) as client:
        where = ["--centre", str(client.make_url("/")).rstrip("/"), "--data", str(folder)]
        await typed("enrol", centre.code(), *where)
        elsewhere = msgspec.structs.replace(load_identity(folder), board="tree:of-another")
        save_identity(folder, elsewhere)

        said = await typed("moved", "--data", str(folder))
    centre.close()

    assert said == ["Kiosk 1 belongs to this board now."]
    assert load_identity(folder).board != "tree:of-another"
