"""Bytes to a device and back, each with its longest time; for threads, never for the screen.

USB printers are reached through the kernel's own usblp driver (`/dev/usb/lp*`), found by the
maker's and product's number: no library, no root, and a printer that was pulled out and put in
again is found under whatever name it has then.
"""

import asyncio
import contextlib
import fcntl
import os
import select
import socket
import stat
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from kiosk.devices.address import Address
from sync.clock import Clock
from sync.limits import DEVICE_OPEN_S, DEVICE_PIECE_BYTES

#: linux/input.h: whoever grabs a keyboard gets its keys alone, so that no page sees them.
_EVIOCGRAB = 0x40044590


class LineGone(Exception):
    """The device is not there, or went away; nothing more can be said to it."""


class Line(Protocol):
    """An open way to a device."""

    def write(self, raw: bytes, timeout_ms: int) -> int:
        """Answer how many bytes it took in that time; fewer than given = it is stuck.

        Raises:
            LineGone: It went away.
        """
        ...

    def read(self, size_max: int, timeout_ms: int) -> bytes:
        """Answer what came, at the latest after that time; b"" = nothing.

        Raises:
            LineGone: It went away.
        """
        ...

    def close(self) -> None:
        """Let it go; harmless twice."""
        ...


class FileLine:
    """A line over a file descriptor that never blocks.

    Args:
        fd: Open, non-blocking; closed by `close`.
        clock: Bounds a write that goes on piece by piece.
        can_read: Whether anything can come back.
    """

    def __init__(self, fd: int, clock: Clock, *, can_read: bool = True) -> None:
        self._fd = fd
        self._clock = clock
        self._can_read = can_read

    def write(self, raw: bytes, timeout_ms: int) -> int:
        """Write in pieces until all is taken or the time is over."""
        until_ms = self._clock.monotonic_ms() + timeout_ms
        done = 0
        while done < len(raw):
            left_ms = until_ms - self._clock.monotonic_ms()
            if left_ms <= 0 or not self._is_ready(select.POLLOUT, left_ms):
                break
            try:
                done += os.write(self._fd, raw[done : done + DEVICE_PIECE_BYTES])
            except BlockingIOError:
                continue
            except OSError as error:
                raise LineGone(type(error).__name__) from error
        return done

    def read(self, size_max: int, timeout_ms: int) -> bytes:
        """Read once."""
        if not self._can_read or not self._is_ready(select.POLLIN, timeout_ms):
            return b""
        try:
            raw = os.read(self._fd, size_max)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise LineGone(type(error).__name__) from error
        if not raw:
            raise LineGone("closed")
        return raw

    async def readable(self) -> None:
        """Wait in the event loop until something came, or it went away."""
        loop, came = asyncio.get_running_loop(), asyncio.Event()
        try:
            loop.add_reader(self._fd, came.set)
        except (OSError, ValueError) as error:
            raise LineGone(type(error).__name__) from error
        try:
            await came.wait()
        finally:
            loop.remove_reader(self._fd)

    def keep_to_itself(self) -> None:
        """Take a keyboard's keys from everybody else; what is no keyboard is read all the same."""
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._fd, _EVIOCGRAB, 1)

    def close(self) -> None:
        """Close the descriptor."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.close(self._fd)
            self._fd = -1

    def _is_ready(self, what: int, timeout_ms: int) -> bool:
        poll = select.poll()
        try:
            poll.register(self._fd, what)
            found = poll.poll(max(0, timeout_ms))
        except (OSError, ValueError) as error:
            raise LineGone(type(error).__name__) from error
        if any(seen & (select.POLLERR | select.POLLNVAL) for _, seen in found):
            raise LineGone("error")
        # A hang-up with bytes still to read is told by the read itself.
        return bool(found)


def open_line(address: Address, clock: Clock, root: Path = Path("/")) -> FileLine:
    """Open the way to a device.

    Args:
        address: Where it hangs.
        clock: Bounds its writes.
        root: Where /sys and /dev lie.

    Raises:
        LineGone: It is not there.
    """
    try:
        match address.kind:
            case "tcp":
                return _connected(address, clock)
            case "usb":
                return _opened(_usb_path(address.target, root), clock)
            case "serial":
                line = _opened(Path(address.target), clock)
                _set_serial(line, address.number)
                return line
            case _:
                return _opened(Path(address.target), clock)
    except (OSError, ValueError, termios.error) as error:
        # A host's name that no name can be is a ValueError.
        raise LineGone(type(error).__name__) from error


def _connected(address: Address, clock: Clock) -> FileLine:
    with socket.create_connection((address.host, address.number), DEVICE_OPEN_S) as reached:
        reached.setblocking(False)
        return FileLine(reached.detach(), clock)


def _opened(path: Path, clock: Clock) -> FileLine:
    is_device = path.exists() and not stat.S_ISREG(path.stat().st_mode)
    how = os.O_RDWR | os.O_NOCTTY if is_device else os.O_WRONLY | os.O_CREAT | os.O_APPEND
    fd = os.open(path, how | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    return FileLine(fd, clock, can_read=is_device)


def _set_serial(line: FileLine, baud: int) -> None:
    """Set eight bits, no parity, one stop bit, no echo, no handshake.

    A printer prints faster than its serial line brings; where it does not, its status tells.
    """
    fd = line._fd  # noqa: SLF001 -- the line was opened right here
    speed = getattr(termios, f"B{baud}")
    control = termios.CS8 | termios.CREAD | termios.CLOCAL
    attributes = termios.tcgetattr(fd)
    try:
        termios.tcsetattr(fd, termios.TCSANOW, [0, 0, control, 0, speed, speed, attributes[6]])
    except termios.error:
        line.close()
        raise


def _usb_path(device: str, root: Path) -> Path:
    """Answer the printer's file by its maker and product.

    Raises:
        FileNotFoundError: It is not plugged in, or no driver has taken it.
    """
    maker, product = device.split(":")
    for folder in sorted(_usb_devices(root)):
        if (_word(folder / "idVendor"), _word(folder / "idProduct")) == (maker, product):
            for found in sorted(folder.glob("*/usbmisc/lp*")):
                return root / "dev" / "usb" / found.name
    raise FileNotFoundError(device)


def _usb_devices(root: Path) -> Iterator[Path]:
    folder = root / "sys" / "bus" / "usb" / "devices"
    return folder.iterdir() if folder.is_dir() else iter(())


def _word(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace").strip().lower()
    except OSError:
        return ""
