"""What the doctor looks at of the machine itself: memory, heat, screen, touch, keys' files."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from kiosk.finding import Finding
from kiosk.settings import Settings
from sync.device import KEYS_FILE, NotEnrolled, load_identity

#: Chromium and the kiosk together take some 500 MB; below it the kernel begins to kill.
MEMORY_FREE_MB_MIN = 150
#: Boards slow themselves down from 80 °C on.
HEAT_C_MAX = 78.0
INODES_FREE_MIN = 2000
_MODE = re.compile(r"([0-9]{3,5})x([0-9]{3,5})")
_TOUCH = re.compile(r"^B: PROP=([0-9a-f]+)$", re.MULTILINE)
#: INPUT_PROP_DIRECT of linux/input-event-codes.h: a finger on the picture itself.
_DIRECT_BIT = 1 << 1


def examine_machine(settings: Settings, root: Path = Path("/")) -> Iterator[Finding]:
    """Look at the machine; what it cannot tell is left out.

    Args:
        settings: Say which screen hangs on it, and where the data folder is.
        root: Where /proc and /sys lie.
    """
    for found in (
        check_memory(root),
        check_heat(root),
        check_screen(settings, root),
        check_touch(root),
        check_inodes(settings.data_dir),
        check_key_file(settings.data_dir),
    ):
        if found is not None:
            yield found


def check_memory(root: Path) -> Finding | None:
    """Look whether there is memory left for a browser."""
    free = re.search(r"^MemAvailable:\s+([0-9]+) kB$", _read(root / "proc/meminfo"), re.MULTILINE)
    if free is None:
        return None
    free_mb = int(free[1]) // 1024
    is_good = free_mb >= MEMORY_FREE_MB_MIN
    todo = "restart it; if it comes back soon, this board is too small"
    return Finding("memory", is_good, f"{free_mb} MB free", todo, is_slight=True)


def check_heat(root: Path) -> Finding | None:
    """Look whether the board is too hot."""
    zones = (root / "sys/class/thermal").glob("thermal_zone*/temp")
    told = [text for zone in zones if re.fullmatch(r"-?[0-9]{1,7}", text := _read(zone).strip())]
    if not told:
        return None
    heat_c = max(int(text) for text in told) / 1000
    todo = "shade, air, dust; it slows down and may stop"
    return Finding("heat", heat_c < HEAT_C_MAX, f"{heat_c:.0f} °C", todo, is_slight=True)


def check_screen(settings: Settings, root: Path) -> Finding | None:
    """Look whether the screen is the one that the settings describe: millimetres follow from it."""
    modes = [
        (int(found[1]), int(found[2]))
        for path in sorted((root / "sys/class/drm").glob("card*-*"))
        if _read(path / "status").strip() == "connected"
        and (found := _MODE.match(_read(path / "modes")))
    ]
    if not modes:
        return None
    told = (settings.width_px, settings.height_px)
    # A screen that stands upright is turned by the compositor.
    is_good = told in modes or told[::-1] in modes
    said = ", ".join(f"{width} by {height}" for width, height in modes)
    todo = f"settings width_px and height_px say {told[0]} by {told[1]}; buttons have a wrong size"
    return Finding("screen", is_good, said, todo, is_slight=True)


def check_touch(root: Path) -> Finding | None:
    """Look whether anything on the machine can be touched."""
    listing = _read(root / "proc/bus/input/devices")
    if not listing:
        return None
    is_good = any(int(bits, 16) & _DIRECT_BIT for bits in _TOUCH.findall(listing))
    said = "a touch screen is there" if is_good else "no touch screen is seen"
    return Finding("touch", is_good, said, "the screen's USB cable", is_slight=True)


def check_inodes(directory: Path) -> Finding | None:
    """Look whether the disk has names left for files."""
    try:
        told = os.statvfs(directory)
    except OSError:
        return None
    if not told.f_files:
        # Some file systems make them as they need them.
        return None
    said = f"{told.f_ffree} names for files left"
    todo = "remove what else writes many small files on this card"
    return Finding("file names", told.f_ffree >= INODES_FREE_MIN, said, todo)


def check_key_file(directory: Path) -> Finding | None:
    """Look whether nobody else can read the device's keys."""
    try:
        name = load_identity(directory).keys_file
    except NotEnrolled:
        name = KEYS_FILE
    try:
        mode = stat.S_IMODE((directory / name).stat().st_mode)
    except OSError:
        return None
    is_good = not mode & 0o077
    said = "only the kiosk can read them" if is_good else f"others may read them (mode {mode:o})"
    return Finding("keys", is_good, said, f"chmod 600 {directory / name}")


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
