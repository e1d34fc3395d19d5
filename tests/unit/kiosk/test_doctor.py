"""The doctor: what may be wrong, and what to do about it."""

from pathlib import Path

from kiosk.doctor import EARLIEST_MS, check_centre, check_clock, examine
from kiosk.machine import fingerprint
from kiosk.settings import Settings
from sync.database import open_database
from sync.device import save_identity, save_keys
from sync.transports.memory import MemoryLink
from tests.unit.kiosk.stations import publish, station
from tests.unit.sync.worlds import JumpingClock, SmallCentre

# --- examining ---


def said(findings: object) -> dict[str, bool]:
    return {finding.name: finding.is_good for finding in findings}  # type: ignore[attr-defined]


def test_missing_folder_is_the_first_thing_to_mend(tmp_path: Path) -> None:
    (finding,) = examine(Settings(data_dir=tmp_path / "none"), JumpingClock())

    assert (finding.name, finding.is_good, finding.todo) == (
        "data folder",
        False,
        "bianmin kiosk enrol CODE",
    )


def test_empty_folder_lacks_identity_and_catalogue(tmp_path: Path) -> None:
    found = said(examine(Settings(data_dir=tmp_path), JumpingClock()))

    assert found == {
        "data folder": True,
        "identity": False,
        "disk": True,
        "clock": True,
        "SQLite": True,
        "store": True,
        "catalogue": False,
    }


async def test_enrolled_kiosk_lacks_only_its_voice(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        save_keys(tmp_path, kiosk.keys)
        save_identity(tmp_path, kiosk.parts.identity)

    found = examine(Settings(data_dir=tmp_path, voice_dir=tmp_path / "none"), JumpingClock())

    assert [finding.name for finding in found if not finding.is_good] == ["voice"]
    assert found[-1].said.startswith("0 of ")


def test_running_kiosk_is_not_a_fault(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    database = open_database(settings.database)

    found = examine(settings, JumpingClock())
    database.close()

    assert (found[-1].name, found[-1].is_good) == ("store", True)


def test_damaged_store_is_told_and_kept(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    open_database(settings.database).close()
    raw = bytearray(settings.database.read_bytes())
    raw[100:3000] = b"\xff" * 2900
    settings.database.write_bytes(raw)

    found = {finding.name: finding for finding in examine(settings, JumpingClock())}

    assert not found["store"].is_good
    assert "kiosk.db.damaged-1" in found["store"].said
    assert (tmp_path / "kiosk.db.damaged-1").exists()


def test_clock_before_the_software_is_wrong() -> None:
    assert not check_clock(JumpingClock(EARLIEST_MS - 1)).is_good
    assert not check_clock(JumpingClock(0)).is_good
    assert check_clock(JumpingClock(EARLIEST_MS + 1)).is_good


async def test_centre_that_answers_and_one_that_does_not() -> None:
    centre = SmallCentre()
    publish(centre)

    good = await check_centre(MemoryLink(centre))
    gone = await check_centre(MemoryLink(centre, ["drop_request"]))

    assert (good.is_good, gone.is_good) == (True, False)
    assert gone.todo


def test_machine_has_one_fingerprint(tmp_path: Path) -> None:
    machine_id = tmp_path / "machine-id"
    machine_id.write_text("0123456789abcdef0123456789abcdef\n")

    assert fingerprint(machine_id) == fingerprint(machine_id)
    assert len(fingerprint(machine_id)) == 16
    assert fingerprint(tmp_path / "none") == bytes(16)
