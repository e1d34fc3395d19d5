"""The doctor on machine and devices: each line says how bad it is, one sentence, what to do."""

from pathlib import Path

import msgspec
import pytest

from kiosk.checkup import (
    check_heat,
    check_key_file,
    check_memory,
    check_screen,
    check_touch,
    examine_machine,
)
from kiosk.devices.card_record import encode_record
from kiosk.devices.examining import check_bell, check_press, examine_devices
from kiosk.devices.simulated import SimulatedCardReader, SimulatedPrinter
from kiosk.doctor import examine
from kiosk.finding import Finding, as_json, as_text, exit_code
from kiosk.settings import Settings
from sync.clock import SystemClock
from tests.unit.kiosk.devices.test_card_reader import CARD
from tests.unit.kiosk.devices.test_slips import hand_in
from tests.unit.kiosk.stations import station
from tests.unit.sync.worlds import JumpingClock

GOOD = Finding("disk", True, "8 GB free")
SLIGHT = Finding("printer", False, "it has no paper", "put in a roll", is_slight=True)
GRAVE = Finding("store", False, "damaged", "look at the card")


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


# --- how it is told ---


def test_lines_are_numbered_for_the_phone() -> None:
    assert as_text((GOOD, SLIGHT, GRAVE)).splitlines() == [
        " 1 ok    disk         8 GB free",
        " 2 look  printer      it has no paper",
        "           → put in a roll",
        " 3 FAIL  store        damaged",
        "           → look at the card",
    ]


@pytest.mark.parametrize(
    ("findings", "code"),
    [((), 0), ((GOOD,), 0), ((GOOD, SLIGHT), 1), ((SLIGHT, GRAVE), 2), ((GRAVE,), 2)],
)
def test_exit_code_is_the_worst_line(findings: tuple[Finding, ...], code: int) -> None:
    assert exit_code(findings) == code


def test_another_program_reads_the_same() -> None:
    told = msgspec.json.decode(as_json((GOOD, SLIGHT)))

    assert told == {
        "exit": 1,
        "findings": [
            {"line": 1, "name": "disk", "level": "ok", "said": "8 GB free", "todo": ""},
            {
                "line": 2,
                "name": "printer",
                "level": "warn",
                "said": "it has no paper",
                "todo": "put in a roll",
            },
        ],
    }


# --- the machine ---


@pytest.mark.parametrize(("kb", "level"), [(900_000, "ok"), (100_000, "warn")])
def test_memory_that_runs_out_is_seen(tmp_path: Path, kb: int, level: str) -> None:
    written(tmp_path / "proc/meminfo", f"MemTotal: 900000 kB\nMemAvailable:   {kb} kB\n")

    found = check_memory(tmp_path)

    assert found is not None
    assert found.level == level


@pytest.mark.parametrize(("milli", "level"), [("51000", "ok"), ("83500", "warn")])
def test_hottest_place_counts(tmp_path: Path, milli: str, level: str) -> None:
    written(tmp_path / "sys/class/thermal/thermal_zone0/temp", "30000\n")
    written(tmp_path / "sys/class/thermal/thermal_zone1/temp", milli + "\n")

    found = check_heat(tmp_path)

    assert found is not None
    assert found.level == level


@pytest.mark.parametrize(
    ("mode", "level"), [("1024x600", "ok"), ("600x1024", "ok"), ("1920x1080", "warn")]
)
def test_screen_that_the_settings_do_not_describe_is_told(
    tmp_path: Path, mode: str, level: str
) -> None:
    written(tmp_path / "sys/class/drm/card0-HDMI-A-1/status", "connected\n")
    written(tmp_path / "sys/class/drm/card0-HDMI-A-1/modes", mode + "\n800x600\n")
    written(tmp_path / "sys/class/drm/card0-DSI-1/status", "disconnected\n")

    found = check_screen(Settings(), tmp_path)

    assert found is not None
    assert found.level == level


@pytest.mark.parametrize(("bits", "level"), [("2", "ok"), ("1", "warn")])
def test_touch_screen_is_told_from_a_pad(tmp_path: Path, bits: str, level: str) -> None:
    written(tmp_path / "proc/bus/input/devices", f'N: Name="any"\nB: PROP={bits}\n')

    found = check_touch(tmp_path)

    assert found is not None
    assert found.level == level


@pytest.mark.parametrize(("mode", "level"), [(0o600, "ok"), (0o644, "fail")])
def test_keys_that_others_can_read_are_a_fault(tmp_path: Path, mode: int, level: str) -> None:
    written(tmp_path / "keys.bin", "x").chmod(mode)
    from sync.device import KEYS_FILE

    (tmp_path / "keys.bin").rename(tmp_path / KEYS_FILE)

    found = check_key_file(tmp_path)

    assert found is not None
    assert found.level == level


def test_what_a_machine_cannot_tell_is_left_out(tmp_path: Path) -> None:
    found = examine_machine(Settings(data_dir=tmp_path / "none"), tmp_path)

    assert list(found) == []


# --- devices ---


def test_nothing_is_said_of_devices_that_do_not_hang_there(tmp_path: Path) -> None:
    assert list(examine_devices(Settings(), JumpingClock(), tmp_path)) == []


def examined(tmp_path: Path, **settings: str) -> dict[str, Finding]:
    chosen = Settings(**settings)  # type: ignore[arg-type]
    return {found.name: found for found in examine_devices(chosen, SystemClock(), tmp_path)}


@pytest.mark.parametrize(
    ("state", "level"), [("ok", "ok"), ("low", "warn"), ("out", "warn"), ("open", "warn")]
)
def test_printer_is_asked_how_it_is(tmp_path: Path, state: str, level: str) -> None:
    with SimulatedPrinter() as printer:
        printer.paper.state = state
        found = examined(tmp_path, printer=printer.address)

    assert (found["printer"].level, found["slips"].level) == (level, "ok")


def test_devices_that_were_pulled_out_are_told_with_what_to_do(tmp_path: Path) -> None:
    found = examined(
        tmp_path,
        printer="usb:04b8:0e15",
        card_reader="tcp:127.0.0.1:1",
        scanner="input:/nowhere/event-kbd",
        bell="command:/nowhere/ring",
    )

    assert {name: one.level for name, one in found.items() if not one.is_good} == dict.fromkeys(
        ("printer", "card reader", "scanner", "bell"), "warn"
    )
    assert all(one.todo for one in found.values() if not one.is_good)


def test_card_reader_is_asked_without_reading_the_card(tmp_path: Path) -> None:
    with SimulatedCardReader() as reader:
        reader.record, reader.taken_away_at = encode_record(CARD), "select"
        found = examined(tmp_path, card_reader=reader.address)

    assert found["card reader"].is_good
    assert reader.record is not None


def test_bell_is_looked_at_and_not_rung(tmp_path: Path) -> None:
    value = written(tmp_path / "value", "")

    assert check_bell(Settings(bell=f"file:{value}")).is_good
    assert value.read_text() == ""


def test_missing_font_is_told_with_its_package(tmp_path: Path) -> None:
    found = check_press(tmp_path / "none.ttc")

    assert (found.level, found.todo) == ("warn", "apt install fonts-noto-cjk")


# --- the backlog ---


async def test_backlog_of_a_week_is_told(tmp_path: Path) -> None:
    clock = JumpingClock()
    async with station(tmp_path, clock=clock) as kiosk:
        await hand_in(kiosk)
    settings, later = Settings(data_dir=tmp_path), JumpingClock()
    fresh = {one.name: one for one in examine(settings, later, tmp_path)}["backlog"]
    later.pass_ms(8 * 86_400_000)
    old = {one.name: one for one in examine(settings, later, tmp_path)}["backlog"]

    assert (fresh.level, old.level) == ("ok", "warn")
    assert old.said.startswith("1 wait, the oldest for 8 days")
