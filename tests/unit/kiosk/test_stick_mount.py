"""The shipped rule and unit that mount sticks: harmless options, the folder that the docs name."""

import re
import shutil
import subprocess

import pytest

from tests.conftest import ROOT

FOLDER = ROOT / "deploy" / "udev"
RULE = (FOLDER / "80-bianmin-stick.rules").read_text("utf-8")
UNIT = (FOLDER / "bianmin-stick@.service").read_text("utf-8")


def settings_of(unit: str) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", unit, re.MULTILINE))


def test_stick_is_mounted_without_programs_devices_and_other_users() -> None:
    options = settings_of(UNIT)["Environment"].removeprefix("OPTIONS=").split(",")
    mounts = re.findall(r"mount -o \"([^\"]+)\"", UNIT)

    assert {"nosuid", "nodev", "noexec", "umask=077"} <= set(options)
    assert mounts == ["$OPTIONS,flush", "$OPTIONS"]


def test_stick_is_let_go_when_it_is_pulled_out() -> None:
    found = settings_of(UNIT)

    assert found["BindsTo"] == "dev-%i.device"
    assert found["ExecStop"] == "/bin/umount -l /run/bianmin-stick"
    # At its end systemd empties such a folder: a stick that is still mounted would lose all.
    assert "RuntimeDirectory" not in found


def test_rule_starts_that_unit_for_sticks_on_usb_alone() -> None:
    (line,) = [line for line in RULE.splitlines() if line and not line.startswith("#")]

    assert 'SUBSYSTEMS=="usb"' in line
    assert 'ENV{SYSTEMD_WANTS}+="bianmin-stick@%k.service"' in line


def test_operations_page_names_the_folder_of_the_unit() -> None:
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")

    assert 'stick_dir = "/run/bianmin-stick"' in page
    assert "deploy/udev" in page


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_finds_no_fault_in_the_unit() -> None:
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", FOLDER / "bianmin-stick@.service"],
        check=False,
        capture_output=True,
        text=True,
    )

    assert "bianmin-stick" not in checked.stderr
