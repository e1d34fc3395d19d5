"""`bianmin kiosk export` and `import`: what they do and what they say."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from kiosk.cli import kiosk
from sync.clock import SeededEntropy
from sync.database import open_database
from sync.device import save_identity, save_keys
from sync.signing import DeviceKeys
from tests.unit.sync.sticksworld import Stick, deliver
from tests.unit.sync.worlds import SmallCentre, submitted

KEYS = DeviceKeys.generate(SeededEntropy(3))


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(kiosk, [str(argument) for argument in arguments])
    return result.exit_code, result.output


@pytest.fixture
def centre(tmp_path: Path) -> SmallCentre:
    """A centre, and an enrolled kiosk's folder with two applications in it."""
    centre, data = SmallCentre(), tmp_path / "data"
    data.mkdir()
    save_keys(data, KEYS)
    save_identity(data, centre.enrolled(KEYS))
    database = open_database(data / "kiosk.db", device_public=KEYS.sign_public, is_threaded=False)
    for number in (1, 2):
        submitted(database, KEYS, centre.sealing, number)
    database.close()
    return centre


def test_stick_is_written_carried_and_read_by_commands(centre: SmallCentre, tmp_path: Path) -> None:
    stick = Stick(tmp_path / "stick")
    stick.folder.rmdir()

    exported = run("export", stick.root, "--data", tmp_path / "data")
    deliver(centre, stick)
    imported = run("import", stick.root, "--data", tmp_path / "data")
    again = run("import", stick.root, "--data", tmp_path / "data")

    assert exported[0] == 0
    assert exported[1].startswith("2 envelopes and 0 attachments are on the stick, ")
    assert "You can pull the stick out" in exported[1]
    assert imported == (
        0,
        "5 replies taken in: 2 envelopes settled, 0 notices; 1 bundles taken off the stick\n",
    )
    assert again[1].startswith("0 replies taken in")


def test_what_is_wrong_with_a_stick_is_said_in_words(centre: SmallCentre, tmp_path: Path) -> None:
    stick = Stick(tmp_path / "stick")
    run("export", stick.root, "--data", tmp_path / "data")
    (stick.folder / f"{KEYS.kiosk_id.hex()}-900.bmr").write_bytes(b"no bundle beside it")
    answers = stick.bundles()[0].with_suffix(".bmr")
    deliver(_forger(), stick)

    status, said = run("import", stick.root, "--data", tmp_path / "data")

    assert answers.exists()
    assert status == 0
    assert "5 items are not the centre's answer to this kiosk; nothing changed" in said
    assert "1 files of replies are of no use without their bundles" in said


def _forger() -> SmallCentre:
    forger = SmallCentre(seed=9)
    forger.enrolled(KEYS)
    return forger


def test_running_kiosk_is_not_disturbed(centre: SmallCentre, tmp_path: Path) -> None:
    database = open_database(tmp_path / "data" / "kiosk.db", device_public=KEYS.sign_public)
    try:
        status, said = run("export", tmp_path, "--data", tmp_path / "data")
    finally:
        database.close()

    assert status == 1
    assert "STICK_DIR" in said


def test_folder_that_is_no_stick_is_told(centre: SmallCentre, tmp_path: Path) -> None:
    status, said = run("import", tmp_path, "--data", tmp_path / "data")

    assert status == 1
    assert "[507.3]" in said
