"""The doctor: what may be wrong, and what to do about it."""

from pathlib import Path

import msgspec
import pytest

from kiosk.doctor import EARLIEST_MS, check_centre, check_clock, check_identity, examine
from kiosk.machine import board, fingerprint, is_moved
from kiosk.settings import Settings
from sync.database import open_database
from sync.device import NEXT_FILE, save_identity, save_keys
from sync.transports.memory import MemoryLink
from tests.unit.kiosk.stations import publish, station
from tests.unit.sync.worlds import JumpingClock, SmallCentre

# --- examining ---

#: Where this machine's own memory, screen and devices are not seen.
NOWHERE = Path("/nowhere")


def said(findings: object) -> dict[str, bool]:
    return {finding.name: finding.is_good for finding in findings}  # type: ignore[attr-defined]


def test_missing_folder_is_the_first_thing_to_mend(tmp_path: Path) -> None:
    (finding,) = examine(Settings(data_dir=tmp_path / "none"), JumpingClock(), NOWHERE)

    assert (finding.name, finding.is_good, finding.todo) == (
        "data folder",
        False,
        "bianmin kiosk enrol CODE",
    )


def test_empty_folder_lacks_identity_and_catalogue(tmp_path: Path) -> None:
    found = said(examine(Settings(data_dir=tmp_path), JumpingClock(), NOWHERE))

    assert found == {
        "data folder": True,
        "identity": False,
        "disk": True,
        "clock": True,
        "SQLite": True,
        "store": True,
        "backlog": True,
        "catalogue": False,
        "file names": True,
    }


async def test_enrolled_kiosk_lacks_only_its_voice(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        save_keys(tmp_path, kiosk.keys)
        save_identity(tmp_path, kiosk.parts.identity)

    settings = Settings(data_dir=tmp_path, voice_dir=tmp_path / "none")
    found = examine(settings, JumpingClock(), NOWHERE)

    assert [finding.name for finding in found if not finding.is_good] == ["voice"]
    (voice,) = (finding for finding in found if finding.name == "voice")
    assert (voice.level, voice.said[:5]) == ("warn", "0 of ")


def test_running_kiosk_is_not_a_fault(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    database = open_database(settings.database)

    found = examine(settings, JumpingClock(), NOWHERE)
    database.close()

    assert ("store", True) in [(finding.name, finding.is_good) for finding in found]


def test_damaged_store_is_told_and_kept(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    open_database(settings.database).close()
    raw = bytearray(settings.database.read_bytes())
    raw[100:3000] = b"\xff" * 2900
    settings.database.write_bytes(raw)

    found = {finding.name: finding for finding in examine(settings, JumpingClock(), NOWHERE)}

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


# --- the board ---


def board_of(root: Path, **files: bytes) -> str:
    names = {
        "tree": "sys/firmware/devicetree/base/serial-number",
        "dmi": "sys/class/dmi/id/product_uuid",
    }
    for source, raw in files.items():
        path = root / names[source]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
    return board(root)


def test_board_is_told_by_what_is_not_on_the_card_and_never_in_the_clear(tmp_path: Path) -> None:
    one = board_of(tmp_path / "one", tree=b"10000000abcdef12\x00")
    other = board_of(tmp_path / "other", tree=b"10000000abcdef13\x00")

    assert is_moved(one, other)
    assert not is_moved(one, one)
    assert "abcdef12" not in one


@pytest.mark.parametrize("raw", [b"", b"None\n", b"To be filled by O.E.M.\n", b"0000-0000\n"])
def test_board_without_a_number_of_its_own_is_never_taken_for_another(
    tmp_path: Path, raw: bytes
) -> None:
    nameless = board_of(tmp_path / "nameless", dmi=raw)

    assert nameless == ""
    assert not is_moved(nameless, "dmi:aaaa")
    assert not is_moved("dmi:aaaa", nameless)


def test_network_card_counts_only_when_it_is_soldered_on_and_its_address_the_makers(
    tmp_path: Path,
) -> None:
    net = tmp_path / "sys/class/net"
    for name, place, address in (
        ("eth0", "soc/ethernet", "dc:a6:32:01:02:03"),
        ("eth1", "pci/usb1/1-1", "00:11:22:33:44:55"),
        ("veth", "virtual", "02:42:ac:11:00:02"),
    ):
        (net / name).mkdir(parents=True)
        (net / name / "address").write_text(address + "\n")
        device = tmp_path / "devices" / place
        device.mkdir(parents=True)
        (net / name / "device").symlink_to(device)

    found = board(tmp_path)
    (net / "eth0" / "address").write_text("dc:a6:32:01:02:04\n")

    assert found.startswith("net:")
    assert is_moved(found, board(tmp_path))


async def test_doctor_tells_of_another_board_a_waiting_identity_and_a_former_backlog(
    tmp_path: Path,
) -> None:
    async with station(tmp_path) as kiosk:
        save_keys(tmp_path, kiosk.keys)
        moved = msgspec.structs.replace(kiosk.parts.identity, board="tree:of-another")
        save_identity(tmp_path, moved)
    here = msgspec.structs.replace(moved, board="")

    elsewhere = check_identity(tmp_path, "tree:this-one")
    save_identity(tmp_path, here)
    save_identity(tmp_path, msgspec.structs.replace(here, kiosk_no=43), name=NEXT_FILE)
    waiting = check_identity(tmp_path, "tree:this-one")

    assert (elsewhere.is_good, "bianmin kiosk moved" in elsewhere.todo) == (False, True)
    assert (waiting.is_good, waiting.said) == (
        False,
        "another identity waits to be put in force",
    )
