"""Where a device hangs: what an installer may write, and what is refused at start."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.devices.address import FORMS, Address, allowed, is_address, parsed

ALL = tuple(FORMS)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("usb:04b8:0e15", Address("usb", "04b8:0e15")),
        ("serial:/dev/ttyUSB0:19200", Address("serial", "/dev/ttyUSB0", 19200)),
        ("serial:/dev/ttyS3", Address("serial", "/dev/ttyS3", 9600)),
        ("tcp:192.168.1.87:9100", Address("tcp", "192.168.1.87", 9100)),
        ("tcp:[fe80::1]:9100", Address("tcp", "[fe80::1]", 9100)),
        ("file:/dev/usb/lp0", Address("file", "/dev/usb/lp0")),
        ("input:/dev/input/event3", Address("input", "/dev/input/event3")),
        ("command:/usr/local/bin/ring", Address("command", "/usr/local/bin/ring")),
    ],
)
def test_address_is_read(text: str, address: Address) -> None:
    assert parsed(text, ALL) == address


@pytest.mark.parametrize(
    "text",
    [
        "usb:04b8",
        "usb:zzzz:0e15",
        "serial:ttyUSB0",
        "serial:/dev/ttyUSB0:12345",
        "serial:/dev/ttyUSB0:１９２００",
        "tcp:printer",
        "tcp::9100",
        "tcp:printer:0",
        "tcp:printer:70000",
        "file:lp0",
        "file:/dev/../etc/passwd",
        "bluetooth:aa",
        "04b8:0e15",
    ],
)
def test_address_that_names_no_place_is_refused(text: str) -> None:
    assert parsed(text, ALL) is None


def test_device_takes_its_own_kinds_only() -> None:
    assert parsed("command:/bin/true", ("usb", "tcp")) is None


def test_nothing_is_an_address_of_nothing() -> None:
    assert is_address("", ("usb",))
    assert not is_address("usb:", ("usb",))


def test_refusal_shows_how_it_is_written() -> None:
    assert allowed(("tcp", "file")) == '"" for none, or tcp:192.168.1.87:9100, file:/dev/usb/lp0'


@given(st.text(max_size=40), st.sampled_from(ALL))
def test_no_text_breaks_the_reader(text: str, kind: str) -> None:
    found = parsed(f"{kind}:{text}", ALL)

    assert found is None or found.kind == kind
