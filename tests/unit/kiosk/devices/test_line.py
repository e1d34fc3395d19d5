"""Bytes to a device and back: never longer than allowed, and plain when it goes away."""

import os
import pty
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kiosk.devices.address import Address
from kiosk.devices.line import FileLine, LineGone, open_line
from sync.clock import SystemClock


@contextmanager
def serial() -> Iterator[tuple[int, Address]]:
    """A serial line whose other end the test holds."""
    ours, theirs = pty.openpty()
    try:
        yield ours, Address("serial", os.ttyname(theirs), 19200)
    finally:
        os.close(ours)
        os.close(theirs)


def test_serial_line_carries_bytes_as_they_are() -> None:
    hostile = bytes(range(256))
    with serial() as (ours, address):
        line = open_line(address, SystemClock())
        line.write(hostile, 1000)
        there = os.read(ours, 1024)
        os.write(ours, hostile)
        back = line.read(1024, 1000)
        line.close()

    assert (there, back) == (hostile, hostile)


def test_nothing_to_read_takes_its_time_and_no_longer() -> None:
    with serial() as (_, address):
        line = open_line(address, SystemClock())

        assert line.read(10, 20) == b""
        line.close()


def test_device_that_takes_nothing_ends_the_writing() -> None:
    with serial() as (_, address):
        line = open_line(address, SystemClock())

        taken = line.write(bytes(1_000_000), 50)
        line.close()

    assert 0 < taken < 1_000_000


def test_file_takes_all_and_says_nothing(tmp_path: Path) -> None:
    line = open_line(Address("file", str(tmp_path / "out")), SystemClock())

    taken, said = line.write(b"slip", 100), line.read(10, 100)
    line.close()
    line.close()

    assert (taken, said, (tmp_path / "out").read_bytes()) == (4, b"", b"slip")


@pytest.mark.parametrize(
    "address",
    [
        Address("file", "/nowhere/lp0"),
        Address("serial", "/nowhere/tty", 9600),
        Address("serial", "/etc/hostname", 9600),
        Address("usb", "04b8:0e15"),
        Address("tcp", "127.0.0.1", 1),
        Address("tcp", "a..b", 9100),
    ],
)
def test_what_is_not_there_is_gone(address: Address, tmp_path: Path) -> None:
    with pytest.raises(LineGone):
        open_line(address, SystemClock(), tmp_path)


def _hang_up(server: socket.socket) -> None:
    server.accept()[0].close()


def test_host_that_hangs_up_is_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_hang_up, args=(server,)).start()
        line = open_line(Address("tcp", "127.0.0.1", server.getsockname()[1]), SystemClock())

        with pytest.raises(LineGone):
            line.read(1, 1000)
        line.close()


def test_closed_line_is_gone() -> None:
    line = FileLine(-1, SystemClock())

    with pytest.raises(LineGone):
        line.write(b"x", 10)


def test_usb_printer_is_found_by_maker_and_product_under_any_name(tmp_path: Path) -> None:
    devices = tmp_path / "sys/bus/usb/devices"
    for port, product, name in (("1-1", "0e15", "lp3"), ("1-2", "0202", "lp0")):
        (devices / port / f"{port}:1.0" / "usbmisc" / name).mkdir(parents=True)
        (devices / port / "idVendor").write_text("04b8\n")
        (devices / port / "idProduct").write_text(product + "\n")
    lp = tmp_path / "dev/usb"
    lp.mkdir(parents=True)
    (lp / "lp3").write_bytes(b"")

    line = open_line(Address("usb", "04b8:0e15"), SystemClock(), tmp_path)
    line.write(b"slip", 100)
    line.close()

    assert (lp / "lp3").read_bytes() == b"slip"
