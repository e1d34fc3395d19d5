"""The bell: it rings for a moment, stops, and whatever is wrong with it holds nobody."""

from pathlib import Path

import pytest

from kiosk.devices.address import Address
from kiosk.devices.bell import Bell, BellFailed
from tests.unit.kiosk.devices.nothing import without_devices
from tests.unit.kiosk.stations import station
from tests.unit.sync.worlds import JumpingClock


def script(tmp_path: Path, text: str) -> Address:
    path = tmp_path / "ring"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return Address("command", str(path))


async def test_line_goes_up_and_down_again(tmp_path: Path) -> None:
    value = tmp_path / "value"

    await Bell(Address("file", str(value)), JumpingClock()).ring()

    assert value.read_bytes() == b"1\n0\n"


async def test_bell_is_silenced_when_the_kiosk_ends_in_the_middle(tmp_path: Path) -> None:
    class Stopped(JumpingClock):
        async def sleep(self, seconds: float) -> None:  # noqa: ARG002 -- it never waits
            raise RuntimeError("ended")

    value = tmp_path / "value"

    with pytest.raises(RuntimeError):
        await Bell(Address("file", str(value)), Stopped()).ring()

    assert value.read_bytes() == b"1\n0\n"


async def test_program_rings(tmp_path: Path) -> None:
    rung = tmp_path / "rung"

    await Bell(script(tmp_path, f"echo ding > {rung}"), JumpingClock()).ring()

    assert rung.read_text() == "ding\n"


@pytest.mark.parametrize(
    "address",
    [None, Address("file", "/nowhere/value"), Address("command", "/nowhere/ring")],
)
async def test_bell_that_is_not_there_says_so(address: Address | None) -> None:
    with pytest.raises(BellFailed):
        await Bell(address, JumpingClock()).ring()


async def test_program_that_fails_says_so(tmp_path: Path) -> None:
    with pytest.raises(BellFailed, match="ended with 3"):
        await Bell(script(tmp_path, "exit 3"), JumpingClock()).ring()


async def test_calling_the_helper_rings_and_a_broken_bell_changes_nothing(tmp_path: Path) -> None:
    value = tmp_path / "value"
    for address in (Address("file", str(value)), Address("file", "/nowhere/value")):
        bell = Bell(address, JumpingClock())
        async with station(tmp_path, devices=without_devices(bell=bell)) as kiosk:
            await kiosk.touch("help")
            await kiosk.touch("call_helper")
            assert bell._task is not None
            await bell._task
            screen, _, visit = await kiosk.stage.screen()

        assert (screen.kind, visit.is_helper_called) == ("help", True)
        assert bell.is_failing == (address.target != str(value))

    assert value.read_bytes() == b"1\n0\n"
